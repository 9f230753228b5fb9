//! Workbooks made to hurt: each is refused by the ceiling that it passes, or costs nothing.

use std::fmt::Write as _;
use std::io::{Cursor, Read};

use proptest::prelude::*;
use scimport::domain::ColumnKind;
use scimport::source::WorkbookLimits;
use zip::write::SimpleFileOptions;

use crate::workbook_support::{Ask, Parts, archive, column, columns, text_row};

fn ask() -> Ask {
    Ask::of(columns(&["ID"]))
}

/// A workbook whose only sheet is given as bytes.
fn with_sheet(sheet: impl Read, name: &str) -> Vec<u8> {
    let parts = Parts::of_rows("").bytes();
    let mut old = zip::ZipArchive::new(Cursor::new(parts)).unwrap();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..old.len() {
        let file = old.by_index_raw(index).unwrap();
        if file.name().unwrap() != name {
            zip.raw_copy_file(file).unwrap();
        }
    }
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    let mut sheet = sheet;
    std::io::copy(&mut sheet, &mut zip).unwrap();
    zip.finish().unwrap().into_inner()
}

const SHEET: &str = "xl/worksheets/sheet1.xml";
const STRINGS: &str = "xl/sharedStrings.xml";

#[test]
fn a_sheet_that_unpacks_to_a_thousand_times_its_size_is_refused() {
    let head = format!("<worksheet><sheetData>{}", text_row(1, &["ID"]));
    let blanks = std::io::repeat(b' ').take(20 * 1024 * 1024);
    let bytes = with_sheet(head.as_bytes().chain(blanks), SHEET);
    assert!(bytes.len() < 600 * 1024, "{}", bytes.len());
    let refusal = ask().refusal(&bytes);
    assert!(refusal.contains("source.workbook-too-large"), "{refusal}");
    // whichever comes first: one text of blanks, or a part that grows too much
    assert!(refusal.contains("1048576 bytes") || refusal.contains("200 times"), "{refusal}");
    let remark = format!("<!--{}-->", " ".repeat(10_000));
    let many: Vec<u8> = remark.bytes().cycle().take(20 * 1024 * 1024).collect();
    let refusal = ask().refusal(&with_sheet(head.as_bytes().chain(&many[..]), SHEET));
    assert!(refusal.contains("more than 200 times its size"), "{refusal}");
}

#[test]
fn unpacked_bytes_are_counted_for_a_part_and_for_all() {
    let rows: String =
        (2..4_000).fold(text_row(1, &["ID"]), |all, row| all + &text_row(row, &["x"]));
    let bytes = Parts::of_rows(&rows).bytes();
    let mut small = ask();
    small.limits.part_bytes = 100_000;
    assert!(small.refusal(&bytes).contains("a part of more than 100000 bytes"));
    small.limits = WorkbookLimits { total_bytes: 150_000, ..WorkbookLimits::default() };
    assert!(small.refusal(&bytes).contains("more than 150000 bytes once unpacked"));
    small.limits = WorkbookLimits { file_bytes: 1_000, ..WorkbookLimits::default() };
    assert!(small.refusal(&bytes).contains("more than 1000 bytes"));
    small.limits = WorkbookLimits { cells: 1_000, ..WorkbookLimits::default() };
    assert!(small.refusal(&bytes).contains("row 1001: the workbook has more than 1000 cells"));
    small.limits = WorkbookLimits { rows: 50, ..WorkbookLimits::default() };
    assert!(small.refusal(&bytes).contains("more than 50 rows"));
    small.limits = WorkbookLimits { entries: 3, ..WorkbookLimits::default() };
    assert!(small.refusal(&bytes).contains("more than 3 entries"));
}

#[test]
fn cells_at_the_far_end_of_a_sheet_cost_nothing() {
    let rows = text_row(1, &["ID"])
        + "<row r=\"1048576\"><c r=\"A1048576\"><v>1</v></c>\
        <c r=\"XFD1048576\"><v>1</v></c></row>";
    let read = ask().read(&Parts::of_rows(&rows).bytes()).unwrap();
    assert_eq!(read.rows, [(1_048_576, vec!["1".to_owned()], vec![])]);
    assert!(read.spool.len() < 100);
    let beyond = text_row(1, &["ID"]) + "<row r=\"2\"><c r=\"XFE2\"><v>1</v></c></row>";
    assert!(ask().refusal(&Parts::of_rows(&beyond).bytes()).contains("more than 16384 columns"));
    let below = text_row(1, &["ID"]) + "<row r=\"1048577\"/>";
    assert!(ask().refusal(&Parts::of_rows(&below).bytes()).contains("more than 1048576 rows"));
}

