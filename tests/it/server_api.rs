//! The API as its callers see it: documents, pages, uploads, decisions.

use reqwest::Method;
use serde_json::Value;

use crate::server_support::{ADMIN, READER, Served, assert_is_guarded, assert_problem, json_of};
use crate::support::{HEADER, Stage, count, worker, workers};

/// A stage with a delivered run of so many people.
async fn delivered(people: usize) -> (Served, String) {
    let served = Served::new().await;
    served.stage.write("w.csv", &workers(people, 1));
    let ran = served.stage.apply("w.csv", &["--wait", "outcome"]).await;
    ran.assert_code(0);
    let id = ran.json()["run"].as_str().unwrap().to_owned();
    (served, id)
}

#[tokio::test]
async fn documents_are_those_of_the_command_line() {
    let (served, id) = delivered(5).await;
    let (stage, rejected) = (&served.stage, "E0001,Maybe,,,,,\n");
    stage.write("w2.csv", &format!("{}{rejected}", workers(5, 2)));
    stage.apply("w2.csv", &["--wait", "none"]).await;

    let answer = served.ask(Method::GET, "/api/v1/runs", READER).send().await.unwrap();
    assert_is_guarded(&answer);
    assert_eq!(answer.headers()["content-type"], "application/json");
    let page = json_of(answer).await;
    let runs = stage.run(&["runs", "--json"]).await.json();
    assert_eq!(page, serde_json::json!({"runs": runs, "next": null}));
    assert_eq!(served.get(&format!("/api/v1/runs/{id}")).await, stage.status(&id).await);

    for run in runs.as_array().unwrap() {
        let id = run["run"].as_str().unwrap();
        let page = served.get(&format!("/api/v1/runs/{id}/operations")).await;
        assert_eq!(page["operations"], Value::Array(stage.operations(id).await));
        assert_eq!(page["next"], Value::Null);
    }
    let record = stage.run(&["record", "E0001", "--json"]).await.json();
    assert_eq!(served.get("/api/v1/records/E0001").await, record);
    // the members stand in the same order too
    let text = served.ask(Method::GET, "/api/v1/records/E0001", READER).send().await.unwrap();
    assert_eq!(
        text.text().await.unwrap(),
        stage.run(&["record", "E0001", "--json"]).await.out.trim()
    );
}

