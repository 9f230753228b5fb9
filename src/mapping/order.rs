//! Day and month told apart by a whole column.
//!
//! Where two formats of a `date` rule read one text as two different dates, the values that only
//! one of them reads prove which one the export uses. A first pass collects that proof
//! ([`Bound::observe`](crate::mapping::Bound::observe)), and the second one reads by it.

use std::fmt;

use crate::mapping::between::Day;
use crate::mapping::date::DateRule;
use crate::mapping::rule::{Cells, Rule, Source, Work};

/// Rows that are named as examples.
const PLACES_KEPT: usize = 3;

/// What one pass over a file has shown of its dates. Made by
/// [`Bound::evidence`](crate::mapping::Bound::evidence).
pub struct Evidence {
    /// For each rule that learns, each of its contested pairs.
    rules: Vec<Vec<Pair>>,
    work: Work,
}

/// What only the first, and what only the second of two formats reads.
#[derive(Debug, Clone, Default)]
struct Pair {
    first: Sole,
    second: Sole,
}

/// The values of a column that only one of two formats reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Sole {
    count: u64,
    /// Row and line of the first of them.
    places: Vec<(u64, Option<u64>)>,
}

/// A format that the column has shown to be the one in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateOrder {
    /// The attribute, in the notation of RFC 7644 section 3.5.2.
    pub attribute: String,
    /// The column, where the value is one column's.
    pub column: Option<String>,
    /// The format that reads what both could read.
    pub format: String,
    /// The format that does not.
    pub instead_of: String,
    /// How many values only `format` reads.
    pub proofs: u64,
    rule: usize,
    chosen: usize,
    against: usize,
}

/// A column in which some values are dates in one format only, and others in another only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateContradiction {
    /// The attribute, in the notation of RFC 7644 section 3.5.2.
    pub attribute: String,
    /// The column, where the value is one column's.
    pub column: Option<String>,
    /// Two formats with what only they read.
    pub formats: [SoleFormat; 2],
}

/// What only one of two formats reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoleFormat {
    /// The format.
    pub format: String,
    /// How many values.
    pub count: u64,
    /// Row and line of the first of them.
    pub places: Vec<(u64, Option<u64>)>,
}

/// A rule that learns, or one of its columns.
pub(super) struct Dated<'a> {
    pub(super) rule: &'a Rule,
    pub(super) date: &'a DateRule,
    /// The column, where the rule has several with a date each.
    day: Option<&'a Day>,
}

