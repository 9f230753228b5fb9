//! The `$filter` of the provisioning log: as much of `OData` as the log understands.
//!
//! ```text
//! or         := and ("or" and)*
//! and        := term ("and" term)*
//! term       := "(" or ")" | contains "(" operand "," text ")" | operand comparison value
//! operand    := property | "tolower" "(" property ")"
//! comparison := eq ne on text; eq ne gt ge lt le on activityDateTime
//! ```
//!
//! Names of properties are not case-sensitive (the service itself writes `jobid`), and the older
//! beta names are understood; values and operators are case-sensitive.

use jiff::Timestamp;

use crate::mock_entra::clock::SECOND;
use crate::mock_entra::engine::Event;

/// A property that is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mock_entra) enum Property {
    Id,
    TenantId,
    JobId,
    CycleId,
    ChangeId,
    ProvisioningAction,
    /// Beta's `action`, capitalised.
    LegacyAction,
    Status,
    SourceSystem,
    TargetSystem,
    SourceType,
    TargetType,
    SourceId,
    SourceName,
    TargetId,
    TargetName,
    Initiator,
    PrincipalId,
    PrincipalName,
}

/// The names by which properties can be asked for, in lower case.
const NAMES: [(&str, Property); 21] = [
    ("id", Property::Id),
    ("tenantid", Property::TenantId),
    ("jobid", Property::JobId),
    ("cycleid", Property::CycleId),
    ("changeid", Property::ChangeId),
    ("provisioningaction", Property::ProvisioningAction),
    ("action", Property::LegacyAction),
    ("provisioningstatusinfo/status", Property::Status),
    ("statusinfo/status", Property::Status),
    ("sourcesystem/displayname", Property::SourceSystem),
    ("targetsystem/displayname", Property::TargetSystem),
    ("sourceidentity/identitytype", Property::SourceType),
    ("targetidentity/identitytype", Property::TargetType),
    ("sourceidentity/id", Property::SourceId),
    ("sourceidentity/displayname", Property::SourceName),
    ("targetidentity/id", Property::TargetId),
    ("targetidentity/displayname", Property::TargetName),
    ("initiatedby/displayname", Property::Initiator),
    ("serviceprincipal/id", Property::PrincipalId),
    ("serviceprincipal/name", Property::PrincipalName),
    ("serviceprincipal/displayname", Property::PrincipalName),
];

/// Deepest nesting of parentheses that is read.
const DEEPEST: usize = 32;

/// A read filter.
#[derive(Debug, PartialEq)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Text {
        operand: Operand,
        test: Test,
        value: String,
    },
    /// Over `activityDateTime`; unix microseconds.
    Time {
        comparison: Comparison,
        value: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Operand {
    property: Property,
    lower: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Test {
    Equals,
    Differs,
    Contains,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Filter {
    /// Reads a filter.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut reader = Reader { tokens: tokens.into_iter().peekable(), depth: 0 };
        let filter = reader.or()?;
        match reader.tokens.next() {
            None => Ok(filter),
            Some(token) => Err(invalid(&format!("unexpected {token:?}"))),
        }
    }

    /// Whether an event is meant.
    pub(super) fn holds(&self, event: &Event) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.holds(event)),
            Self::Or(any) => any.iter().any(|one| one.holds(event)),
            Self::Text { operand, test, value } => {
                let found = event.text(operand.property);
                let lower = operand.lower.then(|| found.to_lowercase());
                let found = lower.as_deref().unwrap_or(found);
                match test {
                    Test::Equals => found == value,
                    Test::Differs => found != value,
                    Test::Contains => found.contains(value.as_str()),
                }
            }
            Self::Time { comparison, value } => {
                let at = event.activity_at();
                match comparison {
                    Comparison::Eq => at == *value,
                    Comparison::Ne => at != *value,
                    Comparison::Gt => at > *value,
                    Comparison::Ge => at >= *value,
                    Comparison::Lt => at < *value,
                    Comparison::Le => at <= *value,
                }
            }
        }
    }

    /// An instant before which no event can be meant.
    pub(super) fn earliest(&self) -> Option<i64> {
        match self {
            Self::And(all) => all.iter().filter_map(Self::earliest).max(),
            Self::Time { comparison: Comparison::Gt | Comparison::Ge | Comparison::Eq, value } => {
                // Events have whole seconds.
                Some(value - value.rem_euclid(SECOND))
            }
            _ => None,
        }
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Word(String),
    Text(String),
}

fn invalid(what: &str) -> String {
    format!("Invalid filter clause: {what}.")
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            _ if first.is_whitespace() => {
                rest = rest.trim_start();
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '\'' => quoted(rest)?,
            _ => {
                let ends = |c: char| c.is_whitespace() || "(),'".contains(c);
                let length = rest.find(ends).unwrap_or(rest.len());
                (Token::Word(rest.get(..length).unwrap_or("").to_owned()), length)
            }
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or("");
    }
    Ok(tokens)
}

/// A text in single quotes, doubled inside, and its length as written.
fn quoted(rest: &str) -> Result<(Token, usize), String> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != '\'' {
            text.push(character);
        } else if characters.next_if(|(_, next)| *next == '\'').is_some() {
            text.push('\'');
        } else {
            return Ok((Token::Text(text), at + 1));
        }
    }
    Err(invalid("there is an unterminated string literal"))
}

