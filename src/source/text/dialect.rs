//! How a CSV file's fields are told apart, and which of its records is the header.

use std::collections::HashSet;

use crate::domain::{ColumnUse, fold_header};
use crate::source::text::records::Records;
use crate::source::{CsvConfig, Delimiter, Limits, Quote};

/// What is tried where the config says `auto`, the likeliest first.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// The header is looked for among so many records.
const HEADERS_SOUGHT: u32 = 30;
/// So many records must be quoted in a column before `'` is believed to be a quote.
const QUOTED_ROWS: usize = 3;
/// Records that are looked at for that.
const ROWS_LOOKED_AT: usize = 200;

/// How fields are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    /// Whether the first line is a directive such as `sep=;`.
    pub(super) has_directive: bool,
    /// The record that holds the headers, from 1, without the directive.
    pub(super) header_row: u32,
}

/// Finds the dialect by the beginning of a file, in UTF-8.
pub(super) fn detect(sample: &[u8], config: &CsvConfig, columns: &[ColumnUse]) -> Dialect {
    let wanted = Wanted::new(columns);
    let directive = directive(sample);
    let delimiters: Vec<u8> = match (config.delimiter, directive) {
        (Delimiter::Byte(byte), _) | (Delimiter::Auto, Some(byte)) => vec![byte],
        (Delimiter::Auto, None) => CANDIDATES.to_vec(),
    };
    let best = |quote: Option<u8>| {
        let mut best = None;
        for &delimiter in &delimiters {
            let dialect =
                Dialect { delimiter, quote, has_directive: directive.is_some(), header_row: 1 };
            let found = wanted.fit(sample, dialect, config.header_row);
            if best.is_none_or(|(_, best): (Dialect, Fit)| {
                (found.found, found.fields) > (best.found, best.fields)
            }) {
                best = Some((Dialect { header_row: found.header_row, ..dialect }, found));
            }
        }
        best
    };
    let plain = match config.quote {
        Quote::Auto => best(Some(b'"')),
        Quote::Byte(byte) => best(Some(byte)),
        Quote::None => best(None),
    };
    let Some((dialect, fit)) = plain else {
        return Dialect { delimiter: b',', quote: Some(b'"'), has_directive: false, header_row: 1 };
    };
    if config.quote == Quote::Auto
        && let Some((other, other_fit)) = best(Some(b'\''))
        && (other_fit.found > fit.found
            || (other_fit.found == fit.found && is_single_quoted(sample, other)))
    {
        return other;
    }
    dialect
}

/// The delimiter that a first line such as `sep=;` names.
fn directive(sample: &[u8]) -> Option<u8> {
    let sample = sample.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(sample);
    let end = memchr::memchr2(b'\r', b'\n', sample)?;
    let line = sample.get(..end)?.trim_ascii_end();
    let line = match line {
        [b'"', inner @ .., b'"'] => inner,
        // `sep=` and a tab has lost its end by now
        _ => sample.get(..end)?,
    };
    let (name, separator) = line.split_at_checked(4)?;
    let &[separator] = separator else {
        return None;
    };
    let is_separator = separator.is_ascii()
        && !separator.is_ascii_alphanumeric()
        && !matches!(separator, b'"' | b'\'' | b'\r' | b'\n' | 0);
    (name.eq_ignore_ascii_case(b"sep=") && is_separator).then_some(separator)
}

/// The names of the wanted columns, folded.
struct Wanted {
    all: HashSet<String>,
    required: HashSet<String>,
}

/// How well a header fits.
#[derive(Debug, Clone, Copy)]
struct Fit {
    /// Wanted columns in it.
    found: usize,
    fields: usize,
    has_required: bool,
    header_row: u32,
}

impl Wanted {
    fn new(columns: &[ColumnUse]) -> Self {
        let fold = |column: &ColumnUse| fold_header(&column.name).into_owned();
        Self {
            all: columns.iter().map(fold).collect(),
            required: columns.iter().filter(|column| !column.optional).map(fold).collect(),
        }
    }

    /// How well the header fits under a dialect: the record that the config names, or else the
    /// first if it has the wanted columns, or else the first that has most of them.
    fn fit(&self, sample: &[u8], dialect: Dialect, header_row: Option<u32>) -> Fit {
        // where no header can be read the first delimiter is as good as any, and its reading says why
        let first = header_row.unwrap_or(1);
        let mut best = Fit { found: 0, fields: 1, has_required: false, header_row: first };
        let last = header_row.unwrap_or(HEADERS_SOUGHT);
        let Dialect { delimiter, quote, .. } = dialect;
        // which delimiter it is can be seen beyond the ceilings, and the reader names the ceiling
        let limits = Limits { columns: usize::MAX, ..Limits::default() };
        let mut records = Records::new(sample, delimiter, quote, limits, "");
        if dialect.has_directive && !matches!(records.advance(), Ok(true)) {
            return best;
        }
        for row in 1..=last {
            let Ok(Some(record)) = records.next() else {
                break;
            };
            if header_row.is_some_and(|wanted| wanted != row) {
                continue;
            }
            let names = fields(record.text, record.ends).filter_map(|field| {
                std::str::from_utf8(field).ok().map(|name| fold_header(name).into_owned())
            });
            let found: HashSet<String> = names.filter(|name| self.all.contains(name)).collect();
            let fit = Fit {
                found: found.len(),
                fields: record.ends.len(),
                has_required: self.required.is_subset(&found)
                    && (self.all.is_empty() || !found.is_empty()),
                header_row: header_row.unwrap_or(row),
            };
            let is_better = (fit.has_required, fit.found) > (best.has_required, best.found);
            if row == 1 || header_row.is_some() || is_better {
                best = fit;
            }
            if row == 1 && best.has_required {
                break;
            }
        }
        best
    }
}

