//! A day's quota that is too small: leavers go first, `status` says when the rest is out, and the next
//! day's window carries on by itself.

use scimport::mock_entra::MockConfig;
use serde_json::{Value, json};

use crate::support::{HEADER, Stage, quick, worker, workers};

const PEOPLE: usize = 3_000;
const LEAVERS: usize = 120;
const DAY: u64 = 86_400;

fn ids(request: &Value) -> Vec<&str> {
    request["externalIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn leavers_are_out_first_and_the_next_windows_carry_on_by_themselves() {
    let stage = Stage::with(MockConfig { daily_calls: 80, ..quick() }).await;
    stage.write("workers.csv", &workers(PEOPLE, 1));
    let daily = |calls: &'static str| [("SCIMPORT__TARGET__ENTRA__DAILY_CALLS", calls)];
    let apply = ["apply", "workers.csv", "--source", "hr", "--wait", "outcome", "--json"];
    stage.run_with(&apply, &daily("80")).await.assert_code(0);
    stage.pass(DAY + 60).await;
    stage.mock.tell("settings", &json!({"daily_calls": 20})).await;

    // the last 120 leave, everybody else moves
    let line = |number| {
        let line = worker(number, 2);
        let leaves = number >= PEOPLE - LEAVERS;
        if leaves { line.replace(",Active,", ",Left,") } else { line }
    };
    let lines = std::iter::once(HEADER.to_owned()).chain((0..PEOPLE).map(line));
    stage.write("workers.csv", &(lines.collect::<Vec<_>>().join("\n") + "\n"));
    let before = stage.mock.ask("requests").await.as_array().unwrap().len();
    let quota = daily("20");
    let ran = stage.run_with(&apply, &quota).await;
    let run = ran.assert_code(6).assert_says("used up").json();
    assert_eq!(run["changes"]["leaver"], LEAVERS);
    assert_eq!(run["counts"]["queued"], PEOPLE - 20 * 50);
    let requests = stage.mock.ask("requests").await;
    let first = &requests.as_array().unwrap()[before..];
    assert_eq!(first.len(), 20);
    // 50 a request: all of them are in the first three
    let leavers: Vec<&str> = first[..3].iter().flat_map(ids).collect();
    for number in PEOPLE - LEAVERS..PEOPLE {
        let id = format!("E{number:04}");
        assert!(leavers.contains(&id.as_str()), "{id} is not in the first three requests");
    }

    let overview = stage.run_with(&["status", "--json"], &quota).await.json();
    let forecast = &overview["targets"][0]["forecast"];
    assert_eq!((&forecast["calls_used"], &forecast["requests_left"]), (&json!(20), &json!(40)));
    let done_at: jiff::Timestamp = forecast["done_at"].as_str().unwrap().parse().unwrap();
    let wait = done_at.duration_since(stage.now()).as_hours();
    assert!((46..=48).contains(&wait), "the second window from now: {forecast}");
    let words = stage.run_with(&["status", "latest"], &quota).await;
    assert!(words.out.contains("used 20 of 20 calls"), "{}", words.out);
    assert!(words.out.contains("the rest of this run, 2,000 operations"), "{}", words.out);

    // nothing before the window has passed, and twenty requests in each after that
    stage.run_with(&["work"], &quota).await.assert_code(6);
    for left in [1_000, 0] {
        stage.pass(DAY + 60).await;
        let code = if left > 0 { 6 } else { 0 };
        let ran = stage.run_with(&["work", "--until", "settled", "--json"], &quota).await;
        let runs = ran.assert_code(code).json();
        assert_eq!(runs[0]["counts"]["queued"], left, "{runs}");
    }
    let directory = stage.directory().await;
    let left = directory.values().filter(|user| user["accountEnabled"] == false).count();
    assert_eq!(left, LEAVERS);
    assert!(directory.values().all(|user| user["department"] == "Department 2"));
    let overview = stage.run_with(&["status", "--json"], &quota).await.json();
    assert_eq!(overview["targets"][0]["forecast"], Value::Null);
}
