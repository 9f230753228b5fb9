//! Schemas and what is missing in them, as a person reads it.

use std::fmt::Write as _;
use std::path::Path;

use crate::bridge::{SchemaLook, SchemaReturn};
use crate::cli::words::{plural, thousands};
use crate::entra::Written;

/// What was found, a group for each kind of difference.
pub fn look(look: &SchemaLook) -> String {
    let mut text = String::new();
    let found = &look.difference;
    let _ = writeln!(text, "target     {}", look.target);
    let _ = writeln!(text, "rule       {}", look.rule);
    let _ = writeln!(
        text,
        "directory  {}, object {} with {} attribute{}",
        look.directory,
        look.object,
        look.attributes,
        plural(count(look.attributes))
    );
    let _ =
        writeln!(text, "mappings   {} custom attribute{}", look.mapped, plural(count(look.mapped)));
    let missing = found.missing.iter().map(|new| format!("{}  {}", new.name, new.kind));
    group(&mut text, "not known to the job, so Entra passes over them in silence", missing);
    let types = found.types.iter().map(|other| {
        let Written { source, kind } = &other.written;
        format!("{}  is {}, and `{source}` writes {kind}", other.name, other.known)
    });
    group(
        &mut text,
        "known as another type: correct `type` or `date` in the mapping, or the attribute in the portal",
        types,
    );
    let letters =
        found.letters.iter().map(|other| format!("{}  is known as {}", other.mapped, other.known));
    group(
        &mut text,
        "known in other letters: write them in the mapping as the job has them",
        letters,
    );
    let conflicts = found.conflicts.iter().map(|conflict| {
        let as_what = |written: &Written| format!("`{}` writes {}", written.source, written.kind);
        let written: Vec<String> = conflict.written.iter().map(as_what).collect();
        format!("{}  {}", conflict.name, written.join(", "))
    });
    group(
        &mut text,
        "written as different types, so nothing can be added: agree on one in the mappings",
        conflicts,
    );
    let unmapped = found.unmapped.iter().map(|known| format!("{}  {}", known.name, known.kind));
    group(&mut text, "known to the job, and written by no mapping (no fault)", unmapped);
    if look.mapped == 0 {
        let _ = write!(text, "\nthe mappings write no custom attribute");
    } else if found.is_fine() {
        let _ = write!(text, "\nthe job knows every custom attribute that the mappings write");
    }
    text.trim_end().to_owned()
}

fn group(text: &mut String, heading: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{heading}:");
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

/// What a push would do.
pub fn would_add(look: &SchemaLook) -> String {
    let new = look.difference.missing.len();
    format!(
        "{new} attribute{} would be added to object {} of directory {}",
        plural(count(new)),
        look.object,
        look.directory
    )
}

/// What is asked before a push.
pub fn push_question(look: &SchemaLook) -> String {
    let new = look.difference.missing.len();
    format!(
        "Add {new} attribute{} to object {} of directory {} in the job of target `{}`?",
        plural(count(new)),
        look.object,
        look.directory,
        look.target
    )
}

/// What was pushed, and what is still to do.
pub fn pushed(look: &SchemaLook, backup: &Path) -> String {
    let new = look.difference.missing.len();
    format!(
        "added {new} attribute{}, and read again: the job has {} and everything else as it was\n\
         the schema from before is in `{}`\n\
         next: say where they go, or nothing comes of them: Entra admin center, Enterprise applications, \
         the provisioning app, Provisioning, Mappings, the mapping of users, Add New Mapping",
        plural(count(new)),
        if new == 1 { "it" } else { "them" },
        backup.display()
    )
}

/// Most changes that are shown one by one.
const SHOWN: usize = 40;

/// What putting a backup back would change.
pub fn changes(back: &SchemaReturn, from: &Path) -> String {
    let all = back.changes.len();
    let mut text = format!(
        "putting back `{}` makes {} change{} to the schema of the job of target `{}`:\n",
        from.display(),
        thousands(count(all)),
        plural(count(all)),
        back.target
    );
    for change in back.changes.iter().take(SHOWN) {
        let _ = writeln!(text, "  {:<8} {}", change.kind.as_str(), change.place);
    }
    if all > SHOWN {
        let _ = writeln!(text, "  and {} more", thousands(count(all - SHOWN)));
    }
    text.trim_end().to_owned()
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
