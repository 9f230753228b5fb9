//! SIGKILL between receipt and processing: every delivery that was answered 202 is processed, once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use crate::hook_support::{KEYED, Sender, worker};
use crate::serve_support::{Serving, stage_with};
use crate::support::{UNGUARDED, count, worker_id};

const PEOPLE: usize = 60;
const SENDERS: usize = 8;
const KILLS: usize = 6;

/// What one sender was told: the last version answered 202 of each of its people, and how many.
#[derive(Default)]
struct Told {
    accepted: Vec<String>,
    last: BTreeMap<usize, u32>,
    /// Versions that were sent later and not answered: stored or not, nobody knows.
    in_doubt: BTreeMap<usize, Vec<u32>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_202_is_processed_exactly_once_over_deaths() {
    let stage = stage_with(&format!("{KEYED}\n{UNGUARDED}"), PEOPLE).await;
    let keys = Sender::keys(&stage).await;
    let runs_before = stage.runs().await.len();
    let mut rng = Rng::with_seed(5);
    let version = Arc::new(AtomicUsize::new(0));
    let mut told = Told::default();
    for _ in 0..KILLS {
        let serving = Serving::start(&stage);
        let sender = Sender::of(&serving, keys.clone()).await;
        let over = Arc::new(AtomicBool::new(false));
        let sending: Vec<_> = (0..SENDERS)
            .map(|own| {
                let (sender, over, version) =
                    (sender.clone(), Arc::clone(&over), Arc::clone(&version));
                tokio::spawn(async move { deliver_until(&sender, own, &over, &version).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(rng.u64(300..2_500))).await;
        serving.kill().await;
        over.store(true, Ordering::Relaxed);
        for sending in sending {
            let own = sending.await.unwrap();
            told.accepted.extend(own.accepted);
            for (person, version) in own.last {
                told.last.insert(person, version);
                told.in_doubt.remove(&person);
            }
            for (person, versions) in own.in_doubt {
                told.in_doubt.entry(person).or_default().extend(versions);
            }
        }
    }
    assert!(told.accepted.len() > KILLS * SENDERS, "{} were taken", told.accepted.len());
    let serving = Serving::start(&stage);
    let sender = Sender::of(&serving, keys.clone()).await;
    sender.until_processed().await;
    let overview = "/api/v1/runs?limit=200";
    let is_over = |run: &serde_json::Value| run["status"] == "completed";
    sender.until(overview, |page| page["runs"].as_array().unwrap().iter().all(is_over)).await;
    // each has one run, in which it has a row of its own
    let mut places = BTreeMap::new();
    for id in &told.accepted {
        let delivery = sender.look(&format!("/api/v1/deliveries/{id}")).await;
        assert_eq!(delivery["status"], "processed", "{delivery}");
        let place = (delivery["run"].to_string(), delivery["first_row"].as_u64().unwrap());
        assert_eq!(places.insert(place, id), None, "{delivery}");
    }
    serving.stop().await;
    // and no run has a row that nobody delivered, but for those that were in doubt
    let runs = stage.runs().await.split_off(runs_before);
    let rows: u64 = runs.iter().map(|run| run["rows"].as_u64().unwrap()).sum();
    let in_doubt = KILLS * SENDERS;
    let accepted = told.accepted.len();
    assert!((accepted..=accepted + in_doubt).contains(&usize::try_from(rows).unwrap()), "{rows}");
    for run in &runs {
        assert_eq!((&run["kind"], &run["status"]), (&json!("webhook"), &json!("completed")));
        assert_eq!(count(run, "failed") + count(run, "rejected"), 0, "{run}");
    }
    let directory = stage.directory().await;
    for (person, version) in &told.last {
        let department = directory[&worker_id(*person)]["department"].as_str().unwrap();
        let doubtful = told.in_doubt.get(person).into_iter().flatten();
        let may_be: Vec<_> =
            std::iter::once(version).chain(doubtful).map(|version| format!("V{version}")).collect();
        assert!(may_be.iter().any(|one| one == department), "{person}: {department} of {may_be:?}");
    }
    stage.assert_limits_are_kept().await;
}

/// Delivers versions of its own people, one after the other, until told to end or nobody answers.
async fn deliver_until(
    sender: &Sender,
    own: usize,
    over: &AtomicBool,
    version: &AtomicUsize,
) -> Told {
    let mut told = Told::default();
    let people: Vec<usize> = (0..PEOPLE).filter(|person| person % SENDERS == own).collect();
    for person in people.iter().cycle() {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let version = u32::try_from(version.fetch_add(1, Ordering::Relaxed)).unwrap();
        let request = sender.http.post(format!("{}/hooks/hr", sender.url)).bearer_auth(&sender.key);
        let body = worker(*person, &format!("V{version}")).to_string();
        let answer = match request.body(body).send().await {
            Ok(answer) if answer.status() == 202 => answer.text().await.ok(),
            _ => None,
        };
        let document =
            answer.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
        let Some(document) = document else {
            told.in_doubt.entry(*person).or_default().push(version);
            break;
        };
        told.accepted.push(document["id"].as_str().unwrap().to_owned());
        told.last.insert(*person, version);
        told.in_doubt.remove(person);
    }
    told
}
