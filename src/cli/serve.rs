//! `serve`: the daemon.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::bridge::Daemon;
use crate::cli::answer::AnswerFiles;
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, tell};

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
    remark("serving; stop with Ctrl-C");
    daemon.run(&context.cancel).await;
    remark("stopped; what is queued is kept");
    Ok(Exit::Success)
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
