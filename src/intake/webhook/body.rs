//! Whether a body may be stored: its type, size, syntax, depth and repeated members.

use serde_json::Value;

use crate::intake::webhook::{form, json};

/// What a body may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Bytes.
    pub bytes: usize,
    /// Objects and lists within each other.
    pub depth: usize,
}

impl Default for BodyLimits {
    /// 1 MiB and 32 levels: senders are advised to stay below 20 KB, and a worker has five levels.
    fn default() -> Self {
        Self { bytes: 1024 * 1024, depth: 32 }
    }
}

/// Why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyReason {
    /// It has no bytes.
    Empty,
    /// It has too many.
    TooLarge,
    /// It is said to be something else than JSON or a form, or not in UTF-8.
    UnsupportedType,
    /// It is no JSON, or no form.
    Syntax,
    /// Objects and lists lie too deep within each other.
    TooDeep,
    /// An object has the same member twice: two readers could take different ones.
    DuplicateKey,
    /// It is neither an object nor a list.
    WrongType,
}

impl BodyReason {
    /// The word used in events, metrics and problem documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::UnsupportedType => "unsupported_type",
            Self::Syntax => "syntax",
            Self::TooDeep => "too_deep",
            Self::DuplicateKey => "duplicate_key",
            Self::WrongType => "wrong_type",
        }
    }
}

/// What is wrong with a body, and where. For who sent it: the pointer has names of members in it,
/// which may be anything; a log takes [`reason`](Self::reason) and the numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}{}: {message}", within(.pointer))]
pub struct BodyFault {
    /// Why.
    pub reason: BodyReason,
    /// The line, from 1.
    pub line: usize,
    /// The byte in the line, from 1, where the reader stood: at the fault or just behind it.
    pub column: usize,
    /// JSON Pointer to the value concerned, or to what it stands in.
    pub pointer: String,
    /// What was found, and what was expected. Holds no value.
    pub message: String,
}

impl BodyFault {
    /// More bytes than are taken; also for who counts them while they come.
    #[must_use]
    pub fn too_large(limits: BodyLimits) -> Self {
        let message = format!("the body has more than {} bytes", limits.bytes);
        Self::whole(BodyReason::TooLarge, message)
    }

    /// A fault of the body as a whole.
    pub(super) fn whole(reason: BodyReason, message: impl Into<String>) -> Self {
        let (pointer, message) = (String::new(), message.into());
        Self { reason, line: 1, column: 1, pointer, message }
    }
}

fn within(pointer: &str) -> String {
    if pointer.is_empty() { String::new() } else { format!(", at `{pointer}`") }
}

/// How a body is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Json,
    Form,
}

/// Reads a body that is said to have a media type (JSON where nothing is said). A form becomes an
/// object of texts.
///
/// # Errors
///
/// Why it is refused, with the place of the fault.
pub fn read_body(
    content_type: Option<&str>,
    body: &[u8],
    limits: BodyLimits,
) -> Result<Value, BodyFault> {
    if body.len() > limits.bytes {
        return Err(BodyFault::too_large(limits));
    }
    let written = written(content_type)?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(BodyFault::whole(BodyReason::Empty, "the body is empty"));
    }
    let value = match written.seen(body) {
        Written::Json => json::read(body, limits.depth)?,
        Written::Form => form::read(body)?,
    };
    if value.is_object() || value.is_array() {
        return Ok(value);
    }
    let message = "the body has to be a JSON object or a list of them";
    Err(BodyFault::whole(BodyReason::WrongType, message))
}

/// Whether a body of this media type is a form; one that [`read_body`] has taken.
pub(super) fn is_form(content_type: Option<&str>, body: &[u8]) -> bool {
    written(content_type).is_ok_and(|written| written.seen(body) == Written::Form)
}

impl Written {
    /// What is sent by hand is often called a form and is JSON: `curl -d` says so of everything. In a form
    /// these letters would be escaped.
    fn seen(self, body: &[u8]) -> Self {
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => Self::Json,
            _ => self,
        }
    }
}

fn written(content_type: Option<&str>) -> Result<Written, BodyFault> {
    let Some(content_type) = content_type else { return Ok(Written::Json) };
    let mut parts = content_type.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let refused = |message: &str| Err(BodyFault::whole(BodyReason::UnsupportedType, message));
    for parameter in parts {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let charset = value.trim().trim_matches('"').to_ascii_lowercase();
        let is_utf8 = matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii");
        if name.trim().eq_ignore_ascii_case("charset") && !is_utf8 {
            return refused("the body has to be in UTF-8");
        }
    }
    match media.as_str() {
        "" | "application/json" | "text/json" => Ok(Written::Json),
        "application/x-www-form-urlencoded" => Ok(Written::Form),
        media if media.starts_with("application/") && media.ends_with("+json") => Ok(Written::Json),
        _ => {
            refused("the body has to be `application/json` or `application/x-www-form-urlencoded`")
        }
    }
}
