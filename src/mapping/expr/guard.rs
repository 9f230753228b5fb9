//! Ceilings on the text of an expression, held before anything reads it.
//!
//! A parser goes one level down the stack for each bracket, and everything after it one for each
//! operator, so both are counted first. The count knows what is text and what is a comment, in the
//! way the language does.

use crate::mapping::expr::fault::ExprFault;

/// Most characters, as in Entra.
pub(super) const MAX_CHARS: usize = 10_000;
/// Most brackets inside each other.
pub(super) const MAX_NESTING: usize = 20;
/// Most operators.
pub(super) const MAX_OPERATORS: usize = 100;

/// Refuses what is too long or too deep.
pub(super) fn check(text: &str) -> Result<(), ExprFault> {
    if text.trim().is_empty() {
        return Err(ExprFault::whole("the expression is empty", "name a column, or remove it"));
    }
    if text.len() > MAX_CHARS && text.chars().count() > MAX_CHARS {
        let message = format!("an expression has at most {MAX_CHARS} characters");
        return Err(ExprFault::whole(message, "use `map` for long tables"));
    }
    let (mut nesting, mut operators) = (0_usize, 0_usize);
    let mut scanner = Scanner { text, at: 0 };
    while let Some((at, byte)) = scanner.next_code()? {
        match byte {
            b'(' | b'[' | b'{' => nesting += 1,
            b')' | b']' | b'}' => nesting = nesting.saturating_sub(1),
            b',' | b':' => {}
            _ if byte.is_ascii_punctuation() && byte != b'_' => operators += 1,
            _ => {}
        }
        if nesting > MAX_NESTING {
            let message = format!("brackets stand at most {MAX_NESTING} deep in each other");
            return Err(ExprFault::at(text, at, message).hint("use `map` or `Switch`"));
        }
        if operators > MAX_OPERATORS {
            let message = format!("an expression has at most {MAX_OPERATORS} operators");
            return Err(ExprFault::at(text, at, message).hint("use `map`, `Switch` or `in [ … ]`"));
        }
    }
    Ok(())
}

