//! What is remembered of a file while its rows go by: enough to say what each column is.
//!
//! Memory does not grow with the file: of each column a few values are kept, and fingerprints of
//! its distinct values up to a ceiling.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::{CellMark, Row};
use crate::mapping::propose::dates::{DateEvidence, DateVerdict, Formats};
use crate::mapping::propose::shapes;

/// Most distinct values whose fingerprints are kept, in a column.
const MAX_DISTINCT: usize = 100_000;
/// Most values kept as they are; a column with more has no fixed set of words.
const MAX_VALUES: usize = 24;
/// Most placeholders kept.
const MAX_PLACEHOLDERS: usize = 6;

/// The rows of a file, column by column.
pub struct TableSample {
    columns: Vec<ColumnSample>,
    rows: u64,
    formats: Formats,
}

/// The values of one column.
pub struct ColumnSample {
    /// The header as it stands in the file, trimmed.
    pub header: String,
    /// The first distinct values, blanks trimmed, placeholders left out.
    pub values: Vec<String>,
    /// Cells with a value that is no placeholder.
    pub filled: u64,
    /// Cells that the source marks as dates.
    pub typed_dates: u64,
    /// Cells with a value that nobody can know.
    pub unknown: u64,
    /// What stands for nothing in this column, such as `N/A`.
    pub placeholders: Vec<String>,
    pub(super) distinct: BTreeSet<u64>,
    pub(super) repeated: u64,
    pub(super) shortest: usize,
    pub(super) longest: usize,
    pub(super) emails: u64,
    pub(super) phones: u64,
    pub(super) codes: u64,
    pub(super) digits: u64,
    pub(super) words: u64,
    pub(super) ibans: u64,
    pub(super) languages: u64,
    pub(super) leading_zeros: u64,
    dates: DateEvidence,
}

impl TableSample {
    /// A file with these headers, of which no row was seen yet.
    #[must_use]
    pub fn new(headers: &[String]) -> Self {
        let columns = headers.iter().map(|header| ColumnSample::new(header)).collect();
        Self { columns, rows: 0, formats: Formats::new() }
    }

    /// Takes in a row.
    pub fn add(&mut self, row: &Row<'_>) {
        self.rows += 1;
        for (index, column) in self.columns.iter_mut().enumerate() {
            match row.mark(index) {
                Some(CellMark::Unknown(_)) => column.unknown += 1,
                mark => {
                    let is_date = mark == Some(CellMark::Date);
                    column.add(row.cell(index), is_date, &self.formats);
                }
            }
        }
    }

    /// The columns in the order of the file.
    #[must_use]
    pub fn columns(&self) -> &[ColumnSample] {
        &self.columns
    }

    /// The rows taken in.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }
}

/// What the column is called and how much it holds; never what.
impl std::fmt::Debug for ColumnSample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ColumnSample")
            .field("header", &self.header)
            .field("filled", &self.filled)
            .field("distinct", &self.distinct.len())
            .finish_non_exhaustive()
    }
}

impl ColumnSample {
    fn new(header: &str) -> Self {
        Self {
            header: header.trim().to_owned(),
            values: Vec::new(),
            filled: 0,
            typed_dates: 0,
            unknown: 0,
            placeholders: Vec::new(),
            distinct: BTreeSet::new(),
            repeated: 0,
            shortest: usize::MAX,
            longest: 0,
            emails: 0,
            phones: 0,
            codes: 0,
            digits: 0,
            words: 0,
            ibans: 0,
            languages: 0,
            leading_zeros: 0,
            dates: DateEvidence::default(),
        }
    }

