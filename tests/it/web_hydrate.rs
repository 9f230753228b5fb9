//! Asking an HR system for workers, against servers that do what HR systems do, and worse.

use std::time::Duration;

use scimport::config::{AuthConfig, FetchConfig, HttpConfig, SecretRef, Secrets};
use scimport::web::{HydrateFailure, HydrateTrouble, Hydrator, Patience, RedirectTrouble};
use tokio_util::sync::CancellationToken;
use wiremock::matchers::{any, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const SECRET: &str = "s3cret-token";

fn hydrator(url: &str) -> Hydrator {
    let auth = Some(AuthConfig::Bearer(SecretRef::Env("HR_TOKEN".to_owned())));
    let config = FetchConfig { url: url.to_owned(), auth, per_second: 1000 };
    let http = HttpConfig { proxy: None, ca_file: None, timeout: Duration::from_secs(20) };
    let env = Secrets::new(vec![("HR_TOKEN".to_owned(), SECRET.to_owned())]);
    let quick = Patience {
        attempts: 3,
        base: Duration::from_millis(1),
        cap: Duration::from_millis(5),
        longest_wait: Duration::from_secs(2),
    };
    Hydrator::new(&"hr".into(), &config, &http, env).unwrap().with_patience(quick)
}

fn one_of(server: &MockServer) -> Hydrator {
    hydrator(&format!("{}/employees/{{id}}", server.uri()))
}

async fn worker(hydrator: &Hydrator, id: &str) -> Result<Vec<u8>, HydrateFailure> {
    hydrator.worker(id, &CancellationToken::new()).await
}

async fn answers(server: &MockServer, template: ResponseTemplate) {
    Mock::given(any()).respond_with(template).mount(server).await;
}

/// What was asked.
async fn asked(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

#[track_caller]
fn is_discreet(failure: &HydrateFailure, id: &str) {
    for text in [failure.to_string(), format!("{failure:?}"), failure.advice().to_owned()] {
        assert!(!text.contains(SECRET) && !text.contains(id), "{text}");
        assert!(!text.contains("/employees"), "{text}");
    }
}

#[tokio::test]
async fn a_worker_is_asked_for_with_the_secret_of_the_moment() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/employees/E1001"))
        .and(header("authorization", format!("Bearer {SECRET}")))
        .and(header("accept", "application/json"))
        .respond_with(ResponseTemplate::new(200).set_body_string("{\"id\": 123456789012345678901}"))
        .expect(1)
        .mount(&server)
        .await;
    let had = worker(&one_of(&server), "E1001").await.unwrap();
    assert_eq!(had, b"{\"id\": 123456789012345678901}", "as it came");
}

#[tokio::test]
async fn a_secret_in_a_file_is_read_for_each_request() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(200).set_body_string("{}")).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let config = FetchConfig {
        url: format!("{}/e/{{id}}", server.uri()),
        auth: Some(AuthConfig::Header {
            name: "x-api-key".to_owned(),
            value: SecretRef::File(file.clone()),
        }),
        per_second: 1000,
    };
    let http = HttpConfig { proxy: None, ca_file: None, timeout: Duration::from_secs(20) };
    let hydrator = Hydrator::new(&"hr".into(), &config, &http, Secrets::default()).unwrap();
    for secret in ["first", "second"] {
        std::fs::write(&file, secret).unwrap();
        worker(&hydrator, "1").await.unwrap();
    }
    let keys: Vec<_> =
        asked(&server).await.iter().map(|request| request.headers["x-api-key"].clone()).collect();
    assert_eq!(keys, ["first", "second"]);
    std::fs::remove_file(&file).unwrap();
    let failure = worker(&hydrator, "1").await.unwrap_err();
    assert!(matches!(failure.trouble, HydrateTrouble::Secret(_)) && !failure.is_temporary());
    assert_eq!(asked(&server).await.len(), 2, "without a secret nothing is asked");
}

