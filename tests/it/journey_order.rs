//! Managers before their reports: a request starts only when those that hold its people's managers
//! are accepted, and requests are full and many all the same.

use std::collections::BTreeMap;
use std::time::Duration;

use scimport::mock_entra::MockConfig;
use serde_json::{Value, json};

use crate::support::{HEADER, Stage, counts, quick, worker_id};

/// Eight under each head, four levels deep.
const PEOPLE: usize = 800;
const TEAM: usize = 8;

const fn manager_of(number: usize) -> Option<usize> {
    match number {
        0 => None,
        number => Some((number - 1) / TEAM),
    }
}

/// The tree, the lowest first.
fn file(version: u32) -> String {
    let line = |number: usize| {
        let id = worker_id(number);
        let manager = manager_of(number).map(worker_id).unwrap_or_default();
        let login = format!("{}@contoso.example", id.to_lowercase());
        format!("{id},Active,{login},First{number},Last{number},Department {version},{manager}\n")
    };
    format!("{HEADER}\n{}", (0..PEOPLE).rev().map(line).collect::<String>())
}

/// Every request of the stand-in: when it came, when it was answered with 202, whom it carried.
async fn requests(stage: &Stage) -> Vec<(i64, Option<i64>, Vec<String>)> {
    let requests = stage.mock.ask("requests").await;
    let read = |request: &Value| {
        let ids = request["externalIds"].as_array().unwrap();
        let ids = ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        let accepted = request["answered_us"].as_i64().filter(|_| request["status"] == 202);
        (request["arrived_us"].as_i64().unwrap(), accepted, ids)
    };
    requests.as_array().unwrap().iter().map(read).collect()
}

/// Of these requests, each carries only people whose manager was accepted before, or stands before
/// them.
fn assert_managers_first(requests: &[(i64, Option<i64>, Vec<String>)]) {
    let mut accepted: BTreeMap<&str, i64> = BTreeMap::new();
    for (_, answered, ids) in requests {
        for id in ids {
            if let Some(at) = answered {
                accepted.entry(id).and_modify(|first| *first = (*first).min(*at)).or_insert(*at);
            }
        }
    }
    for (arrived, _, ids) in requests {
        for (at, id) in ids.iter().enumerate() {
            let number: usize = id[1..].parse().unwrap();
            let Some(manager) = manager_of(number).map(worker_id) else { continue };
            let stands_before = ids[..at].contains(&manager);
            let was_accepted = accepted.get(manager.as_str()).is_some_and(|at| at <= arrived);
            assert!(stands_before || was_accepted, "{id} was sent before {manager} was accepted");
        }
    }
}

/// Most requests that were on the way at once.
fn most_in_flight(requests: &[(i64, Option<i64>, Vec<String>)]) -> usize {
    let overlaps = |at: i64| {
        let is_open = |(arrived, answered, _): &&(i64, Option<i64>, Vec<String>)| {
            *arrived <= at && answered.is_none_or(|answered| answered > at)
        };
        requests.iter().filter(is_open).count()
    };
    requests.iter().map(|(arrived, ..)| overlaps(*arrived)).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn managers_are_accepted_before_their_reports_are_sent_and_requests_are_full() {
    let latency = Duration::from_millis(300);
    let stage = Stage::with(MockConfig { latency, ..quick() }).await;
    for version in 1..=2 {
        stage.write("workers.csv", &file(version));
        let ran = stage.apply("workers.csv", &["--wait", "outcome"]).await;
        let run = ran.assert_code(0).json();
        assert_eq!(counts(&run), [("provisioned".into(), 800)].into(), "nobody's manager is open");
        let requests = requests(&stage).await;
        let own = &requests
            [requests.len() - usize::try_from(run["bulk_requests"].as_u64().unwrap()).unwrap()..];
        assert_managers_first(own);
        assert_eq!(own.len(), PEOPLE.div_ceil(50), "every request is full");
        assert!(most_in_flight(own) >= 4, "{} at once", most_in_flight(own));
    }
    stage.assert_limits_are_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_do_not_turn_the_order_round() {
    let stage = Stage::new().await;
    let faults = ["throttle:7", "error-503:5", "reset-after:6", "bucket-full:9"];
    stage.mock.tell("faults", &json!(faults)).await;
    stage.write("workers.csv", &file(1));
    stage.apply("workers.csv", &["--wait", "outcome"]).await.assert_code(0);
    assert_managers_first(&requests(&stage).await);
    stage.assert_limits_are_kept().await;
    let directory = stage.directory().await;
    assert_eq!(directory.len(), PEOPLE);
    for number in 0..PEOPLE {
        let manager = manager_of(number).map(worker_id);
        assert_eq!(directory[&worker_id(number)]["manager"].as_str(), manager.as_deref());
    }
}
