//! A look at a file that nobody has described yet: what it is, and what stands in its columns.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use crate::bridge::BridgeError;
use crate::cli::context::{Failed, failed};
use crate::cli::init::header;
use crate::cli::init::trailer;
use crate::cli::words::{plural, thousands};
use crate::domain::{ColumnKind, ColumnUse, Place, fold_header};
use crate::mapping::{Proposal, TableSample, quoted};
use crate::source::{
    CsvConfig, FileKind, Finding, Format, FormatConfig, Limits, Shape, SourceError, SourceRow,
    SpoolRequest, Table, WorkbookLimits, kind_of_file, spool,
};

/// Most rows looked at; a column shows what it is long before that.
const MOST_ROWS: u64 = 200_000;

/// What a file is.
pub struct Survey {
    /// Its name, without folders.
    pub name: String,
    /// `csv`, `xlsx` or `json`.
    pub format: &'static str,
    /// What was found about it, for people.
    pub found: Vec<String>,
    /// Lines of `[source.hr]` that say what is not found by itself.
    pub settings: Vec<String>,
    /// Its columns.
    pub table: TableSample,
    config: FormatConfig,
    kind: FileKind,
}

/// A file that is being looked at.
pub struct Looked<'f> {
    pub path: &'f Path,
    pub name: &'f str,
    pub kind: FileKind,
}

/// The shape of a file, and a workbook's rows.
pub struct Opened {
    pub shape: Shape,
    rows: Option<File>,
}

impl Survey {
    /// Finds the header of a file and reads its columns.
    pub fn take(path: &Path) -> Result<Self, Failed> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        look(path, &name).map_err(|error| {
            failed(BridgeError::Refused(Box::new(error.problem(Place::file(&name)))))
        })
    }

    /// Notes what has to be said about the file so that the mapped columns are found again.
    pub fn settle(&mut self, path: &Path, proposal: &Proposal) {
        let name = self.name.clone();
        let looked = Looked { path, name: &name, kind: self.kind };
        let is_mapped =
            |header: &&String| !proposal.unmapped.iter().any(|column| column.header == **header);
        let headers: Vec<String> =
            self.table.columns().iter().map(|column| column.header.clone()).collect();
        let columns: Vec<ColumnUse> =
            headers.iter().filter(is_mapped).map(|name| column(name, false)).collect();
        let mut plain = self.config.clone();
        (plain.csv.header_row, plain.xlsx.header_row) = (None, None);
        plain.xlsx.sheet = crate::source::SheetChoice::Fitting;
        let found = looked.open(&plain, &columns).and_then(|opened| {
            looked.table(&opened, &columns).map(|table| table.headers().to_vec())
        });
        let is_same =
            found.is_ok_and(|found| found.iter().map(|name| name.trim()).eq(headers.iter()));
        if is_same || self.kind.format() == Some(Format::Json) {
            return;
        }
        let row = self.config.csv.header_row.or(self.config.xlsx.header_row).unwrap_or(1);
        let line = match (&self.config.xlsx.sheet, self.kind.format()) {
            (crate::source::SheetChoice::Number(number), Some(Format::Xlsx)) => {
                format!("xlsx = {{ sheet = {number}, header_row = {row} }}")
            }
            (_, Some(Format::Xlsx)) => format!("xlsx = {{ header_row = {row} }}"),
            _ => format!("csv = {{ header_row = {row} }}"),
        };
        self.settings.push(line);
    }
}

fn look(path: &Path, name: &str) -> Result<Survey, SourceError> {
    let kind = kind_of_file(&mut File::open(path)?)?;
    let looked = Looked { path, name, kind };
    let Some(format) = kind.format() else {
        return Err(SourceError::refused(
            "source.kind",
            Place::file(name),
            format!("the file is {}, which is not read", kind.words()),
            "export it as CSV, as a workbook (XLSX, XLSB, XLS, ODS) or as JSON",
        ));
    };
    let mut settings = Vec::new();
    let mut config = FormatConfig { format: Some(format), ..FormatConfig::default() };
    if format == Format::Csv {
        settings.extend(settle_encoding(&looked, &mut config)?);
    }
    header::find(&looked, &mut config)?;
    let (mut table, mut found) = read(&looked, &config)?;
    if format == Format::Csv
        && let Some(said) = trailer::find(&looked, &config, table.rows())
    {
        let (starts_with, count) = (quoted(&said.starts_with), said.count.unwrap_or(1));
        settings.push(format!(
            "complete = {{ trailer = {{ starts_with = {starts_with}, count = {count} }} }}"
        ));
        config.trailer = Some(said);
        (table, found) = read(&looked, &config)?;
    }
    Ok(Survey { name: name.to_owned(), format: word(format), found, settings, table, config, kind })
}

