//! A stage with the API listening, and callers of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};
use scimport::bridge::{Bridge, Setup};
use scimport::domain::SystemClock;
use scimport::mock_entra::CLIENT_SECRET;
use scimport::server::{self, Running};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::support::Stage;

pub const ADMIN: &str = "zqadmin-0123456789abcdef";
pub const READER: &str = "zqreader-0123456789abcdef";
/// In every test's config; more lines may follow.
const SECTION: &str = r#"
[server]
listen = "127.0.0.1:0"
admin_token = { env = "ZQ_ADMIN" }
reader_token = { env = "ZQ_READER" }
"#;

/// A stage with the API listening.
pub struct Served {
    pub stage: Stage,
    pub url: String,
    pub running: Running,
    pub cancel: CancellationToken,
    pub http: Client,
}

impl Served {
    /// On a stage, with further lines for `[server]`.
    #[expect(clippy::unused_async, reason = "needs a runtime")]
    pub async fn on(stage: Stage, lines: &str) -> Self {
        let config = std::fs::read_to_string(stage.path("scimport.toml")).unwrap();
        stage.write("scimport.toml", &format!("{config}\n{SECTION}{lines}\n"));
        let bridge = bridge(&stage.path("scimport.toml"));
        let cancel = CancellationToken::new();
        let settings = bridge.setup.config().server.clone();
        let running = server::start(bridge, Vec::new(), &settings, cancel.clone()).unwrap();
        let url = format!("http://{}", running.address());
        let http = Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap();
        Self { stage, url, running, cancel, http }
    }

    /// Feeds that hold no run but a first one.
    pub async fn new() -> Self {
        Self::on(Stage::new().await, "").await
    }

    /// A request with a credential; without one where it is empty.
    pub fn ask(&self, method: Method, path: &str, credential: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        if credential.is_empty() { request } else { request.bearer_auth(credential) }
    }

    /// Looks at something that is there.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, READER).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        json_of(answer).await
    }

    /// Tells it something.
    pub async fn post(&self, path: &str) -> Response {
        self.ask(Method::POST, path, ADMIN).send().await.unwrap()
    }

    /// Uploads a file.
    pub async fn upload(
        &self,
        source: &str,
        name: &str,
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let path = format!("/api/v1/sources/{source}/files?name={name}");
        self.ask(Method::POST, &path, ADMIN).body(body).send().await.unwrap()
    }

    /// Sends bytes as they are, and reads what comes until the other side closes or falls silent.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.running.address()).await.unwrap();
        // it may have answered and closed before everything was written
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(Ok(count)) =
            tokio::time::timeout(Duration::from_secs(2), stream.read(&mut buffer)).await
        {
            if count == 0 {
                break;
            }
            answer.extend_from_slice(&buffer[..count]);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// The bridge of a config, with all its secrets.
pub fn bridge(config: &Path) -> Arc<Bridge> {
    let env =
        [("SCIMPORT_CLIENT_SECRET", CLIENT_SECRET), ("ZQ_ADMIN", ADMIN), ("ZQ_READER", READER)];
    let env: Vec<_> = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let setup = Setup::load(config, &env).unwrap();
    Arc::new(Bridge::open(setup, Arc::new(SystemClock), env).unwrap())
}

pub async fn json_of(answer: Response) -> Value {
    let text = answer.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in `{text}`"))
}

/// The answer is this problem, as a document of its own type, and says nothing to browsers but no.
pub async fn assert_problem(answer: Response, status: u16, word: &str) -> Value {
    assert_eq!(answer.status().as_u16(), status, "{word}: {answer:?}");
    assert_eq!(answer.headers()["content-type"], "application/problem+json", "{word}");
    assert_is_guarded(&answer);
    let problem = json_of(answer).await;
    assert_eq!(problem["type"], format!("urn:scimport:problem:{word}"), "{problem}");
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string(), "{problem}");
    problem
}

/// The headers that every answer has.
pub fn assert_is_guarded(answer: &Response) {
    let header = |name: &str| {
        let value = answer.headers().get(name).unwrap_or_else(|| panic!("no {name}: {answer:?}"));
        value.to_str().unwrap().to_owned()
    };
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("cache-control"), "no-store");
    assert!(header("content-security-policy").starts_with("default-src 'none'"));
}
