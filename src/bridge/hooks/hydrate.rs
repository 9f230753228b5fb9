//! Events that carry only an id: their workers are fetched from the HR system, each once.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::bridge::Bridge;
use crate::config::HydrateConfig;
use crate::domain::{DeliveryId, SourceName};
use crate::intake::ReadyDelivery;
use crate::intake::webhook::{IdPointer, RecordsPointer, worker_at, workers};
use crate::store::WaitingDelivery;
use crate::telemetry::Causes;
use crate::web::{HydrateFailure, Hydrator, WebError};

/// Requests under way at a time; how many start in a second, `per_second` says.
const AT_ONCE: usize = 4;

/// Fetches the workers of one source.
pub(super) struct Hydration {
    source: SourceName,
    hydrator: Hydrator,
    id: IdPointer,
    record: RecordsPointer,
}

/// What became of some deliveries.
#[derive(Default)]
pub(super) struct Hydrated {
    /// Those whose workers are at hand.
    pub(super) ready: Vec<ReadyDelivery>,
    /// Those of which nothing comes, and why.
    pub(super) closed: Vec<(DeliveryId, String)>,
    /// Those that have to wait, and why.
    pub(super) put_off: Vec<WaitingDelivery>,
    pub(super) why: Option<HydrateFailure>,
}

/// What was had of one worker.
enum Had {
    Worker(Vec<u8>),
    Nothing(String),
}

impl Hydration {
    pub(super) fn new(
        bridge: &Bridge,
        source: &SourceName,
        config: &HydrateConfig,
    ) -> Result<Self, WebError> {
        let http = &bridge.setup.config().http;
        let env = std::sync::Arc::clone(&bridge.env);
        Ok(Self {
            source: source.clone(),
            hydrator: Hydrator::new(source, &config.fetch, http, env)?,
            id: IdPointer::new(&config.id),
            record: RecordsPointer::new(&config.record),
        })
    }

    /// Fetches what these deliveries name. When the other side cannot be asked, what is left waits.
    pub(super) async fn fetch(
        &self,
        deliveries: Vec<WaitingDelivery>,
        records: &RecordsPointer,
        cancel: &CancellationToken,
    ) -> Hydrated {
        let mut done = Hydrated::default();
        let mut named = Vec::new();
        for delivery in deliveries {
            if let Some(ids) = self.ids(&delivery, records) {
                named.push((delivery, ids));
            } else {
                let why = "there is no id of a worker where `id` points to".to_owned();
                done.closed.push((delivery.id, why));
            }
        }
        let mut had = BTreeMap::new();
        let mut wanted: Vec<String> = named.iter().flat_map(|(_, ids)| ids).cloned().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let asking = futures_util::stream::iter(wanted)
            .map(|id| async move {
                let answer = self.hydrator.worker(&id, cancel).await;
                (id, answer)
            })
            .buffered(AT_ONCE);
        let mut asking = std::pin::pin!(asking);
        while let Some((id, answer)) = asking.next().await {
            match answer {
                Ok(answer) => drop(had.insert(id, self.worker(&answer))),
                Err(failure) if failure.is_of_this_worker() => {
                    tracing::warn!(
                        source = %self.source,
                        error = %Causes(&failure),
                        advice = failure.advice(),
                        "a worker cannot be fetched"
                    );
                    had.insert(id, Had::Nothing(failure.trouble.to_string()));
                }
                Err(failure) => {
                    done.why = Some(failure);
                    break;
                }
            }
        }
        for (delivery, ids) in named {
            if ids.iter().all(|id| had.contains_key(id)) {
                sort(delivery.id, &ids, &had, &mut done);
            } else {
                done.put_off.push(delivery);
            }
        }
        done
    }

    /// The ids that a delivery names, in its order.
    fn ids(&self, delivery: &WaitingDelivery, records: &RecordsPointer) -> Option<Vec<String>> {
        let mut ids = Vec::new();
        let each = |event: &[u8]| ids.push(self.id.find(event));
        workers(&delivery.body, delivery.is_form, records, each).ok()?;
        ids.into_iter().collect()
    }

    fn worker(&self, answer: &[u8]) -> Had {
        match worker_at(answer, &self.record) {
            Some(worker) => Had::Worker(worker),
            None => Had::Nothing("the answer has no worker where `record` points to".to_owned()),
        }
    }
}

/// A delivery whose ids have all been answered.
fn sort(id: DeliveryId, ids: &[String], had: &BTreeMap<String, Had>, done: &mut Hydrated) {
    let mut workers = Vec::new();
    let mut problem = None;
    for id in ids {
        match had.get(id) {
            Some(Had::Worker(worker)) => workers.push(worker.clone()),
            Some(Had::Nothing(why)) => problem = Some(why.clone()),
            None => {}
        }
    }
    match problem {
        Some(why) if workers.is_empty() => done.closed.push((id, why)),
        Some(why) => {
            let problem = Some(format!("{} of {}: {why}", ids.len() - workers.len(), ids.len()));
            done.ready.push(ReadyDelivery { id, workers, problem });
        }
        None => done.ready.push(ReadyDelivery { id, workers, problem: None }),
    }
}
