//! Text of a workbook's XML: references, line ends, and the `_x000D_` escapes of OOXML.

use super::fault::Fault;

/// Adds raw text with its references resolved and its line ends as XML has them.
pub(super) fn decode(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut rest = raw;
    while let Some(at) = memchr::memchr2(b'&', b'\r', rest) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        if from.first() == Some(&b'\r') {
            out.push(b'\n');
            let length = if from.get(1) == Some(&b'\n') { 2 } else { 1 };
            rest = from.get(length..).unwrap_or_default();
            continue;
        }
        let end = from.iter().take(12).position(|&byte| byte == b';').ok_or_else(reference)?;
        let name = from.get(1..end).unwrap_or_default();
        match name {
            b"lt" => out.push(b'<'),
            b"gt" => out.push(b'>'),
            b"amp" => out.push(b'&'),
            b"quot" => out.push(b'"'),
            b"apos" => out.push(b'\''),
            _ => push(numbered(name).ok_or_else(reference)?, out),
        }
        rest = from.get(end + 1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// The same, as text.
pub(super) fn decoded(raw: &[u8]) -> Result<String, Fault> {
    let mut out = Vec::with_capacity(raw.len());
    decode(raw, &mut out)?;
    String::from_utf8(out).map_err(|_| not_utf8())
}

/// Resolves `_xHHHH_` in what was added from a place on; surrogates that make no pair stay as they
/// are written.
pub(super) fn unescape(out: &mut Vec<u8>, from: usize) {
    let text = out.get(from..).unwrap_or_default();
    let Some(first) = memchr::memmem::find(text, b"_x") else { return };
    let mut rest = text.get(first..).unwrap_or_default();
    let mut plain = Vec::with_capacity(rest.len());
    while let Some(at) = memchr::memchr(b'_', rest) {
        let (before, escape) = rest.split_at(at);
        plain.extend_from_slice(before);
        let (letter, length) = match unit(escape) {
            Some(high @ 0xd800..0xdc00) => {
                let low = escape.get(7..).and_then(unit).filter(|it| (0xdc00..0xe000).contains(it));
                let pair = low.map(|low| 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00));
                (pair.and_then(char::from_u32), 14)
            }
            Some(unit) => (char::from_u32(unit), 7),
            None => (None, 1),
        };
        if let Some(letter) = letter {
            push(letter, &mut plain);
            rest = escape.get(length..).unwrap_or_default();
        } else {
            plain.push(b'_');
            rest = escape.get(1..).unwrap_or_default();
        }
    }
    plain.extend_from_slice(rest);
    out.truncate(from + first);
    out.extend_from_slice(&plain);
}

/// The UTF-16 unit of `_xHHHH_`.
fn unit(escape: &[u8]) -> Option<u32> {
    let inner = escape.strip_prefix(b"_x")?;
    let (digits, rest) = inner.split_at_checked(4)?;
    (rest.first() == Some(&b'_')).then_some(())?;
    hexadecimal(digits)
}

/// The character of `#10` or `#xA`.
fn numbered(name: &[u8]) -> Option<char> {
    let number = name.strip_prefix(b"#")?;
    let number = match number.strip_prefix(b"x").or_else(|| number.strip_prefix(b"X")) {
        Some(digits) => hexadecimal(digits)?,
        None if number.iter().all(u8::is_ascii_digit) => {
            std::str::from_utf8(number).ok()?.parse().ok()?
        }
        None => return None,
    };
    char::from_u32(number).filter(|&letter| letter != '\0')
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn push(letter: char, out: &mut Vec<u8>) {
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

fn reference() -> Fault {
    Fault::broken("a text refers to something that is not there (`&…;`)")
}

pub(super) fn not_utf8() -> Fault {
    Fault::broken("a text is not in UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_line_ends_are_resolved() {
        let text = decoded(b"a &lt;&amp;&gt; &#252;&#xFC;&quot;\r\nx\ry").unwrap();
        assert_eq!(text, "a <&> \u{fc}\u{fc}\"\nx\ny");
        for bad in [&b"&nbsp;"[..], b"&a", b"&#0;", b"&#xD800;", b"&#99999999;", b"&#;", b"&#-1;"] {
            assert!(decoded(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn escapes_of_ooxml_are_resolved_and_escaped_ones_stay() {
        let plain = |text: &str| {
            let mut out = text.as_bytes().to_vec();
            unescape(&mut out, 0);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(plain("a_x000D_\nb"), "a\r\nb");
        assert_eq!(plain("_x005F_x000D_"), "_x000D_");
        assert_eq!(plain("_xD83D__xDE00_!"), "\u{1f600}!");
        assert_eq!(plain("_xD83D_ _x12 _xZZZZ_ a_b__x"), "_xD83D_ _x12 _xZZZZ_ a_b__x");
    }
}