#[tokio::test]
async fn pages_lead_to_the_end() {
    let served = Served::new().await;
    for version in 1..=5 {
        served.stage.write("w.csv", &workers(25, version));
        served.stage.apply("w.csv", &["--wait", "none"]).await.assert_code(0);
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/runs?limit=2".to_owned());
    let mut pages = 0;
    loop {
        let page = served.get(&path).await;
        seen.extend(page["runs"].as_array().unwrap().clone());
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/runs?limit=2&after={next}");
    }
    assert_eq!(pages, 3);
    let runs = served.stage.run(&["runs", "--json"]).await.json();
    assert_eq!(Value::Array(seen), runs);

    let newest = runs[0]["run"].as_str().unwrap();
    for (status, expected) in [("", 25), ("&status=queued", 25), ("&status=failed,rejected", 0)] {
        let (mut seen, mut after) = (0, String::new());
        loop {
            let path = format!("/api/v1/runs/{newest}/operations?limit=10{status}{after}");
            let page = served.get(&path).await;
            seen += page["operations"].as_array().unwrap().len();
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(seen, expected, "{status}");
    }
    // exactly as many as a page takes: there is no next one
    let page = served.get(&format!("/api/v1/runs/{newest}/operations?limit=25")).await;
    assert_eq!(page["next"], Value::Null);
}

#[tokio::test]
async fn an_uploaded_file_is_held_first_approved_and_delivered() {
    let served = Served::new().await;
    let answer = served.upload("hr", "workers.csv", workers(3, 1)).await;
    assert_eq!(answer.status(), 201);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    let held = json_of(answer).await;
    assert_eq!(
        (held["status"].as_str(), held["file"].as_str()),
        (Some("held"), Some("workers.csv"))
    );
    assert_eq!(held["held_by"][0]["guard"], "first_run");
    assert!(held["findings"].is_array());
    let mut stored = served.get(&place).await;
    stored["findings"] = held["findings"].clone();
    assert_eq!(stored, held);
    served.stage.run(&["work"]).await;
    assert!(served.stage.directory().await.is_empty(), "nothing goes out before it is approved");

    let changed = served.running.changed();
    let answer = served.post(&format!("{place}/approve")).await;
    assert_eq!(answer.status(), 200);
    let approved = json_of(answer).await;
    assert_eq!(approved["status"], "delivering");
    assert_eq!(approved["decisions"][0]["decision"], "approved");
    assert_eq!(approved["decisions"][0]["by"], "admin_token");
    tokio::time::timeout(std::time::Duration::from_secs(5), changed.notified()).await.unwrap();
    served.stage.run(&["work", "--until", "settled"]).await.assert_code(0);
    served.stage.assert_directory_is(3, 1).await;

    // what is not held any more is not approved again
    let answer = served.post(&format!("{place}/approve")).await;
    assert_problem(answer, 409, "conflict").await;
    // the same bytes are the same run
    let answer = served.upload("hr", "again.csv", workers(3, 1)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(json_of(answer).await["run"], held["run"]);
}

#[tokio::test]
async fn a_later_upload_goes_out_and_can_be_cancelled() {
    let (served, _) = delivered(3).await;
    let answer = served.upload("hr", "second.csv", workers(3, 2)).await;
    assert_eq!(answer.status(), 201);
    let run = json_of(answer).await;
    assert_eq!(run["status"], "delivering");
    let id = run["run"].as_str().unwrap();
    let answer = served.post(&format!("/api/v1/runs/{id}/cancel")).await;
    let cancelled = json_of(answer).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(count(&cancelled, "cancelled"), 3);
    let answer = served.post(&format!("/api/v1/runs/{id}/cancel")).await;
    assert_problem(answer, 409, "conflict").await;
    served.stage.run(&["work", "--until", "settled"]).await;
    served.stage.assert_directory_is(3, 1).await;
}

#[tokio::test]
async fn what_failed_is_tried_again() {
    let served = Served::new().await;
    let bad = "X1,Active,x1@elsewhere.example,X,X,D,";
    served.stage.write("w.csv", &format!("{HEADER}\n{}\n{bad}\n", worker(0, 1)));
    let ran = served.stage.apply("w.csv", &["--wait", "outcome"]).await;
    let run = ran.json();
    assert_eq!(count(&run, "failed"), 1, "{run}");
    let id = run["run"].as_str().unwrap();
    let answer = served.post(&format!("/api/v1/runs/{id}/retry?status=unconfirmed")).await;
    assert_eq!(count(&json_of(answer).await, "failed"), 1, "nothing is unconfirmed");
    let answer = served.post(&format!("/api/v1/runs/{id}/retry?status=held")).await;
    assert_problem(answer, 400, "bad-request").await;
    let answer = served.post(&format!("/api/v1/runs/{id}/retry")).await;
    let again = json_of(answer).await;
    assert_eq!((count(&again, "failed"), count(&again, "queued")), (0, 1));
    assert_eq!(again["decisions"][0]["decision"], "retried");
    assert_eq!(again["decisions"][0]["by"], "admin_token");
}

#[tokio::test]
async fn a_refused_file_is_a_problem_with_its_run() {
    let served = Served::new().await;
    let answer = served.upload("hr", "broken.csv", "Id,Status\nE1,\"").await;
    let problem = assert_problem(answer, 422, "file-refused").await;
    let run = &problem["run"];
    assert_eq!(
        (run["status"].as_str(), run["file"].as_str()),
        (Some("failed"), Some("broken.csv"))
    );
    assert_eq!(problem["code"], run["problem"]["code"]);
    assert_eq!(problem["detail"], run["problem"]["message"]);
    assert_eq!(problem["place"], run["problem"]["place"]);
    let id = run["run"].as_str().unwrap();
    assert_eq!(served.get(&format!("/api/v1/runs/{id}")).await, *run);
    // an empty one is refused as well
    let problem =
        assert_problem(served.upload("hr", "empty.csv", "").await, 422, "file-refused").await;
    assert_eq!(problem["run"]["file"], "empty.csv");
    let answer = served.post(&format!("/api/v1/runs/{id}/approve")).await;
    assert_problem(answer, 409, "conflict").await;
}

#[tokio::test]
async fn a_file_has_the_name_that_it_was_given() {
    let served = Served::new().await;
    let disposition = "attachment; filename*=UTF-8''M%C3%BCller%201.csv";
    let answer = served
        .ask(Method::POST, "/api/v1/sources/hr/files", ADMIN)
        .header("Content-Disposition", disposition)
        .header("Content-Type", "text/csv")
        .body(workers(1, 1))
        .send()
        .await
        .unwrap();
    assert_eq!(json_of(answer).await["file"], "Müller 1.csv");
    for name in ["..%2F..%2Fetc%2Fpasswd", "a%5Cb", "a%00b", ".hidden", ""] {
        let answer = served.upload("hr", name, workers(1, 2)).await;
        assert_problem(answer, 400, "bad-request").await;
    }
    for (header, value) in
        [("Content-Type", "multipart/form-data; boundary=x"), ("Content-Encoding", "gzip")]
    {
        let answer = served
            .ask(Method::POST, "/api/v1/sources/hr/files", ADMIN)
            .header(header, value)
            .body(workers(1, 2))
            .send()
            .await
            .unwrap();
        assert_problem(answer, 415, "unsupported-media-type").await;
    }
    assert_eq!(served.stage.runs().await.len(), 1, "nothing of these was stored");
}

#[tokio::test]
async fn the_date_in_the_name_of_an_uploaded_file_counts() {
    let rules = "time_zone = \"UTC\"\nas_of = { name = \"w-%Y%m%d.csv\" }";
    let served = Served::on(Stage::with_rules(rules).await, "").await;
    let answer = served.upload("hr", "w-20260102.csv", workers(1, 1)).await;
    assert_eq!(json_of(answer).await["as_of"], "2026-01-02T00:00:00Z");
}
