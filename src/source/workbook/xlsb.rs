//! XLSB: the binary kind of OOXML ([MS-XLSB]), record by record as a stream.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::rc::Rc;

use super::book::{Relation, Sheet, relations};
use super::cell::Value;
use super::compound::{u16_at, u32_at};
use super::fault::Fault;
use super::format::NumberFormat;
use super::limits::WorkbookLimits;
use super::merged::Range;
use super::opened::Opened;
use super::package::{Package, Part};
use super::sheet::{Aside, Rows};
use super::strings::{Strings, StringsBuilder};
use super::styles::{Styles, StylesBuilder};
use super::xml::Bytes;

/// Most bytes of a record.
const RECORD_BYTES: usize = 1024 * 1024;
const BUFFER_BYTES: usize = 64 * 1024;

/// Kinds of records (MS-XLSB 2.3.1).
const ROW: u32 = 0;
const RK: u32 = 2;
const ERROR: u32 = 3;
const BOOLEAN: u32 = 4;
const REAL: u32 = 5;
const TEXT: u32 = 6;
const SHARED: u32 = 7;
const FORMULA_TEXT: u32 = 8;
const FORMULA_NUMBER: u32 = 9;
const FORMULA_BOOLEAN: u32 = 10;
const FORMULA_ERROR: u32 = 11;
const STRING: u32 = 19;
const FORMAT: u32 = 44;
const CELL_FORMAT: u32 = 47;
const WORKBOOK_PROPERTIES: u32 = 153;
const BUNDLED_SHEET: u32 = 156;
const FILTER_COLUMN: u32 = 163;
const MERGED: u32 = 176;
const BEGIN_CELL_FORMATS: u32 = 617;
const END_CELL_FORMATS: u32 = 618;

/// An opened workbook.
pub(super) struct Xlsb<R> {
    package: Package<R>,
    sheets: Vec<Sheet>,
    is_1904: bool,
    styles: Rc<Styles>,
    strings: Strings,
}

impl<R: Read + Seek> Xlsb<R> {
    pub(super) fn open(input: R, limits: &WorkbookLimits) -> Result<Self, Fault> {
        let mut package = Package::open(input, limits)?;
        let relations = relations(&mut package, "xl/_rels/workbook.bin.rels", "xl")?;
        let path_of = |kind: &str, otherwise: &str| {
            let found = relations.values().find(|relation| relation.kind == kind);
            found.map_or_else(|| otherwise.to_owned(), |relation| relation.path.clone())
        };
        let (sheets, is_1904) = sheets(&mut package, &relations)?;
        let styles = styles(&mut package, &path_of("styles", "xl/styles.bin"))?;
        let strings = strings(&mut package, &path_of("sharedStrings", "xl/sharedStrings.bin"))?;
        Ok(Self { package, sheets, is_1904, styles: Rc::new(styles), strings })
    }
}

