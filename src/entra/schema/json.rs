//! JSON read one level at a time, so that a part of a text can be found without reading the rest of
//! it into values.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::entra::shown::shown;

/// The longest place in a schema that is shown.
pub(super) const MAX_PLACE: usize = 200;

/// The members of an object in their order, each value as its text.
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads an object; `None` when the text is none.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A member's value. A name that stands there twice is as good as none: nobody can say which of
    /// both the other side goes by.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let mut found = self.0.iter().filter(|(member, _)| member == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(*value)
    }

    /// A member that is text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// A member that is a boolean.
    pub(super) fn boolean(&self, name: &str) -> Option<bool> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// The entries of a member that is an array; none where it is none.
    pub(super) fn list(&self, name: &str) -> Vec<&'a RawValue> {
        self.get(name).and_then(|value| entries(value.get())).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }
}

/// The entries of an array; `None` when the text is none.
pub(super) fn entries(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

/// The place of the first member that stands twice in its object, anywhere in a JSON text: readers take
/// one or the other. Passes over the text once, however deep it is.
pub(super) fn repeated(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut levels: Vec<Level> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match (byte, levels.last_mut()) {
            (b'{', _) => levels.push(Level::Object(Object::default())),
            (b'[', _) => levels.push(Level::List(0)),
            (b'}' | b']', _) => drop(levels.pop()),
            (b',', Some(Level::Object(object))) => object.is_named = false,
            (b',', Some(Level::List(entry))) => *entry += 1,
            (b'"', level) => {
                let end = end_of_text(bytes, at);
                if let Some(Level::Object(object)) = level
                    && !std::mem::replace(&mut object.is_named, true)
                {
                    let name = text.get(at - 1..end).unwrap_or_default();
                    object.name = serde_json::from_str(name).unwrap_or_else(|_| name.to_owned());
                    if !object.names.insert(object.name.clone()) {
                        return Some(place_of(&levels));
                    }
                }
                at = end;
            }
            _ => {}
        }
    }
    None
}

/// Where one is in a text.
enum Level {
    Object(Object),
    /// In which entry.
    List(usize),
}

#[derive(Default)]
struct Object {
    names: HashSet<String>,
    /// The member one is in.
    name: String,
    /// Whether its name has been read, so that its value is next.
    is_named: bool,
}

/// Behind the quotation mark that ends a text.
fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

fn place_of(levels: &[Level]) -> String {
    let mut place = String::new();
    for level in levels {
        match level {
            Level::Object(object) if place.is_empty() => place.clone_from(&object.name),
            Level::Object(object) => place = format!("{place}.{}", object.name),
            Level::List(entry) => place = format!("{place}[{entry}]"),
        }
        if place.len() > MAX_PLACE * 4 {
            break;
        }
    }
    shown(&place, MAX_PLACE)
}

/// Where a part of a text lies in it, in bytes.
pub(super) fn range_in(whole: &str, part: &RawValue) -> Option<Range<usize>> {
    let part = part.get();
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let range = start..start.checked_add(part.len())?;
    (whole.get(range.clone()) == Some(part)).then_some(range)
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Read)
    }
}

struct Read;

impl<'de> Visitor<'de> for Read {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            members.push((name, map.next_value()?));
        }
        Ok(Members(members))
    }
}

/// A member's name, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_very_text() {
        let text = r#" {"b" : 1.50e+2 ,"a":[ null, {"x":1} ],"\u00e4":"\ud800"}"#;
        let members = Members::read(text).unwrap();
        let found: Vec<_> = members.iter().map(|(name, value)| (name, value.get())).collect();
        assert_eq!(found, [("b", "1.50e+2"), ("a", r#"[ null, {"x":1} ]"#), ("ä", r#""\ud800""#)]);
        let range = range_in(text, members.get("a").unwrap()).unwrap();
        assert_eq!(&text[range], r#"[ null, {"x":1} ]"#);
    }

    #[test]
    fn a_name_that_stands_there_twice_names_nothing() {
        let members = Members::read(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert!(members.get("a").is_none() && members.get("b").is_some());
    }

    #[test]
    fn a_member_that_stands_twice_is_found_wherever_it_is() {
        let found = |text: &str| repeated(text);
        let place = |place: &str| Some(place.to_owned());
        for text in [
            r#"{"a":{"b":1},"b":[{"a":1},{"a":2}],"A":0}"#,
            r#"{"a":"b","b":"a","c":"\"a\":1,{","d":"\\"}"#,
            r#"["a","a",{"a":["a",{"a":"a"}]}]"#,
            "{ }",
            "\"a\"",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(found(r#"{"a":1,"\u0061":1}"#), place("a"), "the same name, written otherwise");
        assert_eq!(found(r#"{"a\"":1, "b" : 2 , "a\"" : 3}"#), place("a\""));
        let text =
            r#"{"directories":[{"readOnly":false},{"readOnly":false,"x":[],"readOnly":true}]}"#;
        assert_eq!(found(text), place("directories[1].readOnly"));
        assert_eq!(found(r#"{"a":{"\u001b":{"b":1,"b":1}}}"#), place("a.\u{fffd}.b"));
        assert_eq!(found(r#"{"\ud800":1,"\ud800":1}"#), place(r#""\ud800""#));
        let levels = 20_000;
        let deep = format!(r#"{}{{"a":1,"a":2}}{}"#, "[".repeat(levels), "]".repeat(levels));
        assert_eq!(found(&deep).unwrap().len(), MAX_PLACE, "however deep it is");
    }

    #[test]
    fn a_text_from_elsewhere_has_no_place() {
        let (text, other) = (r#"{"a":"bb"}"#.to_owned(), r#"{"a":"bb"}"#.to_owned());
        let members = Members::read(&other).unwrap();
        assert_eq!(range_in(&text, members.get("a").unwrap()), None);
        assert!(Members::read("[1]").is_none() && entries("{}").is_none());
    }
}
