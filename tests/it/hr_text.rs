//! Text files with everything that goes wrong between an HR system and a folder.

use std::fmt::Write as _;

use crate::hr_support::{Hr, PEOPLE, joined, people, source, utf_16};

const NAME: &str = "displayName = \"Name\"\n";

/// Rows `from` to `to` of active people.
fn rows(from: usize, to: usize) -> String {
    joined((from..=to).map(|n| format!("{n:06},u{n}@contoso.example,Active,Name {n}\n")))
}

const HEADER: &str = "ID,User,Status,Name\n";

/// hr-files 5.
#[test]
fn a_sep_line_is_a_directive_and_no_header() {
    let mapping = format!("{PEOPLE}{NAME}title = \"FTE\"\n");
    let text = "ID;User;Status;Name;FTE\r\n1;a;Active;Smith, John;0,8\r\n2;b;Ill;Doe, Jane;1,0\r\n";
    for mark in ["", "\u{feff}"] {
        for directive in ["sep=;", "SEP=;", "\"sep=;\""] {
            let file = format!("{mark}{directive}\r\n{text}");
            let read = Hr::new(&source("", &mapping), "hr.csv", file).read(3);
            assert_eq!(read.user("1")["displayName"], "Smith, John");
            assert_eq!(read.user("1")["title"], "0,8");
            let reject = read.reject(3, "mapping.unknown-word");
            assert_eq!(reject.line, Some(4), "the directive is a line of the file");
        }
    }
    let utf_16 = utf_16(&format!("sep=;\r\n{text}"));
    let read = Hr::new(&source("", &mapping), "hr.csv", utf_16).read(3);
    assert_eq!(read.user("1")["displayName"], "Smith, John");
    // what it says holds against what the letters look like
    let comma = "sep=,\nID,User,Status,Name,FTE\n1,a;b;c;d,Active,\"Smith; John\",x;y;z\n";
    let read = Hr::new(&source("", &mapping), "hr.csv", comma).read(0);
    assert_eq!(read.user("1")["displayName"], "Smith; John");
}

/// hr-files 6.
#[test]
fn line_ends_and_quotes_in_fields_belong_to_them() {
    let mapping = format!(
        "{PEOPLE}\"name.familyName\" = \"Name\"\n\
         'addresses[type eq \"work\"].streetAddress' = \"Street\"\n"
    );
    let text = "ID,User,Status,Street,Name\r\n\
                1,a,Active,\"12 High St\r\nFloor 2\",\"O\"\"Neil\"\r\n\
                2,b,Unknown,Main St,Ann\r\n\
                3,c,Active,\"Mill\rRoad\",Ben";
    let read = Hr::new(&source("", &mapping), "hr.csv", text).read(3);
    assert_eq!(read.ids(), ["1", "3"]);
    assert_eq!(read.user("1")["addresses"][0]["streetAddress"], "12 High St\r\nFloor 2");
    assert_eq!(read.user("1")["name"]["familyName"], "O\"Neil");
    assert_eq!(read.user("3")["addresses"][0]["streetAddress"], "Mill\rRoad");
    assert_eq!(read.user("3")["name"]["familyName"], "Ben");
    // the record's number and the physical line
    let reject = read.reject(3, "mapping.unknown-word");
    assert_eq!(reject.line, Some(4));
}

/// hr-files 6.
#[test]
fn a_last_record_without_a_line_end_is_taken_only_if_it_is_complete() {
    let whole = format!("{HEADER}{}", rows(1, 9));
    let read = Hr::new(&people(NAME), "hr.csv", whole.trim_end()).read(0);
    assert_eq!(read.users.len(), 9);
    for (end, code) in [
        ("000010,u10,Act", "source.cut-off"),
        ("000010", "source.cut-off"),
        ("000010,u10,Active,\"Na", "source.unclosed-quote"),
    ] {
        Hr::new(&people(NAME), "hr.csv", format!("{whole}{end}")).refused(code, &["line 11"]);
    }
}

/// hr-files 7.
#[test]
fn a_quote_that_is_never_closed_refuses_the_file_where_it_opens() {
    let text =
        format!("{HEADER}{}003199,u3199,Active,\"Ann\n{}", rows(1, 3_198), rows(3_200, 10_000));
    let ran = Hr::new(&people(NAME), "hr.csv", text).refused("source.", &["line 3200", "quote"]);
    assert!(!ran.err.contains("10001"), "not at the end: {}", ran.err);
}

