//! What all requests share.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix_web::{HttpMessage, HttpRequest};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use crate::bridge::{Bridge, Hooks};
use crate::config::ServerConfig;
use crate::server::access::{Caller, Credentials};
use crate::server::attempts::Attempts;
use crate::server::health::LastProbe;
use crate::server::metrics::{Answered, LastTally};
use crate::server::problem::{Kind, Problem};

/// Callers who keep guessing that are made to wait at a time; the others hear at once.
const SLOW_ANSWERS: usize = 64;
/// Files received and planned at a time: each takes a disk's time and a processor's.
const UPLOADS: usize = 4;

/// What all requests share.
pub(super) struct Shared {
    live: RwLock<Live>,
    /// Ceilings and times.
    pub(super) settings: ServerConfig,
    /// Unknown credentials by address.
    pub(super) attempts: Attempts,
    pub(super) slow_answers: Semaphore,
    pub(super) uploads: Arc<Semaphore>,
    /// Told when there is something new to send.
    pub(super) changed: Arc<Notify>,
    /// Work that goes on when its caller hangs up, and that a stop waits for.
    pub(super) tasks: TaskTracker,
    /// Where that work runs.
    pub(super) runtime: Handle,
    pub(super) answered: Answered,
    pub(super) last_tally: LastTally,
    pub(super) last_probe: LastProbe,
}

/// What a reload replaces.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) bridge: Arc<Bridge>,
    pub(super) credentials: Vec<Arc<dyn Credentials>>,
    pub(super) hooks: Arc<Hooks>,
}

/// The name of whoever called, for the access log.
#[derive(Clone)]
pub(super) struct CalledBy(pub(super) String);

impl Shared {
    pub(super) fn new(live: Live, settings: ServerConfig) -> Self {
        Self {
            live: RwLock::new(live),
            settings,
            attempts: Attempts::default(),
            slow_answers: Semaphore::new(SLOW_ANSWERS),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            changed: Arc::default(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            answered: Answered::default(),
            last_tally: LastTally::default(),
            last_probe: LastProbe::default(),
        }
    }

    fn live(&self) -> Live {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another bridge and other credentials in place; requests under way keep the old ones.
    pub(super) fn replace(&self, live: Live) {
        live.hooks.follow(&self.live().hooks);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = live;
    }

    /// The bridge as it is now.
    pub(super) fn bridge(&self) -> Arc<Bridge> {
        self.live().bridge
    }

    /// The bridge as it is now, with its webhooks.
    pub(super) fn bridge_and_hooks(&self) -> (Arc<Bridge>, Arc<Hooks>) {
        let Live { bridge, hooks, .. } = self.live();
        (bridge, hooks)
    }

    /// Who presents a credential.
    pub(super) async fn known(&self, presented: &str) -> Option<Caller> {
        for credentials in self.live().credentials {
            if let Some(caller) = credentials.caller(presented).await {
                return Some(caller);
            }
        }
        None
    }

    /// Remembers who called, for the access log.
    #[expect(clippy::unused_self, reason = "reads better where it is called")]
    pub(super) fn note_caller(&self, request: &HttpRequest, caller: &Caller) {
        request.extensions_mut().insert(CalledBy(caller.name.clone()));
    }

    /// Gives up a look that takes too long.
    pub(super) async fn look<T, E>(
        &self,
        look: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Problem>
    where
        Problem: From<E>,
    {
        match tokio::time::timeout(self.settings.timeout, look).await {
            Ok(looked) => Ok(looked?),
            Err(_) => Err(Problem::new(Kind::Unavailable)
                .detail("the store did not answer in time")
                .retry_after(Duration::from_secs(5))),
        }
    }
}
