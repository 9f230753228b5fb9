//! Text files in the encodings that HR systems write: every letter arrives as it was meant, or the
//! file or row is refused. Never a replacement character, never a letter of another alphabet.

use serde_json::Value;

use crate::hr_support::{Hr, PEOPLE, encode, joined, people, source, utf_16, windows_1252};

const NAME: &str = "displayName = \"Name\"\n";

/// Names as they stand in a German or French export.
const WESTERN: [&str; 8] = [
    "Müller",
    "O’Brien",
    "José Núñez",
    "François Lefèvre",
    "Jürgen Weiß",
    "Zoë Krüger",
    "Søren Østergaard",
    "Günther Schäfer",
];

/// Names as they stand in a Polish export.
const POLISH: [&str; 8] = [
    "Łukasz Wiśniewski",
    "Paweł Kowalczyk",
    "Małgorzata Dąbrowska",
    "Łucja Zając",
    "Stanisław Wójcik",
    "Michał Król",
    "Władysław Łęcki",
    "Żaneta Głowacka",
];

/// So many people with these names in turn.
fn file(names: &[&str], count: usize) -> String {
    let rows = (1..=count).zip(names.iter().cycle());
    let rows = joined(rows.map(|(n, name)| format!("{n:06},u{n}@contoso.example,Active,{name}\n")));
    format!("ID,User,Status,Name\n{rows}")
}

/// The names that came out are those that were written.
#[track_caller]
fn assert_names(hr: &Hr, names: &[&str], count: usize) {
    let read = hr.read(0);
    for (n, name) in (1..=count).zip(names.iter().cycle()) {
        assert_eq!(read.user(&format!("{n:06}"))["displayName"], **name);
    }
}

fn is_name(names: &'static [&'static str]) -> impl Fn(&str, &Value) -> bool {
    |_, user| names.contains(&user["displayName"].as_str().unwrap_or_default())
}

/// hr-files 1.
#[test]
fn windows_1252_is_found_and_told_and_its_apostrophe_is_one() {
    let mut bytes = b"ID,User,Status,Name\n1,a,Active,".to_vec();
    bytes.extend([0x4D, 0xFC, 0x6C, 0x6C, 0x65, 0x72]);
    bytes.extend(b"\n2,b,Active,");
    bytes.extend([0x4F, 0x92, 0x42, 0x72, 0x69, 0x65, 0x6E]);
    bytes.extend(b"\n");
    let read = Hr::new(&people(NAME), "hr.csv", &bytes).read(0);
    assert_eq!(read.user("1")["displayName"], "Müller");
    assert_eq!(read.user("2")["displayName"], "O\u{2019}Brien");
    let finding = read.finding("source.encoding", &["windows-1252"]);
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains('%') || message.contains("certain"), "a confidence: {message}");
}

/// hr-files 1.
#[test]
fn a_file_of_western_names_in_windows_1252_arrives_letter_by_letter() {
    let hr = Hr::new(&people(NAME), "hr.csv", windows_1252(&file(&WESTERN, 200)));
    assert_names(&hr, &WESTERN, 200);
}

/// hr-files 1. The byte A3 is a pound sign in windows-1252.
#[test]
fn polish_letters_are_never_read_as_western_ones() {
    let mut one = b"ID,User,Status,Name\n1,a,Active,".to_vec();
    one.extend([0xA3, 0x75, 0x6B, 0x61, 0x73, 0x7A]);
    one.extend(b"\n2,b,Active,Ann\n");
    let hr = Hr::new(&people(NAME), "one.csv", &one);
    let ran = hr.never_but(|_, user| user["displayName"] != "£ukasz");
    if ran.code == 1 {
        hr.refused("source.encoding-unclear", &["encoding"]);
    }
    let many = encode(&file(&POLISH, 200), encoding_rs::WINDOWS_1250);
    let hr = Hr::new(&people(NAME), "many.csv", many);
    let ran = hr.never_but(is_name(&POLISH));
    if ran.code == 1 {
        hr.refused("source.encoding-unclear", &["encoding"]);
    }
}

