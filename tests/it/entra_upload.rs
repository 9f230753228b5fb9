//! Uploading a bulk request: what is sent, and what is made of each answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;
use std::time::Duration;

use scimport::entra::{
    Accepted, Attempt, Call, CallFailure, Disposition, EntraClient, HttpSettings, TargetSettings,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::entra_support::{
    MovedClock, SECRET, chain, client, client_at, give_tokens, give_two_tokens, graph_error,
    secret, settings, token_answer, token_path, upload_path, upload_server,
};

const BODY: &str = r#"{"Operations":[]}"#;
const ID: &str = "0c0c0c0c-0000-4000-8000-00000000000c";

async fn upload(client: &EntraClient) -> Result<Accepted, CallFailure> {
    client.upload(BODY, ID).await
}

async fn failure(answer: ResponseTemplate) -> CallFailure {
    let server = upload_server(answer).await;
    upload(&client(&server)).await.unwrap_err()
}

#[tokio::test]
async fn a_202_is_accepted_at_the_servers_time() {
    let server = MockServer::start().await;
    give_tokens(&server).await;
    Mock::given(method("POST"))
        .and(path(upload_path()))
        .and(header("authorization", "Bearer token-1"))
        .and(header("content-type", "application/scim+json"))
        .and(header("client-request-id", ID))
        .and(header("return-client-request-id", "true"))
        .and(header("user-agent", concat!("scimport/", env!("CARGO_PKG_VERSION"))))
        .respond_with(
            ResponseTemplate::new(202)
                .insert_header("request-id", "7b7b7b7b-0000-4000-8000-000000000001")
                .insert_header("date", "Tue, 01 Sep 2026 10:00:05 GMT")
                .set_body_string("not JSON, and nobody's business"),
        )
        .expect(1)
        .mount(&server)
        .await;
    let accepted = upload(&client(&server)).await.unwrap();
    assert_eq!(accepted.request_id.as_deref(), Some("7b7b7b7b-0000-4000-8000-000000000001"));
    assert_eq!(accepted.sent_at, "2026-09-01T10:00:05Z".parse().unwrap());
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.last().unwrap().body, BODY.as_bytes());
}

