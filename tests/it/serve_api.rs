//! `serve` with its API: what is uploaded is delivered, and what is decided happens, by itself.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::serve_support::{QUICK, Serving, stage_with};
use crate::support::{Stage, workers};

struct Api {
    url: String,
    http: Client,
}

impl Api {
    async fn of(serving: &Serving) -> Self {
        Self { url: serving.url().await, http: Client::builder().no_proxy().build().unwrap() }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: String,
    ) -> (StatusCode, Value) {
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(key);
        let answer = request.body(body).send().await.unwrap();
        let status = answer.status();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    /// Waits until a run has this status.
    async fn run_is(&self, key: &str, run: &str, status: &str) -> Value {
        for _ in 0..600 {
            let path = format!("/api/v1/runs/{run}");
            let (_, document) = self.ask(Method::GET, &path, key, String::new()).await;
            if document["status"] == status {
                return document;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        panic!("the run is not {status}");
    }
}

async fn key(stage: &Stage, words: &[&str]) -> (String, String) {
    let made = stage.run(&[&["key", "create", "--json"], words].concat()).await;
    let made = made.assert_code(0).json();
    (made["key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_delivered_and_a_held_one_when_somebody_approves() {
    let stage = stage_with(&format!("{QUICK}\nguard = {{ max_changes = \"30%\" }}"), 40).await;
    let (admin, admin_id) = key(&stage, &["--scope", "admin", "--expires", "1d"]).await;
    let (reader, id) = key(&stage, &["--scope", "reader", "--expires", "1d"]).await;
    let serving = Serving::start(&stage);
    let api = Api::of(&serving).await;
    let files = "/api/v1/sources/hr/files?name=day2.csv";

    let (status, _) = api.ask(Method::POST, files, &reader, workers(41, 1)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, run) = api.ask(Method::POST, files, &admin, workers(41, 1)).await;
    assert_eq!((status, &run["changes"]["joiner"]), (StatusCode::CREATED, &json!(1)));
    let run = api.run_is(&reader, run["run"].as_str().unwrap(), "completed").await;
    assert_eq!(run["counts"]["provisioned"], 1);
    stage.assert_directory_is(41, 1).await;

    let (status, again) = api.ask(Method::POST, files, &admin, workers(41, 1)).await;
    assert_eq!((status, &again["run"]), (StatusCode::OK, &run["run"]));

    // everybody changes: the guard holds it, until somebody lets it go
    let (_, held) = api.ask(Method::POST, files, &admin, workers(41, 2)).await;
    assert_eq!(
        (&held["status"], &held["held_by"][0]["guard"]),
        (&json!("held"), &json!("max_changes"))
    );
    stage.assert_directory_is(41, 1).await;
    let approve = format!("/api/v1/runs/{}/approve", held["run"].as_str().unwrap());
    assert_eq!(
        api.ask(Method::POST, &approve, &reader, String::new()).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(api.ask(Method::POST, &approve, &admin, String::new()).await.0, StatusCode::OK);
    let run = api.run_is(&reader, held["run"].as_str().unwrap(), "completed").await;
    assert_eq!(run["decisions"][0]["by"], json!(format!("key {admin_id}")));
    stage.assert_directory_is(41, 2).await;

    // a revoked key opens nothing any more
    stage.run(&["key", "revoke", &id]).await.assert_code(0);
    let (status, _) = api.ask(Method::GET, "/api/v1/runs", &reader, String::new()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    serving.stop().await;
}