impl Evidence {
    pub(super) fn new(learners: &[Dated<'_>]) -> Self {
        let pairs = |dated: &Dated<'_>| vec![Pair::default(); dated.date.contested.len()];
        Self { rules: learners.iter().map(pairs).collect(), work: Work::default() }
    }

    /// Takes in a row's value of one rule, counted among those that learn.
    pub(super) fn take(&mut self, number: usize, dated: &Dated<'_>, cells: Cells<'_>) {
        let Some(pairs) = self.rules.get_mut(number) else { return };
        // what the file says is a date needs no format and proves none
        if dated.is_typed(cells) {
            return;
        }
        let Some(text) = dated.written(cells, &mut self.work).filter(|text| !text.is_empty())
        else {
            return;
        };
        let place = (cells.row.row, cells.row.line);
        for ((first, second), pair) in dated.date.contested.iter().zip(pairs) {
            match (dated.date.reads(*first, text), dated.date.reads(*second, text)) {
                (true, false) => pair.first.note(place),
                (false, true) => pair.second.note(place),
                _ => {}
            }
        }
    }

    /// A copy of what it is by now.
    pub(super) fn so_far(&self) -> Self {
        Self { rules: self.rules.clone(), work: Work::default() }
    }

    /// What all of it comes to.
    pub(super) fn settle(
        self,
        learners: &[Dated<'_>],
    ) -> Result<Vec<DateOrder>, Vec<DateContradiction>> {
        let (mut orders, mut contradictions) = (Vec::new(), Vec::new());
        for (dated, pairs) in learners.iter().zip(self.rules) {
            dated.settle(pairs, &mut orders, &mut contradictions);
        }
        if contradictions.is_empty() { Ok(orders) } else { Err(contradictions) }
    }
}

impl Sole {
    fn note(&mut self, place: (u64, Option<u64>)) {
        self.count += 1;
        if self.places.len() < PLACES_KEPT {
            self.places.push(place);
        }
    }
}

impl<'a> Dated<'a> {
    /// The dates that a rule reads and sends on, or goes by.
    pub(super) fn of(rule: &'a Rule) -> impl Iterator<Item = Self> {
        let own = rule.finish.date.as_ref().filter(|_| rule.lookup.is_none());
        let own = own.map(|date| Self { rule, date, day: None });
        let days = match &rule.source {
            Source::Between(days) => Some(days.both()),
            _ => None,
        };
        let days = days.into_iter().flatten();
        own.into_iter().chain(days.map(move |day| Self { rule, date: &day.date, day: Some(day) }))
    }

    fn column(&self) -> Option<&'a str> {
        self.day.map_or(self.rule.column.as_deref(), |day| Some(&day.name))
    }

    fn is_typed(&self, cells: Cells<'_>) -> bool {
        self.day.map_or_else(|| self.rule.is_typed_date(cells), |day| cells.is_date(day.column))
    }

    fn written<'v>(&'v self, cells: Cells<'v>, work: &'v mut Work) -> Option<&'v str> {
        match self.day {
            Some(day) => self.rule.clean(day.column, cells).ok(),
            None => self.rule.written(cells, work),
        }
    }

    /// What a column's evidence comes to.
    fn settle(
        &self,
        pairs: Vec<Pair>,
        orders: &mut Vec<DateOrder>,
        contradictions: &mut Vec<DateContradiction>,
    ) {
        let format = |at: usize| self.date.notation(at).to_owned();
        for (&(one, other), pair) in self.date.contested.iter().zip(pairs) {
            let Pair { first, second } = pair;
            let (chosen, against, proofs) = match (first.count, second.count) {
                (0, 0) => continue,
                (proofs, 0) => (one, other, proofs),
                (0, proofs) => (other, one, proofs),
                _ => {
                    let sole = |at, Sole { count, places }| SoleFormat {
                        format: format(at),
                        count,
                        places,
                    };
                    contradictions.push(DateContradiction {
                        attribute: self.rule.path.to_string(),
                        column: self.column().map(ToOwned::to_owned),
                        formats: [sole(one, first), sole(other, second)],
                    });
                    continue;
                }
            };
            orders.push(DateOrder {
                attribute: self.rule.path.to_string(),
                column: self.column().map(ToOwned::to_owned),
                format: format(chosen),
                instead_of: format(against),
                proofs,
                rule: self.date.number,
                chosen,
                against,
            });
        }
    }
}

impl DateOrder {
    pub(super) const fn is_of(&self, rule: usize) -> bool {
        self.rule == rule
    }

    /// The place of the format that is used.
    pub(super) const fn chosen(&self) -> usize {
        self.chosen
    }

    /// The place of the format that is not used where both could be.
    pub(super) const fn against(&self) -> usize {
        self.against
    }
}

impl DateContradiction {
    /// What was found; it names the column, both formats and a row of each, and no value.
    #[must_use]
    pub fn message(&self) -> String {
        let from = match &self.column {
            Some(column) => format!("column `{column}`"),
            None => format!("the value of `{}`", self.attribute),
        };
        let [first, second] = &self.formats;
        format!(
            "{from} holds dates that only `{}` reads ({}) and dates that only `{}` reads ({}), so \
             nobody can tell day and month of the others",
            first.format,
            Rows(first),
            second.format,
            Rows(second)
        )
    }

    /// The way out.
    #[must_use]
    pub fn hint(&self) -> String {
        format!(
            "export the dates in one format, and leave only that one in the `date` of `{}`",
            self.attribute
        )
    }
}

/// `line 17 and 3 more`.
struct Rows<'a>(&'a SoleFormat);

impl fmt::Display for Rows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.places.first() {
            Some((_, Some(line))) => write!(f, "line {line}")?,
            Some((row, None)) => write!(f, "row {row}")?,
            None => return Ok(()),
        }
        match self.0.count {
            0 | 1 => Ok(()),
            count => write!(f, " and {} more", count - 1),
        }
    }
}

/// How many of what, and where; never a value.
impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence").field("rules", &self.rules).finish_non_exhaustive()
    }
}
