//! Entra's functions that ask and choose.

#![expect(clippy::unnecessary_wraps, reason = "every function may fail, and some never do")]

use crate::mapping::expr::arguments::{Arguments, NO_INTEGER, What};
use crate::mapping::expr::prepare::Prepared;
use crate::mapping::expr::value::Value;

type Outcome<'v> = Result<Value<'v>, What>;

pub(super) fn bit_and<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    Ok(Value::Integer(given.integer(0)? & given.integer(1)?))
}

pub(super) fn cbool<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    match given.integer(0) {
        Ok(number) => Ok((number != 0).into()),
        Err(_) => given.boolean(0).map(Value::Boolean).map_err(|_| NO_INTEGER),
    }
}

pub(super) fn coalesce<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let last = given.len().saturating_sub(1);
    let at = (0..last).find(|at| !given.is_empty(*at)).unwrap_or(last);
    Ok(given.take(at))
}

pub(super) fn is_null<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    Ok(given.is_empty(0).into())
}

pub(super) fn is_present<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    Ok((!given.is_empty(0)).into())
}

pub(super) fn is_string<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    Ok((!matches!(given.get(0), Value::Null | Value::List(_))).into())
}

pub(super) fn not<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    Ok((!given.boolean(0)?).into())
}

pub(super) fn switch<'v>(_: &Prepared, given: &mut Arguments<'_, 'v>) -> Outcome<'v> {
    let source = given.text(0)?;
    for key in (2..given.len()).step_by(2) {
        let is_key = match given.get(key) {
            Value::Text(text) => *text == source,
            _ => given.text(key)? == source,
        };
        if is_key {
            return Ok(given.take(key + 1));
        }
    }
    Ok(given.take(1))
}
