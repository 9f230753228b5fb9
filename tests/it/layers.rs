//! Who may import whom: the layer table of the crate, held against the sources.
//!
//! Every file under `src/` is read. Comments and `#[cfg(test)]` modules do not count; strings count
//! only where the table speaks of what they say (SQL, Graph's addresses). A breach is named as
//! `FILE:LINE`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The rooms below everything.
const WORDS: &[&str] = &["domain"];
/// Pure and synchronous.
const CORE: &[&str] = &["scim", "source", "mapping", "plan"];
/// How HTTP is spoken, below those who speak it.
const TRANSPORT: &[&str] = &["transport"];
/// The edges that speak it.
const SPEAKERS: &[&str] = &["entra", "web"];
/// Where the outside begins.
const EDGES: &[&str] = &["store", "entra", "web", "vault"];
/// Edges that rooms of layers 3 to 6 may import.
const SHARED_EDGES: &[&str] = &["config", "telemetry"];
/// From "something arrived" to an outcome.
const FLOW: &[&str] = &["intake", "delivery", "tracking"];
const ROOT: &[&str] = &["bridge"];
/// `main.rs` and `lib.rs` count as faces.
const FACES: &[&str] = &["cli", "server", "main", "lib"];
const APART: &[&str] = &["mock_entra"];

/// Whether a room may name another one.
fn may_import(room: &str, other: &str) -> bool {
    let within = |layers: &[&[&str]]| layers.iter().any(|layer| layer.contains(&other));
    if room == other || FACES.contains(&room) {
        return true;
    }
    match room {
        _ if WORDS.contains(&room) => false,
        // of the core, only scim is known to the others
        _ if CORE.contains(&room) => other == "scim" || within(&[WORDS]),
        _ if TRANSPORT.contains(&room) => within(&[WORDS]),
        _ if SPEAKERS.contains(&room) => within(&[WORDS, CORE, SHARED_EDGES, TRANSPORT]),
        _ if EDGES.contains(&room) || SHARED_EDGES.contains(&room) => {
            within(&[WORDS, CORE, SHARED_EDGES])
        }
        _ if FLOW.contains(&room) => within(&[WORDS, CORE, EDGES, SHARED_EDGES]),
        _ if ROOT.contains(&room) => within(&[WORDS, CORE, EDGES, SHARED_EDGES, FLOW]),
        _ if APART.contains(&room) => within(&[WORDS]),
        _ => false,
    }
}

/// A word of the code that a room never uses.
struct Ban {
    rooms: &'static [&'static [&'static str]],
    /// Paths of the code, matched at their beginnings and ends: `http::` is no part of `xhttp::`.
    words: &'static [&'static str],
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        rooms: &[WORDS, CORE],
        words: &["async", "await", "tokio", "tokio_util", "async_trait"],
        why: "this layer is synchronous",
    },
    Ban {
        rooms: &[CORE],
        words: &[
            "Clock",
            "SystemClock",
            "SystemTime",
            "Instant",
            "Timestamp::now",
            "Zoned::now",
            "std::fs",
            "std::net",
            "std::env",
        ],
        why: "the core has no clock, no disk and no network",
    },
    Ban {
        rooms: &[
            WORDS,
            CORE,
            TRANSPORT,
            SHARED_EDGES,
            &["entra", "web", "vault"],
            FLOW,
            ROOT,
            FACES,
            APART,
        ],
        words: &["rusqlite", "sqlx"],
        why: "SQL stays in the store",
    },
    Ban {
        rooms: &[WORDS, CORE, FLOW, ROOT],
        words: &["reqwest", "http::", "hyper", "actix_web", "actix_http", "StatusCode"],
        why: "HTTP stays at the edge",
    },
    Ban {
        rooms: &[&["cli", "main", "lib"]],
        words: &["reqwest", "http::", "hyper", "actix_web"],
        why: "the command line speaks no HTTP itself",
    },
];

