//! `convert`: a file to bulk request bodies, with nobody at the other side.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli_support::{GOOD, HEADER, ONE_REJECTED, Place, SOURCE, names, offline};

const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn people(count: usize) -> String {
    let rows =
        (1..=count).map(|n| format!("W{n:04},w{n}@contoso.example,Active,Worker {n},Clerk,,\n"));
    format!("{HEADER}\n{}", rows.collect::<String>())
}

/// The external ids in a bulk request, each checked to be its operation's `bulkId`.
#[track_caller]
fn ids(body: &str) -> Vec<String> {
    let request: Value = serde_json::from_str(body).unwrap();
    assert_eq!(request["schemas"][0], BULK_REQUEST);
    assert_eq!(request["failOnErrors"], Value::Null);
    let operations = request["Operations"].as_array().unwrap();
    assert!(operations.len() <= 50);
    let id = |operation: &Value| {
        assert_eq!((&operation["method"], &operation["path"]), (&"POST".into(), &"/Users".into()));
        assert_eq!(operation["bulkId"], operation["data"]["externalId"]);
        assert!(operation["data"]["active"].is_boolean());
        operation["bulkId"].as_str().unwrap().to_owned()
    };
    operations.iter().map(id).collect()
}

#[test]
fn a_new_folder_beside_is_filled_with_requests_of_fifty() {
    let place = offline(SOURCE, &people(120));
    let ran = place.run(&["convert", "workers.csv", "--source", "hr"]).expect(0);
    assert_eq!(ran.out, "");
    assert!(ran.err.contains("120 users in 3 bulk requests"), "{}", ran.err);
    assert_eq!(place.names(), ["scimport.toml", "workers-bulk", "workers.csv"]);
    let folder = names(&place.path("workers-bulk"));
    assert_eq!(folder, ["bulk-00001.json", "bulk-00002.json", "bulk-00003.json", "rejects.csv"]);
    let all: Vec<String> = folder
        .iter()
        .filter(|name| name.starts_with("bulk-"))
        .flat_map(|name| ids(&place.read(&format!("workers-bulk/{name}"))))
        .collect();
    assert_eq!(all.len(), 120);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 120);
    let rejects = place.read("workers-bulk/rejects.csv");
    assert_eq!(rejects, format!("row,line,externalId,code,reason,advice,column,{HEADER}\n"));
}

#[test]
fn a_folder_with_something_in_it_is_refused_and_left_alone() {
    let place = offline(SOURCE, GOOD);
    place.write("workers-bulk/mine.txt", "mine");
    place.write("a-file", "mine");
    let ran = place.run(&["convert", "workers.csv", "--source", "hr"]).expect(2);
    assert!(ran.err.contains("`workers-bulk` is not empty"), "{}", ran.err);
    assert_eq!(names(&place.path("workers-bulk")), ["mine.txt"]);
    place.run(&["convert", "workers.csv", "--source", "hr", "-o", "a-file"]).expect(2);
    assert_eq!(place.read("a-file"), "mine");
    std::fs::create_dir(place.path("empty")).unwrap();
    place.run(&["convert", "workers.csv", "--source", "hr", "-o", "empty"]).expect(0);
    assert_eq!(names(&place.path("empty")), ["bulk-00001.json", "rejects.csv"]);
    place.run(&["convert", "workers.csv", "--source", "hr", "-o", "a/new/one"]).expect(0);
    assert_eq!(names(&place.path("a/new/one")), ["bulk-00001.json", "rejects.csv"]);
}

#[test]
fn a_dash_and_ndjson_are_one_request_a_line() {
    let place = offline(SOURCE, &people(120));
    let before = place.names();
    let dash = place.run(&["convert", "workers.csv", "--source", "hr", "-o", "-"]).expect(0);
    assert_eq!(dash.out.lines().map(|line| ids(line).len()).collect::<Vec<_>>(), [50, 50, 20]);
    let ndjson = place.run(&["convert", "workers.csv", "--source", "hr", "--ndjson"]).expect(0);
    assert_eq!(ndjson.out, dash.out);
    assert_eq!(place.names(), before, "standard output needs no folder");

    let arguments = ["convert", "workers.csv", "--source", "hr", "--ndjson", "-o", "lines"];
    let ran = place.run(&arguments).expect(0);
    assert_eq!(ran.out, "");
    assert_eq!(names(&place.path("lines")), ["bulk.ndjson", "rejects.csv"]);
    assert_eq!(place.read("lines/bulk.ndjson"), dash.out);

    // the same bytes as the files have
    place.run(&["convert", "workers.csv", "--source", "hr", "-o", "files"]).expect(0);
    let files: Vec<_> = (1..=3).map(|n| place.read(&format!("files/bulk-0000{n}.json"))).collect();
    assert_eq!(files, dash.out.lines().collect::<Vec<_>>());
}

