//! Which format the dates of a column are in, by the evidence of all its values.
//!
//! `03/04/2024` is two dates. Whether a column has the day or the month first, only a value like
//! `25/12/2024` can say, and it may stand in the last row; so each value is asked which formats can
//! read it, and the answers are counted.

use std::collections::BTreeMap;

use crate::mapping::date_format::Format;

/// What is tried, the likeliest first: of two formats that explain the same, the first is taken.
const FORMATS: [&str; 20] = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y%m%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%b %d, %Y",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
];
/// Most formats that are proposed for one column.
const MOST: usize = 3;

/// The values of a column, by the formats that can read them.
#[derive(Default)]
pub(super) struct DateEvidence {
    /// A bit for each format, and how many values have just these.
    by_formats: BTreeMap<u32, u64>,
}

/// The formats, compiled.
pub(super) struct Formats(Vec<(u32, Format)>);

/// What the evidence comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DateVerdict {
    /// Every value is read by these, and by no two of them differently.
    Formats(Vec<&'static str>),
    /// Every value fits both, and nothing says which is meant.
    Either(&'static str, &'static str),
    /// Some values prove one order of day and month, others the other.
    Contradiction(&'static str, &'static str),
    /// Too many values are no dates.
    None,
}

impl Formats {
    pub(super) fn new() -> Self {
        let bits = (0..).map(|place| 1_u32 << place);
        let compiled = bits.zip(FORMATS).filter_map(|(bit, notation)| {
            Format::compile(notation).ok().map(|format| (bit, format))
        });
        Self(compiled.collect())
    }

    fn reading(&self, value: &str) -> u32 {
        let reads = self.0.iter().filter(|(_, format)| format.read(value).is_some());
        reads.fold(0, |bits, (bit, _)| bits | bit)
    }
}

impl DateEvidence {
    /// Counts a value in.
    pub(super) fn add(&mut self, value: &str, formats: &Formats) {
        let starts_like_one = value.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        let bits = if starts_like_one && value.len() <= 32 { formats.reading(value) } else { 0 };
        *self.by_formats.entry(bits).or_default() += 1;
    }

    /// What the values prove.
    pub(super) fn verdict(&self) -> DateVerdict {
        let total: u64 = self.by_formats.values().sum();
        let dates: u64 = self.dates().map(|(_, count)| count).sum();
        // one in ten may be something else, which `check` of the rows will tell
        if total == 0 || dates * 10 < total * 9 {
            return DateVerdict::None;
        }
        let mut left: Vec<u32> = self.dates().map(|(bits, _)| bits).collect();
        let mut chosen: Vec<usize> = Vec::new();
        while !left.is_empty() && chosen.len() < MOST {
            let explained = |place: usize| -> u64 {
                let read = left.iter().filter(|bits| **bits & bit(place) != 0);
                read.map(|bits| self.count(*bits)).sum()
            };
            // of equally good ones the first in the list, which is the last of the list reversed
            let best = (0..FORMATS.len()).rev().max_by_key(|place| explained(*place));
            let Some(best) = best else { break };
            chosen.push(best);
            left.retain(|bits| bits & bit(best) == 0);
        }
        self.judge(&chosen)
    }

    fn judge(&self, chosen: &[usize]) -> DateVerdict {
        for place in chosen {
            let Some(other) = mirrored(*place) else { continue };
            let proves = |yes: usize, no: usize| {
                self.dates().any(|(bits, _)| bits & bit(yes) != 0 && bits & bit(no) == 0)
            };
            match (proves(*place, other), proves(other, *place)) {
                (true, false) => {}
                (true, true) => return DateVerdict::Contradiction(name(*place), name(other)),
                (false, _) => return DateVerdict::Either(name(*place), name(other)),
            }
        }
        DateVerdict::Formats(chosen.iter().map(|place| name(*place)).collect())
    }

    fn dates(&self) -> impl Iterator<Item = (u32, u64)> {
        self.by_formats.iter().filter(|(bits, _)| **bits != 0).map(|(bits, count)| (*bits, *count))
    }

    fn count(&self, bits: u32) -> u64 {
        self.by_formats.get(&bits).copied().unwrap_or(0)
    }
}

const fn bit(place: usize) -> u32 {
    1 << place
}

fn name(place: usize) -> &'static str {
    FORMATS.get(place).copied().unwrap_or_default()
}

/// The same format with day and month the other way round.
fn mirrored(place: usize) -> Option<usize> {
    let own = name(place);
    let other = own.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m");
    FORMATS.iter().position(|format| *format == other).filter(|found| *found != place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(values: &[&str]) -> DateVerdict {
        let formats = Formats::new();
        let mut evidence = DateEvidence::default();
        for value in values {
            evidence.add(value, &formats);
        }
        evidence.verdict()
    }

    #[test]
    fn every_format_that_is_tried_can_be_read() {
        assert_eq!(Formats::new().0.len(), FORMATS.len());
    }

    #[test]
    fn one_value_proves_the_order_of_the_whole_column() {
        let late = ["03/04/2024", "11/12/2024", "01/02/2024", "25/12/2024"];
        assert_eq!(verdict(&late), DateVerdict::Formats(vec!["%d/%m/%Y"]));
        assert_eq!(verdict(&["03/04/2024", "12/25/2024"]), DateVerdict::Formats(vec!["%m/%d/%Y"]));
    }

    #[test]
    fn without_proof_and_with_two_proofs_nothing_is_decided() {
        let either = DateVerdict::Either("%d/%m/%Y", "%m/%d/%Y");
        assert_eq!(verdict(&["03/04/2024", "11/12/2024"]), either);
        let both = DateVerdict::Contradiction("%d/%m/%Y", "%m/%d/%Y");
        assert_eq!(verdict(&["25/12/2024", "12/25/2024", "01/01/2024"]), both);
    }

    #[test]
    fn a_column_of_two_notations_gets_both() {
        let found = verdict(&["2024-03-01", "2024-04-01", "01.03.2024", "20240301"]);
        assert_eq!(found, DateVerdict::Formats(vec!["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"]));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for values in [&["Ann", "Ben"][..], &["004711"], &[], &["2024-13-45"], &["1.3", "2.5"]] {
            assert_eq!(verdict(values), DateVerdict::None, "{values:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_values_make_the_evidence_panic(values: Vec<String>) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            verdict(&values);
        }
    }
}