/// Beginnings of SQL statements.
const SQL: &[&str] = &[
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM",
    "CREATE TABLE",
    "CREATE TEMP",
    "DROP ",
    "PRAGMA ",
    "BEGIN",
    "COMMIT",
    "ATTACH ",
    "WITH ",
];
/// Parts of Microsoft's addresses.
const GRAPH: &[&str] = &[
    "graph.microsoft",
    "microsoftgraph",
    "login.microsoftonline",
    "bulkUpload",
    "/v1.0/",
    "/beta/",
    "auditLogs",
    "servicePrincipals/",
];
/// The rooms that may hold them: the client, and the stand-in.
const GRAPH_ROOMS: &[&str] = &["entra", "mock_entra"];

/// A source file: where it stands and what it says.
struct Source {
    /// From `src/` on, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The folder (or file) directly under `src/`.
    fn room(&self) -> &str {
        let rest = self.path.strip_prefix("src/").unwrap();
        rest.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// Its module, from the crate's root on.
    fn module(&self) -> Vec<&str> {
        let rest = self.path.strip_prefix("src/").unwrap().trim_end_matches(".rs");
        let mut parts: Vec<&str> = rest.split('/').collect();
        if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
            parts.pop();
        }
        parts
    }

    /// The module that `mod NAME;` in this file means, as a path without ending.
    fn child(&self, name: &str) -> String {
        let mut parts = vec!["src"];
        parts.extend(self.module());
        parts.push(name);
        parts.join("/")
    }
}

/// A source without its comments, twice: with its strings, and with their insides blanked. Both
/// keep every line where it was.
struct Stripped {
    with_strings: Vec<char>,
    code: Vec<char>,
}

fn strip(text: &str) -> Stripped {
    let chars: Vec<char> = text.chars().collect();
    let (mut with_strings, mut code) = (chars.clone(), chars.clone());
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let blank = |into: &mut Vec<char>, from: usize, to: usize| {
        for letter in into.iter_mut().take(to).skip(from) {
            if *letter != '\n' {
                *letter = ' ';
            }
        }
    };
    let mut index = 0;
    while index < chars.len() {
        let start = index;
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < chars.len() && at(index) != '\n' {
                    index += 1;
                }
                blank(&mut with_strings, start, index);
                blank(&mut code, start, index);
            }
            '/' if at(index + 1) == '*' => {
                let mut depth = 0;
                loop {
                    if at(index) == '/' && at(index + 1) == '*' {
                        depth += 1;
                        index += 2;
                    } else if at(index) == '*' && at(index + 1) == '/' {
                        depth -= 1;
                        index += 2;
                    } else {
                        index += 1;
                    }
                    if depth == 0 || index >= chars.len() {
                        break;
                    }
                }
                blank(&mut with_strings, start, index);
                blank(&mut code, start, index);
            }
            'r' if !is_word(at(index.wrapping_sub(1))) || at(index.wrapping_sub(1)) == 'b' => {
                let hashes = (1..chars.len()).take_while(|n| at(index + n) == '#').count();
                if at(index + 1 + hashes) != '"' {
                    index += 1;
                    continue;
                }
                index += 2 + hashes;
                let inside = index;
                while index < chars.len()
                    && !(at(index) == '"' && (1..=hashes).all(|n| at(index + n) == '#'))
                {
                    index += 1;
                }
                blank(&mut code, inside, index);
                index += 1 + hashes;
            }
            '"' => {
                index += 1;
                while index < chars.len() && at(index) != '"' {
                    index += if at(index) == '\\' { 2 } else { 1 };
                }
                blank(&mut code, start + 1, index);
                index += 1;
            }
            // a letter in quotes, and not a lifetime
            '\'' if at(index + 1) == '\\' => {
                index += 3;
                while index < chars.len() && at(index) != '\'' {
                    index += 1;
                }
                blank(&mut code, start + 1, index);
                index += 1;
            }
            '\'' if at(index + 2) == '\'' => {
                blank(&mut code, start + 1, start + 2);
                index += 3;
            }
            _ => index += 1,
        }
    }
    Stripped { with_strings, code }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Blanks modules that are compiled for tests only; returns the names of those in other files.
