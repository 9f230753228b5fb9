//! Day and month told apart by what a whole column shows.

#![expect(clippy::expect_used, reason = "a helper that fails, fails its test")]

use proptest::prelude::*;
use scimport::domain::{CellMark, Mark};
use scimport::mapping::{DateContradiction, DateOrder, Mapping, RuleConfig, Scratch};

use crate::mapping_support::{OwnedRow, column, compile, config_with, template, text, words};

const HEADERS: [&str; 4] = ["Id", "Active", "D", "E"];

fn dated(rule: RuleConfig, formats: &[&str]) -> RuleConfig {
    RuleConfig { date: formats.iter().map(ToString::to_string).collect(), ..rule }
}

fn both(rule: RuleConfig) -> RuleConfig {
    dated(rule, &["%d/%m/%Y", "%m/%d/%Y"])
}

fn hired(rule: RuleConfig) -> Mapping {
    compile(&config_with(&[("urn:contoso:employee:Hired", rule)]))
}

/// What the cells of column `D` prove.
fn learnt(mapping: &Mapping, cells: &[&str]) -> Result<Vec<DateOrder>, Vec<DateContradiction>> {
    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    let mut evidence = bound.evidence();
    for (number, cell) in (2..).zip(cells) {
        let owned = OwnedRow::new(&["E1", "true", cell, ""]);
        let mut row = owned.row();
        (row.row, row.line) = (number, Some(number + 10));
        bound.observe(&row, &mut evidence);
    }
    bound.settle(evidence)
}

/// The date written for a cell of column `D`, or the problem's code.
fn read(mapping: &Mapping, orders: &[DateOrder], cell: &str) -> Result<String, &'static str> {
    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    bound.apply_orders(orders);
    let (mut scratch, mut out) = (Scratch::new(), Vec::new());
    bound
        .apply(&OwnedRow::new(&["E1", "true", cell, ""]).row(), &mut scratch, &mut out)
        .map_err(|problem| problem.code)?;
    let resource = String::from_utf8(out).expect("UTF-8");
    let (_, date) = resource.split_once(r#""Hired":""#).expect("a date");
    Ok(date.get(..10).expect("a date").to_owned())
}

#[test]
fn one_value_that_only_one_format_reads_decides_for_its_column() {
    let mapping = hired(both(column("D")));
    assert!(mapping.learns());
    for (proof, format, date) in
        [("25/12/2024", "%d/%m/%Y", "2024-04-03"), ("12/25/2024", "%m/%d/%Y", "2024-03-04")]
    {
        let orders = learnt(&mapping, &["03/04/2024", "", "soon", "45352", proof, "11/12/2024"])
            .expect("no contradiction");
        assert_eq!(orders.len(), 1);
        assert_eq!((orders[0].format.as_str(), orders[0].proofs), (format, 1));
        assert_eq!(orders[0].column.as_deref(), Some("D"));
        assert_eq!(read(&mapping, &orders, "03/04/2024").as_deref(), Ok(date));
        assert_eq!(read(&mapping, &orders, "04/04/2024").as_deref(), Ok("2024-04-04"));
        assert_eq!(read(&mapping, &orders, proof).as_deref(), Ok("2024-12-25"));
    }
}

#[test]
fn settling_holds_for_the_same_binding_too() {
    let mapping = hired(both(column("D")));
    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    let mut evidence = bound.evidence();
    bound.observe(&OwnedRow::new(&["E1", "true", "13/04/2024", ""]).row(), &mut evidence);
    bound.settle(evidence).expect("no contradiction");
    let row = OwnedRow::new(&["E1", "true", "03/04/2024", ""]);
    let mut out = Vec::new();
    bound.apply(&row.row(), &mut Scratch::new(), &mut out).expect("a resource");
    assert!(String::from_utf8(out).expect("UTF-8").contains("2024-04-03"));
}

#[test]
fn without_proof_a_date_of_two_readings_rejects_its_row() {
    let mapping = hired(both(column("D")));
    let orders = learnt(&mapping, &["03/04/2024", "11/12/2024", "05/05/2024"]).expect("nothing");
    assert_eq!(orders, []);
    assert_eq!(read(&mapping, &orders, "03/04/2024"), Err("mapping.ambiguous-date"));
    assert_eq!(read(&mapping, &orders, "05/05/2024").as_deref(), Ok("2024-05-05"));
}

