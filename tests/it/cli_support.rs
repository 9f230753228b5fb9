//! The real program, in a folder of its own, against a stand-in Entra in this process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scimport::mock_entra::{CLIENT_SECRET, MockConfig, MockEntra, target_config};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Longer than any command here takes; a program that hangs fails its test instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(90);
/// The variable in which the stand-in's config expects the secret.
pub const SECRET_VARIABLE: &str = "SCIMPORT_CLIENT_SECRET";

/// All statuses of an operation, in the order of the documents.
pub const STATUSES: [&str; 13] = [
    "rejected",
    "out_of_scope",
    "unchanged",
    "held",
    "queued",
    "sending",
    "accepted",
    "provisioned",
    "skipped",
    "failed",
    "unconfirmed",
    "superseded",
    "cancelled",
];

/// A source with the rules that the stories need.
pub const SOURCE: &str = r#"
[source.hr]
target = "entra"
time_zone = "Europe/Berlin"
guard = { max_leavers = false, max_joiners = false, max_changes = false, max_rejects = false, max_inactive = false }

[source.hr.mapping]
externalId = "WorkerID"
userName = { from = "UserID", required = true }
active = { from = "WorkerStatus", map = { Active = true, Inactive = false } }
displayName = { from = "Name", max = 20 }
title = "JobTitle"
"enterprise:manager" = "ManagerID"
"urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate" = { from = "HireDate", date = ["%Y-%m-%d"] }
"#;

/// The columns of [`SOURCE`].
pub const HEADER: &str = "WorkerID,UserID,WorkerStatus,Name,JobTitle,ManagerID,HireDate";

/// Three people who will be provisioned.
pub const GOOD: &str = "\
WorkerID,UserID,WorkerStatus,Name,JobTitle,ManagerID,HireDate
E1,e1@contoso.example,Active,Ann,Chief,,2020-01-01
E2,e2@contoso.example,Active,Ben,Clerk,E1,2020-01-01
E3,e3@contoso.example,Inactive,Cy,Clerk,E1,2020-01-01
";

/// One of each: provisioned, failed (a domain that is not verified), rejected (a status word that
/// is not mapped).
pub const MIXED: &str = "\
WorkerID,UserID,WorkerStatus,Name,JobTitle,ManagerID,HireDate
E1,e1@contoso.example,Active,Ann,Chief,,2020-01-01
E2,e2@elsewhere.example,Active,Ben,Clerk,E1,2020-01-01
E3,e3@contoso.example,Sabbatical,Cy,Clerk,E1,2020-01-01
";

/// One who is provisioned, one who is rejected.
pub const ONE_REJECTED: &str = "\
WorkerID,UserID,WorkerStatus,Name,JobTitle,ManagerID,HireDate
E1,e1@contoso.example,Active,Ann,Chief,,2020-01-01
E3,e3@contoso.example,Sabbatical,Cy,Clerk,E1,2020-01-01
";

/// A stand-in that loses no time.
pub fn quick() -> MockConfig {
    MockConfig {
        cycle: Duration::from_millis(20),
        log_delay: (Duration::ZERO, Duration::ZERO),
        log_calls: 100_000,
        ..MockConfig::default()
    }
}

/// A stand-in whose cycles run only when told.
pub fn by_hand() -> MockConfig {
    MockConfig { cycle: Duration::from_hours(1), ..quick() }
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }

    /// Standard output as JSON Lines.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let line = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        self.out.lines().map(line).collect()
    }

    /// The same, after a look at the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

/// A folder in which the program runs.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in it, sorted.
    pub fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }

    /// The program, with an environment that says nothing of ours.
    pub fn command(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_scimport"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SCIMPORT") {
                command.env_remove(name);
            }
        }
        for name in ["NO_COLOR", "COLUMNS", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(name);
        }
        for name in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path()).timeout(PATIENCE);
        command
    }

    /// Runs the program.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command().args(arguments))
    }
}

