//! `[source.NAME.mapping]`: SCIM attribute paths and where their values come from.
//!
//! Shapes only: whether a path is an attribute and whether the rules go together is for `mapping`
//! to say. A path with anything but letters, digits, `-` and `_` in it is a quoted key. An
//! unquoted `name.givenName` makes a table in TOML; it is read as the same path, as long as no key
//! of that table is, or nearly is, the name of a rule.

use std::collections::BTreeSet;

use crate::config::node::Value;
use crate::config::rule;
use crate::config::section::{Field, Section};
use crate::config::suggest::is_near;
use crate::mapping::{AttributeConfig, MappingConfig, RuleConfig, ValueSource};

/// Reads the mapping in the order of the file.
pub(super) fn read(field: &Field<'_>) -> Option<MappingConfig> {
    let section = field.header()?;
    let mut mapping = MappingConfig::default();
    lines(&section, "", &mut BTreeSet::new(), &mut mapping.attributes);
    Some(mapping)
}

fn lines(
    section: &Section<'_>,
    prefix: &str,
    paths: &mut BTreeSet<String>,
    attributes: &mut Vec<AttributeConfig>,
) {
    for field in section.fields() {
        let path = match prefix {
            "" => field.key.to_owned(),
            prefix => format!("{prefix}.{}", field.key),
        };
        if path.trim().is_empty() {
            field.refuse_key("the name of an attribute is empty".to_owned(), None);
            continue;
        }
        let rule = match &field.node.value {
            Value::Text(_) => field.text().map(|text| RuleConfig::new(column_or_template(text))),
            Value::Table(_) => match field.part() {
                Some(table) if is_group(&table) => {
                    lines(&table, &path, paths, attributes);
                    continue;
                }
                Some(table) => rule::read(&table),
                None => None,
            },
            other => {
                let message = format!(
                    "`{}` has to be a column in quotes or a table of rules, found {}",
                    field.key,
                    other.kind()
                );
                let hint = "a value for everybody is written `{ const = … }`".to_owned();
                field.refuse_key(message, Some(hint));
                None
            }
        };
        if !paths.insert(path.clone()) {
            field.refuse_key(format!("`{path}` is mapped a second time"), None);
        }
        attributes.extend(rule.map(|rule| AttributeConfig { path, rule }));
    }
}

/// Whether a table holds attributes of a complex attribute, not rules. One with a key that is
/// nearly a rule counts as rules, so that the slip is told with its suggestion.
fn is_group(table: &Section<'_>) -> bool {
    let all_rules = || rule::KEYS.iter();
    let has_rule = table.fields().any(|field| all_rules().any(|word| *word == field.key));
    if has_rule || table.fields().next().is_none() {
        return false;
    }
    !table.fields().any(|field| all_rules().any(|word| is_near(field.key, word)))
}

/// Text in the place of a rule: a template when it has `{Column}` in it, else a column.
fn column_or_template(text: &str) -> ValueSource {
    let literal = text.replace("{{", "");
    let has_column = literal.find('{').is_some_and(|open| {
        literal.get(open..).is_some_and(|rest| rest.find('}').is_some_and(|close| close > 1))
    });
    if has_column {
        ValueSource::Template(text.to_owned())
    } else {
        ValueSource::Column(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_a_column_in_braces_is_a_template() {
        let template = |text: &str| ValueSource::Template(text.to_owned());
        let column = |text: &str| ValueSource::Column(text.to_owned());
        for text in ["{A} {B}", "x{A}", "{{{A}", "{A}{{"] {
            assert_eq!(column_or_template(text), template(text));
        }
        for text in ["A", "A}", "{{A}", "{A", "{}", "Cost Center"] {
            assert_eq!(column_or_template(text), column(text));
        }
    }
}