impl<R: Read + Seek> Opened for Xlsb<R> {
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
        let limits = *self.package.limits();
        let missing = || Fault::broken("the part of a sheet is missing");
        let sheet = self.sheets.get(place).ok_or_else(missing)?;
        let mut records = Records::new(self.package.part(&sheet.path)?.ok_or_else(missing)?);
        let mut aside = Aside::default();
        let (mut row, mut cells, mut next_column) = (None, 0_u64, 0);
        while let Some((kind, record)) = records.next()? {
            match kind {
                ROW => {
                    if let Some((row, is_hidden)) = row
                        && rows.row(row, is_hidden)?.is_break()
                    {
                        return Ok(aside);
                    }
                    let number = u32_at(record, 0).and_then(|row| row.checked_add(1));
                    let number = number.ok_or_else(broken)?;
                    if number > limits.rows {
                        return Err(Fault::ceiling(format!("more than {} rows", limits.rows)));
                    }
                    if row.is_some_and(|(before, _)| before >= number) {
                        return Err(Fault::broken("the rows of a sheet are not in their order"));
                    }
                    let is_hidden = record.get(11).is_some_and(|flags| flags & 0x10 != 0);
                    row = Some((number, is_hidden));
                    next_column = 0;
                }
                RK..=FORMULA_ERROR => {
                    let column = u32_at(record, 0).ok_or_else(broken)?;
                    let style = u32_at(record, 4).ok_or_else(broken)? & 0x00ff_ffff;
                    let style = usize::try_from(style).unwrap_or(0);
                    if column < next_column {
                        return Err(Fault::broken("the cells of a row are not in their order"));
                    }
                    cells += 1;
                    if cells > limits.cells || column >= limits.columns {
                        return Err(Fault::ceiling(format!(
                            "more than {} cells or {} columns",
                            limits.cells, limits.columns
                        )));
                    }
                    next_column = column + 1;
                    if rows.wants(column) {
                        let text;
                        let value = match kind {
                            TEXT | FORMULA_TEXT => {
                                text = wide(record, 8).ok_or_else(broken)?.0;
                                Value::Text(&text)
                            }
                            _ => value(kind, record, &self.strings).ok_or_else(broken)?,
                        };
                        rows.cell(column, style, value)?;
                    }
                }
                MERGED => aside.merged.extend(range(record)),
                FILTER_COLUMN => aside.is_filtered = true,
                _ => {}
            }
            if aside.merged.len() > limits.merged_ranges {
                return Err(too_many_ranges(&limits));
            }
        }
        if let Some((row, is_hidden)) = row {
            let _ = rows.row(row, is_hidden)?;
        }
        Ok(aside)
    }
}

fn value<'a>(kind: u32, record: &[u8], strings: &'a Strings) -> Option<Value<'a>> {
    Some(match kind {
        RK => Value::Number(rk(u32_at(record, 8)?)),
        REAL | FORMULA_NUMBER => Value::Number(f64_at(record, 8)?),
        BOOLEAN | FORMULA_BOOLEAN => Value::Boolean(*record.get(8)? != 0),
        SHARED => {
            let index = usize::try_from(u32_at(record, 8)?).ok()?;
            Value::Text(strings.get(index)?)
        }
        ERROR | FORMULA_ERROR => Value::Error,
        _ => return None,
    })
}

fn range(record: &[u8]) -> Option<Range> {
    let range = Range {
        first_row: u32_at(record, 0)?.checked_add(1)?,
        last_row: u32_at(record, 4)?.checked_add(1)?,
        first_column: u32_at(record, 8)?,
        last_column: u32_at(record, 12)?,
    };
    range.is_sound().then_some(range)
}

/// A number in 30 bits (MS-XLSB 2.5.122, MS-XLS 2.5.217).
pub(super) fn rk(bits: u32) -> f64 {
    let number = if bits & 2 == 0 {
        f64::from_bits(u64::from(bits & !3) << 32)
    } else {
        f64::from(bits.cast_signed() >> 2)
    };
    if bits & 1 == 0 { number } else { number / 100.0 }
}

/// A number in eight bytes.
pub(super) fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    bytes.get(at..)?.first_chunk().map(|bytes| f64::from_le_bytes(*bytes))
}

/// A text with its length before it, and where it ends.
fn wide(record: &[u8], at: usize) -> Option<(String, usize)> {
    let length = usize::try_from(u32_at(record, at)?).ok()?;
    let end = length.checked_mul(2)?.checked_add(at + 4)?;
    Some((utf16(record.get(at + 4..end)?), end))
}

/// Text in UTF-16; half a pair becomes nothing.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit));
    char::decode_utf16(units).filter_map(Result::ok).collect()
}

fn sheets<R: Read + Seek>(
    package: &mut Package<R>,
    relations: &BTreeMap<String, Relation>,
) -> Result<(Vec<Sheet>, bool), Fault> {
    let most = package.limits().sheets;
    let missing = || Fault::broken("the part that lists its sheets is missing");
    let mut records = Records::new(package.small_part("xl/workbook.bin")?.ok_or_else(missing)?);
    let (mut sheets, mut number, mut is_1904) = (Vec::new(), 0, false);
    while let Some((kind, record)) = records.next()? {
        match kind {
            WORKBOOK_PROPERTIES => is_1904 = record.first().is_some_and(|flags| flags & 1 != 0),
            BUNDLED_SHEET => {
                number += 1;
                if sheets.len() >= most {
                    return Err(Fault::ceiling(format!("more than {most} sheets")));
                }
                let (id, end) = wide(record, 8).ok_or_else(broken)?;
                let (name, _) = wide(record, end).ok_or_else(broken)?;
                if let Some(relation) = relations.get(&id).filter(|it| it.kind == "worksheet") {
                    sheets.push(Sheet { name, number, path: relation.path.clone() });
                }
            }
            _ => {}
        }
    }
    Ok((sheets, is_1904))
}

