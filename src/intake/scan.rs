//! The first pass: is the file whole, what are its columns, which of its rows count?

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::{Place, Row, start_of_day};
use crate::intake::columns::Columns;
use crate::intake::id_shape::IdShape;
use crate::intake::kept::{Keeper, KeptRows};
use crate::intake::known::KnownRows;
use crate::intake::opened::{Opened, ReadSeek};
use crate::intake::{Feed, SourceFile};
use crate::mapping::{DateContradiction, DateOrder, Evidence, Scratch, Standing};
use crate::plan::AsOf;
use crate::source::{
    Completeness, Finding, NotedRow, Oddities, RowIndex, RowIndexBuilder, RowStanding, SourceError,
    SourceRow, Table, too_many_ragged,
};

/// Ragged rows named in the message that refuses a file for them.
const RAGGED_NAMED: usize = 5;

/// What the first pass learnt.
#[derive(Debug)]
pub struct Scan {
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// Data rows, those that cannot be read too.
    pub rows: u64,
    /// Which rows count.
    pub index: RowIndex,
    /// What is worth knowing about the file.
    pub findings: Vec<Finding>,
    /// The instant that the file shows, where the source can tell it.
    pub as_of: Option<Timestamp>,
    /// Whether the file says itself that it is whole.
    pub completeness: Completeness,
    /// The headers of the mapped columns, in the order and spelling of the file.
    pub columns: Vec<String>,
    pub(super) opened: Opened,
    /// The width of the ids, where they are digits with zeros in front.
    pub(super) id_width: Option<usize>,
    pub(super) orders: Vec<DateOrder>,
    pub(super) today: Date,
    /// As of when its rows are mapped.
    pub(super) now: Timestamp,
}

/// Reads a file once, from beginning to end, and refuses it when it cannot be trusted. `now` is
/// the instant as of which rows count.
///
/// # Errors
///
/// When the file is refused: encoding, structure, ceilings, missing columns, no rows, too many
/// ragged rows, dates that contradict each other.
pub fn scan(file: &mut SourceFile, feed: &Feed, now: Timestamp) -> Result<Scan, SourceError> {
    Ok(pass(file, feed, true, now, None)?.0)
}

/// The same for whoever has no use for the digest, which is zero then.
pub(super) fn scan_undigested(
    file: &mut SourceFile,
    feed: &Feed,
    now: Timestamp,
) -> Result<Scan, SourceError> {
    Ok(pass(file, feed, false, now, None)?.0)
}

/// The same for whoever knows rows of the file already: gives the others too, where those are few and
/// nothing in the file has to be looked at once more.
pub(super) fn scan_known(
    file: &mut SourceFile,
    feed: &Feed,
    now: Timestamp,
    known: &mut KnownRows,
) -> Result<(Scan, Option<KeptRows>), SourceError> {
    pass(file, feed, true, now, Some(known))
}

fn pass(
    file: &mut SourceFile,
    feed: &Feed,
    with_digest: bool,
    now: Timestamp,
    mut known: Option<&mut KnownRows>,
) -> Result<(Scan, Option<KeptRows>), SourceError> {
    let today = feed.today(now);
    let first = |table: &mut Rows<'_, '_>, place: &Place| {
        Learnt::of(table, feed, place, today, known.as_deref_mut())
    };
    // most files are what they seem to be, and whole: those are read once
    if let Some((opened, learnt)) = Opened::read_at_once(file, feed, with_digest, first)
        && let Ok(scan) = learnt.conclude(opened, feed, file.name(), now)
    {
        return Ok(scan);
    }
    let opened = Opened::look(file, feed, with_digest)?;
    let place = opened.place(file.name());
    if let Some(known) = known {
        known.forget();
    }
    let learnt = opened.read(file, feed, |table| Learnt::of(table, feed, &place, today, None))?;
    opened.prove(file)?;
    learnt.conclude(opened, feed, file.name(), now)
}

