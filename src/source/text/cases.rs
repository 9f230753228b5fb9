//! Files as they really arrive, byte by byte, and what becomes of them.

use std::io::{Cursor, Read, Seek};

use crate::domain::{ColumnKind, ColumnUse};
use crate::source::{
    Completeness, CsvConfig, CsvReader, CsvShape, Finding, FormatConfig, Limits, Quote,
    SourceError, SourceRow, TrailerConfig,
};

mod letters;
mod pieces;

/// A file that was read to its end.
#[derive(Debug, PartialEq)]
struct Whole {
    headers: Vec<String>,
    rows: Vec<Seen>,
    count: u64,
    completeness: Completeness,
    findings: Vec<Finding>,
}

#[derive(Debug, PartialEq)]
enum Seen {
    Row(u64, u64, Vec<String>),
    /// Row, line, whether it is ragged, code and message.
    Bad(u64, u64, bool, &'static str, String),
}

fn columns() -> Vec<ColumnUse> {
    let id = ColumnUse { name: "Employee ID".to_owned(), optional: false, kind: ColumnKind::Id };
    let name = ColumnUse { name: "Name".to_owned(), optional: true, kind: ColumnKind::Text };
    vec![id, name]
}

fn read_from(mut input: impl Read + Seek, config: &FormatConfig) -> Result<Whole, SourceError> {
    let limits = Limits::default();
    let shape = CsvShape::find(&mut input, config, &columns(), limits, "hr.csv")?;
    let mut reader = CsvReader::open(input, &shape, &columns(), limits, "hr.csv")?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        rows.push(match row {
            SourceRow::Row(row) => {
                let cells = row.cells().map(str::to_owned).collect();
                Seen::Row(row.row, row.line.unwrap(), cells)
            }
            SourceRow::Bad { row, line, is_ragged, problem } => {
                Seen::Bad(row, line.unwrap(), is_ragged, problem.code, problem.message)
            }
        });
    }
    let mut findings = shape.findings().to_vec();
    findings.extend(reader.findings());
    Ok(Whole {
        headers: reader.headers().to_vec(),
        rows,
        count: reader.rows(),
        completeness: reader.completeness(),
        findings,
    })
}

fn read(bytes: &[u8]) -> Whole {
    read_with(bytes, CsvConfig::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn read_with(bytes: &[u8], csv: CsvConfig) -> Result<Whole, SourceError> {
    read_from(Cursor::new(bytes), &FormatConfig { csv, ..FormatConfig::default() })
}

/// Code and words of a refusal.
fn refusal(bytes: &[u8]) -> (&'static str, String) {
    refusal_with(bytes, CsvConfig::default())
}

fn refusal_with(bytes: &[u8], csv: CsvConfig) -> (&'static str, String) {
    match read_with(bytes, csv) {
        Err(SourceError::Refused(problem)) => {
            (problem.code, SourceError::Refused(problem).to_string())
        }
        other => panic!("not refused: {other:?}"),
    }
}

fn cells(whole: &Whole) -> Vec<Vec<&str>> {
    let cells = whole.rows.iter().map(|row| match row {
        Seen::Row(_, _, cells) => cells.iter().map(String::as_str).collect(),
        Seen::Bad(..) => vec!["(bad)"],
    });
    cells.collect()
}

fn message<'a>(whole: &'a Whole, code: &str) -> &'a str {
    let found = whole.findings.iter().find(|finding| finding.code == code);
    found.map_or("", |finding| finding.message.as_str())
}

