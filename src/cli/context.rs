//! What every command needs: the environment, the config, the clock, words for errors.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::bridge::{
    Bridge, BridgeError, DecisionError, Ended, KeyError, SchemaError, SealError, Setup,
};
use crate::cli::exit::Exit;
use crate::cli::person::{self, Account};
use crate::cli::terminal::tell;
use crate::config;
use crate::delivery::{JobAdvice, Stop, job_advice};
use crate::domain::{Clock, Origin, ShiftedClock, SystemClock, Who};
use crate::entra::{CallFailure, CertificateProblem, SchemaProblem};
use crate::store::{SealProblem, StoreTrouble};
use crate::telemetry::causes;
use crate::tracking::TrackingError;

/// How far the clock of a rehearsal is ahead, such as `36h`; after `@`, the file that says so, which is
/// looked at whenever the time is asked for. `mock-entra` has its own, which
/// `POST /_mock/advance` moves.
const REHEARSAL_CLOCK: &str = "SCIMPORT_REHEARSAL_CLOCK";

/// A clock that is ahead by what stands in a file, so that a `serve` that runs lives through days.
struct FileClock {
    file: PathBuf,
    /// What stood there last; while it is written anew, there may be nothing.
    last: Mutex<SignedDuration>,
}

impl Clock for FileClock {
    fn now(&self) -> Timestamp {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = read_shift(&self.file).unwrap_or(*last);
        ShiftedClock::new(SystemClock, *last).now()
    }
}

fn read_shift(file: &Path) -> Option<SignedDuration> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// What every command needs.
pub struct Context {
    /// `--config`, as given.
    pub config: Option<PathBuf>,
    /// The environment, read once.
    pub env: Vec<(String, String)>,
    /// Cancelled by Ctrl-C.
    pub cancel: CancellationToken,
}

/// Why a command ended early; the words have been said.
pub struct Failed(pub Exit);

impl Context {
    /// Loads and checks the config; its mistakes are told.
    pub fn setup(&self) -> Result<Setup, Failed> {
        let path =
            config::find(self.config.as_deref(), &config::lookup(&self.env)).map_err(|error| {
                tell(format!("error: {error}\nhint: {}", error.hint()));
                Failed(Exit::Usage)
            })?;
        self.setup_at(&path)
    }

    /// Loads and checks the config at a path.
    pub fn setup_at(&self, path: &Path) -> Result<Setup, Failed> {
        Setup::load(path, &self.env).map_err(|errors| {
            tell(errors.to_string());
            let count = errors.problems.len();
            let plural = if count == 1 { "" } else { "s" };
            tell(format!("\n{count} mistake{plural} in the config; nothing was done"));
            Failed(Exit::Usage)
        })
    }

    /// A variable of the environment.
    pub fn variable(&self, name: &str) -> Option<String> {
        config::lookup(&self.env)(name)
    }

    /// The machine's clock, or for a rehearsal one that is ahead of it (or behind); else why not, and
    /// the way out.
    pub fn clock(&self, setup: &Setup) -> Result<Arc<dyn Clock>, (&'static str, &'static str)> {
        let found = self.variable(REHEARSAL_CLOCK);
        let Some(text) = found.filter(|text| !text.trim().is_empty()) else {
            return Ok(Arc::new(SystemClock));
        };
        let file = text.trim().strip_prefix('@').map(PathBuf::from);
        let by = match &file {
            Some(file) => read_shift(file),
            None => text.trim().parse().ok(),
        };
        let by: SignedDuration = by.ok_or((
            "`SCIMPORT_REHEARSAL_CLOCK` is no length of time",
            "write it like `36h`, or like `@FILE` with a file that says so",
        ))?;
        if by.is_zero() && file.is_none() {
            return Ok(Arc::new(SystemClock));
        }
        if !setup.is_rehearsal() {
            return Err((
                "`SCIMPORT_REHEARSAL_CLOCK` moves the clock of rehearsals, and this config has a target \
                 that is no stand-in on this machine",
                "take the variable out of the environment",
            ));
        }
        Ok(match file {
            Some(file) => Arc::new(FileClock { file, last: Mutex::new(by) }),
            None => Arc::new(ShiftedClock::new(SystemClock, by)),
        })
    }

