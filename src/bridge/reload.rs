//! A new config in the place of the old one, over the store that is open.

use std::sync::Arc;

use crate::bridge::{Bridge, Setup};

impl Bridge {
    /// A bridge with another config over the same store. What the two know of the other side, and
    /// who works on what, is one.
    ///
    /// What cannot change while a process runs stays as it is; gives the keys that ask for a restart.
    #[must_use]
    pub fn successor(&self, mut setup: Setup) -> (Self, Vec<&'static str>) {
        let needs_restart = setup.keep_fixed(&self.setup);
        let secrets = setup.secrets().with_env_of(&self.secrets);
        let next = Self {
            setup: Arc::new(setup),
            secrets,
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            who: self.who.clone(),
            wake: Arc::clone(&self.wake),
            // who comes back into the config and goes again is told again
            orphans: Arc::default(),
            contacts: Arc::clone(&self.contacts),
            conditions: Arc::clone(&self.conditions),
            turns: Arc::clone(&self.turns),
            inbox: Arc::clone(&self.inbox),
        };
        (next, needs_restart)
    }
}

impl Setup {
    /// Puts the old values in the place of those that only a start takes; gives the keys that differ.
    fn keep_fixed(&mut self, old: &Self) -> Vec<&'static str> {
        let (new, old) = (&mut self.config, &old.config);
        let mut kept = Vec::new();
        keep("store.url", &mut new.store.path, &old.store.path, &mut kept);
        keep("telemetry.otlp", &mut new.telemetry, &old.telemetry, &mut kept);
        let (new, old) = (&mut new.server, &old.server);
        keep("server.listen", &mut new.listen, &old.listen, &mut kept);
        // another certificate is shown at once
        if new.tls.is_some() != old.tls.is_some() {
            keep("server.tls", &mut new.tls, &old.tls, &mut kept);
        }
        keep("server.max_body", &mut new.max_body, &old.max_body, &mut kept);
        keep("server.max_connections", &mut new.max_connections, &old.max_connections, &mut kept);
        keep("server.timeout", &mut new.timeout, &old.timeout, &mut kept);
        keep("server.upload_timeout", &mut new.upload_timeout, &old.upload_timeout, &mut kept);
        kept
    }
}

fn keep<T: Clone + PartialEq>(
    key: &'static str,
    new: &mut T,
    old: &T,
    kept: &mut Vec<&'static str>,
) {
    if new != old {
        new.clone_from(old);
        kept.push(key);
    }
}