#[test]
fn rejected_rows_are_3_with_place_code_reason_and_advice() {
    let text = format!("{ONE_REJECTED}E4,e4@contoso.example\n");
    let place = offline(SOURCE, &text);
    place.run(&["convert", "workers.csv", "--source", "hr", "-o", "out"]).expect(3);
    assert_eq!(ids(&place.read("out/bulk-00001.json")), ["E1"]);
    let rejects = place.read("out/rejects.csv");
    let mut reader = csv::Reader::from_reader(rejects.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2, "{rejects}");
    assert_eq!((&rows[0][0], &rows[0][1], &rows[0][2]), ("3", "3", "E3"));
    assert_eq!((&rows[1][0], &rows[1][1]), ("4", "4"));
    assert_eq!((&rows[0][3], &rows[1][3]), ("mapping.unknown-word", "source.ragged-row"));
    assert!(rows[0][4].contains("`WorkerStatus`"), "{rejects}");
    assert!(rows.iter().all(|row| !row[5].is_empty()), "{rejects}");
    // the column at fault and the cells; none of a row that cannot be told apart
    assert_eq!((&rows[0][6], &rows[0][9]), ("WorkerStatus", "Sabbatical"));
    assert!(rows[1].iter().skip(6).all(str::is_empty), "{rejects}");
    let words: Vec<&str> = rows.iter().flat_map(|row| row.iter().take(6)).collect();
    assert!(!words.concat().contains("Sabbatical"), "no value of the row: {rejects}");

    // without a folder the words go to standard error
    let ran = place.run(&["convert", "workers.csv", "--source", "hr", "-o", "-"]).expect(3);
    assert_eq!(ran.out.lines().count(), 1);
    assert!(ran.err.contains("line 3: rejected") && ran.err.contains("line 4: "), "{}", ran.err);
    assert!(!ran.err.contains("Sabbatical"), "{}", ran.err);
}

#[test]
fn a_refused_file_writes_nothing_wherever_its_fault_is() {
    // the fault is at the very end, many requests later
    for end in ["W9,\"open", "W9,w9@contoso.example,Active", "W9,J\u{f6}rg"] {
        let mut text = people(500).into_bytes();
        text.extend(end.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()));
        let place = Place::new();
        place.write("scimport.toml", offline(SOURCE, GOOD).read("scimport.toml"));
        place.write("workers.csv", text);
        let more: [&[&str]; 4] =
            [&[], &["-o", "-"], &["--ndjson"], &["-o", "new", "--ndjson", "--strict"]];
        for more in more {
            let mut arguments = vec!["convert", "workers.csv", "--source", "hr"];
            arguments.extend(more);
            let ran = place.run(&arguments).expect(1);
            assert_eq!(ran.out, "", "{arguments:?}");
            assert!(ran.err.contains("workers.csv, line 502: "), "{}", ran.err);
            assert_eq!(place.names(), ["scimport.toml", "workers.csv"], "{arguments:?}");
        }
    }
}

#[test]
fn neither_a_store_nor_a_secret_is_needed_or_touched() {
    let place = offline(SOURCE, GOOD);
    place.write("scimport.db", "not a database");
    place.run(&["convert", "workers.csv", "--source", "hr", "-o", "-"]).expect(0);
    assert_eq!(place.read("scimport.db"), "not a database");
}

#[test]
fn strict_takes_what_is_valid_and_changes_nothing_about_it() {
    let place = offline(SOURCE, GOOD);
    let usual = place.run(&["convert", "workers.csv", "--source", "hr", "-o", "-"]).expect(0);
    let strict =
        place.run(&["convert", "workers.csv", "--source", "hr", "-o", "-", "--strict"]).expect(0);
    assert_eq!(usual.out, strict.out);
}

#[test]
fn a_cell_that_begins_like_a_formula_is_harmless_in_rejects() {
    let text = format!(
        "{HEADER}\n\"=HYPERLINK(\"\"http://x\"\")\",u,Unknown,N,,,\n@SUM,u,Unknown,N,,,\n\
         +1,u,Unknown,N,,,\n-1,u,Unknown,N,,,\nE5,u,Unknown,N,,,\n"
    );
    let place = offline(SOURCE, &text);
    place.run(&["convert", "workers.csv", "--source", "hr", "-o", "out"]).expect(3);
    let rejects = place.read("out/rejects.csv");
    let mut reader = csv::Reader::from_reader(rejects.as_bytes());
    let ids: Vec<String> = reader.records().map(|row| row.unwrap()[2].to_owned()).collect();
    assert_eq!(ids, ["'=HYPERLINK(\"http://x\")", "'@SUM", "'+1", "'-1", "E5"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::io::Read as _;
    use std::process::{Command, Stdio};

    let place = offline(SOURCE, &people(5_000));
    let mut child = Command::new(env!("CARGO_BIN_EXE_scimport"))
        .args(["convert", "workers.csv", "--source", "hr", "-o", "-"])
        .current_dir(place.path(""))
        .env_remove("SCIMPORT_CONFIG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut beginning = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut beginning).unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    assert!(!err.contains("error") && !err.contains("panic"), "{err}");
}

#[cfg(unix)]
#[test]
fn what_holds_people_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = offline(SOURCE, ONE_REJECTED);
    let mode =
        |name: &str| std::fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    place.run(&["convert", "workers.csv", "--source", "hr"]).expect(3);
    assert_eq!(mode("workers-bulk"), 0o700);
    for name in names(&place.path("workers-bulk")) {
        assert_eq!(mode(&format!("workers-bulk/{name}")), 0o600, "{name}");
    }
    place.run(&["convert", "workers.csv", "--source", "hr", "-o", "x", "--ndjson"]).expect(3);
    assert_eq!((mode("x"), mode("x/bulk.ndjson")), (0o700, 0o600));
}
