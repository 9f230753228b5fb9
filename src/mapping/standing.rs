//! Which rows count: the scoping filter of a source, and how several rows of one worker stand to
//! each other.

use jiff::Unit;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::domain::{ColumnKind, RecordProblem, Row};
use crate::mapping::checks::Say;
use crate::mapping::date::{DateRule, Reading, formats};
use crate::mapping::expr::{EvalFault, ExprFault, Expression, Kind, Value};
use crate::mapping::problem::Fault;
use crate::mapping::rule::{Cells, trimmed};
use crate::mapping::{Bound, ByConfig, Mapping, MappingConfig, MappingProblem, Scratch};

/// How a row stands to the other rows of its worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What `rows.prefer` says: the greater comes first. True is 1, false 0; without `rows.prefer`
    /// every row has 0.
    pub rank: i32,
    /// The day from which the row applies, in days since 1970-01-01; [`i32::MIN`] where its cell is
    /// empty or there is no `rows.by`.
    pub day: i32,
    /// Whether that day is after today.
    pub is_future: bool,
}

const SCOPE: &str = "scope";
const PREFER: &str = "rows.prefer";
const BY: &str = "rows.by";
const AS_OF: &str = "as_of";
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// What a source says of its rows, compiled.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) scope: Option<Expression>,
    pub(super) prefer: Option<Expression>,
    pub(super) by: Option<By>,
    pub(super) as_of: Option<By>,
}

/// A column with a day.
pub(super) struct By {
    pub(super) column: usize,
    date: DateRule,
}

/// Gives a column its place in the mapping's list.
pub(super) type Slot<'s> = dyn FnMut(&str, ColumnKind) -> usize + 's;

impl Conditions {
    /// Compiles what the config says of rows.
    pub(super) fn compile(
        config: &MappingConfig,
        zone: Option<&TimeZone>,
        slot: &mut Slot<'_>,
        problems: &mut Vec<MappingProblem>,
    ) -> Self {
        let scope = config.scope.as_deref().and_then(|text| {
            let mut say = Say { path: SCOPE, problems };
            let scope = expression(text, "scope", slot, &mut say)?;
            let fits = matches!(scope.kind(), Kind::Boolean | Kind::Any);
            if !fits {
                let message = format!("it has to be true or false, and is {}", scope.kind().word());
                let hint = "compare a column, as in `WorkerType != \"Contractor\"`";
                say.wrong(Some("scope"), message, Some(hint));
            }
            fits.then_some(scope)
        });
        let prefer = config.prefer.as_deref().and_then(|text| {
            let mut say = Say { path: PREFER, problems };
            let prefer = expression(text, "prefer", slot, &mut say)?;
            let fits = matches!(prefer.kind(), Kind::Boolean | Kind::Integer | Kind::Any);
            if !fits {
                let kind = prefer.kind().word();
                let message = format!("it has to be true or false, or a number, and is {kind}");
                let hint = "compare a column, as in `Primary == \"Y\"`, or make a number of it with int(…)";
                say.wrong(Some("prefer"), message, Some(hint));
            }
            fits.then_some(prefer)
        });
        let by = config.by.as_ref().and_then(|by| {
            let mut say = Say { path: BY, problems };
            By::compile(by, "by", zone, slot, &mut say)
        });
        let as_of = config.as_of.as_ref().and_then(|as_of| {
            let mut say = Say { path: AS_OF, problems };
            By::compile(as_of, "as_of", zone, slot, &mut say)
        });
        Self { scope, prefer, by, as_of }
    }
}

fn expression(
    text: &str,
    key: &'static str,
    slot: &mut Slot<'_>,
    say: &mut Say<'_>,
) -> Option<Expression> {
    let compiled = Expression::compile(text, |name| slot(name, ColumnKind::Text));
    compiled
        .map_err(|fault: ExprFault| say.wrong(Some(key), fault.to_string(), fault.hint.as_deref()))
        .ok()
}

impl By {
    fn compile(
        config: &ByConfig,
        key: &'static str,
        zone: Option<&TimeZone>,
        slot: &mut Slot<'_>,
        say: &mut Say<'_>,
    ) -> Option<Self> {
        let before = say.problems.len();
        if config.column.trim().is_empty() {
            say.wrong(Some(key), "the column has no name", None);
        }
        let formats = formats(&config.date, key, say);
        if zone.is_none() {
            let hint = "set `time_zone` of the source, for example \"Europe/Berlin\"";
            let message = "when a day begins depends on the time zone of the source";
            say.wrong(Some(key), message, Some(hint));
        }
        if say.problems.len() > before {
            return None;
        }
        let column = slot(config.column.trim(), ColumnKind::Date);
        let mut date = DateRule::new(formats?, Time::midnight(), zone?.clone());
        // no rule that a file teaches its order of day and month
        date.number = usize::MAX;
        Some(Self { column, date })
    }

