//! The report as a workbook for whoever corrects the rows: those to correct with the faulty cell
//! marked, and a sheet with the counts.
//!
//! Every cell is a text: zeros in front stay, and nothing is a formula or a link. What begins like a
//! formula is also marked as typed text (the apostrophe that a spreadsheet shows only while the cell
//! is edited), so that it stays one when somebody edits it; the value itself is the file's.

use std::borrow::Cow;
use std::io::{Result, Write};

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, IgnoreError, Workbook,
    Worksheet, XlsxError,
};

use crate::cli::report::Report;
use crate::cli::terminal::tell;
use crate::cli::words::thousands;
use crate::domain::{ExternalId, OperationStatus, fold_header};
use crate::intake::formula_safe;
use crate::store::{FaultyRow, Operation, Run};

/// Rows of a sheet below its header (Excel, "specifications and limits", read 2026-11-24).
const MOST_ROWS: u32 = 1_048_575;
/// Columns of a sheet (same place).
const MOST_COLUMNS: usize = 16_384;
/// UTF-16 units in a cell (same place).
const MOST_IN_CELL: usize = 32_767;

/// The first sheet.
const TO_CORRECT: &str = "To correct";
/// The columns before those of the file, with their widths in characters.
const COLUMNS: [(&str, usize); 7] = [
    ("Row", 8),
    ("Line", 8),
    ("Id", 16),
    ("Status", 12),
    ("Column", 18),
    ("What is wrong", 60),
    ("What to do", 60),
];
/// How wide a column of the file becomes, in characters.
const WIDTHS: std::ops::RangeInclusive<usize> = 8..=40;

/// A report as XLSX.
pub(super) fn xlsx(output: impl Write + Send + 'static, run: &Run) -> Result<Box<dyn Report>> {
    Ok(Box::new(Xlsx::new(output, run, MOST_ROWS).map_err(io)?))
}

struct Xlsx<W: Write + Send> {
    output: W,
    book: Workbook,
    run: Run,
    /// The file's headers for comparing, and how wide each column has to be.
    columns: Vec<(String, usize)>,
    formats: Formats,
    most_rows: u32,
    /// Rows written.
    rows: u32,
    /// Rows that found no place any more.
    left_out: u64,
}

struct Formats {
    header: Format,
    text: Format,
    /// For sentences.
    wrapped: Format,
    faulty: Format,
    label: Format,
}

impl Formats {
    fn new() -> Self {
        // `@`: what somebody types into the cell is text as well
        let text = Format::new().set_num_format("@").set_align(FormatAlign::Top);
        Self {
            header: text
                .clone()
                .set_bold()
                .set_border_bottom(FormatBorder::Thin)
                .set_background_color(Color::RGB(0x00E7_E6E6)),
            faulty: text
                .clone()
                .set_bold()
                .set_font_color(Color::RGB(0x009C_0006))
                .set_background_color(Color::RGB(0x00FF_C7CE)),
            label: text.clone().set_bold(),
            wrapped: text.clone().set_text_wrap(),
            text,
        }
    }
}

impl<W: Write + Send> Xlsx<W> {
    fn new(output: W, run: &Run, most_rows: u32) -> std::result::Result<Self, XlsxError> {
        let mut book = Workbook::new();
        if let Ok(at) = ExcelDateTime::from_timestamp(run.started_at.as_second()) {
            // not the moment of writing: the same run gives the same bytes
            book.set_properties(&DocProperties::new().set_creation_datetime(&at));
        }
        // rows go to a file without a name in the folder for temporary files, not into memory
        let sheet = book.add_worksheet_with_constant_memory()?;
        sheet.set_name(TO_CORRECT)?;
        let mut report = Self {
            output,
            book,
            columns: run
                .columns
                .iter()
                .take(MOST_COLUMNS - COLUMNS.len())
                .map(|header| (fold_header(header).into_owned(), header.chars().count()))
                .collect(),
            run: run.clone(),
            formats: Formats::new(),
            most_rows,
            rows: 0,
            left_out: 0,
        };
        report.header()?;
        Ok(report)
    }

