//! What a source knows of a cell beside its text: dates, and values that nobody can know.

#![expect(clippy::expect_used, reason = "a helper that fails, fails its test")]

use scimport::domain::{CellFault, CellMark, Mark, RecordProblem, Row};
use scimport::mapping::{MappingConfig, RuleConfig, Scratch};

use crate::mapping_support::{OwnedRow, column, compile, config_with, rest, template};

const HEADERS: [&str; 4] = ["Id", "Active", "T", "U"];

fn marked(
    config: &MappingConfig,
    cells: [&str; 4],
    marks: &[(usize, CellMark)],
) -> Result<String, RecordProblem> {
    let mapping = compile(config);
    let bound = mapping.bind(&HEADERS).expect("all columns");
    let marks: Vec<Mark> = marks.iter().map(|&(cell, kind)| Mark { cell, kind }).collect();
    let owned = OwnedRow::new(&cells);
    let row: Row<'_> = owned.row().with_marks(&marks);
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    let id = bound.external_id(&row, &mut scratch).map(ToOwned::to_owned);
    match bound.apply(&row, &mut scratch, &mut out) {
        Ok(mapped) => {
            assert_eq!(id.as_deref(), Ok(mapped.external_id));
            Ok(rest(&String::from_utf8(out).expect("UTF-8")))
        }
        Err(problem) => {
            assert!(out.is_empty());
            Err(problem)
        }
    }
}

fn dated() -> RuleConfig {
    RuleConfig { date: vec!["%d/%m/%Y".to_owned(), "%m/%d/%Y".to_owned()], ..column("T") }
}

#[test]
fn an_unknown_cell_rejects_its_row_only_where_it_is_mapped() {
    let error = CellMark::Unknown(CellFault::Error);
    let plain = config_with(&[("title", column("T"))]);
    assert_eq!(
        marked(&plain, ["E1", "true", "Clerk", ""], &[(3, error)]).as_deref(),
        Ok(r#","title":"Clerk""#)
    );
    let problem = marked(&plain, ["E1", "true", "", "x"], &[(2, error)]).expect_err("unknown");
    assert_eq!(problem.code, "source.cell-error");
    assert_eq!(problem.attribute.as_deref(), Some("title"));
    assert_eq!(problem.column.as_deref(), Some("T"));
    assert_eq!(problem.message, "column `T` holds an error value, but `title` needs it");
    assert_eq!(problem.hint.as_deref(), Some(CellFault::Error.hint()));
}

#[test]
fn every_way_to_read_a_cell_notices_that_it_is_unknown() {
    let unknown = CellMark::Unknown(CellFault::Precision);
    for rule in [
        column("T"),
        template("{U} {T}"),
        RuleConfig { max: Some(3), ..column("T") },
        RuleConfig { default: Some(crate::mapping_support::text("x")), ..column("T") },
        RuleConfig { trim: false, ..column("T") },
        dated(),
    ] {
        let config = config_with(&[("title", rule)]);
        let problem =
            marked(&config, ["E1", "true", "", "x"], &[(2, unknown)]).expect_err("unknown");
        assert_eq!(problem.code, "source.cell-precision");
        assert_eq!(problem.column.as_deref(), Some("T"));
    }
    let plain = config_with(&[]);
    for (cell, column) in [(0, "Id"), (1, "Active")] {
        let mut cells = ["E1", "true", "", ""];
        cells[cell] = "";
        let problem = marked(&plain, cells, &[(cell, unknown)]).expect_err("unknown");
        assert_eq!(
            (problem.code, problem.column.as_deref()),
            ("source.cell-precision", Some(column))
        );
    }
}

#[test]
fn a_typed_date_needs_no_format() {
    let config = config_with(&[("title", dated())]);
    for text in ["2024-03-04", "2024-03-04T17:30:00"] {
        let written = marked(&config, ["E1", "true", text, ""], &[(2, CellMark::Date)]);
        assert_eq!(written.as_deref(), Ok(r#","title":"2024-03-04T00:00:00+01:00""#));
    }
    let alone = config_with(&[("title", RuleConfig { date: dated().date, ..template("{T}") })]);
    let written = marked(&alone, ["E1", "true", "2024-03-04", ""], &[(2, CellMark::Date)]);
    assert_eq!(written.as_deref(), Ok(r#","title":"2024-03-04T00:00:00+01:00""#));
    let problem = marked(&config, ["E1", "true", "2024-03-04", ""], &[]).expect_err("no format");
    assert_eq!(problem.code, "mapping.bad-date");
    let plain = config_with(&[("title", column("T")), ("nickName", template("since {T}"))]);
    assert_eq!(
        marked(&plain, ["E1", "true", "2024-03-04", ""], &[(2, CellMark::Date)]).as_deref(),
        Ok(r#","nickName":"since 2024-03-04","title":"2024-03-04""#)
    );
}

#[test]
fn exponent_notation_is_an_error_where_digits_are_no_quantity() {
    let config = config_with(&[
        ("enterprise:manager", column("T")),
        ("phoneNumbers[type eq \"work\"]", column("U")),
    ]);
    for (cells, column) in [
        (["1.23457E+18", "true", "", ""], "Id"),
        (["E1", "true", " 1E+05 ", ""], "T"),
        (["E1", "true", "", "4.47911E+11"], "U"),
    ] {
        let problem = marked(&config, cells, &[]).expect_err("digits are lost");
        assert_eq!(
            (problem.code, problem.column.as_deref()),
            ("source.cell-exponent", Some(column))
        );
    }
    let written = marked(&config, ["E1", "true", "00123E4", "1E5"], &[]).expect("text");
    assert!(written.contains("00123E4") && written.contains("1E5"), "{written}");
    let other = config_with(&[("title", column("T"))]);
    assert_eq!(
        marked(&other, ["E1", "true", "1E+05", ""], &[]).as_deref(),
        Ok(r#","title":"1E+05""#)
    );
    let inside = config_with(&[("enterprise:manager", template("W{T}"))]);
    let problem = marked(&inside, ["E1", "true", "1E+05", ""], &[]).expect_err("digits are lost");
    assert_eq!(problem.code, "source.cell-exponent");
}
