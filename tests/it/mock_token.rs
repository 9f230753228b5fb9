//! The stand-in's token endpoint: secrets, assertions, and every refusal.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as tests may"
)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use scimport::mock_entra::{
    CLIENT_ID, CLIENT_SECRET, MockConfig, MockEntra, TENANT_ID, target_config,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::mock_client::{Mock, by_hand, client, form, json_of};

const SCOPE: &str = "https://graph.microsoft.com/.default";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The fields of a good request, with some changed, added or (empty) left out.
fn request<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("scope", SCOPE),
    ];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    fields
}

async fn post(mock: &MockEntra, tenant: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let answer = client()
        .post(format!("{}/{tenant}/oauth2/v2.0/token", mock.url()))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(form(fields))
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), json_of(answer).await)
}

#[tokio::test]
async fn a_secret_gives_a_token_with_the_apps_roles() {
    let mock = MockEntra::start(by_hand()).await.unwrap();
    let (status, body) = post(&mock, TENANT_ID, &request(&[])).await;
    assert_eq!(status, 200);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3_599)));
    let token = body["access_token"].as_str().unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["roles"][0], "SynchronizationData-User.Upload");
    assert_eq!(claims["idtyp"], "app");

    let (status, _) = post(&mock, "contoso.example", &request(&[])).await;
    assert_eq!(status, 200, "a verified domain names the tenant too");
    let own = format!("{}/.default", mock.url());
    let (status, _) = post(&mock, TENANT_ID, &request(&[("scope", &own)])).await;
    assert_eq!(status, 200, "the stand-in is a resource itself");
    mock.stop().await;
}

#[tokio::test]
async fn a_secret_may_come_by_http_basic() {
    let mock = MockEntra::start(by_hand()).await.unwrap();
    let encoded = |text: &str| form(&[("x", text)]).split_off(2);
    let basic =
        |secret: &str| STANDARD.encode(format!("{}:{}", encoded(CLIENT_ID), encoded(secret)));
    for (secret, expected) in [(CLIENT_SECRET, 200), ("wrong", 401)] {
        let answer = client()
            .post(format!("{}/{TENANT_ID}/oauth2/v2.0/token", mock.url()))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Authorization", format!("Basic {}", basic(secret)))
            .body(form(&[("grant_type", "client_credentials"), ("scope", SCOPE)]))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), expected, "{secret}");
    }
}

#[tokio::test]
async fn each_mistake_has_its_code() {
    let mock = MockEntra::start(by_hand()).await.unwrap();
    for (changes, status, error, code) in [
        (&[("client_secret", "wrong")][..], 401, "invalid_client", 7_000_215),
        (&[("client_secret", "")], 401, "invalid_client", 7_000_218),
        (&[("client_id", "someone")], 400, "unauthorized_client", 700_016),
        (&[("client_id", "")], 400, "invalid_request", 900_144),
        (&[("grant_type", "")], 400, "invalid_request", 900_144),
        (&[("grant_type", "password")], 400, "unsupported_grant_type", 70_003),
        (&[("scope", "")], 400, "invalid_request", 900_144),
        (&[("scope", "https://graph.microsoft.com/User.Read")], 400, "invalid_scope", 1_002_012),
        (&[("scope", "a/.default b/.default")], 400, "invalid_scope", 70_011),
        (&[("scope", "https://other.example/.default")], 400, "invalid_resource", 500_011),
        (&[("client_secret", ""), ("client_assertion", "x")], 400, "invalid_request", 50_027),
    ] {
        let (found, body) = post(&mock, TENANT_ID, &request(changes)).await;
        assert_eq!((found, body["error"].as_str()), (status, Some(error)), "{changes:?}");
        assert_eq!(body["error_codes"], json!([code]), "{changes:?}");
        let text = body["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{code}: ")) && text.contains(" Trace ID: "));
        assert!(body["trace_id"].is_string() && body["correlation_id"].is_string());
        assert!(!text.contains(CLIENT_SECRET));
    }
    let (status, body) = post(&mock, "common", &request(&[])).await;
    assert_eq!((status, &body["error_codes"][0]), (400, &json!(90_002)));

    let url = format!("{}/{TENANT_ID}/oauth2/v2.0/token", mock.url());
    let answer = client().post(&url).body(form(&request(&[]))).send().await.unwrap();
    assert_eq!(answer.status(), 400, "not a form");
    assert_eq!(client().get(&url).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn an_expired_secret_is_refused_from_then_on() {
    let mock = Mock::new().await;
    mock.tell("settings", &json!({ "secret_expired": true })).await;
    let (status, body) = post(&mock.server, TENANT_ID, &request(&[])).await;
    assert_eq!((status, &body["error_codes"][0]), (401, &json!(7_000_222)));
}

#[tokio::test]
async fn a_token_ends_after_its_lifetime() {
    let mut mock = Mock::new().await;
    let status = |mock: &Mock| mock.job(Method::GET, "").send();
    assert_eq!(status(&mock).await.unwrap().status(), 200);
    mock.tell("advance", &json!({ "seconds": 3_600 })).await;
    let refused = status(&mock).await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(json_of(refused).await["error"]["code"], "InvalidAuthenticationToken");
    mock.sign_in().await;
    assert_eq!(status(&mock).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_token_endpoint_fails_when_told() {
    let config = MockConfig { faults: vec!["token-error:2".parse().unwrap()], ..by_hand() };
    let mock = MockEntra::start(config).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(post(&mock, TENANT_ID, &request(&[])).await.0);
    }
    assert_eq!(seen, [200, 503, 200, 503]);
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let start = |change: fn(&mut MockConfig)| async move {
        let mut config = MockConfig::default();
        change(&mut config);
        MockEntra::start(config).await.unwrap_err().to_string()
    };
    for start in [
        start(|config| config.quarantine_factor = 0.0),
        start(|config| config.quarantine_factor = f64::NAN),
    ] {
        assert!(start.await.contains("quarantine_factor"));
    }
    assert!(start(|config| config.certificate = Some(b"x".to_vec())).await.contains("RSA"));
    assert!(start(|config| config.domains.clear()).await.contains("domain"));
}

#[tokio::test]
async fn the_printed_target_names_the_stand_in() {
    let mock = MockEntra::start(by_hand()).await.unwrap();
    assert!(mock.url().starts_with("http://127.0.0.1:"));
    assert_eq!(mock.url(), format!("http://{}", mock.address()));
    assert!(target_config(&mock.url()).contains(&format!("graph_url = \"{}\"", mock.url())));
}

struct Signer {
    key: EncodingKey,
    pem: String,
    thumbprint: String,
}

fn signer() -> Signer {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
    Signer {
        key: EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap(),
        pem: certificate.pem(),
        thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.der())),
    }
}

