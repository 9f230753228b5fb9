//! HR files and what the program makes of them: a source, a file, and every command held against
//! the others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli_support::{Place, Ran, SECRET_VARIABLE, assert_counts, config, names};

/// The least that a person needs, from the columns `ID`, `User` and `Status`.
pub const PEOPLE: &str = "\
externalId = \"ID\"
userName = { from = \"User\", required = true }
active = { from = \"Status\", map = { Active = true, Inactive = false } }
";

/// The attribute that the stories about dates look at.
pub const HIRE_DATE: &str = "urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate";

/// A file of a handful of people, many of them odd, would be held.
const UNGUARDED: &str = "guard = { max_leavers = false, max_joiners = false, max_changes = false, max_rejects = false, max_inactive = false }";

/// A source with these lines of its own and this mapping.
pub fn source(options: &str, mapping: &str) -> String {
    format!(
        "\n[source.hr]\ntarget = \"entra\"\ntime_zone = \"Europe/Berlin\"\n{UNGUARDED}\n{options}\n\n\
         [source.hr.mapping]\n{mapping}\n"
    )
}

/// [`PEOPLE`] and more lines, with nothing said about the format.
pub fn people(more: &str) -> String {
    source("", &format!("{PEOPLE}{more}"))
}

/// A file that is kept with the tests.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hr").join(name)
}

/// A row that was not taken, as `rejects.csv` has it.
#[derive(Debug, Clone)]
pub struct Reject {
    pub row: u64,
    pub line: Option<u64>,
    pub id: String,
    pub code: String,
    pub reason: String,
    pub advice: String,
}

/// What became of a file.
#[derive(Debug)]
pub struct Read {
    pub users: BTreeMap<String, Value>,
    pub rejects: Vec<Reject>,
    pub plan: Value,
    pub err: String,
}

impl Read {
    /// One person.
    #[track_caller]
    pub fn user(&self, id: &str) -> &Value {
        self.users.get(id).unwrap_or_else(|| panic!("no {id} in {self:#?}"))
    }

    /// The external ids, sorted.
    pub fn ids(&self) -> Vec<&str> {
        self.users.keys().map(String::as_str).collect()
    }

    /// The rejected row with this number, and why.
    #[track_caller]
    pub fn reject(&self, row: u64, code: &str) -> &Reject {
        let found = self.rejects.iter().find(|reject| reject.row == row);
        let found = found.unwrap_or_else(|| panic!("row {row} is not rejected: {self:#?}"));
        assert_eq!(found.code, code, "{found:#?}");
        found
    }

    /// The numbers of the rejected rows.
    pub fn rejected(&self) -> Vec<u64> {
        self.rejects.iter().map(|reject| reject.row).collect()
    }

    pub fn findings(&self) -> Vec<&Value> {
        let findings = self.plan["findings"].as_array();
        findings.unwrap_or_else(|| panic!("no findings: {:#}", self.plan)).iter().collect()
    }

    /// All findings of this code.
    pub fn found(&self, code: &str) -> Vec<&Value> {
        self.findings().into_iter().filter(|finding| finding["code"] == code).collect()
    }

    /// A finding of this code that has these words.
    #[track_caller]
    pub fn finding(&self, code: &str, words: &[&str]) -> &Value {
        let has = |finding: &&Value| {
            let text = finding.to_string();
            words.iter().all(|word| text.contains(word))
        };
        let found = self.found(code).into_iter().find(has);
        found.unwrap_or_else(|| panic!("no {code} with {words:?}: {:#?}", self.findings()))
    }

    /// Somewhere, on standard error or among the findings, are these words, whatever their case.
    #[track_caller]
    pub fn mentions(&self, words: &[&str]) {
        let text = format!("{}\n{}", self.err, self.plan["findings"]).to_lowercase();
        for word in words {
            assert!(text.contains(&word.to_lowercase()), "{word} in {text}");
        }
    }
}

/// A config and a file in a folder of their own.
pub struct Hr {
    pub place: Place,
    pub file: String,
    env: Vec<(String, String)>,
}

impl Hr {
    pub fn new(source: &str, file: &str, bytes: impl AsRef<[u8]>) -> Self {
        let place = Place::new();
        place.write("scimport.toml", config("http://127.0.0.1:9", source));
        place.write(file, bytes);
        Self { place, file: file.to_owned(), env: Vec::new() }
    }

    /// With a variable in the program's environment.
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.place.command();
        if arguments == ["check"] {
            command.env(SECRET_VARIABLE, "any");
        }
        for (name, value) in &self.env {
            command.env(name, value);
        }
        crate::cli_support::ran(command.args(arguments))
    }

    #[track_caller]
    fn convert(&self, output: &str, code: i32) -> Ran {
        self.run(&["convert", &self.file, "--source", "hr", "-o", output]).expect(code)
    }

    /// Reads the file by every command that reads one; the exit code is that of all of them.
    #[track_caller]
    pub fn read(&self, code: i32) -> Read {
        let dash = self.convert("-", code);
        let planned = self.run(&["plan", &self.file, "--source", "hr", "--json"]).expect(code);
        self.convert("out", code);
        self.run(&["check"]).expect(0);
        for text in [&dash.out, &dash.err, &planned.out, &planned.err] {
            assert!(!text.contains('\u{fffd}'), "U+FFFD: {text}");
        }
        let plan = planned.json();
        assert_counts(&plan);
        let rejects = rejects(&self.place.read("out/rejects.csv"));
        let users = users(&dash);
        let ours = [users.len(), rejects.len()].map(Value::from);
        let counts = &plan["counts"];
        assert_eq!(ours, [counts["queued"].clone(), counts["rejected"].clone()], "{plan:#}");
        let files = names(&self.place.path("out"));
        let bodies = files.iter().filter(|name| name.starts_with("bulk-"));
        let bodies: Vec<_> = bodies.map(|name| self.place.read(&format!("out/{name}"))).collect();
        assert_eq!(bodies, dash.out.lines().collect::<Vec<_>>());
        // for the next reading
        std::fs::remove_dir_all(self.place.path("out")).unwrap();
        Read { users, rejects, plan, err: format!("{}{}", dash.err, planned.err) }
    }

    /// The file is refused by every command, with this code, these words and a way out, and nothing
    /// comes of it.
    #[track_caller]
    pub fn refused(&self, code: &str, words: &[&str]) -> Ran {
        let before = self.place.names();
        self.run(&["plan", &self.file, "--source", "hr"]).expect(1);
        let _ = self.convert("out", 1);
        let ran = self.convert("-", 1);
        assert_eq!(ran.out, "");
        assert_eq!(self.place.names(), before, "nothing is made");
        assert!(!ran.err.contains('\u{fffd}'), "{}", ran.err);
        assert!(ran.err.contains(code), "{code} in {}", ran.err);
        assert!(ran.err.contains(&self.file), "the file's name in {}", ran.err);
        for words in words {
            assert!(ran.err.contains(words), "{words} in {}", ran.err);
        }
        assert!(ran.err.contains("hint: "), "{}", ran.err);
        ran
    }

    /// Either refused, or read with some rows rejected; whatever it is, nothing comes out but what
    /// `is_right` takes.
    #[track_caller]
    pub fn never_but(&self, is_right: impl Fn(&str, &Value) -> bool) -> Ran {
        let ran = self.run(&["convert", &self.file, "--source", "hr", "-o", "-"]);
        assert!([0, 1, 3].contains(&ran.code), "{ran:#?}");
        assert!(!ran.out.contains('\u{fffd}'), "{ran:#?}");
        for (id, user) in users(&ran) {
            assert!(is_right(&id, &user), "{id}: {user:#}");
        }
        ran
    }
}

