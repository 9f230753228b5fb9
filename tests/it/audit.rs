//! What is done with the program is in the audit trail: once, with who did it and from where, and without
//! a value of anybody.

use std::collections::{BTreeMap, BTreeSet};

use scimport::domain::AuditAction;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::cli_support::{GOOD, SOURCE, offline};
use crate::hook_support::{KEYED, Sender, accepted_id, worker};
use crate::serve_support::{QUICK, Serving, drop_file, stage_with};
use crate::support::{Stage, worker_id, workers};

const GUARDED: &str = "guard = { max_leavers = \"10%\", max_joiners = false, max_changes = false, max_rejects = false }";

/// A file in which the first so many have left.
fn with_leavers(people: usize, leavers: usize, version: u32) -> String {
    let text = workers(people, version);
    text.lines()
        .enumerate()
        .map(|(number, line)| {
            let has_left = (1..=leavers).contains(&number);
            let line = if has_left { line.replacen("Active", "Left", 1) } else { line.to_owned() };
            line + "\n"
        })
        .collect()
}

async fn exported(stage: &Stage) -> Vec<Value> {
    let ran = stage.run(&["audit", "export"]).await;
    ran.assert_code(0);
    let lines = ran.out.lines().map(|line| serde_json::from_str(line).unwrap());
    without_end(lines.collect())
}

/// The records of an export, whose last line says how many there are.
fn without_end(mut lines: Vec<Value>) -> Vec<Value> {
    let end = lines.pop().unwrap();
    assert_eq!(end["records"], lines.len(), "{end}");
    lines
}

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap()
}

/// The records of an action about a subject.
fn about<'a>(records: &'a [Value], action: &str, subject: &str) -> Vec<&'a Value> {
    let is_it =
        |record: &&Value| text(record, "action") == action && text(record, "subject") == subject;
    records.iter().filter(is_it).collect()
}

/// The only record of an action about a subject: from there, by somebody whose name begins so.
#[track_caller]
fn one(records: &[Value], action: &str, subject: &str, actor: &str, origin: &str) -> Value {
    let found = about(records, action, subject);
    assert_eq!(found.len(), 1, "{action} of {subject}: {found:?}");
    let record = found[0];
    assert!(text(record, "actor").starts_with(actor), "{record}");
    assert_eq!(text(record, "origin"), origin, "{record}");
    record["details"].clone()
}

async fn held(stage: &Stage, file: &str) -> String {
    let run = stage.apply(file, &["--yes"]).await.assert_code(4).json();
    format!("run {}", run["run"].as_str().unwrap())
}

fn id(subject: &str) -> &str {
    subject.split(' ').nth(1).unwrap()
}

