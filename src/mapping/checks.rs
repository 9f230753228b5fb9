//! Rules that contradict each other, or the attribute they stand at.

use crate::domain::fold_header;
use crate::mapping::expr::{Expression, Kind};
use crate::mapping::{
    Between, Literal, MappingProblem, OnEmpty, Otherwise, RuleConfig, ValueSource, ValueType,
};
use crate::scim::{AttributePath, MAX_EXTERNAL_ID_CHARS};

/// Most digits that zeros are put before: no id is longer.
const MAX_PAD: usize = MAX_EXTERNAL_ID_CHARS;

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
    kind(path, rule, say);
    if matches!(rule.value, ValueSource::Const(_)) {
        constant(path, rule, say);
        return;
    }
    if let ValueSource::Between(days) = &rule.value {
        between(path, days, rule, say);
        return;
    }
    together(rule, say);
    digits(rule, say);
    if path.is_core("externalId") {
        external_id(rule, say);
    }
    if path.is_core("active") {
        active(rule, say);
    }
    if path.is_manager_value() && rule.truncate {
        say.no("truncate", "an id that is cut is another one", "correct such rows at the source");
    }
    let is_boolean = path.is_boolean() || rule.kind == Some(ValueType::Boolean);
    for (key, set, for_numbers) in [
        ("pad", rule.pad.is_some(), false),
        ("date", !rule.date.is_empty(), false),
        ("case", rule.case.is_some(), false),
        ("ascii", rule.ascii, false),
        ("max", rule.max.is_some(), true),
        ("truncate", rule.truncate, false),
    ] {
        if set && is_boolean {
            say.no(key, "the attribute is a boolean, which has no text", "remove it");
        } else if set && !for_numbers && rule.kind.is_some() {
            say.no(key, "`type` writes a number, which has no text", "keep one of the two");
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
    for key in rules_set(rule) {
        let message = "a constant reads no column, so there is nothing to apply this to";
        say.no(key, message, "remove it");
    }
}

/// The rules beside where the value comes from.
fn rules_set(rule: &RuleConfig) -> impl Iterator<Item = &'static str> {
    let rules = [
        ("trim", !rule.trim),
        ("empty_words", !rule.empty_words.is_empty()),
        ("default", rule.default.is_some()),
        ("required", rule.required),
        ("on_empty", rule.on_empty != OnEmpty::Omit),
        ("pad", rule.pad.is_some()),
        ("map", rule.map.is_some()),
        ("otherwise", rule.otherwise != Otherwise::Reject),
        ("date", !rule.date.is_empty()),
        ("time", rule.time.is_some()),
        ("case", rule.case.is_some()),
        ("ascii", rule.ascii),
        ("max", rule.max.is_some()),
        ("truncate", rule.truncate),
        ("optional", rule.optional),
    ];
    rules.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key)
}

/// From one day to another: for `active` alone, and with nothing beside it but how dates are read.
fn between(path: &AttributePath, days: &Between, rule: &RuleConfig, say: &mut Say<'_>) {
    if !path.is_core("active") {
        let message = "only `active` is true from one day to another";
        say.no("between", message, "map a day with `from` and `date`");
    }
    let [start, end] = [&days.start, &days.end].map(|name| fold_header(name.trim()));
    if start.is_empty() || end.is_empty() {
        let hint = "name the columns with the first and the last day";
        say.no("between", "a column has no name", hint);
    } else if start == end {
        let hint = "name the columns with the first and the last day";
        say.no("between", "both days are in the same column", hint);
    }
    for key in rules_set(rule).filter(|key| !["trim", "empty_words", "date"].contains(key)) {
        let message = "two days make true or false, and there is nothing to apply this to";
        say.no(key, message, "remove it");
    }
}

/// What an expression comes to, held against the line it stands in.
pub(super) fn expression(expression: &Expression, rule: &RuleConfig, say: &mut Say<'_>) {
    if expression.kind() == Kind::List {
        let message = "it gives a list, and the attribute has one value";
        say.no("expr", message, "put it together with Join, or take one with Item");
    }
    if expression.leaves_out_empty() && (rule.default.is_some() || rule.on_empty == OnEmpty::Null) {
        let message =
            "`IgnoreFlowIfNullOrEmpty` leaves out an empty value, so nothing else becomes of it";
        say.no("expr", message, "keep one of them");
    }
    if say.path == "externalId" && expression.columns().is_empty() {
        say.no("expr", "the same id for everybody identifies nobody", "name a column");
    }
}

/// Whether the attribute can be of the type asked for.
fn kind(path: &AttributePath, rule: &RuleConfig, say: &mut Say<'_>) {
    if path.is_boolean() {
        if rule.kind == Some(ValueType::Integer) {
            say.no("type", "the attribute is a boolean", "remove it");
        }
    } else if rule.kind.is_some() && path.custom_urn().is_none() {
        let message = "the attribute is text by RFC 7643, and only text is taken for it";
        say.no("type", message, "remove it, or use an attribute of a custom extension");
    }
}

/// Zeros before a number, and values that are cut.
fn digits(rule: &RuleConfig, say: &mut Say<'_>) {
    match rule.pad {
        Some(0) => say.no("pad", "nothing is shorter than no digit", "say how many digits"),
        Some(most) if most > MAX_PAD => {
            let message = format!("zeros are put before {MAX_PAD} digits at most");
            say.wrong(Some("pad"), message, Some("say how many digits the values have"));
        }
        Some(digits) if !rule.truncate && rule.max.is_some_and(|max| max < digits) => {
            say.no("pad", "what it makes is longer than `max`", "correct one of the two");
        }
        _ => {}
    }
    if rule.pad.is_some() && !rule.date.is_empty() {
        say.no("pad", "a date is no number that has lost its zeros", "keep one of the two");
    }
    if rule.truncate && rule.max.is_none() {
        say.no("truncate", "there is no `max` to cut to", "add `max`");
    }
    if rule.truncate && !rule.date.is_empty() {
        say.no("truncate", "a date that is cut is none", "remove it");
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
    if rule.ascii && !rule.date.is_empty() {
        say.no("ascii", "a date has no letters to change", "remove it");
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
    if rule.truncate {
        say.no("truncate", "an id that is cut may be somebody else's", hint);
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
