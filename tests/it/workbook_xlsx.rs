//! What reading XLSX workbooks gives: sheets, headers, cells and their marks.

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use scimport::domain::{CellFault, CellMark, ColumnKind};
use scimport::source::{Merged, SheetChoice, TrailerConfig};

use crate::workbook_support::{Ask, Parts, column, columns, text_row};

#[test]
fn an_id_keeps_the_zeros_that_its_format_shows_and_unmapped_cells_stay_behind() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Staff").unwrap();
    for (at, name) in [(0, "WorkerID"), (1, "Salary"), (2, "Hired"), (3, "Phone")] {
        sheet.write_string(0, at, name).unwrap();
    }
    let zeros = Format::new().set_num_format("000000");
    sheet.write_number_with_format(1, 0, 4711, &zeros).unwrap();
    sheet.write_string(2, 0, "004711").unwrap();
    sheet.write_number(3, 0, 4711).unwrap();
    sheet.write_number(4, 0, 1_234_567_890_123_456_789_f64).unwrap();
    for row in 1..5 {
        sheet.write_string(row, 1, "secret").unwrap();
    }
    let day = Format::new().set_num_format("dd/mm/yyyy");
    let date = ExcelDateTime::from_ymd(2024, 3, 1).unwrap();
    sheet.write_datetime_with_format(1, 2, &date, &day).unwrap();
    sheet.write_string(2, 2, "01/03/2024").unwrap();
    sheet.write_number_with_format(3, 2, 60, &day).unwrap();
    sheet.write_number(4, 2, 2_958_465).unwrap();
    sheet.write_number(1, 3, 4.47911e11).unwrap();
    sheet.set_row_hidden(2).unwrap();
    let ask = Ask::of(vec![
        column("worker id", ColumnKind::Id),
        column("Hired", ColumnKind::Date),
        column("Phone", ColumnKind::Phone),
    ]);
    let bytes = book.save_to_buffer().unwrap();
    assert!(ask.refusal(&bytes).contains("lacks `worker id`"), "{}", ask.refusal(&bytes));
    let ask = Ask {
        columns: vec![
            column("WORKERID", ColumnKind::Id),
            ask.columns[1].clone(),
            ask.columns[2].clone(),
        ],
        ..ask
    };
    let read = ask.read(&bytes).unwrap();
    assert_eq!(read.shape.headers, ["WorkerID", "Salary", "Hired", "Phone"]);
    assert_eq!((read.shape.sheet.as_str(), read.shape.header_row), ("Staff", 1));
    assert_eq!(
        read.cells(),
        [
            ["004711", "", "2024-03-01", "447911000000"],
            ["004711", "", "01/03/2024", ""],
            ["4711", "", "", ""],
            ["", "", "9999-12-31", ""],
        ]
    );
    let marks: Vec<_> = read.rows.iter().map(|(row, _, marks)| (*row, marks.clone())).collect();
    let unknown = CellMark::Unknown;
    assert_eq!(
        marks,
        [
            (2, vec![(2, CellMark::Date)]),
            (3, vec![]),
            (4, vec![(2, unknown(CellFault::NoSuchDay))]),
            (5, vec![(0, unknown(CellFault::Precision)), (2, CellMark::Date)]),
        ]
    );
    assert!(!String::from_utf8_lossy(&read.spool).contains("secret"));
    assert_eq!(read.shape.hidden_rows, 1);
    assert!(read.finding("source.hidden-rows").is_some_and(|finding| finding.is_odd));
}