/// An encoding that the letters leave open has to be named; the likeliest is.
fn settle_encoding(
    looked: &Looked<'_>,
    config: &mut FormatConfig,
) -> Result<Option<String>, SourceError> {
    const LIKELIEST: &str = "windows-1252";
    match looked.open(config, &[]) {
        Err(SourceError::Refused(problem)) if problem.code == "source.encoding-unclear" => {
            config.csv.encoding = Some(LIKELIEST.to_owned());
            let why = problem.message;
            Ok(Some(format!("# ? {why}\ncsv = {{ encoding = {} }}", quoted(LIKELIEST))))
        }
        opened => opened.map(|_| None),
    }
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Csv => "csv",
        Format::Xlsx => "xlsx",
        Format::Json => "json",
    }
}

/// Reads the rows, all columns of them.
fn read(
    looked: &Looked<'_>,
    config: &FormatConfig,
) -> Result<(TableSample, Vec<String>), SourceError> {
    let headers = looked.headers(config)?;
    let mut seen = BTreeSet::new();
    let mut columns = Vec::new();
    for header in &headers {
        let name = fold_header(header).into_owned();
        // of two columns with one name neither is anybody's
        if !name.is_empty() && seen.insert(name) {
            columns.push(column(header, true));
        }
    }
    let opened = looked.open(config, &columns)?;
    let mut rows = looked.table(&opened, &columns)?;
    let mut table = TableSample::new(rows.headers());
    let mut bad = 0_u64;
    while table.rows() < MOST_ROWS {
        match rows.next_row()? {
            Some(SourceRow::Row(row)) => table.add(&row),
            Some(SourceRow::Bad { .. }) => bad += 1,
            None => break,
        }
    }
    let count = table.rows();
    let mut found = vec![format!(
        "{}: {}, {} row{}, {} columns",
        looked.name,
        looked.kind.words(),
        thousands(count),
        plural(count),
        table.columns().len()
    )];
    if bad > 0 {
        found.push(format!("{} row{} cannot be read", thousands(bad), plural(bad)));
    }
    let findings = opened.shape.findings().iter().cloned().chain(rows.findings());
    found.extend(findings.map(|Finding { message, .. }| message));
    Ok((table, found))
}

fn column(name: &str, optional: bool) -> ColumnUse {
    ColumnUse { name: name.to_owned(), optional, kind: ColumnKind::Text }
}

impl Looked<'_> {
    /// The headers of the file.
    pub fn headers(&self, config: &FormatConfig) -> Result<Vec<String>, SourceError> {
        let opened = self.open(config, &[])?;
        let table = self.table(&opened, &[])?;
        Ok(table.headers().to_vec())
    }

    /// Looks through the file; a workbook's rows go to a temporary file without a name.
    pub fn open(
        &self,
        config: &FormatConfig,
        columns: &[ColumnUse],
    ) -> Result<Opened, SourceError> {
        let mut input = File::open(self.path)?;
        if self.kind.format() != Some(Format::Xlsx) {
            let format = config.format.unwrap_or(Format::Csv);
            let limits = Limits::default();
            let shape = Shape::find(&mut input, format, config, columns, limits, self.name)?;
            return Ok(Opened { shape, rows: None });
        }
        let request = SpoolRequest {
            kind: self.kind,
            config: &config.xlsx,
            columns,
            trailer: config.trailer.as_ref(),
            limits: &WorkbookLimits::default(),
            password: None,
            file: self.name,
        };
        let mut rows = tempfile::tempfile()?;
        let shape = spool(input, &request, &mut rows)?;
        Ok(Opened { shape: Shape::Workbook(shape), rows: Some(rows) })
    }

    /// The rows of a file that was looked through.
    pub fn table<'o>(
        &self,
        opened: &'o Opened,
        columns: &[ColumnUse],
    ) -> Result<Table<'o, Box<dyn ReadSeek + 'o>>, SourceError> {
        let input: Box<dyn ReadSeek> = match &opened.rows {
            Some(rows) => Box::new(rows),
            None => Box::new(BufReader::new(File::open(self.path)?)),
        };
        Table::open(
            input,
            &opened.shape,
            &FormatConfig::default(),
            columns,
            Limits::default(),
            self.name,
        )
    }
}

/// What a table is read from.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// A CSV config with a header in this row.
pub fn with_header(config: &FormatConfig, row: u32) -> FormatConfig {
    let csv = CsvConfig { header_row: Some(row), ..config.csv.clone() };
    FormatConfig { csv, ..config.clone() }
}
