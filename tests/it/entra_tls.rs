//! https: whom the client trusts, without any provider installed for the process.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rustls::{ServerConnection, Stream};
use scimport::entra::{Disposition, EntraClient, EntraError};
use wiremock::MockServer;

use crate::entra_support::{MovedClock, chain, give_tokens, secret, settings};
use crate::support::{certificate, tls_config};

/// A server for one connection, and its certificate authority as PEM.
fn https_server() -> (String, String) {
    let [authority, certificate, key] = certificate();
    let config = tls_config(&certificate, &key);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        let mut bytes = [0; 8192];
        // A client that does not trust us goes away here.
        if stream.read(&mut bytes).is_ok_and(|read| read > 0) {
            let answer = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
    });
    (url, authority)
}

async fn client(
    graph: &str,
    ca_file: Option<&Path>,
) -> (MockServer, Result<EntraClient, EntraError>) {
    let authority = MockServer::start().await;
    give_tokens(&authority).await;
    let mut settings = settings(graph, &authority.uri());
    settings.http.ca_file = ca_file.map(Path::to_owned);
    let clock = Arc::new(MovedClock::default());
    let client = EntraClient::with_clock(settings, secret(), clock);
    (authority, client)
}

#[tokio::test]
async fn a_named_authority_is_trusted() {
    let (url, authority) = https_server();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority).unwrap();
    let (_tokens, client) = client(&url, Some(file.path())).await;
    client.unwrap().upload("{}", "id").await.unwrap();
}

#[tokio::test]
async fn a_strangers_certificate_is_refused_and_named_as_the_reason() {
    let (url, _) = https_server();
    let (_, other) = https_server();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), other).unwrap();
    let (_tokens, client) = client(&url, Some(file.path())).await;
    let failure = client.unwrap().upload("{}", "id").await.unwrap_err();
    let text = chain(&failure);
    assert!(text.contains("the server's certificate is not trusted"), "{text}");
    assert!(failure.advice().contains("ca_file"));
    assert_eq!(failure.disposition(), Disposition::Transient { retry_after: None });
    assert!(!failure.may_have_arrived());
}

#[tokio::test]
async fn a_file_without_a_certificate_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no certificate").unwrap();
    let (_tokens, client) = client("https://127.0.0.1:1", Some(file.path())).await;
    assert!(matches!(client, Err(EntraError::CaFile { .. })));
}
