//! Workbooks as people and programs save them: what a cell shows and what it holds are two things,
//! and some cells hold nothing that anybody could know.

use crate::hr_book::{Book, Cell, Sheet, number, shown, text, texts};
use crate::hr_support::{HIRE_DATE, Hr, PEOPLE, fixture, people, source};

const HEADER: [&str; 5] = ["ID", "User", "Status", "Name", "Dept"];
const NAME: &str = "displayName = \"Name\"\n";
const DEPARTMENT: &str = "\"enterprise:department\" = \"Dept\"\n";
const MANAGER: &str = "\"enterprise:manager\" = \"Dept\"\n";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A row of an active person with this id cell.
fn row(id: Cell, n: usize) -> Vec<Cell> {
    vec![id, text(&format!("u{n}")), text("Active"), text(&format!("Name {n}")), text("Sales")]
}

/// A row whose last cell is this one.
fn with(n: usize, last: Cell) -> Vec<Cell> {
    let mut row = row(text(&format!("{n:06}")), n);
    row[4] = last;
    row
}

/// `count` people with ids of six digits in text, after these rows.
fn feed(mut rows: Vec<Vec<Cell>>, count: usize) -> Book {
    rows.extend((1..=count).map(|n| row(text(&format!("{:06}", 500_000 + n)), 500_000 + n)));
    Book { formats: vec!["000000"], ..Book::of(&HEADER, rows) }
}

fn read(mapping: &str, book: &Book, code: i32) -> crate::hr_support::Read {
    Hr::new(&people(mapping), "hr.xlsx", book.bytes()).read(code)
}

/// hr-files 15.
#[test]
fn an_id_is_what_its_cell_shows_and_never_loses_its_zeros() {
    let rows = vec![row(shown(4711, 1), 1), row(text("004712"), 2), row(number(4713), 3)];
    let read = read(NAME, &feed(rows, 100), 3);
    assert_eq!(read.user("004711")["displayName"], "Name 1");
    assert_eq!(read.user("004712")["displayName"], "Name 2");
    assert_eq!(read.rejected(), [4]);
    let reject = read.reject(4, "source.id-lost-zeros");
    let said = format!("{} {}", reject.reason, reject.advice);
    assert!(said.contains("004713") || said.contains("pad = 6"), "the suggestion: {reject:#?}");
    assert_eq!(read.users.len(), 102);
}

/// hr-files 15.
#[test]
fn three_cells_of_one_id_never_make_a_person_without_zeros() {
    let rows = vec![row(shown(4711, 1), 1), row(text("004711"), 2), row(number(4711), 3)];
    let read = read(NAME, &feed(rows, 100), 3);
    assert!(!read.users.contains_key("4711"));
    assert_eq!(read.rejected(), [2, 3, 4]);
    assert!(read.rejects[2].advice.contains("pad"), "the suggestion: {:#?}", read.rejects);
}

/// hr-files 15. As the suggestion says.
#[test]
fn zeros_come_back_where_the_mapping_says_how_many() {
    let rows = vec![row(shown(4711, 1), 1), row(text("004712"), 2), row(number(4713), 3)];
    let mapping = PEOPLE.replace("\"ID\"", "{ from = \"ID\", pad = 6 }");
    let hr = Hr::new(&source("", &mapping), "hr.xlsx", feed(rows, 10).bytes());
    let read = hr.read(0);
    assert_eq!(read.ids()[..3], ["004711", "004712", "004713"]);
}

/// hr-files 15. Formats that show more than digits.
#[test]
fn what_a_format_adds_is_shown_or_the_row_is_rejected() {
    for (format, seen) in [
        ("\"E\"000000", "E004711"),
        ("000000;-000000;000000;@", "004711"),
        ("00\\-00\\-00", "00-47-11"),
        ("[Red]000000", "004711"),
    ] {
        let rows = vec![row(shown(4711, 1), 1), row(text("E00002"), 2)];
        let book = Book { formats: vec![format], ..Book::of(&HEADER, rows) };
        let hr = Hr::new(&people(NAME), "hr.xlsx", book.bytes());
        hr.never_but(|id, _| id == seen || id == "E00002");
    }
}

