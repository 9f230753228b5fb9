//! Proxies that stand between the program and Microsoft's hosts, and how a transcript is made fit for
//! a snapshot.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::cli_support::Ran;
use crate::support::tls_config;

/// The name of the authority that inspects.
pub const AUTHORITY: &str = "Contoso Inspection Root";

/// A proxy that answers every `CONNECT` with this status line, and its URL.
pub fn refusing_proxy(status: &'static str) -> String {
    proxy(move |mut socket| {
        drop(write!(socket, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"));
    })
}

/// A proxy that answers in the place of the host that is asked for, and in plain text.
pub fn plain_proxy() -> String {
    proxy(|mut socket| {
        drop(write!(socket, "HTTP/1.1 200 Connection established\r\n\r\n"));
        let mut hello = [0; 1024];
        drop(socket.read(&mut hello));
        drop(write!(socket, "HTTP/1.1 400 Bad Request\r\n\r\n"));
    })
}

/// A proxy that opens TLS in the place of the host that is asked for, with a certificate of its own
/// authority, and passes what is asked on to `to` (`127.0.0.1:PORT`). Gives its URL and the authority
/// as PEM.
pub fn inspecting_proxy(to: &str, certificate: Shown) -> (String, String) {
    let (authority, config) = tls(certificate);
    let to = to.to_owned();
    let url = proxy(move |mut socket| {
        drop(write!(socket, "HTTP/1.1 200 Connection established\r\n\r\n"));
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        // whoever does not trust us goes away here
        if let Some(request) = request(&mut stream) {
            let mut origin = TcpStream::connect(&to).unwrap();
            origin.write_all(&request).unwrap();
            let mut answer = Vec::new();
            origin.read_to_end(&mut answer).unwrap();
            drop(stream.write_all(&answer));
            stream.conn.send_close_notify();
            drop(stream.flush());
        }
    });
    (url, authority)
}

/// What an inspecting proxy shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// A certificate for Microsoft's hosts.
    Right,
    /// One for another name.
    OtherName,
    /// One whose time is over.
    Expired,
}

/// Whoever is connected to here is handed on once its `CONNECT` has been read.
fn proxy(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (socket, serve) = (socket.unwrap(), Arc::clone(&serve));
            thread::spawn(move || {
                let mut head = BufReader::new(socket.try_clone().unwrap());
                let mut line = String::new();
                while head.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                // one that only looks whether somebody listens sends nothing
                if !line.is_empty() {
                    serve(socket);
                }
            });
        }
    });
    url
}

fn tls(certificate: Shown) -> (String, Arc<ServerConfig>) {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, AUTHORITY);
    let authority = params.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let names = match certificate {
        Shown::OtherName => vec!["portal.example".to_owned()],
        Shown::Right | Shown::Expired => {
            vec!["login.microsoftonline.com".to_owned(), "graph.microsoft.com".to_owned()]
        }
    };
    let mut params = CertificateParams::new(names).unwrap();
    if certificate == Shown::Expired {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    }
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let config = tls_config(&certificate, &key.serialize_pem());
    (authority, Arc::new(config))
}

/// One request as it came, asking for the connection to be closed after it.
fn request(stream: &mut Stream<'_, ServerConnection, TcpStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text[..end].lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                bytes.splice(end..end, *b"\r\nconnection: close");
                return Some(bytes);
            }
        }
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => bytes.extend(&buffer[..read]),
            _ => return None,
        }
    }
}

/// The transcript without what differs from run to run.
pub fn steady(ran: &Ran) -> String {
    let mut text = ran.out.trim_end().to_owned();
    for (pattern, instead) in [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"(request-id|trace id|correlation id)(\s+)`[^`]+`", "$1$2`…`"),
        // resolvers differ in their words
        (r"cannot be\s+looked\s+up\s+\([^)]*\)", "cannot be looked up (…)"),
        (r"`[^`]*/([a-z-]+\.(?:pem|token))`", "`$1`"),
    ] {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, instead).into_owned();
    }
    text
}

/// The same without the steps that are well.
pub fn broken(ran: &Ran) -> String {
    let text = steady(ran);
    let mut is_well = false;
    let kept = text.lines().filter(|line| {
        // what follows a step stands further in
        if !line.starts_with("     ") {
            is_well = line.starts_with("  ok ");
        }
        !is_well
    });
    format!("{}\n(exit code {})\n", kept.collect::<Vec<_>>().join("\n"), ran.code)
}
