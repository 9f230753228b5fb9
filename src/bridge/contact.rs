//! When the other side was last heard of.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::bridge::Bridge;
use crate::domain::TargetName;
use crate::entra::{Contact, EntraClient};

/// The clients in use, each with what those before it had heard.
#[derive(Default)]
pub(super) struct Contacts(Mutex<BTreeMap<TargetName, (EntraClient, Contact)>>);

impl Contacts {
    /// Remembers the client that delivers to a target from now on.
    pub(super) fn follow(&self, target: &TargetName, client: EntraClient) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = clients.remove(target).map(|(client, before)| client.contact().and(before));
        clients.insert(target.clone(), (client, before.unwrap_or_default()));
    }
}

impl Bridge {
    /// When this process last heard of a target's side; `None` while it has not delivered to it.
    #[must_use]
    pub fn contact(&self, target: &TargetName) -> Option<Contact> {
        let clients = self.contacts.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.get(target).map(|(client, before)| client.contact().and(*before))
    }
}