#[test]
fn very_many_shared_strings_are_refused() {
    let mut strings = String::from("<sst>");
    for index in 0..200_000 {
        let _ = write!(strings, "<si><t>{index:x}</t></si>");
    }
    strings += "</sst>";
    let bytes = with_sheet(strings.as_bytes(), STRINGS);
    let mut few = ask();
    few.limits.shared_strings = 100_000;
    assert!(few.refusal(&bytes).contains("more than 100000 shared strings"));
    few.limits.shared_strings = 200_000;
    few.limits.shared_string_bytes = 100_000;
    assert!(few.refusal(&bytes).contains("more than 100000 bytes of shared strings"));
}

#[test]
fn declared_entities_are_refused_wherever_they_stand() {
    let mut laughs = String::from("<!DOCTYPE a [<!ENTITY a0 \"ha\">");
    for level in 1..20 {
        let _ = write!(laughs, "<!ENTITY a{level} \"{}\">", format!("&a{};", level - 1).repeat(10));
    }
    laughs += "]><sst><si><t>&a19;</t></si></sst>";
    for part in [STRINGS, SHEET, "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"] {
        let refusal = ask().refusal(&with_sheet(laughs.as_bytes(), part));
        assert!(refusal.contains("source.workbook-entities"), "{part}: {refusal}");
    }
    let undeclared = text_row(1, &["ID"]) + &text_row(2, &["&a19;"]);
    assert!(ask().refusal(&Parts::of_rows(&undeclared).bytes()).contains("row 2"));
}

#[test]
fn deep_nesting_long_texts_and_many_merged_ranges_have_ceilings() {
    let deep = text_row(1, &["ID"]) + "<row r=\"2\"><c r=\"A2\">" + &"<x>".repeat(100);
    assert!(ask().refusal(&Parts::of_rows(&deep).bytes()).contains("nested more than 64 deep"));
    let long = text_row(1, &["ID"]) + &text_row(2, &["x".repeat(98_302).as_str()]);
    assert!(ask().refusal(&Parts::of_rows(&long).bytes()).contains("more than 98301 bytes"));
    let whole = text_row(1, &["ID"]) + &text_row(2, &["\u{20ac}".repeat(32_767).as_str()]);
    assert!(ask().read(&Parts::of_rows(&whole).bytes()).is_ok());
    let mut merged = Parts::of_rows(&text_row(1, &["ID"]));
    merged.sheets[0].1 += &"<mergeCell ref=\"A2:A3\"/>".repeat(11);
    let mut few = ask();
    few.limits.merged_ranges = 10;
    assert!(few.refusal(&merged.bytes()).contains("more than 10 merged ranges"));
    let overlapping = ask().read(&merged.bytes()).unwrap();
    assert!(overlapping.rows.is_empty());
}

#[test]
fn an_archive_that_lies_about_sizes_or_shares_bytes_is_refused_or_read_as_it_is() {
    let rows: String =
        (2..2_000).fold(text_row(1, &["ID"]), |all, row| all + &text_row(row, &["x"]));
    let bytes = Parts::of_rows(&rows).bytes();
    let at = |bytes: &[u8], signature: &[u8]| memchr::memmem::rfind(bytes, signature).unwrap();
    let directory = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
    // unpacked sizes, one by one, said to be nothing or very much
    for size in [0_u32, 1, u32::MAX - 1] {
        let mut lying = bytes.clone();
        let mut from = directory;
        while let Some(entry) = memchr::memmem::find(&lying[from..], b"PK\x01\x02") {
            let place = from + entry + 24;
            lying[place..place + 4].copy_from_slice(&size.to_le_bytes());
            from = place;
        }
        let mut small = ask();
        small.limits.part_bytes = 10_000;
        let refusal = small.refusal(&lying);
        assert!(refusal.contains("10000 bytes") || refusal.contains("broken"), "{refusal}");
    }
    // two entries that begin at the same place
    let mut shared = bytes.clone();
    let last = at(&shared, b"PK\x01\x02") + 42;
    shared[last..last + 4].copy_from_slice(&0_u32.to_le_bytes());
    assert!(
        ask().refusal(&shared).contains("source.workbook-broken"),
        "{}",
        ask().refusal(&shared)
    );
    // cut anywhere
    for length in (0..bytes.len()).step_by(97) {
        assert!(ask().refusal(&bytes[..length]).starts_with('['));
    }
}

#[test]
fn an_archive_without_the_parts_of_a_workbook_is_refused_in_words() {
    let refusal = ask().refusal(&archive(&[("letter.txt", b"x")]));
    assert!(refusal.contains("the file is a ZIP archive, which is no workbook"), "{refusal}");
    let refusal = ask().refusal(&archive(&[("xl/workbook.xml", b"<workbook/>")]));
    assert!(refusal.contains("no sheet has the mapped columns"), "{refusal}");
    let refusal = ask().refusal(b"ID;Name\n1;Ada\n");
    assert!(refusal.contains("the file is CSV text"), "{refusal}");
}