fn date_order(order: &DateOrder, place: &Place) -> Finding {
    let mut place = place.clone();
    place.column.clone_from(&order.column);
    Finding {
        code: "source.date-order",
        place,
        message: format!(
            "dates are read as `{}` and not as `{}`, proved by {} value{} of the whole column",
            order.format,
            order.instead_of,
            order.proofs,
            if order.proofs == 1 { "" } else { "s" }
        ),
        is_odd: false,
    }
}

/// A file whose dates contradict each other: nothing in it can be trusted.
fn contradicted(found: &[DateContradiction], place: &Place) -> SourceError {
    let Some(first) = found.first() else {
        return SourceError::Read(std::io::Error::other("dates contradict each other"));
    };
    let mut place = place.clone();
    place.column.clone_from(&first.column);
    SourceError::refused("source.date-order", place, first.message(), first.hint())
}

/// The rows of a file.
type Rows<'s, 'r> = Table<'s, &'r mut dyn ReadSeek>;

/// What is learnt of a whole file.
struct Learnt {
    rows: u64,
    each: EachRow,
    findings: Vec<Finding>,
    completeness: Completeness,
    columns: Vec<String>,
    orders: Vec<DateOrder>,
    /// What there is beside the rows that are known.
    kept: Option<KeptRows>,
}

impl Learnt {
    /// Reads all rows.
    fn of(
        table: &mut Rows<'_, '_>,
        feed: &Feed,
        place: &Place,
        today: Date,
        known: Option<&mut KnownRows>,
    ) -> Result<Self, SourceError> {
        let mut keeper = known.map(|known| Keeper::new(known, table.headers()));
        let mut each = EachRow::new(feed);
        let mut columns = Columns::bind(feed, table.headers(), place)?;
        let mut evidence = columns.bound.evidence();
        let mut oddities = Oddities::new(place.clone(), table.headers());
        while let Some(row) = table.next_row()? {
            match row {
                SourceRow::Bad { row, line, is_ragged, problem } => {
                    each.bad(line.unwrap_or(row), is_ragged);
                    if let Some(keeper) = &mut keeper {
                        keeper.bad(row, line, problem);
                    }
                }
                SourceRow::Row(row) => {
                    oddities.look(&row, columns.kept.indexes());
                    each.row(&row, &columns, &mut evidence, today);
                    if let Some(keeper) = &mut keeper {
                        let orders = || columns.bound.orders_so_far(&evidence);
                        keeper.row(&row, || Some((orders()?, each.ids.width())));
                    }
                }
            }
        }
        let mut findings = table.findings();
        findings.extend(oddities.findings());
        let orders = columns.bound.settle(evidence).map_err(|found| contradicted(&found, place))?;
        findings.extend(orders.iter().map(|order| date_order(order, place)));
        let kept = keeper.and_then(|keeper| keeper.finish(&orders, each.ids.width()));
        Ok(Self {
            rows: table.rows(),
            each,
            findings,
            completeness: table.completeness(),
            columns: columns.kept.headers().to_vec(),
            orders,
            kept,
        })
    }

    /// Decides which rows count, unless the file is refused.
    fn conclude(
        self,
        opened: Opened,
        feed: &Feed,
        file: &str,
        now: Timestamp,
    ) -> Result<(Scan, Option<KeptRows>), SourceError> {
        let Self { rows, each, findings: found, completeness, columns, orders, kept } = self;
        let place = opened.place(file);
        each.check(&place, rows)?;
        let as_of = each.as_of(feed, file, &place)?;
        let mut findings = opened.findings.clone();
        findings.extend(found);
        let scan = Scan {
            digest: opened.digest,
            rows,
            index: each.index.finish(),
            findings,
            as_of,
            completeness,
            columns,
            id_width: each.ids.width(),
            orders,
            today: feed.today(now),
            now,
            opened,
        };
        // rows that compete, or share what is one worker's own, are looked at once more
        let kept = kept.filter(|_| !scan.index.has_repeats() && !scan.index.has_rings());
        Ok((scan, kept))
    }
}

/// What is learnt row by row.
struct EachRow {
    index: RowIndexBuilder,
    ids: IdShape,
    /// One for each value that is looked at together with others.
    scratches: [Scratch; 3],
    ragged: Vec<u64>,
    ragged_rows: u64,
    has_standing: bool,
    /// The latest day in the column that says when rows were true.
    latest_day: Option<Date>,
}

