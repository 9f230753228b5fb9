//! Values of people, and secrets, never reach a log line or a message.
//!
//! Every cell but the ids holds a word that stands nowhere else. The program reads such files with
//! everything it can say switched on, against a stand-in that misbehaves in every way it knows, and
//! against a server that repeats the words back in each of its answers.

use std::fmt::Write as _;

use scimport::mock_entra::{CLIENT_SECRET, FaultKind};
use serde_json::json;
use tokio::runtime::Runtime;
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::cli_support::{Place, Ran, SECRET_VARIABLE, Stage, config, quick, ran};

/// In every cell that is not an id; any letter case counts as found.
pub const CANARY: &str = "zqcanary";
/// How every token of the stand-in begins (Base64 of `{"`).
const TOKEN: &str = "eyJ";
/// What the hostile server hands out as a token.
const HOSTILE_TOKEN: &str = "zqtoken-0123456789abcdef";

pub const SOURCE: &str = r#"
[source.hr]
target = "entra"
time_zone = "Europe/Berlin"
guard = { max_leavers = false, max_joiners = false, max_changes = false, max_rejects = false, max_inactive = false }

[source.hr.mapping]
externalId = "Id"
userName = { from = "Upn", required = true }
active = { from = "Status", map = { Active = true, Inactive = false } }
displayName = "{First} {Last}"
"name.givenName" = { from = "First", max = 40 }
"name.familyName" = { from = "Last", required = true, max = 40 }
title = "Title"
'emails[type eq "work"].value' = "Mail"
'phoneNumbers[type eq "work"].value' = "Phone"
'addresses[type eq "work"].streetAddress' = "Street"
"enterprise:department" = { from = "Department", max = 40 }
"enterprise:manager" = "Manager"
"urn:ietf:params:scim:schemas:extension:contoso:1.0:User:HireDate" = { from = "Hired", date = ["%Y-%m-%d"] }
"#;

pub const HEADER: &str =
    "Id,Upn,Status,First,Last,Title,Mail,Phone,Street,Department,Manager,Hired";

/// A row whose every cell but the id holds the canary, with some cells set otherwise.
pub fn row(id: &str, cells: &[(&str, &str)]) -> String {
    let cell = |name: &str| {
        if let Some((_, value)) = cells.iter().find(|(other, _)| *other == name) {
            return (*value).to_owned();
        }
        match name {
            "Id" => id.to_owned(),
            "Upn" | "Mail" => format!("{CANARY}-{id}@contoso.example"),
            "Status" => "Active".to_owned(),
            "Manager" => String::new(),
            "Hired" => "2020-01-01".to_owned(),
            _ => format!("{CANARY} {name} {id}"),
        }
    };
    let cells: Vec<String> = HEADER.split(',').map(cell).collect();
    cells.join(",") + "\n"
}

/// Good rows, rows that Entra refuses quoting their values, and rows of every kind of rejection.
fn file(salt: &str) -> String {
    let long = format!("{CANARY}{}", "x".repeat(60));
    let mut text = format!("{HEADER}\n");
    for n in 1..=5 {
        text.push_str(&row(&format!("{salt}{n}"), &[("Manager", &format!("{salt}1"))]));
    }
    for (n, cells) in [
        (&[("Upn", "zqcanary@zqcanary.example")] as &[_]),
        &[("Upn", "zqcanary zqcanary@contoso.example")],
        &[("Upn", &format!("{CANARY}-{salt}2@contoso.example"))],
        &[("Upn", "zqcanary@@zqcanary")],
        &[("Status", "zqcanary")],
        &[("Status", "")],
        &[("Hired", "zqcanary")],
        &[("Hired", "2020-99-99zqcanary")],
        &[("First", &long)],
        &[("Department", &long)],
        &[("Upn", "")],
        &[("Mail", "zqcanary,zqcanary")],
        &[("Id", "")],
        &[("Manager", "zqcanary-unknown-manager"), ("Title", "\"zqcanary\nzqcanary\"")],
        &[("Title", "\u{1b}[31mzqcanary")],
    ]
    .iter()
    .enumerate()
    {
        text.push_str(&row(&format!("{salt}B{n}"), cells));
    }
    for _ in 0..2 {
        text.push_str(&row(&format!("{salt}D"), &[]));
    }
    text
}

