//! From the hashtable of a mapping file to lines of our mapping, and to gaps where there is no line
//! that says the same.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::tz::TimeZone;

use crate::mapping::psd1::expression::{Expression, Reason};
use crate::mapping::psd1::read::{Entry, Item, Value};
use crate::mapping::psd1::rule::{Made, Wanted, column, make};
use crate::mapping::psd1::{Gap, Line, Part, script};
use crate::mapping::{AttributeConfig, Mapping, MappingConfig, RuleConfig};
use crate::scim::{Attribute, AttributePath, Kind, core_attribute, enterprise_attribute, urns};

/// Attributes that every mapping needs.
const NEEDED: [(&str, &str); 2] = [
    ("externalId", "map the column with the worker's id: `externalId = \"WorkerID\"`"),
    (
        "active",
        "map the status: `active = { from = \"Status\", map = { Active = true, Inactive = false } }`",
    ),
];

/// Most letters of the original that a line or a gap keeps.
const MAX_SOURCE_LETTERS: usize = 4_000;

/// Translates all entries.
pub(super) fn translate(text: &str, entries: &[Entry]) -> Vec<Part> {
    let mut translator = Translator { text, parts: Vec::new(), paths: BTreeSet::new() };
    for entry in entries {
        translator.top(entry);
    }
    for (path, hint) in NEEDED {
        if !translator.paths.contains(path) {
            translator.parts.push(Part::Gap(Gap {
                line: None,
                key: path.to_owned(),
                text: String::new(),
                message: "it is not mapped, and every mapping needs it".to_owned(),
                hint: Some(hint.to_owned()),
            }));
        }
    }
    translator.parts
}

struct Translator<'t> {
    text: &'t str,
    parts: Vec<Part>,
    /// Paths that have a line, or a gap of their own.
    paths: BTreeSet<String>,
}

