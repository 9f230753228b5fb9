//! Direct checks on values, for the path of a record: what `schemas/user.json` says, without it.
//!
//! Types need no check here: the writer cannot write `active` as anything but a boolean.

/// Most characters of an `externalId`. RFC 7643 sets no limit; an id longer than this is a column
/// mapped by mistake, and it is the key of every ledger and log line.
pub const MAX_EXTERNAL_ID_CHARS: usize = 256;

/// Why a text cannot be an `externalId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExternalIdFault {
    /// There is none.
    #[error("is empty")]
    Empty,
    /// Too many characters.
    #[error("has more than {MAX_EXTERNAL_ID_CHARS} characters")]
    TooLong,
    /// A tab, a line end or another control character is in it.
    #[error("has a control character in it")]
    ControlCharacter,
}

/// Whether the text can be an `externalId`.
///
/// # Errors
/// When it is empty, longer than [`MAX_EXTERNAL_ID_CHARS`], or holds a control character.
pub fn check_external_id(text: &str) -> Result<(), ExternalIdFault> {
    if text.is_empty() {
        return Err(ExternalIdFault::Empty);
    }
    // A character is at least one byte, so most texts need no counting.
    if text.len() > MAX_EXTERNAL_ID_CHARS && text.chars().count() > MAX_EXTERNAL_ID_CHARS {
        return Err(ExternalIdFault::TooLong);
    }
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !is_plain && text.chars().any(char::is_control) {
        return Err(ExternalIdFault::ControlCharacter);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(check_external_id(&"é".repeat(256)), Ok(()));
        assert_eq!(check_external_id(&"é".repeat(257)), Err(ExternalIdFault::TooLong));
    }

    #[test]
    fn an_id_is_neither_empty_nor_holds_control_characters() {
        assert_eq!(check_external_id(""), Err(ExternalIdFault::Empty));
        for text in ["a\tb", "a\u{0}", "\u{85}", "a\nb"] {
            assert_eq!(check_external_id(text), Err(ExternalIdFault::ControlCharacter));
        }
        assert_eq!(check_external_id("00123"), Ok(()));
    }
}
