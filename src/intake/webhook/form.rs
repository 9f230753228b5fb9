//! `application/x-www-form-urlencoded`, as some HR systems send it: an object of texts.

use serde_json::{Map, Value};

use crate::intake::webhook::{BodyFault, BodyReason};

/// Reads a form. A name that ends in `[]` may be there several times and is a list; any other name
/// is there once. Blanks around the whole are passed over.
pub(super) fn read(body: &[u8]) -> Result<Value, BodyFault> {
    let mut members = Map::new();
    let mut at = body.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    for pair in body.trim_ascii().split(|byte| *byte == b'&') {
        let here = at;
        at += pair.len() + 1;
        if pair.is_empty() {
            continue;
        }
        let equals = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = pair.split_at(equals.unwrap_or(pair.len()));
        let value = value.get(1..).unwrap_or_default();
        let name = text(name, here)?;
        let value = Value::from(text(value, here + equals.map_or(pair.len(), |at| at + 1))?);
        let list = name.strip_suffix("[]");
        match (list, members.get_mut(list.unwrap_or(&name))) {
            (Some(_), Some(Value::Array(values))) => values.push(value),
            (Some(list), None) => drop(members.insert(list.to_owned(), Value::Array(vec![value]))),
            (None, None) => drop(members.insert(name, value)),
            _ => {
                let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                let message = "this name stands in the form twice".to_owned();
                let reason = BodyReason::DuplicateKey;
                return Err(BodyFault { reason, line: 1, column: here + 1, pointer, message });
            }
        }
    }
    Ok(Value::Object(members))
}

/// Text in which `+` is a blank and `%` begins a byte; `at` is where it begins in the body.
fn text(encoded: &[u8], at: usize) -> Result<String, BodyFault> {
    let fault = |offset: usize, message: &str| BodyFault {
        column: at + offset + 1,
        ..BodyFault::whole(BodyReason::Syntax, message)
    };
    let digit = |at: usize| {
        let digit = char::from(*encoded.get(at)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut next = 0;
    while let Some(byte) = encoded.get(next) {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (Some(high), Some(low)) = (digit(next + 1), digit(next + 2)) else {
                    return Err(fault(next, "`%` has to stand before two hexadecimal digits"));
                };
                bytes.push(high << 4 | low);
                next += 2;
            }
            byte => bytes.push(*byte),
        }
        next += 1;
    }
    String::from_utf8(bytes).map_err(|_| fault(0, "the text is not UTF-8"))
}