/// The claims of a good assertion.
fn claims(mock: &MockEntra, jti: &str) -> Value {
    let now = jsonwebtoken::get_current_timestamp();
    json!({
        "aud": format!("{}/{TENANT_ID}/oauth2/v2.0/token", mock.url()),
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "jti": jti,
        "nbf": now,
        "iat": now,
        "exp": now + 300,
    })
}

fn header(signer: &Signer, algorithm: Algorithm) -> Header {
    let mut header = Header::new(algorithm);
    header.x5t_s256 = Some(signer.thumbprint.clone());
    header
}

async fn assert_with(mock: &MockEntra, assertion: &str) -> (u16, u64) {
    let fields = request(&[
        ("client_secret", ""),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ]);
    let (status, body) = post(mock, TENANT_ID, &fields).await;
    (status, body["error_codes"][0].as_u64().unwrap_or(0))
}

async fn with_certificate(signer: &Signer) -> MockEntra {
    let certificate = Some(signer.pem.clone().into_bytes());
    MockEntra::start(MockConfig { certificate, ..by_hand() }).await.unwrap()
}

#[tokio::test]
async fn a_signed_assertion_gives_a_token_once() {
    let signer = signer();
    let mock = with_certificate(&signer).await;
    let sign = |algorithm, jti| {
        encode(&header(&signer, algorithm), &claims(&mock, jti), &signer.key).unwrap()
    };
    let assertion = sign(Algorithm::PS256, "1");
    assert_eq!(assert_with(&mock, &assertion).await, (200, 0));
    assert_eq!(assert_with(&mock, &assertion).await, (400, 50_027), "the same again");
    assert_eq!(assert_with(&mock, &sign(Algorithm::RS256, "2")).await, (200, 0), "the older form");
    assert_eq!(assert_with(&mock, &sign(Algorithm::PS384, "3")).await, (400, 50_027));
}

#[tokio::test]
async fn a_flawed_assertion_is_refused_with_its_code() {
    let signer = signer();
    let mock = with_certificate(&signer).await;
    let now = jsonwebtoken::get_current_timestamp();
    for (name, value, expected) in [
        ("aud", json!("https://login.microsoftonline.com/other/oauth2/v2.0/token"), 50_027),
        ("iss", json!("someone"), 50_027),
        ("sub", json!("someone"), 50_027),
        ("jti", json!(""), 50_027),
        ("exp", json!(now - 1), 700_024),
        ("nbf", json!(now + 60), 700_024),
        ("exp", json!("soon"), 50_027),
    ] {
        let mut claims = claims(&mock, "1");
        claims[name] = value.clone();
        let assertion = encode(&header(&signer, Algorithm::PS256), &claims, &signer.key).unwrap();
        let (_, code) = assert_with(&mock, &assertion).await;
        assert_eq!(code, expected, "{name} = {value}");
    }

    let bare = encode(&Header::new(Algorithm::PS256), &claims(&mock, "1"), &signer.key).unwrap();
    assert_eq!(assert_with(&mock, &bare).await, (401, 700_027), "no thumbprint");
    let other = self::signer();
    let forged =
        encode(&header(&signer, Algorithm::PS256), &claims(&mock, "1"), &other.key).unwrap();
    assert_eq!(assert_with(&mock, &forged).await, (401, 700_027), "another key");
    let unknown =
        encode(&header(&other, Algorithm::PS256), &claims(&mock, "1"), &other.key).unwrap();
    assert_eq!(assert_with(&mock, &unknown).await, (401, 700_027), "another certificate");
    assert_eq!(assert_with(&mock, "no.jwt").await, (400, 50_027));
}

#[tokio::test]
async fn a_thumbprint_of_the_older_form_must_fit_as_well() {
    let signer = signer();
    let mock = with_certificate(&signer).await;
    let mut header = Header::new(Algorithm::RS256);
    // SHA-1 of another certificate: 20 bytes that do not fit.
    header.x5t = Some(URL_SAFE_NO_PAD.encode([7; 20]));
    let assertion = encode(&header, &claims(&mock, "1"), &signer.key).unwrap();
    assert_eq!(assert_with(&mock, &assertion).await, (401, 700_027));
}
