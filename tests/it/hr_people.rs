//! The people in a file: several rows of one, ids that look alike, values that stand for nothing, and
//! managers in any order.

use serde_json::Value;

use crate::hr_book::{Book, Cell, text, texts};
use crate::hr_support::{HIRE_DATE, Hr, PEOPLE, people, source};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const NAME: &str = "displayName = \"Name\"\n";

/// Jobs of workers: the greatest of `prefer` wins, then the latest day that has come.
const JOBS: &str = "rows = { per = \"ID\", by = \"From\", \
                    prefer = '(Status == \"Active\" ? 2 : 0) + (Primary == \"Y\" ? 1 : 0)' }";

fn jobs(rows: &[&str]) -> String {
    format!("ID,User,Status,Job,Primary,From\n{}\n", rows.join("\n"))
}

fn jobs_source(rows: &str) -> String {
    source(rows, &format!("{PEOPLE}title = \"Job\"\n"))
}

/// hr-files 22.
#[test]
fn of_several_jobs_one_person_comes_out_by_day_and_primary() {
    let text = jobs(&[
        "100200,w,Active,A,Y,2020-01-01",
        "100200,w,Active,B,N,2022-01-01",
        "100200,w,Active,C,Y,2099-01-01",
        "100203,x,Active,D,Y,2021-01-01",
    ]);
    let orders = [text.clone(), {
        let mut lines: Vec<&str> = text.lines().collect();
        lines[1..].reverse();
        lines.join("\n")
    }];
    for text in orders {
        let read = Hr::new(&jobs_source(JOBS), "hr.csv", text).read(0);
        assert_eq!(read.ids(), ["100200", "100203"]);
        assert_eq!(read.user("100200")["title"], "A", "not the future one, not the other one");
        assert_eq!(read.plan["counts"]["superseded"], 2);
    }
}

/// hr-files 22.
#[test]
fn somebody_leaves_only_when_all_relationships_have_ended() {
    let text = jobs(&[
        "100201,w,Inactive,A,Y,2020-01-01",
        "100201,w,Active,B,N,2019-01-01",
        "100204,x,Inactive,A,Y,2020-01-01",
        "100204,x,Inactive,B,N,2021-01-01",
    ]);
    let read = Hr::new(&jobs_source(JOBS), "hr.csv", text).read(0);
    assert_eq!(read.user("100201")["active"], true);
    assert_eq!(read.user("100201")["title"], "B");
    assert_eq!(read.user("100204")["active"], false);
}

/// hr-files 22.
#[test]
fn somebody_hired_again_under_the_same_id_is_active() {
    let rows = "rows = { per = \"ID\", by = { column = \"From\", date = [\"%d.%m.%Y\"] } }";
    for text in [
        jobs(&["100202,w,Inactive,A,Y,01.02.2020", "100202,w,Active,B,Y,15.01.2024"]),
        jobs(&["100202,w,Active,B,Y,15.01.2024", "100202,w,Inactive,A,Y,01.02.2020"]),
    ] {
        let read = Hr::new(&jobs_source(rows), "hr.csv", text).read(0);
        assert_eq!(read.user("100202")["active"], true);
        assert_eq!(read.user("100202")["title"], "B");
    }
}

/// hr-files 22.
#[test]
fn two_primary_jobs_reject_both_naming_each_other() {
    let text = jobs(&[
        "100205,w,Active,A,Y,2020-01-01",
        "100205,w,Active,B,Y,2020-01-01",
        "100205,w,Active,C,N,2020-01-01",
        "100206,x,Active,D,Y,2020-01-01",
    ]);
    let prefer = "rows = { per = \"ID\", prefer = 'Primary == \"Y\"' }";
    for rows in [JOBS, prefer] {
        let read = Hr::new(&jobs_source(rows), "hr.csv", &text).read(3);
        assert_eq!(read.ids(), ["100206"]);
        assert!(read.reject(2, "source.repeated-worker").reason.contains('3'));
        assert!(read.reject(3, "source.repeated-worker").reason.contains('2'));
    }
}

/// hr-files 22.
#[test]
fn somebody_who_only_comes_later_is_not_sent_now() {
    let text = jobs(&["100207,w,Active,A,Y,2099-01-01", "100208,x,Active,B,Y,2020-01-01"]);
    let hr = Hr::new(&jobs_source(JOBS), "hr.csv", text);
    hr.never_but(|id, _| id == "100208");
}