/// hr-files 15. Without any sign that zeros are gone, a number is an id.
#[test]
fn ids_that_are_numbers_throughout_are_taken_as_they_are() {
    let rows = (1..=30).map(|n| row(number(1_000 + n * 37), n)).collect();
    let read = read(NAME, &Book::of(&HEADER, rows), 0);
    assert_eq!(read.users.len(), 30);
    assert_eq!(read.user("1037")["displayName"], "Name 1");
}

/// hr-files 16.
#[test]
fn a_number_too_long_to_be_kept_rejects_its_row() {
    let rows = vec![
        row(number("1234567890123456789"), 1),
        row(number("123456789012345"), 2),
        row(text("1234567890123456789"), 3),
        row(number("1.2345678901234568E+18"), 4),
        row(number("1.23457E+18"), 5),
    ];
    let read = read(NAME, &Book::of(&HEADER, rows), 3);
    assert_eq!(read.ids(), ["123456789012345", "1234567890123456789"], "text is as it is");
    assert_eq!(read.rejected(), [2, 5, 6]);
    for row in [2, 5, 6] {
        let reject = read.rejects.iter().find(|reject| reject.row == row).unwrap();
        assert!(
            ["source.cell-precision", "source.cell-exponent"].contains(&reject.code.as_str()),
            "{reject:#?}"
        );
        assert!(!reject.id.contains("12345678901234567"), "nobody can know it: {reject:#?}");
    }
    read.reject(2, "source.cell-precision");
}

/// hr-files 16.
#[test]
fn exponents_are_never_ids_or_telephone_numbers() {
    let mapping =
        format!("{PEOPLE}'phoneNumbers[type eq \"work\"].value' = \"Phone\"\ntitle = \"Grade\"\n");
    let file = "ID,User,Status,Phone,Grade\n\
                1.23457E+18,a,Active,+49 30 1,G1\n\
                000002,b,Active,4.47911E+11,G1\n\
                000003,c,Active,447911123456,1.5E+3\n\
                1.23457e18,d,Active,,G1\n\
                \"1,23457E+18\",e,Active,,G1\n\
                00123E4,f,Active,,G1\n";
    let read = Hr::new(&source("", &mapping), "hr.csv", file).read(3);
    assert_eq!(read.rejected(), [2, 3, 5, 6]);
    for row in [2, 3, 5, 6] {
        read.reject(row, "source.cell-exponent");
    }
    assert_eq!(read.ids(), ["000003", "00123E4"], "text that looks like a number is text");
    assert_eq!(read.user("000003")["title"], "1.5E+3", "neither an id nor a telephone");
}

/// hr-files 16.
#[test]
fn text_that_looks_like_a_number_stays_text_and_long_telephone_numbers_are_whole() {
    let phone = "'phoneNumbers[type eq \"work\"].value' = \"Dept\"\n";
    let rows = vec![
        row(text("00123E4"), 1),
        with(2, number("447911123456")),
        with(3, text("4.47911E+11")),
        with(4, text("0012")),
        with(5, number("4.47911E+11")),
    ];
    let read = read(&format!("{phone}{NAME}"), &Book::of(&HEADER, rows), 3);
    assert_eq!(read.user("00123E4")["displayName"], "Name 1");
    assert_eq!(read.user("000002")["phoneNumbers"][0]["value"], "447911123456");
    read.reject(4, "source.cell-exponent");
    assert_eq!(read.user("000004")["phoneNumbers"][0]["value"], "0012");
    if let Some(user) = read.users.get("000005") {
        // the part of a workbook may write any number so
        assert_eq!(user["phoneNumbers"][0]["value"], "447911000000");
    }
}

