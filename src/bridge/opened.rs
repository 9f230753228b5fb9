//! A checked config with its store open: what commands and the service work with.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::bridge::contact::Contacts;
use crate::bridge::turns::Turns;
use crate::bridge::{BridgeError, Conditions, Setup, store_keys};
use crate::config::Secrets;
use crate::domain::{Clock, Origin, SourceName, Who};
use crate::intake::Inbox;
use crate::store::{SealKeys, SqliteStore, Store, StoreError};

/// A checked config with its store open.
pub struct Bridge {
    /// The checked config.
    pub setup: Arc<Setup>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who runs it.
    pub who: Who,
    /// What leads to secrets.
    pub secrets: Secrets,
    /// What this process has noticed and people have to be told.
    pub conditions: Arc<Conditions>,
    /// See [`Bridge::wake`].
    pub(super) wake: Arc<tokio::sync::Notify>,
    /// Sources whose due records wait because they are not in the config any more: told once.
    pub(super) orphans: Arc<Mutex<BTreeSet<SourceName>>>,
    pub(super) contacts: Arc<Contacts>,
    /// What the daemons of this process have in hand.
    pub(super) turns: Arc<Turns>,
    /// Where webhook deliveries come in.
    pub(super) inbox: Arc<Inbox>,
}

impl Bridge {
    /// Opens the store of a config, creating it when there is none.
    ///
    /// # Errors
    ///
    /// When the store cannot be opened.
    pub fn open(
        setup: Setup,
        clock: Arc<dyn Clock>,
        env: Vec<(String, String)>,
    ) -> Result<Self, BridgeError> {
        Self::open_for(Who::bridge(Origin::Daemon), setup, clock, env)
    }

    /// The same for whoever runs it, who is in the audit trail with whatever nobody else asks for.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_for(
        who: Who,
        setup: Setup,
        clock: Arc<dyn Clock>,
        env: Vec<(String, String)>,
    ) -> Result<Self, BridgeError> {
        Self::opened(who, setup, clock, env, SqliteStore::open_sealed)
    }

    /// The same, to take the encryption off.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_to_unseal(
        who: Who,
        setup: Setup,
        clock: Arc<dyn Clock>,
        env: Vec<(String, String)>,
    ) -> Result<Self, BridgeError> {
        Self::opened(who, setup, clock, env, SqliteStore::open_to_unseal)
    }

    fn opened(
        who: Who,
        setup: Setup,
        clock: Arc<dyn Clock>,
        env: Vec<(String, String)>,
        open: fn(&Path, SealKeys) -> Result<SqliteStore, StoreError>,
    ) -> Result<Self, BridgeError> {
        let (config, secrets) = (&setup.config.store, setup.secrets().with_env(env));
        let store = open(&config.path, store_keys(config, &secrets)?)?.operated_by(who.clone());
        Ok(Self { who, ..Self::with_store(setup, secrets, Arc::new(store), clock) })
    }

    /// Opens the store for looking only: it is neither created nor changed. Where there is none, an
    /// empty one in memory stands in.
    ///
    /// # Errors
    ///
    /// When there is a store that cannot be opened.
    pub fn open_read_only(
        setup: Setup,
        clock: Arc<dyn Clock>,
        env: Vec<(String, String)>,
    ) -> Result<Self, BridgeError> {
        let path = &setup.config.store.path;
        let secrets = setup.secrets().with_env(env);
        let store = if path.exists() {
            let keys = store_keys(&setup.config.store, &secrets)?;
            SqliteStore::open_sealed_read_only(path, keys)?
        } else {
            SqliteStore::in_memory()?
        };
        Ok(Self::with_store(setup, secrets, Arc::new(store), clock))
    }

    fn with_store(
        setup: Setup,
        secrets: Secrets,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            setup: Arc::new(setup),
            secrets,
            inbox: Arc::new(Inbox::new(Arc::clone(&store))),
            store,
            clock,
            who: Who::bridge(Origin::Daemon),
            wake: Arc::default(),
            orphans: Arc::default(),
            contacts: Arc::default(),
            turns: Arc::default(),
            conditions: Arc::default(),
        }
    }

    /// The same, storing each webhook delivery in a transaction of its own: to measure by.
    #[must_use]
    pub fn storing_one_by_one(mut self) -> Self {
        self.inbox = Arc::new(Inbox::new(Arc::clone(&self.store)).one_by_one());
        self
    }
}
