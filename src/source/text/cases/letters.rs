//! Files in every encoding.

use super::{Seen, cells, message, read, read_with, refusal, refusal_with, utf_16};
use crate::source::CsvConfig;

#[test]
fn a_western_file_without_mark_is_windows_1252() {
    let whole = read(
        b"Employee ID;Name\r\n1;\x4D\xFC\x6C\x6C\x65\x72\r\n2;\x4F\x92\x42\x72\x69\x65\x6E\r\n",
    );
    assert_eq!(cells(&whole), [["1", "Müller"], ["2", "O\u{2019}Brien"]]);
    assert_eq!(
        message(&whole, "source.encoding"),
        "the letters are windows-1252 (99 % sure, by 2 words beyond ASCII, which are not UTF-8)"
    );
    assert_eq!(message(&whole, "source.delimiter"), "fields are separated by `;`");
}

#[test]
fn a_polish_file_without_mark_is_windows_1250() {
    let whole = read(b"Employee ID;Name\r\n1;\xA3\x75\x6B\x61\x73\x7A\r\n");
    assert_eq!(cells(&whole), [["1", "Łukasz"]]);
    assert!(message(&whole, "source.encoding").starts_with("the letters are windows-1250 ("));
}

#[test]
fn letters_that_could_be_of_two_encodings_are_asked_about() {
    let bytes = b"Employee ID;Name\r\n1;Gda\xF1sk\r\n";
    let (code, words) = refusal(bytes);
    assert_eq!(code, "source.encoding-unclear");
    assert!(words.contains("windows-1250 or windows-1252"), "{words}");
    let config =
        |label: &str| CsvConfig { encoding: Some(label.to_owned()), ..CsvConfig::default() };
    let polish = read_with(bytes, config("windows-1250")).unwrap();
    assert_eq!(cells(&polish), [["1", "Gdańsk"]]);
    let western = read_with(bytes, config("latin1")).unwrap();
    assert_eq!(cells(&western), [["1", "Gdañsk"]]);
    assert_eq!(refusal_with(bytes, config("latin-polish")).0, "source.encoding-unknown");
    let (_, words) = refusal_with(b"Employee ID\n1\x81\n", config("windows-1252"));
    assert_eq!(words, "hr.csv: byte 13 is no letter in windows-1252");
    let (_, words) = refusal_with(b"\xEF\xBB\xBFEmployee ID\n1\n", config("windows-1252"));
    assert!(words.contains("UTF-8 by its byte-order mark, and the config says"), "{words}");
}

#[test]
fn unicode_text_of_a_spreadsheet_is_utf16_with_tabs() {
    let text = "Employee ID\tName\r\n1\tŁukasz 字\r\n2\t\"a\tb\"\r\n";
    for with_mark in [true, false] {
        let whole = read(&utf_16(text, with_mark));
        assert_eq!(whole.headers, ["Employee ID", "Name"]);
        assert_eq!(cells(&whole), [["1", "Łukasz 字"], ["2", "a\tb"]]);
        assert_eq!(message(&whole, "source.delimiter"), "fields are separated by tabs");
        assert!(message(&whole, "source.encoding").starts_with("the letters are UTF-16LE ("));
    }
    let mut bytes = utf_16(text, true);
    let last = bytes.pop().map_or(0, |_| bytes.len() - 1);
    assert_eq!(
        refusal(&bytes),
        (
            "source.cut-off",
            format!(
                "hr.csv: the file is UTF-16LE, two bytes a letter, and ends in the middle of one, \
                 at byte {last}"
            )
        )
    );
    assert_eq!(refusal(b"\xFF\xFE\0\0I\0\0\0").0, "source.encoding");
}

#[test]
fn a_byte_order_mark_goes_before_quotes_are_read() {
    let whole =
        read(b"\xEF\xBB\xBF\x22\x45\x6D\x70\x6C\x6F\x79\x65\x65\x20\x49\x44\x22\x2CName\n1,a\n");
    assert_eq!(whole.headers, ["Employee ID", "Name"]);
    let whole = read(&utf_16("\"Employee ID\",Name\n1,ä\n", true));
    assert_eq!(whole.headers, ["Employee ID", "Name"]);
}

#[test]
fn a_lone_byte_rejects_its_row() {
    let mut bytes = b"Employee ID,Name\n".to_vec();
    for row in 2..=730 {
        bytes.extend_from_slice(format!("{row},Jürgen\n").as_bytes());
    }
    bytes.extend_from_slice(b"731,\"Ren");
    let at = bytes.len();
    bytes.extend_from_slice(b"\xE9\"\n732,\x4D\xC3\x83\xC2\xBC\x6C\x6C\x65\x72\n733,Ann\n");
    let whole = read(&bytes);
    let problem = format!("byte {at} of the file is not UTF-8, as the rest of it is");
    assert_eq!(whole.rows[729], Seen::Bad(731, 731, false, "source.not-utf8", problem));
    assert_eq!(whole.rows[730], Seen::Row(732, 732, vec!["732".to_owned(), "MÃ¼ller".to_owned()]));
    assert_eq!(whole.count, 732);
    let finding = &whole.findings[0];
    assert_eq!((finding.code, finding.is_odd), ("source.encoding", true));
    assert!(finding.message.contains("but 1 place is not"), "{}", finding.message);
}

#[test]
fn a_letter_split_over_two_fields_rejects_its_row() {
    let whole = read(b"Employee ID,Name\n\xC3,\xB6\n2,\xC3\xB6\n3,\xC3\xB6\n");
    assert_eq!(cells(&whole), [vec!["(bad)"], vec!["2", "ö"], vec!["3", "ö"]]);
}

#[test]
fn half_utf8_and_half_something_else_is_refused() {
    let mut bytes = b"Employee ID,Name\n".to_vec();
    for row in 0..20 {
        bytes.extend_from_slice(format!("{row},Jürgen\n{row},J").as_bytes());
        bytes.extend_from_slice(b"\xFCrgen\n");
    }
    let (code, words) = refusal(&bytes);
    assert_eq!(code, "source.encoding-unclear");
    assert!(words.contains("partly UTF-8 (20 letters)"), "{words}");
    assert!(words.contains("(20 places, the first at byte"), "{words}");
}

#[test]
fn letters_that_were_lost_before_reject_their_row() {
    let whole = read("Employee ID,Name\n1,M\u{fffd}ller\n2,Ｍ\n".as_bytes());
    assert!(matches!(&whole.rows[0], Seen::Bad(2, 2, false, "source.lost-letters", _)));
    assert!(matches!(&whole.rows[1], Seen::Row(..)));
}