/// hr-files 19.
#[test]
fn an_error_or_a_formula_without_a_result_rejects_its_row_and_is_never_text() {
    let rows = vec![
        with(1, Cell::Error("#N/A")),
        with(2, Cell::Formula("VLOOKUP(A3,X!A:B,2,0)", None)),
        with(3, Cell::Formula("1+1", Some("2"))),
        with(4, Cell::TextFormula("UPPER(\"b\")", "B")),
        with(5, Cell::Error("#REF!")),
        with(6, Cell::Blank),
    ];
    let book = Book::of(&HEADER, rows);
    let read = read(MANAGER, &book, 3);
    assert_eq!(read.rejected(), [2, 3, 6]);
    let reject = read.reject(2, "source.cell-error");
    assert_eq!(reject.id, "000001");
    assert!(reject.reason.contains("`Dept`") && reject.reason.contains("Staff"), "{reject:#?}");
    assert!(reject.reason.contains("E2"), "the cell: {reject:#?}");
    read.reject(3, "source.cell-no-result");
    read.reject(6, "source.cell-error");
    let manager = |id| &read.user(id)[ENTERPRISE]["manager"]["value"];
    assert_eq!((manager("000003"), manager("000004")), (&"2".into(), &"B".into()));
    assert!(read.user("000006")[ENTERPRISE]["manager"].is_null());
    // nobody asks for it
    let read = self::read(NAME, &book, 0);
    assert_eq!(read.users.len(), 6);
}

/// hr-files 19.
#[test]
fn an_error_in_the_id_names_nobody() {
    let rows = vec![
        row(Cell::Error("#N/A"), 1),
        row(text("000002"), 2),
        row(Cell::Formula("A1", None), 3),
    ];
    let read = read(NAME, &Book::of(&HEADER, rows), 3);
    assert_eq!(read.ids(), ["000002"]);
    assert_eq!(read.reject(2, "source.cell-error").id, "");
    assert_eq!(read.reject(4, "source.cell-no-result").id, "");
}

/// hr-files 19.
#[test]
fn a_merged_value_is_spread_only_where_the_config_says_so() {
    let mut book = Book::of(
        &HEADER,
        vec![
            with(1, text("Sales")),
            with(2, Cell::Blank),
            with(3, Cell::Blank),
            with(4, text("IT")),
        ],
    );
    book.sheet().merged = vec!["E2:E4".to_owned()];
    let mapping = format!("{PEOPLE}{DEPARTMENT}");
    let hr = |options| Hr::new(&source(options, &mapping), "hr.xlsx", book.bytes());
    let rejecting = ["", "xlsx = { merged = \"reject\" }"];
    for options in rejecting {
        let read = hr(options).read(3);
        assert_eq!(read.rejected(), [3, 4]);
        read.reject(3, "source.cell-merged");
        assert_eq!(read.user("000001")[ENTERPRISE]["department"], "Sales");
    }
    let read = hr("xlsx = { merged = \"spread\" }").read(0);
    for id in ["000001", "000002", "000003"] {
        assert_eq!(read.user(id)[ENTERPRISE]["department"], "Sales");
    }
    assert_eq!(read.user("000004")[ENTERPRISE]["department"], "IT");
    let read = hr("xlsx = { merged = \"empty\" }").read(0);
    assert!(read.user("000002")[ENTERPRISE]["department"].is_null());
    // a merge elsewhere is nobody's business
    Hr::new(&people(NAME), "hr.xlsx", book.bytes()).read(0);
}

/// hr-files 19.
#[test]
fn hidden_and_filtered_rows_are_people_too_and_are_counted() {
    let rows = (1..=20).map(|n| with(n, text("Sales"))).collect();
    let mut book = Book::of(&HEADER, rows);
    book.sheet().hidden = vec![3, 4, 5, 9, 10, 11, 12];
    book.sheet().filter = Some("A1:E21".to_owned());
    let read = read(NAME, &book, 0);
    assert_eq!(read.users.len(), 20);
    read.mentions(&["hidden", "7"]);
    let told = read.findings().into_iter().any(|finding| {
        let text = finding.to_string();
        text.contains("hidden") && text.contains('7')
    });
    assert!(told, "{:#?}", read.findings());
}

