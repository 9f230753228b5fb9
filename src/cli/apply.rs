//! `apply`: the main job.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::Value;

use crate::bridge::{Applied, Applying, Bridge, BridgeError, Goal, Preview, SealedPlan};
use crate::cli::args::{ApplyArgs, Wait};
use crate::cli::context::{Context, Failed, explain, failed};
use crate::cli::exit::Exit;
use crate::cli::plan::{describe, missing, tell_held};
use crate::cli::terminal::{ask, is_interactive, operations_bar, reading_bar, remark, say, tell};
use crate::cli::{findings, json, words};
use crate::domain::{ExternalId, OperationStatus, RunId, RunStatus};
use crate::intake::{Asked, Pilot};
use crate::store::{Operation, Run};

/// How long `--wait accepted` waits unless told otherwise.
const ACCEPTED_TIMEOUT: Duration = Duration::from_mins(30);
/// How long `--wait outcome` waits unless told otherwise.
const OUTCOME_TIMEOUT: Duration = Duration::from_hours(3);
/// A run that changes more than one in so many records is asked about.
const ASK_ABOVE_ONE_IN: u64 = 10;
/// Operations looked at for the summary of troubles.
const TROUBLES_READ: usize = 2_000;
/// Kinds of trouble shown.
const TROUBLES_SHOWN: usize = 10;

/// What is to be applied.
struct Order {
    source: String,
    file: PathBuf,
    pilot: Option<Pilot>,
    sealed: Option<SealedPlan>,
}

impl Order {
    fn read(args: &ApplyArgs) -> Result<Self, Failed> {
        if let Some(path) = &args.plan {
            let sealed =
                SealedPlan::read(path).map_err(|error| failed(BridgeError::from(error)))?;
            let (source, file) = (sealed.source.clone(), sealed.file.clone());
            return Ok(Self { source, file, pilot: None, sealed: Some(sealed) });
        }
        let pilot = match args.limit {
            Some(limit) => Some(Pilot::Limit(limit)),
            None if args.only.is_empty() => None,
            None => {
                Some(Pilot::Only(args.only.iter().map(|id| ExternalId::new(id.trim())).collect()))
            }
        };
        // clap has seen to it that both are there
        let (source, file) = (args.source.clone().unwrap_or_default(), args.file.clone());
        Ok(Self { source, file: file.unwrap_or_default(), pilot, sealed: None })
    }
}

/// Applies a file.
pub async fn run(context: &Context, args: ApplyArgs) -> Result<Exit, Failed> {
    let setup = context.setup()?;
    let order = Order::read(&args)?;
    let feed = setup.feed(&order.source).map_err(failed)?;
    if args.wait != Wait::None {
        // a missing secret is told before anything is stored, the store itself included
        setup.client(&feed.target, setup.secrets()).map_err(failed)?;
    }
    let bridge = context.open(setup)?;
    bridge.note_config().await.map_err(failed)?;
    let bar = reading_bar();
    let on_progress = |read, size| {
        bar.set_length(size);
        bar.set_position(read);
    };
    let asks = !args.yes && is_interactive();
    let mut found = None;
    let mut agree = |preview: Preview<'_>| {
        bar.finish_and_clear();
        // asked again when another run came between: what was found is the same
        found.get_or_insert_with(|| {
            findings::tell_of(&preview.planned.findings);
            tell_held(preview.planned);
            if let Some(missing) = missing(preview.planned) {
                tell(missing);
            }
            json::findings(&preview.planned.findings, &preview.planned.remarks)
        });
        !asks || agrees(&preview)
    };
    let applying = Applying {
        asked: Asked::Typed,
        id: None,
        pilot: order.pilot.as_ref(),
        sealed: order.sealed.as_ref(),
        who: None,
        on_progress: Some(&on_progress),
    };
    let applied = bridge.apply(&order.source, &order.file, applying, &mut agree).await;
    bar.finish_and_clear();
    let found = found.unwrap_or_else(|| json::findings(&[], &[]));
    let applied = match applied {
        Ok(applied) => applied,
        Err(error) => {
            let is_refused = matches!(error, BridgeError::Refused(_));
            let failure = failed(error);
            if args.json && is_refused {
                show_refused(&bridge, &order.source).await?;
            }
            return Err(failure);
        }
    };
    let (id, was_there) = match applied {
        Applied::Declined => {
            tell("nothing was stored or sent");
            return Ok(Exit::Error);
        }
        Applied::Committed(id) => (id, false),
        Applied::Already(run) => {
            remark(format!("already applied as {}", run.id));
            if !run.status.is_unfinished() {
                show_with(&bridge, &run.id, args.json, Some(&found)).await?;
                return Ok(Exit::Success);
            }
            (run.id, true)
        }
    };
    if let Some(run) = bridge.store.run(&id).await.map_err(failed)?
        && run.status == RunStatus::Held
    {
        if was_there && let Some(held) = words::held(&run.held_by) {
            tell(held);
        }
        show_with(&bridge, &id, args.json, Some(&found)).await?;
        return Ok(Exit::Held);
    }
    // the run is there, whatever became of it: it is shown all the same
    let exit = follow(context, &bridge, &feed.target, &id, &args).await;
    let exit = exit.unwrap_or_else(|Failed(exit)| exit);
    let run = show_with(&bridge, &id, args.json, Some(&found)).await?;
    let of_run = run.as_ref().map_or(Exit::Success, Exit::of_run);
    // an unfinished run that is only looked at again is what it is
    Ok(if was_there && args.wait == Wait::None { Exit::Success } else { exit.and(of_run) })
}

