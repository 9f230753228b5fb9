//! XLS: workbooks of Excel 97 to 2003 ([MS-XLS]).
//!
//! The stream of records is held whole (a sheet ends at 65,536 rows, and the ceiling is low), and of
//! each cell its place in it: eight bytes.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

use super::biff::{self, Record, Records};
use super::cell::Value;
use super::compound::{Compound, u16_at, u32_at};
use super::fault::Fault;
use super::format::NumberFormat;
use super::limits::WorkbookLimits;
use super::merged::Range;
use super::opened::Opened;
use super::sheet::{Aside, Rows};
use super::strings::{Strings, StringsBuilder};
use super::styles::{Styles, StylesBuilder};
use super::xlsb::{f64_at, rk, too_many_ranges};

/// Kinds of records (MS-XLS 2.3).
const FORMULA: u16 = 0x0006;
const END: u16 = 0x000a;
const DATE_MODE: u16 = 0x0022;
const FILE_PASS: u16 = 0x002f;
const BOUND_SHEET: u16 = 0x0085;
const FILTER_MODE: u16 = 0x009b;
const MANY_RK: u16 = 0x00bd;
const RICH_TEXT: u16 = 0x00d6;
const CELL_FORMAT: u16 = 0x00e0;
const MERGED: u16 = 0x00e5;
const SHARED_STRINGS: u16 = 0x00fc;
const SHARED: u16 = 0x00fd;
const NUMBER: u16 = 0x0203;
const TEXT: u16 = 0x0204;
const BOOLEAN_OR_ERROR: u16 = 0x0205;
const FORMULA_TEXT: u16 = 0x0207;
const ROW: u16 = 0x0208;
const RK: u16 = 0x027e;
const FORMAT: u16 = 0x041e;
const BEGIN: u16 = 0x0809;

/// The version of Excel 97 and later.
const BIFF8: u16 = 0x0600;
/// How far behind a formula its text may be, in records.
const TEXT_WITHIN: usize = 4;

/// An opened workbook.
pub(super) struct Xls {
    stream: Vec<u8>,
    limits: WorkbookLimits,
    sheets: Vec<BoundSheet>,
    is_1904: bool,
    styles: Rc<Styles>,
    strings: Strings,
}

struct BoundSheet {
    number: u32,
    name: String,
    start: usize,
}

impl Xls {
    pub(super) fn open<R: Read + Seek>(
        mut input: R,
        limits: &WorkbookLimits,
    ) -> Result<Self, Fault> {
        let bytes = input.seek(SeekFrom::End(0))?;
        let most = limits.whole_file_bytes;
        if bytes > most {
            return Err(Fault::ceiling(format!(
                "more than {most} bytes while being an XLS workbook"
            )));
        }
        let mut compound = Compound::open(input)?;
        if !compound.streams().any(|name| name.eq_ignore_ascii_case("Workbook")) {
            return Err(too_old());
        }
        let stream = compound.read("Workbook", most)?;
        drop(compound);
        let mut styles = StylesBuilder::new(limits.styles);
        let mut strings = StringsBuilder::new(limits);
        let (mut sheets, mut number, mut is_1904) = (Vec::new(), 0, false);
        let mut records = Records::new(&stream, 0);
        let mut is_first = true;
        while let Some(record) = records.next()? {
            let Record { kind, bytes, .. } = record;
            if is_first && (kind != BEGIN || u16_at(bytes, 0) != Some(BIFF8)) {
                return Err(too_old());
            }
            is_first = false;
            match kind {
                FILE_PASS => return Err(encrypted()),
                DATE_MODE => is_1904 = u16_at(bytes, 0) == Some(1),
                FORMAT => {
                    let id = u16_at(bytes, 0).ok_or_else(biff::broken)?;
                    let code = biff::text(bytes, 2).ok_or_else(biff::broken)?;
                    styles.format(u32::from(id), NumberFormat::of(&code))?;
                }
                CELL_FORMAT => {
                    styles.cell(u32::from(u16_at(bytes, 2).ok_or_else(biff::broken)?))?;
                }
                BOUND_SHEET => {
                    number += 1;
                    if sheets.len() >= limits.sheets {
                        return Err(Fault::ceiling(format!("more than {} sheets", limits.sheets)));
                    }
                    let start = u32_at(bytes, 0).and_then(|start| usize::try_from(start).ok());
                    let name = biff::short_text(bytes, 6).ok_or_else(biff::broken)?;
                    if bytes.get(5) == Some(&0) {
                        let start = start.ok_or_else(biff::broken)?;
                        sheets.push(BoundSheet { number, name, start });
                    }
                }
                SHARED_STRINGS => biff::shared_strings(&stream, record, &mut strings)?,
                END => break,
                _ => {}
            }
        }
        Ok(Self {
            limits: *limits,
            sheets,
            is_1904,
            styles: Rc::new(styles.finish()),
            strings: strings.finish()?,
            stream,
        })
    }
}

