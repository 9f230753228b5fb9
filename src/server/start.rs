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

use crate::bridge::{Bridge, HookError, Hooks};
use crate::config::{Secrets, ServerConfig};
use crate::server::access::Credentials;
use crate::server::gate::pass;
use crate::server::routes::routes;
use crate::server::shared::{Live, Shared};
use crate::server::tls::{self, Shown, TlsError};
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
    /// The certificate cannot be shown.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A webhook cannot be opened.
    #[error(transparent)]
    Hook(#[from] HookError),
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

impl StartError {
    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Unguarded(_) => "add `admin_token`, or listen on `127.0.0.1:8080` alone",
            Self::Token(error) => error.hint(),
            Self::Hook(_) => "put its secret and its schema where the config says they are",
            Self::Tls(_) => "put it there as PEM, then `scimport check` looks again",
            Self::Listen { .. } => "see who else listens there, or set another `server.listen`",
        }
    }
}

/// Whether the server could start with these settings: tokens and certificate are fetched, and nothing
/// is listened on.
///
/// # Errors
///
/// As [`start`], but for the address.
pub fn check(settings: &ServerConfig, secrets: &Secrets) -> Result<(), StartError> {
    let tokens = ServerTokens::read(settings, secrets)?;
    if !settings.listen.ip().is_loopback() && !tokens.has_admin() {
        return Err(StartError::Unguarded(settings.listen));
    }
    if let Some(tls) = &settings.tls {
        tls::read(tls, secrets)?;
    }
    Ok(())
}

/// A server that listens. It stops when its token is cancelled; [`Running::stopped`] waits for that.
pub struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// The certificate, where it speaks TLS.
    shown: Option<Arc<Shown>>,
    server: ServerHandle,
    ended: JoinHandle<io::Result<()>>,
}

/// Listens on what `[server]` says, until `cancel` is cancelled. Needs a tokio runtime.
///
/// `others` know further credentials than the tokens of the config, such as provisioning keys.
///
/// # Errors
///
/// When it would be open beyond this machine without an admin's credential, a token or the certificate
/// cannot be had or used, or the address cannot be listened on.
pub fn start(
    bridge: Arc<Bridge>,
    others: Vec<Arc<dyn Credentials>>,
    settings: &ServerConfig,
    cancel: CancellationToken,
) -> Result<Running, StartError> {
    let shown = match &settings.tls {
        Some(tls) => Some(Arc::new(Shown::new(tls::read(tls, &bridge.secrets)?))),
        None => None,
    };
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
    .tls_handshake_timeout(settings.timeout)
    .disable_signals();
    let server = match &shown {
        None => server.listen(listener),
        Some(shown) => server.listen_rustls_0_23(listener, tls::config(Arc::clone(shown))?),
    };
    let server = server.map_err(listen)?.run();
    let handle = server.handle();
    let ended = tokio::spawn(server);
    let stopping = handle.clone();
    tokio::spawn(async move {
        cancel.cancelled().await;
        stopping.stop(true).await;
    });
    tracing::info!(address = %address, "the API listens");
    Ok(Running { address, shared, shown, server: handle, ended })
}

fn live(
    bridge: Arc<Bridge>,
    others: Vec<Arc<dyn Credentials>>,
    settings: &ServerConfig,
) -> Result<Live, StartError> {
    let tokens = ServerTokens::read(settings, &bridge.secrets)?;
    if !settings.listen.ip().is_loopback() && !tokens.has_admin() {
        return Err(StartError::Unguarded(settings.listen));
    }
    let tokens: Arc<dyn Credentials> = Arc::new(tokens);
    let credentials = std::iter::once(tokens).chain(others).collect();
    let hooks = Arc::new(Hooks::open(&bridge)?);
    Ok(Live { bridge, credentials, hooks })
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

    /// Puts another bridge, and the tokens and the certificate of another config, in place of the old
    /// ones. Where it listens, whether by TLS, and the ceilings and times, stay as they are.
    ///
    /// # Errors
    ///
    /// When a token or the certificate cannot be had or used; the old ones stay then.
    pub fn replace(
        &self,
        bridge: Arc<Bridge>,
        others: Vec<Arc<dyn Credentials>>,
        settings: &ServerConfig,
    ) -> Result<(), StartError> {
        let listens = ServerConfig { listen: self.shared.settings.listen, ..settings.clone() };
        let certificate = match (&self.shown, &settings.tls) {
            (Some(shown), Some(tls)) => Some((shown, tls::read(tls, &bridge.secrets)?)),
            _ => None,
        };
        self.shared.replace(live(bridge, others, &listens)?);
        if let Some((shown, certificate)) = certificate {
            shown.replace(certificate);
        }
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
