//! ODS: `OpenDocument` spreadsheets (ISO/IEC 26300-3), as a stream.
//!
//! What a number looks like stands in the file beside its value, so that the zeros of an id are known
//! without its format.

use std::io::{Read, Seek};
use std::rc::Rc;

use super::cell::Value;
use super::fault::Fault;
use super::limits::WorkbookLimits;
use super::merged::Range;
use super::opened::Opened;
use super::package::{Package, Part};
use super::sheet::{Aside, Rows};
use super::styles::{Styles, number};
use super::tag::Tag;
use super::text::{decode, decoded, not_utf8};
use super::xlsb::too_many_ranges;
use super::xml::{Token, Xml};

const CONTENT: &str = "content.xml";
const MANIFEST: &str = "META-INF/manifest.xml";

/// An opened workbook.
pub(super) struct Ods<R> {
    package: Package<R>,
    sheets: Vec<String>,
}

impl<R: Read + Seek> Ods<R> {
    pub(super) fn open(input: R, limits: &WorkbookLimits) -> Result<Self, Fault> {
        let mut package = Package::open(input, limits)?;
        if let Some(mut xml) = package.small_xml(MANIFEST)? {
            loop {
                match xml.next()? {
                    Token::Open(tag) if tag.name == b"encryption-data" => return Err(encrypted()),
                    Token::End => break,
                    _ => {}
                }
            }
        }
        let mut sheets = Vec::new();
        let mut xml = content(&mut package)?;
        while let Some(name) = next_table(&mut xml)? {
            sheets.push(name);
            if sheets.len() > limits.sheets {
                return Err(Fault::ceiling(format!("more than {} sheets", limits.sheets)));
            }
            xml.skip()?;
        }
        drop(xml);
        Ok(Self { package, sheets })
    }
}

fn content<R: Read + Seek>(package: &mut Package<R>) -> Result<Xml<Part<'_, R>>, Fault> {
    let missing = || Fault::broken("the part with its cells is missing");
    package.xml(CONTENT)?.ok_or_else(missing)
}

/// Goes into the next table, and gives its name.
fn next_table<R: Read>(xml: &mut Xml<Part<'_, R>>) -> Result<Option<String>, Fault> {
    loop {
        match xml.next()? {
            Token::Open(tag) if tag.name == b"table" && !tag.is_empty => {
                return Ok(Some(decoded(tag.attribute(b"name").unwrap_or_default())?));
            }
            Token::End => return Ok(None),
            _ => {}
        }
    }
}

impl<R: Read + Seek> Opened for Ods<R> {
    fn sheets(&self) -> Vec<(u32, String)> {
        (1..).zip(self.sheets.iter().cloned()).collect()
    }

    fn is_1904(&self) -> bool {
        // dates are written as dates
        false
    }

    fn styles(&self) -> Rc<Styles> {
        Rc::default()
    }

    fn read(&mut self, place: usize, rows: &mut impl Rows) -> Result<Aside, Fault> {
        let limits = *self.package.limits();
        let mut xml = content(&mut self.package)?;
        for _ in 0..place {
            next_table(&mut xml)?;
            xml.skip()?;
        }
        next_table(&mut xml)?;
        let mut table = Table {
            depth: xml.depth(),
            xml,
            limits,
            row: 0,
            count: 0,
            cells: Vec::new(),
            text: Vec::new(),
            aside: Aside::default(),
        };
        table.read(rows)?;
        Ok(table.aside)
    }
}

/// A table that is read.
struct Table<'a, R: Read> {
    xml: Xml<Part<'a, R>>,
    limits: WorkbookLimits,
    depth: u32,
    /// Rows so far.
    row: u32,
    /// Cells with something in them so far.
    count: u64,
    /// The cells of a row, and their texts.
    cells: Vec<Cell>,
    text: Vec<u8>,
    aside: Aside,
}

