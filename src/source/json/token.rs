//! The tokens of JSON (RFC 8259), found in bytes that may end in the middle of one.
//!
//! Every function starts at a byte of a slice and gives the place after the token, or `None` where
//! the slice ends before it is known where the token does. Nothing is decoded here but what is
//! asked for.

use std::ops::Range;

/// What is wrong, and at which byte of the slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) kind: FaultKind,
}

/// What is wrong with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// Something else stands where this belongs.
    Expected(&'static str),
    /// A raw control character in a string.
    ControlCharacter,
    /// A backslash with something behind it that is no escape.
    Escape,
    /// Half of a surrogate pair.
    Surrogate,
    /// A number that JSON does not know.
    Number,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// A string, or a number, beyond its ceiling.
    TooLong(&'static str, usize),
    /// Nesting beyond its ceiling.
    TooDeep,
    /// More different members than the ceiling.
    TooManyColumns(usize),
    /// Longer paths to members than the ceiling, all taken together.
    HeadersTooLong(usize),
    /// A member that was not there when the file was looked at first.
    Changed,
}

impl FaultKind {
    pub(super) const fn at(self, at: usize) -> Fault {
        Fault { at, kind: self }
    }
}

/// Most bytes of a number.
pub(super) const NUMBER_BYTES: usize = 256;

/// Where the blanks that begin here end.
#[inline]
pub(super) fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// A string: its inside, and whether there are escapes in it. Whether it is UTF-8 is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) inside: Range<usize>,
    pub(super) is_escaped: bool,
}

/// Reads a string whose opening quote stands at `at`.
#[inline]
pub(super) fn string(bytes: &[u8], at: usize, most: usize) -> Result<Option<Text>, Fault> {
    let start = at + 1;
    let mut end = start;
    let mut is_escaped = false;
    loop {
        let rest = bytes.get(end..).unwrap_or_default();
        let Some(plain) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' ')) else {
            return too_long(at, bytes.len().saturating_sub(start), "string", most).map(|()| None);
        };
        end += plain;
        match rest.get(plain) {
            Some(b'"') => {
                too_long(at, end - start, "string", most)?;
                return Ok(Some(Text { inside: start..end, is_escaped }));
            }
            Some(b'\\') => {
                is_escaped = true;
                let Some((_, after)) = escape(bytes, end)? else {
                    return too_long(at, end - start, "string", most).map(|()| None);
                };
                end = after;
            }
            _ => return Err(FaultKind::ControlCharacter.at(end)),
        }
    }
}

fn too_long(at: usize, found: usize, what: &'static str, most: usize) -> Result<(), Fault> {
    if found > most { Err(FaultKind::TooLong(what, most).at(at)) } else { Ok(()) }
}

/// Reads an escape (both halves of a surrogate pair) whose backslash stands at `at`.
fn escape(bytes: &[u8], at: usize) -> Result<Option<(char, usize)>, Fault> {
    let letter = match bytes.get(at + 1) {
        None => return Ok(None),
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(bytes, at),
        Some(_) => return Err(FaultKind::Escape.at(at)),
    };
    Ok(Some((letter, at + 2)))
}

fn unicode(bytes: &[u8], at: usize) -> Result<Option<(char, usize)>, Fault> {
    let Some(first) = hex(bytes, at)? else { return Ok(None) };
    let (code, after) = match first {
        0xDC00..=0xDFFF => return Err(FaultKind::Surrogate.at(at)),
        0xD800..=0xDBFF => {
            match (bytes.get(at + 6), bytes.get(at + 7)) {
                (None, _) | (Some(b'\\'), None) => return Ok(None),
                (Some(b'\\'), Some(b'u')) => {}
                _ => return Err(FaultKind::Surrogate.at(at)),
            }
            let Some(second) = hex(bytes, at + 6)? else { return Ok(None) };
            if !(0xDC00..=0xDFFF).contains(&second) {
                return Err(FaultKind::Surrogate.at(at));
            }
            (0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), at + 12)
        }
        code => (code, at + 6),
    };
    let letter = char::from_u32(code).ok_or(FaultKind::Surrogate.at(at))?;
    Ok(Some((letter, after)))
}

/// The four digits behind the `\u` at `at`.
fn hex(bytes: &[u8], at: usize) -> Result<Option<u32>, Fault> {
    let mut code = 0;
    for place in at + 2..at + 6 {
        let Some(byte) = bytes.get(place) else { return Ok(None) };
        let digit = char::from(*byte).to_digit(16).ok_or(FaultKind::Escape.at(at))?;
        code = code * 16 + digit;
    }
    Ok(Some(code))
}

