//! `serve`: the daemon, and the API beside it.
//!
//! On SIGHUP config and secrets are read again. Where they are right, another daemon takes over from the
//! one that runs, over the same store and the same socket; where they are not, nothing changes.

mod manager;
mod reload;
mod signals;

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bridge::{Bridge, BridgeError, Daemon};
use crate::cli::answer::AnswerFiles;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::serve::manager::Manager;
use crate::cli::serve::reload::reload;
use crate::cli::serve::signals::{Reloads, watch_terminate};
use crate::cli::terminal::{remark, tell};
use crate::cli::traces;
use crate::domain::{AuditAction, AuditDetails};
use crate::server::{self, Credentials, ProvisioningKeys, StartError};
use crate::telemetry::Causes;

/// Runs until Ctrl-C or SIGTERM; both are how a daemon ends, so it ends well.
pub async fn run(context: &Context) -> Result<Exit, Failed> {
    watch_terminate(context.cancel.clone());
    let mut reloads = Reloads::listen();
    let setup = context.setup()?;
    for warning in setup.warnings() {
        tell(format!("warning: {warning}"));
    }
    traces::start(&setup)?;
    let mut bridge = Arc::new(context.open_as_daemon(setup)?);
    let daemon = daemon(&bridge);
    daemon.check().await.map_err(all_failed)?;
    let settings = bridge.setup.config().server.clone();
    let server =
        server::start(Arc::clone(&bridge), keys(&bridge), &settings, context.cancel.clone())
            .map_err(|error| not_started(&error))?;
    note_start(&bridge).await.map_err(failed)?;
    wake_on(server.changed(), Arc::clone(&bridge), context.cancel.clone());
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    remark(format!("serving; the API is at {scheme}://{}; stop with Ctrl-C", server.address()));
    let manager = Manager::start(&context.env, Arc::clone(&bridge), &context.cancel);
    let mut daemons = Daemons::new(context.cancel.clone());
    daemons.hand_over_to(daemon);
    loop {
        tokio::select! {
            biased;
            () = context.cancel.cancelled() => break,
            () = daemons.one_ended() => {}
            () = reloads.asked() => {
                manager.is_reloading();
                let next = reload(context, &bridge, &server).await;
                manager.is_ready(next.clone());
                if let Some(next) = next {
                    daemons.hand_over_to(self::daemon(&next));
                    bridge = next;
                }
            }
        }
    }
    manager.is_stopping();
    daemons.all_ended().await;
    server.stopped().await;
    note(&bridge, AuditAction::ServiceStopped, AuditDetails::none()).await;
    traces::finish().await;
    remark("stopped; what is queued is kept");
    Ok(Exit::Success)
}

/// Says in the audit trail that the service began, and by which config.
async fn note_start(bridge: &Bridge) -> Result<(), BridgeError> {
    bridge.note_config().await?;
    let details = AuditDetails::none().with("version", env!("CARGO_PKG_VERSION"));
    bridge.audit_service(AuditAction::ServiceStarted, details).await
}

/// Says something about the service in the audit trail; that it cannot be said stops nothing.
async fn note(bridge: &Bridge, action: AuditAction, details: AuditDetails) {
    if let Err(error) = bridge.audit_service(action, details).await {
        tracing::error!(error = %Causes(&error), "the audit trail lacks `{action}`");
    }
}

/// The daemons of this process: the newest, and those before it that still finish something.
struct Daemons {
    running: JoinSet<()>,
    newest: CancellationToken,
    stop: CancellationToken,
}

impl Daemons {
    fn new(stop: CancellationToken) -> Self {
        Self { running: JoinSet::new(), newest: stop.child_token(), stop }
    }

    /// Lets a daemon take over from the one before it.
    fn hand_over_to(&mut self, daemon: Daemon) {
        let (cancel, stop) = (self.stop.child_token(), self.stop.clone());
        std::mem::replace(&mut self.newest, cancel.clone()).cancel();
        self.running.spawn(async move { daemon.run(&cancel, &stop).await });
    }

    /// Comes when a daemon that was taken over from has ended.
    async fn one_ended(&mut self) {
        match self.running.join_next().await {
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Some(_) => {}
            None => std::future::pending().await,
        }
    }

    async fn all_ended(mut self) {
        while !self.running.is_empty() {
            self.one_ended().await;
        }
    }
}

fn daemon(bridge: &Arc<Bridge>) -> Daemon {
    Daemon::new(Arc::clone(bridge), Arc::new(AnswerFiles))
}

/// Who may call, beside the tokens of the config.
fn keys(bridge: &Arc<Bridge>) -> Vec<Arc<dyn Credentials>> {
    vec![Arc::new(ProvisioningKeys::new(Arc::clone(bridge)))]
}

/// Lets the daemon look at once when somebody has uploaded or decided; a reload changes nothing of it.
fn wake_on(changed: Arc<Notify>, bridge: Arc<Bridge>, cancel: CancellationToken) {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = changed.notified() => bridge.wake(),
                () = cancel.cancelled() => return,
            }
        }
    });
}

fn all_failed(problems: Vec<BridgeError>) -> Failed {
    problems
        .into_iter()
        .map(failed)
        .fold(Failed(Exit::Success), |Failed(all), Failed(one)| Failed(all.and(one)))
}

fn not_started(error: &StartError) -> Failed {
    tell(format!("error: {}\nhint: {}", Causes(error), error.hint()));
    Failed(Exit::Usage)
}
