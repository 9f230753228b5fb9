//! `demo`: the whole journey in one process, with nothing to set up.
//!
//! It is the program itself, config and all, against the stand-in Entra: two days of a small HR
//! feed, with the outcomes that are foretold beside the sample, or a generated file of any size.

mod foretold;
mod people;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::bridge::{Applied, Applying, Bridge, Ended, Goal, Setup};
use crate::cli::apply::{RunBars, show};
use crate::cli::args::DemoArgs;
use crate::cli::context::{Context, Failed, explain, failed};
use crate::cli::exit::Exit;
use crate::cli::files::create_private;
use crate::cli::status::each_operation;
use crate::cli::terminal::{remark, say, tell};
use crate::cli::words;
use crate::config::Config;
use crate::domain::{Origin, RunId, RunStatus, SystemClock, Who};
use crate::mock_entra::{self, MockConfig, MockEntra};
use crate::store::{Operation, Run};

const SAMPLE_CONFIG: &str = include_str!("../../samples/scimport.toml");
const FIRST_DAY: &str = include_str!("../../samples/workers.csv");
const NEXT_DAY: &str = include_str!("../../samples/workers-next-day.csv");
/// The stand-in's scoping filter: it has somebody to skip.
const SCOPE: &str = "userType NOT EQUALS Visitor";
/// A day of a generated file may take this long: the quota's largest file at the burst limit.
const TIMEOUT: Duration = Duration::from_mins(15);

/// Runs the demo.
pub async fn run(context: &Context, args: DemoArgs) -> Result<Exit, Failed> {
    let folder = Folder::create()?;
    let mock = start_mock().await?;
    let bridge = bridge(&mock, &folder.0)?;
    remark(format!("a stand-in Entra listens at {}; nothing leaves this machine\n", mock.url()));
    let exit = match args.records {
        None => two_days(context, &bridge, &folder.0).await,
        Some(count) => generated(context, &bridge, &folder.0, count).await,
    };
    mock.stop().await;
    let exit = exit?;
    if exit == Exit::Success {
        say("\nWhat to try next:\n  \
             scimport mock-entra                            the stand-in on its own, to rehearse against\n  \
             scimport mock-entra --print-config             a target that fits it, for a config of your own\n  \
             samples/scimport.toml                          a whole config to start from, mapping and all\n  \
             scimport plan --help                           see what a file would do before it does it\n  \
             README.md, \"A first real set-up\"               your own tenant in ten minutes");
    }
    Ok(exit)
}

async fn two_days(context: &Context, bridge: &Bridge, folder: &Path) -> Result<Exit, Failed> {
    let days = [
        ("Day one: the whole of a small company.", "workers.csv", FIRST_DAY, foretold::FIRST_DAY),
        (
            "\nDay two: the same people, a few changes. Only those are sent.",
            "workers-next-day.csv",
            NEXT_DAY,
            foretold::NEXT_DAY,
        ),
    ];
    let mut exit = Exit::Success;
    for (title, name, text, outcomes) in days {
        say(title);
        let run = apply(context, bridge, &write(folder, name, text)?).await?;
        let operations = operations(bridge, &run).await?;
        say(table(&operations));
        exit = exit.and(compare(&foretold::differences(outcomes, &operations)));
    }
    Ok(exit)
}

async fn generated(
    context: &Context,
    bridge: &Bridge,
    folder: &Path,
    count: u32,
) -> Result<Exit, Failed> {
    say(format!("{count} generated workers."));
    let run = apply(context, bridge, &write(folder, "generated.csv", &people::csv(count))?).await?;
    show(bridge, &run.id, false).await?;
    Ok(compare(&people::differences(count, &run.counts)))
}

/// The real thing from here on: plan, commit, send, follow.
async fn apply(context: &Context, bridge: &Bridge, file: &Path) -> Result<Run, Failed> {
    let applied =
        bridge.apply("hr", file, Applying::default(), &mut |_| true).await.map_err(failed)?;
    let id = match applied {
        Applied::Committed(id) => id,
        Applied::Already(run) => run.id,
        Applied::Declined => return Err(Failed(Exit::Error)),
    };
    approve_if_held(bridge, &id).await?;
    let goal = Goal::Outcome(id.clone());
    let feed = bridge.feed("hr").map_err(failed)?;
    let bars = RunBars::new(&goal);
    let mut on_tick = |run: &Run| bars.show(run);
    let driven =
        bridge.drive(&feed.target, &goal, Some(TIMEOUT), &context.cancel, &mut on_tick).await;
    bars.clear();
    let ended = driven.map_err(failed)?;
    if !matches!(ended, Ended::Reached) {
        return Err(Failed(explain(&ended)));
    }
    bridge.store.run(&id).await.map_err(failed)?.ok_or(Failed(Exit::Error))
}

