//! Templates: `"{FirstName} {LastName}"`.
//!
//! `{{` stands for `{` and `}}` for `}`. An empty column is empty text, runs of blanks become one
//! blank, ends are trimmed, and when all columns are empty the whole is. Line ends are no blanks:
//! a postal address has them on purpose.

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<C> {
    /// Text as it is.
    Text(String),
    /// A column.
    Column(C),
}

impl Part<usize> {
    /// The column, where it is one.
    pub(super) fn column(&self) -> Option<usize> {
        match self {
            Self::Column(column) => Some(*column),
            Self::Text(_) => None,
        }
    }
}

/// What is wrong with a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateFault {
    #[error("the brace at character {position} is never closed")]
    Unclosed { position: usize },
    #[error("the braces at character {position} name no column")]
    EmptyName { position: usize },
    #[error("the template names no column")]
    NoColumn,
}

/// Reads a template. Column names are trimmed, as headers are.
pub(super) fn parse(template: &str) -> Result<Vec<Part<String>>, TemplateFault> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (plain, from) = rest.split_at(at);
        text.push_str(plain);
        if let Some(after) = from.strip_prefix("{{") {
            text.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            text.push('}');
            rest = after;
        } else if let Some(after) = from.strip_prefix('}') {
            text.push('}');
            rest = after;
        } else {
            let before = template.len() - from.len();
            let position = template.get(..before).unwrap_or("").chars().count() + 1;
            let inner = from.get(1..).unwrap_or("");
            let (name, after) = inner
                .split_once('}')
                .filter(|(name, _)| !name.contains('{'))
                .ok_or(TemplateFault::Unclosed { position })?;
            if name.trim().is_empty() {
                return Err(TemplateFault::EmptyName { position });
            }
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Column(name.trim().to_owned()));
            rest = after;
        }
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    if !parts.iter().any(|part| matches!(part, Part::Column(_))) {
        return Err(TemplateFault::NoColumn);
    }
    Ok(parts)
}

/// Appends text so that a run of blanks, also one across the seam, becomes one blank.
pub(super) fn push_collapsed(out: &mut String, text: &str) {
    if text.is_ascii() && !has_run_of_blanks(text) && !(out.ends_with(' ') && text.starts_with(' '))
    {
        out.push_str(text);
        return;
    }
    let mut pieces = text.split(is_blank);
    if let Some(first) = pieces.next() {
        out.push_str(first);
    }
    for piece in pieces {
        if !out.ends_with(' ') {
            out.push(' ');
        }
        out.push_str(piece);
    }
}

/// Whether there is more to an ASCII text than single spaces between words.
fn has_run_of_blanks(text: &str) -> bool {
    let mut before = b'x';
    text.bytes().any(|byte| {
        let is_run = matches!(byte, b'\t' | 0x0b | 0x0c) || (byte == b' ' && before == b' ');
        before = byte;
        is_run
    })
}

fn is_blank(letter: char) -> bool {
    letter.is_whitespace() && !matches!(letter, '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part<String> {
        Part::Text(text.to_owned())
    }

    fn column(name: &str) -> Part<String> {
        Part::Column(name.to_owned())
    }

    #[test]
    fn columns_and_text_alternate_and_braces_are_doubled() {
        assert_eq!(
            parse("{ First Name } {Last}, {{x}} {{{A}}}"),
            Ok(vec![
                column("First Name"),
                text(" "),
                column("Last"),
                text(", {x} {"),
                column("A"),
                text("}"),
            ])
        );
    }

    #[test]
    fn mistakes_are_found_where_they_are() {
        assert_eq!(parse("é {A} {B"), Err(TemplateFault::Unclosed { position: 7 }));
        assert_eq!(parse("{A {B}"), Err(TemplateFault::Unclosed { position: 1 }));
        assert_eq!(parse("a{ }"), Err(TemplateFault::EmptyName { position: 2 }));
        assert_eq!(parse("no {{column}}"), Err(TemplateFault::NoColumn));
    }

    #[test]
    fn runs_of_blanks_become_one_across_pieces() {
        let mut out = String::new();
        for piece in ["a ", "", " ", "\u{a0}b\t c", "\n", " d"] {
            push_collapsed(&mut out, piece);
        }
        assert_eq!(out, "a b c\n d");
    }
}
