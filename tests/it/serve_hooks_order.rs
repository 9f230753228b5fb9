//! What counts when deliveries speak of the same people: the newest, whatever was held, equal or guarded.

use serde_json::{Value, json};

use crate::hook_support::{KEYED, Sender, accepted, accepted_id, worker};
use crate::serve_support::{Serving, stage_with};
use crate::support::{Stage, UNGUARDED, count};

async fn guarded(guard: &str, people: usize) -> (Stage, Serving, Sender) {
    let stage = stage_with(&format!("{KEYED}\n{guard}"), people).await;
    let keys = Sender::keys(&stage).await;
    let serving = Serving::start(&stage);
    let sender = Sender::of(&serving, keys).await;
    (stage, serving, sender)
}

fn left(number: usize) -> Value {
    let mut worker = worker(number, "Department 1");
    worker["Status"] = json!("Left");
    worker
}

/// A run of one delivery, once it is planned.
async fn run_of(sender: &Sender, body: &Value) -> Value {
    let id = accepted_id(sender.deliver(body).await).await;
    let path = format!("/api/v1/deliveries/{id}");
    let delivery = sender.until(&path, |found| found["run"].is_string()).await;
    sender.look(&format!("/api/v1/runs/{}", delivery["run"].as_str().unwrap())).await
}

/// Equal content is the same delivery only as long as nothing came in between.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_is_taken_back() {
    let (stage, serving, sender) = guarded(UNGUARDED, 10).await;
    let mut duplicates = Vec::new();
    let mut last = String::new();
    for body in [worker(1, "A"), worker(1, "B"), worker(1, "A"), worker(1, "A")] {
        let answer = accepted(sender.deliver(&body).await).await;
        duplicates.push(answer["duplicate"] == true);
        answer["id"].as_str().unwrap().clone_into(&mut last);
    }
    // the last may have been planned before its like came
    assert_eq!(duplicates[..3], [false, false, false]);
    sender.run_of(&last, "completed").await;
    sender.until_processed().await;
    assert_eq!(stage.directory().await["E0001"]["department"], "A");
    // two holders may both count 1, 2, 3
    for (number, body) in [worker(2, "X"), worker(3, "X")].iter().enumerate() {
        let request = sender.http.post(format!("{}/hooks/hr", sender.url)).bearer_auth(&sender.key);
        let request = request.header("idempotency-key", "1").body(body.to_string());
        let answer = accepted(request.send().await.unwrap()).await;
        assert_eq!(answer["duplicate"], false, "{number}");
    }
    serving.stop().await;
}

/// A guard that has tripped holds what adds to it, and nothing else; what somebody approved was asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_guard_holds_a_run_for_what_is_in_it() {
    let guard = "guard = { max_leavers = \"2\", max_changes = false }";
    let (stage, serving, sender) = guarded(guard, 20).await;
    assert_ne!(run_of(&sender, &left(1)).await["status"], "held");
    let held = run_of(&sender, &left(2)).await;
    assert_eq!(held["held_by"][0]["guard"], "max_leavers", "{held}");
    for body in [worker(3, "Moved"), worker(20, "New"), worker(5, "Department 1")] {
        let run = run_of(&sender, &body).await;
        assert_ne!(run["status"], "held", "{run}");
    }
    assert_eq!(run_of(&sender, &left(4)).await["status"], "held");
    let path = format!("/api/v1/runs/{}", held["run"].as_str().unwrap());
    sender.post(&format!("{path}/approve")).await;
    sender.until(&path, |run| run["status"] == "completed").await;
    assert_eq!(stage.directory().await["E0002"]["accountEnabled"], false);
    serving.stop().await;
}

/// Who comes back while their leaving is held has not left, whether that is a change or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_delivery_takes_the_place_of_what_is_held_of_its_people() {
    let guard = "guard = { max_leavers = \"1\", max_changes = \"2\" }";
    let (stage, serving, sender) = guarded(guard, 20).await;
    let old = run_of(&sender, &left(1)).await;
    assert_eq!(old["status"], "held", "{old}");
    // equal to the ledger: nothing to send, and what was held is over
    let back = run_of(&sender, &worker_of(1)).await;
    assert_eq!((&back["status"], count(&back, "unchanged")), (&json!("completed"), 1), "{back}");
    let path = format!("/api/v1/runs/{}", old["run"].as_str().unwrap());
    let old = sender.look(&path).await;
    assert_eq!((&old["status"], &old["superseded_by"]), (&json!("completed"), &back["run"]));

    // the same where the newer one is held for the sake of others in it
    let old = run_of(&sender, &left(2)).await;
    assert_eq!(old["status"], "held", "{old}");
    let others = json!([worker_of(2), worker(3, "Moved"), worker(4, "Moved")]);
    let newer = run_of(&sender, &others).await;
    assert_eq!((&newer["status"], count(&newer, "unchanged")), (&json!("held"), 1), "{newer}");
    let path = format!("/api/v1/runs/{}", newer["run"].as_str().unwrap());
    sender.post(&format!("{path}/approve")).await;
    sender.until(&path, |run| run["status"] == "completed").await;
    let path = format!("/api/v1/runs/{}", old["run"].as_str().unwrap());
    let old = sender.look(&path).await;
    assert_eq!(
        (&old["status"], &old["superseded_by"]),
        (&json!("completed"), &newer["run"]),
        "{old}"
    );
    let directory = stage.directory().await;
    for id in ["E0001", "E0002"] {
        assert_eq!(directory[id]["accountEnabled"], true, "{id}");
    }
    assert_eq!(directory["E0003"]["department"], "Moved");
    serving.stop().await;
}

/// As the first file has them.
fn worker_of(number: usize) -> Value {
    let mut worker = worker(number, "Department 1");
    worker["Manager"] = json!("E0000");
    worker
}
