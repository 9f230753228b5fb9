//! The stage of a story: a stand-in Entra, a folder with a config that fits it, and the program
//! itself, run as people run it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use scimport::mock_entra::{CLIENT_SECRET, MockConfig, target_config};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use crate::mock_client::Mock;

/// No command of a story takes longer than this, unless something is stuck.
const STUCK: Duration = Duration::from_mins(8);

/// A small burst limit and quick cycles, so that a story about limits takes seconds. Its twin on
/// our side is in [`Stage::with`].
pub fn quick() -> MockConfig {
    MockConfig {
        burst: 10,
        burst_window: Duration::from_secs(1),
        cycle: Duration::from_millis(100),
        log_delay: (Duration::ZERO, Duration::from_millis(100)),
        log_calls: 10_000,
        ..MockConfig::default()
    }
}

/// The mapping of [`workers`], and of every feed of a stage.
pub const MAPPING: &str = r#"
externalId = "Id"
userName = "Login"
active = { from = "Status", map = { Active = true, Left = false } }
displayName = "{First} {Last}"
"name.givenName" = "First"
"name.familyName" = { from = "Last", required = true }
"enterprise:department" = "Department"
"enterprise:manager" = "Manager"
"#;

/// A stand-in, a folder, and the program.
pub struct Stage {
    pub mock: Mock,
    folder: TempDir,
    /// Seconds by which the program's clock and the stand-in's are ahead.
    ahead: AtomicU64,
}

/// Rules that hold no run: for stories that change everybody at once.
pub const UNGUARDED: &str = "guard = { max_leavers = false, max_joiners = false, max_changes = false, max_rejects = false }";

impl Stage {
    /// A stage whose feeds are `hr` and `payroll`, both of the shape of [`workers`].
    pub async fn new() -> Self {
        Self::with(quick()).await
    }

    /// The same with another stand-in.
    pub async fn with(mock: MockConfig) -> Self {
        let feeds = ["hr", "payroll"].map(|name| {
            format!(
                "[source.{name}]\ntarget = \"entra\"\n{UNGUARDED}\n\n[source.{name}.mapping]{MAPPING}\n"
            )
        });
        Self::with_feeds(mock, &feeds.concat()).await
    }

    /// A stage whose one feed `hr`, of the shape of [`workers`], has these rules.
    pub async fn with_rules(rules: &str) -> Self {
        let feed =
            format!("[source.hr]\ntarget = \"entra\"\n{rules}\n\n[source.hr.mapping]{MAPPING}\n");
        Self::with_feeds(quick(), &feed).await
    }

    /// What time it is on the stage.
    pub fn now(&self) -> jiff::Timestamp {
        let ahead = i64::try_from(self.ahead.load(Ordering::Relaxed)).unwrap();
        scimport::domain::Clock::now(&scimport::domain::SystemClock)
            + jiff::SignedDuration::from_secs(ahead)
    }

    /// Lets time pass until an instant that is still to come.
    pub async fn pass_to(&self, instant: jiff::Timestamp) {
        let wait = instant.duration_since(self.now()).as_secs() + 1;
        self.pass(u64::try_from(wait).expect("an instant that is still to come")).await;
    }

    /// Lets time pass, for the program and for the stand-in.
    pub async fn pass(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
        self.mock.tell("advance", &serde_json::json!({"seconds": seconds})).await;
    }

    /// A stage with feeds of its own, as TOML.
    pub async fn with_feeds(mock: MockConfig, feeds: &str) -> Self {
        let (mock, folder) = (Mock::with(mock).await, tempfile::tempdir().unwrap());
        let stage = Self { mock, folder, ahead: AtomicU64::new(0) };
        let target = target_config(&stage.mock.server.url());
        let target = lines_without(&target, &["burst", "tracking", "retry"]);
        let paced = r#"burst = "10/1s"
tracking = { first_poll = "100ms", poll = "500ms", unconfirmed_after = "5m", reads = "1000/1s" }
retry = { base = "100ms", cap = "1s", bucket_pause = "300ms" }
[http]
timeout = "20s"
"#;
        stage.write("scimport.toml", &format!("{target}{paced}\n{feeds}"));
        stage
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program with these words on its command line, to be run or killed.
    pub fn command(&self, words: &[&str], env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("scimport"));
        command
            .arg("--config")
            .arg(self.path("scimport.toml"))
            .args(words)
            .current_dir(self.folder.path())
            .env("SCIMPORT_CLIENT_SECRET", CLIENT_SECRET)
            .env_remove("SCIMPORT_CONFIG")
            .env("SCIMPORT_REHEARSAL_CLOCK", format!("{}s", self.ahead.load(Ordering::Relaxed)))
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, words: &[&str]) -> Child {
        self.command(words, &[]).spawn().unwrap()
    }