fn workbook() -> Vec<u8> {
    let rows = text_row(1, &["ID", "Name", "Hired"])
        + "<row r=\"2\"><c r=\"A2\" s=\"1\"><v>7</v></c><c r=\"B2\" t=\"s\"><v>0</v></c>\
           <c r=\"C2\" s=\"2\"><v>45352.25</v></c></row>";
    let mut parts = Parts::of_rows(&rows);
    parts.sheets[0].1 += "<mergeCells><mergeCell ref=\"B2:B3\"/></mergeCells>";
    parts.strings = "<si><r><t>M\u{fc}</t></r><r><t>ller</t></r></si>".to_owned();
    parts.styles = "<numFmts><numFmt numFmtId=\"164\" formatCode=\"0000\"/></numFmts>\
                    <cellXfs><xf/><xf numFmtId=\"164\"/><xf numFmtId=\"14\"/></cellXfs>"
        .to_owned();
    parts.bytes()
}

proptest! {
    #[test]
    fn a_workbook_with_changed_bytes_neither_panics_nor_hangs(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let mut bytes = workbook();
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = Ask::of(columns(&["ID"])).refusal(&bytes);
    }

    #[test]
    fn a_sheet_with_changed_bytes_neither_panics_nor_hangs(
        changes in proptest::collection::vec((
            any::<prop::sample::Index>(),
            prop_oneof![any::<u8>(), proptest::sample::select(&b"<>/\"=&; 0A:"[..])],
        ), 1..8)
    ) {
        let rows = text_row(1, &["ID", "Name"]) + "<row r=\"2\"><c r=\"A2\" s=\"1\"><v>7</v></c>\
            <c r=\"B2\" t=\"s\"><v>0</v></c></row><mergeCell ref=\"A2:B4\"/>";
        let mut sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>").into_bytes();
        for (place, byte) in changes {
            let at = place.index(sheet.len());
            sheet[at] = byte;
        }
        let _ = ask().refusal(&with_sheet(&sheet[..], SHEET));
    }

    #[test]
    fn the_same_rows_come_out_whether_strings_are_shared_or_inline(
        texts in proptest::collection::vec(
            proptest::collection::vec("[a-z<&\u{fc}\u{20ac}_ x0D;]{0,12}", 3), 0..8
        )
    ) {
        let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let (mut inline, mut shared) = (Parts::of_rows(""), Parts::of_rows(""));
        let (mut inline_rows, mut shared_rows) = (String::new(), String::new());
        let heads = vec!["ID".to_owned(), "Name".to_owned(), "Note".to_owned()];
        let mut number = 0;
        for (row, cells) in (1..).zip(std::iter::once(&heads).chain(&texts)) {
            let _ = write!(inline_rows, "<row r=\"{row}\">");
            let _ = write!(shared_rows, "<row r=\"{row}\">");
            for text in cells {
                let text = escape(text);
                let space = "xml:space=\"preserve\"";
                let _ = write!(inline_rows, "<c t=\"inlineStr\"><is><t {space}>{text}</t></is></c>");
                let _ = write!(shared_rows, "<c t=\"s\"><v>{number}</v></c>");
                let _ = write!(shared.strings, "<si><t {space}>{text}</t></si>");
                number += 1;
            }
            inline_rows += "</row>";
            shared_rows += "</row>";
        }
        inline.sheets[0].1 = format!("<sheetData>{inline_rows}</sheetData>");
        shared.sheets[0].1 = format!("<sheetData>{shared_rows}</sheetData>");
        let ask = Ask::of(vec![column("ID", ColumnKind::Id), column("Name", ColumnKind::Text)]);
        let (inline, shared) = (ask.read(&inline.bytes()).unwrap(), ask.read(&shared.bytes()).unwrap());
        prop_assert_eq!(&inline, &shared);
        let expected: Vec<Vec<&str>> = texts
            .iter()
            .filter(|cells| cells.iter().any(|text| !text.trim().is_empty()))
            .map(|cells| {
                let seen = |text: &'_ str| text.trim().is_empty();
                vec![
                    if seen(&cells[0]) { "" } else { cells[0].as_str() },
                    if seen(&cells[1]) { "" } else { cells[1].as_str() },
                    "",
                ]
            })
            .collect();
        if !texts.iter().flatten().any(|text| text.contains("_x")) {
            prop_assert_eq!(inline.cells(), expected);
        }
    }
}
