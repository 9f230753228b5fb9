//! What else an entry of the audit trail says: a few values of kinds that are nobody's.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{DeliveryId, KeyId, RunId, SourceName, TargetName};

/// Most characters of a name or a code; what is longer is none.
const LONGEST: usize = 128;

/// A value of a kind that cannot be somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditValue {
    /// How many.
    Count(u64),
    /// Yes or no.
    Flag(bool),
    /// A word of ours, an id, a name of the config, a code, a digest or an instant.
    Word(String),
    /// Several words.
    Words(Vec<String>),
}

impl AuditValue {
    /// A code or name from elsewhere, such as Entra's `error.code` or the name of a key in the config:
    /// what does not look like one is `other`.
    #[must_use]
    pub fn code(text: &str) -> Self {
        Self::Word(code(text))
    }

    /// A code or an id of one word that another program has answered with: what has blanks or other marks is
    /// a text, which may be about somebody, and is `other`.
    #[must_use]
    pub fn token(text: &str) -> Self {
        let is_token =
            text.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-:".contains(letter));
        Self::code(if is_token { text } else { "" })
    }

    /// Several names or codes.
    #[must_use]
    pub fn codes<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Words(texts.into_iter().map(code).collect())
    }

    /// A digest, in hexadecimal.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> Self {
        Self::Word(digits(bytes))
    }
}

fn digits(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

/// Letters, digits and the marks of attribute paths and dotted names.
fn code(text: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || " ._-:/[]\"'$".contains(letter);
    if !text.is_empty() && text.chars().count() <= LONGEST && text.chars().all(fits) {
        text.to_owned()
    } else {
        "other".to_owned()
    }
}

impl From<u64> for AuditValue {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<bool> for AuditValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&'static str> for AuditValue {
    fn from(word: &'static str) -> Self {
        Self::Word(word.to_owned())
    }
}

impl From<Timestamp> for AuditValue {
    fn from(at: Timestamp) -> Self {
        Self::Word(at.to_string())
    }
}

macro_rules! from_ids {
    ($($id:ident),*) => {
        $(
            impl From<&$id> for AuditValue {
                fn from(id: &$id) -> Self {
                    Self::Word(id.as_str().to_owned())
                }
            }
        )*
    };
}

from_ids!(RunId, KeyId, DeliveryId, SourceName, TargetName);

/// What else there is to say, by names that sort.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditDetails(BTreeMap<&'static str, AuditValue>);

impl AuditDetails {
    /// Nothing else.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same with one value more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<AuditValue>) -> Self {
        self.0.insert(name, value.into());
        self
    }

    /// The same with one value more where there is one.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<AuditValue>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Canonical JSON: an object, names sorted, no blanks.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut members = serde_json::Map::new();
        for (name, value) in &self.0 {
            let value = match value {
                AuditValue::Count(count) => (*count).into(),
                AuditValue::Flag(flag) => (*flag).into(),
                AuditValue::Word(word) => word.as_str().into(),
                AuditValue::Words(words) => words.clone().into(),
            };
            members.insert((*name).to_owned(), value);
        }
        serde_json::Value::Object(members).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_canonical_json_whatever_the_order_they_came_in() {
        let details = AuditDetails::none()
            .with("rows", 3)
            .with("held", true)
            .with("guards", AuditValue::codes(["max_leavers", "first_run"]))
            .with_some("none", None::<u64>)
            .with("digest", AuditValue::digest(&[0, 171]));
        let expected =
            r#"{"digest":"00ab","guards":["max_leavers","first_run"],"held":true,"rows":3}"#;
        assert_eq!(details.to_json(), expected);
        assert_eq!(AuditDetails::none().to_json(), "{}");
    }

    #[test]
    fn what_does_not_look_like_a_code_is_none() {
        assert_eq!(AuditValue::code("InvalidDomain"), AuditValue::Word("InvalidDomain".to_owned()));
        for text in ["", "Jörg", "ann@contoso.example", "a\nb", &"x".repeat(129)] {
            assert_eq!(AuditValue::code(text), AuditValue::Word("other".to_owned()), "{text}");
        }
        // what another program says may be a sentence
        assert_eq!(AuditValue::token("Bad-Request.7"), AuditValue::code("Bad-Request.7"));
        for text in ["", "Ann Smith", "'Ann'", "ann@contoso.example"] {
            assert_eq!(AuditValue::token(text), AuditValue::Word("other".to_owned()), "{text}");
        }
    }
}
