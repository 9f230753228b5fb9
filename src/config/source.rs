//! `[source.NAME]`: one HR feed, how its files are read and where its people go.

use jiff::tz::TimeZone;

use crate::config::mapping;
use crate::config::section::{Field, Section, is_name};
use crate::config::suggest::{did_you_mean, nearest};
use crate::domain::{SourceName, TargetName};
use crate::mapping::MappingConfig;
use crate::source::{CsvConfig, Delimiter, FormatConfig, Pick, RowsConfig};

pub(super) const KEYS: &[&str] =
    &["target", "format", "export", "time_zone", "csv", "rows", "takes_over", "mapping"];
pub(super) const LATER: &[&str] = &[
    "xlsx", "json", "scope", "folder", "schedule", "webhook", "leavers", "complete", "as_of",
    "guard",
];
pub(super) const CSV_KEYS: &[&str] = &["delimiter", "encoding", "header_row"];
pub(super) const ROWS_KEYS: &[&str] = &["per", "pick"];
pub(super) const ROWS_LATER: &[&str] = &["by", "prefer"];
/// Formats that come with a later version.
const FORMATS_LATER: [&str; 2] = ["xlsx", "json"];

/// `[source.NAME]`.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Its name.
    pub name: SourceName,
    /// Where its people go; a target of the same config.
    pub target: TargetName,
    /// What a file of it names.
    pub export: Export,
    /// Where the dates in its files are meant; there whenever the mapping has a date.
    pub time_zone: Option<SourceTimeZone>,
    /// How its files are read.
    pub format: FormatConfig,
    /// What happens to several rows of one worker.
    pub rows: RowsConfig,
    /// Sources whose records this one may take. They need not be in the config any more.
    pub takes_over: Vec<SourceName>,
    /// What becomes of a row.
    pub mapping: MappingConfig,
}

/// What a file of a source names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Export {
    /// Everybody: who is not in it is missing.
    Full,
    /// Some people: absence says nothing.
    #[default]
    Changes,
}

/// A time zone and what the config calls it.
#[derive(Debug, Clone)]
pub struct SourceTimeZone {
    /// Its IANA name, as written.
    pub name: String,
    /// Its rules.
    pub zone: TimeZone,
}

pub(super) fn read(sources: &Section<'_>, targets: &[String]) -> Vec<SourceConfig> {
    let sections = sources.named("source");
    sections.iter().filter_map(|(name, section)| source(name, section, targets)).collect()
}

fn source(name: &str, section: &Section<'_>, targets: &[String]) -> Option<SourceConfig> {
    section.check_keys(KEYS, LATER);
    // All are read before the first that is missing ends this.
    let target = section.require("target").and_then(|field| target(&field, targets));
    if let Some(format) = section.get("format") {
        check_format(&format);
    }
    let exports = [("full", Export::Full), ("changes", Export::Changes)];
    let export = section.get("export").and_then(|field| field.word(&exports)).unwrap_or_default();
    let time_zone = section.get("time_zone").and_then(|field| time_zone(&field));
    let csv = section.get("csv").and_then(|field| csv(&field)).unwrap_or_default();
    let rows = section.get("rows").and_then(|field| rows(&field)).unwrap_or_default();
    let takes_over = section.get("takes_over").and_then(|field| takes_over(&field, name));
    let mapping = section.require("mapping").and_then(|field| mapping::read(&field));
    if let Some(mapping) = &mapping
        && !section.has("time_zone")
        && let Some(dated) = mapping.attributes.iter().find(|line| !line.rule.date.is_empty())
    {
        let message =
            format!("{} needs `time_zone`, because `{}` is a date", section.title(), dated.path);
        let hint = "write it like `time_zone = \"Europe/Berlin\"`".to_owned();
        section.refuse(message, Some(hint));
    }
    Some(SourceConfig {
        name: SourceName::new(name),
        target: target?,
        export,
        time_zone,
        format: FormatConfig { csv, ..FormatConfig::default() },
        rows,
        takes_over: takes_over.unwrap_or_default(),
        mapping: mapping?,
    })
}

