//! Getting tokens: what is sent to the authority, how long a token is kept, what a refusal means.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use scimport::entra::{AssertionSignature, Credential, Disposition, EntraClient, EntraError};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;
use url::form_urlencoded;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::entra_support::{
    CLIENT, MovedClock, SECRET, START, TENANT, chain, client, client_at, secret, settings,
    token_answer, token_path,
};

async fn answer_tokens(server: &MockServer, answer: ResponseTemplate, times: u64) {
    Mock::given(method("POST"))
        .and(path(token_path()))
        .respond_with(answer)
        .expect(times)
        .mount(server)
        .await;
}

/// The forms that were posted, in order.
async fn forms(server: &MockServer) -> Vec<BTreeMap<String, String>> {
    let requests = server.received_requests().await.unwrap();
    requests.iter().map(|one| form_urlencoded::parse(&one.body).into_owned().collect()).collect()
}

#[tokio::test]
async fn a_secret_is_sent_in_the_body() {
    let server = MockServer::start().await;
    answer_tokens(&server, token_answer("token-1"), 1).await;
    client(&server).token().await.unwrap();
    let expected = [
        ("client_id", CLIENT),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    assert_eq!(forms(&server).await, [expected]);
    let requests = server.received_requests().await.unwrap();
    assert!(!requests[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_certificate_signs_a_fresh_assertion_each_time() {
    let server = MockServer::start().await;
    answer_tokens(&server, token_answer("token-1"), 2).await;
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let params = CertificateParams::new(vec!["scimport.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    let credential = Credential::Certificate {
        certificate_and_key: pem.into(),
        signature: AssertionSignature::Ps256,
    };
    let clock = MovedClock::default();
    let settings = settings(&server.uri(), &server.uri());
    let client = EntraClient::with_clock(settings, credential, Arc::new(clock.clone())).unwrap();
    client.token().await.unwrap();
    clock.advance(3600);
    client.token().await.unwrap();

    let forms = forms(&server).await;
    let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.der()));
    let public = DecodingKey::from_rsa_pem(key.public_key_pem().as_bytes()).unwrap();
    let mut validation = Validation::new(Algorithm::PS256);
    let audience = format!("{}{}", server.uri(), token_path());
    validation.set_audience(&[&audience]);
    validation.set_issuer(&[CLIENT]);
    validation.validate_exp = false;
    let mut ids = Vec::new();
    let mut now = START.parse::<jiff::Timestamp>().unwrap().as_second();
    for form in &forms {
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        assert_eq!(form["client_id"], CLIENT);
        assert!(!form.contains_key("client_secret"));
        let token = jsonwebtoken::decode::<Value>(&form["client_assertion"], &public, &validation);
        let token = token.unwrap();
        assert_eq!(token.header.typ.as_deref(), Some("JWT"));
        assert_eq!(token.header.x5t_s256.as_deref(), Some(thumbprint.as_str()));
        assert_eq!(token.claims["sub"], CLIENT);
        assert_eq!(token.claims["nbf"], now);
        assert_eq!(token.claims["iat"], now);
        assert_eq!(token.claims["exp"], now + 600);
        ids.push(token.claims["jti"].as_str().unwrap().to_owned());
        now += 3600;
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_token_is_kept_until_five_minutes_before_its_end() {
    let server = MockServer::start().await;
    answer_tokens(&server, token_answer("token-1"), 2).await;
    let clock = MovedClock::default();
    let client = client_at(&server.uri(), &server, &clock);
    client.token().await.unwrap();
    clock.advance(3298);
    client.clone().token().await.unwrap();
    assert_eq!(forms(&server).await.len(), 1);
    clock.advance(1);
    client.token().await.unwrap();
    assert_eq!(forms(&server).await.len(), 2);
}

#[tokio::test]
async fn a_wrong_secret_halts_and_shows_code_and_ids_only() {
    let server = MockServer::start().await;
    let body = json!({"error": "invalid_client", "error_codes": [7_000_215],
        "error_description": format!("AADSTS7000215: Invalid client secret {SECRET} of Jane Doe"),
        "trace_id": "aaaa-1", "correlation_id": "bbbb-2"});
    // once: what was refused is not shown again at once
    answer_tokens(&server, ResponseTemplate::new(401).set_body_json(body), 1).await;
    let client = client(&server);
    let failure = client.token().await.unwrap_err();
    assert_eq!(failure.disposition(), Disposition::Halt);
    assert_eq!(failure.aadsts(), Some(7_000_215));
    assert_eq!(failure.status(), Some(401));
    assert_eq!(failure.trace_id(), Some("aaaa-1"));
    assert_eq!(failure.correlation_id(), Some("bbbb-2"));
    let call = client.upload("{}", "x").await.unwrap_err();
    assert_eq!(call.disposition(), Disposition::Halt);
    assert_eq!(call.code().as_deref(), Some("AADSTS7000215"));
    assert_eq!(call.status(), None);
    let text = chain(&call);
    assert!(text.contains("AADSTS7000215") && text.contains("aaaa-1"), "{text}");
    for secret in [SECRET, "Jane", "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_fault_of_the_token_service_is_transient() {
    for (answer, wait) in [
        (ResponseTemplate::new(503).set_body_string("<html>"), None),
        (ResponseTemplate::new(429).insert_header("retry-after", "4"), Some(4)),
        (
            ResponseTemplate::new(400).set_body_json(json!({"error": "temporarily_unavailable"})),
            None,
        ),
        (
            ResponseTemplate::new(400)
                .set_body_json(json!({"error": "x", "error_codes": [90_033]})),
            None,
        ),
    ] {
        let server = MockServer::start().await;
        answer_tokens(&server, answer, 1).await;
        let failure = client(&server).token().await.unwrap_err();
        let retry_after = wait.map(Duration::from_secs);
        assert_eq!(failure.disposition(), Disposition::Transient { retry_after });
    }
}

#[tokio::test]
async fn what_is_no_token_answer_halts() {
    for answer in [
        ResponseTemplate::new(200).set_body_raw("<html>hello</html>", "text/html"),
        ResponseTemplate::new(200).set_body_json(json!({"access_token": "token-1"})),
        ResponseTemplate::new(200).set_body_json(json!({"token_type": "mac", "access_token": "x"})),
        ResponseTemplate::new(200)
            .set_body_json(json!({"token_type": "Bearer", "access_token": "a\nb"})),
        ResponseTemplate::new(200),
        ResponseTemplate::new(302).insert_header("location", "/elsewhere"),
    ] {
        let server = MockServer::start().await;
        answer_tokens(&server, answer, 1).await;
        let failure = client(&server).token().await.unwrap_err();
        assert_eq!(failure.disposition(), Disposition::Halt, "{failure}");
        assert!(!chain(&failure).contains("token-1"));
    }
}

#[tokio::test]
async fn callers_that_waited_for_the_same_refusal_share_it() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(503).set_delay(Duration::from_millis(200));
    answer_tokens(&server, answer, 1).await;
    let client = client(&server);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        calls.spawn(async move { client.token().await.is_err() });
    }
    assert!(calls.join_all().await.into_iter().all(|is_err| is_err));
}

#[tokio::test]
async fn a_token_that_still_lives_outlasts_an_outage() {
    let server = MockServer::start().await;
    Mock::given(path(token_path()))
        .respond_with(token_answer("token-1"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    answer_tokens(&server, ResponseTemplate::new(503), 2).await;
    let clock = MovedClock::default();
    let client = client_at(&server.uri(), &server, &clock);
    client.token().await.unwrap();
    clock.advance(3400);
    client.token().await.unwrap();
    client.token().await.unwrap();
    clock.advance(200);
    assert!(client.token().await.is_err());
}

#[test]
fn wrong_settings_and_credentials_make_no_client() {
    let good = || settings("http://127.0.0.1:1", "http://127.0.0.1:1");
    let mut foreign = good();
    foreign.graph_url = "https://graph.microsoft.com.evil.example".parse().ok();
    assert!(matches!(EntraClient::new(foreign, secret()), Err(EntraError::Settings(_))));
    let empty = Credential::ClientSecret(String::new().into());
    assert!(matches!(EntraClient::new(good(), empty), Err(EntraError::EmptySecret)));
    let broken = Credential::Certificate {
        certificate_and_key: SECRET.into(),
        signature: AssertionSignature::Ps256,
    };
    assert!(!format!("{broken:?}").contains("hunter2"));
    let error = EntraClient::new(good(), broken).err().unwrap();
    assert!(matches!(error, EntraError::Certificate(_)));
    assert!(!chain(&error).contains("hunter2"));
    let mut no_ca = good();
    no_ca.graph_url = "https://127.0.0.1:1".parse().ok();
    no_ca.http.ca_file = Some("there/is/no/such.pem".into());
    assert!(matches!(EntraClient::new(no_ca, secret()), Err(EntraError::ReadCaFile { .. })));
    assert!(token_path().contains(TENANT));
}