/// hr-files 22. A day that cannot be read says nothing about which row counts.
#[test]
fn a_row_whose_day_cannot_be_read_never_wins() {
    let text = jobs(&[
        "100209,w,Active,A,Y,2020-01-01",
        "100209,w,Active,B,Y,soon",
        "100210,x,Active,B,Y,",
        "100210,x,Active,A,Y,2020-01-01",
    ]);
    let hr = Hr::new(&jobs_source(JOBS), "hr.csv", text);
    let ran = hr.never_but(|_, user| user["title"] == "A");
    assert_ne!(ran.code, 0, "{}", ran.err);
}

/// hr-files 22. `check` finds what cannot work before a file comes.
#[test]
fn rows_that_cannot_be_chosen_are_found_by_check() {
    for rows in [
        "rows = { per = \"ID\", prefer = 'Primary ==' }",
        "rows = { per = \"ID\", prefer = 'NoSuchFunction(Primary)' }",
        "rows = { per = \"ID\", by = { column = \"From\", date = [\"%Q\"] } }",
    ] {
        let hr = Hr::new(&jobs_source(rows), "hr.csv", jobs(&[]));
        let ran = hr.run(&["check"]).expect(2);
        assert!(ran.err.contains("rows") || ran.out.contains("rows"), "{ran:#?}");
    }
}

fn departments(rules: &str, values: &[&str]) -> Hr {
    let rows = (1..).zip(values).map(|(n, value)| format!("{n:06},u{n},Active,{value}\n"));
    let text = format!("ID,User,Status,Dept\n{}", rows.collect::<String>());
    let mapping = format!("\"enterprise:department\" = {{ from = \"Dept\"{rules} }}");
    Hr::new(&people(&mapping), "hr.csv", text)
}

fn department(user: &Value) -> &Value {
    &user[ENTERPRISE]["department"]
}

/// hr-files 23.
#[test]
fn a_blank_is_kept_cleared_or_an_error_as_the_column_says() {
    let values = ["Sales", "", "  ", "\u{a0}"];
    let read = departments("", &values).read(0);
    assert_eq!(department(read.user("000001")), "Sales");
    for id in ["000002", "000003", "000004"] {
        let enterprise = &read.user(id)[ENTERPRISE];
        assert!(enterprise.get("department").is_none(), "left out: {enterprise}");
    }
    let read = departments(", on_empty = \"null\"", &values).read(0);
    for id in ["000002", "000003", "000004"] {
        assert_eq!(read.user(id)[ENTERPRISE].get("department"), Some(&Value::Null));
    }
    let read = departments(", required = true", &values).read(3);
    assert_eq!(read.rejected(), [3, 4, 5]);
    let read = departments(", default = \"None\"", &values).read(0);
    assert_eq!(department(read.user("000002")), "None");
}

/// hr-files 23.
#[test]
fn placeholders_are_told_and_only_the_listed_ones_are_empty() {
    let values = ["NULL", "N/A", "-", "0000-00-00", "#", "Sales"];
    let read = departments("", &values).read(0);
    read.finding("mapping.placeholder", &["Dept"]);
    assert!(read.err.contains("mapping.placeholder"), "always told: {}", read.err);
    // told, and not decided
    for (n, value) in (1..).zip(values) {
        assert_eq!(department(read.user(&format!("{n:06}"))), value);
    }
    let listed = ", empty_words = [\"NULL\", \"N/A\", \"-\", \"0000-00-00\", \"#\"]";
    let read = departments(listed, &values).read(0);
    assert!(read.found("mapping.placeholder").is_empty(), "{:#?}", read.findings());
    assert_eq!(department(read.user("000006")), "Sales");
    assert!((1..6).all(|n| department(read.user(&format!("{n:06}"))).is_null()));
    let read = departments("", &["Sales", "IT", "R&D - North"]).read(0);
    assert!(read.found("mapping.placeholder").is_empty(), "{:#?}", read.findings());
}

