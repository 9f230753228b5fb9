//! When two userNames are the same for Entra: letter case and composed letters do not tell them
//! apart.

use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization;

/// A key that equal userNames have in common: the first 8 bytes of SHA-256 over the name after NFC
/// and lower-casing.
///
/// Two names that differ meet in one key about once in 2^64; among ten million people, once in
/// 370,000 files.
#[must_use]
pub fn user_name_key(user_name: &str) -> i64 {
    let folded: String = user_name.nfc().flat_map(char::to_lowercase).nfc().collect();
    let whole: [u8; 32] = Sha256::digest(folded.as_bytes()).into();
    let mut first = [0; 8];
    first.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    i64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_beginning_of_sha_256() {
        // FIPS 180-2, appendix B.1: SHA-256 of "abc".
        assert_eq!(user_name_key("abc").to_be_bytes(), *b"\xba\x78\x16\xbf\x8f\x01\xcf\xea");
    }

    #[test]
    fn letter_case_and_composition_do_not_tell_names_apart() {
        let key = user_name_key("zo\u{eb}.\u{f6}@contoso.example");
        for name in ["Zoe\u{308}.O\u{308}@Contoso.example", "ZO\u{cb}.\u{d6}@CONTOSO.EXAMPLE"] {
            assert_eq!(user_name_key(name), key, "{name}");
        }
        assert_ne!(user_name_key("zoe.o@contoso.example"), key);
        // a capital that has no composed small letter, and one that becomes two
        assert_eq!(user_name_key("\u{130}"), user_name_key("i\u{307}"));
    }
}
