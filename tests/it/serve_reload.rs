//! `serve` reads its config and secrets again on SIGHUP: nobody notices but by what is new.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use scimport::mock_entra::CLIENT_SECRET;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::serve_support::{QUICK, Serving, answered, drop_file, files, stage};
use crate::support::{Stage, certificate, count, workers};

/// Of whoever uploads.
const ADMIN: &str = "zqadmin-0123456789abcdef";
/// A second folder for the same source.
const BOTH: &str = "folder = [{ path = \"inbox\", pattern = \"*.csv\", settle = \"300ms\", poll = \"100ms\" }, { path = \"second\", pattern = \"*.csv\", settle = \"300ms\", poll = \"100ms\" }]";

fn config(stage: &Stage) -> String {
    std::fs::read_to_string(stage.path("scimport.toml")).unwrap()
}

/// Changes the config, which must have what is changed.
fn edit(stage: &Stage, from: &str, to: &str) {
    let text = config(stage);
    assert!(text.contains(from), "`{from}` is not in\n{text}");
    stage.write("scimport.toml", &text.replacen(from, to, 1));
}

/// The stage's config with more at its end.
fn add(stage: &Stage, lines: &str) {
    stage.write("scimport.toml", &format!("{}\n{lines}\n", config(stage)));
}

fn private(stage: &Stage, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = stage.write(name, text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A stage whose client secret is in a file.
async fn stage_with_secret_file() -> Stage {
    let stage = stage(QUICK, 20).await;
    private(&stage, "secret", CLIENT_SECRET);
    edit(&stage, "{ env = \"SCIMPORT_CLIENT_SECRET\" }", "{ file = \"secret\" }");
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_secret_is_taken_without_a_failed_operation() {
    let stage = stage_with_secret_file().await;
    let mut serving = Serving::start(&stage);
    drop_file(&stage, "workers.csv", &workers(20, 2));
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;

    // the old one is refused from now on, its tokens too
    private(&stage, "secret", "zq~another-secret");
    stage.mock.tell("settings", &json!({"client_secret": "zq~another-secret"})).await;
    serving.reload(1).await;
    drop_file(&stage, "workers.csv", &workers(20, 3));
    let done = serving.has(&stage, "done", 2).await;
    answered(&done[1], "Status: completed").await;
    let log = serving.stop().await;
    assert!(log.contains("secrets and certificates are taken anew"), "{log}");
    assert!(!log.contains("zq~") && !log.contains(CLIENT_SECRET), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    stage.assert_directory_is(20, 3).await;
    for run in stage.runs().await {
        assert_eq!(count(&run, "failed"), 0, "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_source_and_a_new_folder_appear_and_an_old_one_goes() {
    let stage = stage(QUICK, 20).await;
    std::fs::create_dir(stage.path("second")).unwrap();
    let mut serving = Serving::start(&stage);
    drop_file(&stage, "workers.csv", &workers(20, 2));
    serving.has(&stage, "done", 1).await;

    edit(&stage, QUICK, BOTH);
    serving.reload(1).await;
    serving.says("the new config is in force changed=\"source.hr\"", 1).await;
    let whole = stage.write("outside", &workers(20, 3));
    std::fs::rename(whole, stage.path("second/workers.csv")).unwrap();
    serving.is_there(&stage, "second/done").await;
    // the first folder is watched as before
    drop_file(&stage, "workers.csv", &workers(20, 4));
    let done = serving.has(&stage, "done", 2).await;
    answered(&done[1], "Status: completed").await;

    // another source has the second folder from now on
    let text = config(&stage);
    let payroll = text.split("[source.hr]").nth(1).unwrap();
    let payroll = payroll
        .replace("source.hr", "source.payroll")
        .replace(BOTH, "takes_over = [\"hr\"]\nFOLDER");
    edit(&stage, BOTH, QUICK);
    add(
        &stage,
        &format!(
            "[source.payroll]{}",
            payroll.replace("FOLDER", &QUICK.replace("inbox", "second"))
        ),
    );
    serving.reload(2).await;
    serving.says("changed=\"source.hr, source.payroll\"", 1).await;
    let whole = stage.write("outside", &workers(20, 5));
    std::fs::rename(whole, stage.path("second/workers.csv")).unwrap();
    let began = Instant::now();
    while !stage.runs().await.iter().any(|run| run["source"] == "payroll") {
        assert!(began.elapsed() < Duration::from_mins(2), "{}", serving.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let log = serving.stop().await;
    assert!(!log.contains("another process"), "{log}");
    assert_eq!(stage.runs().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_whole_and_changes_nothing() {
    let stage = stage_with_secret_file().await;
    let right = config(&stage);
    let mut serving = Serving::start(&stage);
    serving.says("watching this folder", 1).await;

    // mistakes in the config
    stage.write(
        "scimport.toml",
        &right.replace("burst =", "brust =").replace("pattern =", "patern ="),
    );
    serving.hang_up().await;
    serving.says("the old config stays in force", 1).await;
    let log = serving.log();
    for words in ["unknown key `brust`", "unknown key `patern`", "problems=2"] {
        assert!(log.contains(words), "`{words}` is not in\n{log}");
    }

    // secrets that are not there: of the target and of the API at once
    stage.write(
        "scimport.toml",
        &format!("{right}\n[server]\nadmin_token = {{ file = \"zq-none\" }}\n"),
    );
    std::fs::remove_file(stage.path("secret")).unwrap();
    serving.hang_up().await;
    serving.says("then reload again problems=2", 2).await;
    let log = serving.log();
    assert!(log.contains("zq-none") && log.contains("/secret`"), "{log}");

    // another job is not the one that the ledger speaks of
    private(&stage, "secret", CLIENT_SECRET);
    let job = right.lines().find(|line| line.starts_with("job_id")).unwrap();
    stage.write("scimport.toml", &right.replace(job, "job_id = \"API2AAD.other\""));
    serving.hang_up().await;
    serving.says("the old config stays in force", 3).await;

    // it works on
    drop_file(&stage, "workers.csv", &workers(20, 2));
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    // and takes what is right again
    stage.write("scimport.toml", &right);
    serving.reload(1).await;
    let log = serving.stop().await;
    assert_eq!(log.matches("watching this folder").count(), 2, "{log}");
    stage.assert_directory_is(20, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_start_takes_is_named_and_stays() {
    let stage = stage(QUICK, 5).await;
    let mut serving = Serving::start(&stage);
    let url = serving.url().await;
    let [_, shown, key] = certificate();
    private(&stage, "c.pem", &format!("{key}{shown}"));
    add(
        &stage,
        "[store]\nurl = \"sqlite:other.db\"\n[server]\ntls = { certificate = { file = \"c.pem\" } }\nmax_body = \"1MB\"",
    );
    serving.reload(1).await;
    let log = serving.log();
    for key in ["store.url", "server.tls", "server.max_body"] {
        assert!(log.contains(&format!("the old one stays key=\"{key}\"")), "{key}: {log}");
    }
    assert!(log.contains("changed=\"server, store\""), "{log}");
    let http = Client::builder().no_proxy().build().unwrap();
    assert_eq!(http.get(format!("{url}/readyz")).send().await.unwrap().status(), 200);
    drop_file(&stage, "workers.csv", &workers(5, 2));
    serving.has(&stage, "done", 1).await;
    serving.stop().await;
    assert!(!stage.path("other.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_certificate_is_shown() {
    let stage = stage(QUICK, 5).await;
    let [authority, shown, key] = certificate();
    private(&stage, "c.pem", &format!("{key}{shown}"));
    add(&stage, "[server]\ntls = { certificate = { file = \"c.pem\" } }");
    let serving = Serving::start(&stage);
    let url = format!("{}/healthz", serving.url().await);
    let ask = async |authority: &str| {
        let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
        let http = Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
        http.get(&url).send().await
    };
    assert_eq!(ask(&authority).await.unwrap().status(), 200);
    let [newer, shown, key] = certificate();
    private(&stage, "c.pem", &format!("{key}{shown}"));
    serving.reload(1).await;
    assert_eq!(ask(&newer).await.unwrap().status(), 200);
    assert!(ask(&authority).await.is_err());
    serving.stop().await;
}

/// Asks one after the other, each on a connection of its own, until told to stop.
async fn keep_asking(url: String, stop: Arc<AtomicBool>, asked: Arc<AtomicUsize>) {
    while !stop.load(Ordering::Relaxed) {
        let http = Client::builder().no_proxy().build().unwrap();
        let answer = http.get(format!("{url}/readyz")).send().await.expect("no answer");
        assert_eq!(answer.status(), StatusCode::OK);
        asked.fetch_add(1, Ordering::Relaxed);
    }
}

/// Uploads while it is reloaded again and again: every request is answered, and every file applied.
#[tokio::test(flavor = "multi_thread")]
async fn requests_and_uploads_during_reloads_are_all_answered() {
    const RELOADS: usize = 8;
    let stage = stage(QUICK, 60).await;
    add(&stage, "[server]\nadmin_token = { file = \"admin\" }");
    private(&stage, "admin", ADMIN);
    stage.mock.tell("settings", &json!({"latency_ms": 100})).await;
    let serving = Serving::start(&stage);
    let url = serving.url().await;
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let asking = tokio::spawn(keep_asking(url.clone(), Arc::clone(&stop), Arc::clone(&asked)));

    // the first half of an upload comes before the reloads, the second half after them
    let text = workers(60, 2);
    let (first, second) = text.split_at(text.len() / 2);
    let mut upload = TcpStream::connect(url.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST /api/v1/sources/hr/files?name=slow.csv HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {ADMIN}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{first}",
        text.len()
    );
    upload.write_all(head.as_bytes()).await.unwrap();
    for number in 0..RELOADS {
        drop_file(
            &stage,
            &format!("{number}.csv"),
            &workers(60, 10 + u32::try_from(number).unwrap()),
        );
        tokio::time::sleep(Duration::from_millis(150)).await;
        serving.reload(number + 1).await;
    }
    upload.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    upload.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}\n{}", serving.log());
    let began = Instant::now();
    while files(&stage, "done").len() < RELOADS
        || stage.status("latest").await["status"] != "completed"
    {
        assert!(began.elapsed() < Duration::from_mins(2), "{}", serving.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    stop.store(true, Ordering::Relaxed);
    asking.await.unwrap();
    assert!(asked.load(Ordering::Relaxed) > RELOADS, "{asked:?}");
    let log = serving.stop().await;
    assert!(!log.contains("ERROR") && !log.contains("another process"), "{log}");
    assert!(
        !log.contains("not known from the last time"),
        "handed over with a post under way: {log}"
    );
    // once each, and the seed
    let runs = stage.runs().await;
    assert_eq!(runs.len(), RELOADS + 2, "{runs:?}");
    assert!(runs.iter().any(|run| run["file"] == "slow.csv"), "{runs:?}");
    stage.assert_limits_are_kept().await;
}
