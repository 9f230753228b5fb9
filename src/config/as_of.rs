//! `as_of` of a source: when the content of a file was true.

use crate::config::node::Value;
use crate::config::rows::dated;
use crate::config::section::{Field, Section};
use crate::plan::{AsOf, NamePattern};

pub(super) const KEYS: &[&str] = &["name", "column", "date"];
const WORDS: [(&str, AsOf); 1] = [("arrival", AsOf::Arrival)];
const EXAMPLES: &str =
    "write `\"arrival\"`, `{ name = \"workers-%Y%m%d.csv\" }` or `{ column = \"ExportDate\" }`";

/// Reads the word or the table.
pub(super) fn read(field: &Field<'_>) -> Option<AsOf> {
    match &field.node.value {
        Value::Text(text) => {
            let word = WORDS.into_iter().find(|(word, _)| word == text).map(|(_, as_of)| as_of);
            if word.is_none() {
                let message = "`as_of` has to be `arrival` or a table with `name` or `column`";
                field.refuse(message.to_owned(), Some(EXAMPLES.to_owned()));
            }
            word
        }
        Value::Table(_) => table(&field.part()?),
        _ => {
            field.wrong_type("`arrival` in quotes or a table with `name` or `column`");
            None
        }
    }
}

fn table(section: &Section<'_>) -> Option<AsOf> {
    section.check_keys(KEYS);
    let title = section.title();
    match (section.get("name"), section.get("column")) {
        (Some(_), Some(_)) => {
            section.refuse(format!("{title} takes `name` or `column`, not both"), None);
            None
        }
        (Some(field), None) => {
            if let Some(date) = section.get("date") {
                let message = "`date` goes with `column`; a `name` has its date in it";
                date.refuse_key(message.to_owned(), Some(EXAMPLES.to_owned()));
            }
            name(&field)
        }
        (None, Some(_)) => {
            let (column, date) = dated(section)?;
            Some(AsOf::Column { column, date })
        }
        (None, None) => {
            // what is unknown was probably meant to be one of them; that is told already
            if section.fields().all(|field| KEYS.contains(&field.key)) {
                let message = format!("{title} needs `name` or `column`");
                section.refuse(message, Some(EXAMPLES.to_owned()));
            }
            None
        }
    }
}

fn name(field: &Field<'_>) -> Option<AsOf> {
    match NamePattern::parse(field.text()?) {
        Ok(pattern) => Some(AsOf::Name(pattern)),
        Err(fault) => {
            let message = format!("`{}` is no pattern of a file's name: {fault}", field.key);
            field.refuse(message, Some("write it like `workers-%Y%m%d.csv`".to_owned()));
            None
        }
    }
}
