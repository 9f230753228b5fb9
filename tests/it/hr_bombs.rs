//! hr-files 21: workbooks that are small on disk and large in memory. Each is refused with the limit
//! that it passed, or read, in little memory and time.

#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::hr_book::{Bomb, Book, packed, packed_with, sheet_xml, text, texts};
use crate::hr_support::{Hr, fixture, joined, people};

/// More than any of these files may take.
const MOST_BYTES: u64 = 200 * 1024 * 1024;
/// Long enough for a busy machine and a program that is not optimised.
const PATIENCE: Duration = Duration::from_mins(1);
const SHEET: &str = "xl/worksheets/sheet1.xml";
const HEADER: [&str; 3] = ["ID", "User", "Status"];

fn book() -> Book {
    Book::of(&HEADER, vec![texts(&["000001", "a", "Active"])])
}

/// All parts of [`book`] but the named one.
fn parts_without(name: &str) -> Vec<(String, String)> {
    let mut parts = book().parts();
    parts.push((SHEET.to_owned(), sheet_of(&book())));
    parts.retain(|(part, _)| part != name);
    parts
}

fn sheet_of(book: &Book) -> String {
    let bytes = book.bytes();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    std::io::read_to_string(archive.by_name(SHEET).unwrap()).unwrap()
}

fn part<'a>(parts: &'a mut [(String, String)], name: &str) -> &'a mut String {
    &mut parts.iter_mut().find(|(part, _)| part == name).unwrap().1
}

/// The exit code and words of `convert`, within memory and time.
#[track_caller]
fn convert(bytes: Vec<u8>) -> (i32, String, String) {
    let hr = Hr::new(&people(""), "hr.xlsx", bytes);
    let err = std::fs::File::create(hr.place.path("err")).unwrap();
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_scimport"))
        .args(["convert", "hr.xlsx", "--source", "hr", "-o", "out"])
        .current_dir(hr.place.path(""))
        .env_remove("SCIMPORT_CONFIG")
        .stdout(Stdio::null())
        .stderr(err)
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let code = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if peak > MOST_BYTES || start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{} MiB after {:?}", peak >> 20, start.elapsed());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(peak <= MOST_BYTES, "{} MiB", peak >> 20);
    let bodies = hr.place.path("out/bulk-00001.json");
    let out = std::fs::read_to_string(bodies).unwrap_or_default();
    (code.expect("an exit code"), out, hr.place.read("err"))
}

#[track_caller]
fn refused(bytes: Vec<u8>, words: &[&str]) {
    let (code, out, err) = convert(bytes);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("hint: ") && err.contains("source."), "{err}");
    assert!(err.contains("hr.xlsx"), "{err}");
    assert!(words.iter().any(|word| err.contains(word)), "one of {words:?} in {err}");
    // the limit has a size
    assert!(err.chars().any(|letter| letter.is_ascii_digit()), "{err}");
}

fn deflated(name: &str, unit: &[u8]) -> (Vec<u8>, Vec<u8>) {
    (std::fs::read(fixture(name)).unwrap(), unit.repeat((1 << 20) / unit.len()))
}

/// The words of any limit on what is in an archive.
const INFLATED: [&str; 5] = ["MiB", "GiB", "bytes", "times", "rows"];

#[test]
fn a_sheet_of_half_a_gibibyte_of_rows_is_refused_with_the_limit() {
    let unit = format!("{:<64}", "<row><c t=\"str\"><v>x</v></c><c t=\"str\"><v>y</v></c></row>");
    let (deflated, inflated) = deflated("rows-1mib.deflate", unit.as_bytes());
    let sheet = sheet_of(&book());
    let (before, after) = sheet.split_once("</sheetData>").unwrap();
    let after = format!("</sheetData>{after}");
    let bomb = Bomb {
        name: SHEET,
        before,
        deflated: &deflated,
        inflated: &inflated,
        times: 512,
        after: &after,
    };
    let bytes = packed_with(&parts_without(SHEET), &bomb);
    assert!(bytes.len() < 2 * 1024 * 1024);
    refused(bytes, &INFLATED);
}

#[test]
fn a_cell_of_half_a_gibibyte_is_refused_with_the_limit() {
    let (deflated, inflated) = deflated("letters-1mib.deflate", b"A");
    let sheet = sheet_of(&book());
    let (before, after) = sheet.split_once("000001").unwrap();
    let bomb =
        Bomb { name: SHEET, before, deflated: &deflated, inflated: &inflated, times: 512, after };
    let bytes = packed_with(&parts_without(SHEET), &bomb);
    assert!(bytes.len() < 600 * 1024, "as small as in the field");
    refused(bytes, &INFLATED);
}

