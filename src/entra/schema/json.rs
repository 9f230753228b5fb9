//! JSON read one level at a time, so that a part of a text can be found without reading the rest of
//! it into values.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

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
    fn a_text_from_elsewhere_has_no_place() {
        let (text, other) = (r#"{"a":"bb"}"#.to_owned(), r#"{"a":"bb"}"#.to_owned());
        let members = Members::read(&other).unwrap();
        assert_eq!(range_in(&text, members.get("a").unwrap()), None);
        assert!(Members::read("[1]").is_none() && entries("{}").is_none());
    }
}
