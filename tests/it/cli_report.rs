//! `report` and the words of `status`, `runs`, `record`: what goes back to people.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
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
    let header = "row,line,externalId,change,status,code,reason,advice,column";
    assert_eq!(rows[0].iter().collect::<Vec<_>>().join(","), format!("{header},{HEADER}"));
    assert_eq!(rows.len(), 3, "E1 is unchanged: {}", ran.out);
    let part = |row: &csv::StringRecord| row.iter().take(6).collect::<Vec<_>>().join("|");
    assert_eq!(part(&rows[1]), "3|3|E2|mover|failed|InvalidDomain");
    assert_eq!(part(&rows[2]), "4|4|E3||rejected|mapping.unknown-word");
    for row in rows.iter().skip(1) {
        assert!(!row[6].is_empty() && !row[7].is_empty(), "reason and what to do: {row:?}");
    }

    let json = stage.run(&["report", "latest", "--format", "json"]).expect(0).json();
    let lines = stage.run(&["status", "latest", "--json", "--operations"]).json_lines();
    let operation = |line: &Value| {
        let mut line = line.clone();
        let members = line.as_object_mut().unwrap();
        assert!(members.remove("cells").is_some() && members.remove("column").is_some());
        line
    };
    let operations: Vec<Value> = json.as_array().unwrap().iter().map(operation).collect();
    assert_eq!(operations, lines, "the same operations");

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
    stage.run(&["report", "latest", "-o", "r.xlsx", "--format", "xlsx"]).expect(0);
    let names = stage.place.names();
    let private =
        names.iter().filter(|name| name.starts_with("scimport.db") || name.starts_with("r."));
    let mut seen = 0;
    for name in private {
        let mode = std::fs::metadata(stage.place.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        seen += 1;
    }
    assert!(seen >= 4, "{names:?}");
}

/// Rejected for several reasons, one of them ragged, with cells that a spreadsheet would run.
const FAULTY: &str = "\
WorkerID,UserID,WorkerStatus,Name,SSN,JobTitle,ManagerID,HireDate
00123,e1@contoso.example,Active,Ann,078-05-1120,Chief,,2020-01-01
00124,e2@contoso.example,Sabbatical,Ben,078-05-1121,=cmd|'/C calc'!A0,,2020-01-01
,e3@contoso.example,Active,Cy,078-05-1122,@SUM(1),,2020-01-01
00126,,Active,Dee,078-05-1123,+49 30,,2020-01-01
00127,e5@contoso.example,Active,Eve,078-05-1124,Clerk,00123,2020-02-31
00128,e6@contoso.example,Active
00129,e7@elsewhere.example,Active,Gus,078-05-1125,Clerk,00123,2020-01-01
";

