//! Mail to people, and `alerts test`: do they arrive?

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::cli_support::{GOOD, SECRET_VARIABLE, SOURCE, offline, ran};
use crate::support::{Stage, certificate};

/// A mail server that speaks as little as it can.
pub struct MailServer {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    /// One without a secret line.
    pub fn start() -> Self {
        Self::with(None)
    }

    /// One that speaks TLS from the first byte, where it has a certificate.
    fn with(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // whoever hangs up has said what he had to say
                let _ = converse(stream.unwrap(), tls.as_ref(), &kept);
            }
        });
        Self { port, heard }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The mails it has taken, header and all; soft line breaks are taken out.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|mail| mail.replace("=\n", "")).collect()
    }
}

fn converse(
    stream: TcpStream,
    tls: Option<&Arc<rustls::ServerConfig>>,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    match tls {
        None => speak(stream, heard),
        Some(config) => {
            let session = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
            speak(rustls::StreamOwned::new(session, stream), heard)
        }
    }
}

fn speak<S: Read + Write>(stream: S, heard: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let say = |stream: &mut BufReader<S>, line: &str| {
        stream.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        stream.get_mut().flush()
    };
    say(&mut stream, "220 mail.example")?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.split_whitespace().next().unwrap_or_default().to_uppercase().as_str() {
            "EHLO" => {
                say(&mut stream, "250-mail.example")?;
                say(&mut stream, "250 AUTH PLAIN")?;
            }
            // user and password, NUL between them, in Base64: `u`, `hunter2`
            "AUTH" if line.trim_end().ends_with("AHUAaHVudGVyMg==") => {
                say(&mut stream, "235 welcome")?;
            }
            "AUTH" => say(&mut stream, "535 hunter2 is not known here")?,
            "DATA" => {
                say(&mut stream, "354 go on")?;
                let mut mail = String::new();
                loop {
                    line.clear();
                    stream.read_line(&mut line)?;
                    if line == ".\r\n" {
                        break;
                    }
                    mail.push_str(&line.replace("\r\n", "\n"));
                }
                heard.lock().unwrap().push(mail);
                say(&mut stream, "250 taken")?;
            }
            "QUIT" => return say(&mut stream, "221 bye"),
            _ => say(&mut stream, "250 well")?,
        }
    }
}

/// `email` of a config for this server.
pub fn email(port: u16, more: &str) -> String {
    let tls = if more.contains("tls") { "" } else { ", tls = \"none\"" };
    format!(
        "email = {{ to = [\"ann@ops.example\", \"ben@ops.example\"], from = \"scimport@ops.example\", \
         smtp = {{ host = \"127.0.0.1\", port = {port}{tls}{more} }} }}"
    )
}

async fn alerts_test(stage: &Stage, env: &[(&str, &str)]) -> crate::support::Ran {
    let child = stage.command(&["alerts", "test"], env).spawn().unwrap();
    crate::support::ended(child, "alerts test").await
}

async fn stage(alerts: &str) -> Stage {
    let stage = Stage::new().await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    stage.write("scimport.toml", &format!("{config}\n[alerts]\n{alerts}\n"));
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_goes_over_every_channel_and_says_what_each_answered() {
    let (hook, mail) = (MockServer::start().await, MailServer::start());
    let taken = Mock::given(method("POST")).respond_with(ResponseTemplate::new(202));
    taken.up_to_n_times(1).mount(&hook).await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(404)).mount(&hook).await;
    let url = format!("{}/hunter2", hook.uri());
    let login = ", user = \"u\", password = { env = \"PASSWORD\" }";
    let webhook = "webhook = { url = { env = \"HOOK\" }, format = \"slack\" }";
    let stage = stage(&format!("{webhook}\n{}", email(mail.port(), login))).await;

    let env = [("HOOK", url.as_str()), ("PASSWORD", "hunter2")];
    let ran = alerts_test(&stage, &env).await;
    ran.assert_code(0);
    assert!(
        ran.out.contains("slack webhook, environment variable `HOOK`: taken (202)"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("email: taken by the mail server (250)"), "{}", ran.out);
    let [sent] = mail.heard().try_into().unwrap();
    for words in [
        "From: scimport <scimport@ops.example>",
        "To: ann@ops.example, ben@ops.example",
        "Subject: [scimport] info: this is a test",
        "Date: ",
        "Message-ID: ",
        "Content-Type: text/plain; charset=utf-8",
        "What to do: nothing",
    ] {
        assert!(sent.contains(words), "`{words}` is not in\n{sent}");
    }

    // now the webhook is gone, and the password is wrong
    let env = [("HOOK", url.as_str()), ("PASSWORD", "hunter2-old")];
    let ran = alerts_test(&stage, &env).await;
    ran.assert_code(1).assert_says("the webhook answered 404").assert_says("answered 535");
    ran.assert_says("`user` and `password` of `smtp`");
    assert!(!ran.log.contains("hunter2") && !ran.out.contains("hunter2"), "{}", ran.log);
    assert_eq!(mail.heard().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_over_a_secret_line_whose_authority_the_config_names() {
    let [authority, certificate, key] = certificate();
    let chain =
        rustls::pki_types::CertificateDer::from(pem::parse(certificate).unwrap().into_contents());
    let key = PrivatePkcs8KeyDer::from(pem::parse(key).unwrap().into_contents());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], PrivateKeyDer::from(key))
        .unwrap();
    let mail = MailServer::with(Some(Arc::new(config)));
    let stage = stage(&email(mail.port(), ", tls = \"implicit\"")).await;
    let ran = alerts_test(&stage, &[]).await;
    ran.assert_code(1).assert_says("is not trusted").assert_says("ca_file");
    assert!(mail.heard().is_empty());
    stage.write("ca.pem", &authority);
    let ran = alerts_test(&stage, &[("SCIMPORT__HTTP__CA_FILE", "ca.pem")]).await;
    ran.assert_code(0);
    assert_eq!(mail.heard().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_not_sent_in_the_open_where_a_secret_line_was_asked_for() {
    let mail = MailServer::start();
    let stage = stage(&email(mail.port(), ", tls = \"starttls\"")).await;
    let ran = alerts_test(&stage, &[]).await;
    ran.assert_code(1).assert_says("`tls`");
    assert!(mail.heard().is_empty());
}

#[test]
fn nobody_to_tell_and_secrets_that_are_not_there_are_told() {
    let place = offline(SOURCE, GOOD);
    let check = || ran(place.command().arg("check").env(SECRET_VARIABLE, "s"));
    let ran = place.run(&["alerts", "test"]).expect(2);
    assert!(ran.err.contains("nobody to tell"), "{}", ran.err);
    let config = place.read("scimport.toml");
    place.write("scimport.toml", format!("{config}\n[alerts]\n"));
    let ran = check().expect(0);
    assert!(ran.err.contains("has nobody to tell"), "{}", ran.err);
    let hook = "[alerts]\nwebhook = { url = { env = \"NO_SUCH_HOOK\" } }\n";
    place.write("scimport.toml", format!("{config}\n{hook}"));
    let ran = check().expect(2);
    assert!(ran.err.contains("`NO_SUCH_HOOK` is not set"), "{}", ran.err);
    let ran = place.run(&["alerts", "test"]).expect(1);
    assert!(ran.err.contains("`NO_SUCH_HOOK` is not set"), "{}", ran.err);
}
