//! A target whose Graph and authority are local servers.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scimport::domain::Clock;
use scimport::entra::{Cloud, Credential, EntraClient, HttpSettings, TargetSettings};
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub const TENANT: &str = "11111111-2222-4333-8444-555555555555";
pub const CLIENT: &str = "22222222-2222-4333-8444-555555555555";
pub const JOB: &str =
    "API2AAD.11111111222243338444555555555555.9a9a9a9a-0000-4000-8000-00000000000a";
pub const SECRET: &str = "hunter2&more=1";
pub const START: &str = "2026-09-01T10:00:00Z";

/// The path of the provisioning job.
pub fn job_path() -> String {
    format!(
        "/v1.0/servicePrincipals/33333333-2222-4333-8444-555555555555/synchronization/jobs/{JOB}"
    )
}

pub fn upload_path() -> String {
    job_path() + "/bulkUpload"
}

pub fn token_path() -> String {
    format!("/{TENANT}/oauth2/v2.0/token")
}

pub fn settings(graph: &str, authority: &str) -> TargetSettings {
    TargetSettings {
        name: "entra".into(),
        tenant_id: TENANT.to_owned(),
        client_id: Some(CLIENT.to_owned()),
        service_principal_id: "33333333-2222-4333-8444-555555555555".to_owned(),
        job_id: JOB.to_owned(),
        cloud: Cloud::Public,
        authority_url: Some(Url::parse(authority).unwrap()),
        graph_url: Some(Url::parse(graph).unwrap()),
        http: HttpSettings { timeout: Duration::from_secs(20), ..HttpSettings::default() },
    }
}

pub fn secret() -> Credential {
    Credential::ClientSecret(SECRET.into())
}

pub fn client(server: &MockServer) -> EntraClient {
    client_at(&server.uri(), server, &MovedClock::default())
}

/// A client whose Graph lies somewhere else than its authority.
pub fn client_at(graph: &str, authority: &MockServer, clock: &MovedClock) -> EntraClient {
    let settings = settings(graph, &authority.uri());
    EntraClient::with_clock(settings, secret(), Arc::new(clock.clone())).unwrap()
}

/// A clock that moves when told.
#[derive(Clone)]
pub struct MovedClock(Arc<Mutex<Timestamp>>);

impl Default for MovedClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(START.parse().unwrap())))
    }
}

impl MovedClock {
    pub fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub fn token_answer(token: &str) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}))
}

/// Answers every token request with the same token.
pub async fn give_tokens(server: &MockServer) {
    Mock::given(method("POST"))
        .and(path(token_path()))
        .respond_with(token_answer("token-1"))
        .mount(server)
        .await;
}

/// Answers the first token request with `token-1`, the second with `token-2`, and no third.
pub async fn give_two_tokens(server: &MockServer) {
    for token in ["token-1", "token-2"] {
        Mock::given(method("POST"))
            .and(path(token_path()))
            .respond_with(token_answer(token))
            .up_to_n_times(1)
            .expect(1)
            .mount(server)
            .await;
    }
}

/// A server that gives tokens and answers uploads.
pub async fn upload_server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    give_tokens(&server).await;
    Mock::given(method("POST"))
        .and(path(upload_path()))
        .respond_with(answer)
        .expect(1)
        .mount(&server)
        .await;
    server
}

/// Graph's error body.
pub fn graph_error(code: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message, "innerError": {
        "date": "2026-09-01T10:00:00", "request-id": "7b7b7b7b-0000-4000-8000-000000000001"}}})
}

/// The error and its causes, as they would be printed.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error} {error:?}").unwrap();
        cause = error.source();
    }
    text
}