fn blank_tests(stripped: &mut Stripped) -> Vec<String> {
    const MARK: &str = "#[cfg(test)]";
    let mut elsewhere = Vec::new();
    let mut from = 0;
    while let Some(start) = find(&stripped.code, MARK, from) {
        from = start + MARK.len();
        let rest: String = stripped.code.iter().skip(from).take(400).collect();
        let Some((before, after)) = rest.split_once("mod ") else { continue };
        // other attributes and a visibility may stand between, nothing else
        let between = before.trim_start();
        if !(between.is_empty() || between.starts_with('#') || between.starts_with("pub")) {
            continue;
        }
        let name: String = after.chars().take_while(|letter| is_word(*letter)).collect();
        let next = after.trim_start_matches(is_word).trim_start();
        if next.starts_with(';') {
            elsewhere.push(name);
            continue;
        }
        let Some(open) = find(&stripped.code, "{", from) else { continue };
        let mut depth = 0;
        let mut end = open;
        while let Some(letter) = stripped.code.get(end) {
            depth += i32::from(*letter == '{') - i32::from(*letter == '}');
            end += 1;
            if depth == 0 {
                break;
            }
        }
        for text in [&mut stripped.code, &mut stripped.with_strings] {
            for letter in text.iter_mut().take(end).skip(start) {
                if *letter != '\n' {
                    *letter = ' ';
                }
            }
        }
        from = end;
    }
    elsewhere
}

/// Where a text begins, at or after an index.
fn find(text: &[char], wanted: &str, from: usize) -> Option<usize> {
    let wanted: Vec<char> = wanted.chars().collect();
    let rest = text.get(from..)?;
    rest.windows(wanted.len()).position(|window| window == wanted).map(|at| at + from)
}

/// Where a word begins, as a word of its own.
fn find_words(text: &[char], wanted: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find(text, wanted, from) {
        from = at + 1;
        let before = at.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(' ');
        let after = text.get(at + wanted.chars().count()).copied().unwrap_or(' ');
        // `r#async` would be a name; nobody writes it
        if !is_word(before) && (!is_word(after) || wanted.ends_with(':')) {
            found.push(at);
        }
    }
    found
}

fn line_of(text: &[char], at: usize) -> usize {
    text.iter().take(at).filter(|letter| **letter == '\n').count() + 1
}

/// The rooms that the code names, each with the index where it does.
fn rooms_named(source: &Source, code: &[char]) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let depth = source.module().len();
    for root in ["crate", "scimport"] {
        for at in find_words(code, root) {
            named.extend(heads(code, at + root.len()));
        }
    }
    for at in find_words(code, "super") {
        // the last of a chain of `super::` that climbs to the root
        let mut end = at;
        let mut climbed = 0;
        while find(code, "super", end) == Some(end) {
            climbed += 1;
            end += "super".len();
            if find(code, "::", end) != Some(end) {
                break;
            }
            end += 2;
        }
        let continues = at >= 2 && code.get(at - 2..at) == Some(&[':', ':']);
        if climbed == depth && depth > 0 && !continues {
            named.extend(heads(code, end - 2));
        }
    }
    named
}

