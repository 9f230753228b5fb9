//! Workload identity federation, over real HTTP: another identity provider's token as the assertion.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use scimport::entra::{Credential, Disposition, EntraClient, EntraError, TargetSettings};
use scimport::mock_entra::{
    CLIENT_ID, Federation, JOB_ID, MockConfig, MockEntra, SERVICE_PRINCIPAL_ID,
};
use serde_json::{Value, json};
use url::form_urlencoded;
use wiremock::MockServer;

use crate::entra_support::{CLIENT, MovedClock, chain, give_two_tokens, settings};
use crate::mock_client::by_hand;

const ISSUER: &str = "https://oidc.example/cluster-1/";
const SUBJECT: &str = "system:serviceaccount:hr:scimport";
const AUDIENCE: &str = "api://AzureADTokenExchange";

fn federated(file: &Path) -> Credential {
    Credential::FederatedToken { file: file.to_owned() }
}

#[tokio::test]
async fn the_file_is_read_for_every_token() {
    let server = MockServer::start().await;
    give_two_tokens(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let clock = MovedClock::default();
    std::fs::write(&file, "a.b.1\n").unwrap();
    let settings = settings(&server.uri(), &server.uri());
    let client =
        EntraClient::with_clock(settings, federated(&file), Arc::new(clock.clone())).unwrap();
    client.token().await.unwrap();
    std::fs::write(&file, " a.b.2").unwrap();
    client.token().await.unwrap();
    clock.advance(3600);
    client.token().await.unwrap();

    let requests = server.received_requests().await.unwrap();
    let forms: Vec<BTreeMap<String, String>> = requests
        .iter()
        .map(|request| form_urlencoded::parse(&request.body).into_owned().collect())
        .collect();
    let expected = |assertion: &str| {
        [
            ("client_assertion", assertion),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_id", CLIENT),
            ("grant_type", "client_credentials"),
            ("scope", "https://graph.microsoft.com/.default"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    };
    assert_eq!(forms, [expected("a.b.1"), expected("a.b.2")]);
}

#[tokio::test]
async fn a_file_that_goes_away_is_waited_for_and_one_without_a_token_is_not() {
    let server = MockServer::start().await;
    give_two_tokens(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let settings = settings(&server.uri(), &server.uri());
    let missing = EntraClient::new(settings.clone(), federated(&file)).err().unwrap();
    assert!(matches!(missing, EntraError::FederatedToken { .. }));
    std::fs::write(&file, "hunter2").unwrap();
    let broken = EntraClient::new(settings.clone(), federated(&file)).err().unwrap();
    assert!(chain(&broken).contains("no JWT") && !chain(&broken).contains("hunter2"));

    std::fs::write(&file, "a.b.1").unwrap();
    let clock = MovedClock::default();
    let client =
        EntraClient::with_clock(settings, federated(&file), Arc::new(clock.clone())).unwrap();
    client.token().await.unwrap();
    std::fs::remove_file(&file).unwrap();
    clock.advance(3400);
    client.token().await.unwrap();
    clock.advance(3600);
    let failure = client.token().await.unwrap_err();
    assert_eq!(failure.disposition(), Disposition::Transient { retry_after: None });
    assert_eq!(failure.to_string(), "there is no federated token to send");
    std::fs::write(&file, "\n").unwrap();
    assert_eq!(client.token().await.unwrap_err().disposition(), Disposition::Halt);
    std::fs::write(&file, "a.b.2").unwrap();
    client.token().await.unwrap();
}

struct Cluster {
    key: EncodingKey,
    public: Vec<u8>,
}

fn cluster() -> Cluster {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    Cluster {
        key: EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap(),
        public: key.public_key_pem().into_bytes(),
    }
}

fn claims() -> Value {
    let now = jsonwebtoken::get_current_timestamp();
    json!({"iss": ISSUER, "sub": SUBJECT, "aud": [AUDIENCE], "iat": now, "nbf": now,
        "exp": now + 3600})
}

fn of_mock(url: &str) -> TargetSettings {
    TargetSettings {
        client_id: Some(CLIENT_ID.to_owned()),
        service_principal_id: SERVICE_PRINCIPAL_ID.to_owned(),
        job_id: JOB_ID.to_owned(),
        ..settings(url, url)
    }
}

#[tokio::test]
async fn the_token_fits_to_the_letter_or_is_refused_with_its_code_and_a_way_out() {
    let cluster = cluster();
    let federation = Federation {
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        audience: AUDIENCE.to_owned(),
        key: cluster.public.clone(),
    };
    let config = MockConfig { federation: Some(federation), ..by_hand() };
    let mock = MockEntra::start(config).await.unwrap();
    let bare = MockEntra::start(by_hand()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let sign = |algorithm, claims: &Value, key: &EncodingKey| {
        std::fs::write(&file, encode(&Header::new(algorithm), claims, key).unwrap()).unwrap();
    };
    let client =
        |mock: &MockEntra| EntraClient::new(of_mock(&mock.url()), federated(&file)).unwrap();

    sign(Algorithm::RS256, &claims(), &cluster.key);
    client(&mock).job().await.unwrap();
    client(&mock).job().await.unwrap();
    let mut plain = claims();
    plain["aud"] = json!(AUDIENCE);
    sign(Algorithm::RS256, &plain, &cluster.key);
    client(&mock).job().await.unwrap();

    let now = jsonwebtoken::get_current_timestamp();
    let mut text = String::new();
    let mut tell = |what: String, failure: scimport::entra::TokenFailure| {
        let words = failure.to_string();
        let words = words.split(", trace id").next().unwrap_or_default();
        writeln!(text, "{what}: {words}\n  → {}", failure.advice()).unwrap();
        assert_eq!(failure.disposition(), Disposition::Halt);
        assert!(!chain(&failure).contains("cluster-1"), "{failure:?}");
    };
    for (name, value) in [
        ("iss", json!("https://oidc.example/cluster-1")),
        ("sub", json!("system:serviceaccount:hr:Scimport")),
        ("aud", json!("api://AzureADTokenExchangeUSGov")),
        ("aud", json!([AUDIENCE, "other"])),
        ("exp", json!(now - 1)),
        ("nbf", json!(now + 60)),
        ("exp", json!("soon")),
    ] {
        let mut claims = claims();
        claims[name] = value;
        sign(Algorithm::RS256, &claims, &cluster.key);
        let failure = client(&mock).token().await.unwrap_err();
        tell(format!("another `{name}`"), failure);
    }
    sign(Algorithm::RS256, &claims(), &self::cluster().key);
    tell("another key".to_owned(), client(&mock).token().await.unwrap_err());
    sign(Algorithm::RS384, &claims(), &cluster.key);
    tell("another algorithm".to_owned(), client(&mock).token().await.unwrap_err());
    std::fs::write(&file, "a.b.c").unwrap();
    tell("no token".to_owned(), client(&mock).token().await.unwrap_err());
    sign(Algorithm::RS256, &claims(), &cluster.key);
    tell("no federated credential".to_owned(), client(&bare).token().await.unwrap_err());
    insta::assert_snapshot!(text);
}