    /// Runs the program to its end.
    pub async fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, &[]).await
    }

    /// Runs the program with further variables in its environment.
    pub async fn run_with(&self, words: &[&str], env: &[(&str, &str)]) -> Ran {
        let child = self.command(words, env).spawn().unwrap();
        ended(child, &words.join(" ")).await
    }

    /// `apply FILE --source hr --json` and further words.
    pub async fn apply(&self, file: &str, words: &[&str]) -> Ran {
        let all = ["apply", file, "--source", "hr", "--json"];
        self.run(&all.into_iter().chain(words.iter().copied()).collect::<Vec<_>>()).await
    }

    /// `status RUN --json`.
    pub async fn status(&self, run: &str) -> Value {
        self.run(&["status", run, "--json"]).await.json()
    }

    /// `runs --json`, oldest first.
    pub async fn runs(&self) -> Vec<Value> {
        let mut runs = self.run(&["runs", "--limit", "1000", "--json"]).await.json();
        let runs = runs.as_array_mut().unwrap();
        runs.reverse();
        std::mem::take(runs)
    }

    /// How many runs there are, while the store may still be in the making.
    pub async fn runs_now(&self) -> usize {
        let ran = self.run(&["runs", "--json"]).await;
        let runs: Option<Value> = serde_json::from_str(&ran.out).ok();
        runs.as_ref().and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// Every operation and rejected row of a run.
    pub async fn operations(&self, run: &str) -> Vec<Value> {
        let ran = self.run(&["status", run, "--json", "--operations"]).await;
        assert_eq!(ran.code, 0, "{}", ran.log);
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The calls noted in the store.
    pub async fn calls_noted(&self) -> u64 {
        let overview = self.run(&["status", "--json"]).await.json();
        overview["targets"][0]["calls_24h"].as_u64().unwrap()
    }

    /// The stand-in's directory by external id; fails when an id is there twice.
    pub async fn directory(&self) -> BTreeMap<String, Value> {
        let users = self.mock.ask("directory").await;
        let mut directory = BTreeMap::new();
        for user in users.as_array().unwrap() {
            let id = user["externalId"].as_str().unwrap().to_owned();
            assert!(directory.insert(id, user.clone()).is_none(), "two accounts of {user}");
        }
        directory
    }

    /// The directory holds exactly the people of [`workers`] as that file had them.
    pub async fn assert_directory_is(&self, count: usize, version: u32) {
        let directory = self.directory().await;
        assert_eq!(directory.len(), count);
        for number in 0..count {
            let id = worker_id(number);
            let user = directory.get(&id).unwrap_or_else(|| panic!("{id} is missing"));
            assert_eq!(user["department"], department(version), "{id}");
            assert_eq!(user["displayName"], format!("First{number} Last{number}"), "{id}");
            assert_eq!(user["accountEnabled"], true, "{id}");
            let manager = manager_of(number).map(worker_id);
            assert_eq!(user["manager"].as_str(), manager.as_deref(), "the manager of {id}");
        }
    }

    /// The requests that carried somebody, a line each.
    async fn requests_with(&self, id: &str) -> String {
        let mut requests = self.mock.ask("requests").await;
        let all = requests.as_array_mut().unwrap();
        all.retain(|request| {
            request["externalIds"].as_array().unwrap().iter().any(|one| one == id)
        });
        all.iter_mut().fold(String::new(), |mut lines, request| {
            request.as_object_mut().unwrap().remove("externalIds");
            writeln!(lines, "{request}").unwrap();
            lines
        })
    }

    /// What must hold after any story: one record is never in two requests at once, the burst limit
    /// is kept, nothing is left half done in the stand-in.
    pub async fn assert_limits_are_kept(&self) -> Value {
        let stats = self.mock.ask("stats").await;
        if let Some(id) = stats["overlapping_records"][0].as_str() {
            panic!("{id} was in two requests at once:\n{}", self.requests_with(id).await);
        }
        let most = stats["most_calls_in_window"].as_u64().unwrap();
        assert!(most <= u64::from(quick().burst), "{most} calls in a window");
        stats
    }
}

/// A TLS server that shows this certificate, both as PEM.
pub fn tls_config(certificate: &str, key: &str) -> ServerConfig {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

fn lines_without(text: &str, keys: &[&str]) -> String {
    let is_kept = |line: &&str| !keys.iter().any(|key| line.starts_with(&format!("{key} =")));
    text.lines().filter(is_kept).fold(String::new(), |mut kept, line| {
        writeln!(kept, "{line}").unwrap();
        kept
    })
}

/// Waits for the end of a program, and fails when it is stuck.
pub async fn ended(child: Child, what: &str) -> Ran {
    let output = tokio::time::timeout(STUCK, child.wait_with_output()).await;
    Ran::of(output.unwrap_or_else(|_| panic!("`{what}` is stuck")).unwrap())
}

/// Lets a program live so long at most, then kills it by SIGKILL: no handler runs.
pub async fn killed_after(mut child: Child, life: Duration) -> Ran {
    let (mut out, mut log) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (mut out_text, mut log_text) = (String::new(), String::new());
    let living = async {
        if let Ok(status) = tokio::time::timeout(life, child.wait()).await {
            return status.unwrap();
        }
        child.start_kill().unwrap();
        child.wait().await.unwrap()
    };
    let (status, read_out, read_log) =
        tokio::join!(living, out.read_to_string(&mut out_text), log.read_to_string(&mut log_text));
    read_out.unwrap();
    read_log.unwrap();
    Ran { code: status.code().unwrap_or(-1), out: out_text, log: log_text }
}

/// What became of a command.
#[derive(Debug)]
pub struct Ran {
    /// Minus 1 when it was killed.
    pub code: i32,
    pub out: String,
    pub log: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            log: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output as one JSON document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error} in `{}`; the log: {}", self.out, self.log))
    }

    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.log);
        self
    }

    #[track_caller]
    pub fn assert_says(&self, words: &str) -> &Self {
        assert!(self.log.contains(words), "`{words}` is not in\n{}", self.log);
        self
    }
}

