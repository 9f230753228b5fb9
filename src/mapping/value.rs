//! What a rule gives for a row, and how JSON writes it.

use crate::domain::ActiveWindow;
use crate::mapping::rule::Fixed;
use crate::scim::push_string;

/// What a rule gives for a row.
pub(super) enum Value<'v> {
    /// Nothing: the attribute is left out.
    Absent,
    /// An explicit null.
    Null,
    Text(&'v str),
    Fixed(&'v Fixed),
    Boolean(bool),
    /// A whole number, as JSON writes it.
    Number(&'v str),
    /// A boolean that is true in a window of time alone, and what it is now.
    Window(ActiveWindow, bool),
}

impl<'v> Value<'v> {
    pub(super) fn text(&self) -> Option<&'v str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Fixed(fixed) => Some(&fixed.text),
            Value::Absent
            | Value::Null
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::Window(..) => None,
        }
    }

    pub(super) fn window(&self) -> Option<ActiveWindow> {
        match self {
            Value::Window(window, _) => Some(*window),
            _ => None,
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self {
            Value::Boolean(value) | Value::Window(_, value) => Some(*value),
            Value::Fixed(fixed) => fixed.boolean,
            Value::Absent | Value::Null | Value::Text(_) | Value::Number(_) => None,
        }
    }

    /// Appends the value as JSON; nothing for an absent one.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Value::Absent => {}
            Value::Null => out.extend_from_slice(b"null"),
            Value::Text(text) => push_string(out, text),
            Value::Fixed(fixed) => out.extend_from_slice(&fixed.json),
            Value::Boolean(true) | Value::Window(_, true) => out.extend_from_slice(b"true"),
            Value::Boolean(false) | Value::Window(_, false) => out.extend_from_slice(b"false"),
            Value::Number(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}