#[test]
fn errors_and_formulas_without_a_result_are_unknown_and_never_text() {
    let rows = text_row(1, &["ID", "Manager"])
        + "<row r=\"2\"><c r=\"A2\"><v>1</v></c><c r=\"B2\" t=\"e\"><v>#N/A</v></c></row>\
           <row r=\"3\"><c r=\"A3\"><v>2</v></c><c r=\"B3\"><f>A1</f></c></row>\
           <row r=\"4\"><c r=\"A4\"><v>3</v></c><c r=\"B4\"><f>A1</f><v/></c></row>\
           <row r=\"5\"><c r=\"A5\"><v>4</v></c><c r=\"B5\" t=\"str\"><f>A1</f><v></v></c></row>\
           <row r=\"6\"><c r=\"A6\"><v>5</v></c><c r=\"B6\" t=\"str\"><f>A1</f><v>x_x0041_</v></c></row>\
           <row r=\"7\"><c r=\"A7\"><v>6</v></c><c r=\"B7\" t=\"b\"><v>1</v></c></row>\
           <row r=\"8\"><c r=\"A8\"><v>7</v></c><c r=\"B8\" t=\"d\"><v>2024-03-01T08:30:00Z</v></c></row>";
    let read = Ask::of(columns(&["ID", "Manager"])).read(&Parts::of_rows(&rows).bytes()).unwrap();
    let found: Vec<_> =
        read.rows.iter().map(|(_, cells, marks)| (cells[1].as_str(), marks.clone())).collect();
    let unknown = |fault| vec![(1, CellMark::Unknown(fault))];
    assert_eq!(
        found,
        [
            ("", unknown(CellFault::Error)),
            ("", unknown(CellFault::NoResult)),
            ("", unknown(CellFault::NoResult)),
            ("", vec![]),
            ("xA", vec![]),
            ("TRUE", vec![]),
            ("2024-03-01T08:30:00", vec![(1, CellMark::Date)]),
        ]
    );
}

#[test]
fn the_sheet_is_chosen_by_its_headers_and_not_by_its_place() {
    let data = |rows: &str| format!("<sheetData>{rows}</sheetData>");
    let parts = Parts {
        sheets: vec![
            ("Cover".to_owned(), data(&text_row(1, &["Staff list", "2024"]))),
            ("Old".to_owned(), data(&text_row(1, &["ID"]))),
            (
                "Staff &amp; Co".to_owned(),
                data(
                    &(text_row(2, &["Printed", "today"])
                        + &text_row(4, &["", "id", " Name\u{a0}"])
                        + &text_row(5, &["", "7", "Ada"])),
                ),
            ),
        ],
        ..Parts::default()
    };
    let ask = Ask::of(columns(&["ID", "Name"]));
    let read = ask.read(&parts.bytes()).unwrap();
    assert_eq!((read.shape.sheet.as_str(), read.shape.header_row), ("Staff & Co", 4));
    assert_eq!(read.shape.headers, ["", "id", "Name\u{a0}"]);
    assert_eq!(read.rows[0].0, 5);
    assert_eq!(read.cells(), [["", "7", "Ada"]]);
    let refusal = |choice: SheetChoice, row: Option<u32>| {
        let mut ask = Ask::of(columns(&["ID", "Name"]));
        ask.config.sheet = choice;
        ask.config.header_row = row;
        ask.refusal(&parts.bytes())
    };
    assert_eq!(refusal(SheetChoice::Name("staff & co".to_owned()), Some(4)), "read");
    assert_eq!(refusal(SheetChoice::Number(3), None), "read");
    let refused = refusal(SheetChoice::Name("Staff & Co".to_owned()), Some(2));
    assert!(refused.contains("in row 2") && refused.contains("lacks `ID`, `Name`"), "{refused}");
    let refused = refusal(SheetChoice::Number(2), None);
    assert!(refused.contains("sheet `Old` comes nearest and lacks `Name`"), "{refused}");
    assert!(refused.contains("`Cover`, `Old`, `Staff & Co`"), "{refused}");
    assert!(refusal(SheetChoice::Number(4), None).contains("no sheet number 4"));
}

