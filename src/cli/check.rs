//! `check`: is the config right? Offline.

mod vault;

use crate::bridge::{Hooks, Setup, store_keys};
use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{say, tell};
use crate::cli::traces;
use crate::config::{ServerConfig, SourceConfig, Takes};
use crate::server;
use crate::telemetry::causes;
use crate::web::Hydrator;

/// Validates config, mappings, schemas and secret references.
pub fn run(context: &Context) -> Result<Exit, Failed> {
    let setup = context.setup()?;
    for warning in setup.warnings() {
        tell(format!("warning: {warning}"));
    }
    let mut exit = vault::run(&setup);
    for target in &setup.config().targets {
        match setup.client(&target.name, setup.secrets()) {
            Ok(_) => say(format!("target `{}`: settings and credential are there", target.name)),
            Err(error) => {
                let Failed(failed) = crate::cli::context::failed(error);
                exit = exit.and(failed);
            }
        }
    }
    exit = exit.and(encryption(&setup));
    exit = exit.and(api(&setup));
    exit = exit.and(collector(&setup));
    exit = exit.and(alerts(&setup));
    for feed in setup.feeds() {
        say(format!(
            "source `{}`: {} columns are read, workers go to target `{}`",
            feed.name,
            feed.columns().len(),
            feed.target
        ));
    }
    exit = exit.and(hooks(&setup));
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
        scheduled(source);
        exit = exit.and(asked(&setup, source));
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

/// Whether the keys of the store are keys.
fn encryption(setup: &Setup) -> Exit {
    match store_keys(&setup.config().store, setup.secrets()) {
        Ok(keys) => {
            if let Some(key) = keys.current() {
                say(format!("store: what is kept of people is encrypted with key `{}`", key.id()));
            }
            Exit::Success
        }
        Err(error) => crate::cli::context::failed(error).0,
    }
}

/// Whether what webhooks refer to can be had.
fn hooks(setup: &Setup) -> Exit {
    match Hooks::of(&setup.config().sources, setup.secrets()) {
        Ok(_) => {
            for source in &setup.config().sources {
                if source.webhook.is_some() {
                    say(format!(
                        "source `{0}`: `serve` takes deliveries at `/hooks/{0}`; what its webhook refers to \
                         is there",
                        source.name
                    ));
                }
            }
            Exit::Success
        }
        Err(error) => {
            let words = causes(&error).join("\n  because ");
            tell(format!("error: {words}"));
            Exit::Usage
        }
    }
}

/// What a source reads by the clock; its file may still be to come.
fn scheduled(source: &SourceConfig) {
    for schedule in &source.schedules {
        let what = match &schedule.takes {
            Takes::File { path, .. } => format!("reads `{}`", path.display()),
            Takes::Fetch(_) => "asks the HR system for everybody".to_owned(),
        };
        let (cron, zone) = (schedule.times.text(), &schedule.times.zone().name);
        say(format!("source `{}`: `serve` {what} at `{cron}`, {zone}", source.name));
    }
}

/// Whether the HR systems that a source asks can be asked, as far as that can be told offline.
fn asked(setup: &Setup, source: &SourceConfig) -> Exit {
    let scheduled = source.schedules.iter().filter_map(|schedule| match &schedule.takes {
        Takes::Fetch(fetch) => Some(fetch),
        Takes::File { .. } => None,
    });
    let hydrated = source.webhook.iter().filter_map(|webhook| webhook.hydrate.as_ref());
    let http = &setup.config().http;
    let mut exit = Exit::Success;
    for fetch in scheduled.chain(hydrated.map(|hydrate| &hydrate.fetch)) {
        let (words, hint) = match Hydrator::new(&source.name, fetch, http, setup.secrets().clone())
        {
            Ok(hydrator) => match hydrator.check() {
                Ok(()) => continue,
                Err(failure) => (causes(&failure), failure.advice()),
            },
            Err(error) => {
                (causes(&error), "check `hydrate` of the source, and `ca_file` of `[http]`")
            }
        };
        tell(format!("error: {}\nhint: {hint}", words.join("\n  because ")));
        exit = exit.and(Exit::Usage);
    }
    exit
}

/// Whether what the collector of traces is told can be had.
fn collector(setup: &Setup) -> Exit {
    let Some(otlp) = &setup.config().telemetry.otlp else { return Exit::Success };
    match traces::headers(setup.secrets(), otlp) {
        Ok(_) => {
            say("telemetry: `serve` would send traces");
            Exit::Success
        }
        Err(Failed(exit)) => exit,
    }
}

/// Whether what the alerts refer to can be had; a config without them has nothing to tell.
fn alerts(setup: &Setup) -> Exit {
    let Some(config) = &setup.config().alerts else { return Exit::Success };
    let missing = setup.missing_alert_secrets();
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
fn api(setup: &Setup) -> Exit {
    let config = &setup.config().server;
    if *config == ServerConfig::default() {
        return Exit::Success;
    }
    match server::check(config, setup.secrets()) {
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
