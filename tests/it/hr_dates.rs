//! Dates as HR files have them: serial numbers of two calendars, texts in two orders, and days that
//! never were.

use std::fmt::Write as _;

use serde_json::Value;

use crate::hr_book::{Book, Cell, shown, text};
use crate::hr_support::{HIRE_DATE, Hr, PEOPLE, Read, source, utf_16};

const DAY_FIRST: &str = "[\"%d/%m/%Y\"]";
const EITHER: &str = "[\"%d/%m/%Y\", \"%m/%d/%Y\"]";

/// A source whose column `Hired` is a date in these formats.
fn dated(formats: &str) -> String {
    dated_with(formats, "")
}

fn dated_with(formats: &str, rules: &str) -> String {
    let mapping =
        format!("{PEOPLE}\"{HIRE_DATE}\" = {{ from = \"Hired\", date = {formats}{rules} }}");
    source("", &mapping)
}

#[track_caller]
fn hired<'a>(read: &'a Read, id: &str) -> &'a Value {
    date(read.user(id))
}

fn date(user: &Value) -> &Value {
    let (urn, name) = HIRE_DATE.rsplit_once(':').unwrap();
    &user[urn][name]
}

/// People `1`, `2`, … with these dates.
fn csv(dates: &[&str]) -> String {
    let mut text = "ID;User;Status;Hired\n".to_owned();
    for (n, date) in (1..).zip(dates) {
        writeln!(text, "{n:04};u{n};Active;{date}").unwrap();
    }
    text
}

/// The same in a workbook.
fn book(dates: Vec<Cell>) -> Book {
    let row =
        |(n, date)| vec![text(&format!("{n:04}")), text(&format!("u{n}")), text("Active"), date];
    let mut book =
        Book::of(&["ID", "User", "Status", "Hired"], (1..).zip(dates).map(row).collect());
    book.formats = vec!["yyyy\\-mm\\-dd", "dd/mm/yyyy", "d\\.\\ mmmm\\ yyyy\\ hh:mm", "[h]:mm"];
    book
}

/// hr-files 17.
#[test]
fn a_serial_is_the_day_of_its_workbooks_calendar() {
    let dates = vec![shown(45_352, 1), text("01/03/2024"), shown(45_352, 2), shown("45352.75", 3)];
    let mut book = book(dates);
    let read = Hr::new(&dated(DAY_FIRST), "hr.xlsx", book.bytes()).read(0);
    for id in ["0001", "0002", "0003"] {
        assert_eq!(hired(&read, id), "2024-03-01T00:00:00+01:00", "{id}");
    }
    let with_time = hired(&read, "0004").as_str().unwrap();
    assert!(with_time.starts_with("2024-03-01T") && with_time.ends_with("+01:00"), "{with_time}");
    book.is_1904 = true;
    let read = Hr::new(&dated(DAY_FIRST), "hr.xlsx", book.bytes()).read(0);
    assert_eq!(hired(&read, "0001"), "2028-03-02T00:00:00+01:00");
    assert_eq!(
        hired(&read, "0002"),
        "2024-03-01T00:00:00+01:00",
        "text has no calendar of its own"
    );
    assert_eq!(hired(&read, "0003"), "2028-03-02T00:00:00+01:00");
}

/// hr-files 17. The same serial without a date format: the mapping says that it is one.
#[test]
fn a_serial_without_a_format_is_a_day_where_a_date_is_mapped() {
    let mut book = book(vec![shown(45_352, 0), text("45352")]);
    let read = Hr::new(&dated(DAY_FIRST), "hr.xlsx", book.bytes()).read(0);
    assert_eq!(hired(&read, "0001"), "2024-03-01T00:00:00+01:00");
    assert_eq!(hired(&read, "0002"), "2024-03-01T00:00:00+01:00");
    book.is_1904 = true;
    let hr = Hr::new(&dated(DAY_FIRST), "hr.xlsx", book.bytes());
    assert_eq!(hired(&hr.read(0), "0001"), "2028-03-02T00:00:00+01:00");
    let read = Hr::new(&dated(DAY_FIRST), "hr.csv", csv(&["45352"])).read(0);
    assert_eq!(hired(&read, "0001"), "2024-03-01T00:00:00+01:00");
}

