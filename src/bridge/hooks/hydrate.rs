//! Events that carry only an id: their workers are fetched from the HR system, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::bridge::Bridge;
use crate::config::HydrateConfig;
use crate::domain::{DeliveryId, SourceName};
use crate::intake::ReadyDelivery;
use crate::intake::webhook::{IdPointer, RecordsPointer, worker_at, workers};
use crate::store::WaitingDelivery;
use crate::telemetry::Causes;
use crate::web::{HydrateFailure, Hydrator, Patience, WebError};

/// Requests under way at a time; how many start in a second, `per_second` says.
const AT_ONCE: usize = 4;
/// The longest that one worker is waited for, attempts and all: others wait meanwhile.
const LONGEST: Duration = Duration::from_secs(20);
/// After so many workers in a row who cannot be fetched the HR system is taken to be away.
const AWAY_AFTER: u32 = 4;
/// Attempts for one worker at once: whoever cannot be fetched then has a longer pause.
const PATIENCE: Patience = Patience {
    attempts: 3,
    base: Duration::from_millis(500),
    cap: Duration::from_secs(2),
    longest_wait: Duration::from_secs(5),
};

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
    /// Those that have to wait, each with its own reason.
    pub(super) put_off: Vec<PutOff>,
    /// Those that nobody was asked about, because the HR system seems to be away.
    pub(super) unasked: Vec<WaitingDelivery>,
}

/// A delivery that has to wait.
pub(super) struct PutOff {
    pub(super) delivery: WaitingDelivery,
    /// Why.
    pub(super) why: Trouble,
}

/// Why a worker cannot be fetched now.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// In words, without an id or an address.
    pub(super) words: String,
    /// What to do.
    pub(super) advice: &'static str,
    /// Whether it passes by itself.
    pub(super) is_temporary: bool,
    /// How long the HR system asks us to wait.
    pub(super) retry_after: Option<Duration>,
}

impl Trouble {
    fn of(failure: &HydrateFailure) -> Self {
        Self {
            words: failure.trouble.to_string(),
            advice: failure.advice(),
            is_temporary: failure.is_temporary(),
            retry_after: failure.retry_after(),
        }
    }

    /// The answer took longer than anybody else should have to wait for it.
    fn too_slow() -> Self {
        Self {
            words: format!("the HR system took more than {} s", LONGEST.as_secs()),
            advice: "nothing: it is tried again; if it goes on, ask the HR system's makers",
            is_temporary: true,
            retry_after: None,
        }
    }
}

/// What was had of one worker.
enum Had {
    Worker(Vec<u8>),
    /// Nothing, and there will be nothing.
    Nothing(String),
    /// Nothing for now.
    NotNow(Trouble),
}

impl Hydration {
    pub(super) fn new(
        bridge: &Bridge,
        source: &SourceName,
        config: &HydrateConfig,
    ) -> Result<Self, WebError> {
        let http = &bridge.setup.config().http;
        let secrets = bridge.secrets.clone();
        Ok(Self {
            source: source.clone(),
            hydrator: Hydrator::new(source, &config.fetch, http, secrets)?.with_patience(PATIENCE),
            id: IdPointer::new(&config.id),
            record: RecordsPointer::new(&config.record),
        })
    }

    /// Fetches what these deliveries name. A worker who cannot be fetched keeps back the deliveries that
    /// name them and no others; when several in a row cannot, nobody else is asked this time.
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
        let had = self.ask(named.iter().flat_map(|(_, ids)| ids), cancel).await;
        for (delivery, ids) in named {
            let trouble = ids.iter().find_map(|id| match had.get(id) {
                Some(Had::NotNow(trouble)) => Some(trouble.clone()),
                _ => None,
            });
            match trouble {
                Some(why) => done.put_off.push(PutOff { delivery, why }),
                None if ids.iter().all(|id| had.contains_key(id)) => {
                    sort(delivery.id, &ids, &had, &mut done);
                }
                None => done.unasked.push(delivery),
            }
        }
        done
    }

    /// Asks for each worker once, until several in a row cannot be fetched.
    async fn ask(
        &self,
        ids: impl Iterator<Item = &String>,
        cancel: &CancellationToken,
    ) -> BTreeMap<String, Had> {
        let wanted: BTreeSet<String> = ids.cloned().collect();
        let asking = futures_util::stream::iter(wanted)
            .map(|id| async move {
                let asking = self.hydrator.worker(&id, cancel);
                let answer = tokio::time::timeout(LONGEST, asking).await;
                (id, answer)
            })
            .buffer_unordered(AT_ONCE);
        let mut asking = std::pin::pin!(asking);
        let mut had = BTreeMap::new();
        let mut in_a_row = 0;
        while let Some((id, answer)) = asking.next().await {
            let answer = match answer {
                Ok(Ok(answer)) => self.worker(&answer),
                Ok(Err(failure)) if failure.is_of_this_worker() => {
                    tracing::warn!(
                        source = %self.source,
                        error = %Causes(&failure),
                        advice = failure.advice(),
                        "a worker cannot be fetched"
                    );
                    Had::Nothing(failure.trouble.to_string())
                }
                Ok(Err(failure)) => Had::NotNow(Trouble::of(&failure)),
                Err(_) => Had::NotNow(Trouble::too_slow()),
            };
            in_a_row = if matches!(answer, Had::NotNow(_)) { in_a_row + 1 } else { 0 };
            had.insert(id, answer);
            if in_a_row >= AWAY_AFTER {
                break;
            }
        }
        had
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
            Some(Had::NotNow(_)) | None => {}
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