/// Appends the inside of a string with its escapes resolved.
pub(super) fn decode(inside: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(rest) = inside.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..plain).unwrap_or_default());
        at += plain;
        if at < inside.len() {
            // read before, so it is whole and right
            let Ok(Some((letter, after))) = escape(inside, at) else { return };
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            at = after;
        }
    }
}

/// Reads a number that begins at `at`; `is_last` says that nothing follows the slice.
#[inline]
pub(super) fn number(bytes: &[u8], at: usize, is_last: bool) -> Result<Option<usize>, Fault> {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    let length = rest.iter().take(NUMBER_BYTES + 1).take_while(|byte| is_part(byte)).count();
    too_long(at, length, "number", NUMBER_BYTES)?;
    if length == rest.len() && !is_last {
        return Ok(None);
    }
    if is_number(rest.get(..length).unwrap_or_default()) {
        Ok(Some(at + length))
    } else if length == rest.len() && is_last && is_begun(rest) {
        Ok(None)
    } else {
        Err(FaultKind::Number.at(at))
    }
}

/// Whether a number was begun and cut off: with one digit more it would be one.
fn is_begun(text: &[u8]) -> bool {
    let mut longer = text.to_vec();
    longer.push(b'1');
    is_number(&longer)
}

fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(text);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with(b"0")) {
        return false;
    }
    let rest = match rest.strip_prefix(b".") {
        None => rest,
        Some(rest) => {
            let (fraction, rest) = digits(rest);
            if fraction.is_empty() {
                return false;
            }
            rest
        }
    };
    let exponent = match rest {
        [] => return true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => exponent,
        _ => return false,
    };
    let (exponent, rest) = digits(exponent);
    !exponent.is_empty() && rest.is_empty()
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at(count)
}

/// Reads `true`, `false` or `null`, whichever begins like this.
#[inline]
pub(super) fn word(bytes: &[u8], at: usize, word: &'static str) -> Result<Option<usize>, Fault> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(word.as_bytes()) {
        Ok(Some(at + word.len()))
    } else if word.as_bytes().starts_with(rest) {
        Ok(None)
    } else {
        Err(FaultKind::Expected("a value").at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_its_quote_and_knows_of_escapes() {
        let text = |bytes: &[u8]| string(bytes, 0, 100);
        assert_eq!(text(b"\"abc\",").unwrap(), Some(Text { inside: 1..4, is_escaped: false }));
        assert_eq!(text(br#""a\"b""#).unwrap(), Some(Text { inside: 1..5, is_escaped: true }));
        for cut in [&b"\"abc"[..], br#""ab\"#, br#""\u00"#, br#""\ud83d"#, br#""\ud83d\"#] {
            assert_eq!(text(cut), Ok(None), "{cut:?}");
        }
        assert_eq!(text(b"\"a\nb\""), Err(FaultKind::ControlCharacter.at(2)));
        assert_eq!(text(br#""\x41""#), Err(FaultKind::Escape.at(1)));
        assert_eq!(text(br#""\u00g0""#), Err(FaultKind::Escape.at(1)));
        for lone in [&br#""\ud83d""#[..], br#""\ud83dx""#, br#""\ud83d\u0041""#, br#""\udc00""#] {
            assert_eq!(text(lone), Err(FaultKind::Surrogate.at(1)), "{lone:?}");
        }
        assert_eq!(string(b"\"abcd\"", 0, 3), Err(FaultKind::TooLong("string", 3).at(0)));
        assert_eq!(string(b"\"abcd", 0, 3), Err(FaultKind::TooLong("string", 3).at(0)));
    }

    #[test]
    fn escapes_are_resolved() {
        let mut out = Vec::new();
        decode(br#"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z"#, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}z");
    }

    #[test]
    fn numbers_are_those_of_the_rfc() {
        for good in ["0", "-0", "12", "1.0", "-1.50", "1e5", "1E+5", "0.1e-07"] {
            assert_eq!(number(good.as_bytes(), 0, true), Ok(Some(good.len())), "{good}");
            assert_eq!(number(good.as_bytes(), 0, false), Ok(None), "{good}");
        }
        for bad in ["01 ", "+1", ".5", "1. ", "1e ", "--1", "1.e5", "1e5.0", "-a", "1..2", "1-"] {
            assert!(number(bad.as_bytes(), 0, true).is_err(), "{bad}");
        }
        for cut in ["-", "1.", "1e", "1e-"] {
            assert_eq!(number(cut.as_bytes(), 0, true), Ok(None), "{cut}");
        }
        assert!(number(&[b'1'; NUMBER_BYTES + 1], 0, false).is_err());
    }
}
