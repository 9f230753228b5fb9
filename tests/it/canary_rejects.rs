//! Values of rejected rows are kept to go back to whoever exported them: they stand in the store and in
//! what goes back, and nowhere else.

use std::path::Path;

use crate::canary::{
    CANARY, FORMATS, HEADER, SOURCE, assert_silent, assert_store_holds_no_secret, row,
};
use crate::cli_support::{Stage, quick};

/// The files below a folder that hold the canary as it is, by their names from there.
fn files_with_the_canary(folder: &Path, below: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_with_the_canary(&entry.path(), &format!("{name}/")));
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        if bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()) {
            found.push(name);
        }
    }
    found.sort();
    found
}

#[test]
fn values_of_rejected_rows_stand_in_what_goes_back_and_in_the_store_alone() {
    let stage = Stage::new(quick(), SOURCE);
    let good = row("G1", &[("Status", "Inactive")]).replace(CANARY, "fine");
    let text = |salt: &str| {
        let rejected: String = [("Status", "zqcanary"), ("Hired", "zqcanary"), ("Upn", "")]
            .iter()
            .enumerate()
            .map(|(n, cell)| row(&format!("{salt}{n}"), &[*cell]))
            .collect();
        format!("{HEADER}\n{good}{rejected}")
    };
    for (index, format) in FORMATS.iter().enumerate() {
        let salt = ["A", "B"][index];
        stage.place.write("x.csv", text(salt));
        let folder = format!("{salt}-out");
        let with_source: [&[&str]; 6] = [
            &["plan", "--diff", "--show-values"],
            &["plan", "--json"],
            &["convert", "-o", "-"],
            &["convert", "-o", &folder],
            &["apply", "--wait", "outcome", "--json"],
            &["apply"],
        ];
        for arguments in with_source {
            let all = [arguments, &["x.csv", "--source", "hr"], format].concat();
            let ran = stage.run(&all);
            assert_silent(&ran, &format!("{all:?}"));
            assert!(!ran.out.contains(CANARY), "{all:?}: {}", ran.out);
        }
        let rejected = format!("{salt}0");
        let others: [&[&str]; 6] = [
            &["work", "--json"],
            &["runs", "--json"],
            &["status", "latest"],
            &["status", "latest", "--operations"],
            &["status", "latest", "--operations", "--json"],
            &["record", &rejected, "--json"],
        ];
        for arguments in others {
            let all = [arguments, format].concat();
            let ran = stage.run(&all);
            assert_silent(&ran, &format!("{all:?}"));
            assert!(!ran.out.contains(CANARY), "{all:?}: {}", ran.out);
        }
        for kind in ["csv", "json", "xlsx"] {
            let file = format!("report.{kind}");
            let all = [&["report", "latest", "--format", kind, "-o", &file], &format[..]].concat();
            let ran = stage.run(&all).expect(0);
            assert_silent(&ran, &format!("{all:?}"));
            assert_eq!(ran.out, "");
        }
    }
    assert!(!stage.ask("directory").to_string().contains(CANARY), "nothing of them is sent");
    let mut found = files_with_the_canary(&stage.place.path(""), "");
    found.retain(|name| !name.starts_with("scimport.db"));
    // in a workbook everything is compressed
    let expected = ["A-out/rejects.csv", "B-out/rejects.csv", "report.csv", "report.json", "x.csv"];
    assert_eq!(found, expected);
    assert_store_holds_no_secret(&stage.place);
}
