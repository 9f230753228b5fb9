//! Broken files, through the program: each gets the answer its sender can do something with.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli_support::{HEADER, Place, Ran, SOURCE, config, offline};

/// A source for the edge files, whose `active` is `status`.
fn source(status: &str) -> String {
    format!(
        "\n[source.hr]\ntarget = \"entra\"\nguard = {{ max_rejects = false }}\n\n\
         [source.hr.mapping]\nexternalId = \"WorkerID\"\n\
         userName = {{ from = \"UserID\", required = true }}\nactive = {status}\n"
    )
}

const ALWAYS: &str = "{ const = true }";
const BY_STATUS: &str = "{ from = \"WorkerStatus\", map = { Active = true, Inactive = false } }";

fn place_with(source: &str, file: &str, bytes: &[u8]) -> Place {
    let place = Place::new();
    place.write("scimport.toml", config("http://127.0.0.1:9", source));
    place.write(file, bytes);
    place
}

fn edge(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/edge");
    std::fs::read(folder.join(name)).unwrap()
}

/// Converts a file, and looks whether `plan` says the same.
#[track_caller]
fn convert(source: &str, file: &str, bytes: &[u8], code: i32) -> Ran {
    let place = place_with(source, file, bytes);
    place.run(&["plan", file, "--source", "hr"]).expect(code);
    let ran = place.run(&["convert", file, "--source", "hr", "-o", "-"]).expect(code);
    assert_eq!(place.names().len(), 2, "nothing is made");
    ran
}

/// External ids and `active` of all users.
#[track_caller]
fn users(ran: &Ran) -> Vec<(String, bool)> {
    let requests = ran.json_lines();
    let operations = requests.iter().flat_map(|request| request["Operations"].as_array().unwrap());
    let user = |operation: &Value| {
        let data = &operation["data"];
        (data["externalId"].as_str().unwrap().to_owned(), data["active"].as_bool().unwrap())
    };
    operations.map(user).collect()
}

fn active(ids: &[&str]) -> Vec<(String, bool)> {
    ids.iter().map(|id| ((*id).to_owned(), true)).collect()
}