/// hr-files 23.
#[test]
fn a_placeholder_is_no_date() {
    let mapping = format!("\"{HIRE_DATE}\" = {{ from = \"Hired\", date = [\"%Y-%m-%d\"] }}");
    let text = "ID,User,Status,Hired\n1,a,Active,0000-00-00\n2,b,Active,2024-03-01\n";
    let read = Hr::new(&people(&mapping), "hr.csv", text).read(3);
    assert_eq!(read.ids(), ["2"]);
    let listed = mapping.replace(" }", ", empty_words = [\"0000-00-00\"] }");
    Hr::new(&people(&listed), "hr.csv", text).read(0);
}

/// hr-files 23.
#[test]
fn a_status_is_a_word_of_the_map_or_its_row_is_rejected() {
    let mapping = "externalId = \"ID\"\nuserName = \"User\"\n\
                   active = { from = \"Status\", map = { Aktiv = true, \"1\" = true, J = true, N = false } }\n";
    let words =
        ["Aktiv", "1", "J", "N", "", "  ", "0", "Inaktiv", "aktiv ", "NULL", "-", "Ja", "true"];
    let rows = (1..).zip(words).map(|(n, word)| format!("{n:02},u{n},{word}\n"));
    let text = format!("ID,User,Status\n{}", rows.collect::<String>());
    let read = Hr::new(&source("", mapping), "hr.csv", &text).read(3);
    assert_eq!(read.ids(), ["01", "02", "03", "04", "09"]);
    let active: Vec<bool> =
        read.users.values().map(|user| user["active"].as_bool().unwrap()).collect();
    assert_eq!(active, [true, true, true, false, true]);
    assert_eq!(read.rejected(), [6, 7, 8, 9, 11, 12, 13, 14]);
    // not even `on_empty` omits it
    for rule in ["on_empty = \"null\"", "on_empty = \"omit\""] {
        let mapping = mapping.replace("map = {", &format!("{rule}, map = {{"));
        let hr = Hr::new(&source("", &mapping), "hr.csv", &text);
        let ran = hr.run(&["convert", "hr.csv", "--source", "hr", "-o", "-"]);
        assert!(ran.code == 2 || ran.code == 3, "{ran:#?}");
        if ran.code == 3 {
            hr.never_but(|_, user| user["active"].is_boolean());
        }
    }
}

fn ids(ids: &[&str]) -> String {
    let rows = (1..).zip(ids).map(|(n, id)| format!("{id},u{n},Active\n"));
    format!("ID,User,Status\n{}", rows.collect::<String>())
}

/// hr-files 24.
#[test]
fn ids_alike_after_the_declared_rules_are_rejected_in_pairs() {
    let read = Hr::new(&people(""), "hr.csv", ids(&["123", "777", "123 ", "\u{a0}777"])).read(3);
    assert_eq!(read.rejected(), [2, 3, 4, 5]);
    assert!(read.reject(2, "source.repeated-worker").reason.contains('4'));
    assert!(read.reject(4, "source.repeated-worker").reason.contains('2'));
    let padded = source("", &PEOPLE.replace("\"ID\"", "{ from = \"ID\", pad = 5 }"));
    let read = Hr::new(&padded, "hr.csv", ids(&["00123", "123", "00124", "125"])).read(3);
    assert_eq!(read.ids(), ["00124", "00125"]);
    assert_eq!(read.rejected(), [2, 3]);
    let cased = source("", &PEOPLE.replace("\"ID\"", "{ from = \"ID\", case = \"upper\" }"));
    let read = Hr::new(&cased, "hr.csv", ids(&["a1", "A1", "b1"])).read(3);
    assert_eq!(read.ids(), ["B1"]);
}

/// hr-files 24.
#[test]
fn ids_that_only_look_alike_are_rejected_in_pairs() {
    for alike in ["１２３", "123\u{200b}", "00123", "12\u{ad}3", "\u{feff}123"] {
        let read = Hr::new(&people(""), "hr.csv", ids(&["99998", "123", alike, "99999"])).read(3);
        assert_eq!(read.ids(), ["99998", "99999"], "{alike:?}");
        assert!(read.reject(3, "source.look-alike-id").reason.contains('4'), "{alike:?}");
        assert!(read.reject(4, "source.look-alike-id").reason.contains('3'), "{alike:?}");
    }
}