impl Opened for Xls {
    fn sheets(&self) -> Vec<(u32, String)> {
        self.sheets.iter().map(|sheet| (sheet.number, sheet.name.clone())).collect()
    }

    fn is_1904(&self) -> bool {
        self.is_1904
    }

    fn styles(&self) -> Rc<Styles> {
        Rc::clone(&self.styles)
    }

    fn read(&mut self, place: usize, rows: &mut impl Rows) -> Result<Aside, Fault> {
        let sheet = self.sheets.get(place).ok_or_else(biff::broken)?;
        let (cells, hidden, aside) = self.survey(sheet.start)?;
        let mut row = None;
        for (key, at) in cells {
            let [_, _, high, low] = (key >> 16).to_be_bytes();
            let cell_row = u16::from_be_bytes([high, low]);
            if row != Some(cell_row)
                && let Some(row) = row.replace(cell_row)
                && rows.row(u32::from(row) + 1, hidden.contains(&row))?.is_break()
            {
                return Ok(aside);
            }
            self.cell(at, rows).map_err(|fault| fault.at_row(u64::from(cell_row) + 1))?;
        }
        if let Some(row) = row {
            let _ = rows.row(u32::from(row) + 1, hidden.contains(&row))?;
        }
        Ok(aside)
    }
}

/// Where cells are (by row and column), which rows are hidden, and the rest.
type Survey = (Vec<(u32, u32)>, BTreeSet<u16>, Aside);

