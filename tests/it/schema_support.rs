//! Schemas of all kinds, and a bridge that works on them.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use scimport::bridge::{Bridge, Setup};
use scimport::domain::SystemClock;
use scimport::mock_entra::{CLIENT_SECRET, JOB_ID, MockConfig};
use serde_json::Value;

use crate::cli_support::{SECRET_VARIABLE, config};
use crate::mock_client::Mock;

/// A source that writes a custom attribute of each type.
pub const SOURCE: &str = r#"
[source.hr]
target = "entra"
time_zone = "Europe/Berlin"

[source.hr.mapping]
externalId = "Id"
active = { from = "Status", map = { Active = true, Left = false } }
displayName = "Name"
"urn:contoso:hr:1.0:User:HireDate" = { from = "Hire", date = ["%Y-%m-%d"] }
"urn:contoso:hr:1.0:User:Level" = { from = "Level", type = "integer" }
"urn:contoso:hr:1.0:User:Remote" = { from = "Remote", type = "boolean" }
"urn:contoso:hr:1.0:User:Badge" = "Badge"
"#;

/// The custom attributes of [`SOURCE`], in the order of the mapping.
pub const CUSTOM: [(&str, &str); 4] = [
    ("urn:contoso:hr:1.0:User:HireDate", "DateTime"),
    ("urn:contoso:hr:1.0:User:Level", "Integer"),
    ("urn:contoso:hr:1.0:User:Remote", "Boolean"),
    ("urn:contoso:hr:1.0:User:Badge", "String"),
];

/// A stand-in whose client may change the job.
pub fn writable() -> MockConfig {
    let roles = ["SynchronizationData-User.Upload", "Synchronization.ReadWrite.All"];
    MockConfig {
        roles: roles.map(str::to_owned).to_vec(),
        cycle: Duration::from_hours(1),
        ..MockConfig::default()
    }
}

/// A stand-in, and a bridge to it.
pub struct Desk {
    pub mock: Mock,
    pub bridge: Bridge,
    _folder: tempfile::TempDir,
}

impl Desk {
    pub async fn new() -> Self {
        let (mock, folder) = (Mock::with(writable()).await, tempfile::tempdir().unwrap());
        let path = folder.path().join("scimport.toml");
        std::fs::write(&path, config(&mock.server.url(), SOURCE)).unwrap();
        let env = vec![(SECRET_VARIABLE.to_owned(), CLIENT_SECRET.to_owned())];
        let setup = Setup::load(&path, &env).unwrap();
        let bridge = Bridge::open(setup, Arc::new(SystemClock), env).unwrap();
        Self { mock, bridge, _folder: folder }
    }

    /// Gives the job this schema, whatever it is.
    pub async fn set(&self, text: &str) {
        let url = format!("{}/_mock/schema", self.mock.server.url());
        let answer = self.mock.http.post(url).body(text.to_owned()).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// The job's schema, as text.
    pub async fn text(&self) -> String {
        let url = format!("{}/_mock/schema", self.mock.server.url());
        self.mock.http.get(url).send().await.unwrap().text().await.unwrap()
    }

    /// The bodies that were put, and how each was answered.
    pub async fn puts(&self) -> Vec<(u64, String)> {
        let puts = self.mock.ask("schema/puts").await;
        let one = |put: &Value| {
            (put["status"].as_u64().unwrap(), put["body"].as_str().unwrap().to_owned())
        };
        puts.as_array().unwrap().iter().map(one).collect()
    }
}

/// A schema of which nobody has seen the like: its text, and which of [`CUSTOM`] its source
/// directory lacks.
pub fn odd_schema(rng: &mut Rng) -> (String, Vec<usize>) {
    let mut odd = Odd { rng, names: 0 };
    let source = format!("Quelle \\u00fc {}", odd.text());
    let lacking: Vec<usize> = (0..CUSTOM.len()).filter(|_| odd.rng.bool()).collect();
    let mut directories: Vec<String> = (0..odd.rng.usize(0..3))
        .map(|number| {
            let attributes = if odd.rng.bool() { "[ ]".to_owned() } else { odd.attributes(&[]) };
            odd.directory(&format!("Other {number}"), &attributes)
        })
        .collect();
    let known: Vec<usize> = (0..CUSTOM.len()).filter(|at| !lacking.contains(at)).collect();
    let attributes = odd.attributes(&known);
    directories.push(odd.directory(&source, &attributes));
    odd.rng.shuffle(&mut directories);
    let target = if directories.len() > 1 { "Other 0" } else { &source };
    let mapping = odd.object(vec![
        "\"sourceObjectName\":\"User\"".to_owned(),
        "\"targetObjectName\":\"User\"".to_owned(),
    ]);
    let rule = odd.object(vec![
        format!("\"sourceDirectoryName\":\"{source}\""),
        format!("\"targetDirectoryName\":\"{target}\""),
        format!("\"objectMappings\" : [{mapping}]"),
        "\"priority\":1".to_owned(),
    ]);
    let schema = odd.object(vec![
        format!("\"id\":\"{JOB_ID}\""),
        format!("\"directories\": [ {} ]", directories.join(" ,\n")),
        format!("\"synchronizationRules\":[{rule}]"),
        "\"@odata.context\":\"https:\\/\\/graph.example\\/$metadata\"".to_owned(),
    ]);
    (schema, lacking)
}

struct Odd<'r> {
    rng: &'r mut Rng,
    /// How many names were made, so that no two are the same.
    names: usize,
}