/// hr-files 24. All of them in one file.
#[test]
fn five_ways_to_write_one_id_make_nobody() {
    let all = ["00123", "123", "123 ", "１２３", "123\u{200b}", "99999"];
    let read = Hr::new(&people(""), "hr.csv", ids(&all)).read(3);
    assert_eq!(read.ids(), ["99999"]);
    assert_eq!(read.rejected(), [2, 3, 4, 5, 6]);
}

/// hr-files 24.
#[test]
fn names_come_out_composed_and_invisible_characters_are_told() {
    let mut bytes = b"ID,User,Status,Name\n1,a,Active,".to_vec();
    bytes.extend([0x5A, 0x6F, 0xC3, 0xAB]);
    bytes.extend(b"\n2,b,Active,");
    bytes.extend([0x5A, 0x6F, 0x65, 0xCC, 0x88]);
    bytes.extend(b"\n");
    let read = Hr::new(&people(NAME), "hr.csv", &bytes).read(0);
    assert_eq!(read.user("1")["displayName"], "Zo\u{eb}");
    assert_eq!(read.user("2")["displayName"], "Zo\u{eb}", "composed");
    assert!(read.found("mapping.invisible-character").is_empty(), "{:#?}", read.findings());

    bytes.extend("3,c\u{200b},Active,Ann\u{ad}e\n4,d,Active,Ben\n".bytes());
    let hr = Hr::new(&people(NAME), "hr.csv", &bytes);
    let code = hr.run(&["convert", "hr.csv", "--source", "hr", "-o", "-"]).code;
    let read = hr.read(code);
    let told = read.findings().into_iter().any(|finding| finding.to_string().contains("invisible"));
    assert!(told, "{:#?}", read.findings());
    assert!(read.err.contains("invisible"), "always told: {}", read.err);
    assert!(read.err.contains("line 4"), "where: {}", read.err);
}

/// hr-files 24. The service would not resolve it.
#[test]
fn two_workers_with_one_user_name_are_both_rejected() {
    let text = "ID,User,Status\n\
                1,J.Smith@contoso.example,Active\n\
                2,k@contoso.example,Active\n\
                3,j.smith@contoso.example,Active\n\
                4,J.SMITH@Contoso.Example,Inactive\n";
    let read = Hr::new(&people(""), "hr.csv", text).read(3);
    // that access ends waits for nobody's name, but somebody hears of it
    assert_eq!(read.ids(), ["2", "4"]);
    assert!(read.err.contains("1 with a warning"), "{}", read.err);
    for (row, other) in [(2, "4"), (4, "2")] {
        let reject = read.reject(row, "source.same-user-name");
        assert!(reject.reason.contains(other), "{reject:#?}");
        assert!(!reject.reason.to_lowercase().contains("smith"), "no value: {reject:#?}");
    }
    // what the rules make of them counts
    let folded =
        PEOPLE.replace("required = true", "required = true, case = \"lower\", ascii = true");
    let text = "ID,User,Status\n1,j.smith@x.example,Active\n2,J.Smíth@x.example,Active\n";
    let read = Hr::new(&source("", &folded), "hr.csv", text).read(3);
    assert_eq!(read.rejected(), [2, 3]);
    Hr::new(&people(""), "hr.csv", text).read(0);
    // and one worker on several rows has one name
    let rows = "rows = { per = \"ID\", pick = \"last\" }";
    let text = "ID,User,Status\n1,a,Active\n1,a,Inactive\n2,b,Active\n";
    let read = Hr::new(&source(rows, PEOPLE), "hr.csv", text).read(0);
    assert_eq!(read.user("1")["active"], false);
}

fn managed(rules: &str, rows: &[(&str, &str)]) -> (Hr, String) {
    let lines = (1..).zip(rows).map(|(n, (id, manager))| format!("{id},u{n},Active,{manager}\n"));
    let text = format!("ID,User,Status,Manager\n{}", lines.collect::<String>());
    let manager = format!("\"enterprise:manager\" = {{ from = \"Manager\"{rules} }}\n");
    (Hr::new(&people(&manager), "hr.csv", &text), text)
}

fn manager(user: &Value) -> &Value {
    &user[ENTERPRISE]["manager"]["value"]
}

