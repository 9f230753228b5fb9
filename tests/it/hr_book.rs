//! Workbooks written part by part, so that a test can hold what no program would save on purpose.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::hr_support::joined;

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";

/// A cell.
#[derive(Debug, Clone)]
pub enum Cell {
    Blank,
    /// An inline string.
    Text(String),
    /// A string of the shared table.
    Shared(usize),
    /// A number as it stands in the file, with an index into [`Book::formats`] from 1 (0: General).
    Number(String, usize),
    /// An error value.
    Error(&'static str),
    /// A formula and the number kept with it.
    Formula(&'static str, Option<&'static str>),
    /// A formula and the text kept with it.
    TextFormula(&'static str, &'static str),
}

pub fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// A number without a format.
pub fn number(number: impl std::fmt::Display) -> Cell {
    Cell::Number(number.to_string(), 0)
}

/// A number with the format of this index.
pub fn shown(number: impl std::fmt::Display, format: usize) -> Cell {
    Cell::Number(number.to_string(), format)
}

/// Cells of text.
pub fn texts(cells: &[&str]) -> Vec<Cell> {
    cells.iter().map(|cell| if cell.is_empty() { Cell::Blank } else { text(cell) }).collect()
}

/// A sheet.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    pub name: String,
    pub rows: Vec<Vec<Cell>>,
    /// Sheet rows that are hidden, from 1.
    pub hidden: Vec<usize>,
    /// Ranges such as `A1:B2`.
    pub merged: Vec<String>,
    /// What the rows are filtered by, such as `A1:E9`.
    pub filter: Option<String>,
    /// `hidden` or `veryHidden`, if it is.
    pub state: Option<&'static str>,
}

impl Sheet {
    pub fn new(name: &str, rows: Vec<Vec<Cell>>) -> Self {
        Self { name: name.to_owned(), rows, ..Self::default() }
    }

    fn xml(&self) -> String {
        let mut rows = String::new();
        for (at, cells) in self.rows.iter().enumerate() {
            let row = at + 1;
            let hidden = if self.hidden.contains(&row) { " hidden=\"1\"" } else { "" };
            write!(rows, "<row r=\"{row}\"{hidden}>").unwrap();
            for (column, cell) in cells.iter().enumerate() {
                rows.push_str(&cell_xml(cell, &format!("{}{row}", letters(column))));
            }
            rows.push_str("</row>");
        }
        let filter = self.filter.as_ref().map_or_else(String::new, |range| {
            format!(
                "<autoFilter ref=\"{range}\"><filterColumn colId=\"0\"><filters>\
                 <filter val=\"1\"/></filters></filterColumn></autoFilter>"
            )
        });
        let merged = if self.merged.is_empty() {
            String::new()
        } else {
            let ranges = self.merged.iter().map(|range| format!("<mergeCell ref=\"{range}\"/>"));
            let ranges: String = ranges.collect();
            format!("<mergeCells count=\"{}\">{ranges}</mergeCells>", self.merged.len())
        };
        sheet_xml(&rows, &format!("{filter}{merged}"))
    }
}

/// A sheet's part, from what stands in its `sheetData` and behind it.
pub fn sheet_xml(rows: &str, behind: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData>{behind}</worksheet>"
    )
}

fn cell_xml(cell: &Cell, at: &str) -> String {
    match cell {
        Cell::Blank => String::new(),
        Cell::Text(text) => format!(
            "<c r=\"{at}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
            escape(text)
        ),
        Cell::Shared(index) => format!("<c r=\"{at}\" t=\"s\"><v>{index}</v></c>"),
        Cell::Number(number, 0) => format!("<c r=\"{at}\"><v>{number}</v></c>"),
        Cell::Number(number, format) => {
            format!("<c r=\"{at}\" s=\"{format}\"><v>{number}</v></c>")
        }
        Cell::Error(error) => format!("<c r=\"{at}\" t=\"e\"><v>{error}</v></c>"),
        Cell::Formula(formula, None) => format!("<c r=\"{at}\"><f>{}</f></c>", escape(formula)),
        Cell::Formula(formula, Some(result)) => {
            format!("<c r=\"{at}\"><f>{}</f><v>{result}</v></c>", escape(formula))
        }
        Cell::TextFormula(formula, result) => format!(
            "<c r=\"{at}\" t=\"str\"><f>{}</f><v>{}</v></c>",
            escape(formula),
            escape(result)
        ),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The letters of a column, from 0.
pub fn letters(mut column: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'A' + u8::try_from(column % 26).unwrap());
        if column < 26 {
            break;
        }
        column = column / 26 - 1;
    }
    letters.reverse();
    String::from_utf8(letters).unwrap()
}

