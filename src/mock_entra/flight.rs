//! Bulk requests from arrival to answer: what was captured of each, and which people were ever in
//! two of them at once.
//!
//! A request is in flight from its arrival until its answer is handed to the connection, or the
//! connection is closed by either side.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fault::FaultKind;
use super::shared::Shared;

/// A client that hangs up and sends again at once may be seen again before its hanging up is; so
/// much later than the new request's arrival the end of the old one may be noticed.
const NOTICE: Duration = Duration::from_millis(100);

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered(u16),
    /// The client hung up.
    ClientGone,
    /// We closed the line.
    Cut,
}

/// What is captured of one bulk request.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) arrived_at: i64,
    arrived: Instant,
    /// The instant of its end on the mock's clock.
    ended_at: Option<i64>,
    ended: Option<(Instant, End)>,
    pub(super) request_id: String,
    pub(super) client_request_id: Option<String>,
    pub(super) fault: Option<FaultKind>,
    pub(super) staged: bool,
    external_ids: Vec<Arc<str>>,
}

/// All bulk requests since the start or the last reset.
#[derive(Debug, Default)]
pub(super) struct Flights {
    /// The number of the first flight still kept; numbers are never used again.
    first: usize,
    all: Vec<Flight>,
    /// The flights that carry a person; those long ended are dropped when the next arrives.
    carrying: HashMap<Arc<str>, Vec<usize>>,
    /// Pairs (older, newer) that were in flight together, and for whom.
    pairs: Vec<(usize, usize, Arc<str>)>,
}

impl Flights {
    /// Notes a request's arrival, and gives its number.
    pub(super) fn arrive(
        &mut self,
        now: i64,
        request_id: &str,
        client_request_id: Option<&str>,
        fault: Option<FaultKind>,
    ) -> usize {
        self.all.push(Flight {
            arrived_at: now,
            arrived: Instant::now(),
            ended_at: None,
            ended: None,
            request_id: request_id.to_owned(),
            client_request_id: client_request_id.map(str::to_owned),
            fault,
            staged: false,
            external_ids: Vec::new(),
        });
        self.first + self.all.len() - 1
    }

    /// Notes whom a request carries, once its body is read.
    pub(super) fn carry(&mut self, number: usize, ids: Vec<Arc<str>>) {
        let Some(arrived) = self.get(number).map(|flight| flight.arrived) else {
            return;
        };
        for id in ids.iter().collect::<BTreeSet<_>>() {
            let mut others = self.carrying.remove(id).unwrap_or_default();
            others.retain(|other| {
                self.get(*other)
                    .is_some_and(|flight| flight.ended.is_none_or(|(ended, _)| ended > arrived))
            });
            for other in &others {
                self.pairs.push((*other, number, Arc::clone(id)));
            }
            others.push(number);
            self.carrying.insert(Arc::clone(id), others);
        }
        if let Some(flight) = self.get_mut(number) {
            flight.external_ids = ids;
        }
    }

    pub(super) fn mark_staged(&mut self, number: usize) {
        if let Some(flight) = self.get_mut(number) {
            flight.staged = true;
        }
    }

    fn end(&mut self, number: usize, now: i64, end: End) {
        if let Some(flight) = self.get_mut(number) {
            flight.ended = Some((Instant::now(), end));
            flight.ended_at = Some(now);
        }
    }

    fn get(&self, number: usize) -> Option<&Flight> {
        self.all.get(number.checked_sub(self.first)?)
    }

    fn get_mut(&mut self, number: usize) -> Option<&mut Flight> {
        self.all.get_mut(number.checked_sub(self.first)?)
    }

    /// The people who were ever in two requests at once, in order.
    pub(super) fn overlapping(&self) -> Vec<&str> {
        let together = |(older, newer, id)| {
            let newer = self.get(newer)?.arrived;
            let noticed = match self.get(older)?.ended {
                None => newer.elapsed(),
                Some((ended, End::ClientGone)) => ended.saturating_duration_since(newer),
                Some(_) => Duration::MAX,
            };
            (noticed > NOTICE).then_some(id)
        };
        let ids: BTreeSet<&str> = self
            .pairs
            .iter()
            .filter_map(|(older, newer, id)| together((*older, *newer, &**id)))
            .collect();
        ids.into_iter().collect()
    }

    /// The arrivals of all requests, in order.
    pub(super) fn arrivals(&self) -> Vec<i64> {
        let mut at: Vec<_> = self.all.iter().map(|flight| flight.arrived_at).collect();
        at.sort_unstable();
        at
    }