#[test]
fn a_column_that_contradicts_itself_is_named_with_formats_and_lines_and_no_value() {
    let mapping = hired(both(column("D")));
    let found = learnt(&mapping, &["25/12/2024", "03/04/2024", "12/26/2024", "31/01/2024"])
        .expect_err("a contradiction");
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].message(),
        "column `D` holds dates that only `%d/%m/%Y` reads (line 12 and 1 more) and dates that \
         only `%m/%d/%Y` reads (line 14), so nobody can tell day and month of the others"
    );
    assert_eq!(found[0].formats[0].places, [(2, Some(12)), (5, Some(15))]);
    assert!(found[0].hint().contains("`urn:contoso:employee:Hired`"));
    assert!(!format!("{found:?}").contains("2024"));
}

#[test]
fn only_rules_that_could_read_a_text_twice_learn() {
    for rule in [
        column("D"),
        dated(column("D"), &["%d/%m/%Y"]),
        dated(column("D"), &["%d.%m.%Y", "%m/%d/%Y", "%F", "%Y%m%d"]),
        RuleConfig { map: words(&[("x", text("13/04/2024"))]), ..both(column("D")) },
    ] {
        let mapping = hired(rule);
        assert!(!mapping.learns());
        assert_eq!(learnt(&mapping, &["25/12/2024", "12/26/2024"]), Ok(Vec::new()));
    }
}

#[test]
fn each_column_decides_for_itself() {
    let mapping = compile(&config_with(&[
        ("urn:contoso:employee:Hired", both(column("D"))),
        ("urn:contoso:employee:Left", both(template("{E}"))),
    ]));
    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    let mut evidence = bound.evidence();
    bound.observe(&OwnedRow::new(&["E1", "true", "25/12/2024", "12/25/2024"]).row(), &mut evidence);
    let orders = bound.settle(evidence).expect("no contradiction");
    let formats: Vec<_> =
        orders.iter().map(|order| (order.column.as_deref(), order.format.as_str())).collect();
    assert_eq!(formats, [(Some("D"), "%d/%m/%Y"), (None, "%m/%d/%Y")]);
    let row = OwnedRow::new(&["E1", "true", "03/04/2024", "03/04/2024"]);
    let mut out = Vec::new();
    bound.apply(&row.row(), &mut Scratch::new(), &mut out).expect("a resource");
    let resource = String::from_utf8(out).expect("UTF-8");
    assert!(resource.contains(r#""Hired":"2024-04-03"#), "{resource}");
    assert!(resource.contains(r#""Left":"2024-03-04"#), "{resource}");
}

#[test]
fn cells_that_are_dates_prove_nothing_about_formats() {
    let mapping = hired(both(column("D")));
    let mut bound = mapping.bind(&HEADERS).expect("all columns");
    let mut evidence = bound.evidence();
    let marks = [Mark { cell: 2, kind: CellMark::Date }];
    let owned = OwnedRow::new(&["E1", "true", "2024-12-25", ""]);
    bound.observe(&owned.row().with_marks(&marks), &mut evidence);
    assert_eq!(bound.settle(evidence), Ok(Vec::new()));
}

#[test]
fn a_year_of_two_digits_is_told_from_no_date() {
    let mapping = hired(dated(column("D"), &["%d.%m.%Y", "%F"]));
    for (cell, code) in [
        ("05.07.24", "mapping.two-digit-year"),
        ("24-07-05", "mapping.two-digit-year"),
        ("05.13.24", "mapping.bad-date"),
        ("soon", "mapping.bad-date"),
    ] {
        assert_eq!(read(&mapping, &[], cell), Err(code), "for {cell}");
    }
}

proptest! {
    #[test]
    fn no_column_makes_learning_panic_and_proof_is_never_against_a_reading(
        cells in prop::collection::vec("[0-9]{1,2}/[0-9]{1,2}/20[0-9]{2}|\\PC{0,12}", 0..20),
    ) {
        let mapping = hired(both(column("D")));
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        if let Ok(orders) = learnt(&mapping, &cells) {
            for cell in cells.iter().filter(|cell| !cell.trim().is_empty()) {
                let (before, after) = (read(&mapping, &[], cell), read(&mapping, &orders, cell));
                // what could be read before is read the same
                prop_assert!(before.is_err() || before == after);
                prop_assert!(orders.is_empty() || after != Err("mapping.ambiguous-date"));
            }
        }
    }
}