impl Translator<'_> {
    fn top(&mut self, entry: &Entry) {
        let key = entry.key.as_str();
        let is_urn = key
            .get(..urns::PREFIX.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(urns::PREFIX));
        if !is_urn {
            return self.known("", core_attribute(key), entry);
        }
        let Value::Table(parts) = &entry.item.value else {
            let message = "a schema has attributes, and this is none of them";
            return self.gap(entry, key, Reason::new(message));
        };
        for part in parts {
            if key.eq_ignore_ascii_case(urns::ENTERPRISE_USER) {
                self.known("enterprise:", enterprise_attribute(&part.key), part);
            } else if key.eq_ignore_ascii_case(urns::CORE_USER) {
                self.known("", core_attribute(&part.key), part);
            } else {
                self.custom(key, part);
            }
        }
    }

    /// An attribute of a schema that is known, if it is one.
    fn known(&mut self, prefix: &str, attribute: Option<&'static Attribute>, entry: &Entry) {
        let Some(attribute) = attribute else {
            let path = format!("{prefix}{}", entry.key);
            let reason = no_attribute(&path);
            return self.gap(entry, &path, reason);
        };
        let path = format!("{prefix}{}", attribute.name);
        match (attribute.kind, &entry.item.value) {
            (Kind::Single(_), _) => self.value(&path, entry, &[]),
            (Kind::Complex(parts), Value::Table(entries)) => {
                for entry in entries {
                    let part = parts.iter().find(|part| part.name.eq_ignore_ascii_case(&entry.key));
                    let name = part.map_or(entry.key.as_str(), |part| part.name);
                    self.value(&format!("{path}.{name}"), entry, &[]);
                }
            }
            (Kind::Complex(parts), Value::Text(_) | Value::Script(_))
                if parts.iter().any(|part| part.name == "value") =>
            {
                let note = "CSV2SCIM sends this as plain text; here it is the attribute's `value`";
                self.value(&path, entry, &[note]);
            }
            (Kind::MultiValued(_), Value::List(items)) => {
                for item in items {
                    self.list_entry(&path, attribute, item, &[]);
                }
            }
            (Kind::MultiValued(_), Value::Table(_)) => {
                let note = "CSV2SCIM wants a list of entries here, `@( @{ … } )`, and refuses this";
                self.list_entry(&path, attribute, &entry.item, &[note]);
            }
            (Kind::MultiValued(_), Value::Text(_) | Value::Script(_)) => {
                let message = "the attribute is a list, whose entries are told apart by their type";
                let hint = format!("map one entry: `'{path}[type eq \"work\"].value' = \"…\"`");
                self.gap(entry, &path, Reason::with(message, hint));
            }
            (Kind::Complex(_) | Kind::MultiValued(_), _) => {
                let reason = odd(&entry.item.value)
                    .unwrap_or_else(|| Reason::new("the attribute has parts, and this is a list"));
                self.gap(entry, &path, reason);
            }
        }
    }

    /// An entry of a list. Its type is part of the path here.
    fn list_entry(&mut self, path: &str, attribute: &Attribute, item: &Item, notes: &[&str]) {
        let Value::Table(entries) = &item.value else {
            let message = "an entry of the list is no hashtable with a type";
            return self.gap_at(&item.span, item.line, path, Reason::new(message));
        };
        let kind = entries.iter().find(|entry| entry.key.eq_ignore_ascii_case("type"));
        let kind = match kind.map(|kind| &kind.item.value) {
            Some(Value::Script(text)) => match script::read(text) {
                Ok(Expression::Text(kind)) => Ok(kind),
                _ => Err(Reason::new("the type of the entry is no constant")),
            },
            Some(Value::Text(name)) => Err(Reason::with(
                format!("`type = '{name}'` names a column `{name}`, so CSV2SCIM sends no type"),
                format!("`type = {{ '{name}' }}` was meant: `'{path}[type eq \"{name}\"].value'`"),
            )),
            Some(_) => Err(Reason::new("the type of the entry is no constant")),
            None => Err(Reason::with(
                "the entry has no type, and entries are told apart by it",
                format!("Entra reads only entries like `'{path}[type eq \"work\"].value'`"),
            )),
        };
        let kind = match kind {
            Ok(kind) => kind,
            Err(reason) => return self.gap_at(&item.span, item.line, path, reason),
        };
        let path = format!("{path}[type eq \"{kind}\"]");
        let others: Vec<&Entry> =
            entries.iter().filter(|entry| !entry.key.eq_ignore_ascii_case("type")).collect();
        if others.is_empty() {
            let message = "the entry has a type and nothing else";
            return self.gap_at(&item.span, item.line, &path, Reason::new(message));
        }
        for entry in others {
            let parts = attribute.sub_attributes();
            let part = parts.iter().find(|part| part.name.eq_ignore_ascii_case(&entry.key));
            let name = part.map_or(entry.key.as_str(), |part| part.name);
            let mut notes = notes.to_vec();
            if attribute.name == "addresses" && name == "primary" {
                notes.push("CSV2SCIM refuses `primary` of an address, which RFC 7643 forgets");
            }
            self.value(&format!("{path}.{name}"), entry, &notes);
        }
    }

    fn custom(&mut self, urn: &str, entry: &Entry) {
        self.value(&format!("{urn}:{}", entry.key), entry, &[]);
    }

    /// One value at a path.
    fn value(&mut self, path: &str, entry: &Entry, notes: &[&str]) {
        let Ok(parsed) = AttributePath::parse(path) else {
            return self.gap(entry, path, no_attribute(path));
        };
        let wanted = match &parsed {
            path if path.is_core("active") => Wanted::Active,
            path if path.is_boolean() => Wanted::Boolean,
            path if path.custom_urn().is_some() => Wanted::Any,
            _ => Wanted::Text,
        };
        let made = match &entry.item.value {
            Value::Text(name) if name.trim().is_empty() => {
                Err(Reason::new("the name of the column is empty"))
            }
            Value::Text(name) => Ok(from_column(name, wanted)),
            Value::Script(text) => script::read(text).and_then(|found| make(&found, wanted)),
            Value::List(_) => Err(Reason::with(
                "CSV2SCIM sends a list here, and an attribute has one value",
                "map one of the columns, or put them together: `\"{First} {Second}\"`",
            )),
            Value::Table(_) => Err(Reason::new("the attribute is one value and has no parts")),
            other => Err(odd(other).unwrap_or_else(|| Reason::new("it is no value"))),
        };
        let mut made = match made {
            Ok(made) => made,
            Err(reason) => return self.gap(entry, path, reason),
        };
        made.notes.extend(notes.iter().map(|note| (*note).to_owned()));
        if let Some(reason) = refused(path, &made.rule) {
            return self.gap(entry, path, reason);
        }
        if !self.paths.insert(parsed.to_string()) {
            return self.gap(entry, path, Reason::new("the attribute is mapped a second time"));
        }
        let is_script = matches!(entry.item.value, Value::Script(_));
        self.parts.push(Part::Line(Line {
            path: path.to_owned(),
            rule: made.rule,
            line: entry.item.line,
            script: is_script.then(|| self.source(&entry.span)),
            notes: made.notes,
        }));
    }

    fn gap(&mut self, entry: &Entry, path: &str, reason: Reason) {
        self.gap_at(&entry.span, entry.item.line, path, reason);
    }

    fn gap_at(&mut self, span: &Range<usize>, line: usize, path: &str, reason: Reason) {
        // whoever reads of the gap needs not read that it is missing, too
        if let Ok(path) = AttributePath::parse(path) {
            self.paths.insert(path.to_string());
        }
        self.parts.push(Part::Gap(Gap {
            line: Some(line),
            key: path.to_owned(),
            text: self.source(span),
            message: reason.message,
            hint: reason.hint,
        }));
    }

    /// The original, cut where it is long.
    fn source(&self, span: &Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or_default();
        text.chars().take(MAX_SOURCE_LETTERS).collect()
    }
}

