//! The client's proofs at an OpenID provider that somebody else has written: npm's `oidc-provider`, which
//! judges `private_key_jwt` by RFC 7523 and OpenID Connect Core section 9.
//!
//! It needs Node.js and that package, in `target/node` (`npm install --prefix target/node
//! oidc-provider@8`) or where `SCIMPORT_TEST_NODE_MODULES` says. Without them it says so and tests
//! nothing, unless `SCIMPORT_TEST_NO_SKIP` is set.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::print_stderr, reason = "a test that tests nothing says so")]

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use scimport::entra::{AssertionSignature, Credential, EntraClient, TargetSettings};
use serde_json::Value;

use crate::entra_support::{CLIENT, TENANT, settings};

const OTHER_CLIENT: &str = "44444444-2222-4333-8444-555555555555";
/// Every printable character that a form has to encode; others are in no secret (RFC 6749, A.2).
const SECRET: &str = "8Q~a+b c&d=e%f/g?h#i\"j'k\\l;m<n>o[p]q{r}s|t^u`v,w:x@y$z~.-_*!()";

/// A provider; ended with it.
struct OpenId {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Drop for OpenId {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl OpenId {
    fn start(package: &Path, certificate: &Path, secret: &Path) -> Self {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openid-provider.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .arg(package)
            .args([TENANT, CLIENT])
            .arg(certificate)
            .arg(OTHER_CLIENT)
            .arg(secret)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some(port) = line.strip_prefix("listening ") {
                break format!("http://127.0.0.1:{port}");
            }
        };
        Self { process, lines, url }
    }

    /// What the provider says of the next grant.
    fn said(&mut self) -> Value {
        // it warns of what a test may leave as it is
        let line = self.lines.by_ref().map(Result::unwrap).find(|line| line.starts_with('{'));
        serde_json::from_str(&line.unwrap()).unwrap()
    }
}

/// Where the package is; `None`, and said so, where it cannot be had.
fn package() -> Option<PathBuf> {
    let modules = std::env::var_os("SCIMPORT_TEST_NODE_MODULES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/node/node_modules"),
        PathBuf::from,
    );
    let package = modules.join("oidc-provider");
    let has_node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    let why = match has_node {
        Ok(status) if status.success() && package.join("lib/index.js").is_file() => {
            return Some(package);
        }
        Ok(_) => "there is no oidc-provider in target/node",
        Err(_) => "there is no node",
    };
    assert!(std::env::var_os("SCIMPORT_TEST_NO_SKIP").is_none(), "{why}");
    eprintln!("skipped: {why}");
    None
}

#[tokio::test]
async fn assertions_and_secrets_are_taken_by_an_independent_provider() {
    let Some(package) = package() else { return };
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let params = CertificateParams::new(vec!["scimport.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let (certificate_file, secret_file) = (folder.path().join("app.pem"), folder.path().join("s"));
    std::fs::write(&certificate_file, &certificate).unwrap();
    std::fs::write(&secret_file, SECRET).unwrap();
    let mut provider = OpenId::start(&package, &certificate_file, &secret_file);
    let settings = settings("http://127.0.0.1:9", &provider.url);

    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut ids = Vec::new();
    for signature in
        [AssertionSignature::Ps256, AssertionSignature::Rs256, AssertionSignature::Ps256]
    {
        let certificate_and_key = format!("{certificate}{}", key.serialize_pem()).into();
        let credential = Credential::Certificate { certificate_and_key, signature };
        EntraClient::new(settings.clone(), credential).unwrap().token().await.unwrap();
        let said = provider.said();
        let (header, claims) = (&said["header"], &said["claims"]);
        match signature {
            AssertionSignature::Ps256 => {
                assert_eq!(text(&header["alg"]), "PS256");
                assert_eq!(header["x5t#S256"], said["thumbprint"]);
            }
            AssertionSignature::Rs256 => {
                assert_eq!(text(&header["alg"]), "RS256");
                assert_eq!(text(&header["x5t"]).len(), 27, "a SHA-1 in base64url");
            }
        }
        assert_eq!(text(&claims["aud"]), format!("{}/{TENANT}/oauth2/v2.0/token", provider.url));
        assert_eq!((text(&claims["iss"]), text(&claims["sub"])), (CLIENT.into(), CLIENT.into()));
        ids.push(text(&claims["jti"]));
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "each is used once");

    // it tells right from wrong
    let other = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let params = CertificateParams::new(vec!["scimport.example".to_owned()]).unwrap();
    let pem = format!("{}{}", params.self_signed(&other).unwrap().pem(), other.serialize_pem());
    let credential = Credential::Certificate {
        certificate_and_key: pem.into(),
        signature: AssertionSignature::Ps256,
    };
    let refused = EntraClient::new(settings.clone(), credential).unwrap().token().await;
    assert_eq!(refused.unwrap_err().error(), Some("invalid_client"));

    let settings = TargetSettings { client_id: Some(OTHER_CLIENT.to_owned()), ..settings };
    let credential = Credential::ClientSecret(SECRET.into());
    EntraClient::new(settings.clone(), credential).unwrap().token().await.unwrap();
    assert_eq!(text(&provider.said()["client"]), OTHER_CLIENT);
    let credential = Credential::ClientSecret(SECRET.replace('+', " ").into());
    let refused = EntraClient::new(settings, credential).unwrap().token().await;
    assert_eq!(refused.unwrap_err().error(), Some("invalid_client"));
}