    /// How many requests were answered with 202, how many were refused, how many are open, and
    /// how many ended without an answer.
    pub(super) fn counts(&self) -> (usize, usize, usize, usize) {
        let mut counts = (0, 0, 0, 0);
        for flight in &self.all {
            match flight.ended {
                Some((_, End::Answered(202))) => counts.0 += 1,
                Some((_, End::Answered(_))) => counts.1 += 1,
                None => counts.2 += 1,
                Some(_) => counts.3 += 1,
            }
        }
        counts
    }

    /// All captured requests, oldest first.
    pub(super) fn json(&self) -> Value {
        let one = |flight: &Flight| {
            let (end, status) = match flight.ended {
                Some((_, End::Answered(status))) => ("answered", Some(status)),
                Some((_, End::ClientGone)) => ("client-gone", None),
                Some((_, End::Cut)) => ("cut", None),
                None => ("open", None),
            };
            json!({
                "arrived_us": flight.arrived_at,
                "answered_us": flight.ended_at.filter(|_| status.is_some()),
                "ended_us": flight.ended_at,
                "end": end,
                "status": status,
                "fault": flight.fault.map(FaultKind::as_str),
                "staged": flight.staged,
                "request_id": flight.request_id,
                "client_request_id": flight.client_request_id,
                "externalIds": flight.external_ids.iter().map(|id| &**id).collect::<Vec<_>>(),
            })
        };
        self.all.iter().map(one).collect()
    }

    /// Forgets all requests. Those still in flight end unnoticed.
    pub(super) fn clear(&mut self) {
        self.first += self.all.len();
        self.all.clear();
        self.carrying.clear();
        self.pairs.clear();
    }
}

/// Ends its flight when dropped: the server drops a handler when the client hangs up.
pub(super) struct InFlight {
    shared: Arc<Shared>,
    pub(super) number: usize,
    end: End,
}

impl InFlight {
    pub(super) fn new(shared: Arc<Shared>, number: usize) -> Self {
        Self { shared, number, end: End::ClientGone }
    }

    /// Ends the flight.
    pub(super) fn finish(mut self, end: End) {
        self.end = end;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let now = self.shared.clock.now();
        self.shared.world().flights.end(self.number, now, self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(all: &[&str]) -> Vec<Arc<str>> {
        all.iter().map(|id| Arc::from(*id)).collect()
    }

    fn arrive(flights: &mut Flights, all: &[&str]) -> usize {
        let number = flights.arrive(0, "r", None, None);
        flights.carry(number, ids(all));
        number
    }

    #[test]
    fn one_after_the_other_is_no_overlap() {
        let mut flights = Flights::default();
        let first = arrive(&mut flights, &["1", "2"]);
        flights.end(first, 1, End::Answered(202));
        arrive(&mut flights, &["1", "2"]);
        assert!(flights.overlapping().is_empty());
    }

    #[test]
    fn a_request_that_arrives_before_the_other_is_answered_overlaps() {
        let mut flights = Flights::default();
        let first = arrive(&mut flights, &["1", "2"]);
        let second = arrive(&mut flights, &["2", "3"]);
        flights.end(second, 1, End::Answered(202));
        flights.end(first, 1, End::Answered(500));
        assert_eq!(flights.overlapping(), ["2"]);
        assert_eq!(flights.counts(), (1, 1, 0, 0));
    }

    #[test]
    fn a_hanging_up_noticed_a_moment_late_is_no_overlap() {
        let mut flights = Flights::default();
        let first = arrive(&mut flights, &["1"]);
        arrive(&mut flights, &["1"]);
        flights.end(first, 1, End::ClientGone);
        assert!(flights.overlapping().is_empty());
    }

    #[test]
    fn every_end_has_its_instant_and_only_an_answer_is_answered() {
        let mut flights = Flights::default();
        for end in [End::Answered(202), End::ClientGone, End::Cut] {
            let number = arrive(&mut flights, &["1"]);
            flights.end(number, 7, end);
        }
        arrive(&mut flights, &["2"]);
        let shown = flights.json();
        let column =
            |name: &str| shown.as_array().unwrap().iter().map(|one| one[name].clone()).collect();
        let ended: Vec<Value> = column("ended_us");
        assert_eq!(ended, [json!(7), json!(7), json!(7), Value::Null]);
        let answered: Vec<Value> = column("answered_us");
        assert_eq!(answered, [json!(7), Value::Null, Value::Null, Value::Null]);
    }

    #[test]
    fn a_reset_forgets_even_what_is_in_flight() {
        let mut flights = Flights::default();
        let first = arrive(&mut flights, &["1"]);
        flights.clear();
        let second = arrive(&mut flights, &["1"]);
        flights.end(first, 1, End::Answered(202));
        flights.end(second, 1, End::Answered(202));
        assert!(flights.overlapping().is_empty());
        assert_eq!(flights.counts(), (1, 0, 0, 0));
    }
}
