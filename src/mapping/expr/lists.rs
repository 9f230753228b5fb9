//! Entra's functions on lists. A single value is a list of one.

#![expect(clippy::unnecessary_wraps, reason = "every function may fail, and some never do")]

use crate::mapping::expr::arguments::{Arguments, What};
use crate::mapping::expr::prepare::Prepared;
use crate::mapping::expr::value::Value;

type Outcome<'v> = Result<Value<'v>, What>;

pub(super) fn count<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    Ok(Value::Integer(i64::try_from(given.list(0).len()).unwrap_or(i64::MAX)))
}

pub(super) fn item<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let at = given.count(1)?.checked_sub(1);
    let found = at.and_then(|at| given.list(0).into_iter().nth(at));
    Ok(found.unwrap_or(Value::Null))
}

pub(super) fn remove_duplicates<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    // text by text through a set: a list can hold as many as a cell has characters
    let mut seen = std::collections::BTreeSet::new();
    let mut kept: Vec<Value<'v>> = Vec::new();
    for value in given.list(0) {
        let is_new = match &value {
            Value::Text(text) => seen.insert(text.to_string()),
            Value::List(_) => return Err("was given a list inside a list"),
            other => !kept.contains(other),
        };
        if is_new {
            kept.push(value);
        }
    }
    Ok(Value::List(kept))
}

pub(super) fn split<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let (text, delimiter) = (given.text(0)?, given.text(1)?);
    if delimiter.is_empty() {
        return Err("was given nothing to split at");
    }
    if text.is_empty() {
        return Ok(Value::List(Vec::new()));
    }
    let parts = text.split(delimiter.as_ref()).map(|part| part.to_owned().into());
    Ok(Value::List(parts.collect()))
}
