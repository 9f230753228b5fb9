//! Whose event is it, and does it still change anything?
//!
//! An event names a worker and a change, never an operation. A change that is known as an operation's
//! own stays with it. A new change belongs to the newest operation of the worker that was sent before
//! it, and to older ones that are still open: two versions of one person that Entra took in one
//! cycle cannot be told apart, so the first event may settle both, and a later one then speaks for the
//! newer. An older version that failed stays failed when a newer one succeeds.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{ExternalId, OperationStatus};
use crate::entra::LogEvent;
use crate::store::{SentOperation, Settlement};
use crate::tracking::advice::{FailureClass, failure_class};
use crate::tracking::classify::{MANAGER_UNRESOLVED, Outcome, classify, deed};

/// Applies events to the operations of their workers, oldest event first, and returns what has to
/// be written. Events that match nothing, or change nothing, are passed over.
#[must_use]
pub fn correlate(events: &[LogEvent], operations: Vec<SentOperation>) -> Vec<Settlement> {
    let mut workers: BTreeMap<ExternalId, Vec<Tracked>> = BTreeMap::new();
    for operation in operations {
        let known_change = operation.change_id.clone();
        let tracked = Tracked { operation, known_change, settlement: None };
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
    let newest = worker.iter().rposition(|tracked| tracked.operation.sent_at <= event.at);
    let mut older_change = None;
    for (at, tracked) in worker.iter_mut().enumerate() {
        let change = tracked.operation.change_id.clone();
        // settled by the very change that settled an older operation: not yet its own word
        let is_shared = change.is_some() && change == older_change;
        let is_meant = if has_owner {
            is_known(tracked)
        } else {
            tracked.operation.sent_at <= event.at && (newest == Some(at) || tracked.is_open())
        };
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
}

impl Tracked {
    const fn is_open(&self) -> bool {
        matches!(self.operation.status, OperationStatus::Accepted | OperationStatus::Unconfirmed)
    }

    /// Events of one change do not become visible in their order: a create that is seen after the
    /// update of its manager still says what was done to the account.
    fn is_late_create(&self, event: &LogEvent, outcome: &Outcome) -> bool {
        let now = &self.operation;
        now.status == OperationStatus::Provisioned
            && outcome.status == OperationStatus::Provisioned
            && now.change_id.is_some()
            && now.change_id == event.change_id
            && now.event_at.is_some_and(|at| event.at <= at)
            && now.code.as_deref() == Some("updated")
            && deed(event) == Some("created")
    }

    fn apply(&mut self, event: &LogEvent, outcome: &Outcome, is_shared: bool) {
        if self.is_late_create(event, outcome) {
            let event_at = self.operation.event_at.unwrap_or(event.at);
            let created = Outcome { code: Some("created".to_owned()), ..outcome.clone() };
            self.settle(&created, event.change_id.clone(), event_at);
            return;
        }
        if !self.is_changed_by(event, outcome, is_shared) {
            return;
        }
        let mut code = outcome.code.clone();
        let mut done = None;
        if outcome.code.as_deref() == Some(MANAGER_UNRESOLVED) {
            // an action that says nothing was at most an update
            done = Some(deed(event).unwrap_or("updated").to_owned());
        } else if outcome.status == OperationStatus::Provisioned {
            // the manager has been found: what counts is what was done to the account
            code = self.operation.deed.take().or(code);
        }
        self.operation.deed = done;
        let outcome = Outcome { code, ..outcome.clone() };
        self.settle(&outcome, event.change_id.clone(), event.at);
    }

    fn settle(&mut self, outcome: &Outcome, change_id: Option<String>, event_at: Timestamp) {
        self.operation.status = outcome.status;
        self.operation.code.clone_from(&outcome.code);
        self.operation.change_id.clone_from(&change_id);
        self.operation.event_at = Some(event_at);
        // an unresolved manager that has been resolved meanwhile leaves no words behind
        let has_words = outcome.code.as_deref() != Some("created");
        self.settlement = Some(Settlement {
            operation: self.operation.id,
            status: outcome.status,
            code: outcome.code.clone(),
            deed: self.operation.deed.clone(),
            awaits_manager: awaits_manager(outcome),
            reason: outcome.reason.clone().filter(|_| has_words),
            advice: outcome.advice.clone().filter(|_| has_words),
            change_id,
            event_at,
        });
    }

    /// A later event speaks for an operation whose change is shared. Otherwise it may mend what
    /// failed or was not confirmed; what is provisioned stays so, unless an event of the same change
    /// says otherwise.
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

/// Whether the worker is to be sent again once the manager is there.
fn awaits_manager(outcome: &Outcome) -> bool {
    let code = outcome.code.as_deref().unwrap_or_default();
    match outcome.status {
        OperationStatus::Provisioned => code == MANAGER_UNRESOLVED,
        OperationStatus::Failed => failure_class(code) == FailureClass::Order,
        _ => false,
    }
}

fn touches_manager(event: &LogEvent) -> bool {
    event.modified.iter().any(|name| name.eq_ignore_ascii_case("manager"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OperationId, RunId};
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
            deed: None,
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
    fn a_create_seen_after_the_update_of_its_manager_still_says_created() {
        let mut update = event("a", "update", Success, 21);
        update.modified = vec!["manager".to_owned()];
        let settled = correlate(&[update], vec![sent(1, 0)]);
        assert_eq!(words(&settled), [(1, Provisioned, Some("updated"))]);
        let mut seen = sent(1, 0);
        seen.status = Provisioned;
        seen.code = Some("updated".to_owned());
        seen.change_id = Some("a".to_owned());
        seen.event_at = Some(at(21));
        let settled = correlate(&[event("a", "create", Success, 20)], vec![seen]);
        assert_eq!(words(&settled), [(1, Provisioned, Some("created"))]);
    }

    #[test]
    fn an_older_version_that_failed_stays_failed_when_the_newer_one_succeeds() {
        let mut older = sent(1, 0);
        older.status = Failed;
        older.change_id = Some("a".to_owned());
        older.event_at = Some(at(5));
        let settled = correlate(&[event("b", "create", Success, 20)], vec![older, sent(2, 10)]);
        assert_eq!(words(&settled), [(2, Provisioned, Some("created"))]);
    }

    #[test]
    fn what_was_done_while_the_manager_was_open_is_kept_until_they_are_found() {
        let mut open = event("a", "create", EventStatus::Warning, 20);
        open.error_code = Some("UnableToResolveReferenceAttributeValue".to_owned());
        assert!(open.manager_unresolved());
        let settled = correlate(&[open], vec![sent(1, 0)]);
        assert_eq!(words(&settled), [(1, Provisioned, Some(MANAGER_UNRESOLVED))]);
        assert_eq!(settled[0].deed.as_deref(), Some("created"));
        assert!(settled[0].awaits_manager);

        // a later look, maybe of another process
        let mut seen = sent(1, 0);
        seen.status = Provisioned;
        seen.code = Some(MANAGER_UNRESOLVED.to_owned());
        seen.deed = Some("created".to_owned());
        seen.change_id = Some("a".to_owned());
        seen.event_at = Some(at(20));
        let mut found = event("b", "update", Success, 30);
        found.modified = vec!["manager".to_owned()];
        let settled = correlate(&[found], vec![seen]);
        assert_eq!(words(&settled), [(1, Provisioned, Some("created"))]);
        assert!(settled[0].deed.is_none() && !settled[0].awaits_manager);
    }

    #[test]
    fn a_failure_for_want_of_a_manager_awaits_them_and_others_do_not() {
        for (code, awaits) in
            [("UnableToResolveReferenceAttributeValue", true), ("InvalidDomain", false)]
        {
            let mut failure = event("a", "create", Failure, 20);
            failure.error_code = Some(code.to_owned());
            let settled = correlate(&[failure], vec![sent(1, 0)]);
            assert_eq!(words(&settled), [(1, Failed, Some(code))]);
            assert_eq!(settled[0].awaits_manager, awaits, "{code}");
        }
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