/// hr-files 25.
#[test]
fn managers_are_sent_as_given_and_nobody_is_made_up() {
    let rows = [("001", "002"), ("002", "003"), ("003", ""), ("004", "999"), ("005", "004")];
    let (hr, _) = managed("", &rows);
    let read = hr.read(0);
    assert_eq!(read.ids(), ["001", "002", "003", "004", "005"], "no stub for 999");
    for (id, boss) in rows {
        if boss.is_empty() {
            assert!(manager(read.user(id)).is_null());
        } else {
            assert_eq!(manager(read.user(id)), boss);
        }
    }
}

/// hr-files 25.
#[test]
fn a_manager_is_the_same_person_with_the_same_padding() {
    let rows = [("00123", ""), ("00124", "123"), ("00125", "00123")];
    let (hr, _) = managed(", pad = 5", &rows);
    let read = hr.read(0);
    assert_eq!(manager(read.user("00124")), "00123");
    assert_eq!(manager(read.user("00125")), "00123");
}

/// hr-files 25.
#[test]
fn a_manager_who_leaves_in_the_same_file_is_sent_and_named() {
    let manager_line = "\"enterprise:manager\" = \"Manager\"\n";
    let text = "ID,User,Status,Manager\n1,a,Inactive,\n2,b,Active,1\n";
    let read = Hr::new(&people(manager_line), "hr.csv", text).read(0);
    assert_eq!(read.user("1")["active"], false);
    assert_eq!(manager(read.user("2")), "1");
}

/// hr-files 25.
#[test]
fn ones_own_manager_is_left_out_with_a_warning() {
    let (hr, _) = managed("", &[("1", "1"), ("2", "1")]);
    let read = hr.read(0);
    assert!(manager(read.user("1")).is_null());
    assert_eq!(manager(read.user("2")), "1");
    let plan = hr.run(&["plan", "hr.csv", "--source", "hr"]).expect(0);
    assert!(plan.out.contains("mapping.own-manager: 1"), "{}", plan.out);
    // with other padding it is the same person
    let (hr, _) = managed(", pad = 3", &[("001", "1"), ("002", "1")]);
    assert!(manager(hr.read(0).user("001")).is_null());
}

/// hr-files 25.
#[test]
fn managers_in_a_ring_are_left_out_with_a_warning_that_names_the_ring() {
    let (hr, _) = managed("", &[("1", "2"), ("2", "3"), ("3", "1"), ("4", "1")]);
    let read = hr.read(0);
    for id in ["1", "2", "3"] {
        assert!(manager(read.user(id)).is_null(), "{id} is in a ring");
    }
    assert_eq!(manager(read.user("4")), "1", "below the ring, not in it");
    let plan = hr.run(&["plan", "hr.csv", "--source", "hr"]).expect(0);
    assert!(["1", "2", "3"].iter().all(|id| plan.out.contains(id)), "{}", plan.out);
}

/// hr-files 24, 16. Ids of a workbook are held against one another as those of text files are.
#[test]
fn ids_of_cells_that_look_alike_are_rejected_in_pairs() {
    let rows = vec![
        texts(&["000123", "a", "Active"]),
        vec![Cell::Shared(0), text("b"), text("Active")],
        texts(&["999999", "c", "Active"]),
    ];
    let mut book = Book::of(&["ID", "User", "Status"], rows);
    book.shared = vec!["000123\u{200b}".to_owned()];
    let read = Hr::new(&people(""), "hr.xlsx", book.bytes()).read(3);
    assert_eq!(read.ids(), ["999999"]);
    read.reject(2, "source.look-alike-id");
}

/// hr-files, its last paragraph.
#[test]
fn formulas_are_harmless_in_what_goes_back_to_hr() {
    let cells =
        ["=1+1", "+1", "-1", "@SUM(A1)", "\"\t=1\"", "\"\r=1\"", "=cmd|' /C calc'!A0", "＝1"];
    let rows = cells.map(|cell| format!("{cell},u,Unknown\n"));
    let hr = Hr::new(&people(""), "hr.csv", format!("ID,User,Status\n{}", rows.concat()));
    hr.run(&["convert", "hr.csv", "--source", "hr", "-o", "out"]).expect(3);
    let rejects = hr.place.read("out/rejects.csv");
    let mut reader = csv::Reader::from_reader(rejects.as_bytes());
    let mut rows = 0;
    for row in reader.records() {
        rows += 1;
        for cell in &row.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        }
    }
    assert_eq!(rows, cells.len());
}
