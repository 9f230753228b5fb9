//! From a workbook to a spool: the right sheet, read once.

use std::io::{Cursor, Read, Seek, Write};

use super::encrypted::decrypt;
use super::fault::Fault;
use super::header::{Header, Wanted, listed};
use super::limits::WorkbookLimits;
use super::merged::{Range, stretches};
use super::ods::Ods;
use super::opened::{self, AtSheet};
use super::shape::WorkbookShape;
use super::write::Use;
use super::xls::Xls;
use super::xlsb::Xlsb;
use super::xlsx::Xlsx;
use crate::domain::{ColumnUse, Place};
use crate::source::{
    FileKind, Finding, SheetChoice, SourceError, TrailerConfig, WorkbookConfig, kind_of_file,
};

/// What to read from a workbook.
#[derive(Clone, Copy)]
pub struct SpoolRequest<'a> {
    /// What the file is, by its content.
    pub kind: FileKind,
    /// Which sheet and header row, and what becomes of merged cells.
    pub config: &'a WorkbookConfig,
    /// The columns that are read; the cells of others never reach the spool.
    pub columns: &'a [ColumnUse],
    /// A row whose column A begins so is kept whole, being no person's.
    pub trailer: Option<&'a TrailerConfig>,
    /// Ceilings.
    pub limits: &'a WorkbookLimits,
    /// For encrypted workbooks.
    pub password: Option<&'a str>,
    /// The file's name, for messages.
    pub file: &'a str,
}

/// What reading a sheet came to.
pub(super) struct Done {
    pub sheet: String,
    /// How many sheets there are.
    pub sheets: usize,
    pub header: Header,
    pub rows: u64,
    pub hidden: u64,
    pub uses: Vec<Use>,
    pub is_filtered: bool,
    pub is_1904: bool,
    pub merged: Vec<Range>,
}

/// Reads the sheet that the config or the mapped columns point to, and writes its rows into a spool.
///
/// Nothing is written before the header is found. What was written when reading ends with an error
/// is of no use.
///
/// # Errors
///
/// When the file cannot be read or is no such workbook, when it passes a ceiling, when it is
/// encrypted and the password is missing or wrong, or when no sheet has the mapped columns.
pub fn spool<R: Read + Seek>(
    input: R,
    request: &SpoolRequest<'_>,
    out: &mut dyn Write,
) -> Result<WorkbookShape, SourceError> {
    let wanted = Wanted::new(request.columns);
    let done = by_kind(input, request.kind, request, &wanted, out);
    let done = done.map_err(|(fault, sheet)| fault.within(request.file, sheet.as_deref()))?;
    let name = done.sheet.clone();
    shape(done, request).map_err(|fault| fault.within(request.file, Some(&name)))
}

/// Opens what the file is, and reads it.
fn by_kind<R: Read + Seek>(
    input: R,
    kind: FileKind,
    request: &SpoolRequest<'_>,
    wanted: &Wanted,
    out: &mut dyn Write,
) -> Result<Done, AtSheet> {
    let limits = request.limits;
    let alone = |fault| (fault, None);
    match kind {
        FileKind::Xlsx | FileKind::Xlsm => {
            let mut book = Xlsx::open(input, limits).map_err(alone)?;
            opened::spool(&mut book, request, wanted, out)
        }
        FileKind::Xlsb => {
            let mut book = Xlsb::open(input, limits).map_err(alone)?;
            opened::spool(&mut book, request, wanted, out)
        }
        FileKind::Xls => {
            let mut book = Xls::open(input, limits).map_err(alone)?;
            opened::spool(&mut book, request, wanted, out)
        }
        FileKind::Ods => {
            let mut book = Ods::open(input, limits).map_err(alone)?;
            opened::spool(&mut book, request, wanted, out)
        }
        FileKind::Encrypted => {
            let mut plain = Cursor::new(decrypt(input, limits, request.password).map_err(alone)?);
            let kind = kind_of_file(&mut plain).map_err(|error| alone(error.into()))?;
            if kind == FileKind::Xlsb {
                let mut book = Xlsb::open(plain, limits).map_err(alone)?;
                return opened::spool(&mut book, request, wanted, out);
            }
            let mut book = Xlsx::open(plain, limits).map_err(alone)?;
            opened::spool(&mut book, request, wanted, out)
        }
        FileKind::Zip
        | FileKind::Compound
        | FileKind::Pdf
        | FileKind::Gzip
        | FileKind::Html
        | FileKind::SpreadsheetMl
        | FileKind::Json
        | FileKind::Text => Err(alone(Fault::refused(
            "source.no-workbook",
            format!("the file is {}, which is no workbook that can be read", kind.words()),
            "export it as XLSX",
        ))),
    }
}

