//! A mapping bound to the columns of one file, and what it makes of a row.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use crate::domain::{ActiveWindow, RecordProblem, Row, fold_header};
use crate::mapping::order::Dated;
use crate::mapping::rule::{Cells, Source, Work};
use crate::mapping::single::Single;
use crate::mapping::write::{Caught, Writer, read_external_id, write_resource};
use crate::mapping::{
    ColumnProblem, DateContradiction, DateOrder, Evidence, Mapping, RecordWarning,
};
use crate::scim::is_plain;

/// Least similarity at which a header is suggested for a missing column.
const LIKELY: f64 = 0.85;

/// A mapping that knows where its columns are. Made by [`Mapping::bind`].
pub struct Bound<'m> {
    mapping: &'m Mapping,
    indexes: Vec<Option<usize>>,
    single: Single<'m>,
    /// The rules whose dates a first pass learns to read.
    learners: Vec<Dated<'m>>,
    /// What the file has shown of its dates.
    orders: Vec<DateOrder>,
    /// As of when `active` is asked.
    now: Option<Timestamp>,
}

/// Buffers that one caller uses for row after row.
#[derive(Default)]
pub struct Scratch {
    work: Work,
    caught: Caught,
    extensions: Vec<u8>,
}

impl Scratch {
    pub(super) const fn work(&mut self) -> &mut Work {
        &mut self.work
    }

    /// Says whether the next row's manager is one of a ring, so that the row is written without.
    pub const fn leave_manager_out(&mut self, is_in_ring: bool) {
        self.caught.is_in_ring = is_in_ring;
    }

    /// Empty buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// What planning needs to know of a mapped record, beside its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mapped<'s> {
    /// The worker's id.
    pub external_id: &'s str,
    /// The value of `active`, as of the instant of [`Bound::at`] where it depends on one.
    pub active: bool,
    /// The time in which they are active, where the mapping says so by dates.
    pub window: Option<ActiveWindow>,
    /// The value of `userName`, where there is one.
    pub user_name: Option<&'s str>,
    /// The `externalId` of the manager, as written in the resource.
    pub manager: Option<&'s str>,
    /// What is odd about the record without keeping it back.
    pub warnings: &'s [RecordWarning],
}

impl fmt::Debug for Mapped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped")
            .field("external_id", &self.external_id)
            .field("active", &self.active)
            .field("manager", &self.manager)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

impl Mapping {
    /// Finds the mapping's columns among a file's headers, whatever their blanks, case and width
    /// ([`fold_header`]).
    ///
    /// # Errors
    /// When columns that are not optional are missing, or a mapped one is there more than once:
    /// all of them, in the order in which the mapping names them.
    pub fn bind<H: AsRef<str>>(&self, headers: &[H]) -> Result<Bound<'_>, Vec<ColumnProblem>> {
        let mut places: BTreeMap<Cow<'_, str>, Vec<usize>> = BTreeMap::new();
        for (index, header) in headers.iter().enumerate() {
            places.entry(fold_header(header.as_ref())).or_default().push(index);
        }
        let mut indexes = Vec::with_capacity(self.columns().len());
        let mut problems = Vec::new();
        for used in self.columns() {
            // a column without a name that could be seen is none of those without a header
            let name = Some(fold_header(&used.name)).filter(|name| !name.is_empty());
            let found = name.and_then(|name| places.get(&name)).map_or(&[][..], Vec::as_slice);
            indexes.push(found.first().copied());
            let column = used.name.clone();
            match found {
                [] if !used.optional => {
                    let nearest = nearest(&column, headers.iter().map(AsRef::as_ref));
                    problems.push(ColumnProblem::Missing { column, nearest });
                }
                [] | [_] => {}
                many => {
                    let places = many.iter().map(|index| index + 1).collect();
                    problems.push(ColumnProblem::Repeated { column, places });
                }
            }
        }
        if problems.is_empty() {
            let learners = self.learners().collect();
            let single = Single::of(self.layout());
            let orders = Vec::new();
            Ok(Bound { mapping: self, indexes, single, learners, orders, now: None })
        } else {
            Err(problems)
        }
    }

    /// Whether a first pass over a file can learn how its dates are meant.
    #[must_use]
    pub fn learns(&self) -> bool {
        self.learners().next().is_some()
    }

    /// The rules with two date formats that read some texts as two different dates.
    fn learners(&self) -> impl Iterator<Item = Dated<'_>> {
        let dates = self.layout().rules().flat_map(Dated::of);
        dates.filter(|dated| !dated.date.contested.is_empty())
    }

    /// Whether `active` depends on the instant, so that [`Bound::at`] has to say it.
    #[must_use]
    pub fn has_window(&self) -> bool {
        self.layout().rules().any(|rule| matches!(rule.source, Source::Between(_)))
    }
}

