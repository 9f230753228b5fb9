//! XLSX and XLSM.

use std::io::{Read, Seek};
use std::rc::Rc;

use super::book::Book;
use super::fault::Fault;
use super::limits::WorkbookLimits;
use super::opened::Opened;
use super::package::Package;
use super::sheet::{self, Aside, Rows};
use super::strings::Strings;
use super::styles::Styles;

/// An opened workbook.
pub(super) struct Xlsx<R> {
    package: Package<R>,
    book: Book,
    styles: Rc<Styles>,
    strings: Strings,
}

impl<R: Read + Seek> Xlsx<R> {
    pub(super) fn open(input: R, limits: &WorkbookLimits) -> Result<Self, Fault> {
        let mut package = Package::open(input, limits)?;
        let book = Book::read(&mut package)?;
        let styles = Styles::read(&mut package, book.styles.as_deref())?;
        let strings = Strings::read(&mut package, book.strings.as_deref())?;
        Ok(Self { package, book, styles: Rc::new(styles), strings })
    }
}

impl<R: Read + Seek> Opened for Xlsx<R> {
    fn sheets(&self) -> Vec<(u32, String)> {
        self.book.sheets.iter().map(|sheet| (sheet.number, sheet.name.clone())).collect()
    }

    fn is_1904(&self) -> bool {
        self.book.is_1904
    }

    fn styles(&self) -> Rc<Styles> {
        Rc::clone(&self.styles)
    }

    fn read(&mut self, place: usize, rows: &mut impl Rows) -> Result<Aside, Fault> {
        let limits = *self.package.limits();
        let missing = || Fault::broken("the part of a sheet is missing");
        let sheet = self.book.sheets.get(place).ok_or_else(missing)?;
        let xml = self.package.xml(&sheet.path)?.ok_or_else(missing)?;
        sheet::read(xml, &self.strings, &limits, rows)
    }
}