#[track_caller]
fn refused(source: &str, file: &str, bytes: &[u8], words: &[&str]) -> Ran {
    let ran = convert(source, file, bytes, 1);
    assert_eq!(ran.out, "");
    for words in words {
        assert!(ran.err.contains(words), "{words} in {}", ran.err);
    }
    assert!(ran.err.contains("hint: "), "{}", ran.err);
    ran
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_header() {
    let ran = convert(&source(ALWAYS), "bom.csv", &edge("bom.csv"), 0);
    assert_eq!(users(&ran), active(&["1"]));
    // also before a quoted header
    let quoted = b"\xEF\xBB\xBF\"WorkerID\",\"UserID\"\n1,a\n";
    assert_eq!(users(&convert(&source(ALWAYS), "bom.csv", quoted, 0)), active(&["1"]));
}

#[test]
fn utf_16_is_read_by_its_mark_and_without_one() {
    assert_eq!(users(&convert(&source(ALWAYS), "x.csv", &edge("utf16.csv"), 0)), active(&["1"]));
    let big: Vec<u8> = std::iter::once(0xFEFF)
        .chain("WorkerID,UserID\n1,a\n".encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_eq!(users(&convert(&source(ALWAYS), "big.csv", &big, 0)), active(&["1"]));
    let bare: Vec<u8> =
        "WorkerID,UserID\n1,a\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(users(&convert(&source(ALWAYS), "bare.csv", &bare, 0)), active(&["1"]));
}

#[test]
fn latin_1_is_read_with_its_letters() {
    let ran = convert(&source(ALWAYS), "latin1.csv", &edge("latin1.csv"), 0);
    assert!(ran.out.contains("\"userName\":\"Jörg\""), "{}", ran.out);
}

#[test]
fn semicolons_are_found() {
    let ran = convert(&source(BY_STATUS), "semi.csv", &edge("semi.csv"), 0);
    assert_eq!(users(&ran), active(&["1"]));
    for delimiter in ["\t", "|", ","] {
        let text = String::from_utf8(edge("semi.csv")).unwrap().replace(';', delimiter);
        let ran = convert(&source(BY_STATUS), "x.csv", text.as_bytes(), 0);
        assert_eq!(users(&ran), active(&["1"]), "{delimiter:?}");
    }
}

#[test]
fn a_mapped_column_that_stands_twice_is_refused_by_name() {
    let bytes = edge("duphdr.csv");
    refused(&source(ALWAYS), "duphdr.csv", &bytes, &["`UserID`", "more than once"]);
    // nobody asks for what is not mapped
    let unmapped =
        source(ALWAYS).replace("from = \"UserID\", required = true", "from = \"WorkerID\"");
    assert_eq!(users(&convert(&unmapped, "duphdr.csv", &bytes, 0)), active(&["1"]));
}

#[test]
fn all_rows_of_a_repeated_worker_are_rejected_naming_each_other() {
    // 1 twice, one without an id, and 3 without a user name
    let ran = convert(&source(ALWAYS), "dups.csv", &edge("dups.csv"), 3);
    assert_eq!(users(&ran), []);
    for words in [
        "line 2: rejected: ",
        "line 3: rejected: ",
        "line 4: rejected: column `WorkerID`",
        "line 5: rejected: column `UserID`",
    ] {
        assert!(ran.err.contains(words), "{words} in {}", ran.err);
    }
    let line = |number: usize| {
        let start = format!("line {number}: ");
        ran.err.lines().find(|line| line.starts_with(&start)).unwrap()
    };
    assert!(line(2).contains("line 3") && line(3).contains("line 2"), "{}", ran.err);
    let last = source(ALWAYS)
        .replace("[source.hr.mapping]", "rows = { pick = \"last\" }\n\n[source.hr.mapping]");
    let ran = convert(&last, "dups.csv", &edge("dups.csv"), 3);
    assert_eq!(users(&ran), active(&["1"]));
}

#[test]
fn a_ragged_row_is_rejected_alone() {
    let ran = convert(&source(BY_STATUS), "ragged.csv", &edge("ragged.csv"), 3);
    assert_eq!(users(&ran), active(&["1", "3"]));
    assert!(
        ran.err.contains("line 3: rejected: the row has 2 fields, the header has 3"),
        "{}",
        ran.err
    );
}

#[test]
fn more_than_one_percent_of_ragged_rows_refuses_the_file_naming_the_first() {
    let file = |rows: usize, ragged: usize| {
        let rows = (1..=rows).map(|n| {
            let more = if n <= ragged { ",more" } else { "" };
            format!("{n},a,Active{more}\n")
        });
        format!("WorkerID,UserID,WorkerStatus\n{}", rows.collect::<String>())
    };
    let source = source(BY_STATUS);
    convert(&source, "x.csv", file(10, 3).as_bytes(), 3);
    let ran =
        refused(&source, "x.csv", file(10, 4).as_bytes(), &["4 of 10 rows", "lines 2, 3, 4, 5"]);
    assert!(ran.err.contains("source.too-many-ragged-rows"), "{}", ran.err);
    convert(&source, "x.csv", file(400, 4).as_bytes(), 3);
    refused(&source, "x.csv", file(399, 4).as_bytes(), &["4 of 399 rows"]);
}

#[test]
fn an_unclosed_quote_refuses_the_file_at_the_line_that_opens_it() {
    let bytes = edge("unclosed.csv");
    refused(&source(ALWAYS), "unclosed.csv", &bytes, &["unclosed.csv, line 2: ", "quote"]);
    // far from its end too, and though thousands of rows follow
    let mut long = b"WorkerID,UserID\n0,x\n1,\"a\n".to_vec();
    for n in 2..5_000 {
        long.extend(format!("{n},b\n").bytes());
    }
    refused(&source(ALWAYS), "long.csv", &long, &["long.csv, line 3: "]);
}

#[test]
fn only_status_words_that_are_mapped_pass_and_none_is_guessed() {
    let status = "{ from = \"S\", map = { Active = true, \"On Leave\" = true, A = false } }";
    let ran = convert(&source(status), "st.csv", &edge("st.csv"), 3);
    let expected = [("1", true), ("2", true), ("5", true), ("6", false)];
    let expected: Vec<_> = expected.iter().map(|(id, on)| ((*id).to_owned(), *on)).collect();
    assert_eq!(users(&ran), expected);
    for line in [4, 5, 8, 9, 10] {
        assert!(ran.err.contains(&format!("line {line}: rejected: column `S`")), "{}", ran.err);
    }
    for word in ["Employed", "enabled"] {
        assert!(!ran.err.contains(word), "no value of a row: {}", ran.err);
    }
    // without a map, only true and false
    let ran = convert(&source("\"S\""), "st.csv", &edge("st.csv"), 3);
    assert_eq!(users(&ran), active(&["8"]));
}

#[test]
fn a_file_without_rows_or_without_anything_is_refused() {
    let source = source(BY_STATUS);
    refused(&source, "x.csv", b"", &["x.csv: the file is empty"]);
    refused(&source, "x.csv", b"\n\n\n", &["no header"]);
    for text in ["WorkerID,UserID,WorkerStatus\n", "WorkerID,UserID,WorkerStatus\n\n,,\n"] {
        refused(&source, "x.csv", text.as_bytes(), &["a header and no rows"]);
    }
}

#[test]
fn a_cut_last_line_refuses_the_file_at_that_line() {
    let text = "WorkerID,UserID,WorkerStatus\n1,a,Active\n2,b";
    refused(&source(BY_STATUS), "x.csv", text.as_bytes(), &["x.csv, line 3: ", "cut off"]);
}

#[test]
fn all_missing_mapped_columns_are_named_at_once() {
    let ran = refused(SOURCE, "x.csv", b"WorkerID,Name,Grade\n1,a,b\n", &[]);
    for column in ["UserID", "WorkerStatus", "JobTitle", "ManagerID", "HireDate"] {
        assert!(ran.err.contains(&format!("`{column}`")), "{column} in {}", ran.err);
    }
    let (message, hint) = ran.err.split_once("hint: ").unwrap();
    assert!(!message.contains("`Name`") && !message.contains("`Grade`"), "{message}");
    assert!(hint.contains("`Grade`") && hint.contains("optional = true"), "{hint}");
}

#[test]
fn other_formats_are_named_whatever_their_ending() {
    refused(&source(ALWAYS), "x.csv", b"PK\x03\x04 and more", &["ZIP archive", "CSV"]);
    refused(&source(ALWAYS), "x.csv", b"%PDF-1.7 and more", &["PDF", "CSV"]);
    refused(&source(ALWAYS), "x.xls", b"<html><table><tr><td>1</table>", &["HTML", "CSV"]);
}

#[test]
fn what_passes_a_ceiling_is_refused_with_the_ceiling() {
    let field = format!("WorkerID,UserID\n1,a\n2,{}\n", "x".repeat(70_000));
    refused(&source(ALWAYS), "x.csv", field.as_bytes(), &["x.csv, line 3: ", "65536"]);
    let columns = format!("WorkerID,UserID{}\n1,a\n", ",c".repeat(17_000));
    refused(&source(ALWAYS), "x.csv", columns.as_bytes(), &["16384"]);
    let record = format!(
        "WorkerID,UserID{}\n1,a{}\n",
        ",c".repeat(40),
        format!(",{}", "y".repeat(60_000)).repeat(40)
    );
    refused(&source(ALWAYS), "x.csv", record.as_bytes(), &["x.csv, line 2: "]);
}

/// A file above the ceiling for files; it takes no room, for nothing is written into it.
#[cfg(unix)]
#[test]
fn a_file_above_the_ceiling_is_refused_without_being_read() {
    let place = offline(&source(ALWAYS), "");
    let file = std::fs::File::options().write(true).open(place.path("workers.csv")).unwrap();
    if file.set_len(17 * 1024 * 1024 * 1024).is_err() {
        return; // this file system has no files with holes
    }
    let start = Instant::now();
    let ran = place.run(&["convert", "workers.csv", "--source", "hr", "-o", "-"]).expect(1);
    assert!(ran.err.contains("workers.csv: "), "{}", ran.err);
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_missing_file_or_a_folder_is_refused_with_its_name() {
    for (name, words) in [("gone.csv", "gone.csv: "), ("folder", "folder: ")] {
        let place = offline(&source(ALWAYS), "");
        std::fs::create_dir(place.path("folder")).unwrap();
        for command in ["convert", "plan"] {
            let ran = place.run(&[command, name, "--source", "hr"]).expect(1);
            assert!(ran.err.contains(words), "{}", ran.err);
            assert!(ran.err.contains("source.unreadable"), "{}", ran.err);
            assert_eq!(ran.out, "");
        }
        assert_eq!(place.names(), ["folder", "scimport.toml", "workers.csv"]);
    }
}

/// Nobody writes into the pipe: whoever opened it to read would wait for ever.
#[cfg(unix)]
#[test]
fn a_pipe_is_refused_at_once() {
    let place = offline(SOURCE, HEADER);
    let pipe = place.path("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "this machine makes no pipes");
    for command in ["convert", "plan"] {
        let mut command_line = place.command();
        command_line.args([command, "pipe.csv", "--source", "hr"]);
        let ran = crate::cli_support::ran(command_line.timeout(Duration::from_secs(20))).expect(1);
        assert!(ran.err.contains("pipe.csv: ") && ran.err.contains("regular file"), "{}", ran.err);
    }
    let ran = place.run(&["plan", "/dev/null", "--source", "hr"]).expect(1);
    assert!(ran.err.contains("regular file"), "{}", ran.err);
}

#[test]
fn a_name_with_spaces_and_letters_of_any_kind_is_shown_as_it_is() {
    let name = "Mitarbeiter März 2026 (final).csv";
    let ran = refused(&source(ALWAYS), name, b"", &[name]);
    assert!(!ran.err.contains('\u{fffd}'), "{}", ran.err);
}
