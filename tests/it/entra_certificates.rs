//! Certificates: PEM and PFX, both forms of the assertion, at the stand-in and at an OpenID provider that
//! somebody else has written.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use scimport::bridge::{BridgeError, Setup};
use scimport::config::{Config, Secrets};
use scimport::domain::TargetName;
use scimport::entra::CertificateProblem;
use scimport::mock_entra::target_config;
use serde_json::json;

use crate::entra_support::chain;
use crate::mock_client::Mock;

const USUAL: &str = "{ client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }";
/// What the PFX of a [`Pair`] is encrypted with.
pub const PASSWORD: &str = "hunter2 & more";

/// A certificate, its key, and both in a PFX.
pub struct Pair {
    pub certificate: String,
    pub key: String,
    pub pfx: Vec<u8>,
}

pub fn pair() -> Pair {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let params = CertificateParams::new(vec!["scimport.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let mut store = KeyStore::new();
    let chain = PrivateKeyChain::new(
        "1",
        PrivateKey::from_der(&key.serialize_der()).unwrap(),
        [Certificate::from_der(certificate.der()).unwrap()],
    );
    store.add_entry("scimport", KeyStoreEntry::PrivateKeyChain(chain));
    let pfx = store.writer(PASSWORD).encryption_iterations(10).mac_iterations(10).write().unwrap();
    Pair { certificate: certificate.pem(), key: key.serialize_pem(), pfx }
}

async fn ask(
    mock: &Mock,
    folder: &Path,
    credential: &str,
    env: &[(&str, &str)],
) -> Result<(), BridgeError> {
    let text = target_config(&mock.server.url()).replace(USUAL, credential);
    let setup = Setup::new(Config::parse(&text, folder, []).unwrap()).unwrap();
    let env: Vec<_> =
        env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let client = setup.client(&TargetName::new("entra"), &Secrets::new(env))?;
    client.job().await.unwrap();
    Ok(())
}

#[tokio::test]
async fn pem_and_pfx_in_each_place_and_form_are_taken() {
    let mock = Mock::new().await;
    let folder = tempfile::tempdir().unwrap();
    let Pair { certificate, key, pfx } = pair();
    mock.tell("certificates", &json!([certificate])).await;
    std::fs::write(folder.path().join("app.pem"), format!("{key}{certificate}")).unwrap();
    std::fs::write(folder.path().join("app.pfx"), &pfx).unwrap();
    let in_base64 = BASE64_STANDARD.encode(&pfx);
    std::fs::write(folder.path().join("app.b64"), format!("{in_base64}\n")).unwrap();
    let env = [
        ("P", PASSWORD),
        ("KEY", key.as_str()),
        ("CERT", certificate.as_str()),
        ("PFX", &in_base64),
    ];
    for credential in [
        "{ certificate = { file = \"app.pem\" } }",
        "{ certificate = { file = \"app.pem\" }, signature = \"RS256\" }",
        "{ certificate = { env = \"CERT\" }, key = { env = \"KEY\" }, signature = \"PS256\" }",
        "{ certificate = { file = \"app.pfx\" }, password = { env = \"P\" } }",
        "{ certificate = { file = \"app.pfx\" }, password = { env = \"P\" }, signature = \"RS256\" }",
        "{ certificate = { file = \"app.b64\" }, password = { env = \"P\" } }",
        "{ certificate = { env = \"PFX\" }, password = { env = \"P\" } }",
    ] {
        ask(&mock, folder.path(), credential, &env).await.unwrap();
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_told_at_once_with_the_reason() {
    let mock = Mock::new().await;
    let folder = tempfile::tempdir().unwrap();
    let Pair { certificate, key, pfx } = pair();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("app.pfx", &pfx);
    write("cut.pfx", &pfx[..pfx.len() / 2]);
    write("half.pem", certificate.as_bytes());
    write("binary", &[0xff, 0xfe, 0x00]);
    write("app.pem", format!("{key}{certificate}").as_bytes());
    let env = [("P", PASSWORD), ("W", "hunter3")];
    let mut text = String::new();
    for credential in [
        "{ certificate = { file = \"app.pfx\" } }",
        "{ certificate = { file = \"app.pfx\" }, password = { env = \"W\" } }",
        "{ certificate = { file = \"app.pfx\" }, password = { env = \"N\" } }",
        "{ certificate = { file = \"app.pfx\" }, password = { env = \"P\" }, key = { file = \"app.pem\" } }",
        "{ certificate = { file = \"cut.pfx\" }, password = { env = \"P\" } }",
        "{ certificate = { file = \"binary\" } }",
        "{ certificate = { file = \"half.pem\" } }",
        "{ certificate = { file = \"none.pem\" } }",
    ] {
        let error = ask(&mock, folder.path(), credential, &env).await.unwrap_err();
        let mut line = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            line = format!("{line}\n  because {error}");
            cause = error.source();
        }
        if let Some(problem) = CertificateProblem::among_causes(&error) {
            line = format!("{line}\n  hint: {}", problem.advice());
        }
        text = format!("{text}{credential}\n  {line}\n");
        assert!(!chain(&error).contains("hunter"), "{error:?}");
    }
    let text = text.replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(text.replace('\\', "/"));
}