#[expect(clippy::too_many_lines, reason = "one story, and what is told of it")]
#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_done_is_in_the_trail_once_and_nobody_of_the_file() {
    let ada = [("USER", "ada")];
    let stage = stage_with(&format!("{KEYED}\n{QUICK}\n{GUARDED}"), 20).await;
    let seed = stage.runs().await[0]["run"].as_str().unwrap().to_owned();

    // typed: held, approved, sent; held, cancelled; refused
    stage.write("leavers.csv", &with_leavers(20, 4, 1));
    let approved = held(&stage, "leavers.csv").await;
    stage.run_with(&["approve", id(&approved)], &ada).await.assert_code(0);
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.write("more.csv", &with_leavers(20, 9, 1));
    let cancelled = held(&stage, "more.csv").await;
    stage.run_with(&["cancel", id(&cancelled)], &ada).await.assert_code(0);
    stage.write("empty.csv", "");
    stage.apply("empty.csv", &[]).await.assert_code(1);

    // keys
    let (hook_key, admin_key) = Sender::keys(&stage).await;
    let key_id = |key: &str| key.split('_').nth(1).unwrap().to_owned();
    let (hook_id, admin_id) = (key_id(&hook_key), key_id(&admin_key));
    let words = ["key", "create", "--scope", "reader", "--expires", "1d"];
    let made = stage.run_with(&words, &ada).await;
    let reader_id = key_id(made.assert_code(0).out.trim_end());
    let rotated = stage.run_with(&["key", "rotate", &reader_id, "--json"], &ada).await;
    let successor = rotated.assert_code(0).json()["id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        stage.run_with(&["key", "revoke", &successor], &ada).await.assert_code(0);
    }

    // the daemon: a delivery, a file in the folder, an upload that is held and approved, reloads
    let mut serving = Serving::start(&stage);
    let sender = Sender::of(&serving, (hook_key, admin_key)).await;
    let delivery = accepted_id(sender.deliver(&worker(7, "Elsewhere")).await).await;
    let (_, hook_run) = sender.run_of(&delivery, "completed").await;
    let again = accepted_id(sender.deliver(&worker(8, "Elsewhere")).await).await;
    sender.run_of(&again, "completed").await;
    drop_file(&stage, "tonight.csv", &with_leavers(20, 4, 2));
    serving.has(&stage, "done", 1).await;
    let upload = sender.http.post(format!("{}/api/v1/sources/hr/files?name=up.csv", sender.url));
    let body = with_leavers(20, 12, 3);
    let answer = upload.bearer_auth(&sender.admin).body(body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    let uploaded: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let uploaded = format!("run {}", uploaded["run"].as_str().unwrap());
    sender.post(&format!("/api/v1/runs/{}/approve", id(&uploaded))).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    stage.write("scimport.toml", &config.replacen("\"10%\"", "\"50%\"", 1));
    serving.reload(1).await;
    stage.write("scimport.toml", "nonsense = 1\n");
    serving.hang_up().await;
    serving.says("the old config stays in force", 1).await;
    stage.write("scimport.toml", &config.replacen("\"10%\"", "\"50%\"", 1));
    let log = serving.stop().await;
    assert!(log.contains("where the audit trail ends"), "{log}");

    let records = exported(&stage).await;
    let (ada, me, daemon) = ("ada (", "", "daemon");
    // runs
    let details = one(&records, "run.committed", &format!("run {seed}"), me, "cli");
    assert_eq!((&details["rows"], &details["joiners"]), (&json!(20), &json!(20)));
    assert_eq!((&details["source"], &details["file"]), (&json!("hr"), &Value::Null));
    assert_eq!(details["file_digest"], digest_of(&stage, "seed.csv"));
    let details = one(&records, "run.held", &approved, me, "cli");
    assert_eq!(details["held_by"], json!(["max_leavers"]));
    let details = one(&records, "run.approved", &approved, ada, "cli");
    assert_eq!(details["operations"], 4);
    one(&records, "run.held", &cancelled, me, "cli");
    one(&records, "run.cancelled", &cancelled, ada, "cli");
    let hook_run = format!("run {}", hook_run["run"].as_str().unwrap());
    one(&records, "run.committed", &hook_run, me, "webhook");
    one(&records, "run.held", &uploaded, &format!("key {admin_id}"), "api 127.0.0.1");
    one(&records, "run.approved", &uploaded, &format!("key {admin_id}"), "api 127.0.0.1");
    let by_action = |action: &str| -> Vec<&Value> {
        records.iter().filter(|record| text(record, "action") == action).collect()
    };
    let refused = by_action("run.refused");
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (text(refused[0], "origin"), &refused[0]["details"]["file_digest"]),
        ("cli", &digest_of(&stage, "empty.csv"))
    );
    let of_folder: Vec<_> =
        records.iter().filter(|record| text(record, "origin") == "folder").collect();
    assert_eq!(of_folder.len(), 1, "{of_folder:?}");
    let of_tonight = one(&records, "run.committed", text(of_folder[0], "subject"), me, "folder");
    assert_eq!(of_tonight["file"], Value::Null);
    for run in stage.runs().await {
        let subject = format!("run {}", run["run"].as_str().unwrap());
        let begun = ["run.committed", "run.held", "run.refused"];
        let times: usize = begun.iter().map(|action| about(&records, action, &subject).len()).sum();
        assert_eq!(times, 1, "{run}");
    }
    // keys
    let details = one(&records, "key.created", &format!("key {hook_id}"), me, "cli");
    assert_eq!((&details["role"], &details["source"]), (&json!("webhook"), &json!("hr")));
    one(&records, "key.created", &format!("key {admin_id}"), me, "cli");
    one(&records, "key.created", &format!("key {reader_id}"), ada, "cli");
    let details = one(&records, "key.rotated", &format!("key {reader_id}"), ada, "cli");
    assert_eq!(details["successor"], json!(successor));
    one(&records, "key.revoked", &format!("key {successor}"), ada, "cli");
    // deliveries and bulk requests
    let received = format!("delivery {delivery}");
    let key = format!("key {hook_id}");
    let details = one(&records, "delivery.received", &received, &key, "webhook 127.0.0.1");
    assert_eq!((&details["source"], &details["workers"]), (&json!("hr"), &json!(1)));
    assert_eq!(by_action("delivery.received").len(), 2);
    let origins: BTreeSet<&str> =
        by_action("request.accepted").iter().map(|record| text(record, "origin")).collect();
    assert_eq!(origins, BTreeSet::from(["cli", "daemon"]));
    // the service and its config
    one(&records, "service.started", "service", me, daemon);
    one(&records, "service.reloaded", "service", me, daemon);
    one(&records, "service.reload-refused", "service", me, daemon);
    one(&records, "service.stopped", "service", me, daemon);
    let configs = by_action("config.changed");
    let origins: Vec<&str> = configs.iter().map(|record| text(record, "origin")).collect();
    assert_eq!(origins, ["cli", daemon, daemon], "{configs:?}");
    // a variable of the environment is laid over the file
    assert_eq!(configs[1]["details"]["changed"], json!(["server.listen"]));
    assert_eq!(configs[1]["details"]["before"], configs[1]["details"]["after"]);
    assert_eq!(configs[2]["details"]["changed"], json!(["source.hr.guard"]));
    assert_eq!(configs[2]["details"]["before"], configs[1]["details"]["after"]);
    assert_ne!(configs[2]["details"]["before"], configs[2]["details"]["after"]);
    // words that are listed, and nobody of the file
    for record in &records {
        assert!(AuditAction::parse(text(record, "action")).is_some(), "{record}");
    }
    let words = records.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let tokens: BTreeSet<&str> = words.split(|letter: char| !letter.is_alphanumeric()).collect();
    for number in 0..20 {
        let id = worker_id(number);
        let (first, last) = (format!("First{number}"), format!("Last{number}"));
        for value in [id.as_str(), &id.to_lowercase(), &first, &last] {
            assert!(!tokens.contains(value), "{value}");
        }
    }
    // nor the name of a file, which may be somebody's: the run has it
    let files = ["seed.csv", "leavers.csv", "more.csv", "empty.csv", "tonight.csv", "up.csv"];
    let folder = stage.path("");
    let values = ["contoso.example", "Department 1", "Elsewhere", folder.to_str().unwrap()];
    for value in values.into_iter().chain(files) {
        assert!(!words.contains(value), "{value}");
    }
    verified(&stage, records.len()).await;
}

