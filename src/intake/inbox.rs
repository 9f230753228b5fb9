//! Storing deliveries before they are answered, many in one transaction.
//!
//! A transaction is on the disk when it is committed, and that takes the disk a moment, be it for one
//! delivery or for a hundred. So whoever comes while one commit is under way waits for the next, and one
//! of them makes it for all. Nobody waits for company: who comes alone is stored at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::store::{KeptDelivery, NewDelivery, Store, StoreError};

/// Most deliveries in one transaction: a reader waits no longer than their commit takes.
const MOST_TOGETHER: usize = 256;
/// Most bytes of bodies in one transaction.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Where deliveries come in.
pub struct Inbox {
    store: Arc<dyn Store>,
    waiting: Mutex<Vec<Arriving>>,
    /// Held by whoever commits.
    turn: tokio::sync::Mutex<()>,
    most_together: usize,
}

struct Arriving {
    delivery: NewDelivery,
    answer: oneshot::Sender<Result<KeptDelivery, Arc<StoreError>>>,
}

/// A delivery could not be stored, and must not be answered as if it were.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InboxError {
    /// The store says why.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// Whoever stored it stopped; it may be stored, and is known if it comes again.
    #[error("storing the delivery was broken off")]
    BrokenOff,
}

impl Inbox {
    /// An inbox before a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        let (waiting, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { store, waiting, turn, most_together: MOST_TOGETHER }
    }

    /// The same with a transaction for each delivery, to measure by.
    #[must_use]
    pub fn one_by_one(mut self) -> Self {
        self.most_together = 1;
        self
    }

    /// Stores a delivery; it is on the disk when this returns. Run it to its end: others may wait for
    /// it.
    ///
    /// # Errors
    ///
    /// When the store fails. The delivery is not stored then.
    pub async fn keep(&self, delivery: NewDelivery) -> Result<KeptDelivery, InboxError> {
        let (answer, mut told) = oneshot::channel();
        self.waiting().push(Arriving { delivery, answer });
        loop {
            tokio::select! {
                biased;
                answered = &mut told => {
                    return answered.map_err(|_| InboxError::BrokenOff)?.map_err(InboxError::Store);
                }
                _turn = self.turn.lock() => self.commit().await,
            }
        }
    }

    /// Stores those that wait, the first of them first.
    async fn commit(&self) {
        let group = self.next_group();
        let (deliveries, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|arriving| (arriving.delivery, arriving.answer)).unzip();
        if deliveries.is_empty() {
            return;
        }
        match self.store.keep_deliveries(deliveries).await {
            Ok(kept) => {
                for (answer, kept) in answers.into_iter().zip(kept) {
                    // whoever hung up is not told
                    drop(answer.send(Ok(kept)));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for answer in answers {
                    drop(answer.send(Err(Arc::clone(&error))));
                }
            }
        }
    }

    fn next_group(&self) -> Vec<Arriving> {
        let mut waiting = self.waiting();
        let mut bytes = 0;
        let fits = waiting.iter().take(self.most_together).take_while(|arriving| {
            bytes += arriving.delivery.body.len();
            bytes <= MOST_BYTES
        });
        let count = fits.count().max(1).min(waiting.len());
        waiting.drain(..count).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Arriving>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{DeliveryId, SourceName};
    use crate::store::{Deliveries as _, SqliteStore};

    fn delivery(number: u8, body: usize) -> NewDelivery {
        NewDelivery {
            id: DeliveryId::new(format!("D{number}")),
            source: SourceName::from("hr"),
            identity: [number; 32],
            is_lasting: true,
            received_at: Timestamp::UNIX_EPOCH,
            from: None,
            caller: "signature".to_owned(),
            is_form: false,
            workers: 1,
            body: vec![b' '; body],
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_at_once_are_each_stored_and_told() {
        for one_by_one in [false, true] {
            let store = Arc::new(SqliteStore::in_memory().unwrap());
            let mut inbox = Inbox::new(Arc::clone(&store) as Arc<dyn Store>);
            if one_by_one {
                inbox = inbox.one_by_one();
            }
            let inbox = Arc::new(inbox);
            let arriving: Vec<_> = (0..200_u8)
                .map(|number| {
                    let inbox = Arc::clone(&inbox);
                    // every second one is the one before it, again
                    tokio::spawn(async move { inbox.keep(delivery(number / 2, 10)).await.unwrap() })
                })
                .collect();
            let mut new = 0;
            for arriving in arriving {
                new += usize::from(arriving.await.unwrap().is_new);
            }
            assert_eq!(new, 100);
            assert_eq!(store.backlog(&"hr".into()).await.unwrap().waiting, 100);
        }
    }

    #[tokio::test]
    async fn groups_are_bounded_by_number_and_bytes() {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let inbox = Inbox::new(store);
        let arrive = |body| {
            let (answer, told) = oneshot::channel();
            inbox.waiting().push(Arriving { delivery: delivery(0, body), answer });
            told
        };
        let told: Vec<_> = [MOST_BYTES + 1, 1, MOST_BYTES - 1, 1].map(arrive).into_iter().collect();
        let groups = [(); 4].map(|()| inbox.next_group().len());
        assert_eq!(groups, [1, 2, 1, 0]);
        drop(told);
        let told: Vec<_> = (0..=MOST_TOGETHER).map(|_| arrive(1)).collect();
        assert_eq!([(); 2].map(|()| inbox.next_group().len()), [MOST_TOGETHER, 1]);
        drop(told);
    }

    #[tokio::test]
    async fn who_cannot_be_stored_hears_it() {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let inbox = Inbox::new(store);
        let error = inbox.keep(delivery(1, (1 << 20) + 1)).await.unwrap_err();
        assert!(matches!(error, InboxError::Store(_)), "{error}");
        assert!(inbox.keep(delivery(1, 5)).await.unwrap().is_new);
    }
}