/// hr-files 1.
#[test]
fn a_stated_encoding_is_used() {
    let cases = [
        ("windows-1250", encoding_rs::WINDOWS_1250, &POLISH[..]),
        ("iso-8859-2", encoding_rs::ISO_8859_2, &POLISH[..]),
        ("windows-1252", encoding_rs::WINDOWS_1252, &WESTERN[..]),
        ("windows-1251", encoding_rs::WINDOWS_1251, &["Ольга Иванова", "Дмитрий Попов"][..]),
        ("shift_jis", encoding_rs::SHIFT_JIS, &["山田 太郎", "ソニー 表"][..]),
        ("utf-8", encoding_rs::UTF_8, &["Ελένη", "山田", "Łukasz"][..]),
    ];
    for (label, encoding, names) in cases {
        let source =
            source(&format!("csv = {{ encoding = \"{label}\" }}"), &format!("{PEOPLE}{NAME}"));
        let hr = Hr::new(&source, "hr.csv", encode(&file(names, 20), encoding));
        assert_names(&hr, names, 20);
    }
}

/// hr-files 1. What is found in the bytes is not what somebody wrote into the config.
#[test]
fn bytes_that_are_nothing_in_the_stated_encoding_never_become_replacement_characters() {
    let text = windows_1252(&file(&WESTERN, 100));
    let source = source("csv = { encoding = \"utf-8\" }", &format!("{PEOPLE}{NAME}"));
    Hr::new(&source, "hr.csv", text)
        .never_but(|_, user| user["displayName"].as_str().unwrap_or_default().is_ascii());
}

/// hr-files 1. Bytes 81, 8D, 8F, 90 and 9D are no letters of windows-1252.
#[test]
fn no_control_character_ever_comes_out() {
    for byte in [0x81_u8, 0x8D, 0x8F, 0x90, 0x9D] {
        let mut bytes = windows_1252(&file(&WESTERN, 50));
        bytes.extend(b"000051,u51,Active,M");
        bytes.extend([byte, b'l', b'l', b'\n']);
        Hr::new(&people(NAME), "hr.csv", &bytes).never_but(|_, user| {
            !user["displayName"].as_str().unwrap_or_default().chars().any(char::is_control)
        });
    }
}

/// hr-files 1. One letter outside ASCII is little to go by; whatever is decided, it is no
/// replacement.
#[test]
fn a_file_with_one_letter_outside_ascii_is_decided_or_refused() {
    let text = windows_1252("ID,User,Status,Name\n1,a,Active,Ann\n2,b,Active,René\n");
    let hr = Hr::new(&people(NAME), "hr.csv", text);
    hr.never_but(|id, user| user["displayName"] == if id == "1" { "Ann" } else { "René" });
}

/// hr-files 2.
#[test]
fn unicode_text_of_excel_is_read() {
    let text = file(&["Müller", "O’Brien", "山田", "Łukasz", "🙂"], 100)
        .replace(',', "\t")
        .replace('\n', "\r\n");
    let names = ["Müller", "O’Brien", "山田", "Łukasz", "🙂"];
    let bytes = utf_16(&text);
    assert_eq!(bytes[..4], [0xFF, 0xFE, 0x49, 0x00]);
    let hr = Hr::new(&people(NAME), "hr.txt", &bytes);
    assert_names(&hr, &names, 100);
    hr.read(0).finding("source.encoding", &["UTF-16LE"]);
    // the other end first
    let big: Vec<u8> = bytes.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    assert_names(&Hr::new(&people(NAME), "hr.txt", big), &names, 100);
}

/// hr-files 2.
#[test]
fn utf_16_of_an_odd_number_of_bytes_is_cut_off_and_told_with_the_offset() {
    let mut bytes = utf_16(&file(&["Müller"], 100).replace(',', "\t").replace('\n', "\r\n"));
    bytes.pop();
    let length = bytes.len();
    let hr = Hr::new(&people(NAME), "hr.txt", bytes);
    let ran = hr.refused("source.cut-off", &["byte"]);
    let words = [(length - 1).to_string(), length.to_string()];
    assert!(words.iter().any(|offset| ran.err.contains(offset)), "{words:?} in {}", ran.err);
}