/// A workbook.
#[derive(Debug, Clone, Default)]
pub struct Book {
    pub sheets: Vec<Sheet>,
    /// Number formats; cells name them from 1.
    pub formats: Vec<&'static str>,
    /// The shared strings.
    pub shared: Vec<String>,
    /// Whether days are counted from 1904.
    pub is_1904: bool,
}

impl Book {
    /// A workbook of one sheet with this header.
    pub fn of(header: &[&str], rows: Vec<Vec<Cell>>) -> Self {
        let all = std::iter::once(texts(header)).chain(rows).collect();
        Self { sheets: vec![Sheet::new("Staff", all)], ..Self::default() }
    }

    /// Its only or first sheet.
    pub fn sheet(&mut self) -> &mut Sheet {
        &mut self.sheets[0]
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut parts = self.parts();
        for (at, sheet) in self.sheets.iter().enumerate() {
            parts.push((format!("xl/worksheets/sheet{}.xml", at + 1), sheet.xml()));
        }
        packed(&parts)
    }

    /// All parts but those of the sheets.
    pub fn parts(&self) -> Vec<(String, String)> {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
        let count = self.sheets.len();
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
        let overrides = joined((1..=count).map(|n| {
            format!(
                "<Override PartName=\"/xl/worksheets/sheet{n}.xml\" \
                     ContentType=\"{kind}.worksheet+xml\"/>"
            )
        }));
        let types = format!(
            "{xml}<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
             ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
             <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
             <Override PartName=\"/xl/workbook.xml\" ContentType=\"{kind}.sheet.main+xml\"/>\
             <Override PartName=\"/xl/styles.xml\" ContentType=\"{kind}.styles+xml\"/>\
             <Override PartName=\"/xl/sharedStrings.xml\" ContentType=\"{kind}.sharedStrings+xml\"/>\
             {overrides}</Types>"
        );
        let relation = |id: usize, what: &str, target: &str| {
            format!("<Relationship Id=\"rId{id}\" Type=\"{OFFICE}/{what}\" Target=\"{target}\"/>")
        };
        let relations = |inner: &str| {
            format!("{xml}<Relationships xmlns=\"{PACKAGE}/relationships\">{inner}</Relationships>")
        };
        let mut inner = joined(
            (1..=count).map(|n| relation(n, "worksheet", &format!("worksheets/sheet{n}.xml"))),
        );
        inner.push_str(&relation(count + 1, "styles", "styles.xml"));
        inner.push_str(&relation(count + 2, "sharedStrings", "sharedStrings.xml"));
        let sheets = joined((1..=count).zip(&self.sheets).map(|(n, sheet)| {
            let state = sheet.state.map_or_else(String::new, |is| format!(" state=\"{is}\""));
            let name = escape(&sheet.name);
            format!("<sheet name=\"{name}\" sheetId=\"{n}\"{state} r:id=\"rId{n}\"/>")
        }));
        let properties = if self.is_1904 { "<workbookPr date1904=\"1\"/>" } else { "" };
        let workbook = format!(
            "{xml}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\">{properties}\
             <sheets>{sheets}</sheets></workbook>"
        );
        let shared =
            joined(self.shared.iter().map(|text| format!("<si><t>{}</t></si>", escape(text))));
        vec![
            ("[Content_Types].xml".to_owned(), types),
            (
                "_rels/.rels".to_owned(),
                relations(&relation(1, "officeDocument", "xl/workbook.xml")),
            ),
            ("xl/_rels/workbook.xml.rels".to_owned(), relations(&inner)),
            ("xl/workbook.xml".to_owned(), workbook),
            ("xl/styles.xml".to_owned(), self.styles(xml)),
            (
                "xl/sharedStrings.xml".to_owned(),
                format!("{xml}<sst xmlns=\"{MAIN}\">{shared}</sst>"),
            ),
        ]
    }