/// Runs a command that [`Place::command`] made.
#[track_caller]
pub fn ran(command: &mut assert_cmd::Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code();
    let (out, err) = (text(output.stdout), text(output.stderr));
    let code = code.unwrap_or_else(|| panic!("killed: {out}\n{err}"));
    Ran { code, out, err }
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The config for a stand-in at `url`, with times that suit a test.
pub fn config(url: &str, source: &str) -> String {
    let lines = target_config(url);
    let lines = lines.lines().filter(|line| {
        let key = line.split(' ').next().unwrap_or_default();
        !line.starts_with('#') && !["burst", "tracking", "retry"].contains(&key)
    });
    let target: Vec<&str> = lines.collect();
    format!(
        "[store]\nurl = \"sqlite:scimport.db\"\n\n{}\n\
         tracking = {{ first_poll = \"50ms\", poll = \"50ms\", unconfirmed_after = \"60s\", reads = \"1000/1s\" }}\n\
         retry = {{ base = \"50ms\", cap = \"200ms\", bucket_pause = \"100ms\" }}\n{source}",
        target.join("\n")
    )
}

/// A folder with a config and a file, without anybody who listens at the other side.
pub fn offline(source: &str, file: &str) -> Place {
    let place = Place::new();
    // port 9 discards, where anybody listens at all
    place.write("scimport.toml", config("http://127.0.0.1:9", source));
    place.write("workers.csv", file);
    place
}

/// A place with a stand-in and a config that fits it.
pub struct Stage {
    // dropped before the runtime it lives in
    mock: Option<MockEntra>,
    runtime: Runtime,
    pub place: Place,
}

impl Stage {
    pub fn new(mock: MockConfig, source: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let mock = runtime.block_on(MockEntra::start(mock)).unwrap();
        let place = Place::new();
        place.write("scimport.toml", config(&mock.url(), source));
        Self { mock: Some(mock), runtime, place }
    }

    /// A quick stand-in and the usual source.
    pub fn quick() -> Self {
        Self::new(quick(), SOURCE)
    }

    pub fn url(&self) -> String {
        self.mock.as_ref().unwrap().url()
    }

    /// The program with the stand-in's secret at hand.
    pub fn command(&self) -> assert_cmd::Command {
        let mut command = self.place.command();
        command.env(SECRET_VARIABLE, CLIENT_SECRET);
        command
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command().args(arguments))
    }

    /// Writes `workers.csv` and applies it with `--json` and more.
    #[track_caller]
    pub fn apply(&self, text: &str, more: &[&str]) -> Ran {
        self.place.write("workers.csv", text);
        let mut arguments = vec!["apply", "workers.csv", "--source", "hr", "--json"];
        arguments.extend(more);
        self.run(&arguments)
    }

    /// Asks the stand-in's control plane.
    pub fn ask(&self, route: &str) -> Value {
        self.call(route, None)
    }

    /// Tells the stand-in's control plane.
    pub fn tell(&self, route: &str, body: &Value) -> Value {
        self.call(route, Some(body))
    }

    fn call(&self, route: &str, body: Option<&Value>) -> Value {
        let url = format!("{}/_mock/{route}", self.url());
        self.runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let request = match body {
                None => client.get(url),
                Some(body) => client.post(url).body(body.to_string()),
            };
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{route}: {}", answer.status());
            serde_json::from_str(&answer.text().await.unwrap()).unwrap()
        })
    }

    /// Sets the job's state.
    pub fn set_job(&self, code: &str) {
        self.tell("job", &json!({ "code": code }));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(mock) = self.mock.take() {
            self.runtime.block_on(mock.stop());
        }
    }
}

/// Looks whether the counts of a run document have all statuses and sum up.
#[track_caller]
pub fn assert_counts(document: &Value) {
    let counts = document["counts"].as_object().unwrap();
    let names: Vec<&str> = counts.keys().map(String::as_str).collect();
    assert_eq!(names, STATUSES, "{document:#}");
    let sum: u64 = counts.values().map(|count| count.as_u64().unwrap()).sum();
    let rows = document["rows"].as_u64().unwrap() + document["without_row"].as_u64().unwrap();
    assert_eq!(sum, rows, "{document:#}");
}

/// The counts that are not zero.
pub fn counted(document: &Value) -> Vec<(String, u64)> {
    let counts = document["counts"].as_object().unwrap();
    let count = |(name, count): (&String, &Value)| (name.clone(), count.as_u64().unwrap());
    counts.iter().map(count).filter(|(_, count)| *count > 0).collect()
}

/// For comparing with [`counted`].
pub fn of(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}