impl EachRow {
    fn new(feed: &Feed) -> Self {
        Self {
            index: RowIndexBuilder::new(feed.rows.pick, feed.rows.per.is_some()),
            ids: IdShape::default(),
            scratches: Default::default(),
            ragged: Vec::new(),
            ragged_rows: 0,
            has_standing: feed.mapping.has_standing(),
            latest_day: None,
        }
    }

    fn bad(&mut self, line: u64, is_ragged: bool) {
        self.ragged_rows += u64::from(is_ragged);
        if is_ragged && self.ragged.len() < RAGGED_NAMED {
            self.ragged.push(line);
        }
    }

    /// Notes a row. One without a readable id is rejected in the second pass.
    fn row(&mut self, row: &Row<'_>, columns: &Columns<'_>, evidence: &mut Evidence, today: Date) {
        let Self { index, ids, scratches, has_standing, latest_day, .. } = self;
        let [first, second, third] = scratches;
        let bound = &columns.bound;
        if let Ok(Some(day)) = bound.as_of(row) {
            *latest_day = (*latest_day).max(Some(day));
        }
        if !bound.in_scope(row, first).unwrap_or(false) {
            // it names its person all the same, who is not missing then
            if let Ok(external_id) = bound.external_id(row, first) {
                index.push_named(external_id);
            }
            return;
        }
        bound.observe(row, evidence);
        let standing = if *has_standing { Some(bound.standing(row, first, today)) } else { None };
        let Ok(external_id) = bound.external_id(row, first) else { return };
        ids.note(external_id);
        let key = columns.key(row, external_id);
        if key.is_empty() {
            index.push_named(external_id);
            return;
        }
        let standing = match standing {
            Some(Ok(Standing { rank, day, is_future })) => {
                Some(RowStanding { rank, day, is_future })
            }
            // a row whose standing cannot be told is rejected in the second pass
            Some(Err(_)) => {
                index.push_named(external_id);
                return;
            }
            None => None,
        };
        let user_name = bound.user_name(row, second);
        let manager = bound.manager(row, third).filter(|manager| !manager.is_empty());
        let line = row.line.unwrap_or(row.row);
        let row = row.row;
        index.push(NotedRow { key, external_id, user_name, manager, row, line, standing });
    }

    /// The instant that the file shows; `None` where it is as old as its arrival.
    fn as_of(
        &self,
        feed: &Feed,
        name: &str,
        place: &Place,
    ) -> Result<Option<Timestamp>, SourceError> {
        let (found, message, hint) = match &feed.rules.as_of {
            AsOf::Arrival => return Ok(None),
            as_of @ AsOf::Name(pattern) => (
                as_of.from_name(name, &feed.time_zone),
                format!(
                    "the name of the file does not say when it was exported, as `{}` has it",
                    pattern.notation()
                ),
                "name the file like that, or change `as_of` of the source",
            ),
            AsOf::Column { column, .. } => (
                self.latest_day.and_then(|day| start_of_day(day, &feed.time_zone)),
                format!(
                    "no row has a date in column `{column}`, which says when the file was exported"
                ),
                "correct the column in the export, or change `as_of` of the source",
            ),
        };
        found
            .map(Some)
            .ok_or_else(|| SourceError::refused("source.as-of", place.clone(), message, hint))
    }

    fn check(&self, place: &Place, rows: u64) -> Result<(), SourceError> {
        if rows == 0 {
            return Err(SourceError::refused(
                "source.no-rows",
                place.clone(),
                "the file has a header and no rows",
                "export it again; a file without people never changes anybody",
            ));
        }
        if too_many_ragged(self.ragged_rows, rows) {
            let lines: Vec<String> = self.ragged.iter().map(ToString::to_string).collect();
            return Err(SourceError::refused(
                "source.too-many-ragged-rows",
                place.clone(),
                format!(
                    "{} of {rows} rows have more or fewer fields than the header, the first on \
                     lines {}",
                    self.ragged_rows,
                    lines.join(", ")
                ),
                "check the delimiter and the quotes of the export",
            ));
        }
        Ok(())
    }
}