#[tokio::test]
async fn a_400_is_rejected_and_quotes_nothing() {
    let body = graph_error("BadRequest", "Jane Doe has no surname");
    let failure = failure(ResponseTemplate::new(400).set_body_json(body)).await;
    assert_eq!(failure.disposition(), Disposition::Reject);
    assert_eq!(failure.status(), Some(400));
    assert_eq!(failure.code().as_deref(), Some("BadRequest"));
    assert_eq!(failure.request_id(), Some("7b7b7b7b-0000-4000-8000-000000000001"));
    let text = chain(&failure);
    for secret in ["Jane", "token-1", SECRET, "hunter2"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_401_is_answered_with_a_new_token_once() {
    let server = MockServer::start().await;
    give_two_tokens(&server).await;
    for (token, status) in [("Bearer token-1", 401), ("Bearer token-2", 202)] {
        Mock::given(method("POST"))
            .and(path(upload_path()))
            .and(header("authorization", token))
            .respond_with(ResponseTemplate::new(status))
            .expect(1)
            .mount(&server)
            .await;
    }
    assert!(upload(&client(&server)).await.is_ok());
}

#[tokio::test]
async fn a_second_401_halts() {
    let server = MockServer::start().await;
    give_two_tokens(&server).await;
    let body = graph_error("InvalidAuthenticationToken", "expired");
    Mock::given(path(upload_path()))
        .respond_with(ResponseTemplate::new(401).set_body_json(body))
        .expect(2)
        .mount(&server)
        .await;
    let failure = upload(&client(&server)).await.unwrap_err();
    assert_eq!(failure.disposition(), Disposition::Halt);
    assert_eq!(failure.code().as_deref(), Some("InvalidAuthenticationToken"));
}

#[tokio::test]
async fn who_counts_each_call_is_asked_before_the_second() {
    let server = MockServer::start().await;
    give_two_tokens(&server).await;
    Mock::given(path(upload_path()))
        .respond_with(ResponseTemplate::new(401))
        .expect(2)
        .mount(&server)
        .await;
    let client = client(&server);
    let first = client.upload_once(BODY, ID, Attempt::First).await.unwrap_err();
    assert_eq!(first.disposition(), Disposition::RefreshToken);
    let second = client.upload_once(BODY, ID, Attempt::AfterRefresh).await.unwrap_err();
    assert_eq!(second.disposition(), Disposition::Halt);
}

#[tokio::test]
async fn a_403_and_a_404_halt_and_say_what_to_mend() {
    let denied = graph_error("Authorization_RequestDenied", "Insufficient privileges");
    let failure_403 = failure(ResponseTemplate::new(403).set_body_json(denied)).await;
    assert_eq!(failure_403.disposition(), Disposition::Halt);
    assert!(failure_403.advice().contains("SynchronizationData-User.Upload"));
    let unknown = graph_error("Request_ResourceNotFound", "no such job");
    let failure_404 = failure(ResponseTemplate::new(404).set_body_json(unknown)).await;
    assert_eq!(failure_404.disposition(), Disposition::Halt);
    assert!(failure_404.advice().contains("service_principal_id"));
}

#[tokio::test]
async fn a_429_waits_as_long_as_it_says() {
    let throttled = |retry_after| Disposition::Throttled { retry_after };
    let plain = failure(ResponseTemplate::new(429)).await;
    assert_eq!(plain.disposition(), throttled(None));
    let seconds = ResponseTemplate::new(429).insert_header("retry-after", "17");
    assert_eq!(failure(seconds).await.disposition(), throttled(Some(Duration::from_secs(17))));
    let date = ResponseTemplate::new(429)
        .insert_header("date", "Tue, 01 Sep 2026 12:00:00 GMT")
        .insert_header("retry-after", "Tue, 01 Sep 2026 12:01:30 GMT");
    assert_eq!(failure(date).await.disposition(), throttled(Some(Duration::from_secs(90))));
}

#[tokio::test]
async fn a_full_bucket_is_told_from_a_fault() {
    let full = graph_error("", "The bucket that stores the ingested data is full. Try later.");
    let full = failure(ResponseTemplate::new(500).set_body_json(full)).await;
    assert_eq!(full.disposition(), Disposition::BucketFull);
    let fault = graph_error("InternalServerError", "oops");
    let fault = failure(ResponseTemplate::new(500).set_body_json(fault)).await;
    assert_eq!(fault.disposition(), Disposition::Transient { retry_after: None });
}

#[tokio::test]
async fn faults_of_gateways_are_transient_whatever_their_body() {
    let answer = ResponseTemplate::new(503).insert_header("retry-after", "3");
    let expected = Disposition::Transient { retry_after: Some(Duration::from_secs(3)) };
    assert_eq!(failure(answer).await.disposition(), expected);
    let transient = Disposition::Transient { retry_after: None };
    let page = "<html><h1>502 Bad Gateway</h1></html>";
    let html = failure(ResponseTemplate::new(502).set_body_raw(page, "text/html")).await;
    assert_eq!(html.disposition(), transient);
    assert_eq!(html.code(), None);
    assert_eq!(failure(ResponseTemplate::new(504)).await.disposition(), transient);
    let huge = ResponseTemplate::new(502).set_body_bytes(vec![b'['; 3_000_000]);
    assert_eq!(failure(huge).await.disposition(), transient);
}

#[tokio::test]
async fn a_413_asks_for_smaller_requests() {
    assert_eq!(failure(ResponseTemplate::new(413)).await.disposition(), Disposition::TooLarge);
}

#[tokio::test]
async fn a_200_is_no_202() {
    let failure = failure(ResponseTemplate::new(200)).await;
    assert_eq!(failure.disposition(), Disposition::Halt);
    assert_eq!(failure.to_string(), "the upload was answered with 200, expected 202");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = MockServer::start().await;
    Mock::given(path("/stolen"))
        .respond_with(ResponseTemplate::new(202))
        .expect(0)
        .mount(&elsewhere)
        .await;
    let to = format!("{}/stolen", elsewhere.uri());
    for status in [301, 302, 307, 308] {
        let answer = ResponseTemplate::new(status).insert_header("location", to.as_str());
        let failure = failure(answer).await;
        assert_eq!(failure.status(), Some(status));
        assert_eq!(failure.disposition(), Disposition::Halt);
    }
}

#[tokio::test]
async fn a_cut_connection_is_transient_and_may_have_arrived() {
    let authority = MockServer::start().await;
    give_tokens(&authority).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graph = format!("http://{}", listener.local_addr().unwrap());
    let cutter = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 4096];
        assert!(stream.read(&mut bytes).await.unwrap() > 0);
    });
    let failure = upload(&client_at(&graph, &authority, &MovedClock::default())).await.unwrap_err();
    cutter.await.unwrap();
    assert_eq!(failure.disposition(), Disposition::Transient { retry_after: None });
    assert!(failure.may_have_arrived());
    assert_eq!(failure.status(), None);
    assert_eq!(failure.call(), Call::Upload);
}

