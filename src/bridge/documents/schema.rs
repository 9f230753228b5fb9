//! What `schema diff`, `push` and `restore` print with `--json`.

use serde_json::{Value, json};

use crate::bridge::{SchemaLook, SchemaReturn};
use crate::entra::{AttributeType, Written};

/// A job's schema held against the mappings.
#[must_use]
pub fn schema_difference(look: &SchemaLook) -> Value {
    let found = &look.difference;
    let missing = found.missing.iter().map(|new| attribute(&new.name, &new.kind));
    let unmapped = found.unmapped.iter().map(|known| attribute(&known.name, &known.kind));
    let types = found.types.iter().map(|other| {
        json!({
            "name": other.name,
            "source": other.written.source.as_str(),
            "mapping": other.written.kind.as_str(),
            "directory": other.known.as_str(),
        })
    });
    let letters = found
        .letters
        .iter()
        .map(|other| json!({ "mapping": other.mapped, "directory": other.known }));
    let conflicts = found.conflicts.iter().map(|conflict| {
        let written = |written: &Written| {
            json!({ "source": written.source.as_str(), "type": written.kind.as_str() })
        };
        let written: Vec<Value> = conflict.written.iter().map(written).collect();
        json!({ "name": conflict.name, "written": written })
    });
    json!({
        "target": look.target.as_str(),
        "rule": look.rule,
        "directory": look.directory,
        "object": look.object,
        "equal": found.is_fine(),
        "missing": missing.collect::<Vec<_>>(),
        "type_differences": types.collect::<Vec<_>>(),
        "letter_differences": letters.collect::<Vec<_>>(),
        "conflicts": conflicts.collect::<Vec<_>>(),
        "unmapped": unmapped.collect::<Vec<_>>(),
    })
}

/// The same, and what was done about it: whether something was added, and where the schema as it was
/// before is kept.
#[must_use]
pub fn schema_push(look: &SchemaLook, is_pushed: bool, backup: Option<&str>) -> Value {
    let added = if is_pushed { look.difference.missing.as_slice() } else { &[] };
    let added: Vec<Value> = added.iter().map(|new| attribute(&new.name, &new.kind)).collect();
    let mut document = schema_difference(look);
    if let Some(members) = document.as_object_mut() {
        members.insert("pushed".to_owned(), json!(is_pushed));
        members.insert("added".to_owned(), json!(added));
        members.insert("backup".to_owned(), json!(backup));
    }
    document
}

/// A backup held against the present schema, and whether it was put back.
#[must_use]
pub fn schema_restore(back: &SchemaReturn, is_restored: bool, backup: Option<&str>) -> Value {
    let change = |change: &crate::entra::SchemaChange| json!({ "place": change.place, "change": change.kind.as_str() });
    json!({
        "target": back.target.as_str(),
        "changes": back.changes.iter().map(change).collect::<Vec<_>>(),
        "restored": is_restored,
        "backup": backup,
    })
}

fn attribute(name: &str, kind: &AttributeType) -> Value {
    json!({ "name": name, "type": kind.as_str() })
}
