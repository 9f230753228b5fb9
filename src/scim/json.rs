//! JSON strings written straight into a byte buffer (RFC 8259 section 7).
//!
//! Most values need no escape, so the text is copied whole after eight bytes at a time have been
//! looked at; only what needs an escape goes byte by byte.

/// Appends the text as a JSON string, quotes included.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = first_to_escape(rest) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = from.split_first() else { break };
        escape(out, byte);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The same byte in all eight places.
const fn spread(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Whether any of eight bytes is zero (Hacker's Delight, section 6-1).
const fn has_zero(word: u64) -> bool {
    word.wrapping_sub(spread(1)) & !word & spread(0x80) != 0
}

/// Whether any of eight bytes is below 0x20; bytes above 0x7f are not.
const fn has_control(word: u64) -> bool {
    word.wrapping_sub(spread(0x20)) & !word & spread(0x80) != 0
}

fn first_to_escape(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    let clean = words
        .iter()
        .take_while(|word| {
            let word = u64::from_ne_bytes(**word);
            !(has_control(word) || has_zero(word ^ spread(b'"')) || has_zero(word ^ spread(b'\\')))
        })
        .count();
    let start = clean * 8;
    let tail = bytes.get(start..).unwrap_or(&[]);
    tail.iter().position(|&byte| needs_escape(byte)).map(|at| start + at)
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
            prop_assert_eq!(written(&text), serde_json::to_string(&text).expect("JSON"));
        }
    }
}
