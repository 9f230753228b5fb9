//! Reading the provisioning log and the job.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use jiff::Timestamp;
use scimport::entra::{Cloud, Disposition, EntraClient, JobCode};
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::entra_support::{
    JOB, START, client, give_tokens, give_two_tokens, graph_error, job_path, secret, settings,
};

const LOG: &str = "/v1.0/auditLogs/provisioning";
const REAL: &str = include_str!("../fixtures/logs/provisioning-log-15-events-anonymised.json");

fn since() -> Timestamp {
    START.parse().unwrap()
}

fn event(id: &str) -> Value {
    json!({"id": id, "activityDateTime": "2026-09-01T10:07:31Z", "sourceIdentity": {"id": "E1"},
        "provisioningStatusInfo": {"status": "success"}})
}

async fn log_server() -> MockServer {
    let server = MockServer::start().await;
    give_tokens(&server).await;
    server
}

async fn first_page(server: &MockServer, body: Value) {
    Mock::given(method("GET"))
        .and(path(LOG))
        .and(query_param_is_missing("$skiptoken"))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .expect(1)
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_real_page_is_read_as_asked_for() {
    let server = log_server().await;
    let filter = format!("jobid eq '{JOB}' and activityDateTime ge {START}");
    Mock::given(method("GET"))
        .and(path(LOG))
        .and(query_param("$filter", filter.as_str()))
        .and(query_param("$orderby", "activityDateTime"))
        .and(query_param("$top", "500"))
        .and(header("accept", "application/json"))
        .and(header("authorization", "Bearer token-1"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(REAL, "application/json"))
        .expect(1)
        .mount(&server)
        .await;
    let mut pages = client(&server).events_since(since());
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 15);
    assert!(pages.next().await.unwrap().is_none());
    assert_eq!(pages.malformed(), 0);
}

#[tokio::test]
async fn next_pages_are_followed_and_a_refused_one_is_asked_for_again() {
    let server = log_server().await;
    let next = format!("{}{LOG}?$skiptoken=two%2B2", server.uri());
    first_page(&server, json!({"value": [event("a")], "@odata.nextLink": next})).await;
    Mock::given(path(LOG))
        .and(query_param("$skiptoken", "two+2"))
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "10"))
        .up_to_n_times(1)
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path(LOG))
        .and(query_param("$skiptoken", "two+2"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"value": [event("b")]})))
        .expect(1)
        .mount(&server)
        .await;
    let mut pages = client(&server).events_since(since());
    assert_eq!(pages.next().await.unwrap().unwrap()[0].id, "a");
    let throttled = pages.next().await.unwrap_err();
    assert!(matches!(throttled.disposition(), Disposition::Throttled { retry_after: Some(_) }));
    assert_eq!(pages.next().await.unwrap().unwrap()[0].id, "b");
    assert!(pages.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_next_page_at_another_host_gets_no_token() {
    let elsewhere = MockServer::start().await;
    for link in [
        format!("{}{LOG}?$skiptoken=x", elsewhere.uri()),
        format!("//{}/x", elsewhere.address()),
        "https://graph.microsoft.com/v1.0/auditLogs/provisioning".to_owned(),
        "http://".to_owned(),
    ] {
        let server = log_server().await;
        first_page(&server, json!({"value": [event("a")], "@odata.nextLink": link})).await;
        let mut pages = client(&server).events_since(since());
        let failure = pages.next().await.unwrap_err();
        assert_eq!(failure.disposition(), Disposition::Halt, "{link}");
        assert!(!failure.to_string().contains("skiptoken"));
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_malformed_event_costs_itself_alone() {
    let server = log_server().await;
    let body = json!({"value": [event("a"), {"id": "b"}, null, event("c")]});
    first_page(&server, body).await;
    let mut pages = client(&server).events_since(since());
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 2);
    assert_eq!(pages.malformed(), 2);
}

#[tokio::test]
async fn a_page_that_is_none_is_an_error() {
    for body in ["<html>", "{}", "[]", "{\"value\":7}", ""] {
        let server = log_server().await;
        Mock::given(path(LOG))
            .respond_with(ResponseTemplate::new(200).set_body_string(body))
            .mount(&server)
            .await;
        let failure = client(&server).events_since(since()).next().await.unwrap_err();
        assert_eq!(failure.disposition(), Disposition::Transient { retry_after: None });
    }
}

#[tokio::test]
async fn a_log_without_a_licence_says_so() {
    let server = log_server().await;
    let body = graph_error("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "…");
    Mock::given(path(LOG))
        .respond_with(ResponseTemplate::new(403).set_body_json(body))
        .mount(&server)
        .await;
    let failure = client(&server).events_since(since()).next().await.unwrap_err();
    assert_eq!(failure.disposition(), Disposition::Halt);
    assert!(failure.advice().contains("licence"));
}

#[tokio::test]
async fn in_a_cloud_without_a_log_there_is_no_page_and_no_call() {
    let server = log_server().await;
    let mut settings = settings(&server.uri(), &server.uri());
    settings.cloud = Cloud::China;
    let client = EntraClient::new(settings, secret()).unwrap();
    assert!(client.events_since(since()).next().await.unwrap().is_none());
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_jobs_health_is_read_with_a_new_token_where_the_old_one_is_refused() {
    let server = MockServer::start().await;
    give_two_tokens(&server).await;
    Mock::given(path(job_path()))
        .and(header("authorization", "Bearer token-1"))
        .respond_with(ResponseTemplate::new(401))
        .expect(1)
        .mount(&server)
        .await;
    let job = json!({"id": JOB, "schedule": {"state": "Active"}, "status": {
        "code": "Quarantine", "quarantine": {"reason": "EncounteredTotalEscrowThreshold"}}});
    Mock::given(method("GET"))
        .and(path(job_path()))
        .and(header("authorization", "Bearer token-2"))
        .respond_with(ResponseTemplate::new(200).set_body_json(job))
        .expect(1)
        .mount(&server)
        .await;
    let health = client(&server).job().await.unwrap();
    assert_eq!(health.code, JobCode::Quarantine);
    assert_eq!(health.quarantine_reason.as_deref(), Some("EncounteredTotalEscrowThreshold"));
    assert!(!health.accepts_uploads());
}

#[tokio::test]
async fn a_job_that_is_not_there_halts() {
    let server = log_server().await;
    Mock::given(path(job_path()))
        .respond_with(ResponseTemplate::new(404).set_body_string("nothing here"))
        .mount(&server)
        .await;
    let failure = client(&server).job().await.unwrap_err();
    assert_eq!(failure.disposition(), Disposition::Halt);
    assert_eq!(failure.status(), Some(404));
}
