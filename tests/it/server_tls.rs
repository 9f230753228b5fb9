//! The API over TLS, with a certificate of one's own.

use std::sync::Arc;
use std::time::Duration;

use scimport::config::{SecretRef, ServerConfig, ServerTls};
use scimport::server::{Running, StartError, start};
use tokio_util::sync::CancellationToken;

use crate::server_support::{READER, bridge};
use crate::support::{Stage, certificate};

fn settings(stage: &Stage, key: Option<&str>) -> ServerConfig {
    ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        reader_token: Some(SecretRef::Env("ZQ_READER".into())),
        tls: Some(ServerTls {
            certificate: SecretRef::File(stage.path("c.pem")),
            key: key.map(|name| SecretRef::File(stage.path(name))),
        }),
        ..ServerConfig::default()
    }
}

/// Asks over TLS, trusting this authority alone.
async fn ask(running: &Running, authority: &str) -> reqwest::Result<reqwest::Response> {
    let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([authority])
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    let url = format!("https://{}/api/v1/runs", running.address());
    http.get(url).bearer_auth(READER).send().await
}

#[tokio::test]
async fn it_shows_its_certificate_and_a_newer_one_after_a_reload() {
    let stage = Stage::new().await;
    let [authority, shown, key] = certificate();
    stage.write("c.pem", &shown);
    stage.write("k.pem", &key);
    let bridge = bridge(&stage.path("scimport.toml"));
    let apart = settings(&stage, Some("k.pem"));
    let running = start(Arc::clone(&bridge), Vec::new(), &apart, CancellationToken::new()).unwrap();
    assert_eq!(ask(&running, &authority).await.unwrap().status(), 200);
    let plain = crate::mock_client::client();
    let answer = plain.get(format!("http://{}/healthz", running.address())).send().await;
    assert!(answer.is_err(), "{answer:?}");

    // both in one file, and another authority
    let [newer, shown, key] = certificate();
    stage.write("c.pem", &format!("{key}{shown}"));
    let together = settings(&stage, None);
    running.replace(Arc::clone(&bridge), Vec::new(), &together).unwrap();
    assert_eq!(ask(&running, &newer).await.unwrap().status(), 200);
    assert!(ask(&running, &authority).await.is_err());

    // what is no certificate changes nothing
    stage.write("c.pem", "zq-no-pem");
    let refused = running.replace(bridge, Vec::new(), &together).unwrap_err();
    assert!(refused.to_string().contains("no certificate in PEM"), "{refused}");
    assert_eq!(ask(&running, &newer).await.unwrap().status(), 200);
    running.stop_now().await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_shown_is_told_at_the_start() {
    let stage = Stage::new().await;
    let [_, shown, _] = certificate();
    let [_, _, other_key] = certificate();
    let bridge = bridge(&stage.path("scimport.toml"));
    let start = |key| {
        let settings = settings(&stage, key);
        start(Arc::clone(&bridge), Vec::new(), &settings, CancellationToken::new()).err().unwrap()
    };
    assert!(start(None).to_string().contains("`server.tls.certificate` cannot be read"));
    stage.write("c.pem", &shown);
    assert!(start(None).to_string().contains("no private key"));
    stage.write("k.pem", &other_key);
    let unfit = start(Some("k.pem"));
    assert!(
        matches!(unfit, StartError::Tls(_)) && unfit.to_string().contains("do not fit"),
        "{unfit}"
    );
    stage.write("k.pem", "-----BEGIN PRIVATE KEY-----\nenEtc2VjcmV0\n-----END PRIVATE KEY-----\n");
    let unfit = start(Some("k.pem"));
    assert!(!format!("{unfit} {unfit:?}").contains("zq-secret"), "{unfit:?}");
}
