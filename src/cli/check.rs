//! `check`: is the config right? Offline.

use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{say, tell};
use crate::cli::traces;
use crate::config::{ServerConfig, TelemetryConfig};
use crate::server;
use crate::telemetry::causes;

/// Validates config, mappings, schemas and secret references.
pub fn run(context: &Context) -> Result<Exit, Failed> {
    let setup = context.setup()?;
    for warning in setup.warnings() {
        tell(format!("warning: {warning}"));
    }
    let mut exit = Exit::Success;
    for target in &setup.config().targets {
        match setup.client(&target.name, &context.env) {
            Ok(_) => say(format!("target `{}`: settings and credential are there", target.name)),
            Err(error) => {
                let Failed(failed) = crate::cli::context::failed(error);
                exit = exit.and(failed);
            }
        }
    }
    exit = exit.and(api(context, &setup.config().server));
    exit = exit.and(collector(context, &setup.config().telemetry));
    for feed in setup.feeds() {
        say(format!(
            "source `{}`: {} columns are read, workers go to target `{}`",
            feed.name,
            feed.columns().len(),
            feed.target
        ));
    }
    for source in &setup.config().sources {
        for folder in &source.folders {
            let path = folder.path.display();
            if folder.path.is_dir() {
                say(format!("source `{}`: `serve` watches `{path}`", source.name));
            } else {
                tell(format!(
                    "warning: source `{}`: the folder `{path}` is not there; `serve` waits for it",
                    source.name
                ));
            }
        }
    }
    let (targets, sources) = (setup.config().targets.len(), setup.feeds().count());
    if exit == Exit::Success && (targets == 0 || sources == 0) {
        tell("warning: without a `[target.NAME]` and a `[source.NAME]` there is nothing to apply");
    }
    say(match exit {
        Exit::Success => "the config is right; nothing was sent",
        _ => "the config is well formed, but something it refers to is missing; nothing was sent",
    });
    Ok(exit)
}

/// Whether what the collector of traces is told can be had.
fn collector(context: &Context, config: &TelemetryConfig) -> Exit {
    let Some(otlp) = &config.otlp else { return Exit::Success };
    match traces::headers(context, otlp) {
        Ok(_) => {
            say("telemetry: `serve` would send traces");
            Exit::Success
        }
        Err(Failed(exit)) => exit,
    }
}

/// Whether the tokens and the certificate of the API can be had; a config that says nothing of it has
/// nothing to tell.
fn api(context: &Context, config: &ServerConfig) -> Exit {
    if *config == ServerConfig::default() {
        return Exit::Success;
    }
    let lookup = |name: &str| {
        context.env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    match server::check(config, &lookup) {
        Ok(()) => {
            say(format!("server: would listen on {}; what it refers to is there", config.listen));
            Exit::Success
        }
        Err(error) => {
            let words = causes(&error).join("\n  because ");
            tell(format!("error: {words}\nhint: {}", error.hint()));
            Exit::Usage
        }
    }
}
