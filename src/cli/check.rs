//! `check`: is the config right? Offline.

use crate::bridge::Setup;
use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{say, tell};
use crate::config::ServerConfig;
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
    exit = exit.and(alerts(context, &setup));
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

/// Whether what the alerts refer to can be had; a config without them has nothing to tell.
fn alerts(context: &Context, setup: &Setup) -> Exit {
    let Some(config) = &setup.config().alerts else { return Exit::Success };
    let missing = setup.missing_alert_secrets(&context.env);
    for error in &missing {
        let words = causes(error).join("\n  because ");
        tell(format!(
            "error: alerts: {words}\nhint: put it there, then `scimport check` looks again"
        ));
    }
    if !missing.is_empty() {
        return Exit::Usage;
    }
    let people = config.email.as_ref().map_or(0, |email| email.to.len());
    if config.webhooks.is_empty() && people == 0 {
        tell("warning: `[alerts]` has nobody to tell: add `webhook` or `email`");
        return Exit::Success;
    }
    say(format!(
        "alerts: webhooks {}, addresses {people}, kinds {}; `scimport alerts test` tries them",
        config.webhooks.len(),
        config.on.len()
    ));
    Exit::Success
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
