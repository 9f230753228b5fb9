//! Entra's functions on text. Characters are Unicode's, so a name never breaks in the middle of one.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::mapping::Case;
use crate::mapping::diacritics::push_folded;
use crate::mapping::expr::arguments::{Arguments, What};
use crate::mapping::expr::prepare::Prepared;
use crate::mapping::expr::value::Value;
use crate::mapping::letters::push_cased;

type Outcome<'v> = Result<Value<'v>, What>;

pub(super) fn append<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let mut text = given.text(0)?.into_owned();
    text.push_str(&given.text(1)?);
    Ok(text.into())
}

pub(super) fn convert_to_base64<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let bytes: Vec<u8> = given.text(0)?.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Ok(STANDARD.encode(bytes).into())
}

pub(super) fn convert_to_utf8_hex<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let text = given.text(0)?;
    let mut hex = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        let _ = write!(hex, "{byte:02X}");
    }
    Ok(hex.into())
}

pub(super) fn cstr<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    Ok(Value::Text(given.text(0)?))
}

pub(super) fn in_str<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let (mut text, mut part) = (given.text(0)?, given.text(1)?);
    let start = if given.is_empty(2) { 1 } else { given.count(2)? };
    if start == 0 {
        return Err("counts from 1, so it cannot start at 0 or before");
    }
    let ignores_case = match given.get(3) {
        Value::Integer(mode) => *mode == 1,
        Value::Text(mode) if mode == "vbTextCompare" || mode == "1" => true,
        Value::Text(mode) if mode.is_empty() || mode == "vbBinaryCompare" || mode == "0" => false,
        Value::Null => false,
        _ => return Err("compares by `vbTextCompare` or `vbBinaryCompare`"),
    };
    if ignores_case {
        (text, part) = (text.to_lowercase().into(), part.to_lowercase().into());
    }
    let from = place(&text, start - 1);
    let found = text.get(from..).and_then(|rest| rest.find(part.as_ref()));
    let before = found.and_then(|at| text.get(..from + at));
    let index = before.map_or(0, |before| before.chars().count() + 1);
    Ok(Value::Integer(i64::try_from(index).unwrap_or(i64::MAX)))
}

pub(super) fn join<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let separator = given.text(0)?;
    let mut joined = String::new();
    for at in 1..given.len() {
        match given.take(at) {
            Value::List(list) => {
                for value in list {
                    push_part(&mut joined, &separator, value)?;
                }
            }
            value => push_part(&mut joined, &separator, value)?,
        }
    }
    Ok(joined.into())
}

/// Appends a part with the separator before it; an empty part and its separator are left out.
fn push_part(joined: &mut String, separator: &str, value: Value<'_>) -> Result<(), What> {
    let part = super::arguments::into_text(value)?;
    if part.is_empty() {
        return Ok(());
    }
    if !joined.is_empty() {
        joined.push_str(separator);
    }
    joined.push_str(&part);
    Ok(())
}

pub(super) fn left<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let (is_negative, count) = (given.integer(1)? < 0, given.count(1)?);
    let text = given.text(0)?;
    if is_negative {
        return Ok(Value::Text(text));
    }
    Ok(Value::Text(part(text, 0, count)))
}

pub(super) fn len<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let count = given.text(0)?.chars().count();
    Ok(Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

pub(super) fn mid<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let start = given.count(1)?.saturating_sub(1);
    let count = if given.is_empty(2) { usize::MAX } else { given.count(2)? };
    Ok(Value::Text(part(given.text(0)?, start, count)))
}

pub(super) fn normalize_diacritics<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let text = given.text(0)?;
    if text.is_ascii() {
        return Ok(Value::Text(text));
    }
    let mut folded = String::with_capacity(text.len());
    push_folded(&mut folded, &text);
    Ok(folded.into())
}

pub(super) fn pcase<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let (text, separators) = (given.text(0)?, given.text(1)?);
    let mut cased = String::with_capacity(text.len());
    if separators.is_empty() {
        push_cased(&mut cased, &text, Case::Title);
        return Ok(cased.into());
    }
    let mut starts = true;
    for letter in text.to_lowercase().chars() {
        if separators.contains(letter) {
            starts = true;
            cased.push(letter);
        } else if std::mem::take(&mut starts) {
            cased.extend(letter.to_uppercase());
        } else {
            cased.push(letter);
        }
    }
    Ok(cased.into())
}

pub(super) fn strip_spaces<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let text = given.text(0)?;
    if !text.contains(char::is_whitespace) {
        return Ok(Value::Text(text));
    }
    Ok(text.split_whitespace().collect::<String>().into())
}

pub(super) fn to_lower<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    Ok(cased(&given.text(0)?, Case::Lower))
}

pub(super) fn to_upper<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    Ok(cased(&given.text(0)?, Case::Upper))
}

fn cased<'v>(text: &str, case: Case) -> Value<'v> {
    let mut cased = String::with_capacity(text.len());
    push_cased(&mut cased, text, case);
    cased.into()
}

pub(super) fn word<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let number = given.count(1)?;
    let (text, delimiters) = (given.text(0)?, given.text(2)?);
    let mut words =
        text.split(|letter| delimiters.contains(letter)).filter(|word| !word.is_empty());
    let found = number.checked_sub(1).and_then(|at| words.nth(at));
    Ok(found.unwrap_or("").to_owned().into())
}

/// The byte at which a character stands, counted from 0; the end where there are fewer.
fn place(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

/// Some characters of a text, fewer where there are no more.
fn part(text: Cow<'_, str>, start: usize, count: usize) -> Cow<'_, str> {
    let from = place(&text, start);
    let rest = text.get(from..).unwrap_or("");
    let to = from + place(rest, count);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(from..to).unwrap_or("")),
        Cow::Owned(mut text) => {
            text.truncate(to);
            text.drain(..from);
            Cow::Owned(text)
        }
    }
}

/// CEL's `matches`, with its regular expression compiled.
pub(super) fn matches<'v>(ready: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    match (ready, given.get(0)) {
        (Prepared::Pattern(pattern), Value::Text(text)) => Ok(pattern.is_match(text).into()),
        _ => Err("was given something that is no text"),
    }
}
