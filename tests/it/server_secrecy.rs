//! No credential and no value of a person comes into the log, whatever callers send.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use reqwest::Method;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::canary::{CANARY, HEADER, SOURCE, row};
use crate::server_support::{ADMIN, READER, Served};
use crate::support::{Stage, quick};

/// What was logged while the test runs, by it or by others beside it: the threads that answer have no
/// subscriber of their own.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LISTENS: AtomicBool = AtomicBool::new(false);

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_credentials_nor_values_are_logged() {
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Log);
    let filter = dynamic_filter_fn(|_, _| LISTENS.load(Ordering::Relaxed));
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
    let served = Served::on(Stage::with_feeds(quick(), SOURCE).await, "").await;
    LISTENS.store(true, Ordering::Relaxed);

    let people: String = (1..=5).map(|n| row(&format!("P{n}"), &[])).collect();
    let bad = row("P9", &[("Status", CANARY), ("Hired", CANARY)]);
    let file = format!("{HEADER}\n{people}{bad}");
    let held = served.upload("hr", "people.csv", file.clone()).await;
    assert_eq!(held.status(), 201);
    let id = crate::server_support::json_of(held).await["run"].as_str().unwrap().to_owned();
    assert_eq!(served.post(&format!("/api/v1/runs/{id}/approve")).await.status(), 200);
    for end in ["", "/operations", "/operations?status=zqcanary", "?zqcanary=1"] {
        let path = format!("/api/v1/runs/{id}{end}");
        served.ask(Method::GET, &path, READER).send().await.unwrap();
    }
    for (path, credential) in [
        ("/api/v1/records/P1", READER),
        ("/api/v1/records/zqcanary", READER),
        ("/zqcanary/zqcanary?zqcanary", ""),
        ("/api/v1/runs", "zqcanary-credential"),
        ("/api/v1/sources/zqcanary/files", ADMIN),
    ] {
        for method in [Method::GET, Method::POST] {
            let request = served.ask(method, path, credential).header("X-Zq", "zqcanary");
            request.header("User-Agent", "zqcanary").body("zqcanary").send().await.unwrap();
        }
    }
    for broken in
        [format!("{file}P10,\"zqcanary"), format!("{file}P10,zqcanary"), CANARY.to_owned()]
    {
        let answer = served.upload("hr", "broken.csv", broken).await;
        assert!(matches!(answer.status().as_u16(), 201 | 422), "{answer:?}");
    }
    served.raw(b"GET /zqcanary HTTP/1.1\r\nzqcanary: \xff\r\n\r\n").await;
    served.raw(b"zqcanary\r\n\r\n").await;

    LISTENS.store(false, Ordering::Relaxed);
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let log = String::from_utf8(log).unwrap();
    let ours: Vec<_> = log.lines().filter(|line| line.contains("scimport")).collect();
    for words in [
        "answered method=\"POST\" route=\"/api/v1/sources/{source}/files\" status=201",
        "route=\"/api/v1/runs/{id}/approve\" status=200",
        "route=\"/api/v1/records/{externalId}\" status=404",
        "route=\"other\" status=404",
        "caller=\"admin_token\"",
        "caller=\"reader_token\"",
    ] {
        assert!(
            ours.iter().any(|line| line.contains(words)),
            "no `{words}` in\n{}",
            ours.join("\n")
        );
    }
    for secret in [CANARY, ADMIN, READER] {
        let told: Vec<_> =
            ours.iter().filter(|line| line.to_lowercase().contains(secret)).collect();
        assert!(told.is_empty(), "`{secret}` is logged: {told:?}");
    }
    // of other crates nothing is shown below a warning
    let others = log.lines().filter(|line| {
        !line.contains("scimport")
            && [" ERROR ", " WARN ", " INFO "].iter().any(|level| line.contains(level))
    });
    for line in others {
        for secret in [CANARY, ADMIN, READER] {
            assert!(!line.to_lowercase().contains(secret), "`{secret}` is logged: {line}");
        }
    }
}