/// Files that are refused whole, with the canary where the fault is.
fn refused_files() -> Vec<Vec<u8>> {
    let good = file("R");
    let with = |end: &str| format!("{good}{end}").into_bytes();
    let mut latin = with("R9,");
    latin.extend(b"zqcanary\xF6,");
    let ragged = "G1,zqcanary,zqcanary\n".repeat(60);
    vec![
        with("R9,\"zqcanary"),
        with("R9,zqcanary"),
        with(&ragged),
        with(&format!("R9,{}zqcanary", "x".repeat(70_000))),
        latin,
        good.replacen("Upn,", "Other,", 1).into_bytes(),
        good.replacen("Upn,", "Status,", 1).into_bytes(),
    ]
}

#[track_caller]
pub fn assert_silent(ran: &Ran, what: &str) {
    let err = ran.err.to_ascii_lowercase();
    for line in err.lines() {
        assert!(!line.contains(CANARY), "{what}: {line}");
    }
    assert_no_secret(&ran.err, what);
    assert_no_secret(&ran.out, what);
}

#[track_caller]
fn assert_no_secret(text: &str, what: &str) {
    for secret in [CLIENT_SECRET, TOKEN, HOSTILE_TOKEN] {
        assert!(!text.contains(secret), "{what}: a secret in {text}");
    }
    // as it stands in a form, too
    assert!(!text.contains("Mock8Q%7Estand-in") && !text.contains("Mock8Q~"), "{what}: {text}");
}

/// Looks into the store's files, byte by byte.
#[track_caller]
pub fn assert_store_holds_no_secret(place: &Place) {
    let mut seen = 0;
    for name in place.names().iter().filter(|name| name.contains(".db")) {
        let bytes = std::fs::read(place.path(name)).unwrap();
        for secret in [CLIENT_SECRET, HOSTILE_TOKEN, "eyJ0eXAi"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "`{name}` holds a secret");
        }
        seen += 1;
    }
    assert!(seen > 0, "there is no store");
}

pub const FORMATS: [[&str; 3]; 2] =
    [["-vv", "--log-format", "pretty"], ["-vv", "--log-format", "json"]];

#[test]
fn the_canary_is_in_the_files_and_reaches_the_directory() {
    // otherwise the other stories would prove nothing
    let stage = Stage::new(quick(), SOURCE);
    let document = stage.apply(&file("A"), &["--wait", "outcome"]).expect(5).json();
    let counts = &document["counts"];
    assert_eq!(document["rows"], 22);
    assert!(counts["provisioned"].as_u64() >= Some(5), "{document:#}");
    assert!(counts["failed"].as_u64() >= Some(2), "{document:#}");
    assert!(counts["rejected"].as_u64() >= Some(9), "{document:#}");
    assert!(stage.ask("directory").to_string().contains(CANARY));
    let operations = stage.run(&["status", "latest", "--operations", "--json"]).out;
    assert!(operations.contains(CANARY), "Entra's reasons quote values: {operations}");
}

