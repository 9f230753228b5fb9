//! Gathering queued operations into a new request: leavers, then joiners and who comes back, then
//! movers; within each the top of the organisation first.
//!
//! A request starts only when those that hold the managers of its people are accepted, or never
//! were needed. So an operation goes with its manager's before it in the same request, or when
//! nothing of the manager is pending. A manager who is queued behind is brought forward, whatever
//! their class. Not waited for: a manager who leaves; one of a later class whom Entra knows already;
//! nobody, by a leaver; each other, by people in a ring that no single file showed.
//!
//! Requests stay full: while an answer that is awaited would let more go, fewer than fit wait for it.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::domain::TargetName;
use crate::store::sqlite::claims;
use crate::store::sqlite::connection::Failure;
use crate::store::sqlite::convert::limit;

/// Most queued operations that are looked at for one request: a level of which so many wait for
/// answers is rare, and each look costs some microseconds.
const LOOKED_AT: usize = 4_000;

/// Makes a request of operations that are in none yet; `None` when there are none that may go, or
/// when waiting for an answer makes it fuller.
pub(super) fn gather(
    db: &Connection,
    target: &TargetName,
    max: usize,
    now_us: i64,
) -> Result<Option<i64>, Failure> {
    let mut gathering = Gathering {
        db,
        target: target.as_str(),
        max,
        taken: Vec::new(),
        workers: HashSet::new(),
        managers: HashMap::new(),
        awaits_an_answer: false,
    };
    {
        let mut statement = db.prepare_cached(
            "-- gather.queued
            SELECT id, external_id, manager, priority, change = 'leaver'
            FROM operations INDEXED BY operations_outbox
            WHERE target = ?1
                AND status = 'queued'
                AND bulk_request IS NULL
            ORDER BY priority, level, id
            LIMIT ?2",
        )?;
        let mut rows = statement.query(params![target.as_str(), limit(LOOKED_AT)])?;
        while gathering.taken.len() < max
            && let Some(row) = rows.next()?
        {
            gathering.take(Queued::read(row)?)?;
        }
    }
    let Gathering { taken, awaits_an_answer, .. } = gathering;
    if taken.is_empty() || (taken.len() < max && awaits_an_answer) {
        return Ok(None);
    }
    claims::new_request(db, target.as_str(), &taken, now_us).map(Some)
}

/// Whether a leaver waits who may go at once.
pub(super) fn has_leavers(db: &Connection, target: &TargetName) -> Result<bool, Failure> {
    let has_leavers = db
        .prepare_cached(
            "-- gather.has_leavers
            SELECT EXISTS (
                SELECT 1
                FROM operations AS waiting INDEXED BY operations_outbox
                WHERE waiting.target = ?1
                    AND waiting.priority = 0
                    AND waiting.status = 'queued'
                    AND waiting.bulk_request IS NULL
                    AND NOT EXISTS (
                        SELECT 1
                        FROM operations AS other INDEXED BY operations_one_sending
                        WHERE other.target = waiting.target
                            AND other.external_id = waiting.external_id
                            AND other.status = 'sending'))",
        )?
        .query_row([target.as_str()], |row| row.get(0))?;
    Ok(has_leavers)
}

/// An operation that is queued and in no request.
#[derive(Clone)]
struct Queued {
    id: i64,
    external_id: Rc<str>,
    manager: Option<Rc<str>>,
    priority: i64,
    is_leaver: bool,
}

impl Queued {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            external_id: row.get(1)?,
            manager: row.get(2)?,
            priority: row.get(3)?,
            is_leaver: row.get(4)?,
        })
    }
}

/// How a manager stands.
#[derive(Clone)]
struct Manager {
    /// Something of them, other than their leaving, is being posted.
    is_sending: bool,
    /// What of them waits to be sent, other than their leaving.
    waiting: Option<Waiting>,
    /// Whether Entra knows them; looked up only where it matters.
    is_known: bool,
}

/// Something of a manager that waits.
#[derive(Clone)]
struct Waiting {
    operation: Queued,
    /// It is part of a request that was posted before.
    is_in_a_request: bool,
}

struct Gathering<'a> {
    db: &'a Connection,
    target: &'a str,
    max: usize,
    taken: Vec<i64>,
    workers: HashSet<Rc<str>>,
    managers: HashMap<Rc<str>, Manager>,
    awaits_an_answer: bool,
}

