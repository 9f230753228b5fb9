//! `serve`: the daemon, and the API beside it.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::bridge::{Bridge, Daemon};
use crate::cli::answer::AnswerFiles;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, tell};
use crate::server::{self, Credentials, ProvisioningKeys, StartError};
use crate::telemetry::Causes;

/// Runs until Ctrl-C or SIGTERM; both are how a daemon ends, so it ends well.
pub async fn run(context: &Context) -> Result<Exit, Failed> {
    watch_terminate(context.cancel.clone());
    let setup = context.setup()?;
    for warning in setup.warnings() {
        tell(format!("warning: {warning}"));
    }
    let bridge = Arc::new(context.open(setup)?);
    let daemon = Daemon::new(Arc::clone(&bridge), Arc::new(AnswerFiles));
    daemon.check().await.map_err(failed)?;
    let keys: Arc<dyn Credentials> = Arc::new(ProvisioningKeys::new(Arc::clone(&bridge)));
    let settings = bridge.setup.config().server.clone();
    let server = server::start(Arc::clone(&bridge), vec![keys], &settings, context.cancel.clone())
        .map_err(|error| not_started(&error))?;
    wake_on(server.changed(), bridge, context.cancel.clone());
    remark(format!("serving; the API is at http://{}; stop with Ctrl-C", server.address()));
    daemon.run(&context.cancel).await;
    server.stopped().await;
    remark("stopped; what is queued is kept");
    Ok(Exit::Success)
}

/// Lets the daemon look at once when somebody has uploaded or decided.
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

fn not_started(error: &StartError) -> Failed {
    tell(format!("error: {}\nhint: {}", Causes(error), error.hint()));
    Failed(Exit::Usage)
}

/// What service managers send to end a process.
fn watch_terminate(cancel: CancellationToken) {
    tokio::spawn(async move {
        if asked_to_end().await.is_ok() {
            cancel.cancel();
        }
    });
}

#[cfg(unix)]
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(windows)]
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::windows::{ctrl_close, ctrl_shutdown};
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    tokio::select! {
        _ = close.recv() => {}
        _ = shutdown.recv() => {}
    }
    Ok(())
}