    fn header(&mut self) -> std::result::Result<(), XlsxError> {
        let Self { book, run, columns, formats, .. } = self;
        let sheet = book.worksheet_from_index(0)?;
        // the file's headers stay as they are, so ours make room
        let ours = COLUMNS.map(|(name, _)| {
            let is_theirs = columns.iter().any(|(folded, _)| *folded == fold_header(name));
            if is_theirs { Cow::Owned(format!("{name} (report)")) } else { Cow::Borrowed(name) }
        });
        let ours = ours.iter().map(AsRef::as_ref);
        let theirs = run.columns.iter().map(String::as_str).take(columns.len());
        for (at, header) in (0..).zip(ours.chain(theirs)) {
            write(sheet, (0, at), header, &formats.header)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(())
    }

    fn write_row(
        &mut self,
        operation: &Operation,
        faulty: Option<&FaultyRow>,
    ) -> std::result::Result<(), XlsxError> {
        if self.rows == self.most_rows {
            self.left_out += 1;
            return Ok(());
        }
        self.rows += 1;
        let row = self.rows;
        let sheet = self.book.worksheet_from_index(0)?;
        let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
        let column = faulty.and_then(|faulty| faulty.column.as_deref()).unwrap_or_default();
        let code = operation.code.as_deref();
        let ours = [
            number(operation.row),
            number(operation.line),
            operation.external_id.as_ref().map_or("", ExternalId::as_str).to_owned(),
            operation.status.to_string(),
            column.to_owned(),
            operation.reason.as_deref().or(code).unwrap_or_default().to_owned(),
            operation.advice.clone().unwrap_or_default(),
        ];
        let mut at = 0;
        for (text, (_, width)) in ours.iter().zip(COLUMNS) {
            let is_sentence = width > *WIDTHS.end();
            let format = if is_sentence { &self.formats.wrapped } else { &self.formats.text };
            write(sheet, (row, at), text, format)?;
            at += 1;
        }
        let column = fold_header(column);
        let cells = faulty.map_or(&[][..], |faulty| &faulty.cells);
        for ((folded, width), cell) in self.columns.iter_mut().zip(cells) {
            let is_at_fault = !column.is_empty() && *folded == column;
            let format = if is_at_fault { &self.formats.faulty } else { &self.formats.text };
            write(sheet, (row, at), cell, format)?;
            *width = cell.chars().take(*WIDTHS.end()).count().max(*width);
            at += 1;
        }
        Ok(())
    }

    /// What can be said once all rows are there.
    fn close(&mut self) -> std::result::Result<(), XlsxError> {
        let last_column = u16::try_from(COLUMNS.len() + self.columns.len() - 1).unwrap_or(u16::MAX);
        let sheet = self.book.worksheet_from_index(0)?;
        sheet.autofilter(0, 0, self.rows, last_column)?;
        sheet.ignore_error_range(0, 0, self.rows, last_column, IgnoreError::NumberStoredAsText)?;
        let ours = COLUMNS.iter().map(|(_, width)| *width);
        let theirs = self.columns.iter().map(|(_, width)| {
            // room for the button of the filter
            (width + 3).clamp(*WIDTHS.start(), *WIDTHS.end())
        });
        for (at, width) in (0..).zip(ours.chain(theirs)) {
            sheet.set_column_width(at, u16::try_from(width).unwrap_or(u16::MAX))?;
        }
        let lines = self.summary();
        let sheet = self.book.add_worksheet().set_name("Summary")?;
        for (row, (label, value)) in (0..).zip(&lines) {
            write(sheet, (row, 0), label, &self.formats.label)?;
            write(sheet, (row, 1), value, &self.formats.wrapped)?;
        }
        sheet.set_column_width(0, 24)?;
        sheet.set_column_width(1, 80)?;
        let last_row = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        sheet.ignore_error_range(0, 0, last_row, 1, IgnoreError::NumberStoredAsText)?;
        Ok(())
    }

    fn summary(&self) -> Vec<(String, String)> {
        let run = &self.run;
        let mut lines = vec![
            ("File".to_owned(), run.file.clone().unwrap_or_default()),
            ("Run".to_owned(), run.id.to_string()),
            ("Source".to_owned(), run.source.to_string()),
            ("Target".to_owned(), run.target.to_string()),
            ("Began".to_owned(), crate::cli::words::instant(run.started_at)),
            ("Status".to_owned(), run.status.to_string()),
            ("Rows".to_owned(), run.rows.to_string()),
        ];
        let counts = run.counts.iter().filter(|(_, count)| *count > 0);
        lines.extend(counts.map(|(status, count)| (format!("- {status}"), count.to_string())));
        lines.push((format!("Rows in `{TO_CORRECT}`"), self.rows.to_string()));
        if self.left_out > 0 {
            lines.push((format!("Not in `{TO_CORRECT}`"), self.cut()));
        }
        if let Some(problem) = &run.problem {
            lines.push(("Refused".to_owned(), format!("{}: {}", problem.place, problem.message)));
            lines.extend(problem.hint.clone().map(|hint| ("What to do".to_owned(), hint)));
        }
        lines
    }

    fn cut(&self) -> String {
        format!(
            "{} more: a sheet holds {} rows below its header; `--format csv` has all of them",
            thousands(self.left_out),
            thousands(u64::from(self.most_rows))
        )
    }
}

impl<W: Write + Send> Report for Xlsx<W> {
    fn row(&mut self, operation: &Operation, faulty: Option<&FaultyRow>) -> Result<()> {
        if is_to_correct(operation) {
            self.write_row(operation, faulty).map_err(io)
        } else {
            Ok(())
        }
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.close().map_err(io)?;
        self.book.save_to_writer(&mut self.output).map_err(io)?;
        self.output.flush()?;
        if self.left_out > 0 {
            tell(format!("not in the sheet `{TO_CORRECT}`: {}", self.cut()));
        }
        Ok(())
    }
}

/// Whether somebody at the source can put it right: what was rejected, what Entra refused, and whose
/// account is there but not whole.
fn is_to_correct(operation: &Operation) -> bool {
    match operation.status {
        OperationStatus::Rejected | OperationStatus::Failed => true,
        OperationStatus::Provisioned => operation.advice.is_some(),
        _ => false,
    }
}

/// Writes a text as a text.
fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    text: &str,
    format: &Format,
) -> std::result::Result<(), XlsxError> {
    let is_harmless = matches!(formula_safe(text), Cow::Borrowed(_));
    let quoted = (!is_harmless).then(|| format.clone().set_quote_prefix());
    let format = quoted.as_ref().unwrap_or(format);
    sheet.write_string_with_format(row, column, fitting(text), format).map(drop)
}

/// The text, cut where a cell holds no more.
fn fitting(text: &str) -> Cow<'_, str> {
    if text.len() <= MOST_IN_CELL {
        return Cow::Borrowed(text);
    }
    let mut room = MOST_IN_CELL - 1;
    let mut end = 0;
    for (at, letter) in text.char_indices() {
        let Some(left) = room.checked_sub(letter.len_utf16()) else {
            return Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()));
        };
        room = left;
        end = at + letter.len_utf8();
    }
    Cow::Borrowed(text)
}

fn io(error: XlsxError) -> std::io::Error {
    match error {
        XlsxError::IoError(error) => error,
        other => std::io::Error::other(other),
    }
}

#[cfg(test)]
mod tests;
