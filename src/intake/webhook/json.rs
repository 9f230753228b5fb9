//! JSON (RFC 8259), read once, with the way to where the reader stands.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::intake::webhook::{BodyFault, BodyReason};

/// Most bytes of a pointer that is told: what names the way in a hostile body may be of any length.
const MOST_TOLD: usize = 256;

/// Reads a document.
pub(super) fn read(body: &[u8], depth: usize) -> Result<Value, BodyFault> {
    let way =
        Way { most: depth, pointer: RefCell::default(), reason: Cell::new(BodyReason::Syntax) };
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = Node { way: &way, depth: 0 }.deserialize(&mut reader);
    read.and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        // the library puts the place behind its words, and here it stands in its own fields
        let words = error.to_string();
        let message = words.split(" at line ").next().unwrap_or_default().to_owned();
        BodyFault {
            reason: way.reason.get(),
            line: error.line().max(1),
            column: error.column().max(1),
            pointer: way.told(),
            message,
        }
    })
}

/// Where the reader stands, kept as it was when it stopped.
struct Way {
    most: usize,
    pointer: RefCell<String>,
    reason: Cell<BodyReason>,
}

impl Way {
    /// Goes one step down; gives the length to come back to.
    fn down(&self, step: impl fmt::Display) -> usize {
        let mut pointer = self.pointer.borrow_mut();
        let before = pointer.len();
        let _ = write!(pointer, "/{step}");
        before
    }

    fn back(&self, before: usize) {
        self.pointer.borrow_mut().truncate(before);
    }

    fn refuse<E: Error>(&self, reason: BodyReason, message: impl fmt::Display) -> E {
        self.reason.set(reason);
        E::custom(message)
    }

    fn told(&self) -> String {
        let pointer = self.pointer.borrow();
        if pointer.len() <= MOST_TOLD {
            return pointer.clone();
        }
        let mut end = MOST_TOLD;
        while !pointer.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}…", pointer.get(..end).unwrap_or_default())
    }
}

/// A value that is about to be read.
struct Node<'w> {
    way: &'w Way,
    /// Objects and lists around it.
    depth: usize,
}

impl<'w> Node<'w> {
    /// A value within this object or list, which is there only up to the ceiling.
    fn inner<E: Error>(&self) -> Result<impl Fn() -> Node<'w> + use<'w, E>, E> {
        let (way, depth) = (self.way, self.depth + 1);
        if depth > way.most {
            let message = format!("objects and lists lie more than {} deep", way.most);
            return Err(way.refuse(BodyReason::TooDeep, message));
        }
        Ok(move || Node { way, depth })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut values = Vec::new();
        loop {
            let before = self.way.down(values.len());
            let Some(value) = list.next_element_seed(inner())? else {
                self.way.back(before);
                return Ok(Value::Array(values));
            };
            values.push(value);
            self.way.back(before);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            let before = self.way.down(name.replace('~', "~0").replace('/', "~1"));
            if members.contains_key(&name) {
                let message = "this member stands in its object twice";
                return Err(self.way.refuse(BodyReason::DuplicateKey, message));
            }
            members.insert(name, object.next_value_seed(inner())?);
            self.way.back(before);
        }
        Ok(Value::Object(members))
    }
}
