//! From webhook deliveries that waited together to one planned run.
//!
//! Their workers are spooled, one a line, in the order of receipt, and go the way of a file's rows from
//! there. Whoever stands in several counts as the last one says; the earlier rows are superseded. The
//! spool is a temporary file without a name that is gone with this process.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::Arc;

use crate::domain::{Clock, DeliveryId, Place, RunId, RunKind};
use crate::intake::ingest::{IntakeError, map_and_hold, refused};
use crate::intake::planner::Planner;
use crate::intake::webhook::{BodyFault, RecordsPointer, workers};
use crate::intake::{
    Feed, KnownRows, PlanOptions, PlannedRun, SourceFile, judge, new_run_id, scan,
};
use crate::source::SourceError;
use crate::store::{NewRun, Store, TakenDelivery, WaitingDelivery};

/// What messages call the spool.
const NAME: &str = "deliveries";

/// A delivery whose workers are at hand.
#[derive(Clone)]
pub struct ReadyDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Its workers: each a JSON object on one line.
    pub workers: Vec<Vec<u8>>,
    /// Why some that it names are not among them.
    pub problem: Option<String>,
}

impl ReadyDelivery {
    /// A delivery whose workers stand in its body.
    ///
    /// # Errors
    ///
    /// When there are none where `records` points to.
    pub fn of(delivery: &WaitingDelivery, records: &RecordsPointer) -> Result<Self, BodyFault> {
        let mut found = Vec::new();
        let each = |worker: &[u8]| found.push(worker.to_vec());
        workers(&delivery.body, delivery.is_form, records, each)?;
        Ok(Self { id: delivery.id.clone(), workers: found, problem: None })
    }
}

/// The workers of some deliveries, about to be planned.
pub struct SpooledWorkers {
    spool: BufWriter<File>,
    workers: u64,
    taken: Vec<TakenDelivery>,
}

impl SpooledWorkers {
    /// Without any yet.
    ///
    /// # Errors
    ///
    /// When there is no room for temporary files.
    pub fn new() -> std::io::Result<Self> {
        let spool = BufWriter::new(tempfile::tempfile()?);
        Ok(Self { spool, workers: 0, taken: Vec::new() })
    }

    /// Adds a delivery.
    ///
    /// # Errors
    ///
    /// When the spool cannot be written.
    pub fn push(&mut self, delivery: &ReadyDelivery) -> std::io::Result<()> {
        // the header of a file would be row 1
        let first_row = (!delivery.workers.is_empty()).then_some(self.workers + 2);
        for worker in &delivery.workers {
            self.spool.write_all(if self.workers == 0 { b"[" } else { b",\n" })?;
            self.spool.write_all(worker)?;
            self.workers += 1;
        }
        let (id, problem) = (delivery.id.clone(), delivery.problem.clone());
        self.taken.push(TakenDelivery { id, first_row, problem });
        Ok(())
    }
}

/// Plans the workers of some deliveries against the ledger of their target. The run takes the
/// deliveries with its commit; nothing is stored before.
///
/// `feed` is the source's webhook feed, whose rows are JSON and whose last row of a worker counts.
///
/// # Errors
///
/// When none of the rows can be read, or the store fails.
pub async fn plan_deliveries(
    store: &dyn Store,
    feed: Arc<Feed>,
    spooled: SpooledWorkers,
    clock: &dyn Clock,
) -> Result<Box<PlannedRun>, IntakeError> {
    let started_at = clock.now();
    if let Some(bound) = store.bound_job(&feed.target).await?
        && bound != feed.job
    {
        return Err(IntakeError::OtherJob { target: feed.target.clone(), bound });
    }
    let SpooledWorkers { mut spool, taken, .. } = spooled;
    let scanning = {
        let feed = Arc::clone(&feed);
        tokio::task::spawn_blocking(move || {
            let unwritten = |error| IntakeError::Refused {
                problem: Box::new(SourceError::Read(error).problem(Place::file(NAME))),
                digest: [0; 32],
            };
            spool.write_all(b"]").map_err(unwritten)?;
            let spool = spool.into_inner().map_err(|error| unwritten(error.into_error()))?;
            let mut file = SourceFile::of(spool, NAME.to_owned()).map_err(unwritten)?;
            match scan(&mut file, &feed, started_at) {
                Ok(scan) => Ok((file, Arc::new(scan))),
                Err(error) => Err(refused(&error, &file, [0; 32])),
            }
        })
    };
    let (file, scan) = scanning.await??;
    let run = new_run(&feed, taken, new_run_id(started_at), &scan, started_at);
    let names = {
        let scan = Arc::clone(&scan);
        Box::new(move |id: &str| scan.index.names(id))
    };
    let records = store.count_records(&feed.target, &feed.name).await?;
    let mut planner = Planner::new(store, Arc::clone(&feed), run, names);
    planner.draft = Some(store.draft(&feed.target).await?);
    let mut options = PlanOptions::default();
    map_and_hold(&mut planner, file, &scan, (KnownRows::new(Vec::new()), None), &mut options)
        .await?;
    let judged =
        judge::whole_run(&mut planner, &scan, (records, Vec::new()), &options, started_at).await?;
    let draft = planner.draft.take();
    let mut findings = scan.findings.clone();
    findings.extend(judged.foreseen);
    Ok(planner.finish(draft, records, judged.without_row, judged.missing, findings))
}

fn new_run(
    feed: &Feed,
    deliveries: Vec<TakenDelivery>,
    id: RunId,
    scan: &crate::intake::Scan,
    started_at: jiff::Timestamp,
) -> NewRun {
    NewRun {
        job: feed.job.clone(),
        kind: RunKind::Webhook,
        file_digest: scan.digest,
        mapping_fingerprint: feed.fingerprint(),
        columns: scan.columns.clone(),
        rows: scan.rows,
        deliveries,
        ..NewRun::new(id, feed.name.clone(), feed.target.clone(), started_at)
    }
}
