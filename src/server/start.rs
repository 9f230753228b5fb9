//! Starts and stops the server.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bridge::Bridge;
use crate::config::ServerConfig;
use crate::server::access::Credentials;
use crate::server::gate::pass;
use crate::server::routes::routes;
use crate::server::shared::{Live, Shared};
use crate::server::tokens::{ServerTokens, TokenError};

/// Threads that answer. What takes long is done elsewhere.
const WORKERS: usize = 2;
/// How long a stop waits for answers under way, in seconds.
const STOP_SECONDS: u64 = 30;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It would be open to others without a credential.
    #[error(
        "`server.listen` is {0}, which reaches beyond this machine, and there is no `server.admin_token`"
    )]
    Unguarded(SocketAddr),
    /// A token cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// A server that listens. It stops when its token is cancelled; [`Running::stopped`] waits for that.
pub struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: ServerHandle,
    ended: JoinHandle<io::Result<()>>,
}

/// Listens on what `[server]` says, until `cancel` is cancelled. Needs a tokio runtime.
///
/// `others` know further credentials than the tokens of the config, such as provisioning keys.
///
/// # Errors
///
/// When it would be open beyond this machine without an admin's credential, a token cannot be had or
/// is weak, or the address cannot be listened on.
pub fn start(
    bridge: Arc<Bridge>,
    others: Vec<Arc<dyn Credentials>>,
    settings: &ServerConfig,
    cancel: CancellationToken,
) -> Result<Running, StartError> {
    let live = live(bridge, others, settings)?;
    let listen = |source| StartError::Listen { address: settings.listen, source };
    let listener = TcpListener::bind(settings.listen).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let shared = Arc::new(Shared::new(live, settings.clone()));
    let data = web::Data::from(Arc::clone(&shared));
    let connections = usize::try_from(settings.max_connections).unwrap_or(usize::MAX);
    let server = HttpServer::new(move || {
        App::new().app_data(data.clone()).wrap(from_fn(pass)).configure(routes)
    })
    .workers(WORKERS)
    .max_connections(connections.div_ceil(WORKERS))
    .client_request_timeout(settings.timeout)
    .client_disconnect_timeout(settings.timeout)
    .keep_alive(settings.timeout)
    .shutdown_timeout(STOP_SECONDS)
    .disable_signals()
    .listen(listener)
    .map_err(listen)?
    .run();
    let handle = server.handle();
    let ended = tokio::spawn(server);
    let stopping = handle.clone();
    tokio::spawn(async move {
        cancel.cancelled().await;
        stopping.stop(true).await;
    });
    tracing::info!(address = %address, "the API listens");
    Ok(Running { address, shared, server: handle, ended })
}

fn live(
    bridge: Arc<Bridge>,
    others: Vec<Arc<dyn Credentials>>,
    settings: &ServerConfig,
) -> Result<Live, StartError> {
    let env = Arc::clone(&bridge.env);
    let lookup =
        |name: &str| env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let tokens = ServerTokens::read(settings, &lookup)?;
    if !settings.listen.ip().is_loopback() && !tokens.has_admin() {
        return Err(StartError::Unguarded(settings.listen));
    }
    let tokens: Arc<dyn Credentials> = Arc::new(tokens);
    let credentials = std::iter::once(tokens).chain(others).collect();
    Ok(Live { bridge, credentials })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Is told whenever there is something new to send: an uploaded file, an approval, a retry.
    #[must_use]
    pub fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.shared.changed)
    }

    /// Puts another bridge, and the tokens of another config, in place of the old ones. Where it
    /// listens, and the ceilings and times, stay as they are.
    ///
    /// # Errors
    ///
    /// When a token cannot be had or is weak; the old ones stay then.
    pub fn replace(
        &self,
        bridge: Arc<Bridge>,
        others: Vec<Arc<dyn Credentials>>,
        settings: &ServerConfig,
    ) -> Result<(), StartError> {
        let listens = ServerConfig { listen: self.shared.settings.listen, ..settings.clone() };
        self.shared.replace(live(bridge, others, &listens)?);
        Ok(())
    }

    /// Waits until it has stopped: its token was cancelled, and what was under way is done.
    pub async fn stopped(self) {
        // an error here is one of the system's, while connections are taken: there are no more now
        let _ = self.ended.await;
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    /// Stops at once.
    pub async fn stop_now(self) {
        self.server.stop(false).await;
        self.stopped().await;
    }
}