/// The names directly after `::`, or in the braces after it.
fn heads(code: &[char], mut at: usize) -> Vec<(usize, String)> {
    let space = |at: usize| code.get(at).is_some_and(|letter| letter.is_whitespace());
    if code.get(at..at + 2) != Some(&[':', ':']) {
        return Vec::new();
    }
    at += 2;
    while space(at) {
        at += 1;
    }
    let word = |at: usize| -> String {
        code.iter().skip(at).take_while(|letter| is_word(**letter)).collect()
    };
    if code.get(at) != Some(&'{') {
        let name = word(at);
        return if name.is_empty() { Vec::new() } else { vec![(at, name)] };
    }
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut expects = false;
    while let Some(letter) = code.get(at) {
        match letter {
            '{' => {
                depth += 1;
                expects = depth == 1;
            }
            '}' => depth -= 1,
            ',' => expects = depth == 1,
            letter if expects && is_word(*letter) => {
                heads.push((at, word(at)));
                expects = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        at += 1;
    }
    heads
}

/// The insides of the strings, each with the index where it begins.
fn strings(stripped: &Stripped) -> Vec<(usize, String)> {
    let mut strings = Vec::new();
    let mut current: Option<(usize, String)> = None;
    let mut open = false;
    for (at, (code, shown)) in stripped.code.iter().zip(&stripped.with_strings).enumerate() {
        if *code == '"' {
            open = !open;
            if open {
                current = Some((at + 1, String::new()));
            } else {
                strings.extend(current.take());
            }
        } else if let Some((_, text)) = &mut current {
            text.push(*shown);
        }
    }
    strings
}

/// All breaches, as `FILE:LINE: what`.
fn breaches(sources: &[Source]) -> Vec<String> {
    let rooms: BTreeSet<&str> = sources.iter().map(Source::room).collect();
    let mut read: Vec<(&Source, Stripped)> =
        sources.iter().map(|source| (source, strip(&source.text))).collect();
    let mut for_tests = Vec::new();
    for (source, stripped) in &mut read {
        for_tests.extend(blank_tests(stripped).iter().map(|name| source.child(name)));
    }
    let is_for_tests = |path: &str| {
        let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
        for_tests.iter().any(|test| module == test || module.starts_with(&format!("{test}/")))
    };
    let mut found = Vec::new();
    for (source, stripped) in read {
        if is_for_tests(&source.path) {
            continue;
        }
        let room = source.room();
        let mut tell = |at: usize, what: String| {
            let line = line_of(&stripped.code, at);
            found.push((source.path.clone(), line, what));
        };
        for (at, other) in rooms_named(source, &stripped.code) {
            if rooms.contains(other.as_str()) && !may_import(room, &other) {
                tell(at, format!("`{room}` may not import `{other}`"));
            }
        }
        for ban in BANS.iter().filter(|ban| ban.rooms.iter().any(|rooms| rooms.contains(&room))) {
            for word in ban.words {
                for at in find_words(&stripped.code, word) {
                    tell(at, format!("`{word}` in `{room}`: {}", ban.why));
                }
            }
        }
        for (at, text) in strings(&stripped) {
            let begins = |start: &&&str| text.trim_start().starts_with(**start);
            if room != "store" && SQL.iter().any(|start| begins(&start)) {
                tell(at, format!("SQL in `{room}`: SQL stays in the store"));
            }
            if !GRAPH_ROOMS.contains(&room)
                && let Some(part) = GRAPH.iter().find(|part| text.contains(**part))
            {
                tell(at, format!("`{part}` in `{room}`: Graph is known to `entra` alone"));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(path, line, what)| format!("{path}:{line}: {what}")).collect()
}

fn read_sources(folder: &Path, under: &str, into: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let below = format!("{under}/{name}");
        if path.is_dir() {
            read_sources(&path, &below, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(Source { path: below, text: std::fs::read_to_string(path).unwrap() });
        }
    }
}

#[test]
fn the_sources_keep_to_the_layers() {
    let mut sources = Vec::new();
    read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "src", &mut sources);
    assert!(sources.len() > 100, "the sources were not found");
    let breaches = breaches(&sources);
    let mut text = String::new();
    for breach in &breaches {
        let _ = writeln!(text, "{breach}");
    }
    assert!(breaches.is_empty(), "breaches of the layers:\n{text}");
}

#[test]
fn every_room_has_its_place_in_the_table() {
    let mut sources = Vec::new();
    read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "src", &mut sources);
    let layers = [WORDS, CORE, TRANSPORT, EDGES, SHARED_EDGES, FLOW, ROOT, FACES, APART];
    for source in &sources {
        let room = source.room();
        assert!(layers.iter().any(|layer| layer.contains(&room)), "`{room}` is in no layer");
    }
}

/// What is found in files planted here; `rooms` are there as empty files, so that they are known.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let rooms = [
        "domain",
        "scim",
        "source",
        "mapping",
        "plan",
        "store",
        "entra",
        "transport",
        "config",
        "telemetry",
        "intake",
        "delivery",
        "tracking",
        "bridge",
        "cli",
        "mock_entra",
    ];
    let mut sources: Vec<Source> = rooms
        .iter()
        .map(|room| Source { path: format!("src/{room}/mod.rs"), text: String::new() })
        .collect();
    let file =
        |(path, text): &(&str, &str)| Source { path: (*path).to_owned(), text: (*text).to_owned() };
    sources.extend(files.iter().map(file));
    breaches(&sources)
}

