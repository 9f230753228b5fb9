//! Two days of a generated company, with the generator's own answer key: exactly the edited, left,
//! removed and joined people are operations, and nobody else.
//!
//! The generator needs Python. Where there is none, this says so and passes; in CI it fails.
//! `SCIMPORT_TEST_WORKERS` asks for more people than a few.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use scimport::mock_entra::MockConfig;
use serde_json::{Value, json};

use crate::support::{Stage, count, quick};

const FEED: &str = r#"
[source.hr]
target = "entra"
export = "full"
time_zone = "Europe/Berlin"
leavers = { when_missing = "deactivate" }

[source.hr.mapping]
externalId = "WorkerID"
userName = { template = "{UserID}@contoso.example", case = "lower" }
active = { from = "WorkerStatus", map = { Active = true, Inactive = false } }
displayName = "FullName"
title = "JobTitle"
"name.givenName" = "FirstName"
"name.familyName" = { from = "LastName", required = true }
'phoneNumbers[type eq "work"].value' = "OfficePhone"
'addresses[type eq "work"].streetAddress' = "StreetAddress"
"enterprise:department" = "Department"
"enterprise:manager" = "ManagerID"
"#;

/// Generates a file; `None` where there is no Python.
fn generate(stage: &Stage, count: u32, words: &[&str], name: &str) -> Option<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/gen_workers.py");
    let status = Command::new("python3")
        .arg(script)
        .arg(count.to_string())
        .args(words)
        .arg("-o")
        .arg(stage.path(name))
        .current_dir(stage.path("."))
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) => assert!(status.success(), "the generator failed"),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "python3 cannot be started: {error}");
            println!("skipped: the generator needs python3, which cannot be started: {error}");
            return None;
        }
    }
    Some(())
}

fn ids<'v>(values: impl Iterator<Item = &'v Value>) -> BTreeSet<String> {
    values.map(|value| value.as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_the_people_of_the_answer_key_are_operations() {
    let people: u32 = std::env::var("SCIMPORT_TEST_WORKERS")
        .ok()
        .map_or(2_000, |text| text.parse().expect("SCIMPORT_TEST_WORKERS is a number"));
    // many people need the calls of an Entra ID Governance licence
    let stage = Stage::with_feeds(MockConfig { daily_calls: 6_000, ..quick() }, FEED).await;
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let governed = config.replacen("[target.entra]\n", "[target.entra]\ndaily_calls = 6000\n", 1);
    stage.write("scimport.toml", &governed);
    if generate(&stage, people, &[], "day1.csv").is_none() {
        return;
    }
    let second = ["--changes", "1", "--manifest", "manifest.json"];
    generate(&stage, people, &second, "day2.csv").expect("it was there a moment ago");
    let manifest = std::fs::read_to_string(stage.path("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();

    let first = stage.apply("day1.csv", &["--wait", "none"]).await.assert_code(0).json();
    assert_eq!(count(&first, "queued"), u64::from(people));
    // Entra has taken and provisioned everybody, so that leavers are sent and not just closed
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);

    let run = stage.apply("day2.csv", &["--wait", "none"]).await.assert_code(0).json();
    let operations = stage.operations(run["run"].as_str().unwrap()).await;
    let by = |change: &str| {
        ids(operations
            .iter()
            .filter(|each| each["change"] == change)
            .map(|each| &each["externalId"]))
    };
    let key = |name: &str| ids(manifest[name].as_array().unwrap().iter());
    let edited: BTreeSet<String> =
        manifest["edited"].as_object().unwrap().keys().cloned().collect();
    let removed = key("removed");
    assert_eq!(by("joiner"), key("joined"));
    // who was inactive already does not leave again
    let leavers = by("leaver");
    let gone: BTreeSet<String> = leavers.difference(&key("left")).cloned().collect();
    assert!(key("left").is_subset(&leavers) && gone.is_subset(&removed), "{gone:?}");
    assert_eq!(run["changes"]["missing"], json!(gone.len()));
    // an edit of columns that nobody maps would be no operation; all edited ones are mapped here
    assert_eq!(by("mover"), edited);
    let all = by("joiner").len() + leavers.len() + by("mover").len();
    assert_eq!(operations.len(), all, "nobody else");
    println!(
        "{people} workers: {} edited, {} left, {} removed ({} of them active), {} joined",
        edited.len(),
        key("left").len(),
        removed.len(),
        gone.len(),
        key("joined").len()
    );
}