/// hr-files 7. Two of them make one long field in between, and then letters behind a closing quote.
#[test]
fn two_stray_quotes_never_swallow_the_people_between_them() {
    for gap in [2, 100, 900] {
        let text = format!(
            "{HEADER}{}000201,u,Active,\"Ann\n{}000{},u,Active,\"Ben\n{}",
            rows(1, 200),
            rows(202, 201 + gap),
            202 + gap,
            rows(1_200, 1_300)
        );
        let hr = Hr::new(&people(NAME), "hr.csv", text);
        let ran = hr.run(&["convert", "hr.csv", "--source", "hr", "-o", "-"]);
        assert_eq!(ran.code, 1, "{gap} people are missing, and nobody says so: {}", ran.err);
        assert!(ran.err.contains("line 202"), "{}", ran.err);
    }
}

/// hr-files 8.
#[test]
fn a_row_too_long_or_too_short_is_rejected_and_never_shifted() {
    let header = "ID,User,Status,Name,C5,C6,C7,C8,C9,C10,C11,Last\n";
    let row = |n: usize, name: &str, end: &str| {
        format!("{n:06},u{n},Active,{name},5,6,7,8,9,10,11{end}\n")
    };
    let mut text = header.to_owned();
    for n in 2..=100 {
        text.push_str(&match n {
            88 => row(n, "Smith, John", ",last"),
            90 => row(n, "Ann", ""),
            _ => row(n, "Ann", ",last"),
        });
    }
    let mapping = format!("{PEOPLE}{NAME}title = \"Last\"\n");
    let read = Hr::new(&source("", &mapping), "hr.csv", &text).read(3);
    assert_eq!(read.rejected(), [88, 90]);
    assert!(read.reject(88, "source.ragged-row").reason.contains("13"));
    assert!(read.reject(90, "source.ragged-row").reason.contains("11"));
    assert_eq!(read.users.len(), 97);
    for user in read.users.values() {
        assert_eq!((&user["displayName"], &user["title"]), (&"Ann".into(), &"last".into()));
    }
    for n in [3, 5, 7, 9] {
        text = text.replace(&row(n, "Ann", ",last"), &row(n, "Ann", ""));
    }
    Hr::new(&source("", &mapping), "hr.csv", text).refused("source.too-many-ragged-rows", &[]);
}

