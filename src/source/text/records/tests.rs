//! Records of every shape, read swiftly and with care.

use super::*;

type All = Result<Vec<(u64, u64, Vec<String>)>, String>;

fn read(bytes: &[u8]) -> All {
    read_from(bytes)
}

fn read_from(input: impl Read) -> All {
    let mut records = Records::new(input, b',', Some(b'"'), Limits::default(), "hr.csv");
    let mut all = Vec::new();
    loop {
        match records.next() {
            Err(error) => return Err(error.to_string()),
            Ok(None) => return Ok(all),
            Ok(Some(record)) => {
                let mut start = 0;
                let mut fields = Vec::new();
                for &end in record.ends {
                    fields.push(String::from_utf8_lossy(&record.text[start..end]).into_owned());
                    start = end;
                }
                all.push((record.record, record.line, fields));
            }
        }
    }
}

fn lines(bytes: &[u8]) -> Vec<(u64, u64)> {
    read(bytes).unwrap().into_iter().map(|(record, line, _)| (record, line)).collect()
}

#[test]
fn every_line_end_counts_lines_and_blank_lines_are_no_records() {
    assert_eq!(lines(b"a\n\nb\n"), [(1, 1), (2, 3)]);
    assert_eq!(lines(b"a\r\n\r\nb\r\n\r\n"), [(1, 1), (2, 3)]);
    assert_eq!(lines(b"a\rb\r\rc"), [(1, 1), (2, 2), (3, 4)]);
    assert_eq!(lines(b"a\r\n\"x\r\ny\",z\r\nb"), [(1, 1), (2, 2), (3, 4)]);
}

#[test]
fn quotes_doubled_quotes_and_line_breaks_inside_fields_are_data() {
    let all = read(b"\"12 High St\r\nFloor 2\",\"O\"\"Neil\"\r\n").unwrap();
    assert_eq!(all[0].2, ["12 High St\r\nFloor 2", "O\"Neil"]);
}

#[test]
fn an_unclosed_quote_is_refused_at_the_line_where_it_opens() {
    let error = read(b"a,b\n1,x\n\"2\n2\",\"y\n3,z\n").unwrap_err();
    assert_eq!(
        error,
        "hr.csv, line 4: a quote is opened here and never closed before the file ends"
    );
}

#[test]
fn a_closing_quote_at_the_very_end_is_closed() {
    assert_eq!(read(b"a,\"b\"").unwrap()[0].2, ["a", "b"]);
}

#[test]
fn an_open_quote_cannot_swallow_the_file() {
    let mut bytes = b"a,b\n1,\"".to_vec();
    bytes.resize(3 * 1024 * 1024, b'x');
    let error = read(&bytes).unwrap_err();
    assert!(error.starts_with("hr.csv, line 2: the field that starts here is larger"), "{error}");
    let mut bytes = b"a,b\n1,\"".to_vec();
    bytes.resize(100_000, b'\n');
    let error = read(&bytes).unwrap_err();
    assert!(error.contains("goes over more than 1000 lines"), "{error}");
}

#[test]
fn a_record_of_commas_meets_the_ceiling_of_columns() {
    assert!(read(&vec![b','; 20_000]).unwrap_err().contains("more than 16384 fields"));
}

#[test]
fn a_byte_order_mark_before_a_quoted_header_is_no_part_of_it() {
    assert_eq!(read(b"\xEF\xBB\xBF\"Employee ID\",b\n").unwrap()[0].2[0], "Employee ID");
}

/// Gives one byte at a time, so that no record is ever whole in the buffer.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let least = buffer.len().min(1);
        self.0.read(buffer.get_mut(..least).unwrap_or_default())
    }
}

proptest::proptest! {
    #[test]
    fn simple_records_are_read_swiftly_and_all_the_same(
        records in proptest::collection::vec("[ab,;\"\r\né]{0,12}|(\"([a,\n]|\"\"){0,40}\",?|[a-z]{0,40},){0,6}\r?\n", 1..20)
    ) {
        let mut bytes = records.concat().into_bytes();
        let room = bytes.len() + 100;
        bytes.insert(0, b'\n');
        bytes.resize(room, b'z');
        proptest::prop_assert_eq!(read(&bytes), read_from(Trickle(&bytes)));
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_go_backwards(bytes: Vec<u8>) {
        if let Ok(all) = read(&bytes) {
            for pair in all.windows(2) {
                assert!(pair[0].1 < pair[1].1 || pair[0].1 == pair[1].1 && bytes.contains(&b'"'));
            }
        }
    }

    #[test]
    fn the_same_records_as_the_csv_crate_reads(
        rows in proptest::collection::vec(proptest::collection::vec("[a-z\",\n\r ]{0,6}", 2..4), 1..6)
    ) {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let ours: Vec<Vec<String>> = read(&bytes).unwrap().into_iter().map(|r| r.2).collect();
        assert_eq!(ours, rows);
    }
}
