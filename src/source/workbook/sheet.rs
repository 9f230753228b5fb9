//! The rows and cells of an OOXML worksheet, as a stream.

use std::ops::ControlFlow;

use super::cell::Value;
use super::fault::Fault;
use super::limits::WorkbookLimits;
use super::merged::Range;
use super::strings::{Strings, plain_text, rich_text};
use super::swift::{self, Type};
use super::tag::Tag;
use super::text::not_utf8;
use super::xml::{Bytes, Token, Xml};

/// Takes what a sheet has.
pub(super) trait Rows {
    /// Whether the value of a cell in this column (from 0) matters in the row that is being read.
    fn wants(&self, column: u32) -> bool;
    /// A cell with something in it, columns ascending. `style` is the number of its format.
    fn cell(&mut self, column: u32, style: usize, value: Value<'_>) -> Result<(), Fault>;
    /// The end of a row (from 1), rows ascending.
    fn row(&mut self, row: u32, is_hidden: bool) -> Result<ControlFlow<()>, Fault>;
}

/// What a sheet has beside its rows.
#[derive(Debug, Default)]
pub(super) struct Aside {
    pub merged: Vec<Range>,
    pub is_filtered: bool,
}

/// Reads a sheet, or its rows until somebody has enough.
pub(super) fn read<B: Bytes>(
    xml: Xml<B>,
    strings: &Strings,
    limits: &WorkbookLimits,
    rows: &mut impl Rows,
) -> Result<Aside, Fault> {
    let value = Vec::new();
    let mut sheet = Sheet { xml, strings, limits, value, row: 0, cells: 0 };
    let mut aside = Aside::default();
    let mut is_in_filter = false;
    loop {
        match sheet.xml.next()? {
            Token::Open(tag) => match tag.name {
                b"row" => {
                    let head = row_head(tag)?;
                    if sheet.read_row(&head, rows)?.is_break() {
                        return Ok(aside);
                    }
                }
                b"sheetPr" => aside.is_filtered |= tag.says(b"filterMode"),
                b"autoFilter" => is_in_filter = !tag.is_empty,
                b"filterColumn" => aside.is_filtered |= is_in_filter,
                b"mergeCell" => {
                    let range = tag.attribute(b"ref").and_then(Range::parse);
                    aside.merged.extend(range);
                    if aside.merged.len() > limits.merged_ranges {
                        return Err(Fault::ceiling(format!(
                            "more than {} merged ranges",
                            limits.merged_ranges
                        )));
                    }
                }
                _ => {}
            },
            Token::Close(b"autoFilter") => is_in_filter = false,
            Token::End => return Ok(aside),
            _ => {}
        }
    }
}

struct Sheet<'a, B> {
    xml: Xml<B>,
    strings: &'a Strings,
    limits: &'a WorkbookLimits,
    value: Vec<u8>,
    row: u32,
    cells: u64,
}

/// What the tag of a row says.
struct RowHead {
    row: Option<u32>,
    is_hidden: bool,
    is_empty: bool,
}

/// What the tag of a cell says.
struct Head {
    column: Option<u32>,
    style: usize,
    kind: Type,
    is_empty: bool,
}

