//! Values of the general language and ours, into each other.

use std::borrow::Cow;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelNull, CelString, CelUInt};
use cel::common::value::Val;

use crate::mapping::expr::arguments::What;
use crate::mapping::expr::guard::MAX_NESTING;
use crate::mapping::expr::value::Value;

/// Ours, from the general language.
///
/// # Errors
/// For what is no value of a row: maps, bytes, types.
pub(super) fn from_cel(value: &dyn Val) -> Result<Value<'_>, What> {
    within(value, MAX_NESTING)
}

fn within<'b>(value: &'b (dyn Val + 'b), depth: usize) -> Result<Value<'b>, What> {
    if let Some(text) = value.downcast_ref::<CelString>() {
        return Ok(Value::Text(Cow::Borrowed(text.inner())));
    }
    if let Some(value) = value.downcast_ref::<CelBool>() {
        return Ok(Value::Boolean(*value.inner()));
    }
    if let Some(number) = value.downcast_ref::<CelInt>() {
        return Ok(Value::Integer(*number.inner()));
    }
    if let Some(number) = value.downcast_ref::<CelUInt>() {
        let number = i64::try_from(*number.inner());
        return number.map(Value::Integer).map_err(|_| "was given a number beyond 64 bits");
    }
    if let Some(number) = value.downcast_ref::<CelDouble>() {
        return Ok(number.inner().to_string().into());
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(Value::Null);
    }
    match (value.downcast_ref::<CelList>(), depth.checked_sub(1)) {
        (Some(list), Some(depth)) => {
            let values = list.inner().iter().map(|value| within(value.as_ref(), depth));
            Ok(Value::List(values.collect::<Result<_, _>>()?))
        }
        _ => Err("was given something that is neither text, number, truth nor a list of those"),
    }
}

/// The general language's, from ours.
pub(super) fn into_cel(value: Value<'_>) -> Box<dyn Val> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Boolean(value) => Box::new(CelBool::from(value)),
        Value::Integer(number) => Box::new(CelInt::from(number)),
        Value::Text(text) => Box::new(CelString::from(text.into_owned())),
        Value::List(list) => {
            let values: Vec<Box<dyn Val>> = list.into_iter().map(into_cel).collect();
            Box::new(CelList::from(values))
        }
    }
}

/// A value that borrows nothing.
pub(super) fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Null => Value::Null,
        Value::Boolean(value) => Value::Boolean(value),
        Value::Integer(number) => Value::Integer(number),
        Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
        Value::List(list) => Value::List(list.into_iter().map(owned).collect()),
    }
}