fn from_column(name: &str, wanted: Wanted) -> Made {
    let mut notes = Vec::new();
    if wanted == Wanted::Active {
        notes.push(
            "only the words true and false are taken; name others in `map`, and what each means"
                .to_owned(),
        );
    }
    Made { rule: column(name), notes }
}

/// Numbers, booleans and nulls, which mean nothing that anybody wants.
fn odd(value: &Value) -> Option<Reason> {
    match value {
        Value::Other(text) => Some(Reason::with(
            format!("without braces `{text}` is the name of a column, so CSV2SCIM sends null"),
            "a value for everybody is written `{ const = … }`",
        )),
        Value::Null => Some(Reason::with(
            "CSV2SCIM fails at `$null` and leaves the attribute out",
            "leave the line out",
        )),
        _ => None,
    }
}

fn no_attribute(path: &str) -> Reason {
    match AttributePath::parse(path) {
        Err(error) => Reason {
            hint: error.suggestion.as_ref().map(|meant| format!("did you mean `{meant}`?")),
            message: error.message,
        },
        Ok(_) => Reason::new("there is no such attribute"),
    }
}

/// Why our mapping would refuse the line, if it would.
fn refused(path: &str, rule: &RuleConfig) -> Option<Reason> {
    let line = |path: &str, rule: RuleConfig| AttributeConfig { path: path.to_owned(), rule };
    let mut config = MappingConfig::default();
    for (needed, _) in NEEDED {
        if needed != path {
            config.attributes.push(line(needed, column("Column")));
        }
    }
    config.attributes.push(line(path, rule.clone()));
    let problems = Mapping::compile(&config, Some(&TimeZone::UTC)).err()?;
    let problem = problems.into_iter().next()?;
    Some(Reason { message: problem.message, hint: problem.hint })
}
