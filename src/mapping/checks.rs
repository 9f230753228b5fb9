//! Rules that contradict each other, or the attribute they stand at.

use crate::mapping::{Literal, MappingProblem, OnEmpty, Otherwise, RuleConfig, ValueSource};
use crate::scim::AttributePath;

/// Collects the mistakes of one line.
pub(super) struct Say<'a> {
    pub(super) path: &'a str,
    pub(super) problems: &'a mut Vec<MappingProblem>,
}

impl Say<'_> {
    /// Notes a mistake in a key of the right side (or in the line as a whole).
    pub(super) fn wrong(
        &mut self,
        key: Option<&'static str>,
        message: impl Into<String>,
        hint: Option<&str>,
    ) {
        self.problems.push(MappingProblem {
            path: self.path.to_owned(),
            key,
            message: message.into(),
            hint: hint.map(ToOwned::to_owned),
        });
    }

    fn no(&mut self, key: &'static str, message: &str, hint: &str) {
        self.wrong(Some(key), message, Some(hint));
    }
}

/// Finds what can be told without compiling anything.
pub(super) fn check(path: &AttributePath, rule: &RuleConfig, say: &mut Say<'_>) {
    if matches!(rule.value, ValueSource::Const(_)) {
        constant(path, rule, say);
        return;
    }
    together(rule, say);
    if path.is_core("externalId") {
        external_id(rule, say);
    }
    if path.is_core("active") {
        active(rule, say);
    }
    if path.is_boolean() {
        for (key, set) in [
            ("date", !rule.date.is_empty()),
            ("case", rule.case.is_some()),
            ("max", rule.max.is_some()),
        ] {
            if set {
                say.no(key, "the attribute is a boolean, which has no text", "remove it");
            }
        }
    }
    if rule.on_empty == OnEmpty::Null
        && let Some(reason) = never_null(path)
    {
        say.no("on_empty", reason, "use `on_empty = \"omit\"`");
    }
}

fn constant(path: &AttributePath, rule: &RuleConfig, say: &mut Say<'_>) {
    if path.is_core("externalId") {
        say.no("const", "the same id for everybody identifies nobody", "map a column");
    }
    if matches!(&rule.value, ValueSource::Const(Literal::Text(text)) if text.is_empty()) {
        say.no("const", "an empty constant says nothing", "remove the line");
    }
    let column_rules = [
        ("trim", !rule.trim),
        ("empty_words", !rule.empty_words.is_empty()),
        ("default", rule.default.is_some()),
        ("required", rule.required),
        ("on_empty", rule.on_empty != OnEmpty::Omit),
        ("map", rule.map.is_some()),
        ("otherwise", rule.otherwise != Otherwise::Reject),
        ("date", !rule.date.is_empty()),
        ("time", rule.time.is_some()),
        ("case", rule.case.is_some()),
        ("max", rule.max.is_some()),
        ("optional", rule.optional),
    ];
    for (key, _) in column_rules.into_iter().filter(|(_, set)| *set) {
        say.no(
            key,
            "a constant reads no column, so there is nothing to apply this to",
            "remove it",
        );
    }
}

/// Rules that exclude or need each other.
fn together(rule: &RuleConfig, say: &mut Say<'_>) {
    if rule.default.is_some() && rule.required {
        say.no("default", "with `required` an empty value rejects the row", "keep one of the two");
    }
    if rule.on_empty == OnEmpty::Null && (rule.default.is_some() || rule.required) {
        let message = "an empty value has its `default` or rejects the row, and is never null";
        say.no("on_empty", message, "keep one of them");
    }
    if rule.optional && rule.required {
        let message = "without the column every row would be rejected by `required`";
        say.no("optional", message, "keep one of the two");
    }
    if rule.map.is_none() && rule.otherwise != Otherwise::Reject {
        say.no("otherwise", "there is no `map` that could miss a word", "add `map`");
    }
    if rule.map.as_ref().is_some_and(Vec::is_empty) {
        say.no("map", "the table is empty", "add words, or remove it");
    }
    if rule.time.is_some() && rule.date.is_empty() {
        say.no("time", "there is no `date` that it could go with", "add `date`");
    }
    if rule.case.is_some() && !rule.date.is_empty() {
        say.no("case", "a date has no letters to change", "remove it");
    }
    if rule.max == Some(0) {
        say.no("max", "nothing is shorter than one character", "leave the attribute out");
    }
}

fn external_id(rule: &RuleConfig, say: &mut Say<'_>) {
    let hint = "correct such rows at the source";
    if rule.default.is_some() {
        say.no("default", "everybody without an id would get the same one", hint);
    }
    if matches!(rule.otherwise, Otherwise::Value(_)) {
        say.no("otherwise", "everybody with an unknown word would get the same id", hint);
    }
    if rule.optional {
        say.no("optional", "without ids no row of the file can be used", "remove it");
    }
}

fn active(rule: &RuleConfig, say: &mut Say<'_>) {
    if rule.default.is_some() {
        let message = "an empty status must reject the row; it must not switch accounts";
        say.no("default", message, "remove it");
    }
    if rule.optional {
        let message = "`active` is in every operation, so its column must be in every file";
        say.no("optional", message, "remove it");
    }
}

/// Why an explicit null is refused here (Microsoft, "Clear attribute values": single-valued
/// attributes only, never those that match or create an account).
fn never_null(path: &AttributePath) -> Option<&'static str> {
    if path.is_core("externalId") || path.is_core("userName") {
        Some("accounts are matched and created by it, so it is never null")
    } else if path.is_core("active") {
        Some("`active` is always true or false")
    } else if path.is_manager() {
        Some("a manager is a reference, which cannot be cleared by null")
    } else if path.entry_type().is_some() {
        Some("a list cannot be cleared by null")
    } else {
        None
    }
}