fn users(ran: &Ran) -> BTreeMap<String, Value> {
    let mut users = BTreeMap::new();
    for request in ran.json_lines() {
        for operation in request["Operations"].as_array().unwrap() {
            let user = operation["data"].clone();
            assert!(user["active"].is_boolean(), "{user:#}");
            let id = user["externalId"].as_str().unwrap().to_owned();
            assert!(users.insert(id, user).is_none(), "one operation a person: {operation:#}");
        }
    }
    users
}

fn rejects(text: &str) -> Vec<Reject> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let reject = |row: csv::StringRecord| Reject {
        row: row[0].parse().unwrap(),
        line: row[1].parse().ok(),
        id: row[2].to_owned(),
        code: row[3].to_owned(),
        reason: row[4].to_owned(),
        advice: row[5].to_owned(),
    };
    let rejects: Vec<_> = reader.records().map(|row| reject(row.unwrap())).collect();
    for reject in &rejects {
        assert!(!reject.advice.is_empty() && !reject.code.is_empty(), "{reject:#?}");
    }
    rejects
}

/// All parts, one after the other.
pub fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect()
}

/// UTF-16, little end first, with its mark.
pub fn utf_16(text: &str) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Windows-1252; every letter has to be in it.
pub fn windows_1252(text: &str) -> Vec<u8> {
    encode(text, encoding_rs::WINDOWS_1252)
}

/// Another encoding; every letter has to be in it.
pub fn encode(text: &str, encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
    let (bytes, _, had_unmappable) = encoding.encode(text);
    assert!(!had_unmappable, "not all of it is in {}", encoding.name());
    bytes.into_owned()
}
