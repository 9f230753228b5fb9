//! Quotes that open by accident and close by accident, further down.
//!
//! The rows between two such quotes become the text of one field, and nobody would miss the people
//! in them. A field that spans lines is therefore looked at: a line of it that has just as many
//! delimiters as a row, with no blank behind any of them as prose has it, is a row.

/// Fewer columns are too few to tell a row from prose.
const FEWEST_COLUMNS: usize = 3;

/// Line ends before the field that swallowed rows, in a record with this text and these field ends;
/// `None` where no field did.
pub(super) fn swallowed(
    text: &[u8],
    ends: &[usize],
    delimiter: u8,
    columns: usize,
) -> Option<usize> {
    if columns < FEWEST_COLUMNS || memchr::memchr(b'\n', text).is_none() {
        return None;
    }
    let mut start = 0;
    for &end in ends {
        let field = text.get(start..end).unwrap_or_default();
        // what stands before the first line end and behind the last one is not whole
        let mut lines = field.split(|&byte| byte == b'\n').skip(1).peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_some() && is_row(line, delimiter, columns) {
                let before = text.get(..start).unwrap_or_default();
                return Some(memchr::memchr_iter(b'\n', before).count());
            }
        }
        start = end;
    }
    None
}

fn is_row(line: &[u8], delimiter: u8, columns: usize) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut fields = line.split(|&byte| byte == delimiter);
    let is_filled = fields.next().is_some_and(|first| !first.trim_ascii().is_empty());
    let mut count = 1;
    is_filled
        && fields.all(|field| {
            count += 1;
            !field.starts_with(b" ")
        })
        && count == columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_inside_a_field_are_seen() {
        let fields = ["000201", "u", "Active", "Ann\n000202,v,Active,Ben\n000203,w,Active,"];
        let ends: Vec<usize> = fields
            .iter()
            .scan(0, |end, field| {
                *end += field.len();
                Some(*end)
            })
            .collect();
        let text = fields.concat();
        assert_eq!(swallowed(text.as_bytes(), &ends, b',', 4), Some(0));
        assert_eq!(swallowed(text.as_bytes(), &ends, b',', 5), None);
    }

    #[test]
    fn an_address_of_several_lines_is_one() {
        let text = b"12 High St\nFloor 2, Door 3, left\nBerlin";
        assert_eq!(swallowed(text, &[text.len()], b',', 3), None);
        assert_eq!(swallowed(b"a\nb;c;d", &[7], b';', 3), None, "the last line is not whole");
    }
}
