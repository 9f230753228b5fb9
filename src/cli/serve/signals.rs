//! What is told to a process from outside: end, or read the config again.

use tokio_util::sync::CancellationToken;

/// What service managers send to end a process.
pub(super) fn watch_terminate(cancel: CancellationToken) {
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

/// Being asked to read config and secrets again: SIGHUP, on Unix. Windows has nothing of the kind; a
/// restart does there what a reload does here, and loses nothing either.
pub(super) struct Reloads {
    #[cfg(unix)]
    hangups: Option<tokio::signal::unix::Signal>,
}

impl Reloads {
    /// From now on SIGHUP does not end the process any more.
    #[cfg(unix)]
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let hangups = signal(SignalKind::hangup());
        if let Err(error) = &hangups {
            tracing::warn!(%error, "SIGHUP cannot be listened for: a new config needs a restart");
        }
        Self { hangups: hangups.ok() }
    }

    /// Nothing is listened for.
    #[cfg(not(unix))]
    pub(super) fn listen() -> Self {
        Self {}
    }

    /// Waits until somebody asks. Those who ask while a reload is under way are answered by one more.
    #[cfg(unix)]
    pub(super) async fn asked(&mut self) {
        let asked = match &mut self.hangups {
            Some(hangups) => hangups.recv().await,
            None => None,
        };
        if asked.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits for ever.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "as on Unix")]
    pub(super) async fn asked(&mut self) {
        std::future::pending().await
    }
}
