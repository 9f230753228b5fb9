//! `status`: one run, or everything at a glance.

use crate::bridge::{Bridge, FoundRun};
use crate::cli::args::StatusArgs;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, say, tell};
use crate::cli::{apply, json, words};
use crate::store::{Operation, Run};

/// Operations read from the store at a time.
const PAGE: usize = 1_000;

/// Shows a run or an overview.
pub async fn run(context: &Context, args: StatusArgs) -> Result<Exit, Failed> {
    let bridge = context.bridge_read_only()?;
    let Some(word) = &args.run else {
        return overview(&bridge, args.json).await;
    };
    let run = find(&bridge, word).await?;
    if !args.operations {
        apply::show(&bridge, &run.id, args.json).await?;
        return Ok(Exit::Success);
    }
    each_operation(&bridge, &run, &mut |operation| {
        if args.json {
            say(json::operation(operation).to_string());
        } else {
            say(line(operation));
        }
    })
    .await?;
    Ok(Exit::Success)
}

/// The run a person means; says so when there is none.
pub async fn find(bridge: &Bridge, word: &str) -> Result<Run, Failed> {
    let words = match bridge.find_run(word).await.map_err(failed)? {
        FoundRun::One(run) => return Ok(*run),
        FoundRun::Several(count) => {
            format!(
                "error: {count} runs begin with `{word}`\nhint: give more of the id; `scimport runs` lists them"
            )
        }
        FoundRun::None => {
            format!("error: there is no run `{word}`\nhint: `scimport runs` lists them")
        }
        FoundRun::NoneYet => {
            "error: there are no runs yet\nhint: `scimport apply FILE --source S` makes one"
                .to_owned()
        }
    };
    tell(words);
    Err(Failed(Exit::Error))
}

/// Hands every operation of a run to `sink`, in the order of the file.
pub async fn each_operation(
    bridge: &Bridge,
    run: &Run,
    sink: &mut (dyn FnMut(&Operation) + Send),
) -> Result<(), Failed> {
    let mut after = None;
    loop {
        let page = bridge.store.operations(&run.id, after, PAGE).await.map_err(failed)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id);
        page.iter().for_each(&mut *sink);
    }
}

fn line(operation: &Operation) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let words = [operation.code.as_deref(), operation.reason.as_deref()];
    format!(
        "line {:>6}  {:<16}  {:<7}  {:<11}  {}",
        number(operation.line),
        operation.external_id.as_ref().map_or("-", crate::domain::ExternalId::as_str),
        operation.change.map_or("-", crate::domain::Change::as_str),
        operation.status,
        words.into_iter().flatten().collect::<Vec<_>>().join(": ")
    )
}

async fn overview(bridge: &Bridge, as_json: bool) -> Result<Exit, Failed> {
    let overview = bridge.overview().await.map_err(failed)?;
    if as_json {
        say(json::overview(&overview).to_string());
        return Ok(Exit::Success);
    }
    for target in &overview.targets {
        say(format!(
            "target `{}`: {} of {} calls used in the last 24 hours, {} operations queued, {} waiting \
             for an outcome",
            target.target,
            words::thousands(target.calls),
            words::thousands(u64::from(target.daily_calls)),
            words::thousands(target.outbox.queued + target.outbox.sending),
            words::thousands(target.accepted)
        ));
        if let Some(job) = &target.job {
            say(format!("          {}", words::job(job)));
        }
        if let Some(resent) = &target.resent {
            say(format!("          {}", words::resent(resent)));
        }
        if let Some(forecast) = &target.forecast {
            say(format!("          {}", words::forecast(forecast, "the rest")));
        }
        if let Some(blocked) = &target.blocked {
            say(format!("          {}", words::blocked(blocked)));
        }
    }
    for run in &overview.runs {
        say(format!("\n{}", words::run(run, bridge.clock.now())));
    }
    if overview.runs.is_empty() {
        remark("there are no runs yet; `scimport apply FILE --source S` makes one");
    }
    Ok(Exit::Success)
}
