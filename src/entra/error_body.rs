//! Reads the body of an error, whatever it is: Graph's error, a SCIM error, a proxy's page,
//! nothing at all.
//!
//! Only what is an identifier is kept. The messages may quote what was sent, so they are kept for the
//! one call in which nothing of a person is ([`Said`]), and dropped for all others.

use std::error::Error;
use std::fmt;

use serde_json::Value;

use crate::entra::disposition::BUCKET_FULL;
use crate::entra::shown::shown;

/// The longest word that is taken for a code or an id.
const MAX_WORD: usize = 128;

/// The longest message that is kept, in letters.
const MAX_SAID: usize = 500;
/// A longer word is none of a sentence, and may be a token. Names of attributes are half as long.
const LONGEST_WORD: usize = 150;
/// How a JSON Web Token begins.
const TOKEN: &str = "eyJ";

/// What Graph says in its own words; for a terminal, and not for a log. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Said(String);

impl Said {
    /// A message, fit to be shown: without what a terminal obeys, and without what may be a token.
    fn new(message: &str) -> Option<Self> {
        let is_of_a_sentence =
            |word: &&str| word.chars().count() <= LONGEST_WORD && !word.contains(TOKEN);
        let words = message.split_whitespace();
        let words = words.map(|word| if is_of_a_sentence(&word) { word } else { "…" });
        let text = shown(&words.collect::<Vec<_>>().join(" "), MAX_SAID);
        (!text.is_empty()).then_some(Self(text))
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Said(…)")
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Graph says: {}", self.0)
    }
}

impl Error for Said {}

/// What an error's body says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// Graph's `error.code`, a SCIM error's `scimType`, or OAuth's `error`.
    pub(super) code: Option<String>,
    /// The request's id at the other side, from anywhere in it.
    pub(super) request_id: Option<String>,
    /// Whether it says that the ingestion queue is full.
    pub(super) is_bucket_full: bool,
    /// Graph's `error.message`.
    pub(super) said: Option<Said>,
}

impl ErrorBody {
    /// Reads it; never fails.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        let is_bucket_full = text.contains(BUCKET_FULL);
        let Ok(body) = serde_json::from_slice::<Value>(bytes) else {
            return Self { is_bucket_full, ..Self::default() };
        };
        let error = body.get("error").unwrap_or(&body);
        let code = [error.get("code"), error.get("scimType"), Some(error)]
            .into_iter()
            .flatten()
            .find_map(Value::as_str)
            .and_then(word);
        let said = error.get("message").and_then(Value::as_str).and_then(Said::new);
        Self { code, request_id: request_id(error), is_bucket_full, said }
    }
}

/// Takes a text for a code or an id, if it looks like one. Anything else may be somebody's name.
pub(super) fn word(text: &str) -> Option<String> {
    let is_word = !text.is_empty()
        && text.len() <= MAX_WORD
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    is_word.then(|| text.to_owned())
}

/// `innerError` on the wire, `innererror` in the reference, nested to any depth.
fn request_id(error: &Value) -> Option<String> {
    let own = error.get("request-id").and_then(Value::as_str).and_then(word);
    own.or_else(|| {
        error.as_object()?.iter().find_map(|(key, inner)| {
            key.eq_ignore_ascii_case("innerError").then(|| request_id(inner)).flatten()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_error_is_read_in_both_spellings_and_nested() {
        for inner in ["innerError", "innererror"] {
            let body = format!(
                r#"{{"error":{{"code":"BadRequest","message":"Invalid Data Format",
                   "{inner}":{{"code":"x","{inner}":{{"request-id":"7b7b-1"}}}}}}}}"#
            );
            let read = ErrorBody::read(body.as_bytes());
            assert_eq!(read.code.as_deref(), Some("BadRequest"));
            assert_eq!(read.request_id.as_deref(), Some("7b7b-1"));
        }
    }

    #[test]
    fn a_message_is_cut_and_cleaned_and_shows_no_token() {
        let said = |message: &str| Said::new(message).map(|said| said.to_string());
        assert_eq!(said("a\n\u{1b}[2Jb  c").as_deref(), Some("Graph says: a \u{fffd}[2Jb c"));
        let token = "Bearer eyJ0eXAi.eyJhdWQi.c2ln of";
        assert_eq!(said(token).as_deref(), Some("Graph says: Bearer … of"));
        let opaque = format!("a {} b", "x".repeat(LONGEST_WORD + 1));
        assert_eq!(said(&opaque).as_deref(), Some("Graph says: a … b"));
        assert_eq!(said(&"ä ".repeat(5000)).unwrap().chars().count(), MAX_SAID + 12);
        assert_eq!(said(" \n"), None);
        assert_eq!(format!("{:?}", Said::new("Jane")), "Some(Said(…))");
    }

    #[test]
    fn a_scim_error_is_read() {
        let body = br#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],
                       "detail":"Jane Doe is wrong","scimType":"invalidSyntax","status":"400"}"#;
        assert_eq!(ErrorBody::read(body).code.as_deref(), Some("invalidSyntax"));
    }

    #[test]
    fn anything_else_is_survived() {
        let deep = format!("{}1{}", r#"{"innerError":"#.repeat(5000), "}".repeat(5000));
        for body in [
            "",
            "<html>502 Bad Gateway</html>",
            "null",
            "[]",
            "\"error\"",
            r#"{"error":null}"#,
            r#"{"error":{"code":7}}"#,
            r#"{"error":{"code":"Jane Doe, Sales"}}"#,
            r#"{"error":"#,
            "\u{feff}{}",
            &deep,
        ] {
            assert_eq!(ErrorBody::read(body.as_bytes()).request_id, None, "{body:.40}");
        }
        assert_eq!(ErrorBody::read(br#"{"error":{"code":"Jane Doe"}}"#).code, None);
        assert_eq!(ErrorBody::read(&vec![0xff; 70_000]), ErrorBody::default());
    }

    #[test]
    fn the_full_bucket_is_seen_even_in_half_a_body() {
        let body = br#"{"error":{"code":"","message":"The bucket that stores the ingested data is full. Try"#;
        assert!(ErrorBody::read(body).is_bucket_full);
        assert!(!ErrorBody::read(b"a bucket of water").is_bucket_full);
    }
}
