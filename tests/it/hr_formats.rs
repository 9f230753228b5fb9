//! The same people in every format: the bytes that come out are the same.
//!
//! `benches/every_format.py` does it with 100,000 workers in all alphabets.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Map, Value};

use crate::hr_book::{Book, Cell, shown, text};
use crate::hr_support::{HIRE_DATE, Hr, PEOPLE, joined, source, utf_16, windows_1252};

const HEADER: [&str; 11] = [
    "ID", "User", "Status", "First", "Last", "Title", "Dept", "Manager", "Phone", "Street", "Hired",
];
/// The column with dates.
const HIRED: usize = 10;
/// 0 of the calendar that begins in 1900, as most days count from it.
const EXCEL_EPOCH: jiff::civil::Date = jiff::civil::date(1899, 12, 30);

const FIRST: [&str; 8] = ["Ann", "Zoë", "José", "Søren", "François", "Jürgen", "Þóra", "Mary Jo"];
const LAST: [&str; 8] =
    ["Müller", "O’Brien", "Núñez", "Smith, Jr.", "d'Angelo", "Østergaard", "Lindström", "Weiß"];
const TITLES: [&str; 5] =
    ["Clerk", "Head of \"R&D\" <x>", "Buyer; senior", "", "Œuvres & Arts – €"];
const STREETS: [&str; 4] = ["12 High St\nFloor 2", "", "Königstraße 4", "Rue de l’Église"];

/// So many people, one cell a column; empty is empty.
fn workers(count: usize) -> Vec<Vec<String>> {
    let worker = |n: usize| {
        let of = |list: &[&str], step: usize| list[(n / step) % list.len()].to_owned();
        let hired = jiff::civil::date(1999, 12, 31);
        let hired = hired.saturating_add(jiff::Span::new().days(i64::try_from(n * 37).unwrap()));
        vec![
            format!("{n:06}"),
            format!("u{n}@contoso.example"),
            if n.is_multiple_of(9) { "Inactive" } else { "Active" }.to_owned(),
            of(&FIRST, 1),
            of(&LAST, 3),
            of(&TITLES, 1),
            if n.is_multiple_of(4) { String::new() } else { format!("{:04}", n % 30) },
            if n == 1 { String::new() } else { format!("{:06}", n / 8 + 1) },
            format!("+49 30 {:07}", n * 31),
            of(&STREETS, 2),
            if n.is_multiple_of(5) { String::new() } else { hired.to_string() },
        ]
    };
    // nobody is their own manager
    (2..count + 2).map(worker).collect()
}

fn mapping() -> String {
    let emails = "'emails[type eq \"work\"].value' = \"User\"";
    let phones = "'phoneNumbers[type eq \"work\"].value' = \"Phone\"";
    let streets = "'addresses[type eq \"work\"].streetAddress' = \"Street\"";
    format!(
        "{PEOPLE}displayName = \"{{First}} {{Last}}\"\n\"name.givenName\" = \"First\"\n\
         \"name.familyName\" = \"Last\"\ntitle = \"Title\"\n{emails}\n{phones}\n{streets}\n\
         \"enterprise:department\" = \"Dept\"\n\"enterprise:manager\" = \"Manager\"\n\
         \"{HIRE_DATE}\" = {{ from = \"Hired\", date = [\"%Y-%m-%d\"] }}\n"
    )
}