#[test]
fn an_import_against_the_table_is_named_with_its_line() {
    for (path, text, breach) in [
        (
            "src/domain/a.rs",
            "//! A.\nuse crate::store::Run;",
            "src/domain/a.rs:2: `domain` may not import `store`",
        ),
        (
            "src/mapping/a.rs",
            "use crate::plan::X;",
            "src/mapping/a.rs:1: `mapping` may not import `plan`",
        ),
        (
            "src/store/a.rs",
            "\n\nuse crate::entra::X;",
            "src/store/a.rs:3: `store` may not import `entra`",
        ),
        (
            "src/entra/a.rs",
            "fn f() { crate::store::x(); }",
            "src/entra/a.rs:1: `entra` may not import `store`",
        ),
        (
            "src/transport/a.rs",
            "use crate::entra::X;",
            "src/transport/a.rs:1: `transport` may not import `entra`",
        ),
        (
            "src/store/a.rs",
            "use crate::transport::X;",
            "src/store/a.rs:1: `store` may not import `transport`",
        ),
        (
            "src/delivery/a.rs",
            "use crate::tracking::X;",
            "src/delivery/a.rs:1: `delivery` may not import `tracking`",
        ),
        (
            "src/intake/a/b.rs",
            "use crate::{\n    domain::X,\n    delivery::{Y, store},\n};",
            "src/intake/a/b.rs:3: `intake` may not import `delivery`",
        ),
        (
            "src/tracking/a.rs",
            "use super::super::bridge::X;",
            "src/tracking/a.rs:1: `tracking` may not import `bridge`",
        ),
        ("src/config/a.rs", "use crate::cli;", "src/config/a.rs:1: `config` may not import `cli`"),
        (
            "src/mock_entra/a.rs",
            "use crate::scim::X;",
            "src/mock_entra/a.rs:1: `mock_entra` may not import `scim`",
        ),
        (
            "src/bridge/a.rs",
            "pub use crate :: cli :: X;\nuse crate::cli::X;",
            "src/bridge/a.rs:2: `bridge` may not import `cli`",
        ),
    ] {
        assert_eq!(found(&[(path, text)]), [breach], "{text}");
    }
}

