//! The swift path through a record: one that lies whole in the buffer and is quoted as RFC 4180
//! has it.
//!
//! Nearly every record is like that, and finding its delimiters 64 bytes at a time takes about half
//! of what a state machine takes that looks at each byte. For any other record (cut by the buffer's
//! end, larger than the room given, text after a closing quote) there is no answer here, nothing has
//! happened, and `csv-core` reads it instead. Both must give the same for every record; a property
//! test in `records` holds them against each other.

/// Bytes that are looked at together.
const BLOCK: usize = 64;
/// Short fields are copied by this fixed size, which is quicker than finding out how much to copy.
const SHORT: usize = 32;

/// What a record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    /// Bytes read, the line end (the first byte of it) included.
    pub read: usize,
    /// Bytes written to the text.
    pub text: usize,
    /// Fields.
    pub ends: usize,
    /// Line feeds among the bytes read.
    pub line_feeds: u64,
}

/// Whether records with this delimiter and this quote can be split here.
pub(super) const fn is_plain(delimiter: u8, quote: Option<u8>) -> bool {
    match quote {
        Some(quote @ (b'"' | b'\'')) => delimiter != quote && !matches!(delimiter, b'\n' | b'\r'),
        _ => false,
    }
}

/// Splits the record at the start of the input: its fields into `text`, their ends into `ends`.
/// `None` when that takes more care (see above); then both hold scraps. The quote is known when this
/// is compiled, which is what makes it swift.
pub(super) fn split<const QUOTE: u8>(
    input: &[u8],
    delimiter: u8,
    text: &mut [u8],
    ends: &mut [usize],
) -> Option<Split> {
    let mut fields = Fields { input, text, at: 0, ends: ends.iter_mut(), count: 0 };
    let mut is_quoted = input.first() == Some(&QUOTE);
    // where the bytes begin that are not copied yet
    let mut from = usize::from(is_quoted);
    let mut line_feeds = 0;
    let (blocks, _) = input.as_chunks::<BLOCK>();
    for (start, block) in (0..).step_by(BLOCK).zip(blocks) {
        let mut marks = marks::<QUOTE>(block, delimiter);
        while marks != 0 {
            let at = start + marks.trailing_zeros() as usize;
            marks &= marks - 1;
            if at < from {
                // the second of two quotes, or what a closing quote was seen with
                continue;
            }
            let byte = *input.get(at)?;
            let end = if is_quoted {
                if byte != QUOTE {
                    line_feeds += u64::from(byte == b'\n');
                    continue;
                }
                if *input.get(at + 1)? == QUOTE {
                    fields.copy(from, at + 1)?;
                    from = at + 2;
                    continue;
                }
                at + 1
            } else if byte == QUOTE {
                // inside an unquoted field it is text
                continue;
            } else {
                at
            };
            fields.copy(from, at)?;
            fields.end()?;
            let after = *input.get(end)?;
            if after == delimiter {
                is_quoted = input.get(end + 1) == Some(&QUOTE);
                from = end + 1 + usize::from(is_quoted);
            } else if matches!(after, b'\n' | b'\r') {
                line_feeds += u64::from(after == b'\n');
                return Some(Split {
                    read: end + 1,
                    text: fields.at,
                    ends: fields.count,
                    line_feeds,
                });
            } else {
                return None;
            }
        }
    }
    None
}

/// A bit for each byte that is delimiter, quote or part of a line end; the lowest for the first.
#[inline]
#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches, many bytes are compared at once"
)]
fn marks<const QUOTE: u8>(block: &[u8; BLOCK], delimiter: u8) -> u64 {
    /// Gathers the lowest bits of eight bytes in the highest byte of the product.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut flags = [0_u8; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(block) {
        let is_mark = (byte == delimiter) | (byte == QUOTE) | (byte == b'\n') | (byte == b'\r');
        *flag = u8::from(is_mark);
    }
    let (words, _) = flags.as_chunks::<8>();
    words
        .iter()
        .rev()
        .fold(0, |marks, word| marks << 8 | u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56)
}

/// Fields on their way into the text.
struct Fields<'a> {
    input: &'a [u8],
    text: &'a mut [u8],
    at: usize,
    ends: std::slice::IterMut<'a, usize>,
    count: usize,
}

impl Fields<'_> {
    /// Copies a part of the input; `None` when there is no room.
    #[inline]
    fn copy(&mut self, from: usize, to: usize) -> Option<()> {
        let length = to.checked_sub(from)?;
        let whole = self.input.get(from..)?;
        let room = self.text.get_mut(self.at..)?;
        match (room.first_chunk_mut::<SHORT>(), whole.first_chunk::<SHORT>()) {
            // what is copied too much is overwritten by the next field, or lies behind the last
            (Some(room), Some(bytes)) if length <= SHORT => *room = *bytes,
            _ => room.get_mut(..length)?.copy_from_slice(whole.get(..length)?),
        }
        self.at += length;
        Some(())
    }

    #[inline]
    fn end(&mut self) -> Option<()> {
        *self.ends.next()? = self.at;
        self.count += 1;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(record: &str) -> Option<(Vec<String>, usize, u64)> {
        let mut input = record.as_bytes().to_vec();
        input.resize(record.len() + BLOCK, b'~');
        let (mut text, mut ends) = (vec![0; 512], vec![0; 8]);
        let split = split::<b'"'>(&input, b',', &mut text, &mut ends)?;
        let mut start = 0;
        let fields = ends.iter().take(split.ends).map(|&end| {
            let field = String::from_utf8_lossy(&text[start..end]).into_owned();
            start = end;
            field
        });
        Some((fields.collect(), split.read, split.line_feeds))
    }

    #[test]
    fn quoted_and_plain_fields_are_split_at_delimiters_alone() {
        let record = "1,\"a, \"\"b\"\"\n\",,5' 4\" tall,\"\",\"\"\"\"\r\n";
        let expected = ["1", "a, \"b\"\n", "", "5' 4\" tall", "", "\""];
        let (found, read, line_feeds) = fields(record).unwrap();
        assert_eq!(found, expected);
        assert_eq!((read, line_feeds), (record.len() - 1, 1));
    }

    #[test]
    fn long_fields_and_fields_over_block_edges_are_whole() {
        let long = "x".repeat(200);
        let record = format!("{long},\"{long}\",{}\n", "y".repeat(63));
        let (found, read, line_feeds) = fields(&record).unwrap();
        assert_eq!(found, [long.clone(), long, "y".repeat(63)]);
        assert_eq!((read, line_feeds), (record.len(), 1));
    }

    #[test]
    fn what_takes_more_care_is_left_alone() {
        assert_eq!(fields("a,\"b\"c,d\n"), None, "text after a closing quote");
        assert_eq!(fields("a,\"b\n"), None, "no end in sight");
        assert_eq!(fields(&format!("{}\n", "x".repeat(600))), None, "no room for the text");
        assert_eq!(fields("1,2,3,4,5,6,7,8,9\n"), None, "no room for the ends");
    }

    #[test]
    fn every_place_in_a_block_has_its_bit() {
        for place in 0..BLOCK {
            let mut block = [b'x'; BLOCK];
            block[place] = b';';
            assert_eq!(marks::<b'"'>(&block, b';'), 1 << place);
        }
        assert_eq!(marks::<b'"'>(&[b'"'; BLOCK], b','), u64::MAX);
    }
}