fn delimited(workers: &[Vec<String>], delimiter: u8, end: &str) -> String {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(if end == "\n" { csv::Terminator::Any(b'\n') } else { csv::Terminator::CRLF })
        .from_writer(Vec::new());
    writer.write_record(HEADER).unwrap();
    for worker in workers {
        writer.write_record(worker).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// As Excel saves it: shared strings, and days as numbers with a format.
fn shared(workers: &[Vec<String>]) -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Cover").unwrap().write_string(0, 0, "People").unwrap();
    let day = Format::new().set_num_format("dd.mm.yyyy");
    let sheet = book.add_worksheet();
    for (column, name) in (0..).zip(HEADER) {
        sheet.write_string(0, column, name).unwrap();
    }
    for (row, worker) in (1..).zip(workers) {
        for (column, cell) in (0_u16..).zip(worker) {
            if cell.is_empty() {
                continue;
            }
            if usize::from(column) == HIRED {
                let date = ExcelDateTime::parse_from_str(cell).unwrap();
                sheet.write_datetime_with_format(row, column, &date, &day).unwrap();
            } else {
                sheet.write_string(row, column, cell).unwrap();
            }
        }
    }
    book.save_to_buffer().unwrap()
}

/// As programs stream it: strings inline, days as numbers of the other calendar too.
fn inline(workers: &[Vec<String>], is_1904: bool) -> Vec<u8> {
    let cell = |(column, cell): (usize, &String)| {
        if cell.is_empty() {
            Cell::Blank
        } else if column == HIRED {
            let date: jiff::civil::Date = cell.parse().unwrap();
            let days = (date - EXCEL_EPOCH).get_days();
            // the first day is 0 there, and four years and a day later
            shown(if is_1904 { days - 1_462 } else { days }, 1)
        } else {
            text(cell)
        }
    };
    let rows = workers.iter().map(|worker| worker.iter().enumerate().map(cell).collect()).collect();
    let mut book = Book::of(&HEADER, rows);
    book.formats = vec!["yyyy-mm-dd"];
    book.is_1904 = is_1904;
    book.bytes()
}

fn objects(workers: &[Vec<String>]) -> Vec<Value> {
    let object = |(n, worker): (usize, &Vec<String>)| {
        let member = |(name, cell): (&str, &String)| match (cell.is_empty(), n % 3) {
            // a missing member, an explicit null and an empty text are all empty
            (true, 0) => None,
            (true, 1) => Some((name.to_owned(), Value::Null)),
            _ => Some((name.to_owned(), Value::from(cell.as_str()))),
        };
        Value::Object(HEADER.into_iter().zip(worker).filter_map(member).collect::<Map<_, _>>())
    };
    workers.iter().enumerate().map(object).collect()
}

#[track_caller]
fn converted(file: &str, bytes: &[u8]) -> String {
    let hr = Hr::new(&source("", &mapping()), file, bytes);
    hr.run(&["convert", file, "--source", "hr", "-o", "-"]).expect(0).out
}

#[test]
fn the_same_people_come_out_of_every_format_byte_by_byte() {
    let workers = workers(400);
    let plain = delimited(&workers, b',', "\n");
    let reference = converted("hr.csv", plain.as_bytes());
    assert_eq!(reference.lines().count(), 8);
    assert!(reference.contains("O’Brien") && reference.contains("Œuvres"), "the letters are there");
    let objects = objects(&workers);
    let lines = joined(objects.iter().map(|person| format!("{person}\n")));
    let windows = delimited(&workers, b';', "\r\n");
    let variants = [
        ("marked.csv", format!("\u{feff}{windows}").into_bytes()),
        ("sep.csv", format!("sep=|\r\n{}", delimited(&workers, b'|', "\r\n")).into_bytes()),
        ("utf-16.txt", utf_16(&delimited(&workers, b'\t', "\r\n"))),
        ("windows-1252.csv", windows_1252(&windows)),
        ("shared.xlsx", shared(&workers)),
        ("inline.xlsx", inline(&workers, false)),
        ("1904.xlsx", inline(&workers, true)),
        ("lines.ndjson", lines.into_bytes()),
        ("array.json", serde_json::to_vec_pretty(&Value::from(objects.clone())).unwrap()),
        (
            "inside.json",
            serde_json::json!({ "took_ms": 3, "workers": objects }).to_string().into_bytes(),
        ),
    ];
    for (name, bytes) in variants {
        let out = converted(name, &bytes);
        for (at, (ours, theirs)) in reference.lines().zip(out.lines()).enumerate() {
            let split = ours.bytes().zip(theirs.bytes()).position(|(one, other)| one != other);
            assert_eq!(split, None, "{name}, request {}: {theirs}", at + 1);
        }
        assert_eq!(out.len(), reference.len(), "{name}");
    }
}