/// So few people are soon a large share of all: the guards hold the run, and the demo lets it go.
async fn approve_if_held(bridge: &Bridge, id: &RunId) -> Result<(), Failed> {
    let run = bridge.store.run(id).await.map_err(failed)?.ok_or(Failed(Exit::Error))?;
    if run.status != RunStatus::Held {
        return Ok(());
    }
    say(words::held(&run.held_by).unwrap_or_default());
    say(format!("nothing is sent until somebody looks at it:  scimport approve {id}"));
    bridge.approve(id, &bridge.who).await.map_err(failed)?;
    Ok(())
}

async fn operations(bridge: &Bridge, run: &Run) -> Result<Vec<Operation>, Failed> {
    let mut operations = Vec::new();
    each_operation(bridge, run, &mut |operation| operations.push(operation.clone())).await?;
    Ok(operations)
}

/// A line for each row, with reason and advice under those that need a person.
fn table(operations: &[Operation]) -> String {
    let mut lines = vec![format!("  {:<7} {:<8} {:<12} why", "worker", "change", "status")];
    for operation in operations {
        lines.push(format!(
            "  {:<7} {:<8} {:<12} {}",
            operation.external_id.as_ref().map_or("-", crate::domain::ExternalId::as_str),
            operation.change.map_or("-", crate::domain::Change::as_str),
            operation.status,
            operation.code.as_deref().unwrap_or("")
        ));
        let needs_a_person =
            operation.advice.is_some() && operation.advice.as_deref() != Some("nothing");
        if needs_a_person {
            for (sign, text) in [(" ", &operation.reason), ("→", &operation.advice)] {
                if let Some(text) = text {
                    lines.push(format!("  {:<29} {sign} {text}", ""));
                }
            }
        }
    }
    lines.join("\n")
}

fn compare(differences: &[String]) -> Exit {
    if differences.is_empty() {
        say("  … all of it as foretold");
        return Exit::Success;
    }
    for difference in differences {
        tell(format!("not as foretold: {difference}"));
    }
    Exit::Incomplete
}

async fn start_mock() -> Result<MockEntra, Failed> {
    let config = MockConfig { scope: SCOPE.parse().ok(), ..MockConfig::default() };
    MockEntra::start(config).await.map_err(|error| {
        tell(format!("error: the stand-in Entra cannot start\n  because {error}"));
        Failed(Exit::Error)
    })
}

/// The sample config, with only the addresses turned to this process's stand-in.
fn bridge(mock: &MockEntra, folder: &Path) -> Result<Bridge, Failed> {
    let env = vec![
        ("SCIMPORT__TARGET__ENTRA__AUTHORITY_URL".to_owned(), mock.url()),
        ("SCIMPORT__TARGET__ENTRA__GRAPH_URL".to_owned(), mock.url()),
        ("SCIMPORT_CLIENT_SECRET".to_owned(), mock_entra::CLIENT_SECRET.to_owned()),
    ];
    let setup = Config::parse(SAMPLE_CONFIG, folder, env.clone()).and_then(Setup::new);
    let setup = setup.map_err(|errors| failed(crate::bridge::BridgeError::Config(errors)))?;
    let who = Who::new("demo", Origin::Cli);
    Bridge::open_for(who, setup, Arc::new(SystemClock), env).map_err(failed)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Failed> {
    use std::io::Write as _;
    let path = folder.join(name);
    create_private(&path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(
        |error| {
            tell(format!("error: `{}` cannot be written\n  because {error}", path.display()));
            Failed(Exit::Error)
        },
    )?;
    Ok(path)
}

/// A folder of the demo's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self, Failed> {
        let name = format!("scimport-demo-{}", uuid::Uuid::new_v4());
        let path = std::env::temp_dir().join(name);
        crate::cli::files::create_private_folder(&path).map_err(|error| {
            tell(format!("error: `{}` cannot be made\n  because {error}", path.display()));
            Failed(Exit::Error)
        })?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // what is left in the temporary folder is sample data
        drop(std::fs::remove_dir_all(&self.0));
    }
}
