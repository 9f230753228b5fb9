//! Tokens of a managed identity, over real HTTP: from the stand-in, and in every answer that no
//! stand-in gives.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use scimport::entra::{
    Credential, Disposition, EntraClient, EntraError, IdentityHost, TargetSettings,
};
use scimport::mock_entra::{
    CLIENT_ID, IDENTITY_HEADER, JOB_ID, MockConfig, MockEntra, SERVICE_PRINCIPAL_ID,
};
use serde_json::{Value, json};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::entra_support::{MovedClock, chain, settings};
use crate::mock_client::by_hand;

const IMDS: &str = "/metadata/identity/oauth2/token";
const OTHER: &str = "44444444-3333-4444-8555-666666666666";

fn identity(client_id: Option<&str>, host: IdentityHost) -> Credential {
    Credential::ManagedIdentity { client_id: client_id.map(str::to_owned), host }
}

fn endpoint(url: &str, header: &str) -> IdentityHost {
    let variables = [("IDENTITY_ENDPOINT", url), ("IDENTITY_HEADER", header)];
    IdentityHost::detect(&|name| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
    .unwrap()
}

fn of(url: &str) -> TargetSettings {
    TargetSettings {
        client_id: None,
        service_principal_id: SERVICE_PRINCIPAL_ID.to_owned(),
        job_id: JOB_ID.to_owned(),
        ..settings(url, url)
    }
}

fn client(url: &str, credential: Credential) -> EntraClient {
    EntraClient::new(of(url), credential).unwrap()
}

#[tokio::test]
async fn the_identity_of_a_machine_reads_the_job() {
    let mock = MockEntra::start(by_hand()).await.unwrap();
    for id in [None, Some(CLIENT_ID)] {
        client(&mock.url(), identity(id, IdentityHost::Imds)).job().await.unwrap();
    }
    let unknown = client(&mock.url(), identity(Some(OTHER), IdentityHost::Imds));
    let failure = unknown.token().await.unwrap_err();
    assert_eq!(failure.disposition(), Disposition::Halt);
    assert_eq!(failure.status(), Some(400));
    assert!(failure.advice().contains("has no such identity"), "{}", failure.advice());
}

#[tokio::test]
async fn the_identity_of_an_app_reads_the_job() {
    let mock = MockEntra::start(by_hand()).await.unwrap();
    let by_name = mock.url().replace("127.0.0.1", "localhost");
    for base in [mock.url(), by_name] {
        let host = endpoint(&format!("{base}/msi/token"), IDENTITY_HEADER);
        client(&mock.url(), identity(None, host)).job().await.unwrap();
    }
    let host = endpoint(&format!("{}/msi/token", mock.url()), "hunter2");
    let failure = client(&mock.url(), identity(None, host)).token().await.unwrap_err();
    assert_eq!((failure.status(), failure.disposition()), (Some(401), Disposition::Halt));
    assert!(!chain(&failure).contains("hunter2"));
}

#[tokio::test]
async fn a_machine_without_an_identity_says_so() {
    let config = MockConfig { managed_identity: false, ..by_hand() };
    let mock = MockEntra::start(config).await.unwrap();
    let failure = client(&mock.url(), identity(None, IdentityHost::Imds)).token().await;
    assert_eq!(failure.unwrap_err().error(), Some("invalid_request"));
}

#[tokio::test]
async fn what_passes_by_itself_is_tried_again() {
    for fault in ["identity-404", "identity-410", "identity-429", "identity-500"] {
        let config =
            MockConfig { faults: vec![format!("{fault}:2").parse().unwrap()], ..by_hand() };
        let mock = MockEntra::start(config).await.unwrap();
        let clock = MovedClock::default();
        let credential = identity(None, IdentityHost::Imds);
        let client =
            EntraClient::with_clock(of(&mock.url()), credential, Arc::new(clock.clone())).unwrap();
        client.token().await.unwrap();
        // a token that still lives is better than none
        clock.advance(3400);
        client.token().await.unwrap();
        clock.advance(31);
        client.token().await.unwrap();
        // and then there is none
        clock.advance(3600);
        let failure = client.token().await.unwrap_err();
        assert!(matches!(failure.disposition(), Disposition::Transient { .. }), "{fault}");
        client.token().await.unwrap();
    }
}

async fn answering(server: &MockServer, answer: ResponseTemplate) {
    Mock::given(method("GET")).respond_with(answer).mount(server).await;
}

fn token() -> Value {
    json!({"access_token": "token-1", "refresh_token": "", "expires_in": "3599",
        "expires_on": "1788260399", "not_before": "1788256800", "token_type": "Bearer",
        "resource": "https://graph.microsoft.com/"})
}

#[tokio::test]
async fn the_request_says_what_is_needed_and_nothing_more() {
    let server = MockServer::start().await;
    answering(&server, ResponseTemplate::new(200).set_body_json(token())).await;
    let proxy = MockServer::start().await;
    let mut settings = of(&server.uri());
    settings.http.proxy = Some(proxy.uri().parse().unwrap());
    let msi = format!("{}/msi/token", server.uri());
    for host in [IdentityHost::Imds, endpoint(&msi, "h-1")] {
        let client = EntraClient::new(settings.clone(), identity(Some(CLIENT_ID), host)).unwrap();
        client.token().await.unwrap();
        client.token().await.unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    let shown: Vec<_> = requests
        .iter()
        .map(|request| {
            let header = |name| request.headers.get(name).map(|value| value.to_str().unwrap());
            assert!(request.body.is_empty() && header("authorization").is_none());
            let query = request.url.query().unwrap().to_owned();
            (request.url.path(), query, header("metadata"), header("x-identity-header"))
        })
        .collect();
    let query = |version| {
        format!(
            "api-version={version}&resource=https%3A%2F%2Fgraph.microsoft.com%2F\
             &client_id={CLIENT_ID}"
        )
    };
    assert_eq!(
        shown,
        [
            (IMDS, query("2018-02-01"), Some("true"), None),
            ("/msi/token", query("2019-08-01"), None, Some("h-1")),
        ]
    );
    assert!(proxy.received_requests().await.unwrap().is_empty(), "never through a proxy");
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let server = MockServer::start().await;
    Mock::given(path(IMDS))
        .respond_with(ResponseTemplate::new(307).insert_header("location", "/elsewhere"))
        .mount(&server)
        .await;
    let failure = client(&server.uri(), identity(None, IdentityHost::Imds)).token().await;
    assert_eq!(failure.unwrap_err().disposition(), Disposition::Halt);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn every_answer_has_words_and_a_way_out() {
    let oauth = |error: &str| json!({"error": error, "error_description": "hunter2 of Jane Doe"});
    let app = json!({"statusCode": 400, "message": "hunter2 of Jane Doe", "correlationId": "c-1"});
    let mut text = String::new();
    for (status, body) in [
        (400, oauth("bad_request_102")),
        (400, oauth("invalid_resource")),
        (400, oauth("invalid_request")),
        (400, app),
        (401, oauth("unknown_source")),
        (401, oauth("unauthorized_client")),
        (403, json!("hunter2")),
        (404, oauth("not_found")),
        (410, json!(null)),
        (429, json!(null)),
        (500, oauth("unknown")),
        (503, json!(null)),
        (200, json!({"error": "hunter2"})),
    ] {
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status).set_body_json(&body))
            .mount(&server)
            .await;
        let msi = format!("{}/msi/token", server.uri());
        for host in [IdentityHost::Imds, endpoint(&msi, "h-1")] {
            let failure = client(&server.uri(), identity(None, host)).token().await.unwrap_err();
            let what = match failure.disposition() {
                Disposition::Transient { .. } => "again later",
                _ => "stop",
            };
            writeln!(text, "{failure}\n  {what} → {}", failure.advice()).unwrap();
            assert!(!chain(&failure).contains("hunter2"), "{failure:?}");
        }
    }
    let mut nobody = of("http://127.0.0.1:9");
    nobody.http.connect_timeout = Duration::from_secs(2);
    let client = EntraClient::new(nobody, identity(None, IdentityHost::Imds)).unwrap();
    let failure = client.token().await.unwrap_err();
    assert!(matches!(failure.disposition(), Disposition::Transient { .. }));
    writeln!(text, "{failure}\n  again later → {}", failure.advice()).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn an_identity_that_cannot_be_one_makes_no_client() {
    let wrong = identity(Some("scimport"), IdentityHost::Imds);
    let error = EntraClient::new(of("http://127.0.0.1:1"), wrong).err().unwrap();
    assert!(matches!(&error, EntraError::Settings(found) if found.len() == 1), "{error}");
    let far = IdentityHost::Endpoint {
        url: "http://10.0.0.1/msi/token".parse().unwrap(),
        header: "hunter2".into(),
    };
    let error = EntraClient::new(of("http://127.0.0.1:1"), identity(None, far)).err().unwrap();
    assert!(matches!(error, EntraError::Identity(_)));
    assert!(!chain(&error).contains("hunter2"));
    let nameless = EntraClient::new(of("http://127.0.0.1:1"), crate::entra_support::secret());
    assert!(matches!(nameless.err().unwrap(), EntraError::Settings(_)));
}
