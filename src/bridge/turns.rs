//! Turns: what one daemon of this process has in hand, the next one takes up when it has let go.
//!
//! Each task of a daemon has a turn at what it works on, such as a target or a folder. So a reload
//! hands everything over by itself and at its own time: a target is delivered to again at once, while
//! another's request is still awaited, or a share hangs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as Lock, PoisonError};

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

/// Who works on what. Whoever asked first gets the next turn.
#[derive(Default)]
pub(super) struct Turns(Lock<BTreeMap<String, Arc<Mutex<()>>>>);

/// A turn; given back when it is dropped.
pub(super) struct Turn {
    _guard: OwnedMutexGuard<()>,
}

impl Turns {
    /// Waits for the turn at something; `None` when it is cancelled first.
    pub(super) async fn take(&self, what: String, cancel: &CancellationToken) -> Option<Turn> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(what).or_default())
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            guard = turn.lock_owned() => Some(Turn { _guard: guard }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    #[tokio::test(start_paused = true)]
    async fn one_has_the_turn_and_who_is_cancelled_waits_no_more() {
        let (turns, cancel) = (Turns::default(), CancellationToken::new());
        let first = turns.take("a".to_owned(), &cancel).await.unwrap();
        assert!(turns.take("b".to_owned(), &cancel).await.is_some(), "another thing");
        let gone = cancel.child_token();
        gone.cancel();
        assert!(turns.take("a".to_owned(), &gone).await.is_none());
        let mut next = std::pin::pin!(turns.take("a".to_owned(), &cancel));
        assert!(tokio::time::timeout(SOON, &mut next).await.is_err());
        drop(first);
        assert!(next.await.is_some());
    }
}
