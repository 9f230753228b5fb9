//! Runs, counts and outcomes as a person reads them.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::bridge::{Blocked, Forecast};
use crate::delivery::{JobAdvice, job_advice};
use crate::domain::{ExternalId, HeldBy, OperationStatus, RunKind, RunStatus};
use crate::intake::Remark;
use crate::store::{ChangeCounts, JobSeen, Key, Operation, Resent, ResentWhy, Run, StatusCounts};
use crate::tracking::failure_class;

/// `990 provisioned, 8 failed`: all counts that are not zero.
pub fn counts(counts: &StatusCounts) -> String {
    let parts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{} {}", thousands(count), words_of(status)))
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// `998 joiners (3 inactive), 1 leaver`: all changes that are not zero.
pub fn changes(changes: &ChangeCounts) -> String {
    let inactive = match changes.joiner_inactive {
        0 => String::new(),
        count => format!(" ({} inactive)", thousands(count)),
    };
    let parts = [
        (changes.joiner, "joiner", inactive.as_str()),
        (changes.mover, "mover", ""),
        (changes.leaver, "leaver", ""),
        (changes.rehire, "rehire", ""),
    ];
    let mut parts: Vec<String> = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, word, more)| format!("{} {word}{}{more}", thousands(*count), plural(*count)))
        .collect();
    if changes.missing > 0 {
        parts.push(format!("{} missing", thousands(changes.missing)));
    }
    if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") }
}

/// A run in a few lines.
pub fn run(run: &Run, now: Timestamp) -> String {
    let mut text = String::new();
    let file = match (&run.file, run.kind) {
        (Some(file), _) => file,
        (None, RunKind::Webhook) => "(webhook deliveries)",
        (None, _) => "(no file)",
    };
    let took = run.ended_at.unwrap_or(now).duration_since(run.started_at);
    let took = jiff::SignedDuration::from_secs(took.as_secs().max(0));
    let _ = writeln!(text, "run       {}", run.id);
    let _ =
        writeln!(text, "file      {file} from source `{}` to target `{}`", run.source, run.target);
    let _ = writeln!(text, "status    {} after {took:#}", run.status);
    if let Some(problem) = &run.problem {
        let _ =
            writeln!(text, "refused   {}: {}  [{}]", problem.place, problem.message, problem.code);
        if let Some(hint) = &problem.hint {
            let _ = writeln!(text, "hint      {hint}");
        }
        return text.trim_end().to_owned();
    }
    let _ = writeln!(text, "rows      {}: {}", thousands(run.rows), counts(&run.counts));
    let _ = writeln!(text, "changes   {}", changes(&run.changes));
    let _ = write!(text, "requests  {}", thousands(run.bulk_requests));
    if let Some(held) = held(&run.held_by) {
        let is_over = run.status != RunStatus::Held;
        let held = if is_over { held.replace("held by  ", "was held ") } else { held };
        let _ = write!(text, "\n{held}");
    }
    if let Some(note) = &run.note {
        let _ = write!(text, "\nnote      {note}");
    }
    for decided in &run.decisions {
        let at = instant(decided.at);
        let _ = write!(text, "\ndecided   {} by {} at {at}", decided.decision, decided.by);
    }
    if let Some(by) = &run.superseded_by {
        let _ = write!(text, "\nsee       run {by} took its place");
    }
    if let Some(next) = next_step(run.status) {
        let next = next.replace("RUN", run.id.as_str());
        let _ = write!(text, "\nnext      {next}");
    }
    text
}

/// Why a run is held, a line each.
pub fn held(held_by: &[HeldBy]) -> Option<String> {
    let lines: Vec<String> =
        held_by.iter().map(|held| format!("held by   {}", why(held))).collect();
    if lines.is_empty() { None } else { Some(lines.join("\n")) }
}

/// One guard in words, with its numbers and its limit.
fn why(held: &HeldBy) -> String {
    let HeldBy { guard, limit, value, of } = held;
    let (value, of) = (thousands(*value), thousands(*of));
    match guard.as_str() {
        "first_run" => {
            format!("{guard}: the source's first run is sent only when somebody says so")
        }
        "incomplete_file" => format!(
            "{guard}: {value} rows, and the last complete file had {of} (complete from {limit} on)"
        ),
        "older_file" => format!("{guard}: a newer file was applied already ({limit})"),
        "min_rows" => format!("{guard}: {value} rows, at least {limit} are expected"),
        "max_rejects" => format!("{guard}: {value} of {of} rows are rejected (limit {limit})"),
        "max_inactive" => format!("{guard}: {value} of {of} people are inactive (limit {limit})"),
        _ => format!("{guard}: {value} of {of} active people (limit {limit})"),
    }
}

