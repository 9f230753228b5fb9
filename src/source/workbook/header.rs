//! Which row of a sheet holds the headers: the first that has every mapped column.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::cell::Value;
use super::fault::Fault;
use super::limits::WorkbookLimits;
use super::sheet::Rows;
use super::styles::Styles;
use super::write::Use;
use crate::domain::{ColumnKind, ColumnUse, fold_header};

/// How many rows with something in them are looked at.
const ROWS: usize = 30;

/// A row of headers that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// The sheet row, from 1.
    pub row: u32,
    /// The headers, the first being column A.
    pub names: Vec<String>,
}

/// The mapped columns, by folded name.
#[derive(Debug)]
pub(super) struct Wanted {
    kinds: BTreeMap<String, ColumnKind>,
    /// Folded, and as the config writes it.
    required: Vec<(String, String)>,
}

impl Wanted {
    pub(super) fn new(columns: &[ColumnUse]) -> Self {
        let mut kinds = BTreeMap::new();
        let mut required = Vec::new();
        for column in columns {
            let name = fold_header(&column.name).into_owned();
            let kind = kinds.entry(name.clone()).or_insert(column.kind);
            *kind = (*kind).max(column.kind);
            if !column.optional && !required.iter().any(|(it, _)| *it == name) {
                required.push((name, column.name.clone()));
            }
        }
        Self { kinds, required }
    }

    /// What each column of a sheet is to its reader.
    pub(super) fn uses(&self, header: &Header) -> Vec<Use> {
        let uses = header.names.iter().map(|name| {
            let name = fold_header(name);
            match self.kinds.get(&*name) {
                _ if name.is_empty() => Use::None,
                Some(kind) => Use::Mapped(*kind),
                None => Use::Headed,
            }
        });
        uses.collect()
    }

    /// The required columns that a row of headers lacks; `None` where it cannot be the headers.
    fn missing(&self, names: &[String]) -> Option<Vec<&str>> {
        let folded: Vec<_> = names.iter().map(|name| fold_header(name)).collect();
        let has = |name: &str| folded.iter().any(|it| it == name);
        if self.required.is_empty() {
            let fits = self.kinds.is_empty() || self.kinds.keys().any(|name| has(name));
            return fits.then(Vec::new);
        }
        let missing = self.required.iter().filter(|(name, _)| !has(name));
        Some(missing.map(|(_, name)| name.as_str()).collect())
    }
}

/// Looks for the headers in the rows that it is given.
pub(super) struct HeaderSearch<'a> {
    wanted: &'a Wanted,
    styles: &'a Styles,
    limits: &'a WorkbookLimits,
    is_1904: bool,
    /// The row that the config names.
    at: Option<u32>,
    seen: usize,
    names: Vec<String>,
    bytes: usize,
    /// The first row that fits.
    pub(super) found: Option<Header>,
    /// What the row lacks that comes nearest.
    pub(super) missing: Option<Vec<&'a str>>,
}

impl<'a> HeaderSearch<'a> {
    pub(super) const fn new(
        wanted: &'a Wanted,
        styles: &'a Styles,
        limits: &'a WorkbookLimits,
        is_1904: bool,
        at: Option<u32>,
    ) -> Self {
        Self {
            wanted,
            styles,
            limits,
            is_1904,
            at,
            seen: 0,
            names: Vec::new(),
            bytes: 0,
            found: None,
            missing: None,
        }
    }
}

impl Rows for HeaderSearch<'_> {
    fn wants(&self, _column: u32) -> bool {
        true
    }

    fn cell(&mut self, column: u32, style: usize, value: Value<'_>) -> Result<(), Fault> {
        if value.is_blank() {
            return Ok(());
        }
        let mut text = Vec::new();
        value.write(self.styles.format(style), ColumnKind::Text, self.is_1904, &mut text);
        self.bytes += text.len();
        if self.bytes > self.limits.row_bytes {
            let most = self.limits.row_bytes;
            return Err(Fault::ceiling(format!("a row of more than {most} bytes")));
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        self.names.resize(column, String::new());
        self.names.push(String::from_utf8(text).unwrap_or_default());
        Ok(())
    }

    fn row(&mut self, row: u32, _is_hidden: bool) -> Result<ControlFlow<()>, Fault> {
        let names = std::mem::take(&mut self.names);
        self.bytes = 0;
        if self.at.is_some_and(|at| row < at) {
            return Ok(ControlFlow::Continue(()));
        }
        if self.at.is_some_and(|at| row > at) {
            return Ok(ControlFlow::Break(()));
        }
        if names.iter().any(|name| !name.is_empty()) {
            self.seen += 1;
            if let Some(missing) = self.wanted.missing(&names) {
                if missing.is_empty() {
                    self.found = Some(Header { row, names });
                    return Ok(ControlFlow::Break(()));
                }
                if self.missing.as_ref().is_none_or(|best| missing.len() < best.len()) {
                    self.missing = Some(missing);
                }
            }
        }
        let is_enough = self.seen >= ROWS || self.at.is_some();
        Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

/// Sheets that were looked at in vain.
pub(super) struct Misfits<'a> {
    at: Option<u32>,
    best: Option<(String, Vec<&'a str>)>,
}

impl<'a> Misfits<'a> {
    pub(super) const fn new(at: Option<u32>) -> Self {
        Self { at, best: None }
    }

    /// Notes a sheet that has no fitting headers.
    pub(super) fn push(&mut self, sheet: &str, missing: Option<Vec<&'a str>>) {
        if let Some(missing) = missing
            && self.best.as_ref().is_none_or(|(_, best)| missing.len() < best.len())
        {
            self.best = Some((sheet.to_owned(), missing));
        }
    }

    /// The refusal that names the sheets and what the best of them lacks.
    pub(super) fn fault(self, sheets: &[&str]) -> Fault {
        let sheets = listed(sheets);
        let place = match self.at {
            Some(row) => format!("row {row}"),
            None => format!("the first {ROWS} rows"),
        };
        let message = match self.best {
            Some((name, missing)) => format!(
                "no sheet has the mapped columns in {place}; sheet `{name}` comes nearest and lacks {}",
                listed(&missing)
            ),
            None => format!("no sheet has the mapped columns in {place}"),
        };
        Fault::refused(
            "source.missing-columns",
            message,
            format!(
                "the sheets are {sheets}: correct the columns of the mapping, or name sheet and row \
                 with `xlsx = {{ sheet = …, header_row = … }}`"
            ),
        )
    }
}

/// Names in backticks, ten at most.
pub(super) fn listed(names: &[&str]) -> String {
    const MOST: usize = 10;
    let mut words: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    if names.len() > MOST {
        words.push(format!("{} more", names.len() - MOST));
    }
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