    /// The same, with what is wrong told.
    pub fn told_clock(&self, setup: &Setup) -> Result<Arc<dyn Clock>, Failed> {
        self.clock(setup).map_err(|(words, hint)| {
            tell(format!("error: {words}\nhint: {hint}"));
            Failed(Exit::Usage)
        })
    }

    /// Who types the command; the name alone is kept with decisions, the rest is for the audit trail.
    pub fn who(&self) -> Who {
        let account = Account::of_process();
        person::who(|name| self.variable(name), account.as_ref(), self.host().as_deref())
    }

    /// What this machine is called.
    fn host(&self) -> Option<String> {
        let of_system = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let host = of_system
            .or_else(|| self.variable("COMPUTERNAME"))
            .or_else(|| self.variable("HOSTNAME"))?;
        Some(host.trim().to_owned()).filter(|host| !host.is_empty())
    }

    /// The bridge of a command that commits something: the config that it works by is in the audit trail.
    pub async fn committing(&self) -> Result<Bridge, Failed> {
        let bridge = self.bridge()?;
        bridge.note_config().await.map_err(failed)?;
        Ok(bridge)
    }

    /// The bridge with its store open.
    pub fn bridge(&self) -> Result<Bridge, Failed> {
        self.open(self.setup()?)
    }

    /// The same, for a config that was looked at before.
    pub fn open(&self, setup: Setup) -> Result<Bridge, Failed> {
        self.open_for(self.who(), setup)
    }

    /// The same, for what goes on by itself afterwards.
    pub fn open_as_daemon(&self, setup: Setup) -> Result<Bridge, Failed> {
        self.open_for(self.who().via(Origin::Daemon), setup)
    }

    fn open_for(&self, who: Who, setup: Setup) -> Result<Bridge, Failed> {
        let clock = self.told_clock(&setup)?;
        Bridge::open_for(who, setup, clock, self.env.clone()).map_err(failed)
    }

    /// The same, to take the encryption of the store off.
    pub fn open_to_unseal(&self, setup: Setup) -> Result<Bridge, Failed> {
        let clock = self.told_clock(&setup)?;
        Bridge::open_to_unseal(self.who(), setup, clock, self.env.clone()).map_err(failed)
    }

    /// The bridge with its store open for looking only.
    pub fn bridge_read_only(&self) -> Result<Bridge, Failed> {
        let setup = self.setup()?;
        let clock = self.told_clock(&setup)?;
        Bridge::open_read_only(setup, clock, self.env.clone()).map_err(failed)
    }
}

/// Tells an error with its causes and the way out.
pub fn failed(error: impl Into<BridgeError>) -> Failed {
    let error = error.into();
    let mut text = format!("error: {}", with_causes(&error));
    if let Some(hint) = hint(&error) {
        text = format!("{text}\nhint: {hint}");
    }
    tell(text);
    Failed(match error {
        BridgeError::Config(_)
        | BridgeError::NoSuchSource { .. }
        | BridgeError::OtherJob { .. }
        | BridgeError::NoSuchTarget(_)
        | BridgeError::Secret { .. }
        | BridgeError::Schema(SchemaError::Problem(
            SchemaProblem::SeveralSources(_) | SchemaProblem::OtherSource { .. },
        ))
        | BridgeError::StoreKey(_)
        | BridgeError::Client { .. } => Exit::Usage,
        _ => Exit::Error,
    })
}

/// An error's words and those of its causes, a line each.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    causes(error).join("\n  because ")
}

