//! Webhooks: what is delivered becomes runs, once, and what is not as it has to be leaves nothing.

use scimport::domain::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::hook_support::{
    KEYED, SECRET_ENV, SIGNED, Sender, Signed, accepted, accepted_id, worker,
};
use crate::serve_support::{Serving, stage_with};
use crate::support::{Stage, UNGUARDED, count, counts};

async fn keyed(people: usize) -> (Stage, Serving, Sender) {
    let stage = stage_with(&format!("{KEYED}\n{UNGUARDED}"), people).await;
    let keys = Sender::keys(&stage).await;
    let serving = Serving::start(&stage);
    let sender = Sender::of(&serving, keys).await;
    (stage, serving, sender)
}

async fn signed(people: usize) -> (Stage, Serving, Sender) {
    let stage = stage_with(&format!("{SIGNED}\n{UNGUARDED}"), people).await;
    let keys = Sender::keys(&stage).await;
    let serving = Serving::start_with(&stage, &[SECRET_ENV]);
    let sender = Sender::of(&serving, keys).await;
    (stage, serving, sender)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_holder_delivers_reaches_the_directory() {
    let (stage, serving, sender) = keyed(20).await;
    let answer =
        accepted(sender.deliver(&json!([worker(3, "Mine"), worker(20, "New")])).await).await;
    assert_eq!((&answer["workers"], &answer["duplicate"]), (&json!(2), &json!(false)), "{answer}");
    let id = answer["id"].as_str().unwrap();
    let (delivery, run) = sender.run_of(id, "completed").await;
    assert_eq!((&delivery["status"], &delivery["first_row"]), (&json!("processed"), &json!(2)));
    assert!(delivery["caller"].as_str().unwrap().starts_with("key "), "{delivery}");
    assert_eq!((&run["kind"], &run["file"]), (&json!("webhook"), &Value::Null));
    assert_eq!((count(&run, "provisioned"), &run["changes"]["joiner"]), (2, &json!(1)), "{run}");
    let directory = stage.directory().await;
    assert_eq!(directory["E0003"]["department"], "Mine");
    assert_eq!((directory.len(), &directory["E0020"]["department"]), (21, &json!("New")));
    // nobody is missing from a delivery, and the day's file still says who is there
    assert_eq!(directory["E0004"]["accountEnabled"], true);
    let answer = sender.http.get(format!("{}/metrics", sender.url)).send().await.unwrap();
    let metrics = answer.text().await.unwrap();
    let line = "scimport_webhook_deliveries_total{source=\"hr\",outcome=\"accepted\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    let log = serving.stop().await;
    assert!(!log.contains("First3") && !log.contains(&sender.key), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_about_one_person_are_one_operation_and_the_last_one_counts() {
    let (stage, serving, sender) = keyed(20).await;
    let mut ids = Vec::new();
    for department in ["A", "B", "C", "D"] {
        ids.push(accepted_id(sender.deliver(&worker(5, department)).await).await);
    }
    ids.push(accepted_id(sender.deliver(&worker(6, "Other")).await).await);
    sender.until_processed().await;
    let mut runs: Vec<String> = Vec::new();
    let mut sent = 0;
    for id in &ids {
        let (_, run) = sender.run_of(id, "completed").await;
        if runs.last().map(String::as_str) != run["run"].as_str() {
            runs.push(run["run"].as_str().unwrap().to_owned());
            sent += count(&run, "provisioned");
            assert_eq!(
                count(&run, "provisioned") + count(&run, "superseded"),
                run["rows"].as_u64().unwrap()
            );
        }
    }
    // they came within the window, unless this machine is very slow
    assert!(sent <= 2 + runs.len() as u64, "{runs:?}");
    let directory = stage.directory().await;
    assert_eq!(directory["E0005"]["department"], "D");
    assert_eq!(directory["E0006"]["department"], "Other");
    stage.assert_limits_are_kept().await;
    serving.stop().await;
}

/// Of what is refused nothing is stored, and who has proven nothing hears nothing.
#[tokio::test(flavor = "multi_thread")]
async fn forged_stale_and_broken_deliveries_are_refused_and_leave_nothing() {
    let (stage, serving, sender) = signed(5).await;
    let runs = stage.runs().await.len();
    let now = SystemClock.now().as_second();
    let good = Signed::now("msg_1", &json!({"data": worker(1, "X")}));
    let with = |body: &str| Signed::at("msg_2", now, body);
    let deep = format!("{{\"data\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    let cases: Vec<(&str, Signed, u16, &str)> = vec![
        ("forged", Signed { signature: "v1,aaaa".into(), ..with("{}") }, 401, "unauthorized"),
        (
            "another body",
            Signed { body: "{\"data\":[]}".into(), ..with("{}") },
            401,
            "unauthorized",
        ),
        ("another id", Signed { id: "msg_9".into(), ..with("{}") }, 401, "unauthorized"),
        ("stale", Signed::at("msg_3", now - 400, "{\"data\":[]}"), 401, "unauthorized"),
        ("from the future", Signed::at("msg_4", now + 400, "{\"data\":[]}"), 401, "unauthorized"),
        ("no JSON", with("{\"data\": [}"), 400, "bad-request"),
        ("two at once", with("{\"data\":[]} {}"), 400, "bad-request"),
        ("a member twice", with("{\"data\":[{\"a\":1,\"a\":2}]}"), 400, "bad-request"),
        ("too deep", with(&deep), 400, "bad-request"),
        ("no object", with("\"data\""), 400, "bad-request"),
        ("no workers", with("{\"date\":[]}"), 400, "bad-request"),
        ("a worker that is none", with("{\"data\":[{}, 7]}"), 400, "bad-request"),
        ("empty", with(""), 400, "bad-request"),
        (
            "too large",
            with(&format!("{{\"data\":[\"{}\"]}}", "x".repeat(1 << 20))),
            413,
            "too-large",
        ),
    ];
    for (what, signed, status, word) in cases {
        let answer = sender.send(&signed).await;
        assert_eq!(answer.status().as_u16(), status, "{what}");
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(problem["type"], format!("urn:scimport:problem:{word}"), "{what}: {problem}");
    }
    let answer = sender.send(&with("{\"data\": [}")).await;
    let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(
        (&problem["code"], &problem["place"]),
        (&json!("syntax"), &json!("line 1, column 11"))
    );
    // media types
    let request = sender.http.post(format!("{}/hooks/hr", sender.url)).bearer_auth(&sender.key);
    let answer = request.header("content-type", "text/xml").body("<a/>").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 415);
    let request = sender.http.post(format!("{}/hooks/hr", sender.url)).bearer_auth(&sender.key);
    let answer = request.header("content-encoding", "gzip").body("x").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 415);
    // an unknown source, a source without a webhook, a wrong key: the same
    let mut heard = Vec::new();
    for (source, key) in
        [("nobody", sender.key.as_str()), ("hr", "scim_abcdefgh2345_x"), ("hr", "")]
    {
        let request = sender.http.post(format!("{}/hooks/{source}", sender.url)).bearer_auth(key);
        let answer = request.body("{\"data\":[]}").send().await.unwrap();
        assert!([401, 429].contains(&answer.status().as_u16()));
        heard.push(answer.text().await.unwrap());
    }
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
    // the admin's key decides, and delivers nothing
    let request = sender.http.post(format!("{}/hooks/hr", sender.url)).bearer_auth(&sender.admin);
    let answer = request.body(json!({"data": []}).to_string()).send().await.unwrap();
    assert!([401, 429].contains(&answer.status().as_u16()));
    let hook = sender.look("/api/v1/sources/hr/webhook").await;
    assert_eq!((&hook["waiting"], &hook["last_received_at"]), (&json!(0), &Value::Null), "{hook}");
    assert_eq!(stage.runs().await.len(), runs);
    // what is right still gets through
    let (_, run) = sender.run_of(&accepted_id(sender.send(&good).await).await, "completed").await;
    assert_eq!(counts(&run), [("provisioned".to_owned(), 1)].into());
    let log = serving.stop().await;
    for reason in ["too_deep", "duplicate_key", "syntax", "no_records"] {
        assert!(log.contains(&format!("reason=\"{reason}\"")), "{reason} is not in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_delivery_is_the_first_one_before_and_after_it_is_processed() {
    let (stage, serving, sender) = signed(5).await;
    let first = Signed::now("msg_1", &json!({"data": [worker(1, "Old")]}));
    let id = accepted_id(sender.send(&first).await).await;
    let again = accepted(sender.send(&first).await).await;
    assert_eq!((&again["id"], &again["duplicate"]), (&json!(id), &json!(true)));
    sender.run_of(&id, "completed").await;
    let newer = Signed::now("msg_2", &json!({"data": [worker(1, "New")]}));
    sender.run_of(&accepted_id(sender.send(&newer).await).await, "completed").await;
    let runs = stage.runs().await.len();
    let again = accepted(sender.send(&first).await).await;
    assert_eq!((&again["id"], &again["duplicate"]), (&json!(id), &json!(true)));
    // a new signature over the same id is the sender trying again
    let retried = Signed::at("msg_1", first.timestamp + 30, &first.body);
    assert_eq!(accepted(sender.send(&retried).await).await["duplicate"], true);
    sender.until_processed().await;
    assert_eq!(stage.runs().await.len(), runs);
    assert_eq!(stage.directory().await["E0001"]["department"], "New");
    serving.stop().await;
}

/// What is not in a delivery is not known: it must not be taken for empty, whoever else is in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_all_members_is_rejected_and_the_others_are_not() {
    let (stage, serving, sender) = keyed(20).await;
    let mut partial = worker(3, "Changed");
    partial.as_object_mut().unwrap().remove("Department");
    let mut manager = worker(4, "Changed");
    manager.as_object_mut().unwrap().remove("Manager");
    let id =
        accepted_id(sender.deliver(&json!([partial, worker(5, "Changed"), manager])).await).await;
    let (delivery, run) = sender.run_of(&id, "completed").await;
    assert_eq!(counts(&run), [("provisioned".to_owned(), 1), ("rejected".to_owned(), 2)].into());
    let operations = stage.operations(delivery["run"].as_str().unwrap()).await;
    let told: Vec<_> =
        operations.iter().map(|operation| (&operation["externalId"], &operation["code"])).collect();
    let missing = json!("source.missing-member");
    assert_eq!(told[0], (&json!("E0003"), &missing), "{operations:?}");
    assert!(
        operations[0]["reason"].as_str().unwrap().contains("`Department` is not in the record")
    );
    assert_eq!(told[2], (&json!("E0004"), &missing));
    // all of them alone: nobody has it
    let mut partial = worker(6, "Changed");
    partial.as_object_mut().unwrap().remove("Department");
    let id = accepted_id(sender.deliver(&partial).await).await;
    let (_, run) = sender.run_of(&id, "completed").await;
    assert_eq!(counts(&run), [("rejected".to_owned(), 1)].into());
    let directory = stage.directory().await;
    assert_eq!(directory["E0003"]["department"], "Department 1");
    assert_eq!(directory["E0004"]["manager"], "E0000");
    assert_eq!(directory["E0005"]["department"], "Changed");
    serving.stop().await;
}

/// Invariant 3 by drops: each delivery is small, and together they are what a guard is for.
#[tokio::test(flavor = "multi_thread")]
async fn many_small_deliveries_are_judged_together() {
    let rules = format!("{KEYED}\nguard = {{ max_leavers = \"5\", max_changes = false }}");
    let stage = stage_with(&rules, 40).await;
    let keys = Sender::keys(&stage).await;
    let serving = Serving::start(&stage);
    let sender = Sender::of(&serving, keys).await;
    let mut held = Vec::new();
    for number in 1..=7 {
        let mut leaver = worker(number, "Department 1");
        leaver["Status"] = json!("Left");
        let id = accepted_id(sender.deliver(&leaver).await).await;
        let path = format!("/api/v1/deliveries/{id}");
        let delivery = sender.until(&path, |found| found["run"].is_string()).await;
        let run = format!("/api/v1/runs/{}", delivery["run"].as_str().unwrap());
        let run = sender.look(&run).await;
        held.push(run["status"] == "held");
        if run["status"] == "held" {
            assert_eq!(run["held_by"][0]["guard"], "max_leavers", "{run}");
        }
    }
    assert_eq!(held, [false, false, false, false, true, true, true]);
    let runs = sender.look("/api/v1/runs?limit=3").await;
    for run in runs["runs"].as_array().unwrap() {
        sender.post(&format!("/api/v1/runs/{}/approve", run["run"].as_str().unwrap())).await;
    }
    for run in runs["runs"].as_array().unwrap() {
        let path = format!("/api/v1/runs/{}", run["run"].as_str().unwrap());
        sender.until(&path, |run| run["status"] == "completed").await;
    }
    let disabled =
        stage.directory().await.values().filter(|user| user["accountEnabled"] == false).count();
    assert_eq!(disabled, 7);
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_delivery_of_a_source_waits_for_somebody() {
    let stage = Stage::with_rules(&format!("{KEYED}\n{UNGUARDED}")).await;
    let keys = Sender::keys(&stage).await;
    let serving = Serving::start(&stage);
    let sender = Sender::of(&serving, keys).await;
    let id = accepted_id(sender.deliver(&worker(1, "X")).await).await;
    let (_, run) = sender.run_of(&id, "held").await;
    assert_eq!(run["held_by"][0]["guard"], "first_run", "{run}");
    assert!(stage.directory().await.is_empty());
    sender.post(&format!("/api/v1/runs/{}/approve", run["run"].as_str().unwrap())).await;
    sender.run_of(&id, "completed").await;
    assert_eq!(stage.directory().await.len(), 1);
    serving.stop().await;
}

/// The senders are where this config says they are, however they write: forms, pings, tokens.
#[tokio::test(flavor = "multi_thread")]
async fn forms_and_handshakes_are_answered_as_vendors_want() {
    let feed = |name: &str, verify: &str| {
        format!(
            "[source.{name}]\ntarget = \"entra\"\n{UNGUARDED}\nwebhook = {{ verify = \"{verify}\", secrets = [{{ env = \"ZQ_HOOK\" }}], coalesce = \"50ms\" }}\n\
             [source.{name}.mapping]\nexternalId = \"id\"\nuserName = \"login\"\nactive = {{ from = \"state\", map = {{ on = true, off = false }} }}\ndisplayName = \"name\"\n"
        )
    };
    let feeds = format!("{}{}", feed("bob", "hibob"), feed("gusto", "gusto"));
    let stage = Stage::with_feeds(crate::support::quick(), &feeds).await;
    let make = async |words: &[&str]| {
        let made =
            stage.run(&[&["key", "create", "--json", "--expires", "1d"], words].concat()).await;
        made.assert_code(0).json()["key"].as_str().unwrap().to_owned()
    };
    let keys = (make(&["--source", "bob"]).await, make(&["--scope", "admin"]).await);
    let serving = Serving::start_with(&stage, &[SECRET_ENV]);
    let sender = Sender::of(&serving, keys).await;
    let post = async |source: &str, content: &str, body: &str| {
        let request = sender.http.post(format!("{}/hooks/{source}", sender.url));
        let request = request.header("content-type", content.to_owned());
        request.body(body.to_owned()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(post("bob", "text/plain", "Ping test").await, 200);
    assert_eq!(post("bob", "application/json", "{\"text\":\"Ping test\"}").await, 200);
    let token = r#"{"verification_token":"t0ken-zq","webhook_subscription_uuid":"sub-1"}"#;
    assert_eq!(post("gusto", "application/json", token).await, 200);
    let hook = sender.look("/api/v1/sources/gusto/webhook").await;
    assert_eq!(hook["verification"]["token"], "t0ken-zq", "{hook}");
    assert_eq!((&hook["waiting"], &hook["last_received_at"]), (&json!(0), &Value::Null));
    // a form, as Rippling writes it; `Expect` as Paylocity sends it
    let request = sender.http.post(format!("{}/hooks/bob", sender.url)).bearer_auth(&sender.key);
    let request = request.header("expect", "100-continue");
    let request =
        request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let answer = request
        .body("id=E1&login=e1%40contoso.example&state=on&name=Zo%C3%AB+B")
        .send()
        .await
        .unwrap();
    let (delivery, run) = sender.run_of(&accepted_id(answer).await, "held").await;
    assert_eq!((&delivery["source"], &run["rows"]), (&json!("bob"), &json!(1)));
    sender.post(&format!("/api/v1/runs/{}/approve", run["run"].as_str().unwrap())).await;
    sender.run_of(delivery["id"].as_str().unwrap(), "completed").await;
    assert_eq!(stage.directory().await["E1"]["displayName"], "Zoë B");
    let log = serving.stop().await;
    assert!(!log.contains("t0ken-zq"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_has_to_fit_the_schema_and_the_rate() {
    let schema =
        r#"{"type":"object","required":["Id"],"properties":{"Id":{"pattern":"^E[0-9]{4}$"}}}"#;
    let rules = "webhook = { verify = \"bearer\", coalesce = \"50ms\", schema = \"worker.schema.json\", rate = \"3/1h\" }";
    let stage = stage_with(&format!("{rules}\n{UNGUARDED}"), 5).await;
    stage.run(&["check"]).await.assert_code(2).assert_says("the file of `schema` cannot be read");
    stage.write("worker.schema.json", "{\"type\": \"worker\"}");
    stage.run(&["check"]).await.assert_code(2).assert_says("it is no JSON Schema");
    stage.write("worker.schema.json", schema);
    stage.run(&["check"]).await.assert_code(0);
    let keys = Sender::keys(&stage).await;
    let serving = Serving::start(&stage);
    let sender = Sender::of(&serving, keys).await;
    let mut wrong = worker(1, "X");
    wrong["Id"] = json!("secret-id");
    let answer = sender.deliver(&wrong).await;
    assert_eq!(answer.status().as_u16(), 400);
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("`/Id` does not fit the schema") && !text.contains("secret-id"),
        "{text}"
    );
    for number in 0..3 {
        accepted_id(sender.deliver(&worker(number, "X")).await).await;
    }
    let answer = sender.deliver(&worker(4, "X")).await;
    assert_eq!(answer.status().as_u16(), 429);
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=1_200).contains(&wait), "{wait}");
    sender.until_processed().await;
    serving.stop().await;
}
