//! Events that carry only an id: the worker is fetched, and nothing else in them is taken for true.

use serde_json::json;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::hook_support::{Sender, accepted_id, worker};
use crate::serve_support::{Serving, stage_with};
use crate::support::{Stage, UNGUARDED, counts};

const TOKEN: (&str, &str) = ("ZQ_HR_TOKEN", "zqtoken-0123456789");

/// A daemon whose webhook fetches workers from an HR system.
async fn hydrating(hr: &MockServer, verify: &str) -> (Stage, Serving, Sender) {
    let rules = format!(
        "webhook = {{ verify = \"{verify}\", records = \"/events\", coalesce = \"300ms\", hydrate = {{ url = \"{}/employees/{{id}}\", id = \"/data/employeeId\", record = \"/employee\", auth = {{ bearer = {{ env = \"ZQ_HR_TOKEN\" }} }}, per_second = 100 }} }}\n{UNGUARDED}",
        hr.uri()
    );
    let stage = stage_with(&rules, 10).await;
    let keys = Sender::keys(&stage).await;
    let serving = Serving::start_with(&stage, &[TOKEN]);
    let sender = Sender::of(&serving, keys).await;
    (stage, serving, sender)
}

fn event(id: &serde_json::Value) -> serde_json::Value {
    json!({"type": "employee.updated", "data": {"employeeId": id, "changed": ["department"]}})
}

async fn knows(hr: &MockServer, id: &str, answer: ResponseTemplate, times: u64) {
    Mock::given(method("GET"))
        .and(path(format!("/employees/{id}")))
        .and(header("authorization", format!("Bearer {}", TOKEN.1)))
        .respond_with(answer)
        .expect(times)
        .mount(hr)
        .await;
}

fn employee(number: usize, department: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"employee": worker(number, department)}))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_worker_is_fetched_once_and_sent_as_fetched() {
    let hr = MockServer::start().await;
    knows(&hr, "3", employee(3, "Fetched"), 1).await;
    knows(&hr, "a%2Fb", employee(4, "Fetched"), 1).await;
    knows(&hr, "5", ResponseTemplate::new(404), 1).await;
    let (stage, serving, sender) = hydrating(&hr, "bearer").await;
    let events = json!({"events": [event(&json!(3)), event(&json!("a/b")), event(&json!(5)), event(&json!("3"))]});
    let id = accepted_id(sender.deliver(&events).await).await;
    let (delivery, run) = sender.run_of(&id, "completed").await;
    assert_eq!(delivery["problem"], "1 of 4: the HR system knows no such worker (404)");
    assert_eq!(counts(&run), [("provisioned".to_owned(), 2), ("superseded".to_owned(), 1)].into());
    let directory = stage.directory().await;
    assert_eq!(directory["E0003"]["department"], "Fetched");
    assert_eq!(directory["E0004"]["department"], "Fetched");
    assert_eq!(directory["E0005"]["accountEnabled"], true, "404 says nothing about a person");
    // an event without an id is refused, and is not stored
    let answer = sender.deliver(&json!({"events": [{"data": {}}]})).await;
    assert_eq!(answer.status().as_u16(), 400);
    let text = answer.text().await.unwrap();
    assert!(text.contains("`/events/data/employeeId` has to be the id of a worker"), "{text}");
    let log = serving.stop().await;
    assert!(!log.contains(TOKEN.1) && !log.contains("a/b"), "{log}");
}

