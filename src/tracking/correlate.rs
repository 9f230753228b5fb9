//! Whose event is it, and does it still change anything?
//!
//! An event names a worker and a change, never an operation. A change that is known as an operation's
//! own stays with it. A new change belongs to every operation of the worker that was sent before it:
//! two versions of one person that Entra took in one cycle cannot be told apart, so the first event
//! may settle both, and a later one then speaks for the newer.

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
        let known_change = operation.change_id.clone();
        let tracked = Tracked { operation, known_change, settlement: None, deed: None };
        workers.entry(tracked.operation.external_id.clone()).or_default().push(tracked);
    }
    for worker in workers.values_mut() {
        worker.sort_by_key(|tracked| tracked.operation.id);
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
        apply(worker, event, &outcome);
    }
    workers.into_values().flatten().filter_map(|tracked| tracked.settlement).collect()
}

fn apply(worker: &mut [Tracked], event: &LogEvent, outcome: &Outcome) {
    let is_known =
        |tracked: &Tracked| event.change_id.is_some() && tracked.known_change == event.change_id;
    let has_owner = worker.iter().any(is_known);
    let mut older_change = None;
    for tracked in worker {
        let change = tracked.operation.change_id.clone();
        // settled by the very change that settled an older operation: not yet its own word
        let is_shared = change.is_some() && change == older_change;
        let is_meant =
            if has_owner { is_known(tracked) } else { tracked.operation.sent_at <= event.at };
        if is_meant {
            tracked.apply(event, outcome, is_shared);
        }
        older_change = change;
    }
}

struct Tracked {
    operation: SentOperation,
    /// The change that had settled it before these events were looked at.
    known_change: Option<String>,
    settlement: Option<Settlement>,
    /// What was done to the account while its manager was still open.
    deed: Option<&'static str>,
}