/// Delivers and tracks until what is waited for has come.
async fn follow(
    context: &Context,
    bridge: &Bridge,
    target: &crate::domain::TargetName,
    id: &RunId,
    args: &ApplyArgs,
) -> Result<Exit, Failed> {
    let (goal, default_timeout) = match args.wait {
        Wait::None => return Ok(Exit::Success),
        Wait::Accepted => (Goal::Accepted(id.clone()), ACCEPTED_TIMEOUT),
        Wait::Outcome => (Goal::Outcome(id.clone()), OUTCOME_TIMEOUT),
    };
    let timeout = args.timeout.unwrap_or(default_timeout);
    let bars = RunBars::new(&goal);
    let mut on_tick = |run: &Run| bars.show(run);
    let driven = bridge.drive(target, &goal, Some(timeout), &context.cancel, &mut on_tick).await;
    bars.clear();
    Ok(explain(&driven.map_err(failed)?))
}

fn agrees(preview: &Preview<'_>) -> bool {
    let planned = preview.planned;
    let queued = planned.to_send();
    let is_large = queued * ASK_ABOVE_ONE_IN > planned.records.all;
    if queued == 0 || !(preview.is_first_run || is_large) {
        return true;
    }
    tell(describe(planned));
    let question = if preview.is_first_run {
        "This is the first run of the source. Send it?".to_owned()
    } else {
        format!(
            "This changes {} of {} known people. Send it?",
            words::thousands(queued),
            words::thousands(planned.records.all)
        )
    };
    ask(&question)
}

/// Prints a run, with what went wrong in it.
pub async fn show(bridge: &Bridge, id: &RunId, as_json: bool) -> Result<Option<Run>, Failed> {
    show_with(bridge, id, as_json, None).await
}

/// The same, where the file was read just now, with what was found out about it.
async fn show_with(
    bridge: &Bridge,
    id: &RunId,
    as_json: bool,
    found: Option<&Value>,
) -> Result<Option<Run>, Failed> {
    let Some(run) = bridge.store.run(id).await.map_err(failed)? else {
        return Ok(None);
    };
    if as_json {
        let mut document = json::run(&run);
        if let Some(found) = found {
            document = json::added_to(document, found.clone());
        }
        say(document.to_string());
        return Ok(Some(run));
    }
    say(words::run(&run, bridge.clock.now()));
    if run.status == RunStatus::Delivering
        && let Ok(outlook) = bridge.outlook(&run.target).await
    {
        if let Some(forecast) = outlook.forecast {
            say(format!("quota     {}", words::forecast(&forecast, "the rest of this run")));
        }
        if let Some(blocked) = outlook.blocked {
            say(format!("stopped   {}", words::blocked(&blocked)));
        }
    }
    if let Some(troubles) = words::troubles(&troubled(bridge, id).await?, TROUBLES_SHOWN) {
        say(format!("\n{troubles}\n\nevery row with its reason: scimport report {id}"));
    }
    Ok(Some(run))
}

/// Operations of a run that a person should look at.
pub async fn troubled(bridge: &Bridge, id: &RunId) -> Result<Vec<Operation>, Failed> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = bridge.store.operations(id, after, 1_000).await.map_err(failed)?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = Some(last.id);
        found.extend(page.into_iter().filter(is_troubled));
        if found.len() >= TROUBLES_READ {
            return Ok(found);
        }
    }
}

fn is_troubled(operation: &Operation) -> bool {
    match operation.status {
        OperationStatus::Rejected | OperationStatus::Failed | OperationStatus::Unconfirmed => true,
        OperationStatus::Provisioned => operation.advice.is_some(),
        OperationStatus::Skipped => operation.code.as_deref() != Some("NoChange"),
        _ => false,
    }
}

/// A refused file is a run as well; its document is printed.
async fn show_refused(bridge: &Bridge, source: &str) -> Result<(), Failed> {
    let runs = bridge.store.runs(1).await.map_err(failed)?;
    if let Some(run) = runs.first()
        && run.problem.is_some()
        && run.source.as_str() == source
    {
        say(json::added_to(json::run(run), json::findings(&[], &[])).to_string());
    }
    Ok(())
}

/// Two bars: what is accepted, and what has an outcome.
pub struct RunBars {
    sent: ProgressBar,
    settled: Option<ProgressBar>,
}

impl RunBars {
    /// Bars for a goal.
    pub fn new(goal: &Goal) -> Self {
        let sent = operations_bar("accepted");
        let settled = matches!(goal, Goal::Outcome(_)).then(|| operations_bar("outcomes"));
        Self { sent, settled }
    }

    /// Shows where a run stands.
    pub fn show(&self, run: &Run) {
        use OperationStatus as S;
        let count = |statuses: &[S]| statuses.iter().map(|status| run.counts.get(*status)).sum();
        let ended: u64 = count(&[S::Provisioned, S::Skipped, S::Failed, S::Unconfirmed]);
        let sent = ended + run.counts.get(S::Accepted);
        let all: u64 = sent + count(&[S::Queued, S::Sending]);
        self.sent.set_length(all);
        self.sent.set_position(sent);
        if let Some(settled) = &self.settled {
            settled.set_length(all);
            settled.set_position(ended);
        }
    }

    /// Takes the bars away.
    pub fn clear(&self) {
        self.sent.finish_and_clear();
        if let Some(settled) = &self.settled {
            settled.finish_and_clear();
        }
    }
}