#[tokio::test]
async fn an_id_never_changes_where_it_leads() {
    let server = MockServer::start().await;
    answers(&server, ResponseTemplate::new(200).set_body_string("{}")).await;
    let hydrator = one_of(&server);
    for id in ["1?admin=1", "1#x", "@evil", "//evil.example/", "1/2", "%2e%2e%2f", "a b", "ü"] {
        worker(&hydrator, id).await.unwrap();
    }
    let requests = asked(&server).await;
    let paths: Vec<_> = requests.iter().map(|request| request.url.path().to_owned()).collect();
    let expected = [
        "/employees/1%3Fadmin%3D1",
        "/employees/1%23x",
        "/employees/%40evil",
        "/employees/%2F%2Fevil.example%2F",
        "/employees/1%2F2",
        "/employees/%252e%252e%252f",
        "/employees/a%20b",
        "/employees/%C3%BC",
    ];
    assert_eq!(paths, expected);
    assert!(requests.iter().all(|request| request.url.query().is_none()));
    for id in ["", "..", "../admin", "x/../../admin", "..\\admin", "a\r\nX: y"] {
        let failure = worker(&hydrator, id).await.unwrap_err();
        assert!(matches!(failure.trouble, HydrateTrouble::BadId), "{id}: {failure}");
        assert!(failure.is_of_this_worker() && !failure.is_temporary());
    }
    assert_eq!(asked(&server).await.len(), expected.len(), "such ids are not asked for");
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_refused_and_the_secret_stays_here() {
    let (server, other) = (MockServer::start().await, MockServer::start().await);
    answers(&other, ResponseTemplate::new(200).set_body_string("{}")).await;
    let port = other.address().port();
    for (status, location) in [
        (302, format!("{}/employees/E1001", other.uri())),
        (307, format!("//127.0.0.1:{port}/employees/E1001")),
        (301, "https://evil.example/E1001".to_owned()),
        (303, format!("https://{}/E1001", server.address())),
        (308, format!("http://localhost:{}/E1001", server.address().port())),
    ] {
        server.reset().await;
        let template = ResponseTemplate::new(status).insert_header("location", location.as_str());
        answers(&server, template).await;
        let failure = worker(&one_of(&server), "E1001").await.unwrap_err();
        let HydrateTrouble::Redirect(RedirectTrouble::Elsewhere(to)) = &failure.trouble else {
            panic!("{failure}");
        };
        assert!(to.split('/').count() == 3, "an origin: {to}");
        assert!(!failure.is_temporary() && !failure.is_of_this_worker());
        is_discreet(&failure, "E1001");
        assert_eq!(asked(&server).await.len(), 1);
    }
    assert_eq!(asked(&other).await.len(), 0);
}

#[tokio::test]
async fn a_redirect_on_the_same_origin_is_followed_a_few_times() {
    let server = MockServer::start().await;
    for (from, to) in [("/employees/1", "/v2/employees/1"), ("/v2/employees/1", "1/")] {
        Mock::given(path(from))
            .respond_with(ResponseTemplate::new(307).insert_header("location", to))
            .mount(&server)
            .await;
    }
    Mock::given(path("/v2/employees/1/"))
        .and(header("authorization", format!("Bearer {SECRET}")))
        .respond_with(ResponseTemplate::new(200).set_body_string("[1]"))
        .mount(&server)
        .await;
    assert_eq!(worker(&one_of(&server), "1").await.unwrap(), b"[1]");
    server.reset().await;
    answers(&server, ResponseTemplate::new(302).insert_header("location", "/a")).await;
    let failure = worker(&one_of(&server), "1").await.unwrap_err();
    assert!(matches!(failure.trouble, HydrateTrouble::Redirect(RedirectTrouble::TooMany)));
    assert_eq!(asked(&server).await.len(), 4);
    server.reset().await;
    answers(&server, ResponseTemplate::new(302)).await;
    let failure = worker(&one_of(&server), "1").await.unwrap_err();
    assert!(matches!(failure.trouble, HydrateTrouble::Redirect(RedirectTrouble::Nowhere)));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_not_for_ever() {
    for status in [408, 429, 500, 503] {
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status))
            .up_to_n_times(2)
            .mount(&server)
            .await;
        answers(&server, ResponseTemplate::new(200).set_body_string("{}")).await;
        worker(&one_of(&server), "1").await.unwrap();
        server.reset().await;
        answers(&server, ResponseTemplate::new(status)).await;
        let failure = worker(&one_of(&server), "E1001").await.unwrap_err();
        assert!(failure.is_temporary() && !failure.is_of_this_worker(), "{failure}");
        assert_eq!(asked(&server).await.len(), 3);
        is_discreet(&failure, "E1001");
    }
}

#[tokio::test]
async fn the_other_side_says_how_long_to_wait_within_bounds() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "1"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    answers(&server, ResponseTemplate::new(200).set_body_string("{}")).await;
    let begin = std::time::Instant::now();
    worker(&one_of(&server), "1").await.unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
    server.reset().await;
    answers(&server, ResponseTemplate::new(429).insert_header("retry-after", "3600")).await;
    let failure = worker(&one_of(&server), "1").await.unwrap_err();
    assert_eq!(failure.retry_after(), Some(Duration::from_hours(1)));
    assert_eq!(asked(&server).await.len(), 1, "an hour is for the caller");
}

