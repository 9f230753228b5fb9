//! `rows` of a source: what happens to several rows of one worker.

use crate::config::node::Value;
use crate::config::section::{Field, Section};
use crate::mapping::ByConfig;
use crate::source::{Pick, RowsConfig};

pub(super) const KEYS: &[&str] = &["per", "pick", "by", "prefer"];
pub(super) const BY_KEYS: &[&str] = &["column", "date"];
/// How a date is read where only its column is named.
const ISO_DATE: &str = "%Y-%m-%d";

/// What the table says, for the two rooms that share it.
#[derive(Default)]
pub(super) struct Rows {
    /// Which rows are one worker's, and which of them counts.
    pub(super) config: RowsConfig,
    /// The day from which a row applies.
    pub(super) by: Option<ByConfig>,
    /// Which rows come first.
    pub(super) prefer: Option<String>,
}

pub(super) fn read(field: &Field<'_>) -> Option<Rows> {
    let section = field.part()?;
    section.check_keys(KEYS);
    let picks = [("first", Pick::First), ("last", Pick::Last), ("error", Pick::Error)];
    let text = |key| section.get(key).and_then(|field| field.text()).map(str::to_owned);
    Some(Rows {
        config: RowsConfig {
            per: text("per"),
            pick: section.get("pick").and_then(|field| field.word(&picks)).unwrap_or_default(),
        },
        by: section.get("by").and_then(|field| by(&field)),
        prefer: text("prefer"),
    })
}

/// A column with dates as ISO 8601 has them, or a column and the formats of its dates.
fn by(field: &Field<'_>) -> Option<ByConfig> {
    if matches!(field.node.value, Value::Text(_)) {
        let column = field.text()?.to_owned();
        return Some(ByConfig { column, date: vec![ISO_DATE.to_owned()] });
    }
    if !field.is_table() {
        field.wrong_type("a column in quotes or a table with `column` and `date`");
        return None;
    }
    let section = field.part()?;
    section.check_keys(BY_KEYS);
    let (column, date) = dated(&section)?;
    Some(ByConfig { column, date })
}

/// A column and the formats of its dates, for everything that reads a day from one.
pub(super) fn dated(section: &Section<'_>) -> Option<(String, Vec<String>)> {
    let column = section.require_text("column");
    let date = formats(section);
    Some((column?, date?))
}

fn formats(section: &Section<'_>) -> Option<Vec<String>> {
    let Some(field) = section.get("date") else { return Some(vec![ISO_DATE.to_owned()]) };
    if field.is_empty_list() {
        field.refuse_key("`date` lists nothing".to_owned(), None);
        return None;
    }
    Some(field.texts()?.into_iter().map(str::to_owned).collect())
}
