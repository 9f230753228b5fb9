//! The cell formats of a workbook, as far as they say what a number is.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::fault::Fault;
use super::format::NumberFormat;
use super::limits::WorkbookLimits;
use super::package::Package;
use super::text::decoded;
use super::xml::{Bytes, Token, Xml};

/// Number formats by cell format.
#[derive(Debug, Default)]
pub(super) struct Styles {
    /// For each cell format, its place in `formats`.
    cells: Vec<usize>,
    formats: Vec<NumberFormat>,
}

impl Styles {
    /// Reads them; a workbook without that part has none.
    pub(super) fn read<R: Read + Seek>(
        package: &mut Package<R>,
        path: Option<&str>,
    ) -> Result<Self, Fault> {
        let limits = *package.limits();
        match path.map(|path| package.small_xml(path)).transpose()?.flatten() {
            Some(mut xml) => Self::from_xml(&mut xml, &limits),
            None => Ok(Self::default()),
        }
    }

    fn from_xml<B: Bytes>(xml: &mut Xml<B>, limits: &WorkbookLimits) -> Result<Self, Fault> {
        let mut builder = StylesBuilder::new(limits.styles);
        let mut is_among_cells = false;
        loop {
            match xml.next()? {
                Token::Open(tag) => match tag.name {
                    b"numFmt" => {
                        let id = tag.attribute(b"numFmtId").and_then(number);
                        let code = tag.attribute(b"formatCode").map(decoded).transpose()?;
                        if let (Some(id), Some(code)) = (id, code) {
                            builder.format(id, NumberFormat::of(&code))?;
                        }
                    }
                    b"cellXfs" => is_among_cells = !tag.is_empty,
                    b"xf" if is_among_cells => {
                        builder.cell(tag.attribute(b"numFmtId").and_then(number).unwrap_or(0))?;
                    }
                    _ => {}
                },
                Token::Close(b"cellXfs") => is_among_cells = false,
                Token::End => return Ok(builder.finish()),
                _ => {}
            }
        }
    }

    /// The number format of a cell format.
    #[inline]
    pub(super) fn format(&self, style: usize) -> &NumberFormat {
        let format = self.cells.get(style).and_then(|&place| self.formats.get(place));
        format.unwrap_or(&NumberFormat::Number)
    }
}

/// Collects formats; a cell format may come before the number format that it names.
pub(super) struct StylesBuilder {
    custom: BTreeMap<u32, NumberFormat>,
    cells: Vec<u32>,
    most: usize,
}

impl StylesBuilder {
    pub(super) const fn new(most: usize) -> Self {
        Self { custom: BTreeMap::new(), cells: Vec::new(), most }
    }

    /// Notes a number format.
    pub(super) fn format(&mut self, id: u32, format: NumberFormat) -> Result<(), Fault> {
        self.custom.insert(id, format);
        self.check(self.custom.len())
    }

    /// Notes the next cell format by its number format.
    pub(super) fn cell(&mut self, id: u32) -> Result<(), Fault> {
        self.cells.push(id);
        self.check(self.cells.len())
    }

    fn check(&self, count: usize) -> Result<(), Fault> {
        if count > self.most {
            return Err(Fault::ceiling(format!("more than {} cell formats", self.most)));
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Styles {
        let mut styles = Styles::default();
        let mut places = BTreeMap::new();
        for id in self.cells {
            let place = *places.entry(id).or_insert_with(|| {
                let format = self.custom.remove(&id);
                styles.formats.push(format.unwrap_or_else(|| NumberFormat::built_in(id)));
                styles.formats.len() - 1
            });
            styles.cells.push(place);
        }
        styles
    }
}

/// A whole number in an attribute.
pub(super) fn number(raw: &[u8]) -> Option<u32> {
    std::str::from_utf8(raw).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cell_formats_point_to_number_formats() {
        let part = br#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="000000"/>
            <numFmt numFmtId="165" formatCode="&quot;T&quot;000"/></numFmts>
            <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
            <cellXfs count="4"><xf/><xf numFmtId="164"/><xf numFmtId="14"><alignment/></xf>
            <xf numFmtId="165"/></cellXfs><dxfs><xf numFmtId="14"/></dxfs></styleSheet>"#;
        let limits = WorkbookLimits::default();
        let styles = Styles::from_xml(&mut Xml::new(&part[..], &limits), &limits).unwrap();
        assert_eq!(styles.format(0), &NumberFormat::Number);
        assert!(matches!(styles.format(1), NumberFormat::Zeros(_)));
        assert_eq!(styles.format(2), &NumberFormat::Date);
        assert!(matches!(styles.format(3), NumberFormat::Zeros(_)));
        assert_eq!(styles.format(4), &NumberFormat::Number);
    }
}