fn fields<'a>(text: &'a [u8], ends: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut start = 0;
    ends.iter().map(move |&end| {
        let field = text.get(start..end).unwrap_or_default();
        start = end;
        field
    })
}

/// Whether the fields of some column stand in `'…'` throughout, and none stand in `"…"`.
fn is_single_quoted(sample: &[u8], dialect: Dialect) -> bool {
    let mut records = Records::new(sample, dialect.delimiter, None, Limits::default(), "");
    let mut columns: Vec<(usize, usize)> = Vec::new();
    for _ in 0..ROWS_LOOKED_AT {
        let Ok(Some(record)) = records.next() else {
            break;
        };
        if !record.is_terminated || record.record <= u64::from(dialect.header_row) {
            continue;
        }
        for (at, field) in fields(record.text, record.ends).enumerate() {
            if columns.len() <= at {
                columns.push((0, 0));
            }
            let Some((quoted, other)) = columns.get_mut(at) else {
                break;
            };
            match field {
                [] => {}
                [b'"', .., b'"'] => return false,
                [b'\'', .., b'\''] => *quoted += 1,
                _ => *other += 1,
            }
        }
    }
    columns.iter().any(|&(quoted, other)| quoted >= QUOTED_ROWS && other == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(wanted: &[&str]) -> Vec<ColumnUse> {
        let kind = crate::domain::ColumnKind::Text;
        let named = |name: &&str| ColumnUse { name: (*name).to_owned(), optional: false, kind };
        wanted.iter().map(named).collect()
    }

    fn detect(sample: &[u8], header_row: Option<u32>, wanted: &[&str]) -> Dialect {
        let config = CsvConfig { header_row, ..CsvConfig::default() };
        super::detect(sample, &config, &columns(wanted))
    }

    #[test]
    fn the_delimiter_under_which_the_header_fits_is_taken() {
        let delimiter = |sample, row, wanted| detect(sample, row, wanted).delimiter;
        assert_eq!(
            delimiter(b"WorkerID;Name, full;Status\n", None, &["WorkerID", "Name, full"]),
            b';'
        );
        assert_eq!(delimiter(b"WorkerID\tStatus\n", None, &["WorkerID"]), b'\t');
        assert_eq!(delimiter(b"a|b|c\n", None, &[]), b'|');
        assert_eq!(delimiter(b"WorkerID\n", None, &["WorkerID"]), b',');
        assert_eq!(
            delimiter(b"Export of today; all\nWorkerID,Status\n", Some(2), &["Status"]),
            b','
        );
    }

    #[test]
    fn the_header_is_the_first_record_that_has_the_wanted_columns() {
        let sample = b"Report;of;today\n\nWorkerID;;\nWorkerID;Status;x\nWorkerID;Status;y\n";
        let found = detect(sample, None, &["WorkerID", "Status"]);
        assert_eq!((found.delimiter, found.header_row), (b';', 3));
        // none has them all: then the nearest, so that the message names what it lacks
        assert_eq!(detect(sample, None, &["WorkerID", "Status", "Mail"]).header_row, 3);
        assert_eq!(detect(b"a,b\n1,2\n", None, &["WorkerID"]).header_row, 1);
        assert_eq!(detect(sample, Some(2), &["WorkerID", "Status"]).header_row, 2);
    }

    #[test]
    fn a_separator_line_is_a_directive() {
        for sample in [
            &b"sep=;\r\nWorkerID;Name\r\n"[..],
            b"\xEF\xBB\xBFsep=;\nWorkerID;Name\n",
            b"\"sep=;\"\nWorkerID;Name\n",
            b"SEP=;\rWorkerID;Name\r",
        ] {
            let found = detect(sample, None, &["WorkerID"]);
            assert!(found.has_directive, "{sample:?}");
            assert_eq!((found.delimiter, found.header_row), (b';', 1), "{sample:?}");
        }
        assert_eq!(detect(b"sep=\t\na\tb\n", None, &[]).delimiter, b'\t');
        assert!(!detect(b"sep=ab;x\nWorkerID;Name\n", None, &[]).has_directive);
        assert!(!detect(b"separator;x\n", None, &[]).has_directive);
    }

    #[test]
    fn single_quotes_are_quotes_on_clear_evidence_alone() {
        let quote = |sample| detect(sample, None, &["WorkerID", "Name"]).quote;
        assert_eq!(quote(b"'WorkerID','Name'\n'1','a, b'\n"), Some(b'\''));
        assert_eq!(quote(b"WorkerID,Name\n1,'a'\n2,''\n3,'b'\n4,'c'\n"), Some(b'\''));
        assert_eq!(quote(b"WorkerID,Name\n1,'t Hart\n2,O'Neil\n3,\n"), Some(b'"'));
        assert_eq!(quote(b"WorkerID,Name\n1,'a'\n2,'b'\n3,\"c\"\n4,'d'\n"), Some(b'"'));
    }
}
