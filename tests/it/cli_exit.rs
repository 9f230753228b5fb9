//! Exit codes, as the shell sees them. (4, held, waits for the guards.)

use std::time::Duration;

use scimport::mock_entra::MockConfig;
use serde_json::{Value, json};

use crate::cli_support::{
    GOOD, HEADER, MIXED, ONE_REJECTED, SOURCE, Stage, assert_counts, by_hand, counted, of, quick,
    ran,
};

/// People enough for several requests.
fn many(count: usize) -> String {
    let rows =
        (1..=count).map(|n| format!("W{n:04},w{n}@contoso.example,Active,Worker {n},Clerk,,\n"));
    format!("{HEADER}\n{}", rows.collect::<String>())
}

#[test]
fn all_well_is_0_rejected_rows_are_3_and_failures_outweigh_them_with_5() {
    assert_eq!(Stage::quick().apply(GOOD, &["--wait", "outcome"]).code, 0);
    let stage = Stage::quick();
    stage.apply(ONE_REJECTED, &["--wait", "outcome"]).expect(3);
    let stage = Stage::quick();
    // nothing has failed yet when everything is accepted
    let document = stage.apply(MIXED, &["--wait", "none"]).expect(3).json();
    assert_eq!(document["counts"]["rejected"], 1);
    stage.run(&["work", "--until", "settled"]).expect(5);
}

