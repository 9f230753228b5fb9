//! `active` by two dates: from the start of the first day to the end of the second.
//!
//! The second date is the last working day, so its day is in, unless the mapping says that it is
//! the first day without work. The days are those of the source's time zone.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::{ActiveWindow, start_of_day};
use crate::mapping::date::{DateRule, Reading};
use crate::mapping::problem::{Fault, Refused};
use crate::mapping::rule::{Cells, Rule};
use crate::mapping::{Between, End};

/// What HR systems write for "open-ended".
const OPEN_ENDED: Date = jiff::civil::date(9999, 12, 31);

/// The two columns, compiled.
pub(super) struct Days {
    pub(super) start: Day,
    pub(super) end: Day,
    pub(super) end_is: End,
}

/// A column with a day.
pub(super) struct Day {
    /// Its place in the mapping's list.
    pub(super) column: usize,
    /// Its header, as the mapping names it.
    pub(super) name: String,
    pub(super) date: DateRule,
}

impl Days {
    /// The two columns as the config names them, with their places in the mapping's list, both read
    /// by the same formats.
    pub(super) fn new(config: &Between, [start, end]: [usize; 2], date: DateRule) -> Self {
        let day = |name: &str, column, date| Day { column, name: name.trim().to_owned(), date };
        Self {
            start: day(&config.start, start, date.clone()),
            end: day(&config.end, end, date),
            end_is: config.end_is,
        }
    }

    pub(super) const fn both(&self) -> [&Day; 2] {
        [&self.start, &self.end]
    }

    pub(super) const fn both_mut(&mut self) -> [&mut Day; 2] {
        [&mut self.start, &mut self.end]
    }
}

impl Rule {
    /// The time in which the person of a row is active.
    pub(super) fn window(&self, days: &Days, cells: Cells<'_>) -> Result<ActiveWindow, Refused> {
        let Days { start, end, end_is } = days;
        let zone = start.date.zone();
        let Some(first) = self.day(start, cells)? else {
            return Err(Fault::NoStart { end: end.column }.of(start.column));
        };
        // the start of a day that no instant stands for never comes
        let from = start_of_day(first, zone).unwrap_or(Timestamp::MAX);
        let Some(last) = self.day(end, cells)?.filter(|last| *last != OPEN_ENDED) else {
            return Ok(ActiveWindow { from, until: None });
        };
        if last < first {
            return Err(Fault::EndBeforeStart { start: start.column }.of(end.column));
        }
        let after = match end_is {
            End::Inclusive => last.tomorrow().ok(),
            End::Exclusive => Some(last),
        };
        Ok(ActiveWindow { from, until: after.and_then(|after| start_of_day(after, zone)) })
    }

    /// The day in a column; `None` where its cell is empty.
    fn day(&self, day: &Day, cells: Cells<'_>) -> Result<Option<Date>, Refused> {
        let text = self.clean(day.column, cells)?;
        if text.is_empty() {
            return Ok(None);
        }
        let reading = Reading { typed: cells.is_date(day.column), orders: cells.orders };
        day.date.read_date(text, reading).map(Some).map_err(|fault| fault.of(day.column))
    }
}
