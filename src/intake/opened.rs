//! The first look at a file: what it is, which file it is, and how its rows are read.
//!
//! A text file is read where it is, once for each pass. A workbook is read once, into a spool: a
//! temporary file without a name that holds the mapped columns only and is gone with this process.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::domain::{ColumnUse, Place};
use crate::intake::file::Proof;
use crate::intake::reasons::Locator;
use crate::intake::{Feed, SourceFile};
use crate::source::{Finding, Shape, SourceError, Table};

/// A file whose rows can be read, any number of times.
#[derive(Debug)]
pub(super) struct Opened {
    /// SHA-256 of the file; zeros where nobody asked for it.
    pub(super) digest: [u8; 32],
    proof: Proof,
    shape: Shape,
    /// A workbook's rows.
    spool: Option<File>,
    columns: Vec<ColumnUse>,
}

impl Opened {
    /// Looks through a file.
    ///
    /// # Errors
    ///
    /// When the file is refused.
    pub(super) fn look(
        file: &mut SourceFile,
        feed: &Feed,
        with_digest: bool,
    ) -> Result<Self, SourceError> {
        let columns = feed.columns();
        let name = file.name().to_owned();
        file.begin(with_digest)?;
        let format = feed.format.format.unwrap_or(crate::source::Format::Csv);
        let shape = Shape::find(&mut *file, format, &feed.format, &columns, feed.limits, &name)?;
        let digest = file.digest()?;
        let proof = file.proof()?;
        Ok(Self { digest, proof, shape, spool: None, columns })
    }

    /// What was found out.
    pub(super) fn findings(&self) -> &[Finding] {
        self.shape.findings()
    }

    /// What messages call the place of a row.
    pub(super) fn locator(&self) -> Locator {
        match self.shape.sheet() {
            Some(sheet) => Locator::Sheet(sheet.to_owned()),
            None => Locator::Line,
        }
    }

    /// The file as a place.
    pub(super) fn place(&self, file: &str) -> Place {
        Place { sheet: self.shape.sheet().map(str::to_owned), ..Place::file(file) }
    }

    /// Reads the rows, from the first to the last that `each` wants, and says whether it wanted all.
    ///
    /// # Errors
    ///
    /// When the file is refused on the way, or is not the file that was looked at.
    pub(super) fn read<T>(
        &self,
        file: &mut SourceFile,
        feed: &Feed,
        each: impl FnOnce(&mut Table<&mut dyn ReadSeek>) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let name = file.name().to_owned();
        if let Some(spool) = &self.spool {
            let mut spool = spool;
            spool.seek(SeekFrom::Start(0))?;
            let input: &mut dyn ReadSeek = &mut spool;
            let mut table = Table::open(input, &self.shape, &self.columns, feed.limits, &name)?;
            return each(&mut table);
        }
        file.begin(false)?;
        let input: &mut dyn ReadSeek = &mut *file;
        let mut table = Table::open(input, &self.shape, &self.columns, feed.limits, &name)?;
        each(&mut table)
    }

    /// Proves that a pass that came to its end read the file that was looked at.
    ///
    /// # Errors
    ///
    /// When it did not.
    pub(super) fn prove(&self, file: &mut SourceFile) -> Result<(), SourceError> {
        if self.spool.is_none() && file.proof()? != self.proof {
            return Err(changed(file.name()));
        }
        Ok(())
    }
}

/// What a table is read from.
pub(super) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

fn changed(file: &str) -> SourceError {
    SourceError::refused(
        "source.changed",
        Place::file(file),
        "the file changed while it was read",
        "wait until the export is written, then try again",
    )
}