#[test]
fn a_cell_longer_than_a_cell_can_be_is_refused() {
    let mut parts = parts_without("");
    *part(&mut parts, SHEET) = sheet_of(&book()).replace("000001", &"1".repeat(2 << 20));
    refused(packed(&parts), &INFLATED);
}

#[test]
fn half_a_gibibyte_in_the_shared_strings_is_refused_with_the_limit() {
    let shared = "xl/sharedStrings.xml";
    let (deflated, inflated) = deflated("letters-1mib.deflate", b"A");
    let before = "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>";
    let after = "</t></si></sst>";
    let bomb =
        Bomb { name: shared, before, deflated: &deflated, inflated: &inflated, times: 512, after };
    refused(packed_with(&parts_without(shared), &bomb), &INFLATED);
}

/// Eight million of sixteen bytes; two million are a quarter of that.
#[test]
fn a_shared_string_table_of_millions_is_refused_or_takes_no_room() {
    let shared = "xl/sharedStrings.xml";
    let (deflated, inflated) = deflated("strings-1mib.deflate", b"<si><t/></si>   ");
    let before = "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">";
    for times in [31, 128] {
        let bomb = Bomb {
            name: shared,
            before,
            deflated: &deflated,
            inflated: &inflated,
            times,
            after: "</sst>",
        };
        let (code, out, err) = convert(packed_with(&parts_without(shared), &bomb));
        match code {
            0 => assert!(out.contains("000001"), "{out}"),
            1 => assert!(err.contains("hint: ") && err.contains("source."), "{err}"),
            _ => panic!("{code}: {err}"),
        }
    }
}

#[test]
fn cells_at_both_ends_of_a_sheet_take_no_room_between_them() {
    let far =
        "<row r=\"1048576\"><c r=\"XFD1048576\" t=\"inlineStr\"><is><t>end</t></is></c></row>";
    let mut parts = parts_without("");
    let sheet = sheet_of(&book());
    let sheet = sheet.replace("</sheetData>", &format!("{far}</sheetData>"));
    *part(&mut parts, SHEET) =
        sheet.replace("<sheetData>", "<dimension ref=\"A1:XFD1048576\"/><sheetData>");
    let (code, out, err) = convert(packed(&parts));
    match code {
        0 | 3 => assert!(out.contains("000001"), "{err}"),
        1 => assert!(err.contains("hint: "), "{err}"),
        _ => panic!("{code}: {err}"),
    }
    // and nothing but those
    let only = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>ID</t></is></c></row>";
    *part(&mut parts, SHEET) = sheet_xml(&format!("{only}{far}"), "");
    refused(packed(&parts), &["`User`"]);
}

/// Other kinds of workbooks have corners too.
#[test]
fn cells_at_both_ends_of_a_sheet_of_another_kind_take_no_room_between_them() {
    for file in ["far.xls", "far.xlsb"] {
        let (code, out, err) = convert(std::fs::read(fixture(file)).unwrap());
        match code {
            0 | 3 => assert!(out.contains("004711"), "{file}: {err}"),
            1 => assert!(err.contains("hint: "), "{file}: {err}"),
            _ => panic!("{file}: {code}: {err}"),
        }
    }
}

/// A cell, or a row, that stands for a whole sheet of them.
#[test]
fn repeated_cells_of_an_open_document_take_no_room() {
    let cell = |times: &str, text: &str| {
        format!(
            "<table:table-cell table:number-columns-repeated=\"{times}\" \
             office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let row = |times: &str, cells: String| {
        format!("<table:table-row table:number-rows-repeated=\"{times}\">{cells}</table:table-row>")
    };
    let header: String = HEADER.iter().map(|name| cell("1", name)).collect();
    let person: String = ["000001", "a", "Active"].iter().map(|text| cell("1", text)).collect();
    let names = "xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
                 xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
                 xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"";
    let kind = "application/vnd.oasis.opendocument.spreadsheet";
    for (rows, is_refused) in [
        (row("1048573", cell("16384", "x")), true),
        (row("1048573", cell("16384", &"x".repeat(30_000))), true),
        (row("99999999999999999999", cell("1", "x")), true),
        (row("4294967295", cell("4294967295", "x")), true),
        // as every program fills a sheet up
        (
            row(
                "1048573",
                "<table:table-cell table:number-columns-repeated=\"16384\"/>".to_owned(),
            ),
            false,
        ),
    ] {
        let rows = format!("{}{}{rows}", row("1", header.clone()), row("1", person.clone()));
        let content = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<office:document-content {names} \
             office:version=\"1.3\"><office:body><office:spreadsheet><table:table \
             table:name=\"Staff\">{rows}</table:table></office:spreadsheet></office:body>\
             </office:document-content>"
        );
        let manifest = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<manifest:manifest \
             xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\" \
             manifest:version=\"1.3\"><manifest:file-entry manifest:full-path=\"/\" \
             manifest:media-type=\"{kind}\"/></manifest:manifest>"
        );
        let parts = [
            ("mimetype", kind.to_owned()),
            ("content.xml", content),
            ("META-INF/manifest.xml", manifest),
        ];
        let (code, out, err) = convert(packed(&parts.map(|(name, part)| (name.to_owned(), part))));
        match code {
            1 => assert!(is_refused && err.contains("hint: "), "{err}"),
            _ => assert!(out.contains("000001"), "{code}: {err}"),
        }
    }
}

