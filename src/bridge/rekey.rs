//! Encrypting everything in the store anew.

use tokio_util::sync::CancellationToken;

use crate::bridge::{Bridge, BridgeError};
use crate::domain::{AuditAction, AuditDetails, AuditEntry, AuditSubject, AuditValue, Who};
use crate::store::{RekeyPlace, SealKeyId, StoreError, Wiped};

/// Values rewritten in one transaction: some milliseconds in which others wait.
const AT_ONCE: usize = 500;
/// How often what others wrote meanwhile under another key is looked for again.
const ROUNDS: usize = 5;

/// What a rekeying did.
#[derive(Debug)]
pub struct Rekeyed {
    /// The key that everything lies under; `None` for the clear.
    pub key: Option<SealKeyId>,
    /// The keys that something lay under before.
    pub before: Vec<SealKeyId>,
    /// Values that were read before anything was written, and are what was stored.
    pub read: u64,
    /// Values that were written anew.
    pub rewritten: u64,
    /// Values that others go on writing under another key, or in the clear.
    pub left: u64,
    /// Whether it was stopped before its end.
    pub is_stopped: bool,
    /// Whether the file and its log hold nothing of what was there before, or why that cannot be said;
    /// `None` where it did not come so far. It is noted in the store, and later upkeep goes on with it.
    pub wiped: Option<Result<Wiped, StoreError>>,
}

impl Bridge {
    /// Brings everything in the store under the key of the config, or into the clear where it names
    /// none. Everything is read first, also what lies as it should. Others may work with the store
    /// meanwhile. What it has done stays done when it is stopped, and the next one goes on from there.
    ///
    /// # Errors
    ///
    /// When something in the store cannot be read: then nothing was done. When the store fails.
    pub async fn rekey(
        &self,
        who: &Who,
        cancel: &CancellationToken,
    ) -> Result<Rekeyed, BridgeError> {
        let seals = self.store.seals().await?;
        let mut done = Rekeyed {
            key: seals.current,
            before: seals.named,
            read: 0,
            rewritten: 0,
            left: 0,
            is_stopped: false,
            wiped: None,
        };
        let mut next = Some(RekeyPlace::default());
        while let Some(place) = next {
            if cancel.is_cancelled() {
                done.is_stopped = true;
                return Ok(done);
            }
            let (read, then) = self.store.read_some(place, AT_ONCE).await?;
            done.read += read;
            next = then;
        }
        self.store.begin_rekey().await?;
        for _ in 0..ROUNDS {
            let mut next = Some(RekeyPlace::default());
            while let Some(place) = next {
                if cancel.is_cancelled() {
                    done.is_stopped = true;
                    return Ok(done);
                }
                let step = self.store.rekey_some(place, AT_ONCE).await?;
                done.rewritten += step.rewritten;
                next = step.next;
            }
            let entry = ended(&done, who);
            done.left = self.store.end_rekey(entry, self.clock.now()).await?;
            if done.left == 0 {
                break;
            }
        }
        tracing::info!(
            store.key = done.key.map(|key| key.to_string()),
            store.rewritten = done.rewritten,
            store.left = done.left,
            "the store was brought under its key"
        );
        if done.left == 0 {
            done.wiped = Some(self.wipe(cancel).await);
        }
        Ok(done)
    }
}

/// What the audit trail says of a rekeying that has ended.
fn ended(done: &Rekeyed, who: &Who) -> AuditEntry {
    let before: Vec<String> = done.before.iter().map(ToString::to_string).collect();
    let others = done.before.iter().any(|id| Some(*id) != done.key);
    let action = if others { AuditAction::StoreRekeyed } else { AuditAction::StoreEncrypted };
    let key = done.key.map_or_else(|| "none".to_owned(), |key| key.to_string());
    let details = AuditDetails::none()
        .with("key", AuditValue::code(&key))
        .with("before", AuditValue::codes(before.iter().map(String::as_str)))
        .with("rewritten", done.rewritten);
    AuditEntry { action, subject: AuditSubject::Store, details, who: who.clone() }
}