impl Odd<'_> {
    fn text(&mut self) -> String {
        let parts =
            ["ä", "\\ud83d\\ude00", "名前", "\\n", "\\u0000", "\\\"", "\\/", "e\u{301}", " ", "x"];
        (0..self.rng.usize(0..4)).map(|_| parts[self.rng.usize(0..parts.len())]).collect()
    }

    fn number(&mut self) -> &'static str {
        let numbers = [
            "0",
            "-0",
            "-0.0",
            "1.0",
            "1.50e-7",
            "1E5",
            "0.10",
            "123456789012345678901234567890",
            "9007199254740993",
            "1e-400",
            "-17",
        ];
        numbers[self.rng.usize(0..numbers.len())]
    }

    fn value(&mut self, depth: usize) -> String {
        match self.rng.usize(0..if depth == 0 { 5 } else { 8 }) {
            0 => "null".to_owned(),
            1 => "true".to_owned(),
            2 => "[ ]".to_owned(),
            3 => self.number().to_owned(),
            4 => format!("\"{}\"", self.text()),
            5 => {
                let entries: Vec<_> =
                    (0..self.rng.usize(0..4)).map(|_| self.value(depth - 1)).collect();
                format!("[{}]", entries.join(", "))
            }
            6 => {
                let members: Vec<_> =
                    (0..self.rng.usize(0..4)).map(|_| self.member(depth - 1)).collect();
                format!("{{{}}}", members.join(",\t"))
            }
            _ => {
                let levels = self.rng.usize(0..80);
                format!("{}{}{}", "[".repeat(levels), self.number(), "]".repeat(levels))
            }
        }
    }

    fn member(&mut self, depth: usize) -> String {
        self.names += 1;
        let (number, text) = (self.names, self.text());
        format!("\"odd{number}{text}\" : {}", self.value(depth))
    }

    /// An object with these members and some that nobody knows, in any order.
    fn object(&mut self, mut members: Vec<String>) -> String {
        for _ in 0..self.rng.usize(0..3) {
            members.push(self.member(2));
        }
        self.rng.shuffle(&mut members);
        let blank = ["", " ", "\n  ", "\r\n\t"][self.rng.usize(0..4)];
        format!("{{{blank}{}{blank}}}", members.join(&format!(",{blank}")))
    }

    fn attributes(&mut self, known: &[usize]) -> String {
        let mut attributes = Vec::new();
        for at in known {
            let (name, kind) = CUSTOM[*at];
            attributes.push(
                self.object(vec![format!("\"name\":\"{name}\""), format!("\"type\":\"{kind}\"")]),
            );
        }
        for number in 0..self.rng.usize(0..4) {
            let text = self.text();
            attributes.push(self.object(vec![format!("\"name\":\"plain{number}{text}\"")]));
        }
        attributes.push(
            self.object(vec!["\"name\":\"externalId\"".to_owned(), "\"anchor\":true".to_owned()]),
        );
        self.rng.shuffle(&mut attributes);
        let blank = ["", " ", "\n"][self.rng.usize(0..3)];
        format!("[{blank}{}{blank}]", attributes.join(&format!("{blank},")))
    }

    fn directory(&mut self, name: &str, attributes: &str) -> String {
        let user = self
            .object(vec!["\"name\":\"User\"".to_owned(), format!("\"attributes\" :{attributes}")]);
        self.object(vec![format!("\"name\":\"{name}\""), format!("\"objects\":[{user}]")])
    }
}