/// The counts of a run sum up to its rows; gives the count of one status.
#[track_caller]
pub fn count(run: &Value, status: &str) -> u64 {
    let counts = run["counts"].as_object().unwrap_or_else(|| panic!("no counts in {run}"));
    let sum: u64 = counts.values().map(|count| count.as_u64().unwrap()).sum();
    let all = run["rows"].as_u64().unwrap() + run["without_row"].as_u64().unwrap();
    assert_eq!(sum, all, "{run}");
    counts[status].as_u64().unwrap()
}

/// How often each status is in a run, those that are not there left out.
#[track_caller]
pub fn counts(run: &Value) -> BTreeMap<String, u64> {
    count(run, "queued");
    let counts = run["counts"].as_object().expect("counts");
    let given = counts.iter().map(|(status, count)| (status.clone(), count.as_u64().unwrap()));
    given.filter(|(_, count)| *count > 0).collect()
}

pub fn worker_id(number: usize) -> String {
    format!("E{number:04}")
}

/// Teams of ten under their first, who report to the very first.
fn manager_of(number: usize) -> Option<usize> {
    match number {
        0 => None,
        number if number.is_multiple_of(10) => Some(0),
        number => Some(number / 10 * 10),
    }
}

fn department(version: u32) -> String {
    format!("Department {version}")
}

pub const HEADER: &str = "Id,Status,Login,First,Last,Department,Manager";

/// A line of [`workers`].
pub fn worker(number: usize, version: u32) -> String {
    let id = worker_id(number);
    let manager = manager_of(number).map(worker_id).unwrap_or_default();
    let login = format!("{}@contoso.example", id.to_lowercase());
    let department = department(version);
    format!("{id},Active,{login},First{number},Last{number},{department},{manager}")
}

/// A file of so many people; another version is a change of everybody.
pub fn workers(count: usize, version: u32) -> String {
    let lines = std::iter::once(HEADER.to_owned());
    lines.chain((0..count).map(|number| worker(number, version))).fold(
        String::new(),
        |mut text, line| {
            writeln!(text, "{line}").unwrap();
            text
        },
    )
}

/// The real export with a thousand rows of 624 people.
pub fn real_export() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/csv/csv-with-1000-records.csv")
}

/// An authority, a certificate of this machine by it, and the certificate's key, as PEM.
pub fn certificate() -> [String; 3] {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    [authority, certificate, key.serialize_pem()]
}