    fn add(&mut self, cell: &str, is_date: bool, formats: &Formats) {
        let value = cell.trim();
        if value.is_empty() {
            return;
        }
        if shapes::is_placeholder(value) {
            let is_new = !self.placeholders.iter().any(|known| known == value);
            if is_new && self.placeholders.len() < MAX_PLACEHOLDERS {
                self.placeholders.push(value.to_owned());
            }
            return;
        }
        self.filled += 1;
        if is_date {
            self.typed_dates += 1;
        } else {
            self.dates.add(value, formats);
        }
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        if self.distinct.len() < MAX_DISTINCT {
            if self.distinct.insert(hasher.finish()) {
                if self.values.len() <= MAX_VALUES {
                    self.values.push(value.to_owned());
                }
            } else {
                self.repeated += 1;
            }
        } else if self.distinct.contains(&hasher.finish()) {
            self.repeated += 1;
        }
        self.look(value);
    }

    fn look(&mut self, value: &str) {
        let length = value.chars().count();
        self.shortest = self.shortest.min(length);
        self.longest = self.longest.max(length);
        let is_digits = value.bytes().all(|byte| byte.is_ascii_digit());
        self.digits += u64::from(is_digits);
        self.leading_zeros += u64::from(is_digits && length > 1 && value.starts_with('0'));
        self.emails += u64::from(shapes::is_email(value));
        self.phones += u64::from(shapes::is_phone(value));
        self.codes += u64::from(shapes::is_code(value));
        self.words += u64::from(shapes::is_words(value));
        self.ibans += u64::from(shapes::is_iban(value));
        self.languages += u64::from(shapes::is_language(value));
    }

    /// Whether a count is most of the values: nine in ten.
    pub(super) const fn is_most(&self, count: u64) -> bool {
        self.filled > 0 && count * 10 >= self.filled * 9
    }

    /// Whether no value stands twice.
    pub(super) const fn is_unique(&self) -> bool {
        self.filled > 0 && self.repeated == 0
    }

    /// The share of another column's distinct values that stand in this one, in percent.
    pub(super) fn covers(&self, other: &Self) -> usize {
        let shared = other.distinct.iter().filter(|value| self.distinct.contains(value)).count();
        shared * 100 / other.distinct.len().max(1)
    }

    /// All values, where they are few enough to be words of a fixed set.
    pub(super) fn word_set(&self) -> Option<&[String]> {
        (self.values.len() <= MAX_VALUES).then_some(self.values.as_slice())
    }

    /// What the values prove about dates. Cells that the source marks as dates need no format of
    /// their own, but texts among them do.
    pub(super) fn date_verdict(&self) -> DateVerdict {
        if self.typed_dates == self.filled && self.filled > 0 {
            return DateVerdict::Formats(vec!["%Y-%m-%d"]);
        }
        self.dates.verdict()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A table from lines with `|` between cells, the first being the header.
    pub(in crate::mapping::propose) fn table(text: &str) -> TableSample {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let cells = |line: &str| -> Vec<String> {
            line.split('|').map(|cell| cell.trim().to_owned()).collect()
        };
        let mut table = TableSample::new(&cells(lines.next().unwrap_or_default()));
        for line in lines {
            let cells = cells(line);
            let text = cells.concat();
            let ends: Vec<usize> = cells
                .iter()
                .scan(0, |end, cell| {
                    *end += cell.len();
                    Some(*end)
                })
                .collect();
            table.add(&Row::new(&text, &ends, 1, None));
        }
        table
    }

    #[test]
    fn placeholders_are_no_values_and_repeats_are_counted() {
        let table = table("Id | Dept\n1 | N/A\n2 | Sales\n2 | -\n3 |\n4 | Sales");
        let [id, department] = table.columns() else { panic!("two columns") };
        assert_eq!((id.filled, id.distinct.len(), id.repeated), (5, 4, 1));
        assert_eq!(
            (department.filled, department.values.as_slice()),
            (2, &["Sales".to_owned()][..])
        );
        assert_eq!(department.placeholders, ["N/A", "-"]);
        assert_eq!(
            format!("{department:?}"),
            "ColumnSample { header: \"Dept\", filled: 2, distinct: 1, .. }"
        );
    }
}
