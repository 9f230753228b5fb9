//! The text of the config: where a value stands, and what of its line may be shown.
//!
//! A line is shown up to the end of what is wrong in it and never beyond, and every value before
//! that is masked. So a line can show a key, or the one value that a reader judged, but no secret
//! that somebody pasted beside it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::config::node::{Origin, Table, Value};
use crate::config::problem::{ConfigPlace, ConfigProblem, Snippet};

/// Most characters shown before what is underlined, and most characters underlined.
const MAX_SHOWN: usize = 72;
/// Parts of a key's name that make its value a secret, whatever the reader thinks of it.
const SECRETIVE: [&str; 7] =
    ["secret", "password", "passwd", "token", "key", "credential", "certificate"];

/// Which part of an entry is underlined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Key,
    /// The value, where it may be shown; else the key.
    Value,
}

/// The text, and the places of all keys.
#[derive(Clone)]
pub(super) struct Document {
    file: String,
    text: String,
    /// The byte at which each line starts.
    lines: Vec<usize>,
    /// Text, numbers, booleans and dates, by their place; none overlap.
    scalars: Vec<Range<usize>>,
    places: BTreeMap<String, Origin>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Document {
    /// A text of which nothing is known yet but its name.
    pub(super) fn new(file: &str, text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            lines,
            scalars: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    /// Notes where the values of the file stand; call before the environment is laid over them, so
    /// that an overridden value is masked like the others.
    pub(super) fn note_scalars(&mut self, root: &Table) {
        collect_scalars(root, &mut self.scalars);
        self.scalars.sort_by_key(|range| range.start);
    }

    /// Notes where each key stands.
    pub(super) fn note_places(&mut self, root: &Table) {
        collect_places(root, "", &mut self.places);
    }

    /// A problem with a key by its path, or with the nearest section around it.
    pub(super) fn problem_at(
        &self,
        path: &str,
        message: String,
        hint: Option<String>,
    ) -> ConfigProblem {
        let mut known = path;
        let origin = loop {
            if let Some(origin) = self.places.get(known) {
                break origin;
            }
            match known.rfind('.') {
                Some(dot) => known = known.get(..dot).unwrap_or_default(),
                None => break &Origin::Whole,
            }
        };
        let part = if known == path { Part::Value } else { Part::Key };
        self.problem(origin, part, path, message, hint)
    }

    /// A problem with an entry whose place is known.
    pub(super) fn problem(
        &self,
        origin: &Origin,
        part: Part,
        path: &str,
        message: String,
        hint: Option<String>,
    ) -> ConfigProblem {
        let (place, snippet) = match origin {
            Origin::Whole => (ConfigPlace::File { name: self.file.clone() }, None),
            Origin::Variable(name) => (ConfigPlace::Variable { name: name.to_string() }, None),
            Origin::File { key, value, is_scalar } => {
                let shows_value =
                    part == Part::Value && *is_scalar && self.may_show(path, value.clone());
                let span = if shows_value { value } else { key };
                // an entry of a list has no key: what would be shown in its place is its value
                let is_masked = key == value && !self.may_show(path, value.clone());
                (self.place(span.start), self.snippet(span.clone(), is_masked))
            }
        };
        ConfigProblem { place, path: path.to_owned(), message, hint, snippet }
    }

    /// The line and column of a byte.
    pub(super) fn place(&self, offset: usize) -> ConfigPlace {
        let (line, start) = self.line_of(offset);
        let before = self.text.get(start..offset).unwrap_or_default();
        let column = before.chars().count() + 1;
        ConfigPlace::Line { name: self.file.clone(), line, column }
    }

    /// The whole line around a byte, for a text that could not be parsed. Not for showing.
    pub(super) fn raw_line(&self, offset: usize) -> &str {
        self.text.get(self.line_range(offset)).unwrap_or_default()
    }

    fn may_show(&self, path: &str, value: Range<usize>) -> bool {
        let text = self.text.get(value).unwrap_or_default();
        let path = path.to_lowercase();
        let is_secretive = SECRETIVE.iter().any(|word| path.contains(word));
        let has_user_info = text.contains("://") && text.contains('@');
        !is_secretive && !has_user_info
    }

    /// Line number from 1 and its first byte.
    fn line_of(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        (line, self.lines.get(line - 1).copied().unwrap_or(0))
    }

    fn line_range(&self, offset: usize) -> Range<usize> {
        let (line, start) = self.line_of(offset);
        let end = self.lines.get(line).map_or(self.text.len(), |next| next - 1);
        start..end
    }

    fn snippet(&self, span: Range<usize>, is_masked: bool) -> Option<Snippet> {
        let range = self.line_range(span.start);
        let (line, _) = self.line_of(span.start);
        let shown_end = span.end.min(range.end);
        let shown = if is_masked {
            self.masked(span.start..shown_end)
        } else {
            self.text.get(span.start..shown_end)?.to_owned()
        };
        let mut text = tail(&self.masked(range.start..span.start));
        let start = text.chars().count();
        text.extend(shown.chars().map(printable).take(MAX_SHOWN));
        let width = (text.chars().count() - start).max(1);
        let rest = self.text.get(shown_end..range.end)?.trim();
        text.push_str(match rest {
            "" => "",
            "]" => "]",
            rest if rest.starts_with('=') => " = …",
            _ => " …",
        });
        Some(Snippet { line, text, start, width })
    }

    /// Part of a line, with `…` for every value in it.
    fn masked(&self, range: Range<usize>) -> String {
        let mut text = String::new();
        let mut at = range.start;
        let first = self.scalars.partition_point(|scalar| scalar.end <= range.start);
        for scalar in self.scalars.iter().skip(first) {
            if scalar.start >= range.end {
                break;
            }
            let before = self.text.get(at..scalar.start.max(at)).unwrap_or_default();
            text.extend(before.chars().map(printable));
            text.push('…');
            at = scalar.end.min(range.end);
        }
        text.extend(self.text.get(at..range.end).unwrap_or_default().chars().map(printable));
        text
    }
}

/// Terminals obey control characters; a config has no say over the terminal.
fn printable(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

/// The end of a text that is too long to show.
fn tail(text: &str) -> String {
    let count = text.chars().count();
    if count <= MAX_SHOWN {
        return text.to_owned();
    }
    std::iter::once('…').chain(text.chars().skip(count - MAX_SHOWN + 1)).collect()
}

fn collect_scalars(table: &Table, scalars: &mut Vec<Range<usize>>) {
    for (_, node) in &table.0 {
        collect_value(&node.value, &node.origin, scalars);
    }
}

fn collect_value(value: &Value, origin: &Origin, scalars: &mut Vec<Range<usize>>) {
    match value {
        Value::Table(table) => collect_scalars(table, scalars),
        Value::Array(items) => {
            for item in items {
                collect_value(&item.value, &item.origin, scalars);
            }
        }
        Value::Text(_) | Value::Integer(_) | Value::Boolean(_) | Value::Other(_) => {
            if let Origin::File { value, .. } = origin {
                scalars.push(value.clone());
            }
        }
    }
}

fn collect_places(table: &Table, path: &str, places: &mut BTreeMap<String, Origin>) {
    for (key, node) in &table.0 {
        let path = join(path, key);
        if let Value::Table(inner) = &node.value {
            collect_places(inner, &path, places);
        }
        places.insert(path, node.origin.clone());
    }
}

/// A path and one key more.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