#[test]
fn no_command_tells_a_value_on_standard_error() {
    let stage = Stage::new(quick(), SOURCE);
    for (index, format) in FORMATS.iter().enumerate() {
        let salt = ["A", "B"][index];
        let name = format!("{salt}.csv");
        stage.place.write(&name, file(salt));
        let folder = format!("{salt}-out");
        let with_source: [&[&str]; 9] = [
            &["plan"],
            &["plan", "--json"],
            &["plan", "--diff"],
            &["convert", "-o", "-"],
            &["convert", "-o", &folder, "--strict"],
            &["apply", "--wait", "none", "--json"],
            &["apply", "--wait", "accepted"],
            &["apply", "--wait", "outcome"],
            &["apply", "--json"],
        ];
        for arguments in with_source {
            let all = [arguments, &[&name, "--source", "hr"], format].concat();
            let ran = stage.run(&all);
            assert_silent(&ran, &format!("{all:?}"));
            // nobody watches here, so the difference hides its values
            if arguments[0] == "plan" {
                assert!(!ran.out.contains(CANARY), "{all:?}: {}", ran.out);
            }
        }
        let rejects = stage.place.read(&format!("{folder}/rejects.csv"));
        for row in csv::Reader::from_reader(rejects.as_bytes()).records() {
            let words: Vec<String> = row.unwrap().iter().take(7).map(str::to_owned).collect();
            assert!(!words.concat().contains(CANARY), "reasons hold no values: {words:?}");
        }
        let others: [&[&str]; 11] = [
            &["check"],
            &["work", "--until", "settled"],
            &["work", "--json"],
            &["runs"],
            &["status"],
            &["status", "latest"],
            &["status", "latest", "--operations", "--json"],
            &["record", "A1"],
            &["report", "latest"],
            &["report", "latest", "--format", "json"],
            &["report", "latest", "--format", "xlsx", "-o", "report.xlsx"],
        ];
        for arguments in others {
            let all = [arguments, format].concat();
            assert_silent(&stage.run(&all), &format!("{all:?}"));
        }
    }
    assert_store_holds_no_secret(&stage.place);
}

#[test]
fn a_rejection_never_quotes_a_value_wherever_it_is_told() {
    let stage = Stage::new(quick(), SOURCE);
    stage.apply(&file("A"), &["--wait", "none"]).expect(3);
    let lines = stage.run(&["status", "latest", "--operations", "--json"]).json_lines();
    let rejected: Vec<_> = lines.iter().filter(|line| line["status"] == "rejected").collect();
    assert!(rejected.len() >= 9);
    for line in rejected {
        let text = format!("{} {} {}", line["code"], line["reason"], line["advice"]);
        assert!(!text.contains(CANARY), "{line}");
    }
}

#[test]
fn a_refused_file_is_refused_without_quoting_it() {
    let stage = Stage::new(quick(), SOURCE);
    for (index, bytes) in refused_files().into_iter().enumerate() {
        stage.place.write("x.csv", bytes);
        for format in FORMATS {
            for arguments in [
                &["plan", "--diff"][..],
                &["convert", "-o", "-"],
                &["apply", "--json"],
                &["apply", "--wait", "outcome"],
            ] {
                let all = [arguments, &["x.csv", "--source", "hr"], &format].concat();
                let ran = stage.run(&all).expect(1);
                assert_silent(&ran, &format!("file {index}, {all:?}"));
                assert!(!ran.out.contains(CANARY), "file {index}, {all:?}: {}", ran.out);
            }
        }
    }
    let runs = stage.run(&["runs", "--json"]).expect(0).out;
    assert!(runs.contains("failed") && !runs.contains(CANARY), "{runs}");
}

#[test]
fn no_fault_of_the_other_side_makes_it_tell() {
    let stage = Stage::new(quick(), SOURCE);
    for (index, kind) in FaultKind::ALL.into_iter().enumerate() {
        let format = FORMATS[index % 2];
        stage.tell("faults", &json!([format!("{kind}:2")]));
        let salt = format!("K{index}-");
        stage.place.write("x.csv", file(&salt));
        let mut seen = String::new();
        for arguments in [
            &["apply", "x.csv", "--source", "hr", "--timeout", "8s", "--wait", "outcome"][..],
            &["work"],
        ] {
            let mut command = stage.command();
            command.env("SCIMPORT__HTTP__TIMEOUT", "1s").args(arguments).args(format);
            let ran = ran(&mut command);
            assert_silent(&ran, &format!("{kind}: {arguments:?}"));
            let _ = write!(seen, "{}", ran.err);
        }
        assert!(seen.contains("run committed"), "{kind}: {seen}");
        stage.tell("faults", &json!([]));
        stage.run(&["work", "--until", "settled", "-q"]);
    }
    for (code, reason) in [("Paused", ""), ("Quarantine", "EncounteredQuarantineException")] {
        stage.tell("job", &json!({"code": code, "reason": reason}));
        stage.place.write("x.csv", file(code));
        let arguments = ["apply", "x.csv", "--source", "hr", "-vv"];
        assert_silent(&stage.run(&arguments).expect(6), code);
    }
    assert_store_holds_no_secret(&stage.place);
}