fn workbook(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

/// A sheet's cells, every one of which must be a text.
fn texts(book: &mut Xlsx<Cursor<Vec<u8>>>, sheet: &str) -> Vec<Vec<String>> {
    assert!(book.worksheet_formula(sheet).unwrap().used_cells().next().is_none());
    let text = |cell: &Data| match cell {
        Data::String(text) => text.clone(),
        Data::Empty => String::new(),
        other => panic!("no text: {other:?}"),
    };
    let range = book.worksheet_range(sheet).unwrap();
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

#[test]
fn a_workbook_has_the_rows_to_correct_with_their_cells_and_the_counts() {
    let stage = Stage::quick();
    stage.apply(FAULTY, &["--wait", "outcome"]).expect(5);
    stage.run(&["report", "latest", "--format", "xlsx", "-o", "correct.xlsx"]).expect(0);
    let bytes = std::fs::read(stage.place.path("correct.xlsx")).unwrap();
    let mut book = workbook(bytes.clone());
    assert_eq!(book.sheet_names(), ["To correct", "Summary"]);
    let rows = texts(&mut book, "To correct");
    let header = "Row,Line,Id,Status,Column,What is wrong,What to do,\
                  WorkerID,UserID,WorkerStatus,Name,JobTitle,ManagerID,HireDate";
    assert_eq!(rows[0].join(","), header, "the mapped columns alone, in the order of the file");
    let front: Vec<String> = rows.iter().skip(1).map(|row| row[..5].join("|")).collect();
    assert_eq!(
        front,
        [
            "3|3|00124|rejected|WorkerStatus",
            "4|4||rejected|WorkerID",
            "5|5|00126|rejected|UserID",
            "6|6|00127|rejected|HireDate",
            "7|7||rejected|",
            "8|8|00129|failed|",
        ]
    );
    for row in rows.iter().skip(1) {
        assert!(!row[5].is_empty() && !row[6].is_empty(), "what is wrong and what to do: {row:?}");
    }
    let cells: Vec<String> = rows.iter().skip(1).map(|row| row[7..].join("|")).collect();
    assert_eq!(cells[0], "00124|e2@contoso.example|Sabbatical|Ben|=cmd|'/C calc'!A0||2020-01-01");
    assert_eq!(cells[1], "|e3@contoso.example|Active|Cy|@SUM(1)||2020-01-01");
    assert_eq!(cells[2], "00126||Active|Dee|+49 30||2020-01-01");
    assert_eq!(cells[3], "00127|e5@contoso.example|Active|Eve|Clerk|00123|2020-02-31");
    assert_eq!(cells[4..], ["||||||"; 2], "a ragged row has none, a failed one needs none");

    let summary = texts(&mut book, "Summary");
    for line in [["File", "workers.csv"], ["Rows", "7"], ["- rejected", "5"], ["- failed", "1"]] {
        assert!(summary.contains(&line.map(String::from).to_vec()), "{line:?} in {summary:?}");
    }

    // standard output that is no terminal takes it too, and it is the same
    let mut command = stage.command();
    let output = command.args(["report", "latest", "--format", "xlsx"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(0), bytes));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn the_cells_of_rejected_rows_stand_in_reports_and_nowhere_else() {
    let stage = Stage::quick();
    stage.apply(FAULTY, &["--wait", "none"]).expect(3);
    let csv = stage.run(&["report", "latest"]).expect(0).out;
    let rows = records(&csv);
    assert_eq!(
        rows[2].iter().skip(8).take(4).collect::<Vec<_>>(),
        ["WorkerStatus", "00124", "e2@contoso.example", "Sabbatical"]
    );
    assert_eq!(&rows[2][13], "'=cmd|'/C calc'!A0");
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    assert!(!csv.contains("078-05"), "what is not mapped is not kept: {csv}");

    let json = stage.run(&["report", "latest", "--format", "json"]).expect(0).json();
    assert_eq!(json[1]["column"], "WorkerStatus");
    assert_eq!(json[1]["cells"]["JobTitle"], "=cmd|'/C calc'!A0", "where no spreadsheet reads");
    assert_eq!((&json[0]["column"], &json[0]["cells"]), (&Value::Null, &Value::Null));
    assert_eq!((&json[5]["column"], &json[5]["cells"]), (&Value::Null, &Value::Null));

    for arguments in [
        &["status", "latest", "--operations"][..],
        &["status", "latest", "--operations", "--json"],
        &["status", "latest"],
        &["record", "00124"],
        &["record", "00124", "--json"],
    ] {
        let out = stage.run(arguments).out;
        assert!(!out.contains("Sabbatical") && !out.contains("cmd|"), "{arguments:?}: {out}");
    }
}

#[test]
fn a_refused_file_and_a_file_without_faults_are_workbooks_too() {
    let stage = Stage::quick();
    stage.apply("", &[]).expect(1);
    stage.run(&["report", "latest", "--format", "xlsx", "-o", "1.xlsx"]).expect(0);
    let mut book = workbook(std::fs::read(stage.place.path("1.xlsx")).unwrap());
    assert_eq!(texts(&mut book, "To correct").len(), 1);
    assert!(texts(&mut book, "Summary").iter().any(|line| line[0] == "Refused"));

    stage.apply(GOOD, &["--wait", "outcome"]).expect(0);
    stage.run(&["report", "latest", "--format", "xlsx", "-o", "2.xlsx"]).expect(0);
    let mut book = workbook(std::fs::read(stage.place.path("2.xlsx")).unwrap());
    assert_eq!(texts(&mut book, "To correct").len(), 1);
}
