//! Whose event is it, and does it still change anything?

use std::collections::BTreeMap;

use crate::domain::{ExternalId, OperationId, OperationStatus};
use crate::entra::LogEvent;
use crate::store::{SentOperation, Settlement};
use crate::tracking::classify::{MANAGER_UNRESOLVED, Outcome, classify, deed};

/// Applies events to the operations of their workers, oldest event first, and returns what has to
/// be written. Events that match nothing, or change nothing, are passed over.
#[must_use]
pub fn correlate(events: &[LogEvent], operations: Vec<SentOperation>) -> Vec<Settlement> {
    let mut workers: BTreeMap<ExternalId, Vec<Tracked>> = BTreeMap::new();
    for operation in operations {
        let tracked = Tracked { operation, settlement: None, deed: None };
        workers.entry(tracked.operation.external_id.clone()).or_default().push(tracked);
    }
    let mut events: Vec<&LogEvent> = events.iter().collect();
    // within a second, the create comes before the update of its manager
    events.sort_by_key(|event| (event.at, deed(event) != Some("created")));
    for event in events {
        let (Some(id), Some(outcome)) = (&event.external_id, classify(event)) else {
            continue;
        };
        let Some(worker) = workers.get_mut(id) else {
            continue;
        };
        for tracked in worker {
            if tracked.operation.sent_at <= event.at {
                tracked.apply(event, &outcome);
            }
        }
    }
    workers.into_values().flatten().filter_map(|tracked| tracked.settlement).collect()
}

struct Tracked {
    operation: SentOperation,
    settlement: Option<Settlement>,
    /// What was done to the account while its manager was still open.
    deed: Option<&'static str>,
}

impl Tracked {
    fn apply(&mut self, event: &LogEvent, outcome: &Outcome) {
        let is_open = outcome.code.as_deref() == Some(MANAGER_UNRESOLVED);
        if is_open {
            // also when it is read a second time: the manager may be found between two looks
            self.deed = deed(event);
        }
        if !self.is_changed_by(event, outcome) {
            return;
        }
        let mut code = outcome.code.clone();
        if !is_open && self.operation.code.as_deref() == Some(MANAGER_UNRESOLVED) {
            // the manager has been found: what counts is what was done to the account
            code = self.deed.map(str::to_owned).or(code);
        }
        self.operation.status = outcome.status;
        self.operation.code.clone_from(&code);
        self.operation.change_id.clone_from(&event.change_id);
        self.operation.event_at = Some(event.at);
        self.settlement = Some(Settlement {
            operation: OperationId(self.operation.id.0),
            status: outcome.status,
            code,
            reason: outcome.reason.clone(),
            advice: outcome.advice.clone(),
            change_id: event.change_id.clone(),
            event_at: event.at,
        });
    }

    /// A later event may mend what failed or was not confirmed; what is provisioned stays so, unless
    /// an event of the same change says otherwise.
    fn is_changed_by(&self, event: &LogEvent, outcome: &Outcome) -> bool {
        use OperationStatus as S;
        let now = &self.operation;
        let is_later = now.event_at.is_none_or(|at| event.at >= at);
        let is_same_change = now.change_id.is_some() && now.change_id == event.change_id;
        let says_the_same = now.status == outcome.status && now.code == outcome.code;
        match (now.status, outcome.status) {
            (S::Accepted | S::Unconfirmed, _) => true,
            _ if !is_later || says_the_same => false,
            (S::Provisioned, S::Provisioned) => {
                now.code.as_deref() == Some(MANAGER_UNRESOLVED) && touches_manager(event)
            }
            (S::Failed, S::Provisioned | S::Failed) => true,
            (S::Provisioned | S::Skipped | S::Failed, _) => is_same_change,
            _ => false,
        }
    }
}

fn touches_manager(event: &LogEvent) -> bool {
    event.modified.iter().any(|name| name.eq_ignore_ascii_case("manager"))
}