/// hr-files 19.
#[test]
fn the_sheet_is_the_one_whose_header_fits_wherever_it_stands() {
    let cover =
        Sheet::new("Cover", vec![texts(&["People of Contoso"]), texts(&["", "as of today"])]);
    let staff = Book::of(&HEADER, vec![with(1, text("Sales")), with(2, text("Sales"))]).sheets;
    let notes = Sheet::new("ID", vec![texts(&["ID", "What it means"]), texts(&["ID", "a number"])]);
    let sheets = [vec![cover.clone(), notes.clone()], staff.clone()].concat();
    let book = Book { sheets, ..Book::default() };
    let read = read(NAME, &book, 0);
    assert_eq!(read.ids(), ["000001", "000002"]);
    read.mentions(&["Staff"]);
    // by name, by number, and by a header that is not in the first row
    let mapping = format!("{PEOPLE}{NAME}");
    for sheet in ["\"staff\"", "3"] {
        let options = format!("xlsx = {{ sheet = {sheet} }}");
        Hr::new(&source(&options, &mapping), "hr.xlsx", book.bytes()).read(0);
    }
    let mut lower = staff[0].clone();
    lower.rows.splice(0..0, [texts(&["People of Contoso"]), vec![]]);
    let book = Book { sheets: vec![cover.clone(), lower], ..Book::default() };
    let read = self::read(NAME, &book, 0);
    assert_eq!(read.ids(), ["000001", "000002"]);
    // no sheet fits
    let book = Book { sheets: vec![cover, notes], ..Book::default() };
    let hr = Hr::new(&people(NAME), "hr.xlsx", book.bytes());
    hr.refused("source.", &["`User`"]);
    let options = "xlsx = { sheet = \"Personal\" }";
    let book = Book { sheets: staff, ..Book::default() };
    let hr = Hr::new(&source(options, &mapping), "hr.xlsx", book.bytes());
    hr.refused("source.", &["Personal", "Staff"]);
}

/// hr-files 19. The number of a row is that of the sheet.
#[test]
fn rows_are_numbered_as_the_sheet_numbers_them() {
    let mut rows = vec![with(1, text("x")), vec![], vec![], with(2, text("x"))];
    rows[3][2] = text("Unknown");
    let mut book = Book::of(&HEADER, rows);
    book.sheet().rows.insert(0, texts(&["People of Contoso"]));
    let read = read(NAME, &book, 3);
    let reject = read.reject(6, "mapping.unknown-word");
    assert!(reject.line.is_none() && reject.reason.contains("C6"), "{reject:#?}");
}

/// hr-files 12. What holds for text holds for sheets.
#[test]
fn a_workbook_without_people_is_refused() {
    let header = Book::of(&HEADER, vec![]);
    Hr::new(&people(NAME), "hr.xlsx", header.bytes()).refused("source.no-rows", &["Staff"]);
    let blank = Book { sheets: vec![Sheet::new("Staff", vec![])], ..Book::default() };
    Hr::new(&people(NAME), "hr.xlsx", blank.bytes()).refused("source.", &[]);
    let bytes = Book::of(&HEADER, (1..=200).map(|n| with(n, text("x"))).collect()).bytes();
    for share in [4, 10, 90] {
        let cut = &bytes[..bytes.len() * share / 100];
        Hr::new(&people(NAME), "hr.xlsx", cut).refused("source.", &[]);
    }
}

/// hr-files 11. The last row of a sheet as people write it.
#[test]
fn a_total_in_the_last_row_of_a_sheet_is_a_trailer() {
    let rows: Vec<_> = (1..=30).map(|n| with(n, text("x"))).collect();
    let ended = |end: Vec<Cell>| Book::of(&HEADER, [rows.clone(), vec![end]].concat()).bytes();
    let mapping = format!("{PEOPLE}{NAME}");
    let options = "complete = { trailer = { starts_with = \"Total\", count = 1 } }";
    let hr = |end: &str| Hr::new(&source(options, &mapping), "hr.xlsx", ended(texts(&[end])));
    let read = hr("Total: 30").read(0);
    assert_eq!(read.users.len(), 30);
    read.mentions(&["trailer", "30"]);
    hr("Total: 1234").refused("source.trailer-count", &["1234", "30"]);
    let options = "complete = { trailer = { starts_with = \"Total\", count = 2 } }";
    let hr = |end| Hr::new(&source(options, &mapping), "hr.xlsx", ended(vec![text("Total:"), end]));
    hr(number(30)).read(0);
    hr(number(31)).refused("source.trailer-count", &["31", "30"]);
    // nobody told of it
    let hr = Hr::new(&people(NAME), "hr.xlsx", ended(texts(&["Total: 30"])));
    if hr.never_but(|id, _| !id.starts_with("Total")).code == 0 {
        hr.read(0).mentions(&["trailer", "row 32"]);
    }
    let hr = Hr::new(&people(NAME), "hr.xlsx", ended(texts(&["Total: 31"])));
    assert_ne!(hr.never_but(|id, _| !id.starts_with("Total")).code, 0);
}

