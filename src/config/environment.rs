//! The environment laid over the file: `SCIMPORT__TARGET__ENTRA__CLIENT_ID` sets `client_id` of
//! `[target.entra]`.
//!
//! A variable's value is TOML where it parses as a TOML value, and text otherwise. Problems name
//! the variable and never its value. Targets and sources must have their header in the file, so
//! that a slip in a variable's name makes no new ones.

use std::sync::Arc;

use toml::de::DeValue;

use crate::config::node::{Node, Origin, Table, Value};
use crate::config::problem::{ConfigPlace, ConfigProblem};
use crate::config::suggest::{did_you_mean, nearest};

/// What the names of all variables that set a key begin with; letter case does not matter.
const PREFIX: &str = "SCIMPORT__";
/// Sections whose tables have names of the user's choice.
const NAMED: [&str; 2] = ["target", "source"];

/// Sets every key that a variable names.
pub(super) fn overlay(
    root: &mut Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<ConfigProblem> {
    let mut ours: Vec<_> = variables.into_iter().filter(|(name, _)| is_ours(name)).collect();
    // A table set whole comes before the keys set in it.
    ours.sort();
    let mut problems = Vec::new();
    for (name, text) in &ours {
        if let Err((message, hint)) = set(root, name, text) {
            let place = ConfigPlace::Variable { name: name.clone() };
            problems.push(ConfigProblem {
                place,
                path: String::new(),
                message,
                hint,
                snippet: None,
            });
        }
    }
    problems
}

fn is_ours(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

fn set(root: &mut Table, name: &str, text: &str) -> Result<(), (String, Option<String>)> {
    let path = name.get(PREFIX.len()..).unwrap_or_default().to_lowercase();
    let mut words: Vec<&str> = path.split("__").collect();
    let unknown = |hint: Option<String>| ("sets no key of the config".to_owned(), hint);
    if words.iter().any(|word| word.is_empty()) {
        return Err(unknown(Some(format!("name it `{PREFIX}SECTION__KEY`"))));
    }
    let mut chosen = None;
    if let [section, name, keys @ ..] = words.as_slice()
        && NAMED.contains(section)
    {
        chosen = Some(chosen_name(root, section, name).map_err(unknown)?);
        match keys {
            [] => return Err(unknown(Some("set the keys of the section one by one".to_owned()))),
            ["mapping", ..] => {
                return Err(("the mapping cannot be set from the environment".to_owned(), None));
            }
            _ => {}
        }
    } else if let [section] = words.as_slice()
        && NAMED.contains(section)
    {
        return Err(unknown(Some("set the keys of the section one by one".to_owned())));
    }
    if let (Some(chosen), Some(word)) = (&chosen, words.get_mut(1)) {
        *word = chosen;
    }
    let variable: Arc<str> = Arc::from(name);
    let Some((key, parents)) = words.split_last() else { return Err(unknown(None)) };
    let mut table = root;
    for parent in parents {
        table = descend(table, parent, &variable).ok_or_else(|| unknown(None))?;
    }
    let raw: Arc<str> = Arc::from(text);
    let node = match DeValue::parse(text) {
        Ok(value) => Node::from_variable(value.into_inner(), &variable, &raw),
        Err(_) => Node {
            value: Value::Text(text.to_owned()),
            origin: Origin::Variable(variable),
            raw: Some(raw),
        },
    };
    table.set(key, node);
    Ok(())
}

/// The name in the file that a word of a variable stands for: `MY_TARGET` is `my-target`.
fn chosen_name(root: &Table, section: &str, word: &str) -> Result<String, Option<String>> {
    let Some(Value::Table(names)) = root.get(section).map(|node| &node.value) else {
        return Err(Some(format!("the file has no `[{section}.…]`")));
    };
    let names = || names.0.iter().map(|(name, _)| name.as_str());
    if let Some(name) = names().find(|name| name.replace('-', "_") == word) {
        return Ok(name.to_owned());
    }
    let suggestion = nearest(word, names()).map(|name| name.replace('-', "_").to_uppercase());
    Err(Some(match suggestion {
        Some(name) => did_you_mean(&name),
        None => format!("the file has no `[{section}.{}]`", word.replace('_', "-")),
    }))
}

/// The table of a key, made where it is missing; `None` where the key holds something else.
fn descend<'t>(table: &'t mut Table, key: &str, variable: &Arc<str>) -> Option<&'t mut Table> {
    if table.get(key).is_none() {
        let value = Value::Table(Table::default());
        table.set(key, Node { value, origin: Origin::Variable(Arc::clone(variable)), raw: None });
    }
    match &mut table.get_mut(key)?.value {
        Value::Table(inner) => Some(inner),
        _ => None,
    }
}