    fn styles(&self, xml: &str) -> String {
        let mut formats = String::new();
        let mut cells =
            "<xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>".to_owned();
        for (id, format) in (164..).zip(&self.formats) {
            let code = escape(format);
            write!(formats, "<numFmt numFmtId=\"{id}\" formatCode=\"{code}\"/>").unwrap();
            write!(
                cells,
                "<xf numFmtId=\"{id}\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" \
                 applyNumberFormat=\"1\"/>"
            )
            .unwrap();
        }
        let count = self.formats.len();
        format!(
            "{xml}<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"{count}\">{formats}</numFmts>\
             <fonts count=\"1\"><font/></fonts><fills count=\"1\"><fill/></fills>\
             <borders count=\"1\"><border/></borders><cellStyleXfs count=\"1\"><xf/></cellStyleXfs>\
             <cellXfs count=\"{}\">{cells}</cellXfs></styleSheet>",
            count + 1
        )
    }
}

/// An archive of these parts.
pub fn packed(parts: &[(String, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, part) in parts {
        // what an archive is, OpenDocument says in its first entry, as it is
        let is_plain = name == "mimetype";
        let method = if is_plain { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let options = SimpleFileOptions::default().compression_method(method);
        archive.start_file(name.as_str(), options).unwrap();
        archive.write_all(part.as_ref()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A part whose middle is a deflated mebibyte, many times over, so that a bomb takes no time to make.
pub struct Bomb<'a> {
    pub name: &'a str,
    pub before: &'a str,
    /// A mebibyte deflated, ending on a byte and needing nothing before it.
    pub deflated: &'a [u8],
    /// The same mebibyte.
    pub inflated: &'a [u8],
    pub times: u32,
    pub after: &'a str,
}

/// An archive of these parts and a bomb.
pub fn packed_with(parts: &[(String, String)], bomb: &Bomb<'_>) -> Vec<u8> {
    let mut entries = Vec::new();
    for (name, part) in parts {
        entries.push((name.as_str(), stored_block(part, true), crc(part.as_bytes()), part.len()));
    }
    let mut data = stored_block(bomb.before, false);
    let mut sum = crc32fast::Hasher::new();
    sum.update(bomb.before.as_bytes());
    let mut middle = crc32fast::Hasher::new();
    middle.update(bomb.inflated);
    for _ in 0..bomb.times {
        data.extend_from_slice(bomb.deflated);
        sum.combine(&middle);
    }
    sum.update(bomb.after.as_bytes());
    data.extend(stored_block(bomb.after, true));
    let size = bomb.before.len()
        + bomb.inflated.len() * usize::try_from(bomb.times).unwrap()
        + bomb.after.len();
    entries.push((bomb.name, data, sum.finalize(), size));

    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, data, sum, size) in &entries {
        let mut common = Vec::new();
        // version, flags, deflated, time, date
        for field in [20_u16, 0, 8, 0, 0x21] {
            common.extend(field.to_le_bytes());
        }
        for field in [*sum, u32::try_from(data.len()).unwrap(), u32::try_from(*size).unwrap()] {
            common.extend(field.to_le_bytes());
        }
        for field in [u16::try_from(name.len()).unwrap(), 0] {
            common.extend(field.to_le_bytes());
        }
        let offset = u32::try_from(archive.len()).unwrap();
        archive.extend(0x0403_4B50_u32.to_le_bytes());
        archive.extend(&common);
        archive.extend(name.bytes());
        archive.extend(data);
        directory.extend(0x0201_4B50_u32.to_le_bytes());
        directory.extend(20_u16.to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.bytes());
    }
    let offset = u32::try_from(archive.len()).unwrap();
    archive.extend(&directory);
    archive.extend(0x0605_4B50_u32.to_le_bytes());
    archive.extend([0; 4]);
    let count = u16::try_from(entries.len()).unwrap();
    archive.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    archive.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    archive.extend(offset.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

fn crc(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

/// A block of a deflate stream that is not compressed.
fn stored_block(text: &str, is_last: bool) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut block = vec![u8::from(is_last)];
    block.extend(length.to_le_bytes());
    block.extend((!length).to_le_bytes());
    block.extend(text.bytes());
    block
}
