//! Guards hold a run whole, people decide, and what was decided is kept.

use serde_json::{Value, json};

use crate::support::{HEADER, Stage, counts, worker, worker_id, workers};

/// So many people, the first `left` of them inactive, the others as they were.
fn with_leavers(count: usize, left: usize) -> String {
    let line = |number| {
        let line = worker(number, 1);
        if number < left { line.replace(",Active,", ",Left,") } else { line }
    };
    let lines = std::iter::once(HEADER.to_owned()).chain((0..count).map(line));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

async fn stage(count: usize) -> Stage {
    let stage = Stage::with_rules("").await;
    stage.write("workers.csv", &workers(count, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    stage
}

async fn calls(stage: &Stage) -> u64 {
    stage.mock.ask("stats").await["calls"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_above_a_guard_is_held_whole_until_somebody_approves_it() {
    let stage = stage(100).await;
    let before = calls(&stage).await;
    stage.write("workers.csv", &with_leavers(100, 5));
    let plan = stage.run(&["plan", "workers.csv", "--source", "hr", "--json"]).await;
    let plan = plan.assert_code(4).json();
    let held = json!([{"guard": "max_leavers", "limit": "5%", "value": 5, "of": 100}]);
    assert_eq!((&plan["would_hold"], &plan["status"]), (&held, &json!("planned")));

    let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
    let run =
        ran.assert_code(4).assert_says("max_leavers: 5 of 100 active people (limit 5%)").json();
    assert_eq!((&run["status"], &run["held_by"]), (&json!("held"), &held));
    assert_eq!(counts(&run), [("held".into(), 5), ("unchanged".into(), 95)].into());
    // the same file again is the same run, and it stays held
    let again = stage.apply("workers.csv", &[]).await;
    again.assert_code(4).assert_says("already applied as").assert_says("max_leavers");
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    assert_eq!(calls(&stage).await, before, "nothing of a held run is sent");

    let id = run["run"].as_str().unwrap();
    let approved = stage.run_with(&["approve", id, "--json"], &[("USER", "ada")]).await;
    let approved = approved.assert_code(0).json();
    assert_eq!(approved["status"], "delivering");
    let decided = &approved["decisions"][0];
    assert_eq!((&decided["decision"], &decided["by"]), (&json!("approved"), &json!("ada")));
    assert_eq!(approved["held_by"], held, "the reason is kept");
    let again = stage.run(&["approve", id]).await;
    again.assert_code(1).assert_says("cannot be approved");
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    let run = stage.status(id).await;
    assert_eq!(counts(&run), [("provisioned".into(), 5), ("unchanged".into(), 95)].into());
    let directory = stage.directory().await;
    for number in 0..100 {
        assert_eq!(directory[&worker_id(number)]["accountEnabled"], number >= 5);
    }
    let words = stage.run(&["status", id]).await;
    assert!(words.out.contains("approved by ada"), "{}", words.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_less_than_a_guard_goes_out_and_false_turns_it_off() {
    let stage = stage(100).await;
    stage.write("workers.csv", &with_leavers(100, 4));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let off = [("SCIMPORT__SOURCE__HR__GUARD__MAX_LEAVERS", "false")];
    stage.write("workers.csv", &with_leavers(100, 20));
    let ran = stage.run_with(&["apply", "workers.csv", "--source", "hr"], &off).await;
    ran.assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_leaves_people_as_they_are_and_may_come_again() {
    let stage = stage(100).await;
    stage.write("workers.csv", &with_leavers(100, 10));
    let run = stage.apply("workers.csv", &[]).await.assert_code(4).json();
    let id = run["run"].as_str().unwrap();
    let run =
        stage.run_with(&["cancel", id, "--json"], &[("USER", "ada")]).await.assert_code(0).json();
    assert_eq!(counts(&run), [("cancelled".into(), 10), ("unchanged".into(), 90)].into());
    assert_eq!((&run["status"], &run["decisions"][0]["by"]), (&json!("cancelled"), &json!("ada")));
    stage.run(&["cancel", id]).await.assert_code(1);
    stage.run(&["approve", id]).await.assert_code(1).assert_says("is cancelled");
    // a cancelled run does not count: the same file is a new run, and held anew
    let again = stage.apply("workers.csv", &[]).await.assert_code(4).json();
    assert_ne!(again["run"], run["run"]);
    assert_eq!(again["changes"]["leaver"], 10);
}

/// What was queued and is cancelled was never sent: the ledger does not take it for sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_cancelled_on_its_way_is_planned_again_by_the_next_file() {
    let stage = stage(100).await;
    stage.mock.tell("job", &json!({"code": "Paused"})).await;
    stage.write("workers.csv", &(with_leavers(100, 4) + &worker(500, 1) + "\n"));
    let run = stage.apply("workers.csv", &[]).await.assert_code(6).json();
    assert_eq!(counts(&run)["queued"], 5);
    stage.run(&["cancel", "latest"]).await.assert_code(0);
    stage.mock.tell("job", &json!({"code": "Active"})).await;
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    assert_eq!(stage.directory().await.len(), 100);
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0).json();
    let changes = &run["changes"];
    assert_eq!((&changes["leaver"], &changes["joiner"]), (&json!(4), &json!(1)), "{run}");
    assert_eq!(counts(&run), [("provisioned".into(), 5), ("unchanged".into(), 96)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_file_takes_the_place_of_a_held_one() {
    let stage = Stage::with_rules("export = \"full\"").await;
    stage.write("workers.csv", &workers(100, 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    stage.write("workers.csv", &with_leavers(100, 10));
    let held = stage.apply("workers.csv", &[]).await.assert_code(4).json();
    // several may stand side by side, and do not keep later files from being planned
    stage.write("workers.csv", &with_leavers(100, 11));
    let second = stage.apply("workers.csv", &[]).await.assert_code(4).json();
    assert_eq!(second["changes"]["leaver"], 11);
    assert_eq!(stage.status(held["run"].as_str().unwrap()).await["status"], "held");
    stage.write("workers.csv", &with_leavers(100, 1));
    let newer = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0).json();
    for run in [held, second] {
        let id = run["run"].as_str().unwrap();
        let run = stage.status(id).await;
        assert_eq!((&run["status"], &run["superseded_by"]), (&json!("completed"), &newer["run"]));
        stage.run(&["approve", id]).await.assert_code(1).assert_says("took its place");
    }
    let directory = stage.directory().await;
    let left = directory.values().filter(|user| user["accountEnabled"] == false).count();
    assert_eq!(left, 1);
}

/// Of changes, only what the newer file names is superseded: the others are nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_file_of_changes_takes_the_place_of_those_it_names() {
    let stage = stage(100).await;
    let lines = |numbers: std::ops::Range<usize>, status: &str| {
        let line = |number| worker(number, 1).replace(",Active,", status);
        let lines = std::iter::once(HEADER.to_owned()).chain(numbers.map(line));
        lines.collect::<Vec<_>>().join("\n")
    };
    stage.write("workers.csv", &lines(0..10, ",Left,"));
    let held = stage.apply("workers.csv", &[]).await.assert_code(4).json();
    stage.write("workers.csv", &lines(0..3, ",Active,"));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    let id = held["run"].as_str().unwrap();
    assert_eq!(
        counts(&stage.status(id).await),
        [("held".into(), 7), ("superseded".into(), 3)].into()
    );
    stage.run(&["approve", id]).await.assert_code(0);
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    let directory = stage.directory().await;
    for number in 0..100 {
        let is_left = (3..10).contains(&number);
        assert_eq!(directory[&worker_id(number)]["accountEnabled"], !is_left, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_is_held_by_the_date_in_its_name() {
    let stage = Stage::with_rules(
        "time_zone = \"Europe/Berlin\"\nas_of = { name = \"workers-%Y%m%d.csv\" }\nguard = { max_changes = false }",
    )
    .await;
    for (name, version) in [("workers-20261120.csv", 1), ("workers-20261122.csv", 2)] {
        stage.write(name, &workers(20, version));
        stage.apply(name, &["--wait", "outcome"]).await.assert_code(0);
    }
    stage.write("workers-20261121.csv", &workers(20, 3));
    let ran = stage.apply("workers-20261121.csv", &["--wait", "outcome"]).await;
    let run = ran.assert_code(4).assert_says("older_file").json();
    assert_eq!(run["as_of"], "2026-11-20T23:00:00Z");
    stage.assert_directory_is(20, 2).await;
    // released: somebody has looked at it
    stage.run(&["approve", "latest"]).await.assert_code(0);
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.assert_directory_is(20, 3).await;
    // a name without a date says nothing about its age
    stage.write("workers.csv", &workers(20, 4));
    stage.apply("workers.csv", &[]).await.assert_code(1).assert_says("source.as-of");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_file_is_judged_by_its_rejects_and_its_inactive_people() {
    for (text, guard) in [
        (
            workers(30, 1)
                .replace("E0001,Active", "E0001,X")
                .replace("E0002,Active", "E0002,X")
                .replace("E0003,Active", "E0003,X"),
            "max_rejects",
        ),
        (with_leavers(30, 18), "max_inactive"),
    ] {
        let stage = Stage::with_rules("").await;
        stage.write("workers.csv", &text);
        let run = stage.apply("workers.csv", &[]).await.assert_code(4).json();
        assert_eq!(run["held_by"][0]["guard"], guard, "{run}");
        assert_eq!(calls(&stage).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_may_have_a_guard_of_its_own() {
    let stage = Stage::with_rules(
        r#"guard = { max_changes = false, attributes = { "enterprise:department" = "15%" } }"#,
    )
    .await;
    let text = workers(40, 1);
    stage.write("workers.csv", &text);
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    stage.write("workers.csv", &text.replace(",First", ",Anew").replacen(",Anew", ",First", 1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    stage.write("workers.csv", &workers(40, 2));
    let run = stage.apply("workers.csv", &[]).await.assert_code(4).json();
    let held = &run["held_by"][0];
    assert_eq!((&held["value"], &held["of"]), (&json!(40), &json!(40)));
    assert!(held["guard"].as_str().unwrap().contains("enterprise:department"), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pilot_sends_a_few_and_the_whole_file_sends_the_rest() {
    let stage =
        Stage::with_rules("export = \"full\"\nleavers = { when_missing = \"deactivate\" }\nguard = { max_changes = false, max_joiners = \"20\" }").await;
    stage.write("workers.csv", &workers(60, 1));
    let run = stage.apply("workers.csv", &["--only", "E0000,E0040", "--wait", "outcome"]).await;
    let run = run.assert_code(0).json();
    assert_eq!(counts(&run), [("out_of_scope".into(), 58), ("provisioned".into(), 2)].into());
    assert_eq!((&run["kind"], &run["changes"]["missing"]), (&json!("pilot"), &json!(0)));
    let run = stage.apply("workers.csv", &["--limit", "5", "--wait", "outcome"]).await;
    let run = run.assert_code(0).json();
    assert_eq!(counts(&run)["provisioned"], 5);
    assert_eq!(stage.directory().await.len(), 7);
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.json();
    assert_eq!(counts(&run), [("held".into(), 53), ("unchanged".into(), 7)].into(), "{run}");
    stage.run(&["approve", "latest"]).await.assert_code(0);
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    stage.assert_directory_is(60, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_plan_is_applied_as_it_was_looked_at_or_not_at_all() {
    let stage = stage(60).await;
    let file = workers(60, 1).replace("First7,", "Anew7,");
    stage.write("workers.csv", &file);
    let seal = ["plan", "workers.csv", "--source", "hr", "--out"];
    stage.run(&[&seal[..], &["a.plan"]].concat()).await.assert_code(0);
    // never overwritten, never a value in it
    stage.run(&[&seal[..], &["a.plan"]].concat()).await.assert_code(1);
    let text = std::fs::read_to_string(stage.path("a.plan")).unwrap();
    assert!(!text.contains("Anew7") && !text.contains("E0007"), "{text}");
    let apply = ["apply", "--plan", "a.plan", "--wait", "outcome", "--json"];

    stage.write("workers.csv", &file.replace("Anew7", "Other7"));
    stage.run(&apply).await.assert_code(1).assert_says("the file changed");
    stage.write("workers.csv", &file);
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    stage.write("scimport.toml", &format!("{config}\n# looked at\n"));
    stage.run(&apply).await.assert_code(1).assert_says("the config changed");
    stage.write("scimport.toml", &config);
    let run = stage.run(&apply).await.assert_code(0).json();
    assert_eq!(counts(&run), [("provisioned".into(), 1), ("unchanged".into(), 59)].into());

    stage.write("workers.csv", &file.replace("First8,", "Anew8,"));
    stage.run(&[&seal[..], &["b.plan"]].concat()).await.assert_code(0);
    stage.write("other.csv", &file.replace("First9,", "Anew9,"));
    stage.apply("other.csv", &["--wait", "outcome"]).await.assert_code(0);
    let ran = stage.run(&["apply", "--plan", "b.plan"]).await;
    ran.assert_code(1).assert_says("the ledger changed").assert_says("hint: ");
    stage.write("c.plan", "{}");
    stage.run(&["apply", "--plan", "c.plan"]).await.assert_code(1).assert_says("no plan");
}

/// A changed mapping says how many people it would touch before it touches them.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_mapping_says_whom_it_alone_would_change() {
    let stage = stage(40).await;
    let text = workers(40, 1);
    let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
    let changed =
        config.replace("displayName = \"{First} {Last}\"", "displayName = \"{Last}, {First}\"");
    stage.write("scimport.toml", &changed);
    stage.write("workers.csv", &text.replace("First7,", "Anew7,"));
    let plan = stage.run(&["plan", "workers.csv", "--source", "hr", "--json"]).await.json();
    assert_eq!((&plan["changed_by_mapping"], &plan["changes"]["mover"]), (&json!(39), &json!(40)));
    let words = stage.run(&["plan", "workers.csv", "--source", "hr"]).await;
    assert!(words.out.contains("it alone changes 39"), "{}", words.out);
    stage.apply("workers.csv", &[]).await.assert_code(4).assert_says("max_changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_story_of_a_joiner_who_leaves_is_closed_and_not_sent() {
    let stage = stage(100).await;
    stage.mock.tell("job", &json!({"code": "Paused"})).await;
    stage.write("workers.csv", &(workers(100, 1) + &worker(500, 1) + "\n"));
    stage.apply("workers.csv", &[]).await.assert_code(6);
    stage.write(
        "workers.csv",
        &(workers(100, 1) + &worker(500, 1).replace("Active", "Left") + "\n"),
    );
    let run = stage.apply("workers.csv", &[]).await.json();
    assert_eq!(counts(&run), [("superseded".into(), 1), ("unchanged".into(), 100)].into(), "{run}");
    stage.mock.tell("job", &json!({"code": "Active"})).await;
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    assert_eq!(stage.directory().await.len(), 100);
    let record = stage.run(&["record", "E0500", "--json"]).await.json();
    assert_eq!((&record["state"], &record["last_sent"]), (&json!("left"), &Value::Null));
    // and back again: a joiner
    stage.write("workers.csv", &(workers(100, 1) + &worker(500, 2) + "\n"));
    let run = stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0).json();
    assert_eq!(run["changes"]["joiner"], 1);
}

/// Nobody has asked for the first run of a folder, a schedule, a webhook or an upload: it waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_that_nobody_typed_is_always_held() {
    use scimport::bridge::{Applied, Applying, Bridge, Setup};
    use scimport::domain::{RunStatus, SystemClock};
    use scimport::intake::Asked;

    let stage = Stage::new().await;
    let file = stage.write("workers.csv", &workers(20, 1));
    let setup = Setup::load(&stage.path("scimport.toml"), &[]).unwrap();
    let bridge = Bridge::open(setup, std::sync::Arc::new(SystemClock), Vec::new()).unwrap();
    let applying = Applying { asked: Asked::Automatic, ..Applying::default() };
    let applied = bridge.apply("hr", &file, applying, &mut |_| true).await.unwrap();
    let Applied::Committed(id) = applied else { panic!("a new run") };
    let run = bridge.store.run(&id).await.unwrap().unwrap();
    assert_eq!((run.status, run.held_by[0].guard.as_str()), (RunStatus::Held, "first_run"));
    bridge.approve(&id, &bridge.who).await.unwrap();
    // from now on the guards alone decide
    stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    let file = stage.write("workers.csv", &workers(20, 2));
    let applied = bridge.apply("hr", &file, applying, &mut |_| true).await.unwrap();
    let Applied::Committed(id) = applied else { panic!("a new run") };
    let run = bridge.store.run(&id).await.unwrap().unwrap();
    assert_eq!((run.status, run.held_by.len()), (RunStatus::Delivering, 0));
}
