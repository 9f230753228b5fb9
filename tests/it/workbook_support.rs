//! Workbooks made part by part, and what reading them came to.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use scimport::domain::{CellMark, ColumnKind, ColumnUse};
use scimport::source::{
    FileKind, Finding, SourceError, SourceRow, SpoolReader, SpoolRequest, WorkbookConfig,
    WorkbookLimits, WorkbookShape, kind_of_file, spool,
};
use zip::write::SimpleFileOptions;

/// A ZIP archive of parts.
pub fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An XLSX workbook of which some parts are given.
#[derive(Default, Clone)]
pub struct Parts {
    /// Sheet names with the whole of `<worksheet>`'s inside.
    pub sheets: Vec<(String, String)>,
    /// The inside of `<sst>`.
    pub strings: String,
    /// The inside of `<styleSheet>`.
    pub styles: String,
    pub is_1904: bool,
}

impl Parts {
    /// One sheet with these rows (`<row>…</row>`).
    pub fn of_rows(rows: &str) -> Self {
        let sheet = format!("<sheetData>{rows}</sheetData>");
        Self { sheets: vec![("Staff".to_owned(), sheet)], ..Self::default() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut sheets = String::new();
        let mut relations = String::new();
        let mut parts: Vec<(String, String)> = Vec::new();
        for (index, (name, inside)) in self.sheets.iter().enumerate() {
            let number = index + 1;
            let _ =
                write!(sheets, "<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"r{number}\"/>");
            let _ = write!(
                relations,
                "<Relationship Id=\"r{number}\" Type=\"x/worksheet\" \
                 Target=\"worksheets/sheet{number}.xml\"/>"
            );
            parts.push((
                format!("xl/worksheets/sheet{number}.xml"),
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><worksheet>{inside}</worksheet>"
                ),
            ));
        }
        relations += "<Relationship Id=\"s\" Type=\"x/sharedStrings\" Target=\"/xl/sharedStrings.xml\"/>\
                      <Relationship Id=\"t\" Type=\"x/styles\" Target=\"styles.xml\"/>";
        let date = if self.is_1904 { " date1904=\"1\"" } else { "" };
        parts.push((
            "xl/workbook.xml".to_owned(),
            format!("<workbook><workbookPr{date}/><sheets>{sheets}</sheets></workbook>"),
        ));
        parts.push((
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!("<Relationships>{relations}</Relationships>"),
        ));
        parts.push(("xl/sharedStrings.xml".to_owned(), format!("<sst>{}</sst>", self.strings)));
        parts.push((
            "xl/styles.xml".to_owned(),
            format!("<styleSheet>{}</styleSheet>", self.styles),
        ));
        parts.push(("[Content_Types].xml".to_owned(), "<Types/>".to_owned()));
        let borrowed: Vec<(&str, &[u8])> =
            parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
        archive(&borrowed)
    }
}

/// A row of cells, all of them inline texts.
pub fn text_row(row: u32, cells: &[&str]) -> String {
    let mut all = String::new();
    for (column, text) in cells.iter().enumerate() {
        let address = WorkbookShape::address(column, u64::from(row));
        let _ = write!(all, "<c r=\"{address}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
    }
    format!("<row r=\"{row}\">{all}</row>")
}

pub fn column(name: &str, kind: ColumnKind) -> ColumnUse {
    ColumnUse { name: name.to_owned(), optional: false, kind }
}

pub fn columns(names: &[&str]) -> Vec<ColumnUse> {
    names.iter().map(|name| column(name, ColumnKind::Text)).collect()
}

/// A row: its number, its cells, its marks.
pub type ReadRow = (u64, Vec<String>, Vec<(usize, CellMark)>);

/// What reading came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    pub shape: WorkbookShape,
    pub rows: Vec<ReadRow>,
    pub spool: Vec<u8>,
}

impl Read {
    /// The cells of all rows.
    pub fn cells(&self) -> Vec<Vec<&str>> {
        self.rows.iter().map(|(_, cells, _)| cells.iter().map(String::as_str).collect()).collect()
    }

    pub fn finding(&self, code: &str) -> Option<&Finding> {
        self.shape.findings.iter().find(|finding| finding.code == code)
    }
}

/// What to read, with everything at its default.
pub struct Ask {
    pub columns: Vec<ColumnUse>,
    pub config: WorkbookConfig,
    pub limits: WorkbookLimits,
    pub trailer: Option<scimport::source::TrailerConfig>,
    pub password: Option<String>,
}

impl Ask {
    pub fn of(columns: Vec<ColumnUse>) -> Self {
        Self {
            columns,
            config: WorkbookConfig::default(),
            limits: WorkbookLimits::default(),
            trailer: None,
            password: None,
        }
    }

    pub fn read(&self, bytes: &[u8]) -> Result<Read, SourceError> {
        let kind = kind_of_file(&mut Cursor::new(bytes)).unwrap_or(FileKind::Text);
        let request = SpoolRequest {
            kind,
            config: &self.config,
            columns: &self.columns,
            trailer: self.trailer.as_ref(),
            limits: &self.limits,
            password: self.password.as_deref(),
            file: "hr.xlsx",
        };
        let mut out = Vec::new();
        let shape = spool(Cursor::new(bytes), &request, &mut out)?;
        let mut rows = Vec::new();
        let mut reader = SpoolReader::open(&out[..], &shape);
        while let Some(row) = reader.next_row()? {
            let SourceRow::Row(row) = row else { panic!("workbooks have no such rows") };
            assert_eq!(row.len(), shape.headers.len());
            let marks = row.marks().iter().map(|mark| (mark.cell, mark.kind)).collect();
            rows.push((row.row, row.cells().map(ToOwned::to_owned).collect(), marks));
        }
        assert_eq!(u64::try_from(rows.len()).unwrap(), shape.rows);
        Ok(Read { shape, rows, spool: out })
    }

    /// The refusal, in words and with its hint.
    pub fn refusal(&self, bytes: &[u8]) -> String {
        match self.read(bytes) {
            Ok(_) => "read".to_owned(),
            Err(SourceError::Refused(problem)) => format!(
                "[{}] {}: {} ({})",
                problem.code,
                problem.place,
                problem.message,
                problem.hint.unwrap_or_default()
            ),
            Err(other) => format!("{other:?}"),
        }
    }
}
