//! The same people in every kind of workbook, and what each kind has of its own.

use std::io::Cursor;

use proptest::prelude::*;
use scimport::domain::{CellFault, CellMark, ColumnKind};
use scimport::source::{FileKind, Merged, kind_of, kind_of_file};

use crate::workbook_support::{Ask, archive, column, columns};

/// Stands beside the files in `tests/fixtures/hr/make.py`.
const PASSWORD: &str = "correct horse";

fn fixture(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hr");
    std::fs::read(folder.join(name)).unwrap()
}

fn people() -> Ask {
    let mut ask = Ask::of(columns(&["User", "Status", "Name"]));
    ask.columns.push(column("ID", ColumnKind::Id));
    ask.columns.push(column("HireDate", ColumnKind::Date));
    ask
}

fn assert_people(ask: &Ask, bytes: &[u8]) {
    let read = ask.read(bytes).unwrap();
    assert_eq!((read.shape.sheet.as_str(), read.shape.header_row), ("Staff", 1));
    assert_eq!(
        read.cells(),
        [
            ["004711", "a@contoso.example", "Active", "Zo\u{eb} M\u{fc}ller", "2024-03-01"],
            ["004712", "b@contoso.example", "Inactive", "Jos\u{e9} N\u{fa}\u{f1}ez", "2019-12-31"],
            ["004713", "c@contoso.example", "Active", "Ben O\u{2019}Brien", "2024-07-01"],
        ]
    );
    for (row, (number, _, marks)) in (2..).zip(&read.rows) {
        assert_eq!((*number, marks.as_slice()), (row, &[(4, CellMark::Date)][..]));
    }
}

#[test]
fn every_kind_gives_the_same_people_with_their_zeros_and_dates() {
    for (file, kind) in [
        ("people.xlsx", FileKind::Xlsx),
        ("people.xls", FileKind::Xls),
        ("people-1904.xls", FileKind::Xls),
        ("people.xlsb", FileKind::Xlsb),
        ("people.ods", FileKind::Ods),
    ] {
        println!("{file}");
        let bytes = fixture(file);
        assert_eq!(kind_of(&bytes), kind);
        assert_eq!(kind_of_file(&mut Cursor::new(&bytes)).unwrap(), kind);
        assert_people(&people(), &bytes);
    }
}

#[test]
fn an_encrypted_workbook_takes_its_password_and_no_other() {
    let bytes = fixture("encrypted.xlsx");
    assert_eq!(kind_of_file(&mut Cursor::new(&bytes)).unwrap(), FileKind::Encrypted);
    let mut ask = people();
    let refusal = ask.refusal(&bytes);
    assert!(refusal.contains("no password is configured"), "{refusal}");
    assert!(refusal.contains("xlsx = { password = { env = \"\u{2026}\" } }"), "{refusal}");
    ask.password = Some("wrong horse".to_owned());
    let refusal = ask.refusal(&bytes);
    assert!(refusal.contains("another password") && !refusal.contains("horse"), "{refusal}");
    ask.password = Some(PASSWORD.to_owned());
    assert_people(&ask, &bytes);
    ask.limits.password_rounds = 1_000;
    assert!(ask.refusal(&bytes).contains("hashed more than 1000 times"), "{}", ask.refusal(&bytes));
    ask = Ask { password: Some(PASSWORD.to_owned()), ..people() };
    ask.limits.whole_file_bytes = 5_000;
    assert!(ask.refusal(&bytes).contains("more than 5000 bytes while being encrypted"));
    for at in [8, 30, 48, 76, 512, 600, 2_000, 5_000, bytes.len() - 600] {
        let mut damaged = bytes.clone();
        let end = (at + 64).min(damaged.len());
        damaged[at..end].fill(0xa5);
        // hashing a password is slow on purpose: once is enough
        let password = (at == 5_000).then(|| PASSWORD.to_owned());
        let ask = Ask { password, ..people() };
        let _ = ask.refusal(&damaged);
        assert_ne!(ask.refusal(&bytes[..at]), "read");
    }
}

/// Found by fuzzing: a length that no whole number of blocks reaches.
#[test]
fn an_encrypted_workbook_that_claims_the_greatest_length_is_refused() {
    let ask = Ask { password: Some(PASSWORD.to_owned()), ..people() };
    let refusal = ask.refusal(&fixture("encrypted-lying-length.xlsx"));
    assert!(refusal.contains("source.workbook-broken"), "{refusal}");
}

/// An ODS workbook with these rows in its only table.
fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content><office:body>\
         <office:spreadsheet><table:table table:name=\"Staff\"><table:table-column/>{rows}\
         </table:table></office:spreadsheet></office:body></office:document-content>"
    );
    archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
    ])
}

