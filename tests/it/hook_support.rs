//! HR systems that call a webhook.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Response};
use scimport::domain::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::serve_support::Serving;
use crate::support::{Stage, worker_id};

/// A Standard Webhooks secret, and its bytes.
pub const SECRET: &str = "whsec_YnJpZGdlLXRlc3Qta2V5LTAwMDEtMjQtYnl0ZXMh";
const SECRET_BYTES: &[u8] = b"bridge-test-key-0001-24-bytes!";
/// The variable that the config finds it in.
pub const SECRET_ENV: (&str, &str) = ("ZQ_HOOK", SECRET);
/// A webhook whose deliveries are signed.
pub const SIGNED: &str = "webhook = { verify = \"standard-webhooks\", secrets = [{ env = \"ZQ_HOOK\" }], records = \"/data\", coalesce = \"200ms\" }";
/// A webhook whose deliveries come with a key.
pub const KEYED: &str =
    "webhook = { verify = \"bearer\", coalesce = \"200ms\", rate = \"100000/1s\" }";

/// A worker of a stage, as JSON.
pub fn worker(number: usize, department: &str) -> Value {
    let id = worker_id(number);
    json!({
        "Id": id, "Status": "Active", "Login": format!("{}@contoso.example", id.to_lowercase()),
        "First": format!("First{number}"), "Last": format!("Last{number}"),
        "Department": department, "Manager": null, "Unmapped": [1, {"x": true}]
    })
}

/// A stand-in for an HR system.
#[derive(Clone)]
pub struct Sender {
    pub url: String,
    pub http: Client,
    /// A key of the source.
    pub key: String,
    /// An admin's key.
    pub admin: String,
}

/// What goes over the wire.
pub struct Signed {
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    pub body: String,
}

impl Signed {
    /// Signed now.
    pub fn now(id: &str, body: &Value) -> Self {
        Self::at(id, SystemClock.now().as_second(), &body.to_string())
    }

    pub fn at(id: &str, timestamp: i64, body: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET_BYTES);
        let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(tag));
        Self { id: id.to_owned(), timestamp, signature, body: body.to_owned() }
    }
}

impl Sender {
    /// With keys that are made before the daemon starts.
    pub async fn keys(stage: &Stage) -> (String, String) {
        let make = async |words: &[&str]| {
            let words = [&["key", "create", "--json", "--expires", "1d"], words].concat();
            let made = stage.run(&words).await;
            made.assert_code(0).json()["key"].as_str().unwrap().to_owned()
        };
        (make(&["--source", "hr"]).await, make(&["--scope", "admin"]).await)
    }

    pub async fn of(serving: &Serving, (key, admin): (String, String)) -> Self {
        let http = Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap();
        Self { url: serving.url().await, http, key, admin }
    }

    /// Delivers with the key.
    pub async fn deliver(&self, body: &Value) -> Response {
        let request = self.http.post(format!("{}/hooks/hr", self.url)).bearer_auth(&self.key);
        request
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap()
    }

    /// Delivers what is signed.
    pub async fn send(&self, signed: &Signed) -> Response {
        let request = self.http.post(format!("{}/hooks/hr", self.url));
        let request = request
            .header("webhook-id", &signed.id)
            .header("webhook-timestamp", signed.timestamp)
            .header("webhook-signature", &signed.signature)
            .header("content-type", "application/json");
        request.body(signed.body.clone()).send().await.unwrap()
    }

    /// Looks, as an admin.
    pub async fn look(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.admin);
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// Decides, as an admin.
    pub async fn post(&self, path: &str) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.admin);
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// Waits until something looks as it should.
    pub async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Value::Null;
        for _ in 0..1_200 {
            seen = self.look(path).await;
            if is_so(&seen) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{path} stays {seen}");
    }

    /// Waits until nothing waits.
    pub async fn until_processed(&self) {
        self.until("/api/v1/sources/hr/webhook", |hook| hook["waiting"] == 0).await;
    }

    /// Waits until a delivery's run has a status; gives the delivery and the run.
    pub async fn run_of(&self, delivery: &str, status: &str) -> (Value, Value) {
        let path = format!("/api/v1/deliveries/{delivery}");
        let delivery = self.until(&path, |found| found["run"].is_string()).await;
        let run = format!("/api/v1/runs/{}", delivery["run"].as_str().unwrap());
        let run = self.until(&run, |found| found["status"] == status).await;
        (delivery, run)
    }
}

/// The id in a 202.
pub async fn accepted(answer: Response) -> Value {
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    assert_eq!(status, 202, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The id in a 202.
pub async fn accepted_id(answer: Response) -> String {
    accepted(answer).await["id"].as_str().unwrap().to_owned()
}
