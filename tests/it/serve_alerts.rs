//! `serve` tells people when somebody has to look: once, over every channel, and never of a person.

use std::time::{Duration, Instant};

use scimport::mock_entra::CLIENT_SECRET;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::canary::{CANARY, HEADER, SOURCE, row};
use crate::serve_alerts_mail::{MailServer, email};
use crate::serve_support::{QUICK, Serving, drop_file};
use crate::support::{Stage, UNGUARDED, quick, workers};

/// Nothing takes longer than this, unless something is stuck.
const STUCK: Duration = Duration::from_mins(3);

/// A webhook that people listen to.
struct Hook(MockServer);

impl Hook {
    async fn start() -> Self {
        let hook = Self(MockServer::start().await);
        Mock::given(method("POST")).respond_with(ResponseTemplate::new(202)).mount(&hook.0).await;
        hook
    }

    /// An address of it, a secret in it.
    fn url(&self, end: &str) -> String {
        format!("{}/hunter2/{end}", self.0.uri())
    }

    /// What was posted to an address.
    async fn heard_at(&self, end: &str) -> Vec<Value> {
        let requests = self.0.received_requests().await.unwrap();
        let here = requests.iter().filter(|request| request.url.path().ends_with(end));
        here.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
    }

    async fn heard(&self) -> Vec<Value> {
        self.heard_at("").await
    }