/// A cell, and how many behind it are like it.
struct Cell {
    column: u32,
    repeats: u32,
    kind: Type,
    /// Where its value and its looks end in the text.
    value: (usize, usize),
    looks: (usize, usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    Date,
    Boolean,
    Error,
    NoResult,
}

/// What the tag of a cell says.
struct Head {
    kind: Option<Type>,
    repeats: u32,
    columns: u32,
    rows: u32,
    has_formula: bool,
    is_empty: bool,
}

impl<R: Read> Table<'_, R> {
    fn read(&mut self, rows: &mut impl Rows) -> Result<(), Fault> {
        while self.xml.depth() >= self.depth {
            match self.xml.next()? {
                Token::Open(tag) if tag.name == b"table-row" => {
                    let repeats = repeats(tag, b"number-rows-repeated");
                    let visibility = tag.attribute(b"visibility");
                    let is_hidden = matches!(visibility, Some(b"collapse" | b"filter"));
                    self.aside.is_filtered |= visibility == Some(b"filter");
                    let is_empty = tag.is_empty;
                    self.cells.clear();
                    self.text.clear();
                    if !is_empty {
                        self.read_cells()?;
                    }
                    if self.emit(repeats, is_hidden, rows)? {
                        return Ok(());
                    }
                }
                // rows may be in groups; all else is passed over
                Token::Open(tag) if !tag.is_empty => {
                    let is_group = matches!(
                        tag.name,
                        b"table-rows" | b"table-row-group" | b"table-header-rows"
                    );
                    if !is_group {
                        self.xml.skip()?;
                    }
                }
                Token::End => return Err(Fault::broken("a sheet ends in the middle")),
                _ => {}
            }
        }
        Ok(())
    }

    fn read_cells(&mut self) -> Result<(), Fault> {
        let outside = self.xml.depth() - 1;
        let mut column = 0_u32;
        while self.xml.depth() > outside {
            let head = match self.xml.next()? {
                Token::Open(tag) if matches!(tag.name, b"table-cell" | b"covered-table-cell") => {
                    let start = self.text.len();
                    let head = head(tag, &mut self.text)?;
                    (head, (start, self.text.len()))
                }
                Token::Open(tag) if !tag.is_empty => {
                    self.xml.skip()?;
                    continue;
                }
                Token::End => return Err(Fault::broken("a row ends in the middle")),
                _ => continue,
            };
            let (head, value) = head;
            let start = self.text.len();
            if !head.is_empty {
                self.read_looks()?;
            }
            let looks = (start, self.text.len());
            if self.text.len() > self.limits.row_bytes {
                let most = self.limits.row_bytes;
                return Err(Fault::ceiling(format!("a row of more than {most} bytes")));
            }
            let kind = match head.kind {
                None if head.has_formula => Some(Type::NoResult),
                None if looks.1 > looks.0 => Some(Type::Text),
                kind => kind,
            };
            if let Some(kind) = kind {
                if column >= self.limits.columns {
                    let most = self.limits.columns;
                    return Err(Fault::ceiling(format!("more than {most} columns")));
                }
                let repeats = head.repeats.min(self.limits.columns - column);
                self.cells.push(Cell { column, repeats, kind, value, looks });
            }
            if head.columns > 1 || head.rows > 1 {
                let first_row = self.row + 1;
                self.aside.merged.push(Range {
                    first_row,
                    last_row: first_row.saturating_add(head.rows - 1).min(self.limits.rows),
                    first_column: column,
                    last_column: column.saturating_add(head.columns - 1),
                });
                if self.aside.merged.len() > self.limits.merged_ranges {
                    return Err(too_many_ranges(&self.limits));
                }
            }
            column = column.saturating_add(head.repeats);
        }
        Ok(())
    }

    /// Adds the text that a cell shows: its paragraphs, without remarks.
    fn read_looks(&mut self) -> Result<(), Fault> {
        let outside = self.xml.depth() - 1;
        let from = self.text.len();
        let (mut is_first, mut paragraph) = (true, 0);
        while self.xml.depth() > outside {
            let depth = self.xml.depth();
            match self.xml.next()? {
                Token::Open(tag) => match tag.name {
                    b"p" | b"h" => {
                        if !is_first {
                            self.text.push(b'\n');
                        }
                        is_first = false;
                        if !tag.is_empty {
                            paragraph = depth + 1;
                        }
                    }
                    b"s" => {
                        let count = tag.attribute(b"c").and_then(number).unwrap_or(1).min(1_000);
                        self.text.extend((0..count).map(|_| b' '));
                    }
                    b"tab" => self.text.push(b'\t'),
                    b"line-break" => self.text.push(b'\n'),
                    b"span" | b"a" => {}
                    _ if tag.is_empty => {}
                    _ => self.xml.skip()?,
                },
                Token::Text(raw) if paragraph > 0 => decode(raw, &mut self.text)?,
                Token::Literal(raw) if paragraph > 0 => self.text.extend_from_slice(raw),
                Token::Close(_) if depth == paragraph => paragraph = 0,
                Token::End => return Err(Fault::broken("a cell ends in the middle")),
                _ => {}
            }
            if self.text.len() - from > self.limits.string_bytes {
                let most = self.limits.string_bytes;
                return Err(Fault::ceiling(format!("a text of more than {most} bytes")));
            }
        }
        Ok(())
    }

