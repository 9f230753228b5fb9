//! The arguments of a call, as functions ask for them.

use std::borrow::Cow;

use crate::mapping::expr::value::Value;

/// Why a call has no result: the end of a sentence that begins with the function.
pub(super) type What = &'static str;

/// The arguments of one call. Each can be taken once.
pub(super) struct Arguments<'a, 'v> {
    values: &'a mut [Value<'v>],
}

impl<'a, 'v> Arguments<'a, 'v> {
    pub(super) const fn new(values: &'a mut [Value<'v>]) -> Self {
        Self { values }
    }

    pub(super) const fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn get(&self, at: usize) -> &Value<'v> {
        self.values.get(at).unwrap_or(&Value::Null)
    }

    /// The argument itself; null where there is none.
    pub(super) fn take(&mut self, at: usize) -> Value<'v> {
        self.values.get_mut(at).map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
    }

    /// Whether it is absent, null or empty.
    pub(super) fn is_empty(&self, at: usize) -> bool {
        self.get(at).is_empty()
    }

    /// The argument as text.
    pub(super) fn text(&mut self, at: usize) -> Result<Cow<'v, str>, What> {
        into_text(self.take(at))
    }

    /// The argument as a whole number.
    pub(super) fn integer(&self, at: usize) -> Result<i64, What> {
        match self.get(at) {
            Value::Integer(number) => Ok(*number),
            Value::Text(text) => text.trim().parse().map_err(|_| NO_INTEGER),
            Value::Boolean(_) | Value::Null | Value::List(_) => Err(NO_INTEGER),
        }
    }

    /// The argument as a number of characters or a place, which is never beyond any text.
    pub(super) fn count(&self, at: usize) -> Result<usize, What> {
        Ok(usize::try_from(self.integer(at)?.max(0)).unwrap_or(usize::MAX))
    }

    /// The argument as a boolean.
    pub(super) fn boolean(&self, at: usize) -> Result<bool, What> {
        match self.get(at) {
            Value::Boolean(value) => Ok(*value),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err("was given something that is neither true nor false"),
        }
    }

    /// The values of an argument, a single one as a list of one.
    pub(super) fn list(&mut self, at: usize) -> Vec<Value<'v>> {
        match self.take(at) {
            Value::List(list) => list,
            value if value.is_empty() => Vec::new(),
            value => vec![value],
        }
    }
}

/// What is said of an argument that has to be a number.
pub(super) const NO_INTEGER: What = "was given something that is no whole number";

/// A value as text: nothing is empty text, and true is `True`, as in Entra.
pub(super) fn into_text(value: Value<'_>) -> Result<Cow<'_, str>, What> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Null => Ok(Cow::Borrowed("")),
        Value::Boolean(true) => Ok(Cow::Borrowed("True")),
        Value::Boolean(false) => Ok(Cow::Borrowed("False")),
        Value::Integer(number) => Ok(Cow::Owned(number.to_string())),
        Value::List(_) => Err("was given a list where one value is expected"),
    }
}