fn shape(done: Done, request: &SpoolRequest<'_>) -> Result<WorkbookShape, Fault> {
    let is_mapped = |column: u32| {
        let index = usize::try_from(column).unwrap_or(usize::MAX);
        matches!(done.uses.get(index), Some(Use::Mapped(_)))
    };
    let columns = u32::try_from(done.uses.len()).unwrap_or(u32::MAX);
    let most = request.limits.merged_ranges;
    let merged = stretches(&done.merged, is_mapped, columns, done.header.row, most);
    let merged = merged.ok_or_else(|| Fault::ceiling(format!("more than {most} merged cells")))?;
    let findings = findings(&done, request);
    Ok(WorkbookShape {
        sheet: done.sheet,
        headers: done.header.names,
        header_row: done.header.row,
        rows: done.rows,
        hidden_rows: done.hidden,
        findings,
        merged,
        merging: request.config.merged,
    })
}

fn findings(done: &Done, request: &SpoolRequest<'_>) -> Vec<Finding> {
    let mut place = Place::file(request.file);
    place.sheet = Some(done.sheet.clone());
    let mut findings = Vec::new();
    let mut find = |code, is_odd, message: String| {
        findings.push(Finding { code, place: place.clone(), message, is_odd });
    };
    find(
        "source.sheet",
        false,
        format!(
            "read sheet `{}` of {}, with its headers in row {}",
            done.sheet, done.sheets, done.header.row
        ),
    );
    if done.is_1904 {
        find("source.date-system", false, "its dates count from 1904".to_owned());
    }
    if done.hidden > 0 {
        let count = done.hidden;
        find("source.hidden-rows", true, format!("{count} hidden rows are read like the others"));
    }
    if done.is_filtered {
        let message = "a filter is set; the rows that it hides are read like the others";
        find("source.filter", true, message.to_owned());
    }
    findings
}

/// The places of the sheets that may be read, in the order in which they are looked at.
pub(super) fn chosen(sheets: &[(u32, &str)], choice: &SheetChoice) -> Result<Vec<usize>, Fault> {
    let places: Vec<usize> = match choice {
        SheetChoice::Fitting => return Ok((0..sheets.len()).collect()),
        SheetChoice::Name(name) => {
            let name = name.trim().to_lowercase();
            let is_it = |it: &str| it.trim().to_lowercase() == name;
            let named = sheets.iter().position(|(_, it)| is_it(it));
            named.into_iter().collect()
        }
        SheetChoice::Number(number) => {
            let numbered = sheets.iter().position(|(it, _)| it == number);
            numbered.into_iter().collect()
        }
    };
    if !places.is_empty() {
        return Ok(places);
    }
    let names: Vec<&str> = sheets.iter().map(|(_, name)| *name).collect();
    let message = match choice {
        SheetChoice::Name(name) => format!("there is no sheet `{name}`"),
        SheetChoice::Number(number) => format!("there is no sheet number {number}"),
        SheetChoice::Fitting => "there is no sheet".to_owned(),
    };
    Err(Fault::refused(
        "source.no-such-sheet",
        message,
        format!("the sheets are {}: correct `xlsx = {{ sheet = … }}`", listed(&names)),
    ))
}
