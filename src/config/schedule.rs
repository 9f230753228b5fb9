//! `schedule` of a source: what is read by itself when its time comes. And `expected` of a watched
//! folder: when a file always comes, so that one that does not is noticed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::SourceTimeZone;
use crate::config::hydrate::{self, FetchConfig};
use crate::config::node::Value;
use crate::config::section::{Field, Section};
use crate::config::times::{self, Times};

pub(super) const KEYS: &[&str] =
    &["cron", "time_zone", "file", "hydrate", "overdue_after", "settle"];
pub(super) const EXPECTED_KEYS: &[&str] = &["cron", "time_zone", "within"];
/// How long a file may keep us waiting before somebody has to look. Exports of a night are late by
/// minutes, not by hours, and two hours leave most of the morning.
const OVERDUE_AFTER: Duration = Duration::from_hours(2);
/// How long a file has to stay as it is before it counts as whole, as in a watched folder.
const SETTLE: Duration = Duration::from_secs(10);

/// What is read at certain times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleConfig {
    /// When.
    pub times: Times,
    /// What.
    pub takes: Takes,
    /// How long after its time it is overdue: somebody is told.
    pub overdue_after: Duration,
}

/// What is read when the time comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Takes {
    /// A file that others put there. It stays where it is.
    File {
        /// Where.
        path: PathBuf,
        /// How long it has to stay as it is before it counts as whole.
        settle: Duration,
    },
    /// The answer of an HR system, which names everybody.
    Fetch(FetchConfig),
}

/// When files come into a watched folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedConfig {
    /// When.
    pub times: Times,
    /// How far before and after its time a file may come; later it is overdue.
    pub within: Duration,
}

/// Reads one schedule, or a list of them.
pub(super) fn read(
    field: &Field<'_>,
    folder: &Path,
    zone: Option<&SourceTimeZone>,
) -> Vec<ScheduleConfig> {
    let items = match &field.node.value {
        Value::Table(_) => return schedule(field.part(), folder, zone).into_iter().collect(),
        Value::Array(_) => field.items().unwrap_or_default(),
        _ => {
            field.wrong_type(
                "a table like { cron = \"0 5 * * MON-FRI\", file = \"workers.csv\" } or a list of them",
            );
            return Vec::new();
        }
    };
    if items.is_empty() {
        field.refuse_key(format!("`{}` lists nothing", field.key), None);
    }
    let mut read: Vec<ScheduleConfig> = Vec::new();
    for item in &items {
        let Some(schedule) = schedule(item.part(), folder, zone) else { continue };
        let is_same =
            |known: &ScheduleConfig| known.times == schedule.times && known.takes == schedule.takes;
        if read.iter().any(is_same) {
            item.refuse_key(format!("`{}` lists the same twice", field.key), None);
        }
        read.push(schedule);
    }
    read
}

fn schedule(
    section: Option<Section<'_>>,
    folder: &Path,
    zone: Option<&SourceTimeZone>,
) -> Option<ScheduleConfig> {
    let section = section?;
    section.check_keys(KEYS);
    let times = times::read(&section, zone);
    let overdue_after = section.positive_duration_or("overdue_after", OVERDUE_AFTER);
    let settle = section.positive_duration_or("settle", SETTLE);
    let takes = match (section.get("file"), section.get("hydrate")) {
        (Some(file), None) => {
            file.text().map(|path| Takes::File { path: folder.join(path), settle })
        }
        (None, Some(field)) => {
            if let Some(settle) = section.get("settle") {
                settle.refuse_key("`settle` goes with `file` only".to_owned(), None);
            }
            hydrate::read_all(&field, folder).map(Takes::Fetch)
        }
        _ => {
            let message = format!("{} takes one of `file`, `hydrate`", section.title());
            let hint = "write it like `file = \"exports/workers.csv\"`".to_owned();
            section.refuse(message, Some(hint));
            None
        }
    };
    Some(ScheduleConfig { times: times?, takes: takes?, overdue_after })
}

/// Reads `expected` of a watched folder.
pub(super) fn expected(field: &Field<'_>, zone: Option<&SourceTimeZone>) -> Option<ExpectedConfig> {
    let section = field.part()?;
    section.check_keys(EXPECTED_KEYS);
    let within = section.positive_duration_or("within", OVERDUE_AFTER);
    Some(ExpectedConfig { times: times::read(&section, zone)?, within })
}