#[test]
fn a_word_that_a_layer_never_says_is_named_with_its_line() {
    for (path, text, start) in [
        ("src/domain/a.rs", "pub async fn f() {}", "src/domain/a.rs:1: `async`"),
        ("src/scim/a.rs", "\nuse tokio::sync::mpsc;", "src/scim/a.rs:2: `tokio`"),
        ("src/plan/a.rs", "let now = Timestamp::now();", "src/plan/a.rs:1: `Timestamp::now`"),
        ("src/mapping/a.rs", "fn f(clock: &dyn Clock) {}", "src/mapping/a.rs:1: `Clock`"),
        ("src/cli/a.rs", "use rusqlite::Connection;", "src/cli/a.rs:1: `rusqlite`"),
        ("src/tracking/a.rs", "use http::StatusCode;", "src/tracking/a.rs:1: `StatusCode`"),
        ("src/bridge.rs", "let x = reqwest::get;", "src/bridge.rs:1: `reqwest`"),
        ("src/cli/a.rs", "x(\"\n  SELECT a FROM b\")", "src/cli/a.rs:1: SQL"),
        ("src/intake/a.rs", "x(r#\"DELETE FROM \"b\"\"#)", "src/intake/a.rs:1: SQL"),
        (
            "src/cli/a.rs",
            "\nlet url = \"https://graph.microsoft.com\";",
            "src/cli/a.rs:2: `graph.microsoft`",
        ),
        (
            "src/delivery/a.rs",
            "format!(\"{base}/jobs/{id}/bulkUpload\")",
            "src/delivery/a.rs:1: `bulkUpload`",
        ),
    ] {
        let found = found(&[(path, text)]);
        assert!(found.iter().any(|breach| breach.starts_with(start)), "{text}: {found:?}");
    }
}

#[test]
fn comments_strings_and_test_modules_do_not_count() {
    let text = "\
//! use crate::store::X; async
/* use crate::cli; /* nested: tokio */ Clock */
use crate::domain::Row; // tokio
const A: &str = \"crate::store::X async \\\" tokio\"; const Q: char = '\"'; const B: &str = r#\"\"tokio\"#;
fn f<'a>(x: &'a str) {}
#[cfg(test)]
mod tests {
    use crate::store::X;
    const OPEN: char = '{';
    async fn f() { \"}\"; }
}
";
    assert_eq!(found(&[("src/scim/a.rs", text)]), [""; 0]);
    // what stands after the tests counts again
    let after = format!("{text}use tokio::x;\n");
    assert_eq!(
        found(&[("src/scim/a.rs", &after)]),
        ["src/scim/a.rs:12: `tokio` in `scim`: this layer is synchronous"]
    );
    // tests in files of their own
    let parent = "#[cfg(test)]\nmod tests;\n#[cfg(test)]\npub mod more;\nmod real;\n";
    let files = [
        ("src/scim/path.rs", parent),
        ("src/scim/path/tests.rs", "use crate::store::X;"),
        ("src/scim/path/more/deep.rs", "use tokio::x;"),
        ("src/scim/path/real.rs", "use crate::store::X;"),
    ];
    assert_eq!(found(&files), ["src/scim/path/real.rs:1: `scim` may not import `store`"]);
    // a function for tests alone hides nothing that follows it
    let function = "#[cfg(test)]\nfn x() {}\nmod y { use tokio::x; }\n";
    assert_eq!(found(&[("src/scim/a.rs", function)]).len(), 1);
}

#[test]
fn what_the_table_allows_is_no_breach() {
    for (path, text) in [
        ("src/plan/a.rs", "use crate::domain::X; use crate::scim::Y; use super::change::decide;"),
        ("src/store/a.rs", "use crate::config::X; let sql = \"SELECT 1\"; use rusqlite::X;"),
        ("src/intake/a.rs", "use crate::{store::X, mapping::{self, Y}, entra::Z}; async fn f() {}"),
        ("src/bridge/a.rs", "use crate::delivery::X; use super::Bridge;"),
        ("src/cli/a.rs", "use crate::mock_entra::X; use crate::entra::MAX_OPERATIONS;"),
        ("src/entra/a.rs", "const URL: &str = \"https://graph.microsoft.com\"; use reqwest::X;"),
        ("src/entra/a.rs", "use crate::transport::X;"),
        ("src/source/a/b.rs", "use super::super::limits::X; let asynchronous = 1;"),
    ] {
        assert_eq!(found(&[(path, text)]), [""; 0], "{text}");
    }
}
