//! When two ids look the same to a person, or to a spreadsheet.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::domain::is_invisible;

/// What is left of an id when width, invisible characters and leading zeros are gone. Zeros count
/// as leading only where the whole id is digits.
pub(super) fn fold_id(id: &str) -> Cow<'_, str> {
    let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if id.is_ascii() {
        if id.starts_with('0') && digits_only(id) {
            return Cow::Borrowed(id.trim_start_matches('0'));
        }
        return Cow::Borrowed(id);
    }
    let mut folded: String = id.nfkc().filter(|letter| !is_invisible(*letter)).collect();
    folded.truncate(folded.trim_end().len());
    let folded = folded.trim_start();
    if digits_only(folded) {
        return Cow::Owned(folded.trim_start_matches('0').to_owned());
    }
    Cow::Owned(folded.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_width_and_what_nobody_sees_do_not_tell_ids_apart() {
        for id in ["00123", "123", "１２３", "123\u{200b}", "\u{feff}0123", "123\u{a0}"] {
            assert_eq!(fold_id(id), "123", "for {id:?}");
        }
        assert_eq!(fold_id("E001"), "E001");
        assert_eq!(fold_id("000"), "");
        assert_eq!(fold_id("0x12"), "0x12");
        assert_ne!(fold_id("a1"), fold_id("A1"));
    }
}
