//! What an alert says: what happened, where, and what to do next, with the command to type.

use jiff::{SignedDuration, Timestamp, Unit};

use crate::domain::AlertKind;
use crate::telemetry::alerts::facts::{Facts, GuardFacts, RunFacts, Word};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody has to look at it.
    Warning,
    /// Nothing goes on until somebody has.
    Error,
}

impl Severity {
    /// The word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How much a case matters while it lasts.
#[must_use]
pub fn severity(facts: &Facts, now: Timestamp) -> Severity {
    if let Some(expires_at) = facts.expires_at() {
        let is_near = expires_at.duration_since(now) <= DAY;
        return if is_near { Severity::Error } else { Severity::Warning };
    }
    if matches!(facts, Facts::CredentialRefused { other_in_use: true, .. }) {
        return Severity::Warning;
    }
    match facts.kind() {
        AlertKind::RunFailed
        | AlertKind::JobPaused
        | AlertKind::JobQuarantined
        | AlertKind::AuthFailing
        | AlertKind::TargetUnreachable
        | AlertKind::StoreTrouble => Severity::Error,
        _ => Severity::Warning,
    }
}

/// An instant as people read it: to the second, in UTC.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}

/// What happened, as a sentence without a full stop.
#[must_use]
pub fn what(facts: &Facts, now: Timestamp) -> String {
    match facts {
        Facts::RunHeld { run, guards } => {
            format!("{} is held by {}", of_run(run), join(guards.iter().map(guard)))
        }
        Facts::FileRefused { run, code } => {
            format!("a file was refused ({}): {}", code.as_str(), of_run(run))
        }
        Facts::OperationsFailed { run, failed, of } => {
            format!("{} ended with {failed} failed of {of} rows", of_run(run))
        }
        Facts::RowsRejected { run, rejected, of } => {
            format!("{}: {rejected} of {of} rows were rejected", of_run(run))
        }
        Facts::JobPaused { target, code, means, .. } => {
            format!(
                "the provisioning job of target `{target}` is in state {}: {means}",
                code.as_str()
            )
        }
        Facts::JobQuarantined { target, reason, means, .. } => {
            let why =
                reason.as_ref().map_or_else(String::new, |word| format!(" ({})", word.as_str()));
            format!("the provisioning job of target `{target}` is in quarantine{why}: {means}")
        }
        Facts::QuotaShort { target, operations, calls, daily_calls, done_at } => {
            let until = done_at.map_or_else(
                || "they will never go out".to_owned(),
                |at| format!("the last of them goes out at {}", instant(at)),
            );
            format!(
                "{} for target `{target}` wait, and {calls} of {daily_calls} calls \
                 of 24 hours are used: {until}",
                operations_of(*operations)
            )
        }
        Facts::CertificateExpiring { target: Some(target), expires_at } => {
            format!("the certificate of target `{target}` {}", ends(*expires_at, now))
        }
        Facts::CertificateExpiring { target: None, expires_at } => {
            format!("the certificate of the API {}", ends(*expires_at, now))
        }
        Facts::SecretExpiring { target, expires_at } => {
            format!("the client secret of target `{target}` {}", ends(*expires_at, now))
        }
        Facts::VaultSecretExpiring { secret, expires_at } => {
            format!("the secret `{secret}` of the vault {}", ends(*expires_at, now))
        }
        Facts::KeyExpiring { key, role, source, expires_at } => {
            let of = source
                .as_ref()
                .map_or_else(|| format!("({role})"), |source| format!("of source `{source}`"));
            format!("the provisioning key `{key}` {of} {}", ends(*expires_at, now))
        }
        Facts::AccessRefused { target, status, code, .. } => format!(
            "the other side refuses the calls for target `{target}`{}; nothing is sent until that is mended",
            answer(*status, code.as_ref())
        ),
        Facts::CredentialRefused { target, credential, other_in_use, code, .. } => {
            refused(target, credential, *other_in_use, code.as_ref())
        }
        Facts::LogRefused { target, status, code, .. } => format!(
            "the other side does not let the log of target `{target}` be read{}; no outcome is known until \
             that is mended",
            answer(*status, code.as_ref())
        ),
        Facts::WorkersRefused { source, .. } => format!(
            "workers of source `{source}` cannot be fetched from the HR system; their events wait"
        ),
        Facts::TargetUnreachable { target, .. } => {
            format!(
                "the other side of target `{target}` has not answered for some time; what waits is kept"
            )
        }
        Facts::KeysRefused {} => {
            "somebody calls the API with unknown credentials again and again, and is slowed down"
                .to_owned()
        }
        Facts::FileOverdue { source, expected_at } => {
            format!(
                "the file of source `{source}` that was expected at {} did not come",
                instant(*expected_at)
            )
        }
        Facts::NothingSettled { target, operations, waiting_since } => {
            format!(
                "{} for target `{target}` wait for an outcome, and since {} none has come",
                operations_of(*operations),
                instant(*waiting_since)
            )
        }
        Facts::StoreTrouble { trouble, .. } => format!("the store cannot be used: {trouble}"),
    }
}

/// What to do next.
#[must_use]
pub fn advice(facts: &Facts, now: Timestamp) -> String {
    match facts {
        Facts::RunHeld { run, .. } => format!(
            "look at it with `scimport status {id}`, then `scimport approve {id}` or `scimport cancel {id}`",
            id = run.run
        ),
        Facts::FileRefused { run, .. } => format!(
            "`scimport status {}` says where and why; correct the export and hand the file in again",
            run.run
        ),
        Facts::OperationsFailed { run, .. } => format!(
            "`scimport report {id}` has the reasons; once they are mended, `scimport retry {id}`",
            id = run.run
        ),
        Facts::RowsRejected { run, .. } => format!(
            "hand the rows back to HR: `scimport report {} --format xlsx -o correct.xlsx`",
            run.run
        ),
        Facts::JobPaused { advice, .. }
        | Facts::JobQuarantined { advice, .. }
        | Facts::AccessRefused { advice, .. }
        | Facts::CredentialRefused { advice, .. }
        | Facts::LogRefused { advice, .. }
        | Facts::WorkersRefused { advice, .. }
        | Facts::TargetUnreachable { advice, .. }
        | Facts::StoreTrouble { advice, .. } => advice.clone(),
        Facts::QuotaShort { .. } => {
            "nothing, if that is soon enough: leavers go first; `scimport status` shows what is left".to_owned()
        }
        Facts::CertificateExpiring { target: Some(_), .. } => {
            "register a new certificate with the application in Entra, put it where the config refers to, and \
             try it with `scimport check`"
                .to_owned()
        }
        Facts::CertificateExpiring { target: None, .. } => {
            "put a new certificate where `[server] tls` refers to, and try it with `scimport check`".to_owned()
        }
        Facts::SecretExpiring { .. } => {
            "create a new client secret in the app registration in Entra, put its value where the config refers \
             to, and set `expires` to its day; no restart is needed"
                .to_owned()
        }
        Facts::VaultSecretExpiring { secret, .. } => format!(
            "get a new one where it is from, then `scimport secret rotate {secret} --expires DATE`; no restart \
             is needed"
        ),
        Facts::KeyExpiring { expires_at, .. } if *expires_at <= now => {
            "make a new one with `scimport key create` and hand it over, if anybody still needs it"
                .to_owned()
        }
        Facts::KeyExpiring { key, .. } => {
            format!("make the next one with `scimport key rotate {key}` and hand it over before that")
        }
        Facts::KeysRefused {} => {
            "look in the log for `a key was refused`; if a system of yours has an old key: `scimport key list`, \
             then `scimport key rotate`"
                .to_owned()
        }
        Facts::FileOverdue { source, .. } => {
            format!("ask whoever exports for source `{source}`; `scimport runs` shows what has come")
        }
        Facts::NothingSettled { .. } => {
            "look whether the provisioning job runs, and whether the log can be read: `scimport status` and the \
             log of `scimport serve` say so"
                .to_owned()
        }
    }
}

/// That it does not hold any more.
#[must_use]
pub fn over(facts: &Facts) -> String {
    match facts {
        Facts::RunHeld { run, .. } => format!("{} is no longer held", of_run(run)),
        Facts::FileRefused { run, .. }
        | Facts::OperationsFailed { run, .. }
        | Facts::RowsRejected { run, .. } => format!("{} is done with", of_run(run)),
        Facts::JobPaused { target, .. } => {
            format!("the provisioning job of target `{target}` is no longer in that state")
        }
        Facts::JobQuarantined { target, .. } => {
            format!("the provisioning job of target `{target}` is no longer in quarantine")
        }
        Facts::QuotaShort { target, .. } => {
            format!("the calls of 24 hours carry what waits for target `{target}`")
        }
        Facts::CertificateExpiring { target: Some(target), .. } => {
            format!("target `{target}` has a new certificate")
        }
        Facts::CertificateExpiring { target: None, .. } => {
            "the API has a new certificate".to_owned()
        }
        Facts::SecretExpiring { target, .. } => {
            format!("target `{target}` has a new client secret")
        }
        Facts::VaultSecretExpiring { secret, .. } => {
            format!("the secret `{secret}` of the vault was replaced")
        }
        Facts::KeyExpiring { key, .. } => {
            format!("the provisioning key `{key}` was replaced or revoked")
        }
        Facts::AccessRefused { target, .. } => {
            format!("the other side takes the calls for target `{target}` again")
        }
        Facts::CredentialRefused { target, credential, .. } => {
            format!("the {credential} credential of target `{target}` is no longer refused")
        }
        Facts::LogRefused { target, .. } => {
            format!("the log of target `{target}` can be read again")
        }
        Facts::WorkersRefused { source, .. } => {
            format!("workers of source `{source}` can be fetched again")
        }
        Facts::TargetUnreachable { target, .. } => {
            format!("the other side of target `{target}` answers again")
        }
        Facts::KeysRefused {} => "nobody tries unknown credentials any more".to_owned(),
        Facts::FileOverdue { source, .. } => {
            format!("the file of source `{source}` is no longer overdue")
        }
        Facts::NothingSettled { target, .. } => {
            format!("outcomes of target `{target}` come again, or none are waited for")
        }
        Facts::StoreTrouble { .. } => "the store can be written again".to_owned(),
    }
}

/// Several cases of a kind at once.
#[must_use]
pub fn many(kind: AlertKind, count: usize, is_over: bool) -> String {
    let words = match (kind, is_over) {
        (AlertKind::RunHeld, false) => "runs are held",
        (AlertKind::RunHeld, true) => "runs are no longer held",
        (AlertKind::RunFailed, false) => "runs failed",
        (AlertKind::RunFailed | AlertKind::RejectsShare, true) => "runs are done with",
        (AlertKind::RejectsShare, false) => "runs have many rejected rows",
        (AlertKind::JobPaused, false) => "provisioning jobs do not process what they are sent",
        (AlertKind::JobPaused, true) => "provisioning jobs are no longer in that state",
        (AlertKind::JobQuarantined, false) => "provisioning jobs are in quarantine",
        (AlertKind::JobQuarantined, true) => "provisioning jobs are no longer in quarantine",
        (AlertKind::QuotaShort, false) => {
            "targets have more waiting than the calls of 24 hours carry"
        }
        (AlertKind::QuotaShort, true) => "targets have calls enough again",
        (AlertKind::CredentialExpiring, false) => "credentials end soon",
        (AlertKind::CredentialExpiring, true) => "credentials were replaced",
        (AlertKind::KeyExpiring, false) => "provisioning keys end soon",
        (AlertKind::KeyExpiring, true) => "provisioning keys were replaced or revoked",
        (AlertKind::AuthFailing, false) => {
            "places refuse calls, or are called with unknown credentials"
        }
        (AlertKind::AuthFailing, true) => "places take calls again",
        (AlertKind::TargetUnreachable, false) => "targets have not answered for some time",
        (AlertKind::TargetUnreachable, true) => "targets answer again",
        (AlertKind::FileOverdue, false) => "files are overdue",
        (AlertKind::FileOverdue, true) => "files are no longer overdue",
        (AlertKind::NothingSettled, false) => "targets have had no outcome for long",
        (AlertKind::NothingSettled, true) => "targets have outcomes again",
        (AlertKind::StoreTrouble, false) => "stores cannot be used",
        (AlertKind::StoreTrouble, true) => "stores can be written again",
    };
    format!("{count} {words}")
}

/// What to do about several cases of a kind, where it is not the same for each.
#[must_use]
pub fn advice_for_many(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::RunHeld => {
            "`scimport runs` lists them; for each `scimport status RUN`, then `scimport approve RUN` or \
             `scimport cancel RUN`"
        }
        AlertKind::RunFailed | AlertKind::RejectsShare => {
            "`scimport runs` lists them; `scimport status RUN` and `scimport report RUN` have the reasons"
        }
        AlertKind::KeyExpiring => {
            "`scimport key list` shows them; make the next ones with `scimport key rotate ID`"
        }
        _ => "each says what to do: `scimport status` and the log of `scimport serve` show them",
    }
}