/// hr-files 2. Half of a surrogate pair is no letter.
#[test]
fn half_a_character_in_utf_16_never_becomes_a_replacement() {
    let mut bytes = utf_16("ID\tUser\tStatus\tName\r\n1\ta\tActive\tAnn\r\n2\tb\tActive\tB");
    bytes.extend([0x3D, 0xD8]);
    bytes.extend(utf_16("en\r\n3\tc\tActive\tCy\r\n").split_off(2));
    let hr = Hr::new(&people(NAME), "hr.txt", bytes);
    hr.never_but(|id, _| id != "2");
}

/// hr-files 3.
#[test]
fn a_byte_order_mark_stands_before_the_quote_of_the_first_header() {
    let bytes = b"\xEF\xBB\xBF\"Employee ID\",\"User\",\"Status\"\r\n\"007\",\"a\",\"Active\"\r\n";
    let mapping = PEOPLE.replace("\"ID\"", "\"Employee ID\"");
    let read = Hr::new(&source("", &mapping), "hr.csv", bytes).read(0);
    assert_eq!(read.ids(), ["007"]);
}

fn rows_with(at: usize, name: &[u8]) -> Vec<u8> {
    let mut bytes = b"ID,User,Status,Name\n".to_vec();
    for n in 2..=1_000 {
        bytes.extend(format!("{n:06},u{n},Active,").bytes());
        let letters: &[u8] = match n {
            _ if n == at => name,
            _ if n % 3 == 0 => "Müller".as_bytes(),
            _ => b"Ann",
        };
        bytes.extend(letters);
        bytes.push(b'\n');
    }
    bytes
}

/// hr-files 4.
#[test]
fn double_encoding_is_told_and_never_repaired() {
    let mojibake = [0x4D, 0xC3, 0x83, 0xC2, 0xBC, 0x6C, 0x6C, 0x65, 0x72];
    let hr = Hr::new(&people(NAME), "hr.csv", rows_with(500, &mojibake));
    let ran = hr.run(&["convert", "hr.csv", "--source", "hr", "-o", "-"]);
    assert!(ran.err.contains("source.double-encoding"), "always told: {}", ran.err);
    assert!([0, 3].contains(&ran.code), "{ran:#?}");
    let read = hr.read(ran.code);
    read.finding("source.double-encoding", &[]);
    assert!(!ran.err.contains("MÃ¼ller") && !ran.err.contains("Müller"), "{}", ran.err);
    // held, or sent as it stands
    if let Some(user) = read.users.get("000500") {
        assert_eq!(user["displayName"], "MÃ¼ller");
    }
    assert_eq!(read.users.len() + read.rejects.len(), 999);
    assert!(read.rejected().iter().all(|row| *row == 500), "{:#?}", read.rejects);
}

/// hr-files 4.
#[test]
fn a_lone_byte_rejects_its_row_with_the_offset_and_the_others_go_on() {
    let bytes = rows_with(731, &[0x52, 0x65, 0x6E, 0xE9]);
    let offset = bytes.iter().position(|byte| *byte == 0xE9).unwrap();
    let read = Hr::new(&people(NAME), "hr.csv", bytes).read(3);
    let reject = read.reject(731, "source.not-utf8");
    assert_eq!(reject.line, Some(731));
    let offsets = [offset.to_string(), (offset + 1).to_string()];
    assert!(offsets.iter().any(|offset| reject.reason.contains(offset)), "{offsets:?} {reject:#?}");
    assert_eq!(read.rejects.len(), 1);
    assert_eq!(read.users.len(), 998);
    assert_eq!(read.user("000732")["displayName"], "Müller");
}

/// hr-files 4. As many rows as you like, but then it is no UTF-8 file.
#[test]
fn a_file_that_changes_its_encoding_half_way_never_yields_a_wrong_letter() {
    let mut bytes = file(&WESTERN, 100).into_bytes();
    bytes.extend(windows_1252(&file(&WESTERN, 200)).split_off("ID,User,Status,Name\n".len()));
    Hr::new(&people(NAME), "hr.csv", bytes).never_but(is_name(&WESTERN));
}