fn target(field: &Field<'_>, targets: &[String]) -> Option<TargetName> {
    let name = field.text()?;
    if targets.iter().any(|target| target == name) {
        return Some(TargetName::new(name));
    }
    let hint = match nearest(name, targets.iter().map(String::as_str)) {
        Some(suggestion) => did_you_mean(suggestion),
        None => "name a target that has its section, such as `[target.entra]`".to_owned(),
    };
    field.refuse("`target` names no target of this config".to_owned(), Some(hint));
    None
}

fn check_format(field: &Field<'_>) {
    if FORMATS_LATER.iter().any(|format| field.is_text(format)) {
        let hint = "export the file as CSV".to_owned();
        field.refuse("this format is not supported by this version".to_owned(), Some(hint));
    } else {
        field.word(&[("csv", ())]);
    }
}

fn time_zone(field: &Field<'_>) -> Option<SourceTimeZone> {
    let name = field.text()?;
    if let Ok(zone) = TimeZone::get(name) {
        return Some(SourceTimeZone { name: name.to_owned(), zone });
    }
    let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(suggestion) => did_you_mean(suggestion),
        None => "write it like `Europe/Berlin`".to_owned(),
    };
    field.refuse("`time_zone` is no time zone of the IANA database".to_owned(), Some(hint));
    None
}

fn csv(field: &Field<'_>) -> Option<CsvConfig> {
    let section = field.part()?;
    section.check_keys(CSV_KEYS, &[]);
    if let Some(encoding) = section.get("encoding")
        && let Some(name) = encoding.text()
        && !matches!(name, "auto" | "utf-8")
    {
        let message = "`encoding` has to be `auto` or `utf-8` in this version".to_owned();
        encoding.refuse(message, Some("save the file as UTF-8".to_owned()));
    }
    let header_row = section.get("header_row").and_then(|field| field.positive());
    let delimiter = section.get("delimiter").and_then(|field| delimiter(&field));
    let default = CsvConfig::default();
    Some(CsvConfig { delimiter: delimiter.unwrap_or(default.delimiter), header_row, ..default })
}

fn delimiter(field: &Field<'_>) -> Option<Delimiter> {
    // Not `text`: a tab or a blank is a delimiter, not nothing.
    match field.any_text()?.as_bytes() {
        b"auto" => Some(Delimiter::Auto),
        [byte] if *byte != b'"' && (*byte == b'\t' || (b' '..=b'~').contains(byte)) => {
            Some(Delimiter::Byte(*byte))
        }
        _ => {
            let message = "`delimiter` has to be `auto` or one ASCII character other than a quote";
            let hint = "a tab is written \"\\t\", in double quotes".to_owned();
            field.refuse(message.to_owned(), Some(hint));
            None
        }
    }
}

fn rows(field: &Field<'_>) -> Option<RowsConfig> {
    let section = field.part()?;
    section.check_keys(ROWS_KEYS, ROWS_LATER);
    let picks = [("first", Pick::First), ("last", Pick::Last), ("error", Pick::Error)];
    Some(RowsConfig {
        per: section.get("per").and_then(|field| field.text()).map(str::to_owned),
        pick: section.get("pick").and_then(|field| field.word(&picks)).unwrap_or_default(),
    })
}

fn takes_over(field: &Field<'_>, own_name: &str) -> Option<Vec<SourceName>> {
    let names = field.texts()?;
    for name in &names {
        if *name == own_name {
            field.refuse_key("a source cannot take over from itself".to_owned(), None);
        } else if !is_name(name) {
            let hint = "a name begins with `a` to `z` and goes on with those, digits and `-`";
            let message = "`takes_over` lists what is no name of a source".to_owned();
            field.refuse_key(message, Some(hint.to_owned()));
        }
    }
    Some(names.into_iter().map(SourceName::new).collect())
}
