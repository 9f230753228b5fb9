//! What differs between two schemas in meaning: not in blanks, order of members or ways to write a
//! letter, and not in what Graph counts up by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use crate::entra::JobSchema;
use crate::entra::schema::json::{MAX_PLACE, Members, entries};
use crate::entra::shown::shown as terminal;

/// One difference between two schemas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    /// Where, as in `directories[API].objects[User].attributes[displayName].type`.
    pub place: String,
    /// What became of it.
    pub kind: ChangeKind,
}

/// What became of a part of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The second schema alone has it.
    Added,
    /// The first schema alone has it.
    Removed,
    /// Both have it, with different values.
    Changed,
}

impl ChangeKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// Members that Graph sets by itself whenever a schema is changed or looked at.
const VOLATILE: [&str; 2] = ["version", "discoveryDateTime"];
/// Annotations speak about the answer, not about the schema.
const ANNOTATION: &str = "@odata.";
/// What tells the entries of a list apart, the first that all of them have.
const KEYS: [&str; 4] = ["name", "targetAttributeName", "key", "id"];
/// How deep two schemas are compared; what differs further down differs as a whole. Schemas have some
/// 20 levels.
const MAX_DEPTH: usize = 100;

impl JobSchema {
    /// What another schema says differently.
    #[must_use]
    pub fn changes_to(&self, other: &Self) -> Vec<SchemaChange> {
        let mut changes = Vec::new();
        compare("", self.text().trim(), other.text().trim(), 0, &mut changes);
        for change in &mut changes {
            change.place = terminal(&change.place, MAX_PLACE);
        }
        changes
    }
}

fn compare(place: &str, left: &str, right: &str, depth: usize, changes: &mut Vec<SchemaChange>) {
    if left == right {
        return;
    }
    let as_a_whole = || SchemaChange { place: shown(place), kind: ChangeKind::Changed };
    if depth >= MAX_DEPTH {
        changes.push(as_a_whole());
        return;
    }
    if let (Some(left), Some(right)) = (Members::read(left), Members::read(right)) {
        compare_members(place, &left, &right, depth, changes);
        return;
    }
    match (entries(left), entries(right)) {
        (Some(left), Some(right)) => {
            let left: Vec<&str> = left.into_iter().map(RawValue::get).collect();
            let right: Vec<&str> = right.into_iter().map(RawValue::get).collect();
            compare_entries(place, &left, &right, depth, changes);
        }
        _ if same_text(left, right) => {}
        _ => changes.push(as_a_whole()),
    }
}

/// The schema as a whole has no place in itself.
fn shown(place: &str) -> String {
    if place.is_empty() { "the schema".to_owned() } else { place.to_owned() }
}

/// Text in different notations may be the same text; anything else is what it is.
fn same_text(left: &str, right: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<String>(text).ok();
    read(left).is_some_and(|left| Some(left) == read(right))
}

fn compare_members(
    place: &str,
    left: &Members<'_>,
    right: &Members<'_>,
    depth: usize,
    changes: &mut Vec<SchemaChange>,
) {
    let is_ours = |name: &str| !VOLATILE.contains(&name) && !name.starts_with(ANNOTATION);
    let mut seen = BTreeSet::new();
    for (name, _) in left.iter().chain(right.iter()) {
        if !is_ours(name) || !seen.insert(name) {
            continue;
        }
        let place = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
        // a null says no more than nothing
        let value = |members: &Members<'_>| {
            members.get(name).map(|value| value.get().to_owned()).filter(|text| text != "null")
        };
        pair(place, value(left).as_deref(), value(right).as_deref(), depth, changes);
    }
}

fn pair(
    place: String,
    left: Option<&str>,
    right: Option<&str>,
    depth: usize,
    changes: &mut Vec<SchemaChange>,
) {
    match (left, right) {
        (Some(left), Some(right)) => compare(&place, left, right, depth + 1, changes),
        (None, Some(_)) => changes.push(SchemaChange { place, kind: ChangeKind::Added }),
        (Some(_), None) => changes.push(SchemaChange { place, kind: ChangeKind::Removed }),
        (None, None) => {}
    }
}

fn compare_entries(
    place: &str,
    left: &[&str],
    right: &[&str],
    depth: usize,
    changes: &mut Vec<SchemaChange>,
) {
    let keyed = KEYS.iter().find_map(|key| Some((keys(left, key)?, keys(right, key)?)));
    let Some((left_keys, right_keys)) = keyed else {
        for at in 0..left.len().max(right.len()) {
            let (left, right) = (left.get(at).copied(), right.get(at).copied());
            pair(format!("{place}[{at}]"), left, right, depth, changes);
        }
        return;
    };
    let others: BTreeMap<&str, &str> =
        right_keys.iter().map(String::as_str).zip(right.iter().copied()).collect();
    for (key, entry) in left_keys.iter().zip(left) {
        let other = others.get(key.as_str()).copied();
        pair(format!("{place}[{key}]"), Some(entry), other, depth, changes);
    }
    let own: BTreeSet<&String> = left_keys.iter().collect();
    for (key, entry) in right_keys.iter().zip(right) {
        if !own.contains(key) {
            pair(format!("{place}[{key}]"), None, Some(entry), depth, changes);
        }
    }
}

/// The keys of all entries, where each has one and no two share it.
fn keys(entries: &[&str], key: &str) -> Option<Vec<String>> {
    let keys: Option<Vec<String>> =
        entries.iter().map(|entry| Members::read(entry)?.text(key)).collect();
    let keys = keys?;
    let distinct: BTreeSet<&String> = keys.iter().collect();
    (distinct.len() == keys.len()).then_some(keys)
}
