//! Reads the body of an error, whatever it is: Graph's error, a SCIM error, a proxy's page,
//! nothing at all.
//!
//! Only what is an identifier is kept. The messages are dropped: they may quote what was sent.

use serde_json::Value;

use crate::entra::disposition::BUCKET_FULL;

/// The longest word that is taken for a code or an id.
const MAX_WORD: usize = 128;

/// What an error's body says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// Graph's `error.code`, a SCIM error's `scimType`, or OAuth's `error`.
    pub(super) code: Option<String>,
    /// The request's id at the other side, from anywhere in it.
    pub(super) request_id: Option<String>,
    /// Whether it says that the ingestion queue is full.
    pub(super) is_bucket_full: bool,
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
        Self { code, request_id: request_id(error), is_bucket_full }
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
