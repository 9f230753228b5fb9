//! What a value looks like, whatever its column is called.

/// Shortest telephone number without its area code.
const PHONE_DIGITS: usize = 5;
/// Longest thing that is still an id and not a text.
const CODE_LETTERS: usize = 40;
/// What exports write where there is nothing; compared in lower case. `0` is a value.
const PLACEHOLDERS: [&str; 32] = [
    "n/a",
    "#n/a",
    "n.a.",
    "na",
    "#nv",
    "-",
    "--",
    "---",
    "–",
    "—",
    ".",
    "?",
    "#",
    "*",
    "null",
    "(null)",
    "none",
    "nil",
    "\\n",
    "k.a.",
    "k. a.",
    "keine angabe",
    "(leer)",
    "n.v.t.",
    "nvt",
    "s/o",
    "nd",
    "n/d",
    "n.d.",
    "#ref!",
    "#wert!",
    "#value!",
];
/// Dates that stand for no date.
const NO_DATES: [&str; 10] = [
    "0000-00-00",
    "00.00.0000",
    "00/00/0000",
    "00000000",
    "9999-12-31",
    "31.12.9999",
    "31/12/9999",
    "12/31/9999",
    "31-12-9999",
    "99991231",
];

/// Whether a value stands for nothing.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_lowercase();
    PLACEHOLDERS.contains(&lower.as_str()) || NO_DATES.contains(&lower.as_str())
}

/// `somebody@somewhere.example`.
pub(super) fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else { return false };
    !local.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && !value.contains(char::is_whitespace)
}

/// Digits with the punctuation that people put between them.
pub(super) fn is_phone(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    digits >= PHONE_DIGITS
        && value.chars().all(|letter| {
            letter.is_ascii_digit() || letter.is_whitespace() || "+()/-.x".contains(letter)
        })
}

/// One word with a digit in it, as ids are.
pub(super) fn is_code(value: &str) -> bool {
    value.chars().count() <= CODE_LETTERS
        && value.chars().any(char::is_numeric)
        && value.chars().all(|letter| letter.is_alphanumeric() || "-_./".contains(letter))
}

/// Letters, with what names have between them.
pub(super) fn is_words(value: &str) -> bool {
    !value.chars().any(|letter| letter.is_numeric() || "@#%&/\\<>=".contains(letter))
        && value.chars().any(char::is_alphabetic)
}

/// An international bank account number, as far as its shape goes.
pub(super) fn is_iban(value: &str) -> bool {
    let packed: Vec<char> = value.chars().filter(|letter| !letter.is_whitespace()).collect();
    (15..=34).contains(&packed.len())
        && packed.iter().take(2).all(char::is_ascii_uppercase)
        && packed.iter().skip(2).take(2).all(char::is_ascii_digit)
        && packed.iter().all(char::is_ascii_alphanumeric)
        && packed.iter().filter(|letter| letter.is_ascii_digit()).count() > packed.len() / 2
}

/// `en`, `en-US` or `de_CH`.
pub(super) fn is_language(value: &str) -> bool {
    let mut parts = value.split(['-', '_']);
    let is_letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    parts.next().is_some_and(|part| part.len() == 2 && is_letters(part))
        && parts.next().is_none_or(|part| part.len() == 2 && is_letters(part))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_known_by_their_looks() {
        assert!(is_email("ann@contoso.example"));
        assert!(!is_email("ann@contoso") && !is_email("@x.y") && !is_email("a b@x.y"));
        assert!(is_phone("+49 (30) 555-0101") && is_phone("030/5550102"));
        assert!(!is_phone("1234") && !is_phone("2024-03-01T"));
        assert!(
            is_code("004711") && is_code("E-1001") && !is_code("Anna") && !is_code("12 High St")
        );
        assert!(is_words("O\u{2019}Brien-Müller") && !is_words("E1001") && !is_words("a@b.c"));
        assert!(is_iban("DE89 3704 0044 0532 0130 00") && !is_iban("DE89") && !is_iban("004711"));
        assert!(is_language("de") && is_language("en-US") && !is_language("deutsch"));
        assert!(is_placeholder("N/A") && is_placeholder("-") && is_placeholder("31.12.9999"));
        assert!(!is_placeholder("0") && !is_placeholder("Nadia"));
    }
}