impl<B: Bytes> Sheet<'_, B> {
    /// Reads the row whose tag was read last.
    fn read_row(&mut self, head: &RowHead, rows: &mut impl Rows) -> Result<ControlFlow<()>, Fault> {
        let row = head.row.unwrap_or(self.row.saturating_add(1));
        if row <= self.row {
            return Err(Fault::broken("the rows of a sheet are not in their order"));
        }
        if row > self.limits.rows {
            return Err(Fault::ceiling(format!("more than {} rows", self.limits.rows)));
        }
        self.row = row;
        let at = u64::from(row);
        if !head.is_empty {
            self.read_cells(rows).map_err(|fault| fault.at_row(at))?;
        }
        rows.row(row, head.is_hidden).map_err(|fault| fault.at_row(at))
    }

    fn read_cells(&mut self, rows: &mut impl Rows) -> Result<(), Fault> {
        let outside = self.xml.depth().saturating_sub(1);
        let mut next_column = 0;
        while self.xml.depth() > outside {
            if let Some(cell) = swift::cell(self.xml.ahead()) {
                self.cells += 1;
                let cells = check(self.cells, cell.column, next_column, self.limits);
                next_column = cells?;
                if cell.value.len() > self.limits.string_bytes {
                    return Err(super::strings::too_long(self.limits));
                }
                if !cell.value.is_empty() && rows.wants(cell.column) {
                    let text = std::str::from_utf8(cell.value).map_err(|_| not_utf8())?;
                    let value = value(cell.kind, text, self.strings)?;
                    rows.cell(cell.column, cell.style, value)?;
                }
                let read = cell.read;
                self.xml.pass(read);
                continue;
            }
            let head = match self.xml.next()? {
                Token::Open(tag) if tag.name == b"c" => head(tag)?,
                Token::Open(tag) if !tag.is_empty => {
                    self.xml.skip()?;
                    continue;
                }
                Token::End => return Err(Fault::broken("a row ends in the middle")),
                _ => continue,
            };
            let column = head.column.unwrap_or(next_column);
            self.cells += 1;
            next_column = check(self.cells, column, next_column, self.limits)?;
            if head.is_empty {
                continue;
            }
            if rows.wants(column) {
                self.read_cell(&head, column, rows)?;
            } else {
                self.xml.skip()?;
            }
        }
        Ok(())
    }

    /// Reads the cell whose tag was read last.
    fn read_cell(&mut self, head: &Head, column: u32, rows: &mut impl Rows) -> Result<(), Fault> {
        let outside = self.xml.depth().saturating_sub(1);
        let (mut has_value, mut has_formula) = (false, false);
        self.value.clear();
        while self.xml.depth() > outside {
            match self.xml.next()? {
                Token::Open(tag) => match tag.name {
                    b"f" => {
                        has_formula = true;
                        if !tag.is_empty {
                            self.xml.skip()?;
                        }
                    }
                    _ if tag.is_empty => {}
                    b"v" => {
                        plain_text(&mut self.xml, &mut self.value, self.limits)?;
                        has_value = true;
                    }
                    b"is" => {
                        rich_text(&mut self.xml, &mut self.value, self.limits)?;
                        has_value = true;
                    }
                    _ => self.xml.skip()?,
                },
                Token::End => return Err(Fault::broken("a cell ends in the middle")),
                _ => {}
            }
        }
        if matches!(head.kind, Type::Text) {
            super::text::unescape(&mut self.value, 0);
        }
        let text = std::str::from_utf8(&self.value).map_err(|_| not_utf8())?;
        let is_blank = text.trim_ascii().is_empty();
        let found = match head.kind {
            // a formula may well come to an empty text, but not to an empty number
            Type::Text | Type::Inline if has_value || !has_formula => Value::Text(text),
            _ if is_blank && has_formula => Value::NoResult,
            _ if is_blank => return Ok(()),
            kind => value(kind, text, self.strings)?,
        };
        rows.cell(column, head.style, found)
    }
}

/// Holds the next cell of a row against the ceilings; gives the column that may come next.
#[inline]
fn check(cells: u64, column: u32, next_column: u32, limits: &WorkbookLimits) -> Result<u32, Fault> {
    if column < next_column {
        return Err(Fault::broken("the cells of a row are not in their order"));
    }
    if column >= limits.columns {
        return Err(Fault::ceiling(format!("more than {} columns", limits.columns)));
    }
    if cells > limits.cells {
        return Err(Fault::ceiling(format!("more than {} cells", limits.cells)));
    }
    Ok(column + 1)
}

/// The value of a cell that has one.
#[inline]
fn value<'t>(kind: Type, text: &'t str, strings: &'t Strings) -> Result<Value<'t>, Fault> {
    Ok(match kind {
        Type::Shared => {
            let shared = swift::index(text.trim().as_bytes()).and_then(|it| strings.get(it));
            Value::Text(shared.ok_or_else(|| {
                Fault::broken("a cell refers to a shared string that is not there")
            })?)
        }
        Type::Number => Value::Digits(text),
        Type::Text | Type::Inline => Value::Text(text),
        Type::Boolean => Value::Boolean(matches!(text.trim(), "1" | "true")),
        Type::Error => Value::Error,
        Type::Date => Value::Moment(text),
    })
}

fn row_head(tag: Tag<'_>) -> Result<RowHead, Fault> {
    let mut head = RowHead { row: None, is_hidden: false, is_empty: tag.is_empty };
    for (name, value) in tag.attributes() {
        match name {
            b"r" => {
                let row = super::styles::number(value);
                head.row = Some(row.ok_or_else(|| Fault::broken("a row has no number"))?);
            }
            b"hidden" => head.is_hidden = matches!(value, b"1" | b"true"),
            _ => {}
        }
    }
    Ok(head)
}