/// hr-files 9.
#[test]
fn of_four_thousand_columns_only_the_mapped_ones_are_kept() {
    let secret = "CANARY-4711";
    let mut header = "ID,User,Status,SSN,IBAN,Salary,Email,Email,".to_owned();
    let mut row = format!("1,a,Active,{secret},{secret},{secret},{secret},{secret},{secret}");
    let mut bad = format!("2,b,Ill,{secret},{secret},{secret},{secret},{secret},{secret}");
    for n in 10..=4_000 {
        write!(header, ",More {n}").unwrap();
        write!(row, ",{secret}").unwrap();
        write!(bad, ",{secret}").unwrap();
    }
    let hr = Hr::new(&people(""), "hr.csv", format!("{header}\n{row}\n{bad}\n"));
    let read = hr.read(3);
    assert_eq!(read.ids(), ["1"]);
    for arguments in [
        &["-vv", "convert", "hr.csv", "--source", "hr", "-o", "more"][..],
        &["-vv", "convert", "hr.csv", "--source", "hr", "-o", "-"],
        &["-vv", "plan", "hr.csv", "--source", "hr", "--json"],
        &["-vv", "plan", "hr.csv", "--source", "hr", "--diff", "--show-values"],
    ] {
        let ran = hr.run(arguments).expect(3);
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{arguments:?}: {ran:#?}");
    }
    for name in ["more/bulk-00001.json", "more/rejects.csv"] {
        assert!(!hr.place.read(name).contains(secret), "{name}");
    }
}

/// hr-files 9.
#[test]
fn a_column_that_stands_twice_refuses_the_file_only_if_it_is_mapped() {
    let text = "ID,User,Status,Email,Email,\n1,a,Active,x@contoso.example,y@contoso.example,z\n";
    Hr::new(&people(""), "hr.csv", text).read(0);
    let email = "'emails[type eq \"work\"].value' = \"Email\"\n";
    Hr::new(&people(email), "hr.csv", text).refused("source.repeated-columns", &["`Email`"]);
}

/// hr-files 9.
#[test]
fn headers_match_whatever_their_blanks_and_case_and_two_alike_are_one() {
    let mapping = PEOPLE.replace("\"ID\"", "\"Employee ID\"");
    for header in
        ["Employee\u{a0}ID", "employee id ", " EMPLOYEE  ID", "Ｅmployee ID", "Employee ID\u{200b}"]
    {
        let text = format!("{header},USER,status \n1,a,Active\n");
        let read = Hr::new(&source("", &mapping), "hr.csv", text).read(0);
        assert_eq!(read.ids(), ["1"], "{header:?}");
    }
    let text = "Employee\u{a0}ID,employee id ,User,Status\n1,2,a,Active\n";
    let hr = Hr::new(&source("", &mapping), "hr.csv", text);
    hr.refused("source.repeated-columns", &["Employee"]);
    let text = "Employee ID,User,Status,Cost Center,cost\u{a0}center\n1,a,Active,x,y\n";
    Hr::new(&source("", &mapping), "hr.csv", text).read(0);
}

/// hr-files 10.
#[test]
fn the_same_header_again_is_dropped_and_told() {
    for again in [
        "\u{feff}ID,User,Status,Name\n",
        "ID,User,Status,Name\n",
        "\u{feff}\"ID\",\"User\",\"Status\",\"Name\"\n",
        "id,USER,Status ,name\n",
    ] {
        let text = format!("{HEADER}{}{again}{}", rows(1, 4_999), rows(5_000, 6_000));
        let hr = Hr::new(&people(NAME), "hr.csv", text);
        let read = hr.read(0);
        assert_eq!(read.users.len(), 6_000, "nobody is called `ID`");
        assert_eq!(read.plan["rows"], 6_000, "a header is no data row");
        let told = read.finding("source.repeated-header", &["5001"]);
        assert!(read.err.contains("source.repeated-header"), "always told: {told}");
    }
}

/// hr-files 10.
#[test]
fn another_header_half_way_refuses_the_file() {
    let other = "Status,ID,Name,User\n";
    let more = joined((1..=100).map(|n| format!("Active,b{n},Ann,v{n}\n")));
    for mark in ["", "\u{feff}"] {
        let text = format!("{HEADER}{}{mark}{other}{more}", rows(1, 500));
        let hr = Hr::new(&people(NAME), "hr.csv", text);
        hr.refused("source.second-header", &["line 502"]);
    }
    // with a column more, and with one less
    let wider = joined((1..=3).map(|n| format!("b{n},Ann,v{n},Active,x\n")));
    let text = format!("{HEADER}{}ID,Name,User,Status,Grade\n{wider}", rows(1, 500));
    Hr::new(&people(NAME), "hr.csv", text).refused("source.", &[]);
    let narrower = joined((1..=100).map(|n| format!("b{n},v{n},Active\n")));
    let text = format!("{HEADER}{}ID,User,Status\n{narrower}", rows(1, 500));
    Hr::new(&people(NAME), "hr.csv", text).refused("source.", &[]);
}

const TRAILER: &str = "complete = { trailer = { starts_with = \"TRL\", count = 2 } }";

fn with_trailer(count: usize, trailer: &str) -> String {
    format!("ID;User;Status;Name\n{}{trailer}", rows(1, count).replace(',', ";"))
}

/// hr-files 11.
#[test]
fn a_trailer_that_agrees_proves_that_the_file_is_whole() {
    let source = source(TRAILER, &format!("{PEOPLE}{NAME}"));
    for end in ["TRL;0001180\n", "TRL;0001180", "TRL;1180;;\r\n", "TRL;0001180;\n\n"] {
        let read = Hr::new(&source, "hr.csv", with_trailer(1_180, end)).read(0);
        assert_eq!(read.users.len(), 1_180);
        assert_eq!(read.plan["rows"], 1_180, "a trailer is nobody");
        read.mentions(&["trailer", "1180"]);
    }
}

/// hr-files 11.
#[test]
fn a_trailer_that_disagrees_or_is_missing_refuses_the_file() {
    let source = source(TRAILER, &format!("{PEOPLE}{NAME}"));
    let hr = Hr::new(&source, "hr.csv", with_trailer(1_180, "TRL;0001234\n"));
    hr.refused("source.trailer-count", &["1234", "1180"]);
    let hr = Hr::new(&source, "hr.csv", with_trailer(1_180, "TRL;0001179\n"));
    hr.refused("source.trailer-count", &["1179", "1180"]);
    for end in ["TRL\n", "TRL;\n", "TRL;many\n", "TRL;-1180\n"] {
        Hr::new(&source, "hr.csv", with_trailer(1_180, end)).refused("source.", &["trailer"]);
    }
    // not at the end
    let text = format!("{}{}", with_trailer(5, "TRL;0000005\n"), "000006;u6;Active;Ann\n");
    Hr::new(&source, "hr.csv", text).refused("source.", &["trailer"]);
}

/// hr-files 11. Without its trailer a file proves nothing, and that is told.
#[test]
fn a_trailer_that_should_be_there_and_is_not_is_told() {
    let source = source(TRAILER, &format!("{PEOPLE}{NAME}"));
    let read = Hr::new(&source, "hr.csv", with_trailer(1_180, "")).read(0);
    assert!(read.err.contains("source.no-trailer"), "always told: {}", read.err);
}

/// hr-files 11. A trailer that nobody told of is no person either, and what it says still counts.
#[test]
fn a_trailer_without_a_rule_is_no_person() {
    let hr = Hr::new(&people(NAME), "hr.csv", with_trailer(20, "TRL;0000020\n"));
    // rejected as too short, or passed over and told
    if hr.never_but(|id, _| id != "TRL").code == 0 {
        let read = hr.read(0);
        let told =
            read.findings().into_iter().any(|finding| finding.to_string().contains("line 22"));
        assert!(told, "nobody hears of line 22: {:#?}", read.findings());
    }
    let hr = Hr::new(&people(NAME), "hr.csv", with_trailer(20, "TRL;0001234\n"));
    assert_ne!(hr.never_but(|id, _| id != "TRL").code, 0);
}

/// hr-files 11.
#[test]
fn a_sum_in_the_trailer_is_held_against_its_column() {
    let options = "complete = { trailer = { starts_with = \"TRL\", count = 2, \
                   total = { field = 3, of = \"Number\" } } }";
    let source = source(options, PEOPLE);
    let rows = joined((1..=10).map(|n| format!("{n:06};u{n};Active;{}\n", n * 100)));
    let text = |end: &str| format!("ID;User;Status;Number\n{rows}{end}");
    let read = Hr::new(&source, "hr.csv", text("TRL;10;5500\n")).read(0);
    assert_eq!(read.users.len(), 10);
    Hr::new(&source, "hr.csv", text("TRL;10;5501\n")).refused("source.trailer", &["5500"]);
    Hr::new(&source, "hr.csv", text("TRL;9;5500\n")).refused("source.trailer-count", &[]);
}

/// hr-files 12.
#[test]
fn a_file_without_people_is_refused() {
    for (text, code) in [
        (&b""[..], "source.empty"),
        (b"\xEF\xBB\xBF", "source."),
        (b"\xFF\xFE", "source."),
        (b"\n\n\r\n", "source."),
        (b"sep=;\n", "source."),
        (b"ID,User,Status,Name\n", "source.no-rows"),
        (b"ID,User,Status,Name", "source.no-rows"),
        (b"ID,User,Status,Name\n\n,,,\n", "source.no-rows"),
        (b"ID,User,Status,Name\nID,User,Status,Name\n", "source.no-rows"),
    ] {
        Hr::new(&people(NAME), "hr.csv", text).refused(code, &[]);
    }
    let options = "complete = { trailer = { starts_with = \"TRL\", count = 2 } }";
    let source = source(options, PEOPLE);
    Hr::new(&source, "hr.csv", "ID;User;Status\nTRL;0\n").refused("source.no-rows", &[]);
}

/// hr-files 12.
#[test]
fn a_last_line_that_is_cut_refuses_the_file() {
    let header = "ID,First,Last,User,Status\n";
    let mapping =
        format!("{PEOPLE}\"name.givenName\" = \"First\"\n\"name.familyName\" = \"Last\"\n");
    let rows = joined((1..=50).map(|n| format!("{n:06},Ann,Lee,u{n},Active\n")));
    let hr = Hr::new(&source("", &mapping), "hr.csv", format!("{header}{rows}100457,Ann,Le"));
    hr.refused("source.cut-off", &["line 52"]);
    // in the middle of a letter
    let mut bytes = format!("{header}{rows}100457,Ann,M").into_bytes();
    bytes.push(0xC3);
    Hr::new(&source("", &mapping), "hr.csv", bytes).refused("source.", &[]);
}
