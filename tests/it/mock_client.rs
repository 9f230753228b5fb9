//! A bare client of the stand-in, for the tests that ask whether the stand-in itself is right. It
//! builds every request by hand.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as tests may"
)]

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};
use scimport::mock_entra::{
    CLIENT_ID, CLIENT_SECRET, JOB_ID, MockConfig, MockEntra, SERVICE_PRINCIPAL_ID, TENANT_ID,
};
use serde_json::{Value, json};

pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// Cycles run only when told, and events are visible at once.
pub fn by_hand() -> MockConfig {
    MockConfig {
        cycle: Duration::from_hours(1),
        log_delay: (Duration::ZERO, Duration::ZERO),
        ..MockConfig::default()
    }
}

/// As `by_hand`, with tokens that may start, pause and restart the job and outlast any advance.
pub fn operated() -> MockConfig {
    let roles = [
        "SynchronizationData-User.Upload",
        "ProvisioningLog.Read.All",
        "Synchronization.ReadWrite.All",
    ];
    MockConfig {
        roles: roles.map(str::to_owned).to_vec(),
        token_lifetime: Duration::from_hours(24 * 365),
        ..by_hand()
    }
}

pub struct Mock {
    pub server: MockEntra,
    pub http: Client,
    pub token: String,
}

pub fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

pub fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub async fn json_of(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

impl Mock {
    /// A stand-in whose cycles run only when told.
    pub async fn new() -> Self {
        Self::with(by_hand()).await
    }

    pub async fn with(config: MockConfig) -> Self {
        let server = MockEntra::start(config).await.unwrap();
        let mut mock = Self { server, http: client(), token: String::new() };
        mock.sign_in().await;
        mock
    }

    pub async fn sign_in(&mut self) {
        let answer = self
            .http
            .post(format!("{}/{TENANT_ID}/oauth2/v2.0/token", self.server.url()))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form(&[
                ("grant_type", "client_credentials"),
                ("client_id", CLIENT_ID),
                ("client_secret", CLIENT_SECRET),
                ("scope", "https://graph.microsoft.com/.default"),
            ]))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let body = json_of(answer).await;
        body["access_token"].as_str().unwrap().clone_into(&mut self.token);
    }

    pub fn graph(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.server.url()))
            .header("Authorization", format!("Bearer {}", self.token))
    }

    pub fn job(&self, method: Method, end: &str) -> RequestBuilder {
        let path = format!(
            "/v1.0/servicePrincipals/{SERVICE_PRINCIPAL_ID}/synchronization/jobs/{JOB_ID}{end}"
        );
        self.graph(method, &path)
    }

    pub fn upload(&self, body: &Value) -> RequestBuilder {
        self.job(Method::POST, "/bulkUpload")
            .header("Content-Type", "application/scim+json")
            .body(body.to_string())
    }

    /// Uploads, which must succeed.
    pub async fn stage(&self, users: &[Value]) {
        let answer = self.upload(&bulk(users)).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }

    /// Uploads and runs a cycle.
    pub async fn provision(&self, users: &[Value]) {
        self.stage(users).await;
        self.cycle().await;
    }

    pub async fn cycle(&self) {
        assert_eq!(self.tell("cycle", &json!({})).await["ran"], true);
    }

    /// Does `start`, `pause` or `restart` with a body.
    pub async fn act(&self, verb: &str, body: &str) {
        let answer = self.job(Method::POST, verb).body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), 204, "{verb} {body}");
    }

    /// Restarts the job with that reset scope.
    pub async fn restart(&self, scope: &str) {
        let body = json!({ "criteria": { "resetScope": scope } });
        self.act("/restart", &body.to_string()).await;
    }

    /// Moves the mock's clock.
    pub async fn advance(&self, by: Duration) {
        self.tell("advance", &json!({ "seconds": by.as_secs() })).await;
    }

    /// The job as Graph shows it.
    pub async fn shown_job(&self) -> Value {
        let answer = self.job(Method::GET, "").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        json_of(answer).await
    }

    /// The job's state, and why it is in quarantine.
    pub async fn health(&self) -> (String, String) {
        let status = self.shown_job().await["status"].take();
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        (text(&status["code"]), text(&status["quarantine"]["reason"]))
    }

    /// One of the control plane's numbers.
    pub async fn count(&self, what: &str) -> u64 {
        self.ask("stats").await[what].as_u64().unwrap()
    }

    /// What the control plane shows.
    pub async fn ask(&self, what: &str) -> Value {
        let url = format!("{}/_mock/{what}", self.server.url());
        json_of(self.http.get(url).send().await.unwrap()).await
    }

    /// Tells the control plane something, which must be taken.
    pub async fn tell(&self, what: &str, body: &Value) -> Value {
        let url = format!("{}/_mock/{what}", self.server.url());
        let answer = self.http.post(url).body(body.to_string()).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{what}: {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// One account, by employee id; null where there is none.
    pub async fn user(&self, external_id: &str) -> Value {
        let users = self.ask("directory").await;
        let users = users.as_array().unwrap();
        users.iter().find(|user| user["externalId"] == external_id).cloned().unwrap_or_default()
    }

    /// A page of the log.
    pub async fn log(&self, query: &[(&str, &str)]) -> Response {
        let path = format!("/v1.0/auditLogs/provisioning?{}", form(query));
        self.graph(Method::GET, &path).send().await.unwrap()
    }

    /// All events of a person, oldest first.
    pub async fn events(&self, external_id: &str) -> Vec<Value> {
        let filter = format!("jobid eq '{JOB_ID}' and sourceIdentity/id eq '{external_id}'");
        let answer = self.log(&[("$filter", &filter), ("$orderby", "activityDateTime")]).await;
        assert_eq!(answer.status(), 200);
        json_of(answer).await["value"].as_array().unwrap().clone()
    }

    /// The last event of a person as (action, status, code).
    pub async fn outcome(&self, external_id: &str) -> (String, String, String) {
        let events = self.events(external_id).await;
        let event = events.last().expect("the person has an event");
        let info = &event["provisioningStatusInfo"];
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        (
            text(&event["provisioningAction"]),
            text(&info["status"]),
            text(&info["errorInformation"]["errorCode"]),
        )
    }

    /// Waits until the control plane's stats fit.
    pub async fn until(&self, fits: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let stats = self.ask("stats").await;
            if fits(&stats) {
                return stats;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the stand-in never came to it: {}", self.ask("stats").await)
    }
}

/// A bulk request.
pub fn bulk(users: &[Value]) -> Value {
    let operations: Vec<_> = users
        .iter()
        .map(|user| json!({ "method": "POST", "bulkId": "b", "path": "/Users", "data": user }))
        .collect();
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
        "failOnErrors": null,
    })
}

/// A user with a verified sign-in name.
pub fn user(external_id: &str) -> Value {
    json!({
        "schemas": [CORE, ENTERPRISE],
        "externalId": external_id,
        "userName": format!("u{external_id}@contoso.example"),
        "displayName": format!("User {external_id}"),
        "active": true,
    })
}

/// The same user with a manager.
pub fn report(external_id: &str, manager: &str) -> Value {
    let mut user = user(external_id);
    user[ENTERPRISE] = json!({ "manager": { "value": manager } });
    user
}

/// A user whose sign-in name has a domain that is not verified: it fails until it is.
pub fn failing(external_id: &str) -> Value {
    let mut user = user(external_id);
    user["userName"] = json!(format!("u{external_id}@fabrikam.example"));
    user
}

/// The user as a leaver.
pub fn leaver(external_id: &str) -> Value {
    let mut user = user(external_id);
    user["active"] = json!(false);
    user
}
