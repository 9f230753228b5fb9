//! JSON strings written straight into a byte buffer (RFC 8259 section 7).
//!
//! Most values need no escape, so the text is copied whole after eight bytes at a time have been
//! looked at; only a text that needs an escape goes byte by byte.

/// Appends the text as a JSON string, quotes included.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    if is_clean(bytes) {
        out.extend_from_slice(bytes);
    } else {
        push_escaped(out, bytes);
    }
    out.push(b'"');
}

/// Appends a text in which [`is_plain`] found nothing, or a part of it.
#[inline]
pub fn push_plain_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Whether nothing in the text needs an escape. Made for long texts: one look at a whole row saves
/// one at each of its values.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    // without an early end, so that many bytes are looked at together
    text.bytes().fold(0, |dirt, byte| dirt | u8::from(needs_escape(byte))) == 0
}

fn push_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| needs_escape(byte)) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = from.split_first() else { break };
        escape(out, byte);
        rest = after;
    }
    out.extend_from_slice(rest);
}

#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches, many bytes are compared at once"
)]
const fn needs_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// The same byte in all eight places.
const fn spread(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Not zero if any of eight bytes is zero (Hacker's Delight, section 6-1).
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(spread(1)) & !word & spread(0x80)
}

/// Not zero if any of eight bytes is below 0x20; bytes above 0x7f are not.
const fn below_space(word: u64) -> u64 {
    word.wrapping_sub(spread(0x20)) & !word & spread(0x80)
}

/// Whether nothing needs an escape. The last eight bytes are looked at as one word, whatever the
/// length: some of them for the second time.
#[inline]
fn is_clean(bytes: &[u8]) -> bool {
    let dirt = match (bytes.last_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(last), _, _) => {
            let (words, _) = bytes.as_chunks::<8>();
            words.iter().fold(dirt(word(*last)), |all, next| all | dirt(word(*next)))
        }
        (None, Some(first), Some(last)) => {
            let (first, last) = (u32::from_ne_bytes(*first), u32::from_ne_bytes(*last));
            dirt(u64::from(first) | u64::from(last) << 32)
        }
        _ => u64::from(bytes.iter().any(|&byte| needs_escape(byte))),
    };
    dirt == 0
}

const fn word(bytes: [u8; 8]) -> u64 {
    u64::from_ne_bytes(bytes)
}

/// Not zero if any of eight bytes needs an escape.
const fn dirt(word: u64) -> u64 {
    below_space(word) | zeros(word ^ spread(b'"')) | zeros(word ^ spread(b'\\'))
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(b"\\u00");
            out.push(digit(byte >> 4));
            out.push(digit(byte & 0x0f));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        push_string(&mut out, text);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn every_control_character_is_escaped_wherever_it_stands() {
        for byte in 0..0x80_u8 {
            for before in 0..10 {
                let text = format!("{}{}{}", "x".repeat(before), char::from(byte), "é tail long");
                let json = written(&text);
                assert!(json.bytes().all(|byte| byte >= 0x20));
                assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_serde_json_writes_it(text in "\\PC*|[\\x00-\\x30\"\\\\é€😀]{0,40}") {
            let plain = text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
            prop_assert_eq!(is_plain(&text), plain);
            if plain {
                let mut out = Vec::new();
                push_plain_string(&mut out, &text);
                prop_assert_eq!(out, written(&text).into_bytes());
            }
            prop_assert_eq!(written(&text), serde_json::to_string(&text).expect("JSON"));
        }
    }
}
