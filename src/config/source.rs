//! `[source.NAME]`: one HR feed, how its files are read and where its people go.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::config::rows::{self, Rows};
use crate::config::secrets::SecretRef;
use crate::config::section::{Field, Section, is_name};
use crate::config::suggest::{did_you_mean, nearest};
use crate::config::webhook::{self, WebhookConfig};
use crate::config::{
    FolderConfig, ScheduleConfig, Takes, as_of, folder, format, guard, leavers, mapping, schedule,
};
use crate::domain::{SourceName, TargetName};
use crate::mapping::{ByConfig, MappingConfig};
use crate::plan::{AsOf, CompleteConfig, Guards, LeaversConfig};
use crate::source::{FormatConfig, RowsConfig};

pub(super) const KEYS: &[&str] = &[
    "target",
    "format",
    "export",
    "time_zone",
    "csv",
    "xlsx",
    "json",
    "rows",
    "scope",
    "leavers",
    "complete",
    "as_of",
    "takes_over",
    "guard",
    "folder",
    "schedule",
    "webhook",
    "mapping",
];

/// `[source.NAME]`.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Its name.
    pub name: SourceName,
    /// Where its people go; a target of the same config.
    pub target: TargetName,
    /// What a file of it names.
    pub export: Export,
    /// Where the dates in its files are meant; there whenever the mapping or `rows.by` reads one.
    pub time_zone: Option<SourceTimeZone>,
    /// How its files are read.
    pub format: FormatConfig,
    /// Where the password of its encrypted workbooks is.
    pub workbook_password: Option<SecretRef>,
    /// What happens to several rows of one worker.
    pub rows: RowsConfig,
    /// What becomes of people whom its files no longer name.
    pub leavers: LeaversConfig,
    /// When a file without a proven trailer is whole.
    pub complete: CompleteConfig,
    /// When the content of a file was true.
    pub as_of: AsOf,
    /// How much may happen in one run unasked.
    pub guards: Guards,
    /// Sources whose records this one may take. They need not be in the config any more.
    pub takes_over: Vec<SourceName>,
    /// Where its files arrive by themselves.
    pub folders: Vec<FolderConfig>,
    /// What is read by itself when its time comes.
    pub schedules: Vec<ScheduleConfig>,
    /// How its webhook's deliveries are verified and read.
    pub webhook: Option<WebhookConfig>,
    /// What becomes of a row: the lines, `scope`, what `rows` says about which row comes first, and
    /// the column of `as_of`.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTimeZone {
    /// Its IANA name, as written.
    pub name: String,
    /// Its rules.
    pub zone: TimeZone,
}

pub(super) fn read(sources: &Section<'_>, targets: &[String], folder: &Path) -> Vec<SourceConfig> {
    let sections = sources.named("source");
    let mut watched: Vec<(PathBuf, SourceName)> = Vec::new();
    let mut read = Vec::new();
    for (name, section) in &sections {
        let Some(source) = source(name, section, targets, folder) else { continue };
        watch(section, &source, &mut watched);
        read.push((section, source));
    }
    let folders: Vec<&FolderConfig> = read.iter().flat_map(|(_, source)| &source.folders).collect();
    for (section, source) in &read {
        check_schedules(section, source, &folders);
    }
    read.into_iter().map(|(_, source)| source).collect()
}

/// Two watchers of one folder would take each other's files.
fn watch(section: &Section<'_>, source: &SourceConfig, watched: &mut Vec<(PathBuf, SourceName)>) {
    for config in &source.folders {
        let path = folder::plain(&config.path);
        if let Some((_, other)) = watched.iter().find(|(known, _)| *known == path)
            && let Some(field) = section.get("folder")
        {
            let message = format!("this folder is watched already, for source `{other}`");
            let hint =
                "give each its own, or list the patterns: `pattern = [\"*.csv\", \"*.xlsx\"]`";
            field.refuse_key(message, Some(hint.to_owned()));
        }
        watched.push((path, source.name.clone()));
    }
}

/// A file has one taker, and what is fetched has no name that could say its day.
fn check_schedules(section: &Section<'_>, source: &SourceConfig, folders: &[&FolderConfig]) {
    let refuse = |key: &str, message: &str, hint: &str| {
        if let Some(field) = section.get(key) {
            field.refuse_key(message.to_owned(), Some(hint.to_owned()));
        }
    };
    for schedule in &source.schedules {
        match &schedule.takes {
            Takes::File { path, .. } => {
                let path = folder::plain(path);
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let is_watched = |watched: &&FolderConfig| {
                    path.parent() == Some(&folder::plain(&watched.path)) && watched.takes(&name)
                };
                if folders.iter().any(is_watched) {
                    let message = "the file of `schedule` lies in a folder that is watched";
                    let hint = "let one of them take it: to be told when it does not come, \
                                give `folder` an `expected`";
                    refuse("schedule", message, hint);
                }
            }
            Takes::Fetch(_) if matches!(source.as_of, AsOf::Name(_)) => {
                let message = "`as_of` reads a file's name, and what is fetched has none";
                refuse("as_of", message, "take it from a column, or leave it at `arrival`");
            }
            Takes::Fetch(_) => {}
        }
    }
}