impl Tracked {
    fn apply(&mut self, event: &LogEvent, outcome: &Outcome, is_shared: bool) {
        if !self.is_changed_by(event, outcome, is_shared) {
            return;
        }
        let mut code = outcome.code.clone();
        if outcome.code.as_deref() == Some(MANAGER_UNRESOLVED) {
            self.deed = deed(event);
        } else if self.operation.code.as_deref() == Some(MANAGER_UNRESOLVED) {
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

    /// A later event speaks for an operation whose change is shared. Otherwise it may mend what failed or was not confirmed; what is provisioned stays so, unless
    /// an event of the same change says otherwise.
    fn is_changed_by(&self, event: &LogEvent, outcome: &Outcome, is_shared: bool) -> bool {
        use OperationStatus as S;
        let now = &self.operation;
        let is_later = now.event_at.is_none_or(|at| event.at >= at);
        let is_same_change = now.change_id.is_some() && now.change_id == event.change_id;
        let says_the_same = now.status == outcome.status && now.code == outcome.code;
        match (now.status, outcome.status) {
            (S::Accepted | S::Unconfirmed, _) => true,
            _ if !is_later => false,
            _ if is_shared && !is_same_change => true,
            _ if says_the_same => false,
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::RunId;
    use crate::entra::EventStatus;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn sent(id: i64, second: i64) -> SentOperation {
        SentOperation {
            id: OperationId(id),
            run: RunId::new("01J"),
            external_id: "E1".into(),
            status: OperationStatus::Accepted,
            code: None,
            change_id: None,
            event_at: None,
            sent_at: at(second),
        }
    }

    fn event(change: &str, action: &str, status: EventStatus, second: i64) -> LogEvent {
        LogEvent {
            id: format!("{change}-{action}-{second}"),
            at: at(second),
            change_id: Some(change.to_owned()),
            cycle_id: None,
            action: Some(action.to_owned()),
            status,
            error_code: None,
            reason: None,
            recommended: None,
            external_id: Some("E1".into()),
            target_id: None,
            steps: Vec::new(),
            modified: Vec::new(),
            account_enabled: None,
        }
    }

    fn words(settlements: &[Settlement]) -> Vec<(i64, OperationStatus, Option<&str>)> {
        let word = |each: &Settlement| (each.operation.0, each.status);
        settlements.iter().map(|s| (word(s).0, word(s).1, s.code.as_deref())).collect()
    }

    use EventStatus::{Failure, Success};
    use OperationStatus::{Failed, Provisioned};

    #[test]
    fn an_event_before_the_sending_is_not_ours() {
        let settled = correlate(&[event("a", "create", Success, 9)], vec![sent(1, 10)]);
        assert!(settled.is_empty());
    }

    #[test]
    fn a_change_that_settled_an_older_operation_does_not_settle_the_next_one() {
        let mut older = sent(1, 0);
        older.status = Provisioned;
        older.code = Some("created".to_owned());
        older.change_id = Some("a".to_owned());
        older.event_at = Some(at(10));
        // the clocks of log and answer count whole seconds: the next one was sent in the same one
        let newer = sent(2, 10);
        let events = [event("a", "create", Success, 10), event("b", "update", Success, 11)];
        let settled = correlate(&events, vec![newer, older]);
        assert_eq!(words(&settled), [(2, Provisioned, Some("updated"))]);
    }

    #[test]
    fn two_versions_in_one_cycle_are_settled_by_the_last_event() {
        let events = [event("a", "create", Success, 20), event("b", "update", Failure, 21)];
        let settled = correlate(&events, vec![sent(1, 0), sent(2, 10)]);
        assert_eq!(
            words(&settled),
            [(1, Provisioned, Some("created")), (2, Failed, Some("Unknown"))]
        );
        let settled = correlate(&events[..1], vec![sent(1, 0), sent(2, 10)]);
        assert_eq!(
            words(&settled),
            [(1, Provisioned, Some("created")), (2, Provisioned, Some("created"))]
        );
    }

    #[test]
    fn what_is_provisioned_is_not_undone_by_another_change() {
        let mut done = sent(1, 0);
        done.status = Provisioned;
        done.change_id = Some("a".to_owned());
        done.event_at = Some(at(10));
        let settled = correlate(&[event("b", "update", Failure, 20)], vec![done.clone()]);
        assert!(settled.is_empty());
        let settled = correlate(&[event("a", "create", Failure, 20)], vec![done]);
        assert_eq!(words(&settled), [(1, Failed, Some("Unknown"))]);
    }

    #[test]
    fn a_later_success_mends_a_failure_and_an_unconfirmed_operation() {
        for status in [Failed, OperationStatus::Unconfirmed] {
            let mut open = sent(1, 0);
            open.status = status;
            open.change_id = Some("a".to_owned());
            open.event_at = Some(at(10));
            let settled = correlate(&[event("b", "create", Success, 20)], vec![open]);
            assert_eq!(words(&settled), [(1, Provisioned, Some("created"))]);
        }
    }

    #[test]
    fn a_manager_found_in_the_second_pass_leaves_what_was_done_to_the_account() {
        let log =
            include_str!("../../tests/fixtures/logs/provisioning-log-15-events-anonymised.json");
        let log: serde_json::Value = serde_json::from_str(log).unwrap();
        let events: Vec<LogEvent> =
            log["value"].as_array().unwrap().iter().filter_map(LogEvent::read).collect();
        let operation = |id: i64, external_id: &str| SentOperation {
            external_id: external_id.into(),
            sent_at: Timestamp::from_second(0).unwrap(),
            ..sent(id, 0)
        };
        let people = ["10018", "10019", "10020", "10015", "10016", "10017", "1514131211"];
        let operations = (1..).zip(people).map(|(id, person)| operation(id, person)).collect();
        let settled = correlate(&events, operations);
        assert!(settled.iter().all(|each| each.status == Provisioned));
        let open: Vec<i64> = settled
            .iter()
            .filter(|each| each.code.as_deref() == Some(MANAGER_UNRESOLVED))
            .map(|each| each.operation.0)
            .collect();
        assert_eq!(open, [3], "10020's manager is never found in this log");
        assert_eq!(settled.len(), 7);
    }
}