impl<'m> Bound<'m> {
    /// Says as of when `active` is asked. Without it a mapping that [has a
    /// window](Mapping::has_window) rejects every row.
    pub const fn at(&mut self, now: Timestamp) {
        self.now = Some(now);
    }

    /// Begins to collect what a file shows of its dates.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        Evidence::new(&self.learners)
    }

    /// Takes in what a row shows; free where the mapping has nothing to learn.
    pub fn observe(&self, row: &Row<'_>, evidence: &mut Evidence) {
        for (number, dated) in self.learners.iter().enumerate() {
            evidence.take(number, dated, self.cells(row, false));
        }
    }

    /// Draws the conclusion at the end of a first pass, and reads by it from here on.
    ///
    /// # Errors
    /// When a column contradicts itself: some of its dates are dates in one format only, others in
    /// another only. Nothing of such a file can be trusted.
    pub fn settle(&mut self, evidence: Evidence) -> Result<Vec<DateOrder>, Vec<DateContradiction>> {
        let orders = evidence.settle(&self.learners)?;
        self.apply_orders(&orders);
        Ok(orders)
    }

    /// What [`settle`](Self::settle) would conclude by now; `None` where that is a contradiction.
    #[must_use]
    pub fn orders_so_far(&self, evidence: &Evidence) -> Option<Vec<DateOrder>> {
        evidence.so_far().settle(&self.learners).ok()
    }

    /// Reads by what [`settle`](Self::settle) has concluded in another pass over the same file,
    /// under the same mapping.
    pub fn apply_orders(&mut self, orders: &[DateOrder]) {
        self.orders = orders.to_vec();
    }

    pub(super) const fn single(&self) -> &Single<'m> {
        &self.single
    }

    pub(super) const fn mapping(&self) -> &'m Mapping {
        self.mapping
    }

    pub(super) fn cells<'a>(&'a self, row: &Row<'a>, is_plain: bool) -> Cells<'a> {
        Cells {
            row: *row,
            columns: self.mapping.columns(),
            indexes: &self.indexes,
            is_plain,
            orders: &self.orders,
            now: self.now,
        }
    }

    /// Appends the row's resource to `out`: exactly one JSON object, or nothing at all.
    ///
    /// # Errors
    /// When the row cannot become a valid user; the problem never holds a cell's value.
    pub fn apply<'s>(
        &self,
        row: &Row<'_>,
        scratch: &'s mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<Mapped<'s>, RecordProblem> {
        let start = out.len();
        let Scratch { work, caught, extensions } = scratch;
        let cells = self.cells(row, is_plain(row.text()));
        let writer = Writer { cells, work, caught, out };
        if let Err(problem) = write_resource(self.mapping.layout(), writer, extensions) {
            out.truncate(start);
            return Err(problem);
        }
        Ok(Mapped {
            external_id: &caught.external_id,
            active: caught.active,
            window: caught.window,
            user_name: caught.user_name.as_deref(),
            manager: caught.manager.as_deref(),
            warnings: &caught.warnings,
        })
    }

    /// The row's `externalId` alone, for a first pass over a file; the same as [`Self::apply`]
    /// finds.
    ///
    /// # Errors
    /// When the row has no readable one.
    pub fn external_id<'s>(
        &'s self,
        row: &Row<'s>,
        scratch: &'s mut Scratch,
    ) -> Result<&'s str, RecordProblem> {
        let rule = &self.mapping.layout().external_id;
        read_external_id(rule, self.cells(row, false), &mut scratch.work)
    }
}

fn nearest<'h>(column: &str, headers: impl Iterator<Item = &'h str>) -> Option<String> {
    let wanted = column.to_lowercase();
    headers
        .map(|header| (strsim::jaro_winkler(&wanted, &header.to_lowercase()), header))
        .filter(|(score, _)| *score >= LIKELY)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, header)| header.to_owned())
}