impl Xls {
    /// Finds the cells of a sheet, in the order of rows and columns.
    fn survey(&self, start: usize) -> Result<Survey, Fault> {
        let mut aside = Aside::default();
        let (mut cells, mut hidden) = (Vec::new(), BTreeSet::new());
        let mut records = Records::new(&self.stream, start);
        // charts inside a sheet have cells of their own
        let mut depth = 0_u32;
        while let Some(record) = records.next()? {
            let Record { kind, bytes, at } = record;
            match kind {
                BEGIN => depth += 1,
                END => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                _ if depth != 1 => {}
                ROW => {
                    let row = u16_at(bytes, 0).ok_or_else(biff::broken)?;
                    if bytes.get(12).is_some_and(|flags| flags & 0x20 != 0) {
                        hidden.insert(row);
                    }
                }
                FILTER_MODE => aside.is_filtered = true,
                MERGED => {
                    aside.merged.extend(
                        bytes.get(2..).unwrap_or_default().chunks_exact(8).filter_map(range),
                    );
                    if aside.merged.len() > self.limits.merged_ranges {
                        return Err(too_many_ranges(&self.limits));
                    }
                }
                FORMULA | MANY_RK | RICH_TEXT | SHARED | NUMBER | TEXT | BOOLEAN_OR_ERROR | RK => {
                    let row = u16_at(bytes, 0).ok_or_else(biff::broken)?;
                    let column = u16_at(bytes, 2).ok_or_else(biff::broken)?;
                    let at = u32::try_from(at).map_err(|_| biff::broken())?;
                    cells.push((u32::from(row) << 16 | u32::from(column), at));
                }
                _ => {}
            }
            let count = u64::try_from(cells.len()).unwrap_or(u64::MAX);
            if count > self.limits.whole_cells {
                let most = self.limits.whole_cells;
                return Err(Fault::ceiling(format!("more than {most} cells in an XLS sheet")));
            }
        }
        cells.sort_unstable();
        if cells.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
            return Err(Fault::broken("two cells of a sheet have one address"));
        }
        Ok((cells, hidden, aside))
    }

    /// Hands over the cells of the record at a place.
    fn cell(&self, at: u32, rows: &mut impl Rows) -> Result<(), Fault> {
        let mut records =
            Records::new(&self.stream, usize::try_from(at).map_err(|_| biff::broken())?);
        let record = records.next()?.ok_or_else(biff::broken)?;
        let bytes = record.bytes;
        let column = u16_at(bytes, 2).ok_or_else(biff::broken)?;
        if record.kind == MANY_RK {
            // six bytes each, and behind the last one the number of its column
            let many = bytes.get(4..bytes.len().saturating_sub(2)).unwrap_or_default();
            for (column, one) in (u32::from(column)..).zip(many.chunks_exact(6)) {
                if rows.wants(column) {
                    let style = usize::from(u16_at(one, 0).unwrap_or(0));
                    let number = rk(u32_at(one, 2).unwrap_or(0));
                    rows.cell(column, style, Value::Number(number))?;
                }
            }
            return Ok(());
        }
        let column = u32::from(column);
        if !rows.wants(column) {
            return Ok(());
        }
        let style = usize::from(u16_at(bytes, 4).ok_or_else(biff::broken)?);
        let text;
        let value = match record.kind {
            NUMBER => Value::Number(f64_at(bytes, 6).ok_or_else(biff::broken)?),
            RK => Value::Number(rk(u32_at(bytes, 6).ok_or_else(biff::broken)?)),
            SHARED => {
                let index = u32_at(bytes, 6).and_then(|index| usize::try_from(index).ok());
                let shared = index.and_then(|index| self.strings.get(index));
                Value::Text(shared.ok_or_else(biff::broken)?)
            }
            TEXT | RICH_TEXT => {
                text = biff::text(bytes, 6).ok_or_else(biff::broken)?;
                Value::Text(&text)
            }
            BOOLEAN_OR_ERROR => match bytes.get(6..8) {
                Some([value, 0]) => Value::Boolean(*value != 0),
                _ => Value::Error,
            },
            FORMULA => match (bytes.get(12..14), bytes.get(6)) {
                (Some([0xff, 0xff]), Some(0)) => {
                    text = formula_text(&mut records)?;
                    Value::Text(&text)
                }
                (Some([0xff, 0xff]), Some(1)) => {
                    Value::Boolean(bytes.get(8).is_some_and(|value| *value != 0))
                }
                (Some([0xff, 0xff]), Some(3)) => return Ok(()),
                (Some([0xff, 0xff]), _) => Value::Error,
                _ => Value::Number(f64_at(bytes, 6).ok_or_else(biff::broken)?),
            },
            _ => return Ok(()),
        };
        rows.cell(column, style, value)
    }
}

/// The text that a formula came to; it stands in a record behind it.
fn formula_text(records: &mut Records<'_>) -> Result<String, Fault> {
    for _ in 0..TEXT_WITHIN {
        match records.next()? {
            Some(record) if record.kind == FORMULA_TEXT => {
                return biff::long_text(records, record.bytes);
            }
            Some(_) => {}
            None => break,
        }
    }
    Err(Fault::broken("a formula lacks the text that it came to"))
}

fn range(bytes: &[u8]) -> Option<Range> {
    let range = Range {
        first_row: u32::from(u16_at(bytes, 0)?) + 1,
        last_row: u32::from(u16_at(bytes, 2)?) + 1,
        first_column: u32::from(u16_at(bytes, 4)?),
        last_column: u32::from(u16_at(bytes, 6)?),
    };
    range.is_sound().then_some(range)
}

fn encrypted() -> Fault {
    Fault::refused(
        "source.encrypted",
        "the XLS workbook is encrypted, which is not supported for this kind",
        "save it as XLSX (with a password, if it must be), or without a password",
    )
}

fn too_old() -> Fault {
    Fault::refused(
        "source.no-workbook",
        "the workbook is of Excel 95 or earlier",
        "open it in a spreadsheet program and save it as XLSX",
    )
}
