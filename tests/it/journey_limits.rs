//! Limits, permissions and a job that does not run: work is kept, the command says why it ended and
//! with which code, and `work` carries on once the cause is mended.

use scimport::mock_entra::{MockConfig, SERVICE_PRINCIPAL_ID};
use serde_json::json;

use crate::support::{Stage, counts, quick, workers};

const ENTRA: &str = "SCIMPORT__TARGET__ENTRA__";

/// The variable that sets a key of the target.
fn key(name: &str) -> String {
    format!("{ENTRA}{name}")
}

/// A stage with a file of so many people.
async fn stage(config: MockConfig, people: usize) -> Stage {
    let stage = Stage::with(config).await;
    stage.write("workers.csv", &workers(people, 1));
    stage
}

const APPLY: [&str; 5] = ["apply", "workers.csv", "--source", "hr", "--json"];

/// Invariant 5: the day's calls are counted over processes, and the rest is kept.
#[tokio::test(flavor = "multi_thread")]
async fn the_days_calls_are_used_up_and_the_rest_waits() {
    let stage = stage(MockConfig { daily_calls: 3, ..quick() }, 310).await;
    let daily = key("DAILY_CALLS");
    let ran = stage.run_with(&APPLY, &[(&daily, "3")]).await;
    let run = ran.assert_code(6).assert_says("used up").assert_says("scimport work").json();
    assert_eq!(
        (run["counts"]["queued"].as_u64(), run["status"].as_str()),
        (Some(160), Some("delivering"))
    );
    // another process counts on, and does not even try
    let work = ["work", "--until", "settled"];
    let ran = stage.run_with(&work, &[(&daily, "3")]).await;
    ran.assert_code(6).assert_says("used up");
    let stats = stage.assert_limits_are_kept().await;
    assert_eq!((stats["calls"].as_u64(), stats["refused"].as_u64()), (Some(3), Some(0)));
    assert_eq!(stage.calls_noted().await, 3);
    assert_eq!(stage.directory().await.len(), 150);

    stage.mock.tell("settings", &json!({"daily_calls": 7})).await;
    stage.run_with(&work, &[(&daily, "7")]).await.assert_code(0);
    stage.assert_directory_is(310, 1).await;
    assert_eq!(stage.calls_noted().await, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn leavers_go_first_when_the_quota_is_short() {
    let stage = stage(quick(), 120).await;
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    // the last five leave, everybody else moves: three requests, but two calls are left
    let next = workers(120, 2);
    let next: Vec<_> = next
        .lines()
        .enumerate()
        .map(|(at, line)| if at > 115 { line.replace("Active", "Left") } else { line.to_owned() })
        .collect();
    stage.write("workers.csv", &next.join("\n"));
    let ran = stage.run_with(&APPLY, &[(&key("DAILY_CALLS"), "4")]).await;
    let run = ran.assert_code(6).json();
    assert_eq!(
        (run["changes"]["leaver"].as_u64(), run["counts"]["queued"].as_u64()),
        (Some(5), Some(70))
    );
    let requests = stage.mock.ask("requests").await;
    let ids: Vec<_> = requests[3]["externalIds"].as_array().unwrap().iter().take(5).collect();
    assert_eq!(ids, ["E0115", "E0116", "E0117", "E0118", "E0119"]);
}

/// A job that does not run takes uploads and processes nothing: nothing is posted to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_does_not_run_gets_nothing_until_it_does() {
    for state in [
        json!({"code": "Paused"}),
        json!({"code": "Quarantine", "reason": "EncounteredEscrowProportionThreshold"}),
    ] {
        let stage = stage(quick(), 60).await;
        stage.mock.tell("job", &state).await;
        for wait in ["accepted", "outcome"] {
            let ran = stage.apply("workers.csv", &["--wait", wait]).await;
            ran.assert_code(6).assert_says(state["code"].as_str().unwrap());
            ran.assert_says("start provisioning");
            assert_eq!(counts(&ran.json()), [("queued".into(), 60)].into());
        }
        for until in ["idle", "settled"] {
            let ran = stage.run(&["work", "--until", until]).await;
            ran.assert_code(6).assert_says(state["code"].as_str().unwrap());
        }
        assert_eq!(stage.mock.ask("stats").await["calls"], 0);
        assert_eq!(stage.calls_noted().await, 0);
        stage.mock.tell("job", &json!({"code": "Active"})).await;
        stage.run(&["work", "--until", "settled"]).await.assert_code(0);
        stage.assert_directory_is(60, 1).await;
    }
}

/// Roles as the stand-in gives them from now on; tokens already given keep theirs.
async fn give_roles(stage: &Stage, roles: &[&str]) {
    stage.mock.tell("settings", &json!({"roles": roles})).await;
}

const UPLOAD: &str = "SynchronizationData-User.Upload";
const LOG: &str = "ProvisioningLog.Read.All";
const JOB: &str = "Synchronization.Read.All";

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_see_the_job_it_is_said_once_and_sent_all_the_same() {
    let stage = stage(quick(), 310).await;
    give_roles(&stage, &[UPLOAD, LOG]).await;
    stage.mock.tell("faults", &json!(["bucket-full:2"])).await;
    let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
    ran.assert_code(0).assert_says("Synchronization.Read.All");
    assert_eq!(ran.log.matches("Synchronization.Read.All").count(), 1, "{}", ran.log);
    stage.assert_directory_is(310, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_upload_nothing_is_lost() {
    let stage = stage(quick(), 310).await;
    give_roles(&stage, &[LOG, JOB]).await;
    let ran = stage.apply("workers.csv", &[]).await;
    let run = ran.assert_code(1).assert_says("403").assert_says("hint: ").json();
    ran.assert_says("SynchronizationData-User.Upload");
    assert_eq!(counts(&run), [("queued".into(), 310)].into());
    assert!(stage.mock.ask("stats").await["calls"].as_u64().unwrap() <= 7, "it gave up at once");
    give_roles(&stage, &[UPLOAD, LOG, JOB]).await;
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.assert_directory_is(310, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_read_the_log_there_is_no_outcome_and_that_is_an_error() {
    let stage = stage(quick(), 60).await;
    give_roles(&stage, &[UPLOAD, JOB]).await;
    let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
    let run = ran.assert_code(1).assert_says("the provisioning log").assert_says(LOG).json();
    // invariant 4: 202 is not done
    assert_eq!(counts(&run), [("accepted".into(), 60)].into());
    stage.assert_directory_is(60, 1).await;
    give_roles(&stage, &[UPLOAD, LOG, JOB]).await;
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    let run = stage.status("latest").await;
    assert_eq!(counts(&run), [("provisioned".into(), 60)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_job_or_service_principal_is_said_and_nothing_is_lost() {
    let other_job = "API2AAD.11111111222243338444555555555555.9a9a9a9a-0000-4000-8000-00000000000b";
    let wrong =
        [("JOB_ID", other_job), ("SERVICE_PRINCIPAL_ID", "00000000-4444-4555-8666-777777777777")];
    for (name, value) in wrong {
        assert_ne!(value, SERVICE_PRINCIPAL_ID);
        let stage = stage(quick(), 60).await;
        for words in [&APPLY[..], &["work"]] {
            let ran = stage.run_with(words, &[(&key(name), value)]).await;
            ran.assert_code(1).assert_says("404").assert_says("hint: ");
        }
        assert_eq!(counts(&stage.status("latest").await), [("queued".into(), 60)].into());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_or_expired_secret_is_said_with_its_code_and_a_way_out() {
    let stage = stage(quick(), 60).await;
    let ran = stage.run_with(&APPLY, &[("SCIMPORT_CLIENT_SECRET", "wrong")]).await;
    let run = ran.assert_code(1).assert_says("AADSTS7000215").assert_says("hint: ").json();
    assert_eq!(counts(&run), [("queued".into(), 60)].into());
    stage.mock.tell("settings", &json!({"secret_expired": true})).await;
    let ran = stage.run(&["work"]).await;
    ran.assert_code(1).assert_says("AADSTS7000222").assert_says("hint: ");
    assert_eq!(stage.mock.ask("stats").await["calls"], 0);
    assert_eq!(stage.calls_noted().await, 0);
    stage.mock.tell("settings", &json!({"secret_expired": false})).await;
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.assert_directory_is(60, 1).await;
}

/// Another program uses up the tenant's burst: its 429s are met with patience.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_limit_smaller_than_ours_is_met_with_patience() {
    let stage = stage(MockConfig { burst: 3, ..quick() }, 310).await;
    let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
    ran.assert_code(0).assert_says("delivery.throttled");
    stage.assert_directory_is(310, 1).await;
}

/// The clock goes back or on by an hour while the burst limit is used up and requests wait: they go
/// out in time all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_an_hour_does_not_stop_deliveries() {
    for jump in ["-3600s", "3600s"] {
        let stage = stage(quick(), 620).await;
        stage.mock.tell("faults", &json!(["throttle-after:3"])).await;
        let ran = stage.apply("workers.csv", &["--timeout", "1s"]).await;
        let left = ran.assert_code(6).json()["counts"]["queued"].as_u64();
        assert!(left > Some(0), "{left:?} left to send");
        stage.mock.tell("faults", &json!([])).await;
        let began = std::time::Instant::now();
        let words = ["apply", "workers.csv", "--source", "hr", "--json"];
        let ran = stage.run_with(&words, &[("SCIMPORT_REHEARSAL_CLOCK", jump)]).await;
        let run = ran.assert_code(0).json();
        assert_eq!(run["counts"]["queued"], 0, "{jump}: {run}");
        assert!(began.elapsed() < std::time::Duration::from_mins(1), "{jump}: it waited");
        stage.run(&["work", "--until", "settled"]).await.assert_code(0);
        stage.assert_directory_is(620, 1).await;
    }
}

/// Whoever waits for the lease says for whom.
#[tokio::test(flavor = "multi_thread")]
async fn the_second_process_says_who_delivers() {
    let stage = stage(quick(), 120).await;
    stage.mock.tell("settings", &json!({"latency_ms": 3_000})).await;
    let first = stage.start(&APPLY);
    let pid = first.id().unwrap();
    while stage.mock.ask("stats").await["calls"] == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let second = stage.apply("workers.csv", &[]).await;
    second.assert_code(0).assert_says(&format!("another process (pid {pid}, since "));
    second.assert_says("delivers to this target; waiting").assert_says("waited_s=0");
    crate::support::ended(first, "apply").await.assert_code(0);
}
