//! What compiles, but will probably not do what somebody hopes for.

use crate::mapping::{Literal, MappingConfig, MappingProblem, Otherwise, RuleConfig, ValueSource};
use crate::scim::AttributePath;

/// The lists of which Entra reads anything, and that only in entries of type `work` (Microsoft,
/// "Troubleshoot API-driven inbound provisioning").
const LISTS_READ: [&str; 3] = ["emails", "phoneNumbers", "addresses"];

/// Goes over a mapping that has compiled.
pub(super) fn find(config: &MappingConfig) -> Vec<MappingProblem> {
    let lines: Vec<_> = config
        .attributes
        .iter()
        .filter_map(|line| Some((AttributePath::parse(&line.path).ok()?, line)))
        .collect();
    let mut found = Vec::new();
    let mut warn = |path: &str, key, message: &str, hint: &str| {
        found.push(MappingProblem {
            path: path.to_owned(),
            key,
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
        });
    };
    if !lines.iter().any(|(path, _)| path.is_core("userName")) {
        let message = "it is not mapped, so Entra cannot build a sign-in name for new accounts";
        warn("userName", None, message, "map the column with the user's sign-in name");
    }
    for (path, line) in &lines {
        if let Some(kind) = path.entry_type() {
            if !LISTS_READ.contains(&path.attribute()) {
                let message = "Entra reads only `emails`, `phoneNumbers` and `addresses`";
                warn(&line.path, None, message, "send it as an attribute of a custom extension");
            } else if kind != "work" {
                let message = "Entra drops every entry whose type is not `work`";
                warn(&line.path, None, message, "send it as an attribute of a custom extension");
            }
            let siblings = lines.iter().filter(|(other, _)| {
                other.attribute() == path.attribute() && other.entry_type() == Some(kind)
            });
            if path.sub_attribute() == Some("primary") && siblings.count() == 1 {
                let message = "an entry with nothing but `primary` is never written";
                warn(&line.path, None, message, "map the entry's value too");
            }
        }
        if path.is_manager() && !lines.iter().any(|(other, _)| other.is_manager_value()) {
            let message = "Entra finds a manager only by `manager.value`";
            warn(&line.path, None, message, "map `enterprise:manager`");
        }
        if path.is_core("active")
            && let Otherwise::Value(Literal::Boolean(value)) = line.rule.otherwise
        {
            let message = format!("every unknown status word becomes `{value}` without a word");
            let hint = "name the words in `map`, so that a new one rejects its rows";
            warn(&line.path, Some("otherwise"), &message, hint);
        }
        if !path.is_boolean()
            && line.rule.kind.is_none()
            && let Some(key) = typed_literal(&line.rule)
        {
            let message = "the attribute is text, so this goes out as text";
            warn(&line.path, Some(key), message, "write it in quotes");
        }
    }
    found
}

/// The key whose value is a boolean or a number.
fn typed_literal(rule: &RuleConfig) -> Option<&'static str> {
    let typed = |literal: &Literal| !matches!(literal, Literal::Text(_));
    if matches!(&rule.value, ValueSource::Const(literal) if typed(literal)) {
        return Some("const");
    }
    if rule.default.as_ref().is_some_and(typed) {
        return Some("default");
    }
    if rule.map.iter().flatten().any(|(_, literal)| typed(literal)) {
        return Some("map");
    }
    matches!(&rule.otherwise, Otherwise::Value(literal) if typed(literal)).then_some("otherwise")
}