/// hr-files 9. For sheets too.
#[test]
fn a_sheet_column_that_stands_twice_refuses_the_file_only_if_it_is_mapped() {
    let header = ["ID", "User", "Status", "Name", "Dept", "Dept", "", "status\u{a0}"];
    let mut row = with(1, text("Sales"));
    row.extend(texts(&["Other", "x"]));
    let book = Book::of(&header[..7], vec![row.clone()]);
    read(NAME, &book, 0);
    Hr::new(&people(DEPARTMENT), "hr.xlsx", book.bytes())
        .refused("source.repeated-columns", &["`Dept`"]);
    row.push(text("Inactive"));
    let book = Book::of(&header, vec![row]);
    Hr::new(&people(NAME), "hr.xlsx", book.bytes()).refused("source.repeated-columns", &["tatus"]);
}

fn kept_people() -> String {
    let hired = format!("\"{HIRE_DATE}\" = {{ from = \"HireDate\", date = [\"%Y-%m-%d\"] }}\n");
    source("xlsx = { password = { env = \"HR_PASSWORD\" } }", &format!("{PEOPLE}{NAME}{hired}"))
}

#[track_caller]
fn assert_kept_people(hr: &Hr) {
    let read = hr.read(0);
    let (urn, name) = HIRE_DATE.rsplit_once(':').unwrap();
    let people = [
        ("004711", "Zoë Müller", true, "2024-03-01T00:00:00+01:00"),
        ("004712", "José Núñez", false, "2019-12-31T00:00:00+01:00"),
        ("004713", "Ben O’Brien", true, "2024-07-01T00:00:00+02:00"),
    ];
    assert_eq!(read.users.len(), people.len(), "{:#?}", read.users);
    for (id, display, active, hired) in people {
        let user = read.user(id);
        assert_eq!(user["displayName"], display);
        assert_eq!(user["active"], active);
        assert_eq!(user[urn][name], hired, "{id}");
    }
}

/// hr-files 20. The password stands beside the files in `tests/fixtures/hr/make.py`.
const PASSWORD: &str = "correct horse";

fn kept(file: &str, name: &str) -> Hr {
    let bytes = std::fs::read(fixture(file)).unwrap();
    Hr::new(&kept_people(), name, bytes).with_env("HR_PASSWORD", PASSWORD)
}

/// hr-files 15, 17, 19. The same people in every kind of workbook, behind a cover page: an id that
/// is a number shown with zeros, and days.
#[test]
fn every_kind_of_workbook_gives_the_same_people() {
    for file in ["people.xlsx", "people.xls", "people.xlsb", "people.ods", "people-1904.xls"] {
        assert_kept_people(&kept(file, file));
    }
}

/// hr-files 20.
#[test]
fn an_encrypted_workbook_is_read_with_its_password() {
    assert_kept_people(&kept("encrypted.xlsx", "hr.xlsx"));
}

