//! The same file in pieces of another size is the same file.

use std::io::{Cursor, Read, Seek, SeekFrom};

use proptest::strategy::Strategy;

use super::{cells, read_from, utf_16};
use crate::source::FormatConfig;

/// Gives so many bytes at a time.
struct Trickle<'a>(Cursor<&'a [u8]>, usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

impl Seek for Trickle<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(100))]

    #[test]
    fn the_same_rows_come_out_however_the_bytes_come(
        parts in proptest::collection::vec(
            proptest::prop_oneof![
                "[a-z0-9,;\"\r\n\t]{0,6}".prop_map(String::into_bytes),
                "(1,Ann\n|2,Jürgen\n|Employee ID,Name\n|TRL,2\n|\u{feff}|sep=;\n)".prop_map(String::into_bytes),
                proptest::collection::vec(0x80_u8.., 0..3),
                proptest::collection::vec(proptest::num::u8::ANY, 0..3),
            ],
            0..12,
        ),
        is_utf_16: bool,
        has_header: bool,
    ) {
        let mut bytes = if has_header { b"Employee ID,Name\n".to_vec() } else { Vec::new() };
        bytes.extend(parts.concat());
        if is_utf_16 {
            bytes = utf_16(&String::from_utf8_lossy(&bytes), true);
        }
        let config = FormatConfig::default();
        let all = read_from(Cursor::new(bytes.as_slice()), &config);
        for size in [1, 3] {
            let trickled = read_from(Trickle(Cursor::new(&bytes), size), &config);
            match (&all, &trickled) {
                (Ok(all), Ok(trickled)) => assert_eq!(all, trickled),
                (Err(all), Err(trickled)) => assert_eq!(all.to_string(), trickled.to_string()),
                _ => panic!("{all:?} but {trickled:?}"),
            }
        }
        if let Ok(all) = &all {
            assert!(!cells(all).concat().concat().contains(char::REPLACEMENT_CHARACTER));
        }
    }
}