fn styles<R: Read + Seek>(package: &mut Package<R>, path: &str) -> Result<Styles, Fault> {
    let mut builder = StylesBuilder::new(package.limits().styles);
    let Some(part) = package.small_part(path)? else { return Ok(builder.finish()) };
    let mut records = Records::new(part);
    let mut is_among_cells = false;
    while let Some((kind, record)) = records.next()? {
        match kind {
            FORMAT => {
                let id = u16_at(record, 0).ok_or_else(broken)?;
                let (code, _) = wide(record, 2).ok_or_else(broken)?;
                builder.format(u32::from(id), NumberFormat::of(&code))?;
            }
            BEGIN_CELL_FORMATS => is_among_cells = true,
            END_CELL_FORMATS => is_among_cells = false,
            CELL_FORMAT if is_among_cells => {
                builder.cell(u32::from(u16_at(record, 2).ok_or_else(broken)?))?;
            }
            _ => {}
        }
    }
    Ok(builder.finish())
}

fn strings<R: Read + Seek>(package: &mut Package<R>, path: &str) -> Result<Strings, Fault> {
    let mut builder = StringsBuilder::new(package.limits());
    let Some(part) = package.part(path)? else { return builder.finish() };
    let mut records = Records::new(part);
    while let Some((kind, record)) = records.next()? {
        if kind == STRING {
            builder.push(&wide(record, 1).ok_or_else(broken)?.0)?;
        }
    }
    builder.finish()
}

/// Streams records.
struct Records<'a, R: Read> {
    part: Part<'a, R>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<'a, R: Read> Records<'a, R> {
    fn new(part: Part<'a, R>) -> Self {
        Self { part, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0 }
    }

    /// The next record: its kind and its bytes.
    fn next(&mut self) -> Result<Option<(u32, &[u8])>, Fault> {
        let Some(kind) = self.number(2)? else { return Ok(None) };
        let length = self.number(4)?.ok_or_else(broken)?;
        let length = usize::try_from(length).map_err(|_| broken())?;
        if length > RECORD_BYTES {
            return Err(Fault::ceiling(format!("a record of more than {RECORD_BYTES} bytes")));
        }
        if !self.has(length)? {
            return Err(broken());
        }
        let record = self.buffer.get(self.start..self.start + length).ok_or_else(broken)?;
        self.start += length;
        Ok(Some((kind, record)))
    }

    /// A number of so many bytes at most, seven bits in each; `None` at the end of the part.
    fn number(&mut self, most: u32) -> Result<Option<u32>, Fault> {
        let mut number = 0;
        for place in 0..most {
            if !self.has(1)? {
                return if place == 0 { Ok(None) } else { Err(broken()) };
            }
            let byte = self.buffer.get(self.start).copied().unwrap_or(0);
            self.start += 1;
            number |= u32::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(Some(number))
    }

    /// Whether so many bytes are left; then they are in the buffer.
    fn has(&mut self, count: usize) -> Result<bool, Fault> {
        if self.end - self.start >= count {
            return Ok(true);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < count {
            self.buffer.resize(count, 0);
        }
        while self.end < count {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.part.read_some(room)? {
                0 => return Ok(false),
                read => self.end += read,
            }
        }
        Ok(true)
    }
}

pub(super) fn too_many_ranges(limits: &WorkbookLimits) -> Fault {
    Fault::ceiling(format!("more than {} merged ranges", limits.merged_ranges))
}

fn broken() -> Fault {
    Fault::broken("a record of it ends in the middle")
}