/// hr-files 20.
#[test]
fn an_encrypted_workbook_without_its_password_is_refused_in_plain_words() {
    let bytes = std::fs::read(fixture("encrypted.xlsx")).unwrap();
    assert_eq!(bytes[..8], [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
    let hr = Hr::new(&people(NAME), "hr.xlsx", &bytes);
    hr.refused("source.encrypted", &["password"]);
    let hr = Hr::new(&kept_people(), "hr.xlsx", &bytes).with_env("HR_PASSWORD", "wrong horse");
    let ran = hr.refused("source.encrypted", &["password"]);
    assert!(!ran.err.contains("wrong horse"), "{}", ran.err);
    // damaged behind its beginning
    for at in [600, 2_000, bytes.len() - 2_000] {
        let mut damaged = bytes.clone();
        damaged[at..at + 64].fill(0xA5);
        let hr = Hr::new(&kept_people(), "hr.xlsx", &damaged).with_env("HR_PASSWORD", PASSWORD);
        hr.never_but(|id, _| ["004711", "004712", "004713"].contains(&id));
        let cut = &bytes[..at];
        let hr = Hr::new(&kept_people(), "hr.xlsx", cut).with_env("HR_PASSWORD", PASSWORD);
        hr.refused("source.", &[]);
    }
}

/// hr-files 20. Where the config states no format, the content does.
#[test]
fn a_file_is_what_its_content_says_whatever_its_name() {
    let csv = "ID,User,Status,Name\n000001,a,Active,Ann\n";
    let read = Hr::new(&people(NAME), "hr.xlsx", csv).read(0);
    assert_eq!(read.ids(), ["000001"]);
    read.mentions(&["CSV"]);
    let workbook = Book::of(&HEADER, vec![with(1, text("x"))]).bytes();
    assert_eq!(workbook[..4], [0x50, 0x4B, 0x03, 0x04]);
    let read = Hr::new(&people(NAME), "hr.csv", &workbook).read(0);
    assert_eq!(read.ids(), ["000001"]);
    read.mentions(&["workbook"]);
    // BIFF under the name of the newer format, and the other way round
    assert_kept_people(&kept("people.xls", "hr.xlsx"));
    assert_kept_people(&kept("people.xlsx", "hr.xls"));
}

/// hr-files 20. Where the config states one, another one is refused, and both are named.
#[test]
fn a_file_of_another_format_than_stated_is_refused_naming_both() {
    let csv = "ID,User,Status,Name\n000001,a,Active,Ann\n".as_bytes();
    let workbook = Book::of(&HEADER, vec![with(1, text("x"))]).bytes();
    let json = b"[{\"ID\": \"1\", \"User\": \"a\", \"Status\": \"Active\", \"Name\": \"Ann\"}]";
    let mapping = format!("{PEOPLE}{NAME}");
    let hr = |format: &str, file: &str, bytes: &[u8]| {
        Hr::new(&source(&format!("format = \"{format}\""), &mapping), file, bytes)
    };
    let names = |ran: &crate::cli_support::Ran, words: [&str; 2]| {
        for word in words {
            let said = ran.err.to_lowercase();
            assert!(said.contains(word), "{word} in {said}");
        }
    };
    names(&hr("xlsx", "hr.xlsx", csv).refused("source.", &[]), ["xlsx", "csv"]);
    names(&hr("csv", "hr.csv", &workbook).refused("source.", &[]), ["xlsx", "csv"]);
    names(&hr("csv", "hr.csv", json).refused("source.", &[]), ["json", "csv"]);
    names(&hr("json", "hr.json", &workbook).refused("source.", &[]), ["xlsx", "json"]);
}

/// hr-files 20.
#[test]
fn a_web_page_named_like_a_workbook_is_refused_by_name() {
    let page = "<html><head><meta charset=\"utf-8\"></head><body><table><tr><td>ID</td><td>User</td>\
                <td>Status</td><td>Name</td></tr><tr><td>1</td><td>a</td><td>Active</td><td>Ann</td>\
                </tr></table></body></html>\n";
    for page in [page.to_owned(), format!("\u{feff}\r\n<!DOCTYPE html>\r\n{page}")] {
        for options in ["", "format = \"xlsx\"", "format = \"csv\""] {
            let hr = Hr::new(&source(options, &format!("{PEOPLE}{NAME}")), "hr.xls", &page);
            hr.refused("source.", &["HTML"]);
        }
    }
    // what some systems call a workbook: XML of 2003
    let xml = "<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook/>\n";
    Hr::new(&people(NAME), "hr.xls", xml).refused("source.", &["XML"]);
    Hr::new(&people(NAME), "hr.xls", b"%PDF-1.7\n1 0 obj\n").refused("source.", &[]);
    // an archive that is no workbook
    let archive = crate::hr_book::packed(&[("hr.csv".to_owned(), "ID,User,Status,Name\n")]);
    Hr::new(&people(NAME), "hr.zip", archive).refused("source.", &[]);
}
