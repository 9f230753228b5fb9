//! `report` and the words of `status`, `runs`, `record`: what goes back to people.

use serde_json::Value;

use crate::cli_support::{GOOD, HEADER, MIXED, Stage};

fn records(text: &str) -> Vec<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(Result::unwrap).collect()
}

#[test]
fn a_report_has_a_line_for_each_row_that_is_not_unchanged() {
    let stage = Stage::quick();
    stage.apply(GOOD, &["--wait", "outcome"]).expect(0);
    let next = GOOD
        .replace("e2@contoso.example", "e2@elsewhere.example")
        .replace("E3,e3@contoso.example,Inactive", "E3,e3@contoso.example,Retired");
    stage.apply(&next, &["--wait", "outcome"]).expect(5);
    let ran = stage.run(&["report", "latest"]).expect(0);
    assert_eq!(ran.err, "");
    let rows = records(&ran.out);
    let header = ["row", "line", "externalId", "change", "status", "code", "reason", "advice"];
    assert_eq!(rows[0], header.to_vec());
    assert_eq!(rows.len(), 3, "E1 is unchanged: {}", ran.out);
    let part = |row: &csv::StringRecord| row.iter().take(6).collect::<Vec<_>>().join("|");
    assert_eq!(part(&rows[1]), "3|3|E2|mover|failed|InvalidDomain");
    assert_eq!(part(&rows[2]), "4|4|E3||rejected|mapping.unknown-word");
    for row in rows.iter().skip(1) {
        assert!(!row[6].is_empty() && !row[7].is_empty(), "reason and what to do: {row:?}");
    }

    let json = stage.run(&["report", "latest", "--format", "json"]).expect(0).json();
    let lines = stage.run(&["status", "latest", "--json", "--operations"]).json_lines();
    assert_eq!(json, Value::Array(lines), "the same operations");

    let ran_to_file = stage.run(&["report", "latest", "-o", "report.csv"]).expect(0);
    assert_eq!(ran_to_file.out, "");
    assert_eq!(stage.place.read("report.csv"), ran.out);
    stage.run(&["report", "01NOSUCHRUN"]).expect(1);
    let nowhere = stage.run(&["report", "latest", "-o", "no/such/folder/r.csv"]).expect(1);
    assert!(nowhere.err.contains("cannot be written"), "{}", nowhere.err);
}

#[test]
fn a_report_of_a_refused_file_or_of_no_changes_is_empty_and_well_formed() {
    let stage = Stage::quick();
    stage.apply("", &[]).expect(1);
    assert_eq!(records(&stage.run(&["report", "latest"]).expect(0).out).len(), 1);
    let json = stage.run(&["report", "latest", "--format", "json"]).expect(0).json();
    assert_eq!(json, Value::Array(Vec::new()));
}

#[test]
fn a_cell_that_begins_like_a_formula_is_harmless_in_a_report() {
    let stage = Stage::quick();
    let text = format!("{HEADER}\n=1+1,e1@contoso.example,Active,Ann,Chief,,\n@x,u,Gone,N,,,\n");
    stage.apply(&text, &["--wait", "outcome"]).expect(3);
    let rows = records(&stage.run(&["report", "latest"]).expect(0).out);
    assert_eq!((&rows[1][2], &rows[2][2]), ("'=1+1", "'@x"));
    // where no spreadsheet reads, the id is what it is
    let lines = stage.run(&["status", "latest", "--json", "--operations"]).json_lines();
    assert_eq!((&lines[0]["externalId"], &lines[1]["externalId"]), (&"=1+1".into(), &"@x".into()));
}

#[test]
fn words_name_status_reason_and_advice() {
    let stage = Stage::quick();
    stage.apply(MIXED, &["--wait", "outcome"]).expect(5);
    let status = stage.run(&["status", "latest"]).expect(0).out;
    for words in ["completed", "1 rejected, 1 provisioned, 1 failed", "InvalidDomain: E2", "→ "] {
        assert!(status.contains(words), "{words} in {status}");
    }
    let operations = stage.run(&["status", "latest", "--operations"]).expect(0).out;
    assert_eq!(operations.lines().count(), 3, "{operations}");
    let runs = stage.run(&["runs"]).expect(0).out;
    assert!(runs.contains("workers.csv") && runs.contains("1 failed"), "{runs}");
    let record = stage.run(&["record", "E2"]).expect(0).out;
    assert!(record.contains("failed (InvalidDomain)"), "{record}");
    let overview = stage.run(&["status"]).expect(0).out;
    assert!(overview.contains("target `entra`: 1 of 2,000 calls"), "{overview}");
}

#[test]
fn looking_needs_no_secret_and_makes_no_store() {
    let place = crate::cli_support::offline(crate::cli_support::SOURCE, GOOD);
    place.run(&["runs"]).expect(0);
    assert_eq!(place.run(&["runs", "--json"]).expect(0).json(), Value::Array(Vec::new()));
    place.run(&["status"]).expect(0);
    place.run(&["status", "latest"]).expect(1);
    place.run(&["report", "latest"]).expect(1);
    place.run(&["record", "E1"]).expect(1);
    assert_eq!(place.names(), ["scimport.toml", "workers.csv"]);
}

#[cfg(unix)]
#[test]
fn store_and_report_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let stage = Stage::quick();
    stage.apply(MIXED, &["--wait", "none"]).expect(3);
    stage.run(&["report", "latest", "-o", "r.csv"]).expect(0);
    stage.run(&["report", "latest", "-o", "r.json", "--format", "json"]).expect(0);
    let names = stage.place.names();
    let private =
        names.iter().filter(|name| name.starts_with("scimport.db") || name.starts_with("r."));
    let mut seen = 0;
    for name in private {
        let mode = std::fs::metadata(stage.place.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        seen += 1;
    }
    assert!(seen >= 3, "{names:?}");
}