fn operations_of(count: u64) -> String {
    format!("{count} operation{}", if count == 1 { "" } else { "s" })
}

/// What the other side answered, in brackets, where it did.
fn answer(status: Option<u16>, code: Option<&Word>) -> String {
    let words =
        [status.map(|status| status.to_string()), code.map(|code| code.as_str().to_owned())];
    let words = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if words.is_empty() { words } else { format!(" ({words})") }
}

/// That a credential of a target is refused, and what calls go out with meanwhile.
fn refused(target: &str, credential: &str, other_in_use: bool, code: Option<&Word>) -> String {
    let how = code.map_or_else(
        || "cannot be used".to_owned(),
        |code| format!("is refused by Entra ({})", code.as_str()),
    );
    let meanwhile = if other_in_use {
        "the other one is used"
    } else {
        "calls go out only while the token at hand lasts"
    };
    format!("the {credential} credential of target `{target}` {how}; {meanwhile}")
}

fn of_run(run: &RunFacts) -> String {
    format!("run {} of source `{}`", run.run, run.source)
}

fn guard(guard: &GuardFacts) -> String {
    match (guard.value, guard.of) {
        (_, 0) => format!("`{}`", guard.guard),
        // its limit is no number
        _ if guard.guard == "older_file" => format!("`{}`", guard.guard),
        (value, of) => format!("`{}` ({value} of {of}, limit {})", guard.guard, guard.limit),
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "a guard".to_owned() } else { parts.join(", ") }
}

/// "ends in 13 days, at …" or "has ended at …".
fn ends(at: Timestamp, now: Timestamp) -> String {
    let left = at.duration_since(now);
    if left <= SignedDuration::ZERO {
        return format!("has ended at {}", instant(at));
    }
    let (count, unit) = match (left.as_hours() / 24, left.as_hours()) {
        (0, 0) => (left.as_mins(), "minute"),
        (0, hours) => (hours, "hour"),
        (days, _) => (days, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("ends in {count} {unit}{plural}, at {}", instant(at))
}