#[inline]
fn head(tag: Tag<'_>) -> Result<Head, Fault> {
    let mut head = Head { column: None, style: 0, kind: Type::Number, is_empty: tag.is_empty };
    for (name, value) in tag.attributes() {
        match name {
            b"r" => {
                let column = column(value);
                head.column = Some(column.ok_or_else(|| Fault::broken("a cell has no address"))?);
            }
            b"s" => {
                let style = super::styles::number(value);
                head.style = style.and_then(|style| usize::try_from(style).ok()).unwrap_or(0);
            }
            b"t" => head.kind = Type::of(value),
            _ => {}
        }
    }
    Ok(head)
}

/// The column (from 0) of an address such as `AB12`.
#[inline]
pub(super) fn column(address: &[u8]) -> Option<u32> {
    let mut column = 0_u32;
    for byte in address {
        match byte {
            b'A'..=b'Z' => column = column * 26 + u32::from(byte - b'A') + 1,
            b'a'..=b'z' => column = column * 26 + u32::from(byte - b'a') + 1,
            b'$' => {}
            _ => break,
        }
        if column > 1_000_000 {
            return None;
        }
    }
    column.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use proptest::prelude::*;

    /// Notes all that it is given.
    #[derive(Default)]
    struct Notes(String);

    impl Rows for Notes {
        fn wants(&self, column: u32) -> bool {
            column != 1
        }

        fn cell(&mut self, column: u32, style: usize, value: Value<'_>) -> Result<(), Fault> {
            let _ = write!(self.0, "{column} {style} {value:?};");
            Ok(())
        }

        fn row(&mut self, row: u32, is_hidden: bool) -> Result<ControlFlow<()>, Fault> {
            let _ = writeln!(self.0, "{row} {is_hidden}");
            Ok(ControlFlow::Continue(()))
        }
    }

    fn notes(sheet: &str) -> String {
        let limits = WorkbookLimits { columns: 1_000, ..WorkbookLimits::default() };
        let mut notes = Notes::default();
        let shared = &mut Xml::new(&b"<sst><si><t>x</t></si><si/></sst>"[..], &limits);
        let strings = Strings::from_xml(shared, &limits).unwrap();
        match read(Xml::new(sheet.as_bytes(), &limits), &strings, &limits, &mut notes) {
            Ok(_) => notes.0,
            Err(fault) => format!("{}{fault:?}", notes.0),
        }
    }

    proptest! {
        #[test]
        fn cells_are_the_same_on_the_swift_path_and_tag_by_tag(
            cells in proptest::collection::vec((
                "[A-C]{1,2}[0-9]{0,2}",
                proptest::option::of("[0-9]{1,3}"),
                proptest::option::of(proptest::sample::select(vec![
                    "s", "str", "inlineStr", "b", "e", "d", "n", "odd",
                ])),
                proptest::sample::select(vec![
                    "<v>0</v>", "<v>1</v>", "<v> 1 </v>", "<v></v>", "<v/>", "<v>1.5</v>", "",
                    "<v>2024-03-01</v>", "<v>a_x0041_</v>", "<v>&lt;</v>", "<v>9999999999</v>",
                    "<f>1</f><v>2</v>", "<f>1</f>", "<f/><v></v>", "<is><t>a b</t></is>",
                    "<is><t> a </t></is>", "<is><t xml:space=\"preserve\"> a </t></is>",
                    "<is><t>a&amp;b</t></is>", "<is><t>_x0041_</t></is>", "<is/>", "<is><t/></is>",
                ]),
            ), 0..5),
        ) {
            let row = |name: &str| {
                let cells = cells.iter().map(|(address, style, kind, inside)| {
                    let style = style.as_ref().map(|it| format!(" s=\"{it}\"")).unwrap_or_default();
                    let kind = kind.map(|it| format!(" t=\"{it}\"")).unwrap_or_default();
                    format!("<{name} r=\"{address}\"{style}{kind}>{inside}</{name}>")
                });
                format!("<sheetData><row>{}</row></sheetData>", cells.collect::<String>())
            };
            prop_assert_eq!(notes(&row("c")), notes(&row("x:c")));
        }
    }
}
