//! Rows into the spool: mapped columns only, each row as one small record.
//!
//! A record is its length in four bytes (little-endian), the sheet row, the number of cells, for each
//! cell the columns passed over since the last one and its text's length with two bits of mark, and
//! then all texts. Numbers are written in sevens of bits. Behind the last record stands `END` and
//! the number of rows, so that a cut spool is known as one.

use std::io::Write;
use std::ops::ControlFlow;

use super::cell::Value;
use super::fault::Fault;
use super::number::Written;
use super::sheet::Rows;
use super::styles::Styles;
use crate::domain::{CellFault, ColumnKind};
use crate::source::workbook::limits::WorkbookLimits;

/// Where a record's length would stand.
pub(super) const END: u32 = u32::MAX;
/// The cell is text.
pub(super) const TEXT: u64 = 0;
/// The cell is a date.
pub(super) const DATE: u64 = 1;
/// The cell's value is not known; instead of a length stands why.
pub(super) const UNKNOWN: u64 = 2;

/// Faults by their number in a spool.
pub(super) const FAULTS: [CellFault; 8] = [
    CellFault::Error,
    CellFault::NoResult,
    CellFault::Precision,
    CellFault::Exponent,
    CellFault::NoSuchDay,
    CellFault::DateRange,
    CellFault::Merged,
    CellFault::Structure,
];

const FLUSH_BYTES: usize = 64 * 1024;

/// What a column is to the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It has no header.
    None,
    /// It has a header that nobody reads: whether it holds something makes a row of a row.
    Headed,
    /// It is read.
    Mapped(ColumnKind),
}

/// Writes rows as they are read.
pub(super) struct RowWriter<'a> {
    out: &'a mut dyn Write,
    pub(super) uses: Vec<Use>,
    styles: &'a Styles,
    limits: &'a WorkbookLimits,
    is_1904: bool,
    header_row: u32,
    /// How the first cell of a row begins that is kept whole.
    trailer: Option<&'a str>,
    is_trailer: bool,
    /// Records on their way out.
    buffer: Vec<u8>,
    /// The cells of the row: what stands before the texts, and the texts.
    heads: Vec<u8>,
    texts: Vec<u8>,
    cells: u64,
    next_column: u32,
    has_content: bool,
    pub(super) rows: u64,
    pub(super) hidden: u64,
}

impl<'a> RowWriter<'a> {
    pub(super) fn new(
        out: &'a mut dyn Write,
        uses: Vec<Use>,
        styles: &'a Styles,
        limits: &'a WorkbookLimits,
        is_1904: bool,
        header_row: u32,
        trailer: Option<&'a str>,
    ) -> Self {
        Self {
            out,
            uses,
            styles,
            limits,
            is_1904,
            header_row,
            trailer,
            is_trailer: false,
            buffer: Vec::with_capacity(FLUSH_BYTES * 2),
            heads: Vec::new(),
            texts: Vec::new(),
            cells: 0,
            next_column: 0,
            has_content: false,
            rows: 0,
            hidden: 0,
        }
    }

    fn column_use(&self, column: u32) -> Use {
        let index = usize::try_from(column).unwrap_or(usize::MAX);
        self.uses.get(index).copied().unwrap_or(Use::None)
    }

    /// Ends the spool.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        self.buffer.extend_from_slice(&END.to_le_bytes());
        self.buffer.extend_from_slice(&self.rows.to_le_bytes());
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn clear_row(&mut self) {
        self.heads.clear();
        self.texts.clear();
        self.cells = 0;
        self.next_column = 0;
        self.has_content = false;
        self.is_trailer = false;
    }
}

impl Rows for RowWriter<'_> {
    #[inline]
    fn wants(&self, column: u32) -> bool {
        match self.column_use(column) {
            Use::Mapped(_) => true,
            Use::Headed => {
                !self.has_content || self.is_trailer || self.trailer.is_some() && column == 0
            }
            Use::None => self.is_trailer || self.trailer.is_some() && column == 0,
        }
    }

    #[inline]
    fn cell(&mut self, column: u32, style: usize, value: Value<'_>) -> Result<(), Fault> {
        if column < self.next_column {
            return Err(Fault::broken("two cells of a row have one address"));
        }
        if value.is_blank() {
            return Ok(());
        }
        if let (0, Some(trailer), Value::Text(text)) = (column, self.trailer, value) {
            self.is_trailer = text.trim_start().starts_with(trailer);
        }
        let column_use = self.column_use(column);
        self.has_content |= column_use != Use::None || self.is_trailer;
        let kind = match column_use {
            Use::Mapped(kind) => kind,
            _ if self.is_trailer => ColumnKind::Text,
            _ => return Ok(()),
        };
        let start = self.texts.len();
        let format = self.styles.format(style);
        let head = match value.write(format, kind, self.is_1904, &mut self.texts) {
            Written::Text => u64::try_from(self.texts.len() - start).unwrap_or(0) << 2 | TEXT,
            Written::Date => u64::try_from(self.texts.len() - start).unwrap_or(0) << 2 | DATE,
            Written::Nothing => return Ok(()),
            Written::Unknown(fault) => number_of(fault) << 2 | UNKNOWN,
        };
        if self.texts.len() > self.limits.row_bytes {
            let most = self.limits.row_bytes;
            return Err(Fault::ceiling(format!("a row of more than {most} bytes")));
        }
        sevens(u64::from(column.saturating_sub(self.next_column)), &mut self.heads);
        sevens(head, &mut self.heads);
        self.cells += 1;
        self.next_column = column + 1;
        Ok(())
    }

    fn row(&mut self, row: u32, is_hidden: bool) -> Result<ControlFlow<()>, Fault> {
        if row > self.header_row && self.has_content {
            self.rows += 1;
            self.hidden += u64::from(is_hidden);
            let at = self.buffer.len();
            self.buffer.extend_from_slice(&[0; 4]);
            sevens(u64::from(row), &mut self.buffer);
            sevens(self.cells, &mut self.buffer);
            self.buffer.extend_from_slice(&self.heads);
            self.buffer.extend_from_slice(&self.texts);
            let length = u32::try_from(self.buffer.len() - at - 4).unwrap_or(0);
            if let Some(place) = self.buffer.get_mut(at..at + 4) {
                place.copy_from_slice(&length.to_le_bytes());
            }
            if self.buffer.len() >= FLUSH_BYTES {
                self.out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        self.clear_row();
        Ok(ControlFlow::Continue(()))
    }
}

fn number_of(fault: CellFault) -> u64 {
    let place = FAULTS.iter().position(|it| *it == fault).unwrap_or(0);
    u64::try_from(place).unwrap_or(0)
}

/// Writes a number seven bits at a time, the lowest first.
#[inline]
pub(super) fn sevens(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Reads such a number and goes past it.
#[inline]
pub(super) fn read_sevens(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_from_their_sevens_of_bits() {
        let mut out = Vec::new();
        let numbers = [0, 1, 127, 128, 1_048_576, u64::from(u32::MAX), u64::MAX];
        for number in numbers {
            sevens(number, &mut out);
        }
        let mut rest = &out[..];
        for number in numbers {
            assert_eq!(read_sevens(&mut rest), Some(number));
        }
        assert_eq!(read_sevens(&mut rest), None);
        assert_eq!(read_sevens(&mut &[0x80; 20][..]), None);
    }

    #[test]
    fn every_fault_has_its_number() {
        for fault in FAULTS {
            assert_eq!(FAULTS.get(usize::try_from(number_of(fault)).unwrap()), Some(&fault));
        }
    }
}