const ODS_HEADER: &str = "<table:table-row><table:table-cell><text:p>ID</text:p></table:table-cell>\
    <table:table-cell table:number-columns-repeated=\"2\"/>\
    <table:table-cell><text:p>Name</text:p></table:table-cell></table:table-row>";

#[test]
fn an_ods_has_repeated_merged_and_unknown_cells() {
    let rows = format!(
        "{ODS_HEADER}\
         <table:table-row table:number-rows-repeated=\"2\" table:visibility=\"collapse\">\
           <table:table-cell office:value-type=\"float\" office:value=\"7\"><text:p>007</text:p>\
           </table:table-cell><table:table-cell table:number-columns-repeated=\"2\"/>\
           <table:table-cell office:value-type=\"string\"><office:annotation><text:p>no</text:p>\
           </office:annotation><text:p>A<text:s text:c=\"2\"/><text:span>da</text:span></text:p>\
           <text:p>L.</text:p></table:table-cell></table:table-row>\
         <table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell/>\
         </table:table-row>\
         <table:table-row><table:table-cell office:value-type=\"float\" office:value=\"8.0\"/>\
           <table:table-cell table:number-columns-repeated=\"2\"/>\
           <table:table-cell table:number-rows-spanned=\"2\" office:value-type=\"date\" \
           office:date-value=\"2024-03-01T10:00:00\"><text:p>x</text:p></table:table-cell>\
         </table:table-row>\
         <table:table-row><table:table-cell table:formula=\"of:=A1\"/>\
           <table:table-cell table:number-columns-repeated=\"2\"/><table:covered-table-cell/>\
         </table:table-row>\
         <table:table-row><table:table-cell office:value-type=\"string\" \
           calcext:value-type=\"error\"><text:p>#N/A</text:p></table:table-cell>\
         </table:table-row>"
    );
    let mut ask = Ask::of(vec![column("ID", ColumnKind::Id), column("Name", ColumnKind::Text)]);
    let read = ask.read(&ods(&rows)).unwrap();
    let expected = [
        (2, "007|||A  da\nL.", vec![]),
        (3, "007|||A  da\nL.", vec![]),
        (1_000_004, "8|||2024-03-01T10:00:00", vec![(3, CellMark::Date)]),
        (
            1_000_005,
            "|||",
            vec![
                (0, CellMark::Unknown(CellFault::NoResult)),
                (3, CellMark::Unknown(CellFault::Merged)),
            ],
        ),
        (1_000_006, "|||", vec![(0, CellMark::Unknown(CellFault::Error))]),
    ];
    let found: Vec<_> = read
        .rows
        .iter()
        .map(|(row, cells, marks)| (*row, cells.join("|"), marks.clone()))
        .collect();
    let expected: Vec<_> =
        expected.into_iter().map(|(row, cells, marks)| (row, cells.to_owned(), marks)).collect();
    assert_eq!(found, expected);
    assert_eq!(read.shape.hidden_rows, 2);
    ask.config.merged = Merged::Spread;
    assert_eq!(ask.read(&ods(&rows)).unwrap().rows[3].1[3], "2024-03-01T10:00:00");
}

#[test]
fn an_ods_of_repeated_cells_meets_its_ceilings() {
    let row = |columns: u32, rows: u32| {
        format!(
            "{ODS_HEADER}<table:table-row table:number-rows-repeated=\"{rows}\"><table:table-cell \
             table:number-columns-repeated=\"{columns}\"><text:p>x</text:p></table:table-cell>\
             </table:table-row>"
        )
    };
    let mut ask = Ask::of(columns(&["ID"]));
    ask.limits.cells = 100_000;
    let refusal = ask.refusal(&ods(&row(16_384, 1_000_000)));
    assert!(refusal.contains("more than 100000 cells"), "{refusal}");
    ask.limits.rows = 10_000;
    let refusal = ask.refusal(&ods(&row(1, u32::MAX)));
    assert!(refusal.contains("more than 10000 rows"), "{refusal}");
    assert!(ask.read(&ods(&row(u32::MAX, 1))).is_ok());
}

proptest! {
    #[test]
    fn changed_bytes_of_any_kind_neither_panic_nor_hang(
        file in proptest::sample::select(vec![
            "people.xls", "people.xlsb", "people.ods", "people.xlsx", "encrypted.xlsx",
        ]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = fixture(file);
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        // no password: what is encrypted is not decrypted hundreds of times
        let _ = people().refusal(&bytes);
    }

    #[test]
    fn changed_records_of_xls_neither_panic_nor_hang(
        changes in proptest::collection::vec((512_usize..4_600, any::<u8>()), 1..8),
    ) {
        let mut bytes = fixture("people.xls");
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let _ = people().refusal(&bytes);
    }
}
