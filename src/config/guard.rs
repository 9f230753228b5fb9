//! `guard` of a source: how much may change in one run before somebody has to approve it.
//!
//! A guard that could never trip, by a slip in its limit or its attribute, would be worse than none,
//! so what reaches over the whole and what is not mapped is refused.

use crate::config::node::Value;
use crate::config::section::{Field, Section};
use crate::config::suggest::{did_you_mean, nearest};
use crate::plan::{Bound, Guards, Percent};
use crate::scim::AttributePath;

pub(super) const KEYS: &[&str] = &[
    "max_leavers",
    "max_joiners",
    "max_changes",
    "max_rejects",
    "max_inactive",
    "min_rows",
    "attributes",
];
/// Most digits of a number in quotes, so that it is one of 32 bits.
const MAX_DIGITS: usize = 9;
/// What a bound has to be, for messages.
const KINDS: &str = "a number, a percentage in quotes, a list of both, or `false`";
/// What a bound looks like, for hints.
const EXAMPLES: &str = "write it like `500`, `\"5%\"` or `[\"500\", \"5%\"]`; `false` turns it off";

/// What a bound is a share of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    /// What is counted is a part of it: more than 100 % never happens.
    OfWhole,
    /// What is counted comes on top.
    OnTop,
}

/// One limit of a bound.
enum Limit {
    Count(u64),
    Percent(Percent),
}

/// Reads the table; `mapped` are the paths that the source maps.
pub(super) fn read(field: &Field<'_>, mapped: &[String]) -> Option<Guards> {
    let section = field.part()?;
    section.check_keys(KEYS);
    let default = Guards::default();
    let read = |key: &str, share, default| {
        section.get(key).and_then(|field| bound(&field, share)).unwrap_or(default)
    };
    let mut attributes = Vec::new();
    if let Some(table) = section.get("attributes").and_then(|field| field.part()) {
        paths(&table, "", mapped, &mut attributes);
    }
    Some(Guards {
        max_leavers: read("max_leavers", Share::OfWhole, default.max_leavers),
        max_joiners: read("max_joiners", Share::OnTop, default.max_joiners),
        max_changes: read("max_changes", Share::OnTop, default.max_changes),
        max_rejects: read("max_rejects", Share::OfWhole, default.max_rejects),
        max_inactive: read("max_inactive", Share::OfWhole, default.max_inactive),
        min_rows: section.get("min_rows").map_or(default.min_rows, |field| min_rows(&field)),
        attributes,
    })
}

/// `false`, one limit, or a list of one number and one percentage.
fn bound(field: &Field<'_>, share: Share) -> Option<Bound> {
    match &field.node.value {
        Value::Boolean(false) => Some(Bound::OFF),
        Value::Boolean(true) => {
            field
                .refuse(format!("`{}` is on without `true`", field.key), Some(EXAMPLES.to_owned()));
            None
        }
        Value::Array(_) => {
            let items = field.items()?;
            if items.is_empty() {
                field.refuse_key(
                    format!("`{}` lists nothing", field.key),
                    Some(EXAMPLES.to_owned()),
                );
                return None;
            }
            let mut both = Bound::OFF;
            for item in &items {
                let is_second = match limit(item, share)? {
                    Limit::Count(count) => both.count.replace(count).is_some(),
                    Limit::Percent(percent) => both.percent.replace(percent).is_some(),
                };
                if is_second {
                    let message = format!("`{}` lists two limits of one kind", field.key);
                    field.refuse_key(message, Some(EXAMPLES.to_owned()));
                    return None;
                }
            }
            Some(both)
        }
        _ => Some(match limit(field, share)? {
            Limit::Count(count) => Bound { count: Some(count), percent: None },
            Limit::Percent(percent) => Bound { count: None, percent: Some(percent) },
        }),
    }
}

fn limit(field: &Field<'_>, share: Share) -> Option<Limit> {
    match &field.node.value {
        Value::Integer(_) => field.positive().map(|count| Limit::Count(count.into())),
        Value::Text(text) => {
            let limit = parse(text);
            if limit.is_none() {
                let message = format!("`{}` is neither a number nor a percentage", field.key);
                field.refuse(message, Some(EXAMPLES.to_owned()));
            }
            if let Some(Limit::Percent(percent)) = limit
                && share == Share::OfWhole
                && percent.is_over_whole()
            {
                let message = format!("`{}` is more than 100 % and could never trip", field.key);
                field.refuse(message, Some(EXAMPLES.to_owned()));
                return None;
            }
            limit
        }
        Value::Boolean(_) | Value::Array(_) | Value::Table(_) | Value::Other(_) => {
            field.wrong_type(KINDS);
            None
        }
    }
}

/// A number or a percentage, neither of them zero.
fn parse(text: &str) -> Option<Limit> {
    if text.ends_with('%') {
        return Percent::parse(text).map(Limit::Percent);
    }
    let is_number = text.len() <= MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let count = text.parse().ok().filter(|count| is_number && *count > 0)?;
    Some(Limit::Count(count))
}

/// A number of rows; `None` where it is turned off.
fn min_rows(field: &Field<'_>) -> Option<u64> {
    match field.node.value {
        Value::Boolean(false) => {}
        Value::Integer(_) => return field.positive().map(u64::from),
        _ => field.wrong_type("a number of rows, or `false`"),
    }
    None
}

/// Bounds by attribute. An unquoted `name.givenName` makes a table in TOML; it is read as the same
/// path.
fn paths(
    table: &Section<'_>,
    prefix: &str,
    mapped: &[String],
    attributes: &mut Vec<(String, Bound)>,
) {
    for field in table.fields() {
        let path = match prefix {
            "" => field.key.to_owned(),
            prefix => format!("{prefix}.{}", field.key),
        };
        if let Some(inner) = field.is_table().then(|| field.part()).flatten() {
            paths(&inner, &path, mapped, attributes);
            continue;
        }
        let bound = bound(&field, Share::OfWhole);
        check(&field, &path, mapped);
        attributes.extend(bound.map(|bound| (path, bound)));
    }
}

/// Reports a path that no line of the mapping has.
fn check(field: &Field<'_>, path: &str, mapped: &[String]) {
    let parsed = match AttributePath::parse(path) {
        Ok(parsed) => parsed,
        Err(fault) => {
            let hint = fault.suggestion.as_deref().map(did_you_mean);
            field.refuse_key(format!("`{path}` is no attribute: {fault}"), hint);
            return;
        }
    };
    let is_it = |other: &String| AttributePath::parse(other).is_ok_and(|other| other == parsed);
    if !mapped.iter().any(is_it) {
        let hint = nearest(path, mapped.iter().map(String::as_str)).map(did_you_mean);
        let message = format!("`{path}` is not mapped, so its guard could never trip");
        field.refuse_key(message, hint);
    }
}