/// hr-files 17.
#[test]
fn a_day_that_never_was_rejects_its_row_and_zero_is_empty() {
    for format in [1, 2] {
        let dates = vec![shown(60, format), shown(0, format), shown(59, format), shown(61, format)];
        let read = Hr::new(&dated(DAY_FIRST), "hr.xlsx", book(dates).bytes()).read(3);
        assert_eq!(read.rejected(), [2], "29 February 1900 alone");
        read.reject(2, "source.cell-no-date");
        assert_eq!(hired(&read, "0002"), &Value::Null);
        assert!(hired(&read, "0003").as_str().unwrap().starts_with("1900-02-28T00:00:00+"));
        assert!(hired(&read, "0004").as_str().unwrap().starts_with("1900-03-01T00:00:00+"));
    }
    let read = Hr::new(&dated_with(DAY_FIRST, ", required = true"), "hr.xlsx", {
        book(vec![shown(0, 1), shown(45_352, 1)]).bytes()
    })
    .read(3);
    assert_eq!(read.rejected(), [2], "empty, and required");
}

/// hr-files 17. In a workbook that counts from 1904 the serial 60 is a day like any other.
#[test]
fn sixty_is_a_day_in_a_workbook_that_counts_from_1904() {
    let mut book = book(vec![shown(60, 1)]);
    book.is_1904 = true;
    let read = Hr::new(&dated(DAY_FIRST), "hr.xlsx", book.bytes()).read(0);
    assert!(hired(&read, "0001").as_str().unwrap().starts_with("1904-03-01T00:00:00+"));
}

/// hr-files 17.
#[test]
fn the_last_day_of_9999_is_no_mistake_and_what_is_behind_it_is_one() {
    let dates = vec![shown(2_958_465, 1), text("31/12/9999"), shown(2_958_466, 1), shown(-1, 1)];
    let read = Hr::new(&dated(DAY_FIRST), "hr.xlsx", book(dates).bytes()).read(3);
    assert_eq!(read.rejected(), [4, 5]);
    for id in ["0001", "0002"] {
        let value = hired(&read, id);
        assert!(value.is_null() || *value == "9999-12-31T00:00:00+01:00", "{id}: {value}");
    }
    assert_eq!(hired(&read, "0001"), hired(&read, "0002"), "a cell and a text of the same day");
}

/// hr-files 17.
#[test]
fn a_date_always_has_a_time_and_the_offset_of_its_day() {
    let read =
        Hr::new(&dated("[\"%Y-%m-%d\"]"), "hr.csv", csv(&["2024-01-31", "2024-07-31"])).read(0);
    assert_eq!(hired(&read, "0001"), "2024-01-31T00:00:00+01:00");
    assert_eq!(hired(&read, "0002"), "2024-07-31T00:00:00+02:00");
}

/// hr-files 17.
#[test]
fn days_and_texts_in_one_column_are_read_in_one_order_or_rejected() {
    let dates = vec![shown(45_352, 1), text("25/12/2024"), text("03/04/2024"), text("12/25/2024 ")];
    let read = Hr::new(&dated(DAY_FIRST), "hr.xlsx", book(dates).bytes()).read(3);
    assert_eq!(read.rejected(), [5], "no month 25");
    assert_eq!(hired(&read, "0003"), "2024-04-03T00:00:00+02:00");
    // the cell that is a day says nothing about the order of the texts
    let dates = vec![shown(45_382, 1), text("03/04/2024"), text("05/06/2024")];
    let hr = Hr::new(&dated(EITHER), "hr.xlsx", book(dates).bytes());
    let ran = hr.never_but(|id, _| id == "0001");
    assert_ne!(ran.code, 0, "{}", ran.err);
}

