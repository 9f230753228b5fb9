//! When the other side was last heard of.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::bridge::Bridge;
use crate::domain::TargetName;
use crate::entra::{Contact, CredentialsSeen, EntraClient};

/// The clients in use, each with what those before it had heard.
#[derive(Default)]
pub(super) struct Contacts(Mutex<BTreeMap<TargetName, Followed>>);

struct Followed {
    client: EntraClient,
    /// What the clients before it had heard.
    before: Contact,
    /// How often a credential was refused to them.
    refusals_before: u64,
}

impl Contacts {
    /// Remembers the client that delivers to a target from now on.
    pub(super) fn follow(&self, target: &TargetName, client: EntraClient) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, refusals_before) = match clients.remove(target) {
            None => (Contact::default(), 0),
            Some(last) => (last.contact(), last.credentials().refusals),
        };
        clients.insert(target.clone(), Followed { client, before, refusals_before });
    }
}

impl Followed {
    fn contact(&self) -> Contact {
        self.client.contact().and(self.before)
    }

    fn credentials(&self) -> CredentialsSeen {
        let seen = self.client.credentials();
        CredentialsSeen { refusals: seen.refusals + self.refusals_before, ..seen }
    }
}

impl Bridge {
    /// How the credentials of the targets stand, as far as this process delivers to them. `refusals`
    /// counts since this process began.
    #[must_use]
    pub fn credentials(&self) -> Vec<(TargetName, CredentialsSeen)> {
        let clients = self.contacts.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.iter().map(|(target, each)| (target.clone(), each.credentials())).collect()
    }

    /// When this process last heard of a target's side; `None` while it has not delivered to it.
    #[must_use]
    pub fn contact(&self, target: &TargetName) -> Option<Contact> {
        let clients = self.contacts.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.get(target).map(Followed::contact)
    }
}