#[test]
fn merged_cells_are_unknown_spread_or_empty_as_the_config_says() {
    let rows = text_row(1, &["ID", "Department", "Note", "Site"])
        + &text_row(2, &["1", "Sales", "x", "Ulm"])
        + &text_row(3, &["2", "", "", ""])
        + &text_row(5, &["3", "stale"])
        + &text_row(6, &["4", "IT", "", "Bonn"]);
    let mut parts = Parts::of_rows(&rows);
    parts.sheets[0].1 += "<mergeCells><mergeCell ref=\"B2:B5\"/><mergeCell ref=\"C2:D3\"/>\
                          <mergeCell ref=\"A1:A1\"/></mergeCells>";
    let mut ask = Ask::of(columns(&["ID", "Department", "Site"]));
    let bytes = parts.bytes();
    let read = ask.read(&bytes).unwrap();
    assert_eq!(
        read.cells(),
        [["1", "Sales", "", ""], ["2", "", "", ""], ["3", "", "", ""], ["4", "IT", "", "Bonn"]]
    );
    let merged = CellMark::Unknown(CellFault::Merged);
    assert_eq!(read.rows[0].2, [(3, merged)]);
    assert_eq!(read.rows[1].2, [(1, merged), (3, merged)]);
    assert_eq!(read.rows[2].2, [(1, merged)]);
    assert_eq!(read.rows[3].2, []);
    ask.config.merged = Merged::Spread;
    let read = ask.read(&bytes).unwrap();
    assert_eq!(read.cells()[2], ["3", "Sales", "", ""]);
    assert_eq!(read.rows[1].2, [(3, merged)], "the value is in a column that nobody reads");
    ask.config.merged = Merged::Empty;
    let read = ask.read(&bytes).unwrap();
    assert_eq!(read.cells()[2], ["3", "", "", ""]);
    assert!(read.rows.iter().all(|(_, _, marks)| marks.is_empty()));
}

#[test]
fn serials_count_from_1904_where_the_workbook_says_so() {
    let rows = text_row(1, &["Hired"]) + "<row r=\"2\"><c r=\"A2\" s=\"1\"><v>45352</v></c></row>";
    let mut parts = Parts::of_rows(&rows);
    parts.styles = "<cellXfs><xf/><xf numFmtId=\"14\"/></cellXfs>".to_owned();
    let ask = Ask::of(columns(&["Hired"]));
    assert_eq!(ask.read(&parts.bytes()).unwrap().cells(), [["2024-03-01"]]);
    parts.is_1904 = true;
    let read = ask.read(&parts.bytes()).unwrap();
    assert_eq!(read.cells(), [["2028-03-02"]]);
    assert!(read.finding("source.date-system").is_some());
}

#[test]
fn empty_rows_are_none_and_addresses_may_be_missing() {
    let rows = "<row><c t=\"inlineStr\"><is><t>ID</t></is></c><c/><c t=\"str\"><v>Name</v></c></row>\
                <row/><row><c><v> </v></c></row><row r=\"10\"><c t=\"str\"><v>  </v></c></row>\
                <row><c><v>12</v></c><c t=\"str\"><v>note</v></c><c t=\"str\"><v>Ada</v></c></row>\
                <row r=\"20\"><c r=\"B20\" t=\"str\"><v>under no header</v></c></row>\
                <row r=\"21\"><c r=\"XFD21\"><v>1</v></c></row>";
    let read = Ask::of(columns(&["ID", "Name"])).read(&Parts::of_rows(rows).bytes()).unwrap();
    assert_eq!(read.shape.headers, ["ID", "", "Name"]);
    let rows: Vec<_> = read.rows.iter().map(|(row, cells, _)| (*row, cells.join("|"))).collect();
    assert_eq!(rows, [(11, "12||Ada".to_owned())]);
}

#[test]
fn a_trailer_is_kept_whole() {
    let rows = text_row(1, &["Kind", "ID", "Sum"])
        + &text_row(2, &["worker", "7", "1"])
        + &text_row(3, &["Total: ", "", "1"]);
    let mut ask = Ask::of(columns(&["ID"]));
    let bytes = Parts::of_rows(&rows).bytes();
    assert_eq!(ask.read(&bytes).unwrap().cells(), [["", "7", ""], ["", "", ""]]);
    ask.trailer =
        Some(TrailerConfig { starts_with: "Total".to_owned(), count: Some(3), total: None });
    assert_eq!(ask.read(&bytes).unwrap().cells(), [["", "7", ""], ["Total:", "", "1"]]);
}

#[test]
fn a_filter_is_told_and_formulas_with_results_are_values() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "ID").unwrap();
    sheet.write_formula(1, 0, Formula::new("=1+1").set_result("2")).unwrap();
    sheet.autofilter(0, 0, 1, 0).unwrap();
    let condition = rust_xlsxwriter::FilterCondition::new().add_list_filter("2");
    sheet.filter_column(0, &condition).unwrap();
    let read = Ask::of(columns(&["ID"])).read(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(read.cells(), [["2"]]);
    assert!(read.finding("source.filter").is_some());
}