    /// Hands the row over, as often as it is there; true when that is enough.
    fn emit(&mut self, repeats: u32, is_hidden: bool, rows: &mut impl Rows) -> Result<bool, Fault> {
        if self.cells.is_empty() {
            self.row = self.row.saturating_add(repeats);
            return Ok(false);
        }
        let text = std::str::from_utf8(&self.text).map_err(|_| not_utf8())?;
        for _ in 0..repeats {
            self.row = self.row.saturating_add(1);
            if self.row > self.limits.rows {
                return Err(Fault::ceiling(format!("more than {} rows", self.limits.rows)));
            }
            for cell in &self.cells {
                self.count += u64::from(cell.repeats);
                if self.count > self.limits.cells {
                    return Err(Fault::ceiling(format!("more than {} cells", self.limits.cells)));
                }
                let value = cell.value(text);
                for column in cell.column..cell.column.saturating_add(cell.repeats) {
                    if rows.wants(column) {
                        rows.cell(column, 0, value)?;
                    }
                }
            }
            if rows.row(self.row, is_hidden)?.is_break() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Cell {
    fn value<'t>(&self, text: &'t str) -> Value<'t> {
        let part = |(start, end): (usize, usize)| text.get(start..end).unwrap_or("");
        let (value, looks) = (part(self.value), part(self.looks));
        match self.kind {
            // a text may be written in an attribute alone
            Type::Text if looks.is_empty() => Value::Text(value),
            Type::Text => Value::Text(looks),
            Type::Number if has_leading_zeros(looks, value) => Value::Text(looks),
            Type::Number => Value::Digits(value),
            Type::Date => Value::Moment(value),
            Type::Boolean => Value::Boolean(value == "true"),
            Type::Error => Value::Error,
            Type::NoResult => Value::NoResult,
        }
    }
}

/// Whether a whole number is shown with zeros before it.
fn has_leading_zeros(looks: &str, value: &str) -> bool {
    let digits: String = looks.chars().filter(char::is_ascii_digit).collect();
    let plain = digits.trim_start_matches('0');
    let is_number = looks.contains(['.', ',', '%']);
    !is_number && digits.len() > plain.len() && !plain.is_empty() && plain == value
}

fn repeats(tag: Tag<'_>, name: &[u8]) -> u32 {
    tag.attribute(name).and_then(number).unwrap_or(1).max(1)
}

fn head(tag: Tag<'_>, text: &mut Vec<u8>) -> Result<Head, Fault> {
    let mut head = Head {
        kind: None,
        repeats: repeats(tag, b"number-columns-repeated"),
        columns: repeats(tag, b"number-columns-spanned"),
        rows: repeats(tag, b"number-rows-spanned"),
        has_formula: false,
        is_empty: tag.is_empty,
    };
    for (name, value) in tag.attributes() {
        match name {
            b"formula" => head.has_formula = true,
            // of two value types, the one of the standard and one of a program, errors count
            b"value-type" if head.kind != Some(Type::Error) => {
                head.kind = match value {
                    b"float" | b"percentage" | b"currency" => Some(Type::Number),
                    b"date" => Some(Type::Date),
                    b"boolean" => Some(Type::Boolean),
                    b"error" => Some(Type::Error),
                    // times of day are shown as they are wanted
                    _ => Some(Type::Text),
                };
            }
            b"value" | b"date-value" | b"boolean-value" | b"string-value" => decode(value, text)?,
            _ => {}
        }
    }
    Ok(head)
}

fn encrypted() -> Fault {
    Fault::refused(
        "source.encrypted",
        "the ODS workbook is encrypted, which is not supported for this kind",
        "save it as XLSX (with a password, if it must be), or without a password",
    )
}