#[test]
fn a_cell_beyond_the_sheet_is_refused_or_left_out() {
    for cell in
        ["XFE1", "ZZZZZZZ1", "A1048577", "A99999999999999999999", "A0", "1A", "", "A-1", "Ä1"]
    {
        let mut parts = parts_without("");
        let more = format!("<row><c r=\"{cell}\" t=\"inlineStr\"><is><t>x</t></is></c></row>");
        let sheet = sheet_of(&book()).replace("</sheetData>", &format!("{more}</sheetData>"));
        *part(&mut parts, SHEET) = sheet;
        let (code, _, err) = convert(packed(&parts));
        assert!([0, 1, 3].contains(&code), "{cell}: {err}");
    }
}

/// A shared string, a style or a sheet that is not there.
#[test]
fn an_index_to_nothing_never_yields_a_value() {
    for cell in [
        "<c t=\"s\"><v>99999999</v></c>",
        "<c t=\"s\"><v>-1</v></c>",
        "<c s=\"4000000000\"><v>1</v></c>",
    ] {
        let mut parts = parts_without("");
        let sheet =
            sheet_of(&book()).replace("</sheetData>", &format!("<row>{cell}</row></sheetData>"));
        *part(&mut parts, SHEET) = sheet;
        let (code, _, err) = convert(packed(&parts));
        assert!([1, 3].contains(&code), "{cell}: {err}");
    }
}

#[test]
fn entities_of_a_document_type_are_refused_or_stay_what_they_are() {
    let laughs = joined(
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))),
    );
    let types = [
        format!("<!DOCTYPE worksheet [<!ENTITY l0 \"{}\">{laughs}]>", "lol".repeat(100)),
        "<!DOCTYPE worksheet [<!ENTITY l9 SYSTEM \"file:///etc/passwd\">]>".to_owned(),
        "<!DOCTYPE worksheet [<!ENTITY % l SYSTEM \"http://127.0.0.1:9/x\">%l;]>".to_owned(),
    ];
    for document_type in types {
        for name in [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"] {
            let mut parts = parts_without("");
            let xml = part(&mut parts, name);
            *xml = xml.replacen("?>\n", &format!("?>\n{document_type}"), 1);
            if name == SHEET {
                *xml = xml.replace("000001", "&l9;");
            }
            let (code, out, err) = convert(packed(&parts));
            assert!([0, 1, 3].contains(&code), "{err}");
            assert!(!out.contains("lol") && !out.contains("root:"), "{out}");
            assert!(name != SHEET || code != 0, "a value that nobody wrote: {out}");
        }
    }
}

#[test]
fn nesting_without_end_is_no_way_to_the_stack() {
    let (open, close) = ("<a>".repeat(200_000), "</a>".repeat(200_000));
    for name in [SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"] {
        let mut parts = parts_without("");
        let xml = part(&mut parts, name);
        let end = xml.rfind("</").unwrap();
        xml.insert_str(end, &format!("{open}{close}"));
        let (code, out, err) = convert(packed(&parts));
        match code {
            0 => assert!(out.contains("000001"), "{out}"),
            _ => assert_eq!(code, 1, "{err}"),
        }
    }
}

#[test]
fn archives_that_contradict_themselves_are_refused() {
    let bytes = book().bytes();
    // sizes and sums of the directory, one after the other
    for at in [14, 18, 22, 26] {
        for from in [0, bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap() + 2] {
            let mut broken = bytes.clone();
            for byte in &mut broken[from + at..from + at + 4] {
                *byte ^= 0xFF;
            }
            let (code, out, err) = convert(broken);
            assert!([0, 1].contains(&code), "{err}");
            assert!(code == 1 || out.contains("000001"), "{err}");
        }
    }
    // a part twice
    let mut parts = parts_without("");
    let twice = Book::of(&HEADER, vec![vec![text("000002"), text("b"), text("Active")]]);
    parts.push((SHEET.replace("xl/", "XL/"), sheet_of(&twice)));
    let (code, _, err) = convert(packed(&parts));
    assert!([0, 1].contains(&code), "{err}");
}
