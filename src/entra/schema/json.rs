//! JSON read one level at a time, so that a part of a text can be found without reading the rest of
//! it into values.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::entra::SchemaProblem;
use crate::entra::shown::shown;

/// How many levels a schema may have. Schemas have some 20.
const MAX_DEPTH: usize = 128;
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

/// Looks for what nobody may rely on, anywhere in a text: a member that stands twice in its object, of
/// which readers take one or the other, and more levels than are looked at.
pub(super) fn check_members(text: &str) -> Result<(), SchemaProblem> {
    check_level("", text, 0)
}

fn check_level(place: &str, text: &str, depth: usize) -> Result<(), SchemaProblem> {
    let is_list = text.starts_with('[');
    if !is_list && !text.starts_with('{') {
        return Ok(());
    }
    if depth >= MAX_DEPTH {
        return Err(SchemaProblem::TooDeep(MAX_DEPTH));
    }
    if is_list {
        for (at, entry) in entries(text).unwrap_or_default().into_iter().enumerate() {
            check_level(&format!("{place}[{at}]"), entry.get(), depth + 1)?;
        }
        return Ok(());
    }
    let members = Members::read(text).ok_or(SchemaProblem::NoSchema)?;
    let mut names = HashSet::new();
    for (name, value) in members.iter() {
        let dot = if place.is_empty() { "" } else { "." };
        let place = format!("{place}{dot}{name}");
        if !names.insert(name) {
            return Err(SchemaProblem::Repeated(shown(&place, MAX_PLACE)));
        }
        check_level(&place, value.get(), depth + 1)?;
    }
    Ok(())
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
        let check = |text: &str| check_members(text).map_err(|problem| problem.to_string());
        let repeated =
            |place: &str| Err(format!("the member `{place}` stands twice in its object"));
        assert_eq!(check(r#"{"a":{"b":1},"b":[{"a":1},{"a":2}],"A":0}"#), Ok(()));
        assert_eq!(
            check(r#"{"a":1,"\u0061":1}"#),
            repeated("a"),
            "the same name, written otherwise"
        );
        let text =
            r#"{"directories":[{"readOnly":false},{"readOnly":false,"x":[],"readOnly":true}]}"#;
        assert_eq!(check(text), repeated("directories[1].readOnly"));
        assert_eq!(check(r#"{"a":{"\u001b":{"b":1,"b":1}}}"#), repeated("a.\u{fffd}.b"));
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        let deeper = check(&nested(MAX_DEPTH + 1));
        assert_eq!(deeper, Err("the text has more than 128 levels".to_owned()));
    }

    #[test]
    fn a_text_from_elsewhere_has_no_place() {
        let (text, other) = (r#"{"a":"bb"}"#.to_owned(), r#"{"a":"bb"}"#.to_owned());
        let members = Members::read(&other).unwrap();
        assert_eq!(range_in(&text, members.get("a").unwrap()), None);
        assert!(Members::read("[1]").is_none() && entries("{}").is_none());
    }
}