fn utf_16(text: &str, with_mark: bool) -> Vec<u8> {
    let mark = with_mark.then_some(0xFEFF);
    mark.into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_separator_line_is_no_header_and_no_row() {
    for mark in [&b""[..], b"\xEF\xBB\xBF"] {
        let mut bytes = mark.to_vec();
        bytes.extend_from_slice(
            b"\x73\x65\x70\x3D\x3B\x0D\x0AEmployee ID;Name;FTE\r\n1;Smith, John;0,8\r\n",
        );
        let whole = read(&bytes);
        assert_eq!(whole.headers, ["Employee ID", "Name", "FTE"]);
        let row = ["1", "Smith, John", "0,8"].map(str::to_owned).to_vec();
        assert_eq!(whole.rows, [Seen::Row(2, 3, row)]);
        assert!(!message(&whole, "source.separator-line").is_empty());
    }
}

#[test]
fn line_breaks_in_quotes_are_data_and_the_last_line_needs_no_end() {
    let whole =
        read(b"Employee ID,Name,x\r\n1,\"12 High St\r\nFloor 2\",\"O\"\"Neil\"\r\n2,\"a\rb\",c");
    let first = ["1", "12 High St\r\nFloor 2", "O\"Neil"].map(str::to_owned).to_vec();
    let second = ["2", "a\rb", "c"].map(str::to_owned).to_vec();
    assert_eq!(whole.rows, [Seen::Row(2, 2, first), Seen::Row(3, 4, second)]);
}

#[test]
fn an_unclosed_quote_is_shown_where_it_opens() {
    let mut bytes = b"Employee ID,Name\n".to_vec();
    for row in 2..10_000 {
        let quote = if row == 3_200 { "\"" } else { "" };
        bytes.extend_from_slice(format!("{row},{quote}Ann\n").as_bytes());
    }
    let (code, words) = refusal(&bytes);
    assert_eq!(code, "source.too-many-lines");
    assert!(words.starts_with("hr.csv, line 3200: "), "{words}");
}

#[test]
fn rows_with_more_or_fewer_fields_are_told_one_by_one() {
    let whole = read(b"Employee ID,Name,x\n1,a,b\n2,Smith, John,b\n3,a\n4,a,b\n");
    let ragged = |row, found| {
        let words = format!("the row has {found} fields, the header has 3");
        Seen::Bad(row, row, true, "source.ragged-row", words)
    };
    assert_eq!(whole.rows[1], ragged(3, 4));
    assert_eq!(whole.rows[2], ragged(4, 2));
    assert_eq!(whole.count, 4);
}

#[test]
fn very_many_columns_are_read_and_headers_keep_their_letters() {
    let mut bytes = b"Email,Email,,Employee\xC2\xA0ID,employee id ".to_vec();
    for column in 0..4_000 {
        bytes.extend_from_slice(format!(",Column {column}").as_bytes());
    }
    bytes.push(b'\n');
    let whole = read(&bytes);
    assert_eq!(whole.headers.len(), 4_005);
    assert_eq!(whole.headers[..5], ["Email", "Email", "", "Employee\u{a0}ID", "employee id"]);
}

#[test]
fn two_exports_in_one_file_are_one_when_their_headers_are() {
    let mut bytes = b"Employee ID,Name\n".to_vec();
    for row in 2..=5_000 {
        bytes.extend_from_slice(format!("{row},Ann\n").as_bytes());
    }
    let one = bytes.clone();
    bytes.extend_from_slice(b"\xEF\xBB\xBFEmployee ID,Name\n5002,Bob\n");
    let whole = read(&bytes);
    assert_eq!(whole.count, 5_000);
    let repeated = whole.findings.last().unwrap();
    assert_eq!((repeated.code, repeated.is_odd), ("source.repeated-header", true));
    assert_eq!((repeated.place.row, repeated.place.line), (Some(5_001), Some(5_001)));
    for other in [&b"Employee ID,Phone,Name\n"[..], b"\xEF\xBB\xBFPhone,City\n"] {
        let (code, words) = refusal(&[one.as_slice(), other, b"1,2\n"].concat());
        assert_eq!(code, "source.second-header");
        assert!(words.starts_with("hr.csv, row 5001, line 5001: "), "{words}");
    }
}

#[test]
fn a_trailer_is_held_against_the_rows() {
    let mut bytes = b"Employee ID;Name\n".to_vec();
    for row in 1..=1_180 {
        bytes.extend_from_slice(format!("{row};Ann\n").as_bytes());
    }
    let with = |trailer: &str| [bytes.as_slice(), trailer.as_bytes()].concat();
    assert_eq!(
        refusal(&with("TRL;0001234\n")),
        (
            "source.trailer-count",
            "hr.csv, row 1182, line 1182: the trailer says 1234 rows, and 1180 stand before it"
                .to_owned()
        )
    );
    for trailer in ["TRL;0001180\n", "TRL;0001180", "Total: 1180", "TRL;1180;99;x\n"] {
        let whole = read(&with(trailer));
        assert_eq!((whole.count, whole.completeness), (1_180, Completeness::Proven), "{trailer}");
        assert!(message(&whole, "source.trailer").contains("1180"));
    }
    assert_eq!(refusal(&with("TRL;1180\n1181;Ann\n")).0, "source.data-after-trailer");
    let total = Some((3, "Employee ID".to_owned()));
    let trailer = TrailerConfig { starts_with: "99".to_owned(), count: Some(2), total };
    let config = FormatConfig { trailer: Some(trailer), ..FormatConfig::default() };
    let read = |trailer: &str| {
        let mut text = String::from("Employee ID;Name\n");
        text.push_str("0007;Ann\n0008;Bob\n");
        text.push_str(trailer);
        read_from(Cursor::new(text.into_bytes()), &config)
    };
    assert_eq!(read("99;2;15\n").unwrap().completeness, Completeness::Proven);
    assert!(read("99;2;16\n").unwrap_err().to_string().contains("is not 15"));
    assert_eq!(read("").unwrap().completeness, Completeness::Unproven);
}

#[test]
fn files_that_end_too_early_are_refused() {
    assert_eq!(refusal(b"").0, "source.empty-file");
    assert_eq!(refusal(b"\xEF\xBB\xBF").0, "source.no-header");
    assert_eq!(
        refusal(b"Employee ID,Name,x\n1,2,3\n100457,Ann,Le\n100457,Ann"),
        (
            "source.cut-off",
            "hr.csv, line 4: the last line ends after 2 of 3 fields, without a line end".to_owned()
        )
    );
    let whole = read(b"Employee ID,Name\n");
    assert_eq!((whole.count, whole.completeness), (0, Completeness::Unproven));
}

#[test]
fn files_of_another_kind_are_named() {
    for (bytes, kind) in [
        (&b"PK\x03\x04xxxx"[..], "a ZIP archive or an Excel workbook"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel workbook or an encrypted one"),
        (b"\xEF\xBB\xBF <HTML><table>", "an HTML page"),
        (b"<table border=1>", "an HTML page"),
    ] {
        assert_eq!(
            refusal(bytes),
            ("source.not-csv", format!("hr.csv: the file is {kind}, not CSV"))
        );
    }
    let (code, words) = refusal(b"Employee ID,Name\n1,\0\0\n");
    assert_eq!(code, "source.encoding");
    assert!(words.contains("byte 19 of the file is zero"), "{words}");
}

#[test]
fn cells_that_look_empty_or_numeric_stay_as_they_are() {
    let text = "Employee ID,Name\n00123,NULL\n１２３,N/A\n123\u{200b},-\n123 ,0000-00-00\n";
    let whole = read(text.as_bytes());
    assert_eq!(
        cells(&whole),
        [["00123", "NULL"], ["１２３", "N/A"], ["123\u{200b}", "-"], ["123 ", "0000-00-00"]]
    );
}

#[test]
fn quotes_are_what_the_config_says() {
    let read = |quote, bytes: &[u8]| {
        let whole = read_with(bytes, CsvConfig { quote, ..CsvConfig::default() }).unwrap();
        cells(&whole).concat().join("|")
    };
    let bytes = b"Employee ID,Name\n1,\"5' 4\"\n2,'x'\n";
    assert_eq!(read(Quote::Auto, bytes), "1|5' 4|2|'x'");
    assert_eq!(read(Quote::None, bytes), "1|\"5' 4\"|2|'x'");
    assert_eq!(read(Quote::Byte(b'\''), b"Employee ID,Name\n1,'a, ''b'''\n"), "1|a, 'b'");
    assert_eq!(read(Quote::Auto, b"'Employee ID','Name'\n'1','a, ''b'''\n"), "1|a, 'b'");
}
