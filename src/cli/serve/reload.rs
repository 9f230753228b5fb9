//! From a config that is read again to the bridge that takes over, or to everything that is wrong.

use std::sync::Arc;

use crate::bridge::{Bridge, BridgeError, Setup};
use crate::cli::context::{Context, hint};
use crate::cli::serve::{daemon, keys, note};
use crate::config::ConfigErrors;
use crate::domain::{AuditAction, AuditDetails};
use crate::server::{self, Running, StartError};
use crate::telemetry::{Causes, causes};

/// Something that is wrong with what was read, in words without values.
struct Problem {
    words: String,
    hint: Option<String>,
}

/// Reads config and secrets again. The bridge that takes over, with the API on it already; nothing
/// where anything is wrong: then the old one stays, and the log says all that is wrong.
pub(super) async fn reload(
    context: &Context,
    old: &Arc<Bridge>,
    server: &Running,
) -> Option<Arc<Bridge>> {
    tracing::info!("the config and its secrets are read again");
    match next(context, old, server).await {
        Ok(next) => Some(next),
        Err(problems) => {
            let count = problems.len();
            let details =
                AuditDetails::none().with("problems", u64::try_from(count).unwrap_or(u64::MAX));
            note(old, AuditAction::ServiceReloadRefused, details).await;
            for Problem { words, hint } in problems {
                tracing::error!(hint, "{words}");
            }
            tracing::error!(
                problems = count,
                "the old config stays in force; mend what is wrong, then reload again"
            );
            None
        }
    }
}

/// Says in the audit trail that another config is in force, where it is another, and that secrets were
/// taken anew.
async fn note_reload(next: &Bridge) {
    if let Err(error) = next.note_config().await {
        tracing::error!(error = %Causes(&error), "the audit trail lacks the new config");
    }
    note(next, AuditAction::ServiceReloaded, AuditDetails::none()).await;
}

async fn next(
    context: &Context,
    old: &Arc<Bridge>,
    server: &Running,
) -> Result<Arc<Bridge>, Vec<Problem>> {
    let setup = Setup::load(&old.setup.config().path, &context.env).map_err(of_config)?;
    context.clock(&setup).map_err(|(words, hint)| {
        vec![Problem { words: words.to_owned(), hint: Some(hint.to_owned()) }]
    })?;
    let changed = setup.config().changed_sections(old.setup.config());
    let (next, needs_restart) = old.successor(setup);
    let next = Arc::new(next);
    let settings = &next.setup.config().server;
    let daemon = daemon(&next);
    let unfit = server::check(settings, &next.secrets).err();
    let mut problems: Vec<Problem> = unfit.iter().map(of_server).collect();
    // to look at targets notes what they stand for: not before everything else is right
    let lacking = if unfit.is_some() {
        daemon.lacking()
    } else {
        daemon.check().await.err().unwrap_or_default()
    };
    problems.extend(lacking.iter().map(of_bridge));
    // what is stored from here on is encrypted with the new keys
    if problems.is_empty() {
        problems.extend(next.take_store_keys().await.err().as_ref().map(of_bridge));
    }
    if problems.is_empty()
        && let Err(error) = server.replace(Arc::clone(&next), keys(&next), settings)
    {
        problems.push(of_server(&error));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    note_reload(&next).await;
    for key in needs_restart {
        tracing::warn!(key, "another value of this key needs a restart; the old one stays");
    }
    for warning in next.setup.warnings() {
        let words = format!("{}: {}", warning.place, warning.message);
        tracing::warn!(hint = warning.hint, "{words}");
    }
    if changed.is_empty() {
        tracing::info!(
            "nothing has changed in the config; secrets and certificates are taken anew"
        );
    } else {
        tracing::info!(changed = changed.join(", "), "the new config is in force");
    }
    Ok(next)
}

fn of_config(errors: ConfigErrors) -> Vec<Problem> {
    let of = |problem: crate::config::ConfigProblem| Problem {
        words: format!("{}: {}", problem.place, problem.message),
        hint: problem.hint,
    };
    errors.problems.into_iter().map(of).collect()
}

fn of_server(error: &StartError) -> Problem {
    Problem { words: causes(error).join(": "), hint: Some(error.hint().to_owned()) }
}

fn of_bridge(error: &BridgeError) -> Problem {
    Problem { words: causes(error).join(": "), hint: hint(error) }
}
