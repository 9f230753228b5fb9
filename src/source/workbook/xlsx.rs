//! XLSX and XLSM into the spool.

use std::io::{Read, Seek, Write};

use super::book::{Book, Sheet};
use super::fault::Fault;
use super::header::{Header, HeaderSearch, Misfits, Wanted};
use super::package::Package;
use super::sheet;
use super::spool::{Done, SpoolRequest, chosen};
use super::strings::Strings;
use super::styles::Styles;
use super::write::RowWriter;

/// Reads the sheet that fits.
pub(super) fn spool<R: Read + Seek>(
    input: R,
    request: &SpoolRequest<'_>,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<Done, (Fault, Option<String>)> {
    let alone = |fault| (fault, None);
    let mut package = Package::open(input, request.limits).map_err(alone)?;
    let book = Book::read(&mut package).map_err(alone)?;
    let styles = Styles::read(&mut package, book.styles.as_deref()).map_err(alone)?;
    let strings = Strings::read(&mut package, book.strings.as_deref()).map_err(alone)?;
    let names: Vec<(u32, &str)> =
        book.sheets.iter().map(|sheet| (sheet.number, sheet.name.as_str())).collect();
    let candidates = chosen(&names, &request.config.sheet).map_err(alone)?;
    let mut misfits = Misfits::new(request.config.header_row);
    let mut found = None;
    for sheet in candidates.iter().filter_map(|&place| book.sheets.get(place)) {
        let at = |fault| (fault, Some(sheet.name.clone()));
        let mut search = HeaderSearch::new(
            wanted,
            &styles,
            request.limits,
            book.is_1904,
            request.config.header_row,
        );
        read(&mut package, sheet, &strings, request, &mut search).map_err(at)?;
        match search.found {
            Some(header) => {
                found = Some((sheet, header));
                break;
            }
            None => misfits.push(&sheet.name, search.missing),
        }
    }
    let Some((sheet, header)) = found else {
        let names: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
        return Err(alone(misfits.fault(&names)));
    };
    let done = rows(&mut package, &book, sheet, header, (&strings, &styles), request, wanted, out);
    done.map_err(|fault| (fault, Some(sheet.name.clone())))
}

#[expect(clippy::too_many_arguments, reason = "the parts of an opened workbook")]
fn rows<R: Read + Seek>(
    package: &mut Package<R>,
    book: &Book,
    sheet: &Sheet,
    header: Header,
    (strings, styles): (&Strings, &Styles),
    request: &SpoolRequest<'_>,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<Done, Fault> {
    let mut writer = RowWriter::new(
        out,
        wanted.uses(&header),
        styles,
        request.limits,
        book.is_1904,
        header.row,
        request.trailer.map(|trailer| trailer.starts_with.as_str()),
    );
    let aside = read(package, sheet, strings, request, &mut writer)?;
    writer.finish()?;
    Ok(Done {
        sheet: sheet.name.clone(),
        sheets: book.sheets.len(),
        header,
        rows: writer.rows,
        hidden: writer.hidden,
        numbers_as_ids: 0,
        uses: writer.uses,
        is_filtered: aside.is_filtered,
        is_1904: book.is_1904,
        merged: aside.merged,
    })
}

fn read<R: Read + Seek>(
    package: &mut Package<R>,
    sheet: &Sheet,
    strings: &Strings,
    request: &SpoolRequest<'_>,
    rows: &mut impl sheet::Rows,
) -> Result<sheet::Aside, Fault> {
    let xml = package.xml(&sheet.path)?;
    let xml = xml.ok_or_else(|| Fault::broken("the part of a sheet is missing"))?;
    sheet::read(xml, strings, request.limits, rows)
}