/// Texts that both orders can read, day and month as in 3 April.
fn ambiguous(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{:02}/{:02}/2024", n % 12 + 1, n / 12 % 12 + 1)).collect()
}

fn refs(dates: &[String]) -> Vec<&str> {
    dates.iter().map(String::as_str).collect()
}

/// hr-files 18.
#[test]
fn the_order_is_what_the_whole_column_proves() {
    let mut dates = ambiguous(200);
    dates.extend(["25/12/2024".to_owned(), "03/04/2024".to_owned()]);
    for text in [csv(&refs(&dates)).into_bytes(), utf_16(&csv(&refs(&dates)))] {
        let read = Hr::new(&dated(EITHER), "hr.csv", text).read(0);
        assert_eq!(hired(&read, "0202"), "2024-04-03T00:00:00+02:00");
        assert_eq!(hired(&read, "0201"), "2024-12-25T00:00:00+01:00");
        // the row long before the proof too: 2 January
        assert_eq!(hired(&read, "0002"), "2024-01-02T00:00:00+01:00");
        let told = read.findings().into_iter().any(|finding| {
            let text = finding.to_string();
            text.contains("Hired") && text.contains("%d/%m/%Y")
        });
        assert!(told, "what was decided, and for which column: {:#?}", read.findings());
    }
    let cells = dates.iter().map(|date| text(date)).collect();
    let read = Hr::new(&dated(EITHER), "hr.xlsx", book(cells).bytes()).read(0);
    assert_eq!(hired(&read, "0002"), "2024-01-02T00:00:00+01:00");
}

/// hr-files 18. The other order, with the proof in the first row and the formats the other way round.
#[test]
fn the_order_of_the_formats_in_the_config_proves_nothing() {
    let mut dates = vec!["12/25/2024".to_owned()];
    dates.extend(ambiguous(200));
    for formats in [EITHER, "[\"%m/%d/%Y\", \"%d/%m/%Y\"]"] {
        let read = Hr::new(&dated(formats), "hr.csv", csv(&refs(&dates))).read(0);
        // the text 02/01/2024
        assert_eq!(hired(&read, "0003"), "2024-02-01T00:00:00+01:00");
    }
}

/// hr-files 18.
#[test]
fn evidence_for_both_orders_refuses_the_file() {
    let mut dates = ambiguous(200);
    dates.push("25/12/2024".to_owned());
    dates.extend(ambiguous(50));
    dates.push("12/25/2024".to_owned());
    let hr = Hr::new(&dated(EITHER), "hr.csv", csv(&refs(&dates)));
    hr.refused("source.date-order", &["Hired", "202", "253"]);
    let cells = dates.iter().map(|date| text(date)).collect();
    Hr::new(&dated(EITHER), "hr.xlsx", book(cells).bytes())
        .refused("source.date-order", &["Hired"]);
}

/// hr-files 18.
#[test]
fn without_evidence_nobody_guesses() {
    let dates = ambiguous(144);
    let hr = Hr::new(&dated(EITHER), "hr.csv", csv(&refs(&dates)));
    // both orders read 05/05/2024 alike
    let ran = hr.never_but(|id, _| {
        let at: usize = id.parse().unwrap();
        dates[at - 1][..2] == dates[at - 1][3..5]
    });
    assert_ne!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("`Hired`") && ran.err.contains("hint: ") || ran.code == 3);
    // as the hint says: one format is enough
    let read = Hr::new(&dated(DAY_FIRST), "hr.csv", csv(&refs(&dates))).read(0);
    assert_eq!(read.users.len(), 144);
}

/// hr-files 18. Formats that cannot be confused need no proof.
#[test]
fn formats_of_different_shapes_are_told_apart_row_by_row() {
    let formats = "[\"%Y-%m-%d\", \"%d.%m.%Y\"]";
    let read = Hr::new(&dated(formats), "hr.csv", csv(&["2024-04-03", "03.04.2024", ""])).read(0);
    assert_eq!(hired(&read, "0001"), hired(&read, "0002"));
    assert_eq!(hired(&read, "0003"), &Value::Null);
}
