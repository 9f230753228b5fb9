//! What is said of times: one function for each event, so that whoever alerts people hooks in here.

use jiff::Timestamp;

use crate::bridge::schedule::obtain::NotYet;
use crate::config::ScheduleConfig;
use crate::domain::SourceName;
use crate::store::DueTime;

/// What did not come.
#[derive(Debug, Clone, Copy)]
pub(in crate::bridge) struct Overdue<'a> {
    /// What, as people call it: "file `exports/workers.csv`".
    pub(in crate::bridge) what: &'a str,
    /// The time that it was for.
    pub(in crate::bridge) at: Timestamp,
    /// Why it counts as not come.
    pub(in crate::bridge) why: &'a str,
}

/// The dead-man's alarm: what always comes did not. Told once for each time.
pub(in crate::bridge) fn tell_overdue(source: &SourceName, overdue: &Overdue<'_>) {
    tracing::error!(
        source = %source,
        due = %overdue.at,
        why = overdue.why,
        advice = "look whether the export ran, and where its file went; it is still taken when it \
                  comes, and nobody is changed until then",
        "{} is overdue",
        overdue.what
    );
}

/// What was told to be overdue has come.
pub(in crate::bridge) fn tell_come_after_all(source: &SourceName, what: &str, due: Timestamp) {
    tracing::warn!(source = %source, due = %due, "{what} was overdue and has come after all");
}

/// A schedule begins.
pub(super) fn tell_new(source: &SourceName, config: &ScheduleConfig, next: Option<Timestamp>) {
    tracing::info!(
        source = %source,
        cron = config.times.text(),
        time_zone = config.times.zone().name,
        next = next.map(tracing::field::display),
        "this schedule is followed from now on"
    );
}

/// A time has come; it may stand for others that nobody was there for.
pub(super) fn tell_begun(
    source: &SourceName,
    config: &ScheduleConfig,
    due: Option<&DueTime>,
    now: Timestamp,
) {
    let Some(due) = due else { return };
    // a daemon that runs is there within the minute
    let is_late = now.duration_since(due.at) > jiff::SignedDuration::from_mins(1);
    if is_late || due.missed > 0 {
        tracing::warn!(
            source = %source,
            cron = config.times.text(),
            due = %due.at,
            missed = due.missed.saturating_add(1),
            "nobody was there when times of this schedule came: they are caught up with once, now"
        );
    } else {
        tracing::info!(source = %source, due = %due.at, "a time of the schedule has come");
    }
}

/// It has to wait, and why.
pub(super) fn tell_waiting(source: &SourceName, what: &str, why: &NotYet) {
    match why {
        NotYet::Growing => tracing::debug!(source = %source, "{what} is waited for: {why}"),
        NotYet::Failed { advice, is_temporary: false, .. } => {
            tracing::error!(source = %source, advice, "{what} cannot be had: {why}; it is tried again");
        }
        NotYet::Failed { advice, .. } => {
            tracing::warn!(source = %source, advice, "{what} cannot be had now: {why}; it is tried again");
        }
        _ => tracing::info!(source = %source, "{what} is waited for: {why}"),
    }
}