#[test]
fn a_refused_file_is_1_for_apply_plan_and_convert() {
    let stage = Stage::quick();
    stage.place.write("workers.csv", "");
    for command in ["apply", "plan", "convert"] {
        let ran = stage.run(&[command, "workers.csv", "--source", "hr"]).expect(1);
        assert!(ran.err.contains("workers.csv: the file is empty"), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn plan_and_convert_exit_as_apply_would() {
    let stage = Stage::quick();
    for (text, code) in [(GOOD, 0), (ONE_REJECTED, 3)] {
        stage.place.write("workers.csv", text);
        stage.run(&["plan", "workers.csv", "--source", "hr"]).expect(code);
        stage.run(&["convert", "workers.csv", "--source", "hr", "-o", "-"]).expect(code);
    }
}

#[test]
fn a_paused_job_is_6_more_than_rejected_rows_and_the_work_is_kept() {
    let stage = Stage::quick();
    stage.set_job("Paused");
    let ran = stage.apply(MIXED, &["--wait", "outcome"]).expect(6);
    let document = ran.json();
    assert_counts(&document);
    assert_eq!(counted(&document), of(&[("rejected", 1), ("queued", 2)]));
    assert!(ran.err.contains("Paused") && ran.err.contains("`scimport work`"), "{}", ran.err);
    stage.run(&["work"]).expect(6);
    stage.run(&["work", "--until", "settled"]).expect(6);
    stage.set_job("Active");
    stage.run(&["work", "--until", "settled"]).expect(5);
    let document = stage.run(&["status", "latest", "--json"]).json();
    assert_eq!(counted(&document), of(&[("rejected", 1), ("provisioned", 1), ("failed", 1)]));
}

#[test]
fn a_quarantined_job_is_6_with_its_reason() {
    let stage = Stage::quick();
    stage.tell("job", &json!({"code": "Quarantine", "reason": "EncounteredQuarantineException"}));
    let ran = stage.apply(GOOD, &[]).expect(6);
    assert!(ran.err.contains("EncounteredQuarantineException"), "{}", ran.err);
}

#[test]
fn a_used_up_quota_is_6_at_once_and_the_rest_stays_queued() {
    let stage = Stage::quick();
    stage.place.write("workers.csv", many(120));
    let mut command = stage.command();
    command.env("SCIMPORT__TARGET__ENTRA__DAILY_CALLS", "1").args([
        "apply",
        "workers.csv",
        "--source",
        "hr",
        "--json",
    ]);
    let done = ran(&mut command).expect(6);
    let document = done.json();
    assert_counts(&document);
    assert_eq!(document["counts"]["queued"], 70);
    assert_eq!(stage.ask("stats")["calls"], 1);
    assert!(done.err.contains("used up"), "{}", done.err);
    stage.run(&["work", "--until", "settled"]).expect(0);
    assert_eq!(stage.ask("directory").as_array().unwrap().len(), 120);
}

#[test]
fn a_time_out_is_6_and_the_run_document_is_printed() {
    let stage = Stage::new(by_hand(), SOURCE);
    let ran = stage.apply(GOOD, &["--wait", "outcome", "--timeout", "1s"]).expect(6);
    let document = ran.json();
    assert_counts(&document);
    assert_eq!(document["status"], "tracking");
    assert!(ran.err.contains("`scimport work`"), "{}", ran.err);
    assert_eq!(stage.run(&["work"]).expect(0).out.matches("3 accepted").count(), 1);
}

#[test]
fn without_an_event_in_time_operations_are_unconfirmed_and_that_is_5() {
    let stage = Stage::new(by_hand(), SOURCE);
    let text = stage.place.read("scimport.toml");
    stage.place.write("scimport.toml", text.replace("\"60s\"", "\"300ms\""));
    let document = stage.apply(GOOD, &["--wait", "outcome"]).expect(5).json();
    assert_counts(&document);
    assert_eq!(counted(&document), of(&[("unconfirmed", 3)]));
    assert_eq!(document["status"], "completed");
}

#[test]
fn a_target_that_is_set_up_wrongly_is_1_and_nothing_is_lost() {
    let stage = Stage::new(MockConfig { roles: Vec::new(), ..quick() }, SOURCE);
    let ran = stage.apply(MIXED, &[]).expect(1);
    let document = ran.json();
    assert_counts(&document);
    assert_eq!(counted(&document), of(&[("rejected", 1), ("queued", 2)]));
    assert!(ran.err.contains("hint: "), "{}", ran.err);
}

#[test]
fn a_wrong_secret_is_1_and_nothing_is_lost() {
    let stage = Stage::quick();
    stage.place.write("workers.csv", GOOD);
    let mut command = stage.command();
    command.env(crate::cli_support::SECRET_VARIABLE, "wrong~secret").args([
        "apply",
        "workers.csv",
        "--source",
        "hr",
        "--json",
    ]);
    let done = ran(&mut command).expect(1);
    assert_eq!(counted(&done.json()), of(&[("queued", 3)]));
    assert!(!done.err.contains("wrong~secret"), "{}", done.err);
    assert!(done.err.contains("AADSTS"), "{}", done.err);
    stage.run(&["work", "--until", "settled"]).expect(0);
}

#[test]
fn nobody_at_the_other_side_is_no_error_of_the_file() {
    let stage = Stage::quick();
    stage.place.write("workers.csv", GOOD);
    let mut command = stage.command();
    for key in ["GRAPH_URL", "AUTHORITY_URL"] {
        command.env(format!("SCIMPORT__TARGET__ENTRA__{key}"), "http://127.0.0.1:9");
    }
    command.args(["apply", "workers.csv", "--source", "hr", "--json", "--timeout", "1s"]);
    let done = ran(&mut command).expect(6);
    assert_eq!(counted(&done.json()), of(&[("queued", 3)]));
    stage.run(&["work", "--until", "settled"]).expect(0);
}

#[test]
fn a_pause_of_the_job_while_it_is_tracked_does_not_hide_what_is_accepted() {
    let stage = Stage::new(by_hand(), SOURCE);
    let document = stage.apply(GOOD, &[]).expect(0).json();
    assert_eq!(counted(&document), of(&[("accepted", 3)]));
    assert_eq!(document["status"], "tracking");
    assert_eq!(document["ended_at"], Value::Null);
}

/// Ctrl-C as a terminal sends it.
#[cfg(unix)]
#[test]
fn ctrl_c_is_130_after_a_clean_stop_and_work_carries_on() {
    use std::io::Read as _;
    use std::process::{Command, Stdio};

    let stage = Stage::new(by_hand(), SOURCE);
    stage.place.write("workers.csv", MIXED);
    let mut child = Command::new(env!("CARGO_BIN_EXE_scimport"))
        .args(["apply", "workers.csv", "--source", "hr", "--json", "--wait", "outcome"])
        .current_dir(stage.place.path(""))
        .env(crate::cli_support::SECRET_VARIABLE, scimport::mock_entra::CLIENT_SECRET)
        .env_remove("SCIMPORT_CONFIG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while stage.ask("stats")["accepted"] == 0 {
        std::thread::sleep(Duration::from_millis(20));
        assert!(child.try_wait().unwrap().is_none(), "ended before it was interrupted");
    }
    let id = child.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -INT $0", &id]).status().unwrap().success());
    let status = child.wait().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(status.code(), Some(130), "{out}\n{err}");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_counts(&document);
    assert_eq!(counted(&document), of(&[("rejected", 1), ("accepted", 2)]));
    assert!(err.contains("`scimport work` carries on"), "{err}");

    stage.tell("cycle", &json!({}));
    stage.run(&["work", "--until", "settled"]).expect(5);
    let document = stage.run(&["status", "latest", "--json"]).json();
    assert_eq!(counted(&document), of(&[("rejected", 1), ("provisioned", 1), ("failed", 1)]));
    assert_eq!(stage.ask("stats")["calls"], 1, "nothing is sent twice");
}