/// The way out of an error, where there is one.
pub fn hint(error: &BridgeError) -> Option<String> {
    if let Some(trouble) = StoreTrouble::among_causes(error) {
        return Some(trouble.advice().to_owned());
    }
    if let Some(problem) = SealProblem::among_causes(error) {
        return Some(problem.advice().to_owned());
    }
    if let Some(problem) = CertificateProblem::among_causes(error) {
        return Some(format!("{}; then `scimport check` looks again", problem.advice()));
    }
    match error {
        BridgeError::Refused(problem) => {
            let code = problem.code;
            Some(match &problem.hint {
                Some(hint) => format!("{hint}  [{code}]"),
                None => format!("see the code `{code}`"),
            })
        }
        BridgeError::NoSuchSource { known, .. } if known.is_empty() => {
            Some("the config has no source yet: add a `[source.NAME]`".to_owned())
        }
        BridgeError::NoSuchSource { known, .. } => {
            Some(format!("the config has {}", known.join(", ")))
        }
        BridgeError::OtherJob { .. } => Some(
            "after a rehearsal, or with a new job, begin with a new ledger: name another store in \
             `[store] url`, or give the target another name; everybody is sent once more"
                .to_owned(),
        ),
        BridgeError::Secret { .. } => {
            Some("put it there, then `scimport check` looks again".to_owned())
        }
        BridgeError::Schema(error) => error.advice(),
        BridgeError::StoreKey(error) => Some(error.advice().to_owned()),
        BridgeError::Forget(error) => Some(error.advice().to_owned()),
        BridgeError::Tracking(TrackingError::Halted(failure)) => Some(failure.advice().to_owned()),
        BridgeError::Seal(SealError::Stale { .. }) => Some(
            "nothing was stored: look at a new plan with `scimport plan FILE --source S --out PLAN`"
                .to_owned(),
        ),
        BridgeError::Seal(SealError::NoPlan { .. }) => {
            Some("make one with `scimport plan FILE --source S --out PLAN`".to_owned())
        }
        BridgeError::Decision(DecisionError::NoSuchRun(_)) => {
            Some("`scimport runs` lists them".to_owned())
        }
        BridgeError::Decision(DecisionError::Superseded { by, .. }) => {
            Some(format!("look at the newer one: `scimport status {by}`"))
        }
        BridgeError::Key(KeyError::NoSuchKey(_)) => {
            Some("`scimport key list` lists them".to_owned())
        }
        BridgeError::Key(KeyError::Replaced { by, .. }) => {
            Some(format!("rotate that one: `scimport key rotate {by}`"))
        }
        BridgeError::Key(KeyError::Ended { .. }) => {
            Some("make a new one with `scimport key create`".to_owned())
        }
        BridgeError::LedgerBusy => Some("try again when the other runs are done".to_owned()),
        _ => None,
    }
}

/// Says why driving ended before its goal, and what that means for the exit code.
pub fn explain(ended: &Ended) -> Exit {
    match ended {
        Ended::Reached => Exit::Success,
        Ended::Cancelled => {
            tell("stopped; what is queued is kept, `scimport work` carries on");
            Exit::Interrupted
        }
        Ended::TimedOut => {
            tell("the time is over; what is left goes on with `scimport work`");
            Exit::Unavailable
        }
        Ended::Stopped(stop) => explain_stop(stop),
    }
}

fn explain_stop(stop: &Stop) -> Exit {
    match stop {
        Stop::Drained => Exit::Success,
        Stop::Cancelled => Exit::Interrupted,
        Stop::JobUnavailable { code, reason } => {
            let why = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            let JobAdvice { means, advice } = job_advice(code, reason.as_deref());
            tell(format!(
                "the provisioning job is in state {code}{why}: {means}; nothing is sent until it runs\n\
                 hint: {advice}; then `scimport work` carries on"
            ));
            Exit::Unavailable
        }
        Stop::QuotaExhausted { free_at } => {
            tell(format!(
                "the tenant's calls of the last 24 hours are used up; the rest stays queued\n\
                 hint: the next call comes free at {}; run `scimport work` then, or from a schedule",
                crate::cli::words::instant(*free_at)
            ));
            Exit::Unavailable
        }
        Stop::Unreachable(failure) => {
            tell(format!(
                "the other side has not answered for some time: {failure}\nhint: {}\n\
                 what is queued is kept; `scimport work` carries on",
                failure.advice()
            ));
            Exit::Unavailable
        }
        Stop::Halted(failure) => explain_halt(failure),
    }
}

fn explain_halt(failure: &CallFailure) -> Exit {
    tell(format!(
        "error: {}\nhint: {}\nwhat is queued is kept; `scimport work` carries on once this is mended",
        with_causes(failure),
        failure.advice()
    ));
    Exit::Error
}