fn source(
    name: &str,
    section: &Section<'_>,
    targets: &[String],
    folder: &Path,
) -> Option<SourceConfig> {
    section.check_keys(KEYS);
    // All are read before the first that is missing ends this.
    let target = section.require("target").and_then(|field| target(&field, targets));
    let exports = [("full", Export::Full), ("changes", Export::Changes)];
    let export =
        section.get("export").map_or(Some(Export::default()), |field| field.word(&exports));
    let time_zone = section.get("time_zone").and_then(|field| time_zone(&field));
    let complete = section.get("complete").and_then(|field| leavers::complete(&field));
    let (complete, trailer) = complete.unwrap_or_default();
    let (format, workbook_password) = format::read(section, folder, trailer);
    let leavers = section.get("leavers").and_then(|field| leavers::read(&field, export));
    let as_of = section.get("as_of").and_then(|field| as_of::read(&field)).unwrap_or_default();
    let scope = section.get("scope").and_then(|field| field.text()).map(str::to_owned);
    let rows = section.get("rows").and_then(|field| rows::read(&field)).unwrap_or_default();
    let folders =
        section.get("folder").map(|field| folder::read(&field, folder, time_zone.as_ref()));
    let schedules = section.get("schedule");
    let schedules = schedules.map(|field| schedule::read(&field, folder, time_zone.as_ref()));
    let takes_over = section.get("takes_over").and_then(|field| takes_over(&field, name));
    let webhook = section.get("webhook").and_then(|field| webhook::read(&field, folder));
    let mapping = section.require("mapping").and_then(|field| mapping::read(&field));
    let guards = section
        .get("guard")
        .and_then(|field| guard::read(&field, &paths(section, mapping.as_ref())));
    if !section.has("time_zone") {
        need_time_zone(section, mapping.as_ref(), &rows, &as_of);
    }
    let by_column = match &as_of {
        AsOf::Column { column, date } => {
            Some(ByConfig { column: column.clone(), date: date.clone() })
        }
        AsOf::Arrival | AsOf::Name(_) => None,
    };
    Some(SourceConfig {
        name: SourceName::new(name),
        target: target?,
        export: export.unwrap_or_default(),
        time_zone,
        format,
        workbook_password,
        rows: rows.config,
        leavers: leavers.unwrap_or_default(),
        complete,
        as_of,
        guards: guards.unwrap_or_default(),
        takes_over: takes_over.unwrap_or_default(),
        folders: folders.unwrap_or_default(),
        schedules: schedules.unwrap_or_default(),
        webhook,
        mapping: MappingConfig {
            scope,
            prefer: rows.prefer,
            by: rows.by,
            as_of: by_column,
            ..mapping?
        },
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

/// The paths that the mapping has lines for, those with mistakes too.
fn paths(section: &Section<'_>, mapping: Option<&MappingConfig>) -> Vec<String> {
    let lines = section.get("mapping").filter(Field::is_table).and_then(|field| field.header());
    let keys = lines.iter().flat_map(Section::fields).map(|field| field.key.to_owned());
    let read = mapping.into_iter().flat_map(|mapping| &mapping.attributes);
    keys.chain(read.map(|line| line.path.clone())).collect()
}

/// A date without a zone would mean another instant on another machine.
fn need_time_zone(
    section: &Section<'_>,
    mapping: Option<&MappingConfig>,
    rows: &Rows,
    as_of: &AsOf,
) {
    let lines = mapping.into_iter().flat_map(|mapping| &mapping.attributes);
    let dated = lines.filter(|line| line.rule.reads_dates()).map(|line| line.path.as_str());
    let by = rows.by.as_ref().map(|_| "rows.by");
    let as_of = (*as_of != AsOf::Arrival).then_some("as_of");
    if let Some(dated) = dated.chain(by).chain(as_of).next() {
        let message =
            format!("{} needs `time_zone`, because `{dated}` reads a date", section.title());
        let hint = "write it like `time_zone = \"Europe/Berlin\"`".to_owned();
        section.refuse(message, Some(hint));
    }
}

pub(super) fn time_zone(field: &Field<'_>) -> Option<SourceTimeZone> {
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
