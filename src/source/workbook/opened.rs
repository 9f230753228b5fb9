//! From an opened workbook of any kind to a spool: which sheet, then its rows.

use std::io::Write;

use super::fault::Fault;
use super::header::{HeaderSearch, Misfits, Wanted};
use super::sheet::{Aside, Rows};
use super::spool::{Done, SpoolRequest, chosen};
use super::styles::Styles;
use super::write::RowWriter;

/// A workbook whose sheets can be read, more than once and until somebody has enough.
pub(super) trait Opened {
    /// The sheets of cells: their places among all sheets, from 1, and their names.
    fn sheets(&self) -> Vec<(u32, String)>;
    fn is_1904(&self) -> bool;
    /// The cell formats, shared with whoever takes the rows.
    fn styles(&self) -> std::rc::Rc<Styles>;
    /// Reads the sheet at a place in [`sheets`](Self::sheets).
    fn read(&mut self, place: usize, rows: &mut impl Rows) -> Result<Aside, Fault>;
}

/// A refusal, and the sheet that it is about.
pub(super) type AtSheet = (Fault, Option<String>);

/// Reads the sheet that fits.
pub(super) fn spool(
    book: &mut impl Opened,
    request: &SpoolRequest<'_>,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<Done, AtSheet> {
    let sheets = book.sheets();
    let styles = book.styles();
    let names: Vec<(u32, &str)> =
        sheets.iter().map(|(number, name)| (*number, name.as_str())).collect();
    let candidates = chosen(&names, &request.config.sheet).map_err(|fault| (fault, None))?;
    let at = request.config.header_row;
    let mut misfits = Misfits::new(at);
    for place in candidates {
        let Some((_, name)) = sheets.get(place) else { continue };
        let here = |fault| (fault, Some(name.clone()));
        let mut search = HeaderSearch::new(wanted, &styles, request.limits, book.is_1904(), at);
        book.read(place, &mut search).map_err(here)?;
        let Some(header) = search.found else {
            misfits.push(name, search.missing);
            continue;
        };
        let mut writer = RowWriter::new(
            out,
            wanted.uses(&header),
            &styles,
            request.limits,
            book.is_1904(),
            header.row,
            request.trailer.map(|trailer| trailer.starts_with.as_str()),
        );
        let aside = book.read(place, &mut writer).map_err(here)?;
        writer.finish().map_err(here)?;
        return Ok(Done {
            sheet: name.clone(),
            sheets: sheets.len(),
            header,
            rows: writer.rows,
            hidden: writer.hidden,
            uses: writer.uses,
            is_filtered: aside.is_filtered,
            is_1904: book.is_1904(),
            merged: aside.merged,
        });
    }
    let names: Vec<&str> = sheets.iter().map(|(_, name)| name.as_str()).collect();
    Err((misfits.fault(&names), None))
}