/// Whoever is not known may say that somebody has changed, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn what_anybody_delivers_is_never_taken_for_true() {
    let hr = MockServer::start().await;
    knows(&hr, "3", employee(3, "True"), 1).await;
    let (stage, serving, sender) = hydrating(&hr, "none").await;
    let mut forged = event(&json!(3));
    forged["employee"] = worker(3, "Forged");
    forged["Id"] = json!("E0004");
    let request = sender.http.post(format!("{}/hooks/hr", sender.url));
    let request = request.header("idempotency-key", "mine");
    let answer = request.body(json!({"events": [forged]}).to_string()).send().await.unwrap();
    let (delivery, run) = sender.run_of(&accepted_id(answer).await, "completed").await;
    assert_eq!((&delivery["caller"], &run["rows"]), (&json!("nobody"), &json!(1)));
    assert_eq!(stage.directory().await["E0003"]["department"], "True");
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_hr_system_is_away_events_wait_and_the_others_do_not() {
    let hr = MockServer::start().await;
    Mock::given(path("/employees/3"))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(2)
        .mount(&hr)
        .await;
    knows(&hr, "3", employee(3, "Late"), 1).await;
    knows(&hr, "4", ResponseTemplate::new(401), 1).await;
    let (stage, serving, sender) = hydrating(&hr, "bearer").await;
    let id = accepted_id(sender.deliver(&json!({"events": event(&json!(3))})).await).await;
    sender.run_of(&id, "completed").await;
    assert_eq!(stage.directory().await["E0003"]["department"], "Late");
    let id = accepted_id(sender.deliver(&json!({"events": event(&json!(4))})).await).await;
    let path = format!("/api/v1/deliveries/{id}");
    let waiting = sender.until(&path, |delivery| delivery["problem"].is_string()).await;
    assert_eq!(waiting["status"], "waiting");
    let problem = waiting["problem"].as_str().unwrap();
    assert!(problem.contains("does not accept this bridge's credential (401)"), "{problem}");
    serving.says("their events wait", 1).await;
    assert_eq!(sender.look("/api/v1/sources/hr/webhook").await["waiting"], 1);
    let log = serving.stop().await;
    assert!(!log.contains(TOKEN.1), "{log}");
}

/// One worker whom nobody can fetch keeps nobody else waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_who_cannot_be_fetched_keeps_back_nobody_else() {
    let hr = MockServer::start().await;
    for (id, answer) in [("3", employee(3, "Good")), ("4", employee(4, "Good"))] {
        knows(&hr, id, answer, 1).await;
    }
    let broken = ResponseTemplate::new(500);
    Mock::given(path("/employees/0poison")).respond_with(broken).mount(&hr).await;
    let (stage, serving, sender) = hydrating(&hr, "bearer").await;
    let poison =
        accepted_id(sender.deliver(&json!({"events": event(&json!("0poison"))})).await).await;
    let mut good = Vec::new();
    for id in [3, 4] {
        good.push(accepted_id(sender.deliver(&json!({"events": event(&json!(id))})).await).await);
    }
    for id in &good {
        sender.run_of(id, "completed").await;
    }
    let path = format!("/api/v1/deliveries/{poison}");
    let waiting = sender.until(&path, |delivery| delivery["problem"].is_string()).await;
    assert_eq!(waiting["status"], "waiting");
    // and an event that comes later does not wait for it either
    let moved = worker(5, "Good");
    knows(&hr, "5", ResponseTemplate::new(200).set_body_json(json!({"employee": moved})), 1).await;
    let id = accepted_id(sender.deliver(&json!({"events": event(&json!(5))})).await).await;
    sender.run_of(&id, "completed").await;
    let directory = stage.directory().await;
    for id in ["E0003", "E0004", "E0005"] {
        assert_eq!(directory[id]["department"], "Good", "{id}");
    }
    serving.stop().await;
}

/// A worker who changes while they are fetched is fetched again.
#[tokio::test(flavor = "multi_thread")]
async fn an_equal_event_during_the_fetch_asks_once_more() {
    let hr = MockServer::start().await;
    let slow = employee(3, "Old").set_delay(std::time::Duration::from_secs(4));
    Mock::given(path("/employees/3")).respond_with(slow).up_to_n_times(1).mount(&hr).await;
    Mock::given(path("/employees/3")).respond_with(employee(3, "New")).expect(1).mount(&hr).await;
    let (stage, serving, sender) = hydrating(&hr, "none").await;
    let body = json!({"events": event(&json!(3))});
    let post = async || {
        let request = sender.http.post(format!("{}/hooks/hr", sender.url)).body(body.to_string());
        crate::hook_support::accepted(request.send().await.unwrap()).await
    };
    post().await;
    while hr.received_requests().await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let second = post().await;
    assert_eq!(second["duplicate"], false);
    sender.run_of(second["id"].as_str().unwrap(), "completed").await;
    assert_eq!(stage.directory().await["E0003"]["department"], "New");
    serving.stop().await;
}