#[tokio::test]
async fn a_closed_port_is_transient_and_has_not_arrived() {
    let authority = MockServer::start().await;
    give_tokens(&authority).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graph = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = upload(&client_at(&graph, &authority, &MovedClock::default())).await.unwrap_err();
    assert_eq!(failure.disposition(), Disposition::Transient { retry_after: None });
    assert!(!failure.may_have_arrived());
}

#[tokio::test]
async fn loopback_never_goes_through_a_proxy() {
    let proxy = MockServer::start().await;
    let server = upload_server(ResponseTemplate::new(202)).await;
    let settings = TargetSettings {
        http: HttpSettings { proxy: proxy.uri().parse().ok(), ..HttpSettings::default() },
        ..settings(&server.uri(), &server.uri())
    };
    let clock = Arc::new(MovedClock::default());
    let client = EntraClient::with_clock(settings, secret(), clock).unwrap();
    assert!(upload(&client).await.is_ok());
    assert!(proxy.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn twenty_uploads_at_once_ask_for_one_token() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(token_path()))
        .respond_with(token_answer("token-1").set_delay(Duration::from_millis(50)))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path(upload_path()))
        .respond_with(ResponseTemplate::new(202))
        .expect(20)
        .mount(&server)
        .await;
    let client = client(&server);
    let mut uploads = JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        uploads.spawn(async move { upload(&client).await.is_ok() });
    }
    assert!(uploads.join_all().await.into_iter().all(|is_ok| is_ok));
}

#[tokio::test]
async fn twenty_refused_tokens_are_replaced_by_one() {
    let server = MockServer::start().await;
    give_two_tokens(&server).await;
    Mock::given(path(upload_path()))
        .and(header("authorization", "Bearer token-1"))
        .respond_with(ResponseTemplate::new(401))
        .mount(&server)
        .await;
    Mock::given(path(upload_path()))
        .and(header("authorization", "Bearer token-2"))
        .respond_with(ResponseTemplate::new(202))
        .expect(20)
        .mount(&server)
        .await;
    let client = client(&server);
    client.token().await.unwrap();
    let mut uploads = JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        uploads.spawn(async move { upload(&client).await.is_ok() });
    }
    assert!(uploads.join_all().await.into_iter().all(|is_ok| is_ok));
}

#[tokio::test]
async fn a_late_refusal_does_not_drop_the_token_that_came_after() {
    let server = MockServer::start().await;
    give_two_tokens(&server).await;
    for delay in [0, 300] {
        Mock::given(path(upload_path()))
            .and(header("authorization", "Bearer token-1"))
            .respond_with(ResponseTemplate::new(401).set_delay(Duration::from_millis(delay)))
            .up_to_n_times(1)
            .expect(1)
            .mount(&server)
            .await;
    }
    Mock::given(path(upload_path()))
        .and(header("authorization", "Bearer token-2"))
        .respond_with(ResponseTemplate::new(202))
        .expect(2)
        .mount(&server)
        .await;
    let client = client(&server);
    client.token().await.unwrap();
    let (one, other) = tokio::join!(upload(&client), upload(&client));
    assert!(one.is_ok() && other.is_ok());
}