    /// The day in a row's cell; `None` where it is empty.
    fn read(&self, cells: Cells<'_>) -> Result<Option<Date>, Fault> {
        let text = trimmed(cells.read(self.column)?);
        if text.is_empty() {
            return Ok(None);
        }
        let reading = Reading { typed: cells.is_date(self.column), orders: &[] };
        self.date.read_date(text, reading).map(Some)
    }
}

impl Mapping {
    /// Whether rows say when they were true.
    #[must_use]
    pub const fn has_as_of(&self) -> bool {
        self.conditions().as_of.is_some()
    }

    /// Whether rows of one worker stand to each other in an order of their own.
    #[must_use]
    pub const fn has_standing(&self) -> bool {
        let Conditions { prefer, by, .. } = self.conditions();
        prefer.is_some() || by.is_some()
    }
}

impl Bound<'_> {
    /// Whether the scoping filter lets the row in; without one every row is in.
    ///
    /// # Errors
    /// When that cannot be told; the problem never holds a cell's value.
    pub fn in_scope(&self, row: &Row<'_>, _: &mut Scratch) -> Result<bool, RecordProblem> {
        let Some(scope) = &self.mapping().conditions().scope else { return Ok(true) };
        let cells = self.cells(row, false);
        let truth = scope.evaluate(reader(cells), |value| match value {
            Value::Boolean(value) => Ok(value),
            _ => Err(EvalFault::whole("is neither true nor false")),
        });
        truth.map_err(|fault| problem(SCOPE, fault, None, cells))
    }

    /// The day on which the row was true, by the column of the source's `as_of`; `None` without such
    /// a column, and where its cell is empty.
    ///
    /// # Errors
    /// When the cell holds no date; the problem never holds its value.
    pub fn as_of(&self, row: &Row<'_>) -> Result<Option<Date>, RecordProblem> {
        let Some(as_of) = &self.mapping().conditions().as_of else { return Ok(None) };
        let cells = self.cells(row, false);
        as_of.read(cells).map_err(|fault| problem(AS_OF, fault, cells.name(as_of.column), cells))
    }

    /// How the row stands to the other rows of its worker; `today` in the source's time zone.
    ///
    /// # Errors
    /// When that cannot be told; the problem never holds a cell's value.
    pub fn standing(
        &self,
        row: &Row<'_>,
        _: &mut Scratch,
        today: Date,
    ) -> Result<Standing, RecordProblem> {
        let Conditions { prefer, by, .. } = self.mapping().conditions();
        let cells = self.cells(row, false);
        let mut standing = Standing { rank: 0, day: i32::MIN, is_future: false };
        if let Some(prefer) = prefer {
            let rank = prefer.evaluate(reader(cells), |value| match value {
                Value::Boolean(value) => Ok(i32::from(value)),
                Value::Integer(number) => i32::try_from(number)
                    .map_err(|_| EvalFault::whole("gives a number beyond 32 bits")),
                _ => Err(EvalFault::whole("is neither true nor false nor a number")),
            });
            standing.rank = rank.map_err(|fault| problem(PREFER, fault, None, cells))?;
        }
        if let Some(by) = by {
            let column = cells.name(by.column);
            let day = by.read(cells).map_err(|fault| problem(BY, fault, column, cells))?;
            if let Some(day) = day {
                let days = EPOCH.until((Unit::Day, day)).map(|span| span.get_days());
                standing.day = days.unwrap_or(i32::MAX);
                standing.is_future = day > today;
            }
        }
        Ok(standing)
    }
}

/// Reads cells as conditions have them: trimmed.
fn reader<'c>(cells: Cells<'c>) -> impl Fn(usize) -> Result<&'c str, Fault> {
    move |column| cells.read(column).map(trimmed)
}

fn problem(about: &str, fault: Fault, column: Option<&str>, cells: Cells<'_>) -> RecordProblem {
    let column = match fault {
        Fault::Cell { column, .. } => cells.name(column),
        _ => column,
    };
    RecordProblem { attribute: None, ..fault.record(about, column, None) }
}
