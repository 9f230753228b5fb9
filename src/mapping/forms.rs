//! Forms of text that are recognised whatever they are a value of.

/// What may stand before the `@` of a sign-in name.
pub(super) fn is_name(name: &[u8]) -> bool {
    let is_legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"'.-_!#^~".contains(byte);
    !matches!(name, [] | [b'.', ..] | [.., b'.']) && name.iter().all(is_legal)
}

/// Letters, digits and hyphens in parts between dots.
pub(super) fn is_domain(domain: &[u8]) -> bool {
    domain.split(|byte| *byte == b'.').all(|part| {
        !matches!(part, [] | [b'-', ..] | [.., b'-'])
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    })
}

/// One `@` between printable ASCII without blanks, and a domain with a dot.
pub(super) fn is_mail(text: &[u8]) -> bool {
    let mut halves = text.split(|byte| *byte == b'@');
    let (Some(name), Some(domain), None) = (halves.next(), halves.next(), halves.next()) else {
        return false;
    };
    !matches!(name, [] | [b'.', ..] | [.., b'.'])
        && name.iter().all(|byte| byte.is_ascii_graphic() && !b"\"(),:;<>[\\]".contains(byte))
        && domain.contains(&b'.')
        && is_domain(domain)
}

/// Whether a spreadsheet has written a long number by its first digits: `1.23457E+18`, `1E+05`.
/// Without a sign, as in `00123E4`, it may be a text of its own.
#[inline]
pub(super) fn is_exponent(text: &[u8]) -> bool {
    match text {
        [b'0'..=b'9', b'.' | b',' | b'E' | b'e', ..] => has_exponent(text),
        _ => false,
    }
}

fn has_exponent(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, has_decimals) = match text.get(1..) {
        Some([b'.' | b',', decimals @ ..]) => {
            let count = digits(decimals);
            (if count == 0 { &[] } else { decimals.get(count..).unwrap_or_default() }, true)
        }
        rest => (rest.unwrap_or_default(), false),
    };
    match rest {
        [b'E' | b'e', b'+' | b'-', power @ ..] => !power.is_empty() && digits(power) == power.len(),
        // without decimals and sign it may as well be a code, such as `1E5`
        [b'E' | b'e', power @ ..] if has_decimals => {
            !power.is_empty() && digits(power) == power.len()
        }
        _ => false,
    }
}

/// Words that export programs write for an empty cell, by their first letter; case is ignored.
/// `NA` is not among them: it is the country code of Namibia.
const NOTHING_N: [&[u8]; 5] = [b"null", b"n/a", b"none", b"nil", b"n.a."];
const NOTHING_HASH: [&[u8]; 9] =
    [b"#", b"#n/a", b"#null!", b"#ref!", b"#value!", b"#name?", b"#div/0!", b"#num!", b"#n/a n/a"];
const NOTHING_DASH: [&[u8]; 4] = [b"-", b"--", b"---", b"-/-"];
const NOTHING_BRACKET: [&[u8]; 4] = [b"(blank)", b"(null)", b"(none)", b"(empty)"];
const NOTHING_ZERO: [&[u8]; 3] = [b"0000-00-00", b"00/00/0000", b"00.00.0000"];
const NOTHING_OTHER: [&[u8]; 4] = [b"\\n", b"<null>", b"<none>", b"?"];

/// Whether a value is one of the words that stand for nothing.
#[inline]
pub(super) fn is_placeholder(text: &[u8]) -> bool {
    let words: &[&[u8]] = match text.first() {
        Some(b'n' | b'N') => &NOTHING_N,
        Some(b'#') => &NOTHING_HASH,
        Some(b'-') => &NOTHING_DASH,
        Some(b'(') => &NOTHING_BRACKET,
        Some(b'0') if text.len() == 10 => &NOTHING_ZERO,
        Some(b'\\' | b'<' | b'?') => &NOTHING_OTHER,
        _ => return false,
    };
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_cut_to_its_first_digits_is_told_from_text() {
        for text in ["1.23457E+18", "4.47911E+11", "1E+05", "4,47911E+11", "9e-7"] {
            assert!(is_exponent(text.as_bytes()), "for {text}");
        }
        for text in [
            "00123E4", "1E05", "12E+05", "E+05", "1.E+05", "1.5E+", "1.5E+1x", "1.5", "", "1", "1.",
        ] {
            assert!(!is_exponent(text.as_bytes()), "for {text}");
        }
    }

    #[test]
    fn words_for_nothing_are_known_in_any_case() {
        for text in ["NULL", "n/a", "N/A", "-", "--", "#N/A", "#", "None", "(blank)", "0000-00-00"]
        {
            assert!(is_placeholder(text.as_bytes()), "for {text}");
        }
        for text in ["", "NA", "Nora", "0", "0000000000", "-5", "Nulland", "#4", "nothing"] {
            assert!(!is_placeholder(text.as_bytes()), "for {text}");
        }
    }

    #[test]
    fn mail_addresses_are_plain() {
        for text in ["ada@contoso.example", "o'neil+hr@mail.contoso.example", "a@b.c"] {
            assert!(is_mail(text.as_bytes()), "for {text}");
        }
        for text in [
            "ada",
            "ada@",
            "@contoso.example",
            "a@b@c.example",
            "ada @contoso.example",
            "ada@contoso",
            "zoë@contoso.example",
            "ada@contoso..example",
            "ada.@contoso.example",
            "a;b@c.example",
            "Ada <ada@contoso.example>",
            "ada@-contoso.example",
        ] {
            assert!(!is_mail(text.as_bytes()), "for {text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_checks_panic(text in any::<Vec<u8>>()) {
            let _ = (is_exponent(&text), is_placeholder(&text), is_mail(&text));
            let _ = (is_name(&text), is_domain(&text));
        }
    }
}
