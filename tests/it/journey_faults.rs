//! Entra and the way there misbehave; every person arrives all the same, and the log says what
//! happened.
//!
//! Invariants 1 (nothing lost), 2 (nothing doubled), 4 (202 is not done) and 5 (the limits are kept,
//! and every POST is counted) of the design hold under every one of these faults.

use std::sync::Arc;

use scimport::mock_entra::FaultKind;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::{Ran, Stage, counts, workers};

/// Six full requests and a last one.
const PEOPLE: usize = 310;

/// What an operator reads of a fault of an upload.
fn words_of(kind: FaultKind) -> &'static str {
    use FaultKind as F;
    match kind {
        F::TokenExpired => "the token was refused; trying with a new one",
        F::Throttle | F::ThrottleAfter => "delivery.throttled",
        F::BucketFull => "the job's ingestion bucket is full; pausing",
        _ => "a request met a passing fault; trying again",
    }
}

async fn under(faults: &[String]) -> (Stage, Ran) {
    let stage = Stage::new().await;
    stage.mock.tell("faults", &json!(faults)).await;
    stage.write("workers.csv", &workers(PEOPLE, 1));
    // only a hanging request is given up soon: a busy machine is slow to write out a page of the log
    let timeout = if faults.iter().any(|fault| fault.contains("hang")) { "4s" } else { "20s" };
    let words = ["apply", "workers.csv", "--source", "hr", "--json", "--wait", "outcome"];
    let ran = stage.run_with(&words, &[("SCIMPORT__HTTP__TIMEOUT", timeout)]).await;
    (stage, ran)
}

/// Everybody arrived, once, within the limits, and every POST was counted before it was sent.
async fn assert_all_is_well(stage: &Stage, ran: &Ran) {
    let run = ran.assert_code(0).json();
    let all_done = counts(&run).into_iter().all(|(status, _)| {
        // who was staged twice is as they should be the second time
        matches!(status.as_str(), "provisioned" | "skipped")
    });
    assert!(all_done, "{run}");
    assert_eq!(run["status"], "completed");
    assert_eq!(run["rows"], PEOPLE);
    stage.assert_directory_is(PEOPLE, 1).await;
    let stats = stage.assert_limits_are_kept().await;
    let (noted, posted) = (stage.calls_noted().await, stats["calls"].as_u64().unwrap());
    assert_eq!(noted, posted, "calls noted and calls made");
}

fn struck(requests: &Value, kind: FaultKind) -> usize {
    let faults = requests.as_array().unwrap().iter();
    faults.filter(|request| request["fault"] == kind.as_str()).count()
}

/// Each kind of fault on every second to fifth request, a stand-in and a store for each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_on_every_so_manieth_request_is_overcome_and_told() {
    let room = Arc::new(Semaphore::new(8));
    let mut stories = JoinSet::new();
    let mut names = std::collections::HashMap::new();
    // who proves it with a secret asks for no managed identity, and who uploads for no schema
    let is_met =
        |kind: &FaultKind| !["identity-", "schema-"].iter().any(|of| kind.as_str().starts_with(of));
    let met = FaultKind::ALL.into_iter().filter(is_met);
    for kind in met {
        for every in 2..=5 {
            let room = Arc::clone(&room);
            let story = stories.spawn(async move {
                let _place = room.acquire_owned().await.unwrap();
                let (stage, ran) = under(&[format!("{kind}:{every}")]).await;
                println!("{kind}:{every}\n{}", ran.log);
                assert_all_is_well(&stage, &ran).await;
                let is_of_uploads = !matches!(
                    kind,
                    FaultKind::TokenError | FaultKind::SlowLog | FaultKind::LogError
                );
                if is_of_uploads {
                    let requests = stage.mock.ask("requests").await;
                    assert!(struck(&requests, kind) > 0, "{kind}:{every} never struck");
                    ran.assert_says(words_of(kind));
                }
            });
            names.insert(story.id(), format!("{kind}:{every}"));
        }
    }
    let mut failed = Vec::new();
    while let Some(story) = stories.join_next().await {
        if let Err(error) = story {
            failed.push(names[&error.id()].clone());
        }
    }
    assert_eq!(failed, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_together_are_overcome() {
    let every = [13, 11, 29, 23, 7, 9, 17, 10, 5, 19, 31, 8, 2, 5, 3];
    let faults: Vec<_> =
        FaultKind::ALL.iter().zip(every).map(|(kind, every)| format!("{kind}:{every}")).collect();
    let (stage, first) = under(&faults).await;
    println!("{}", first.log);
    assert_all_is_well(&stage, &first).await;
    for version in 2..4 {
        stage.write("workers.csv", &workers(PEOPLE, version));
        let words = ["apply", "workers.csv", "--source", "hr", "--wait", "outcome"];
        stage.run_with(&words, &[("SCIMPORT__HTTP__TIMEOUT", "4s")]).await.assert_code(0);
        stage.assert_directory_is(PEOPLE, version).await;
    }
    let stats = stage.assert_limits_are_kept().await;
    assert_eq!(Some(stage.calls_noted().await), stats["calls"].as_u64());
}

/// A log of several pages of which every second read fails is read to its end, page by page.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_fails_between_its_pages_is_read_to_its_end() {
    let (stage, _) = under(&[]).await;
    for version in 2..4 {
        stage.write("workers.csv", &workers(PEOPLE, version));
        stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    }
    assert!(stage.mock.ask("stats").await["events"].as_u64() > Some(900), "two pages");
    stage.mock.tell("faults", &json!(["log-error:2"])).await;
    stage.write("workers.csv", &workers(PEOPLE, 4));
    let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
    ran.assert_code(0).assert_says("the provisioning log could not be read this time");
    assert_eq!(counts(&ran.json()), [("provisioned".into(), 310)].into());
}

/// A token endpoint that fails is told, and costs none of the day's calls.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_posted_and_nothing_is_counted() {
    let stage = Stage::new().await;
    stage.mock.tell("faults", &json!(["token-error:1"])).await;
    stage.write("workers.csv", &workers(PEOPLE, 1));
    let ran = stage.apply("workers.csv", &["--timeout", "3s"]).await;
    let run = ran.assert_code(6).assert_says("trying again").json();
    assert_eq!(counts(&run), [("queued".into(), 310)].into());
    assert_eq!(stage.calls_noted().await, 0);
    assert_eq!(stage.mock.ask("stats").await["calls"], 0);

    stage.mock.tell("faults", &json!([])).await;
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.assert_directory_is(PEOPLE, 1).await;
}