/// What an unfinished run waits for. Without a word, `accepted` reads like done, and `delivering`
/// like something that goes on by itself.
const fn next_step(status: RunStatus) -> Option<&'static str> {
    match status {
        RunStatus::Held => {
            Some("`scimport approve RUN` lets it go, `scimport cancel RUN` stops it")
        }
        RunStatus::Delivering => Some("`scimport work` sends what is queued"),
        RunStatus::Tracking => {
            Some("accepted is not done: `scimport work` looks for the outcomes in Entra's log")
        }
        _ => None,
    }
}

/// `used 1,640 of 2,000 calls; the rest, 3,100 people, goes out by 2026-11-27T04:10:00Z, …`.
pub fn forecast(forecast: &Forecast, what: &str) -> String {
    let used = format!(
        "used {} of {} calls of the last 24 hours",
        thousands(forecast.calls),
        thousands(u64::from(forecast.daily_calls))
    );
    let people = format!(
        "{} operation{} in {} request{}",
        thousands(forecast.operations),
        plural(forecast.operations),
        thousands(forecast.requests),
        plural(forecast.requests)
    );
    match forecast.done_at {
        Some(at) => format!(
            "{used}; {what}, {people}, goes out by {}, as far as the quota lets it",
            instant(at)
        ),
        None => format!("{used}; {what}, {people}, never goes out: no calls are allowed"),
    }
}

/// What keeps everything back, and what to do.
pub fn blocked(blocked: &Blocked) -> String {
    let Blocked { what, advice, since } = blocked;
    format!("since {}: {what}\n          → {advice}", instant(*since))
}

/// A job as it was last seen, with what its state asks for.
pub fn job(job: &JobSeen) -> String {
    let seen = format!("job {} (seen {})", job.code, instant(job.at));
    let why = job.quarantine.as_ref().map_or_else(String::new, |reason| format!(", {reason}"));
    if job.code == "Active" {
        return seen;
    }
    let JobAdvice { means, advice } = job_advice(&job.code, job.quarantine.as_deref());
    format!("{seen}{why}: {means}\n          → {advice}")
}

/// Something a person should look at: a row or an operation, and why.
#[derive(Debug, Clone, Copy)]
pub struct Trouble<'a> {
    external_id: Option<&'a str>,
    line: Option<u64>,
    status: OperationStatus,
    code: &'a str,
    reason: Option<&'a str>,
    advice: Option<&'a str>,
}

impl<'a> From<&'a Operation> for Trouble<'a> {
    fn from(operation: &'a Operation) -> Self {
        Self {
            external_id: operation.external_id.as_ref().map(ExternalId::as_str),
            line: operation.line,
            status: operation.status,
            code: operation.code.as_deref().unwrap_or("-"),
            reason: operation.reason.as_deref(),
            advice: operation.advice.as_deref(),
        }
    }
}

impl<'a> From<&'a Remark> for Trouble<'a> {
    fn from(remark: &'a Remark) -> Self {
        Self {
            external_id: remark.external_id.as_ref().map(ExternalId::as_str),
            line: remark.line,
            status: remark.status,
            code: &remark.code,
            reason: Some(&remark.reason),
            advice: remark.advice.as_deref(),
        }
    }
}