impl Gathering<'_> {
    /// Takes an operation, and whoever has to go before it, if all of them may go.
    fn take(&mut self, operation: Queued) -> Result<(), Failure> {
        // brought forward by somebody who reports to them
        if self.workers.contains(&operation.external_id) {
            return Ok(());
        }
        if self.is_sending(&operation.external_id)? {
            self.awaits_an_answer = true;
            return Ok(());
        }
        let mut chain = vec![operation];
        while let Some(lowest) = chain.last() {
            let Some(id) = lowest.manager.clone().filter(|_| !lowest.is_leaver) else { break };
            let is_ring = chain.iter().any(|below| below.external_id == id);
            if is_ring || self.workers.contains(&id) || chain.len() > LOOKED_AT {
                break;
            }
            let priority = lowest.priority;
            let manager = self.manager(&id)?;
            if manager.is_sending {
                self.awaits_an_answer = true;
                return Ok(());
            }
            match manager.waiting {
                None => break,
                Some(waiting) if manager.is_known && waiting.operation.priority > priority => break,
                // their time has not come; when it has, they go before anybody is gathered
                Some(waiting) if waiting.is_in_a_request => return Ok(()),
                Some(waiting) => chain.push(waiting.operation),
            }
        }
        while self.taken.len() < self.max
            && let Some(highest) = chain.pop()
        {
            self.taken.push(highest.id);
            self.workers.insert(highest.external_id);
        }
        Ok(())
    }

    fn manager(&mut self, id: &Rc<str>) -> Result<Manager, Failure> {
        if let Some(manager) = self.managers.get(id) {
            return Ok(manager.clone());
        }
        let waiting = self.waiting(id)?;
        let manager = Manager {
            is_sending: self.is_sending_other_than_leaving(id)?,
            is_known: waiting.is_some() && self.is_known(id)?,
            waiting,
        };
        self.managers.insert(Rc::clone(id), manager.clone());
        Ok(manager)
    }

    fn is_sending(&self, worker: &str) -> Result<bool, Failure> {
        let is_sending = self
            .db
            .prepare_cached(
                "-- gather.is_sending
                SELECT EXISTS (
                    SELECT 1
                    FROM operations INDEXED BY operations_one_sending
                    WHERE target = ?1
                        AND external_id = ?2
                        AND status = 'sending')",
            )?
            .query_row([self.target, worker], |row| row.get(0))?;
        Ok(is_sending)
    }

    fn is_sending_other_than_leaving(&self, worker: &str) -> Result<bool, Failure> {
        let is_sending = self
            .db
            .prepare_cached(
                "-- gather.is_sending_other_than_leaving
                SELECT EXISTS (
                    SELECT 1
                    FROM operations INDEXED BY operations_one_sending
                    WHERE target = ?1
                        AND external_id = ?2
                        AND status = 'sending'
                        AND change <> 'leaver')",
            )?
            .query_row([self.target, worker], |row| row.get(0))?;
        Ok(is_sending)
    }

    fn waiting(&self, worker: &str) -> Result<Option<Waiting>, Failure> {
        let waiting = self
            .db
            .prepare_cached(
                "-- gather.waiting
                SELECT id, external_id, manager, priority, FALSE, bulk_request IS NOT NULL
                FROM operations INDEXED BY operations_one_queued
                WHERE target = ?1
                    AND external_id = ?2
                    AND status = 'queued'
                    AND change <> 'leaver'",
            )?
            .query_row([self.target, worker], |row| {
                Ok(Waiting { operation: Queued::read(row)?, is_in_a_request: row.get(5)? })
            })
            .optional()?;
        Ok(waiting)
    }

    fn is_known(&self, worker: &str) -> Result<bool, Failure> {
        let is_known = self
            .db
            .prepare_cached(
                "-- gather.is_known
                SELECT EXISTS (
                    SELECT 1
                    FROM records
                    WHERE target = ?1
                        AND external_id = ?2
                        AND (arrived = 1 OR last_sent_us IS NOT NULL))",
            )?
            .query_row([self.target, worker], |row| row.get(0))?;
        Ok(is_known)
    }
}