/// Goes over an expression without its texts and comments.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// The next operator, bracket or word that is part of neither a text nor a comment, as a byte. The
    /// word `in` counts as an operator.
    fn next_code(&mut self) -> Result<Option<(usize, u8)>, ExprFault> {
        loop {
            let at = self.at;
            match self.byte(0) {
                None => return Ok(None),
                Some(b'/') if self.byte(1) == Some(b'/') => {
                    while self.byte(0).is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                Some(quote @ (b'"' | b'\'')) => self.skip_text(quote, false)?,
                Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                    return Ok(Some((at, self.skip_word()?)));
                }
                Some(byte) => {
                    let is_double = match byte {
                        b'=' | b'!' | b'<' | b'>' => self.byte(1) == Some(b'='),
                        b'&' | b'|' => self.byte(1) == Some(byte),
                        _ => false,
                    };
                    self.at += if is_double { 2 } else { 1 };
                    return Ok(Some((at, byte)));
                }
            }
        }
    }

    /// Skips a word, and the text that it is the prefix of; gives what the word counts as.
    fn skip_word(&mut self) -> Result<u8, ExprFault> {
        let start = self.at;
        while self.byte(0).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.at += 1;
        }
        let word = self.text.get(start..self.at).unwrap_or("");
        let is_prefix = word.len() <= 2 && word.bytes().all(|byte| b"rRbB".contains(&byte));
        if is_prefix && let Some(quote @ (b'"' | b'\'')) = self.byte(0) {
            self.skip_text(quote, word.contains(['r', 'R']))?;
        }
        Ok(if word == "in" { b'=' } else { b'a' })
    }

    /// Skips a text with its quotes. One that the parser could not read as a text is refused here,
    /// because the parser would go on with what is in it.
    fn skip_text(&mut self, quote: u8, is_raw: bool) -> Result<(), ExprFault> {
        let start = self.at;
        let is_triple = self.byte(1) == Some(quote) && self.byte(2) == Some(quote);
        let closes = |scanner: &Self| {
            scanner.byte(0) == Some(quote)
                && (!is_triple
                    || (scanner.byte(1) == Some(quote) && scanner.byte(2) == Some(quote)))
        };
        let width = if is_triple { 3 } else { 1 };
        self.at += width;
        while !closes(self) {
            match self.byte(0) {
                Some(b'\\') if !is_raw => self.skip_escape()?,
                Some(b'\n' | b'\r') if !is_triple => {
                    return Err(ExprFault::at(self.text, start, "the text is not closed")
                        .hint("a text ends with the quote it begins with, on the same line"));
                }
                Some(_) => self.at += 1,
                None => {
                    return Err(ExprFault::at(self.text, start, "the text is never closed")
                        .hint("a text ends with the quote it begins with"));
                }
            }
        }
        self.at += width;
        Ok(())
    }

    fn skip_escape(&mut self) -> Result<(), ExprFault> {
        let digits = |from: usize, count: usize, is_digit: fn(&u8) -> bool| {
            (from..from + count)
                .all(|ahead| self.byte(ahead).is_some_and(|byte| is_digit(&byte)))
                .then_some(from + count)
        };
        let length = match self.byte(1) {
            Some(letter) if b"abfnrtv\"'`\\?".contains(&letter) => Some(2),
            Some(b'x' | b'X') => digits(2, 2, u8::is_ascii_hexdigit),
            Some(b'u') => digits(2, 4, u8::is_ascii_hexdigit),
            Some(b'U') => digits(2, 8, u8::is_ascii_hexdigit),
            Some(b'0'..=b'3') => digits(2, 2, |byte| (b'0'..=b'7').contains(byte)),
            _ => None,
        };
        match length {
            Some(length) => {
                self.at += length;
                Ok(())
            }
            None => Err(ExprFault::at(self.text, self.at, "the `\\` here begins no known escape")
                .hint("write `\\\\` for a backslash, or a raw text such as r\"\\d+\"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<String> {
        check(text).err().map(|fault| fault.to_string())
    }

    #[test]
    fn texts_and_comments_are_not_counted() {
        let dots = ".".repeat(MAX_OPERATORS * 2);
        for text in [
            format!("A + \"{dots}\""),
            format!("A + '{dots}\\'{dots}'"),
            format!("A + r'{dots}\\' + B"),
            format!("A + \"\"\"{dots}\n\"{dots}\"\"\""),
            format!("A // it's {dots}\n + B"),
        ] {
            assert_eq!(refusal(&text), None, "{text}");
        }
    }

    #[test]
    fn what_is_too_deep_or_too_long_is_refused_before_it_is_parsed() {
        for (text, words) in [
            ("  ".to_owned(), "empty"),
            ("a".repeat(MAX_CHARS + 1), "10000 characters"),
            ("(".repeat(5_000), "at character 21: brackets stand at most 20 deep"),
            ("[".repeat(5_000), "20 deep"),
            ("!".repeat(5_000), "100 operators"),
            ("a.".repeat(4_000), "100 operators"),
            ("a+".repeat(4_000), "100 operators"),
            ("a?a:".repeat(2_000), "100 operators"),
            ("a in ".repeat(1_900), "100 operators"),
            (format!("// it's\n{}", "-".repeat(5_000)), "at line 2, character 101"),
            (format!("r'\\' {}", "-".repeat(5_000)), "100 operators"),
            (format!("'\n{}", "-".repeat(5_000)), "at line 1, character 1: the text is not closed"),
            (format!("'{}", "(".repeat(5_000)), "character 1: the text is never closed"),
            (format!("'\\q{}'", "(".repeat(5_000)), "character 2: the `\\` here"),
            (format!("'\\x{}'", "(".repeat(5_000)), "character 2: the `\\` here"),
        ] {
            let found = refusal(&text).unwrap_or_default();
            assert!(found.contains(words), "{found}");
        }
        assert_eq!(refusal(&format!("{}a{}", "(".repeat(20), ")".repeat(20))), None);
    }
}
