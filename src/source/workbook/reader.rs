//! Rows out of the spool.

use std::io::{ErrorKind, Read};

use super::merged::Stretch;
use super::shape::WorkbookShape;
use super::write::{DATE, END, FAULTS, TEXT, UNKNOWN, read_sevens};
use crate::domain::{CellFault, CellMark, Mark, Row};
use crate::source::{Merged, SourceError, SourceRow};

const BUFFER_BYTES: usize = 64 * 1024;

/// Streams the rows of a spool.
pub struct SpoolReader<'s, R> {
    input: R,
    shape: &'s WorkbookShape,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    rows: u64,
    /// The sheet row that was read last.
    row: u64,
    is_done: bool,
    cells: Vec<Cell>,
    text: String,
    ends: Vec<usize>,
    marks: Vec<Mark>,
    merging: Merging<'s>,
}

/// A cell of the record that is read.
#[derive(Debug, Clone, Copy)]
struct Cell {
    column: usize,
    /// Where its text ends among the texts.
    length: usize,
    mark: Option<CellMark>,
}

impl<'s, R: Read> SpoolReader<'s, R> {
    /// Reads the spool that was written with this shape.
    pub fn open(input: R, shape: &'s WorkbookShape) -> Self {
        Self {
            input,
            shape,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            rows: 0,
            row: 0,
            is_done: false,
            cells: Vec::new(),
            text: String::new(),
            ends: Vec::with_capacity(shape.headers.len()),
            marks: Vec::new(),
            merging: Merging::new(&shape.merged, shape.merging),
        }
    }