/// A server that hands out a token and answers everything else with the canary.
fn hostile(runtime: &Runtime, status: u16, body: &str, kind: &str) -> MockServer {
    runtime.block_on(async {
        let server = MockServer::start().await;
        let token =
            json!({"token_type": "Bearer", "expires_in": 3599, "access_token": HOSTILE_TOKEN});
        Mock::given(method("POST"))
            .and(path_regex("/oauth2/"))
            .respond_with(ResponseTemplate::new(200).set_body_json(token))
            .mount(&server)
            .await;
        let job = json!({"id": "zqcanary", "status": {"code": "Active", "quarantine": null}});
        Mock::given(method("GET"))
            .and(path_regex("/jobs/[^/]+$"))
            .respond_with(ResponseTemplate::new(200).set_body_json(job))
            .mount(&server)
            .await;
        Mock::given(wiremock::matchers::any())
            .respond_with(ResponseTemplate::new(status).set_body_raw(body.to_owned(), kind))
            .mount(&server)
            .await;
        server
    })
}

#[test]
fn an_answer_that_quotes_values_or_the_token_is_not_passed_on() {
    let runtime = Runtime::new().unwrap();
    let quoted = format!("zqcanary {HOSTILE_TOKEN} {CLIENT_SECRET}");
    let graph = json!({"error": {"code": "InvalidRequest", "message": quoted,
        "details": [{"code": "zqcanary", "message": quoted}],
        "innerError": {"request-id": "1", "message": quoted}}})
    .to_string();
    let no_code = json!({"error": {"code": quoted, "message": quoted}}).to_string();
    let html = format!("<html><title>zqcanary</title>{quoted}</html>");
    for (status, body, kind) in [
        (400, graph.as_str(), "application/json"),
        (400, &no_code, "application/json"),
        (401, &graph, "application/json"),
        (403, &graph, "application/json"),
        (404, &html, "text/html"),
        (413, &graph, "application/json"),
        (429, &quoted, "text/plain"),
        (500, &graph, "application/json"),
        (502, &html, "text/html"),
        (200, &graph, "application/json"),
        (302, &html, "text/html"),
    ] {
        let server = hostile(&runtime, status, body, kind);
        let place = Place::new();
        place.write("scimport.toml", config(&server.uri(), SOURCE));
        place.write("x.csv", file("H"));
        for format in FORMATS {
            let mut command = place.command();
            command.env(SECRET_VARIABLE, CLIENT_SECRET);
            command.args(["apply", "x.csv", "--source", "hr", "--timeout", "2s"]).args(format);
            let ran = ran(&mut command);
            assert_silent(&ran, &format!("{status}"));
            assert!(!ran.out.contains(CANARY), "{status}: {}", ran.out);
        }
        assert_store_holds_no_secret(&place);
    }
}

#[test]
fn a_token_endpoint_that_quotes_the_secret_is_not_passed_on() {
    let runtime = Runtime::new().unwrap();
    let described = format!("AADSTS7000215: zqcanary {CLIENT_SECRET}");
    for (status, body) in [
        (401, json!({"error": "invalid_client", "error_description": described}).to_string()),
        // a code is passed on, but only where it can be one
        (400, json!({"error": described, "error_description": described}).to_string()),
        (200, json!({"access_token": 5, "zqcanary": CLIENT_SECRET}).to_string()),
        (503, described.clone()),
    ] {
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(wiremock::matchers::any())
                .respond_with(ResponseTemplate::new(status).set_body_raw(body, "application/json"))
                .mount(&server)
                .await;
            server
        });
        let place = Place::new();
        place.write("scimport.toml", config(&server.uri(), SOURCE));
        place.write("x.csv", file("T"));
        let mut command = place.command();
        command.env(SECRET_VARIABLE, CLIENT_SECRET);
        command.args(["apply", "x.csv", "--source", "hr", "--timeout", "2s", "-vv"]);
        let ran = ran(&mut command);
        assert_no_secret(&ran.err, "token");
        assert_no_secret(&ran.out, "token");
        assert_silent(&ran, &format!("token {status}"));
        assert_store_holds_no_secret(&place);
    }
}