struct Reader {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Reader {
    fn or(&mut self) -> Result<Filter, String> {
        let mut any = vec![self.and()?];
        while self.word_is("or") {
            any.push(self.and()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Filter::Or(any) })
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut all = vec![self.term()?];
        while self.word_is("and") {
            all.push(self.term()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
    }

    fn term(&mut self) -> Result<Filter, String> {
        if self.tokens.next_if_eq(&Token::Open).is_some() {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(invalid("it is nested too deeply"));
            }
            let inner = self.or()?;
            self.expect(&Token::Close)?;
            self.depth -= 1;
            return Ok(inner);
        }
        let word = self.word()?;
        if word == "contains" {
            self.expect(&Token::Open)?;
            let word = self.word()?;
            let operand = self.operand(&word)?;
            self.expect(&Token::Comma)?;
            let value = self.text()?;
            self.expect(&Token::Close)?;
            return Ok(Filter::Text { operand, test: Test::Contains, value });
        }
        if word.eq_ignore_ascii_case("activityDateTime") {
            return self.time();
        }
        let operand = self.operand(&word)?;
        let test = match self.word()?.as_str() {
            "eq" => Test::Equals,
            "ne" => Test::Differs,
            other => return Err(invalid(&format!("operator '{other}' does not fit here"))),
        };
        Ok(Filter::Text { operand, test, value: self.text()? })
    }

    fn time(&mut self) -> Result<Filter, String> {
        let comparison = match self.word()?.as_str() {
            "eq" => Comparison::Eq,
            "ne" => Comparison::Ne,
            "gt" => Comparison::Gt,
            "ge" => Comparison::Ge,
            "lt" => Comparison::Lt,
            "le" => Comparison::Le,
            other => return Err(invalid(&format!("operator '{other}' does not fit here"))),
        };
        let word = self.word()?;
        let at: Timestamp =
            word.parse().map_err(|_| invalid(&format!("'{word}' is no Edm.DateTimeOffset")))?;
        Ok(Filter::Time { comparison, value: at.as_microsecond() })
    }

    fn operand(&mut self, word: &str) -> Result<Operand, String> {
        if word == "tolower" {
            self.expect(&Token::Open)?;
            let name = self.word()?;
            self.expect(&Token::Close)?;
            return Ok(Operand { property: property(&name)?, lower: true });
        }
        Ok(Operand { property: property(word)?, lower: false })
    }

    fn word_is(&mut self, expected: &str) -> bool {
        let fits = |token: &Token| matches!(token, Token::Word(word) if word == expected);
        self.tokens.next_if(fits).is_some()
    }

    fn word(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            Some(token) => Err(invalid(&format!("unexpected {token:?}"))),
            None => Err(invalid("it ends too soon")),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(text),
            _ => Err(invalid("a string literal in single quotes is expected")),
        }
    }

    fn expect(&mut self, expected: &Token) -> Result<(), String> {
        match self.tokens.next_if_eq(expected) {
            Some(_) => Ok(()),
            None => Err(invalid(&format!("{expected:?} is expected"))),
        }
    }
}

fn property(name: &str) -> Result<Property, String> {
    let lower = name.to_ascii_lowercase();
    NAMES
        .iter()
        .find(|(known, _)| *known == lower)
        .map(|(_, property)| *property)
        .ok_or_else(|| invalid(&format!("could not find a property named '{name}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_tighter_than_or() {
        let filter = Filter::read("id eq '1' or jobid eq '2' and changeId ne '3'").unwrap();
        let Filter::Or(any) = filter else { panic!("{filter:?}") };
        assert!(matches!(&any[..], [Filter::Text { .. }, Filter::And(all)] if all.len() == 2));
    }

    #[test]
    fn a_quote_is_doubled_inside_a_text() {
        let filter = Filter::read("sourceIdentity/id eq 'O''Neill'").unwrap();
        assert!(matches!(filter, Filter::Text { value, .. } if value == "O'Neill"));
    }

    #[test]
    fn the_start_of_a_window_is_known_without_looking_at_events() {
        let earliest = |text| Filter::read(text).unwrap().earliest();
        let at = 1_788_254_400 * SECOND;
        assert_eq!(
            earliest("jobid eq 'x' and activityDateTime ge 2026-09-01T10:00:00+00:40"),
            Some(at)
        );
        assert_eq!(earliest("activityDateTime ge 2026-09-01T09:20:00.5Z"), Some(at));
        assert_eq!(earliest("id eq 'x' or activityDateTime ge 2026-09-01T09:20:00Z"), None);
        assert_eq!(earliest("activityDateTime lt 2026-09-01T09:20:00Z"), None);
    }

    #[test]
    fn what_the_log_does_not_understand_is_refused() {
        for text in [
            "",
            "jobid",
            "jobid eq",
            "jobid eq x",
            "jobid eq 'x",
            "jobid EQ 'x'",
            "jobid gt 'x'",
            "jobid eq 'x' and",
            "(jobid eq 'x'",
            "jobid eq 'x')",
            "not (jobid eq 'x')",
            "nothing eq 'x'",
            "startswith(jobid,'x')",
            "contains(jobid)",
            "contains(activityDateTime,'2026')",
            "activityDateTime ge '2026-09-01T10:00:00Z'",
            "activityDateTime ge 2026-09-01",
        ] {
            assert!(Filter::read(text).is_err(), "{text}");
        }
        assert!(Filter::read(&"(".repeat(10_000)).is_err());
    }
}