#[tokio::test]
async fn other_verdicts_are_not_asked_for_twice() {
    for (status, is_of_this_worker) in
        [(401, false), (403, false), (404, true), (410, true), (400, true), (204, true)]
    {
        let server = MockServer::start().await;
        answers(&server, ResponseTemplate::new(status).set_body_string("E1001 is unknown")).await;
        let failure = worker(&one_of(&server), "E1001").await.unwrap_err();
        let fits = match status {
            401 | 403 => matches!(failure.trouble, HydrateTrouble::Auth { .. }),
            404 | 410 => matches!(failure.trouble, HydrateTrouble::NoSuchWorker { .. }),
            _ => matches!(failure.trouble, HydrateTrouble::Refused { .. }),
        };
        assert!(fits && !failure.is_temporary(), "{failure}");
        assert_eq!(failure.is_of_this_worker(), is_of_this_worker, "{status}");
        assert_eq!(asked(&server).await.len(), 1);
        is_discreet(&failure, "E1001");
    }
}

#[tokio::test]
async fn an_answer_has_a_ceiling_and_is_json() {
    let server = MockServer::start().await;
    let megabyte = format!("\"{}\"", "x".repeat(1024 * 1024 - 2));
    answers(&server, ResponseTemplate::new(200).set_body_string(megabyte.clone())).await;
    assert_eq!(worker(&one_of(&server), "1").await.unwrap().len(), 1024 * 1024);
    server.reset().await;
    answers(&server, ResponseTemplate::new(200).set_body_string(format!("{megabyte} "))).await;
    let failure = worker(&one_of(&server), "1").await.unwrap_err();
    assert!(matches!(failure.trouble, HydrateTrouble::TooLarge { limit_bytes: 0x10_0000 }));
    for body in ["", "<html>log in, E1001</html>", "{\"a\": 1", "{} {}"] {
        server.reset().await;
        answers(&server, ResponseTemplate::new(200).set_body_string(body)).await;
        let failure = worker(&one_of(&server), "E1001").await.unwrap_err();
        assert!(matches!(failure.trouble, HydrateTrouble::NotJson), "{body}");
        is_discreet(&failure, "E1001");
    }
}

#[tokio::test]
async fn cancelling_ends_a_wait_at_once() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    answers(&server, slow).await;
    let hydrator = hydrator(&format!("{}/employees/{{id}}", server.uri()));
    let cancel = CancellationToken::new();
    let (asking, stopping) = tokio::join!(hydrator.worker("1", &cancel), async {
        while asked(&server).await.is_empty() {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    });
    let ((), failure) = (stopping, asking.unwrap_err());
    assert!(matches!(failure.trouble, HydrateTrouble::Cancelled) && failure.is_temporary());
}

#[tokio::test]
async fn nobody_there_is_temporary() {
    // reserved and not listened at
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let hydrator = hydrator(&format!("http://127.0.0.1:{port}/employees/{{id}}"));
    let failure = worker(&hydrator, "E1001").await.unwrap_err();
    assert!(matches!(failure.trouble, HydrateTrouble::Transport(_)) && failure.is_temporary());
    is_discreet(&failure, "E1001");
}

#[tokio::test]
async fn everybody_goes_into_a_file_that_is_whole_or_not_there() {
    let server = MockServer::start().await;
    let csv = format!("WorkerID\n{}", "E1001\n".repeat(400_000));
    answers(&server, ResponseTemplate::new(200).set_body_string(csv.clone())).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("workers");
    let all = hydrator(&format!("{}/report?format=csv", server.uri()));
    let cancel = CancellationToken::new();
    all.document(&file, &cancel).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), csv);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(asked(&server).await[0].headers["authorization"], format!("Bearer {SECRET}"));
    server.reset().await;
    answers(&server, ResponseTemplate::new(404)).await;
    let failure = all.document(&file, &cancel).await.unwrap_err();
    assert!(matches!(failure.trouble, HydrateTrouble::Refused { status: 404 }), "{failure}");
    assert!(!file.exists());
    let wrong = worker(&all, "1").await.unwrap_err();
    assert!(matches!(wrong.trouble, HydrateTrouble::WrongAddress));
    let wrong = one_of(&server).document(&file, &cancel).await.unwrap_err();
    assert!(matches!(wrong.trouble, HydrateTrouble::WrongAddress));
}

#[test]
fn nothing_of_a_hydrator_is_shown_but_its_source() {
    assert_eq!(
        format!("{:?}", hydrator("https://hr.example/{id}")),
        "Hydrator { source: SourceName(\"hr\"), .. }"
    );
}