    /// Waits until it has heard of this kind in this state; gives what it heard of that.
    async fn hears(&self, kind: &str, state: &str, serving: &Serving) -> Value {
        let began = Instant::now();
        loop {
            let heard = self.heard().await;
            let found = heard.iter().find(|each| each["kind"] == kind && each["state"] == state);
            if let Some(found) = found {
                return found.clone();
            }
            assert!(began.elapsed() < STUCK, "no {kind} {state} in {heard:?}\n{}", serving.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Takes an alert about failed runs only when it is about so many, and any other one.
struct TakesAll(u64);

impl Respond for TakesAll {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let alert: Value = serde_json::from_slice(&request.body).unwrap();
        let is_whole = alert["kind"] != "run_failed" || alert["count"] == self.0;
        ResponseTemplate::new(if is_whole { 202 } else { 503 })
    }
}

/// Kind and state of all that was heard, in order.
fn gist(heard: &[Value]) -> Vec<(&str, &str)> {
    heard
        .iter()
        .map(|each| (each["kind"].as_str().unwrap(), each["state"].as_str().unwrap()))
        .collect()
}

const TO_HOOK: &str = "[alerts]\nwebhook = { url = { env = \"HOOK\" } }\n";

/// A stage whose feed takes its files from `inbox`, with alerts.
async fn stage(rules: &str, alerts: &str) -> Stage {
    let stage = Stage::with_rules(&format!("{QUICK}\n{rules}")).await;
    std::fs::create_dir(stage.path("inbox")).unwrap();
    append(&stage, alerts);
    stage
}

fn append(stage: &Stage, text: &str) {
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    stage.write("scimport.toml", &format!("{config}\n{text}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_run_is_told_once_over_a_restart_and_is_over_once_it_is_approved() {
    let (hook, stage) = (Hook::start().await, stage("", TO_HOOK).await);
    let url = hook.url("a");
    let env = [("HOOK", url.as_str())];
    let mut serving = Serving::start_with(&stage, &env);
    drop_file(&stage, "workers.csv", &workers(20, 1));
    serving.has(&stage, "held", 1).await;
    let told = hook.hears("run_held", "raised", &serving).await;
    let run = stage.runs().await[0]["run"].as_str().unwrap().to_owned();
    assert_eq!((&told["run"], &told["source"]), (&json!(run), &json!("hr")));
    assert!(told["what"].as_str().unwrap().contains("held by `first_run`"), "{told}");
    assert!(
        told["advice"].as_str().unwrap().contains(&format!("scimport approve {run}")),
        "{told}"
    );
    serving.says("an alert was sent", 1).await;
    let log = serving.stop().await;
    assert!(!log.contains("hunter2"), "{log}");

    let serving = Serving::start_with(&stage, &env);
    serving.says("serving;", 1).await;
    stage.run(&["approve", &run]).await.assert_code(0);
    let over = hook.hears("run_held", "over", &serving).await;
    assert_eq!((&over["run"], &over["severity"]), (&json!(run), &json!("info")));
    serving.stop().await;
    let heard = hook.heard().await;
    assert_eq!(gist(&heard), [("run_held", "raised"), ("run_held", "over")], "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_the_second_credential_is_in_use_is_told_until_the_first_is_replaced() {
    let (hook, stage) = (Hook::start().await, stage(UNGUARDED, TO_HOOK).await);
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let (one, two) = (
        "{ client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }",
        "[{ client_secret = { file = \"first\" } }, { client_secret = { env = \"SCIMPORT_CLIENT_SECRET\" } }]",
    );
    assert!(config.contains(one), "{config}");
    stage.write("scimport.toml", &config.replace(one, two));
    stage.write("first", "hunter2");
    stage.mock.tell("settings", &json!({ "token_lifetime_s": 1 })).await;
    // a first file of a folder would be held
    stage.write("seed.csv", &workers(20, 1));
    stage.apply("seed.csv", &["--yes", "--wait", "outcome"]).await.assert_code(0);
    let url = hook.url("a");
    let serving = Serving::start_with(&stage, &[("HOOK", url.as_str())]);
    drop_file(&stage, "workers.csv", &workers(20, 2));
    let told = hook.hears("auth_failing", "raised", &serving).await;
    let what = told["what"].as_str().unwrap();
    assert!(what.contains("the first credential of target `entra` is refused by Entra"), "{told}");
    assert!(what.contains("AADSTS7000215") && what.ends_with("the other one is used"), "{told}");
    assert_eq!(
        (&told["severity"], &told["target"]),
        (&json!("warning"), &json!("entra")),
        "{told}"
    );
    stage.write("first", CLIENT_SECRET);
    // a credential is read when a token is asked for
    drop_file(&stage, "later.csv", &workers(20, 3));
    hook.hears("auth_failing", "over", &serving).await;
    let log = serving.stop().await;
    assert!(!log.contains("hunter2") && !log.contains(CLIENT_SECRET), "{log}");
    for said in ["the other one is used from now on", "that was not used is taken again"] {
        assert_eq!(log.matches(said).count(), 1, "{said}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_job_is_told_and_that_it_runs_again_and_many_refused_files_are_one_alert() {
    const REFUSED: u64 = 12;
    let (hook, stage) = (Hook(MockServer::start().await), stage(UNGUARDED, TO_HOOK).await);
    Mock::given(method("POST")).respond_with(TakesAll(REFUSED)).mount(&hook.0).await;
    // what failed before alerts were switched on is old news
    stage.write("seed.csv", "");
    stage.apply("seed.csv", &["--yes"]).await.assert_code(1);
    stage.write("seed.csv", &workers(20, 1));
    stage.apply("seed.csv", &["--yes", "--wait", "outcome"]).await.assert_code(0);
    stage.mock.tell("job", &json!({"code": "Paused"})).await;
    let url = hook.url("a");
    let mut serving = Serving::start_with(&stage, &[("HOOK", url.as_str())]);
    serving.says("delivering to this target", 1).await;
    drop_file(&stage, "workers.csv", &workers(20, 2));
    let told = hook.hears("job_paused", "raised", &serving).await;
    assert_eq!((&told["target"], &told["run"]), (&json!("entra"), &json!(null)), "{told}");
    stage.mock.tell("job", &json!({"code": "Active"})).await;
    hook.hears("job_paused", "over", &serving).await;

    for number in 0..REFUSED {
        drop_file(&stage, &format!("broken-{number}.csv"), &format!("Id,Wrong{number}\n1,2\n"));
    }
    serving.has(&stage, "failed", usize::try_from(REFUSED).unwrap()).await;
    let told = hook.hears("run_failed", "raised", &serving).await;
    assert_eq!(told["count"], REFUSED, "{told}");
    assert_eq!(told["alerts"].as_array().unwrap().len(), 12);
    assert!(!told.to_string().contains("broken"), "no name of a file: {told}");
    serving.stop().await;
    let heard = hook.heard().await;
    let expected = [("job_paused", "raised"), ("job_paused", "over"), ("run_failed", "raised")];
    assert_eq!(gist(&heard), expected, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_down_is_told_once_it_is_up_and_keeps_no_other_waiting() {
    let (hook, down) = (Hook::start().await, MockServer::start().await);
    Mock::given(path("/hunter2/b"))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(2)
        .mount(&down)
        .await;
    let up = Mock::given(path("/hunter2/b")).respond_with(ResponseTemplate::new(200));
    up.mount(&down).await;
    let (a, b) = (hook.url("a"), format!("{}/hunter2/b", down.uri()));
    let alerts =
        "[alerts]\nwebhook = [{ url = { env = \"DOWN\" } }, { url = { env = \"HOOK\" } }]\n";
    let stage = stage("", alerts).await;
    let env = [("HOOK", a.as_str()), ("DOWN", b.as_str())];
    let serving = Serving::start_with(&stage, &env);
    drop_file(&stage, "workers.csv", &workers(20, 1));
    hook.hears("run_held", "raised", &serving).await;
    serving.says("could not be sent", 2).await;
    // over a restart too
    let log = serving.stop().await;
    assert!(log.contains("the webhook answered 503"), "{log}");
    assert!(!log.contains("hunter2"), "{log}");
    let serving = Serving::start_with(&stage, &env);
    serving.says("an alert was sent", 1).await;
    serving.stop().await;
    let tried: Vec<Value> = down
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(gist(&tried), [("run_held", "raised"); 3], "{tried:?}");
    assert_eq!(hook.heard().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_short_or_runs_out_is_told_and_counted() {
    let alerts = format!("{TO_HOOK}on = [\"quota_short\", \"key_expiring\"]\n");
    let (hook, stage) = (Hook::start().await, stage(UNGUARDED, &alerts).await);
    stage.write("seed.csv", &workers(60, 1));
    stage.apply("seed.csv", &["--yes", "--wait", "outcome"]).await.assert_code(0);
    let key = stage.run(&["key", "create", "--source", "hr", "--expires", "90d", "--json"]).await;
    let id = key.assert_code(0).json()["id"].as_str().unwrap().to_owned();
    let url = hook.url("a");
    let env = [("HOOK", url.as_str()), ("SCIMPORT__TARGET__ENTRA__DAILY_CALLS", "3")];
    let serving = Serving::start_with(&stage, &env);
    drop_file(&stage, "workers.csv", &workers(60, 2));
    let told = hook.hears("quota_short", "raised", &serving).await;
    assert_eq!(told["alerts"][0]["facts"]["quota_short"]["daily_calls"], 3, "{told}");
    let page = reqwest::get(format!("{}/metrics", serving.url().await)).await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("scimport_alerts_active{kind=\"quota_short\"} 1\n"), "{page}");
    assert!(page.contains("scimport_alerts_active{kind=\"run_held\"} 0\n"), "{page}");
    assert!(page.contains("scimport_provisioning_key_expires_in_seconds{key=\""), "{page}");
    serving.stop().await;
    stage.pass(80 * 86_400).await;
    let serving = Serving::start_with(&stage, &env);
    hook.hears("quota_short", "over", &serving).await;
    let told = hook.hears("key_expiring", "raised", &serving).await;
    assert!(told["what"].as_str().unwrap().contains(&id), "{told}");
    assert!(told["what"].as_str().unwrap().contains("of source `hr` ends in"), "{told}");
    let heard = hook.heard().await;
    assert_eq!(heard.len(), 3, "one threshold is told, not each that has passed: {heard:?}");
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_refused_is_told_with_what_to_do() {
    let (hook, stage) = (Hook::start().await, stage(UNGUARDED, TO_HOOK).await);
    let url = hook.url("a");
    let env = [("HOOK", url.as_str()), ("SCIMPORT_CLIENT_SECRET", "zq-wrong")];
    let serving = Serving::start_with(&stage, &env);
    stage.write("workers.csv", &workers(20, 1));
    stage.apply("workers.csv", &["--yes", "--wait", "none"]).await.assert_code(0);
    let told = hook.hears("auth_failing", "raised", &serving).await;
    assert_eq!((&told["target"], &told["severity"]), (&json!("entra"), &json!("error")), "{told}");
    assert!(!told["advice"].as_str().unwrap().is_empty(), "{told}");
    serving.stop().await;
    let serving = Serving::start_with(&stage, &[("HOOK", url.as_str())]);
    hook.hears("auth_failing", "over", &serving).await;
    serving.stop().await;
}

/// A day in which everything happens, with a word in every cell: no alert has it, nor an id.
#[tokio::test(flavor = "multi_thread")]
async fn no_alert_has_a_value_of_a_person_in_it() {
    const IDS: &str = "ZQID";
    let mail = MailServer::start();
    let hook = Hook::start().await;
    let source = SOURCE.replacen("target = \"entra\"", &format!("target = \"entra\"\n{QUICK}"), 1);
    let stage = Stage::with_feeds(quick(), &source).await;
    std::fs::create_dir(stage.path("inbox")).unwrap();
    let webhooks = ["json", "teams", "slack"].map(|format| {
        format!("{{ url = {{ env = \"{}\" }}, format = \"{format}\" }}", format.to_uppercase())
    });
    append(
        &stage,
        &format!("[alerts]\nwebhook = [{}]\n{}\n", webhooks.join(", "), email(mail.port(), "")),
    );
    let urls = ["json", "teams", "slack"].map(|format| hook.url(format));
    let env =
        [("JSON", urls[0].as_str()), ("TEAMS", urls[1].as_str()), ("SLACK", urls[2].as_str())];
    let mut serving = Serving::start_with(&stage, &env);

    let good: String = (1..=5).map(|n| row(&format!("{IDS}{n}"), &[])).collect();
    let failing: String = (6..=8)
        .map(|n| row(&format!("{IDS}{n}"), &[("Upn", &format!("{CANARY}-{n}@zqcanary.example"))]))
        .collect();
    let rejected: String =
        (9..=12).map(|n| row(&format!("{IDS}{n}"), &[("Status", CANARY)])).collect();
    drop_file(&stage, "zqcanary.csv", &format!("{HEADER}\n{good}{failing}{rejected}"));
    serving.has(&stage, "held", 1).await;
    hears_in(&hook, &mail, "run_held", 1, &serving).await;
    stage.run(&["approve", "latest"]).await.assert_code(0);
    drop_file(&stage, "zqcanary-2.csv", &format!("{HEADER}\n{good}ZQID9,\"zqcanary"));
    serving.has(&stage, "failed", 1).await;
    hears_in(&hook, &mail, "run_held", 2, &serving).await;
    hears_in(&hook, &mail, "rejects_share", 1, &serving).await;
    // the refused file, and the run with failures: together, or one some minutes later
    hears_in(&hook, &mail, "run_failed", 1, &serving).await;
    let log = serving.stop().await;

    let mut all: Vec<String> = mail.heard();
    for request in hook.0.received_requests().await.unwrap() {
        all.push(String::from_utf8(request.body).unwrap());
    }
    assert!(all.len() >= 4 * 4, "{all:?}");
    for text in &all {
        let text = text.to_lowercase();
        assert!(!text.contains(CANARY) && !text.contains(&IDS.to_lowercase()), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(!log.contains("hunter2") && !log.contains("@ops.example"), "{log}");
}

/// Waits until every channel has heard of a kind so often.
async fn hears_in(hook: &Hook, mail: &MailServer, kind: &str, times: usize, serving: &Serving) {
    let began = Instant::now();
    loop {
        let mut counts = Vec::new();
        for end in ["json", "teams", "slack"] {
            let heard = hook.heard_at(end).await;
            counts.push(heard.iter().filter(|each| each.to_string().contains(kind)).count());
        }
        counts.push(mail.heard().iter().filter(|each| each.contains(kind)).count());
        if counts.iter().all(|count| *count >= times) {
            return;
        }
        assert!(began.elapsed() < STUCK, "{kind} {counts:?}\n{}", serving.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