/// What needs a look, grouped by code: how often, an example, what to do. At most `limit` groups.
pub fn troubles<'a, T: Into<Trouble<'a>>>(
    troubles: impl IntoIterator<Item = T>,
    limit: usize,
) -> Option<String> {
    let mut groups: Vec<(&str, OperationStatus, Vec<Trouble<'_>>)> = Vec::new();
    for trouble in troubles {
        let trouble = trouble.into();
        let same = |group: &&mut (&str, OperationStatus, Vec<_>)| {
            group.0 == trouble.code && group.1 == trouble.status
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.2.push(trouble),
            None => groups.push((trouble.code, trouble.status, vec![trouble])),
        }
    }
    if groups.is_empty() {
        return None;
    }
    let mut text = String::new();
    for (code, status, members) in groups.iter().take(limit) {
        let Some(first) = members.first() else { continue };
        let named: Vec<String> = members.iter().take(5).map(who).collect();
        let more = members.len() - named.len();
        let mut who = named.join(", ");
        if more > 0 {
            let _ = write!(who, " and {more} more");
        }
        // what is still to be sent and is spoken of all the same is sent with a warning
        let status = if *status == OperationStatus::Queued { "warning" } else { status.as_str() };
        let class = match first.status {
            OperationStatus::Failed => format!("  [{}]", failure_class(code).as_str()),
            _ => String::new(),
        };
        let _ = writeln!(text, "{:>6}  {status} {code}: {who}{class}", members.len());
        if let Some(reason) = first.reason {
            let _ = writeln!(text, "        {reason}");
        }
        if let Some(advice) = first.advice {
            let _ = writeln!(text, "        → {advice}");
        }
    }
    if groups.len() > limit {
        let _ = writeln!(text, "        … and {} more kinds", groups.len() - limit);
    }
    Some(text.trim_end().to_owned())
}

/// The worker; for a rejected row its line too, which is where somebody will look.
fn who(trouble: &Trouble<'_>) -> String {
    let line = trouble.line.filter(|_| trouble.status == OperationStatus::Rejected);
    match (trouble.external_id, line) {
        (Some(id), Some(line)) => format!("{id} (line {line})"),
        (Some(id), None) => id.to_owned(),
        (None, Some(line)) => format!("line {line}"),
        (None, None) => "without a readable id".to_owned(),
    }
}

/// When and why what had no outcome was last sent again.
pub fn resent(resent: &Resent) -> String {
    let why = match resent.why {
        ResentWhy::Resumed => "the job runs again after it had not, and may have dropped them",
        ResentWhy::Overtaken => "later ones were settled, so the job may have dropped them",
        ResentWhy::Asked => "somebody asked for it",
    };
    format!(
        "{} operation{} without an outcome sent again at {}: {why}",
        thousands(resent.operations),
        plural(resent.operations),
        instant(resent.at)
    )
}

/// A key on one line.
pub fn key(key: &Key, now: Timestamp) -> String {
    let whose = key.scope.source().map_or_else(|| "-".to_owned(), ToString::to_string);
    let used = key.last_used_at.map_or_else(|| "never".to_owned(), instant);
    let mut line = format!(
        "{}  {:<7}  {whose:<10}  {:<7}  created {}  expires {}  last used {used}",
        key.id,
        key.scope.role(),
        key.state(now),
        instant(key.created_at),
        instant(key.expires_at),
    );
    if let (Some(at), Some(by)) = (key.revoked_at, &key.revoked_by) {
        let _ = write!(line, "  revoked {} by {by}", instant(at));
    }
    if let Some(by) = &key.replaced_by {
        let _ = write!(line, "  replaced by {by}");
    }
    line
}

/// An instant to the second.
pub fn instant(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// `12,345`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `s` for every number but one.
pub const fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

const fn words_of(status: OperationStatus) -> &'static str {
    match status {
        OperationStatus::OutOfScope => "out of scope",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::{ExternalId, OperationId, RunId};

    use super::*;

    #[test]
    fn only_an_unfinished_run_says_what_comes_next() {
        assert!(
            next_step(RunStatus::Delivering).is_some_and(|next| next.contains("scimport work"))
        );
        assert!(next_step(RunStatus::Tracking).is_some_and(|next| next.contains("not done")));
        assert_eq!(next_step(RunStatus::Completed), None);
        assert_eq!(next_step(RunStatus::Failed), None);
    }

    #[test]
    fn a_rejected_row_is_named_by_its_line_with_or_without_an_id() {
        let mut operation = Operation {
            id: OperationId(1),
            run: RunId::new("01"),
            row: Some(5),
            line: Some(7),
            external_id: Some(ExternalId::new("E1")),
            change: None,
            status: OperationStatus::Rejected,
            code: None,
            reason: None,
            advice: None,
            attempts: 0,
            bulk_request: None,
            updated_at: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(who(&Trouble::from(&operation)), "E1 (line 7)");
        operation.external_id = None;
        assert_eq!(who(&Trouble::from(&operation)), "line 7");
        operation.line = None;
        assert_eq!(who(&Trouble::from(&operation)), "without a readable id");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