/// The SHA-256 of a file.
fn digest_of(stage: &Stage, name: &str) -> Value {
    let digest = Sha256::digest(std::fs::read(stage.path(name)).unwrap());
    json!(digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

/// The trail is sound; so is what is exported of it, as long as nobody touches it.
async fn verified(stage: &Stage, at_least: usize) {
    let ran = stage.run(&["audit", "verify"]).await;
    ran.assert_code(0).assert_says("note the head");
    assert!(ran.out.starts_with("the audit trail is sound: "), "{}", ran.out);
    let sound = stage.run(&["audit", "verify", "--json"]).await.assert_code(0).json();
    assert!(sound["records"].as_u64().unwrap() >= at_least as u64, "{sound}");
    let head = sound["head"].as_str().unwrap();
    stage.run(&["audit", "verify", "--head", head]).await.assert_code(0);
    let other = format!("{}:{}", head.split(':').next().unwrap(), "ab".repeat(32));
    let ran = stage.run(&["audit", "verify", "--head", &other, "--json"]).await;
    assert_eq!(ran.assert_code(1).json()["fault"], "head_differs");
    stage.run(&["audit", "verify", "--head", "12"]).await.assert_code(2);

    stage.run(&["audit", "export", "-o", "audit.jsonl"]).await.assert_code(0);
    let verify = ["audit", "verify", "--file", "audit.jsonl", "--head", head];
    let ran = stage.run(&verify).await;
    ran.assert_code(0);
    assert!(ran.out.starts_with("the export is sound: "), "{}", ran.out);
    let text = std::fs::read_to_string(stage.path("audit.jsonl")).unwrap();
    stage.write("audit.jsonl", &text.replacen("ada (", "ann (", 1));
    let ran = stage.run(&verify[..4]).await;
    ran.assert_code(1).assert_says("the export is not as it was written: record ");
    stage
        .run(&["audit", "export", "--until", "2001-01-01", "-o", "none.jsonl"])
        .await
        .assert_code(0);
    let none = std::fs::read_to_string(stage.path("none.jsonl")).unwrap();
    assert_eq!(none, "{\"records\":0,\"head\":null}\n");
    let ran = stage.run(&["audit", "verify", "--file", "none.jsonl"]).await;
    assert!(
        ran.assert_code(0).out.starts_with("the export has no records, and says so"),
        "{ran:?}"
    );
    // cut off: empty, or without its last lines
    let lines: Vec<&str> = text.lines().collect();
    for (left, found) in [(0, "the file is empty"), (3, "after 3 records")] {
        stage.write(
            "cut.jsonl",
            &lines[..left].iter().fold(String::new(), |text, line| text + line + "\n"),
        );
        let ran = stage.run(&["audit", "verify", "--file", "cut.jsonl", "--json"]).await;
        ran.assert_code(1).assert_says(found);
        assert_eq!(ran.json()["fault"], "cut_off");
    }
    // a part: what was before it is not there, and it says which it is
    let since = serde_json::from_str::<Value>(lines[2]).unwrap()["at"].as_str().unwrap().to_owned();
    let export = ["audit", "export", "--since", &since, "-o", "part.jsonl"];
    stage.run(&export).await.assert_code(0);
    let ran = stage.run(&["audit", "verify", "--file", "part.jsonl"]).await;
    ran.assert_code(0).assert_says("compare the head with one that was noted elsewhere");
    assert!(ran.out.contains(" records ("), "{ran:?}");
}

#[test]
fn an_export_has_a_stable_shape() {
    let place = offline(SOURCE, GOOD);
    let run = |words: &[&str]| place.run(words).expect(0);
    let key = run(&["key", "create", "--source", "hr", "--expires", "90d"]).out;
    let key = key.split('_').nth(1).unwrap().to_owned();
    run(&["key", "revoke", &key]);
    let mut lines = run(&["audit", "export"]).json_lines();
    let end = lines.pop().unwrap();
    let head = format!("3:{}", lines[2]["hash"].as_str().unwrap());
    assert_eq!(end, json!({"records": 3, "head": head}));
    let mut hashes: BTreeMap<String, String> = BTreeMap::new();
    let mut hash = |value: &Value| {
        let hash = value.as_str().unwrap().to_owned();
        assert_eq!(hash.len(), 64);
        let number = hashes.len();
        json!(hashes.entry(hash).or_insert_with(|| format!("[hash {number}]")).clone())
    };
    let mut shown = String::new();
    for mut line in lines {
        line["at"] = json!("[instant]");
        line["actor"] = json!("[user, uid and host]");
        line["previous"] = hash(&line["previous"]);
        line["hash"] = hash(&line["hash"]);
        for detail in ["after", "expires_at"] {
            if line["details"][detail].is_string() {
                line["details"][detail] = json!("[redacted]");
            }
        }
        shown += &line.to_string().replace(&key, "[key]");
        shown += "\n";
    }
    insta::assert_snapshot!("audit_export", shown);
}

#[test]
fn a_store_that_is_not_there_has_no_trail_to_verify() {
    let place = offline(SOURCE, GOOD);
    let ran = place.run(&["audit", "verify"]).expect(1);
    assert!(ran.err.contains("there is no store at"), "{}", ran.err);
    assert!(!place.names().iter().any(|name| name.contains(".db")), "{:?}", place.names());
    place.run(&["audit", "verify", "--file", "nowhere.jsonl"]).expect(1);
}

/// Processes that begin at once: the trail has all of them, without a gap.
#[test]
fn processes_that_append_at_once_make_one_trail() {
    const EACH: usize = 4;
    let place = offline(SOURCE, GOOD);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..EACH {
                    place.run(&["key", "create", "--source", "hr", "--expires", "90d"]).expect(0);
                }
            });
        }
    });
    let records = without_end(place.run(&["audit", "export"]).expect(0).json_lines());
    let of = |action: &str| records.iter().filter(|record| record["action"] == action).count();
    assert_eq!((of("key.created"), of("config.changed")), (3 * EACH, 1));
    let numbers: Vec<u64> = records.iter().map(|record| record["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let sound = place.run(&["audit", "verify", "--json"]).expect(0).json();
    assert_eq!(sound["records"], json!(numbers.len()));
}