    /// The headers in sheet order, the first being column A; empty where a column has none.
    #[must_use]
    pub fn headers(&self) -> &'s [String] {
        &self.shape.headers
    }

    /// Rows read so far.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The next row, with a cell for each header; `None` at the end. Its number is the sheet row.
    ///
    /// # Errors
    ///
    /// When the spool cannot be read, or is not as it was written.
    pub fn next_row(&mut self) -> Result<Option<SourceRow<'_>>, SourceError> {
        Ok(self.advance()?.then(|| SourceRow::Row(self.current())))
    }

    /// The row that was read last.
    pub(in crate::source) fn current(&self) -> Row<'_> {
        Row::new(&self.text, &self.ends, self.row, None).with_marks(&self.marks)
    }

    /// Reads the next row; false at the end.
    pub(in crate::source) fn advance(&mut self) -> Result<bool, SourceError> {
        if self.is_done {
            return Ok(false);
        }
        let length = u32::from_le_bytes(self.fixed()?);
        if length == END {
            let rows = u64::from_le_bytes(self.fixed()?);
            self.is_done = true;
            return if rows == self.rows { Ok(false) } else { Err(damaged()) };
        }
        let length = usize::try_from(length).map_err(|_| damaged())?;
        self.need(length)?;
        self.rows += 1;
        let record = self.buffer.get(self.start..self.start + length).ok_or_else(damaged)?;
        self.start += length;
        let (row, texts) =
            read_record(record, self.shape.headers.len(), &mut self.cells).ok_or_else(damaged)?;
        let texts = std::str::from_utf8(texts).map_err(|_| damaged())?;
        self.row = row;
        self.text.clear();
        self.ends.clear();
        self.marks.clear();
        if self.merging.stretches.is_empty() {
            self.text.push_str(texts);
            let mut end = 0;
            for cell in &self.cells {
                self.ends.resize(cell.column, end);
                end += cell.length;
                self.ends.push(end);
                self.marks.extend(cell.mark.map(|kind| Mark { cell: cell.column, kind }));
            }
            self.ends.resize(self.shape.headers.len(), end);
        } else {
            let row = u32::try_from(row).map_err(|_| damaged())?;
            let cells = Cells { cells: &self.cells, texts };
            self.merging.lay_out(
                row,
                &cells,
                self.shape.headers.len(),
                &mut self.text,
                &mut self.ends,
                &mut self.marks,
            );
        }
        if self.ends.iter().any(|&end| !self.text.is_char_boundary(end)) {
            return Err(damaged());
        }
        Ok(true)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], SourceError> {
        self.need(N)?;
        let bytes = self.buffer.get(self.start..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = *bytes.ok_or_else(damaged)?;
        self.start += N;
        Ok(bytes)
    }

    /// Has so many bytes at hand.
    fn need(&mut self, count: usize) -> Result<(), SourceError> {
        if self.end - self.start >= count {
            return Ok(());
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < count {
            // what is read is what there is: a false length takes no memory
            if self.end == self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.input.read(room) {
                Ok(0) => return Err(damaged()),
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Reads a record into cells; gives the sheet row and the texts.
fn read_record<'r>(
    record: &'r [u8],
    columns: usize,
    cells: &mut Vec<Cell>,
) -> Option<(u64, &'r [u8])> {
    let mut rest = record;
    let row = read_sevens(&mut rest)?;
    let count = usize::try_from(read_sevens(&mut rest)?).ok()?;
    cells.clear();
    let (mut column, mut total) = (0_usize, 0_usize);
    for _ in 0..count {
        column = column.checked_add(usize::try_from(read_sevens(&mut rest)?).ok()?)?;
        let head = read_sevens(&mut rest)?;
        let number = usize::try_from(head >> 2).ok()?;
        let (length, mark) = match head & 3 {
            TEXT => (number, None),
            DATE => (number, Some(CellMark::Date)),
            UNKNOWN => (0, Some(CellMark::Unknown(*FAULTS.get(number)?))),
            _ => return None,
        };
        total = total.checked_add(length)?;
        if column >= columns {
            return None;
        }
        cells.push(Cell { column, length, mark });
        column += 1;
    }
    (rest.len() == total).then_some((row, rest))
}

/// The cells of a record with their texts.
struct Cells<'a> {
    cells: &'a [Cell],
    texts: &'a str,
}

/// What merged ranges make of the rows, which come in their order.
struct Merging<'s> {
    stretches: &'s [Stretch],
    how: Merged,
    /// The stretches of each column, what is behind us taken off.
    columns: Vec<&'s [Stretch]>,
    /// By column, the value of the range that began there last: its first row, text and mark.
    values: Values,
}

impl<'s> Merging<'s> {
    fn new(stretches: &'s [Stretch], how: Merged) -> Self {
        let columns = stretches.chunk_by(|a, b| a.column == b.column).collect();
        Self { stretches, how, columns, values: Values::new() }
    }

    /// Lays a row out with what its merged cells have.
    fn lay_out(
        &mut self,
        row: u32,
        cells: &Cells<'_>,
        columns: usize,
        text: &mut String,
        ends: &mut Vec<usize>,
        marks: &mut Vec<Mark>,
    ) {
        let mut own = cells.cells.iter().peekable();
        let mut rest = cells.texts;
        let mut merged = self.columns.iter_mut();
        let mut next_merged = merged.next();
        for column in 0..columns {
            let (mut value, mut mark) = ("", None);
            if let Some(cell) = own.next_if(|cell| cell.column == column) {
                let (mine, others) = rest.split_at_checked(cell.length).unwrap_or((rest, ""));
                (value, mark, rest) = (mine, cell.mark, others);
            }
            let is_here = |it: &&mut &[Stretch]| {
                it.first().is_some_and(|it| usize::try_from(it.column) == Ok(column))
            };
            // a column whose stretches are all behind us is empty and passed over
            while next_merged.as_ref().is_some_and(|it| it.is_empty()) {
                next_merged = merged.next();
            }
            let mut found = None;
            if let Some(stretches) = next_merged.take_if(|it| is_here(it)) {
                while let Some((first, others)) = stretches.split_first()
                    && first.last_row < row
                {
                    *stretches = others;
                }
                found = stretches.first().copied().filter(|it| it.first_row <= row);
                next_merged = merged.next();
            }
            match (found, self.how) {
                (Some(it), _) if it.is_first && it.first_row == row => {
                    if self.how == Merged::Spread {
                        self.values.insert(it.column, (row, value.to_owned(), mark));
                    }
                    text.push_str(value);
                }
                (Some(_), Merged::Empty) => mark = None,
                (Some(_), Merged::Reject) => mark = Some(CellMark::Unknown(CellFault::Merged)),
                (Some(it), Merged::Spread) => mark = spread(&self.values, &it, text),
                (None, _) => text.push_str(value),
            }
            ends.push(text.len());
            marks.extend(mark.map(|kind| Mark { cell: column, kind }));
        }
    }
}

/// The values of ranges that began.
type Values = std::collections::BTreeMap<u32, (u32, String, Option<CellMark>)>;

/// Adds the value of a range's first cell.
fn spread(values: &Values, it: &Stretch, text: &mut String) -> Option<CellMark> {
    match values.get(&it.from_column) {
        Some((first_row, value, mark)) if *first_row == it.first_row => {
            text.push_str(value);
            *mark
        }
        // the first cell is in a column that nobody reads, or its row has nothing at all
        _ => Some(CellMark::Unknown(CellFault::Merged)),
    }
}

fn damaged() -> SourceError {
    let words = "the spool of the workbook is damaged";
    std::io::Error::new(ErrorKind::InvalidData, words).into()
}
