//! The first look at a file: what it is, which file it is, and how its rows are read.
//!
//! A text file is read where it is, once for each pass. A workbook is read once, into a spool: a
//! temporary file without a name that holds the mapped columns only and is gone with this process.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom};

use secrecy::ExposeSecret;

use crate::domain::{ColumnUse, Place};
use crate::intake::file::Proof;
use crate::intake::reasons::Locator;
use crate::intake::{Feed, SourceFile};
use crate::source::{
    Begun, FileKind, Finding, Format, Shape, SourceError, SpoolRequest, Table, WorkbookLimits,
    WorkbookShape, kind_of_file, spool,
};

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
    /// What was found out.
    pub(super) findings: Vec<Finding>,
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
        let (kind, format, mut odd) = kind_and_format(file, feed, &name)?;
        file.begin(with_digest)?;
        if format == Format::Xlsx {
            let digest = file.digest()?;
            let proof = file.proof()?;
            let (shape, spool) = spool_workbook(file, kind, feed, &columns, &name)?;
            odd.extend(shape.findings.iter().cloned());
            // nothing reads the workbook again, so it is proved here that it stayed the same
            file.begin(false)?;
            if file.proof()? != proof {
                return Err(changed(&name));
            }
            let shape = Shape::Workbook(shape);
            return Ok(Self { digest, proof, shape, spool: Some(spool), columns, findings: odd });
        }
        let shape = Shape::find(&mut *file, format, &feed.format, &columns, feed.limits, &name)?;
        odd.extend(shape.findings().iter().cloned());
        let digest = file.digest()?;
        let proof = file.proof()?;
        Ok(Self { digest, proof, shape, spool: None, columns, findings: odd })
    }

    /// Reads the rows of a text file at once, as its beginning says, instead of looking at all of it
    /// first; gives what `each` made of them, from the first to the last. `None` when the file is not
    /// what its beginning seems to be, or is refused: what is wrong with it, [`look`](Self::look) and
    /// [`read`](Self::read) say.
    pub(super) fn read_at_once<T>(
        file: &mut SourceFile,
        feed: &Feed,
        with_digest: bool,
        each: impl FnOnce(&mut Table<'_, &mut dyn ReadSeek>, &Place) -> Result<T, SourceError>,
    ) -> Option<(Self, T)> {
        let columns = feed.columns();
        let name = file.name().to_owned();
        let (_, format, mut findings) = kind_and_format(file, feed, &name).ok()?;
        if format != Format::Csv {
            return None;
        }
        file.begin(with_digest).ok()?;
        let mut begun = Begun::of(&mut *file).ok()?;
        let limits = feed.limits;
        let shape = Shape::guess(begun.beginning(), format, &feed.format, &columns, limits, &name)?;
        let input: &mut dyn ReadSeek = &mut begun;
        let mut table = Table::open(input, &shape, &feed.format, &columns, limits, &name).ok()?;
        let made = each(&mut table, &Place::file(&name)).ok()?;
        drop(table);
        let shape = shape.confirmed(begun.has_letters()?)?;
        findings.extend(shape.findings().iter().cloned());
        let digest = file.digest().ok()?;
        let proof = file.proof().ok()?;
        Some((Self { digest, proof, shape, spool: None, columns, findings }, made))
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
        each: impl FnOnce(&mut Table<'_, &mut dyn ReadSeek>) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let name = file.name().to_owned();
        if let Some(spool) = &self.spool {
            let mut spool = spool;
            spool.seek(SeekFrom::Start(0))?;
            let input: &mut dyn ReadSeek = &mut spool;
            let mut table =
                Table::open(input, &self.shape, &feed.format, &self.columns, feed.limits, &name)?;
            return each(&mut table);
        }
        file.begin(false)?;
        let input: &mut dyn ReadSeek = &mut *file;
        let mut table =
            Table::open(input, &self.shape, &feed.format, &self.columns, feed.limits, &name)?;
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

/// What a file is by its beginning, how it is read, and whether its name says something else.
fn kind_and_format(
    file: &mut SourceFile,
    feed: &Feed,
    name: &str,
) -> Result<(FileKind, Format, Vec<Finding>), SourceError> {
    if file.size() > feed.limits.file_bytes {
        let most = feed.limits.file_bytes;
        return Err(SourceError::refused(
            "source.too-large",
            Place::file(name),
            format!("the file is larger than {most} bytes"),
            "split the export",
        ));
    }
    let kind = kind_of_file(file.raw()?)?;
    let format = format_of(kind, feed, name)?;
    let odd = kind.mismatch(name).map(|message| Finding {
        code: "source.kind",
        place: Place::file(name),
        message,
        is_odd: true,
    });
    Ok((kind, format, odd.into_iter().collect()))
}

/// How a file of this kind is read by this source.
fn format_of(kind: FileKind, feed: &Feed, file: &str) -> Result<Format, SourceError> {
    let Some(found) = kind.format() else {
        return Err(SourceError::refused(
            "source.kind",
            Place::file(file),
            format!("the file is {}, which is not read", kind.words()),
            "export it as CSV, as a workbook (XLSX, XLSB, XLS, ODS) or as JSON",
        ));
    };
    match (feed.format.format, found) {
        (None, found) => Ok(found),
        // NDJSON may begin in ways of its own, and its reader says what is wrong with it
        (Some(Format::Json), Format::Csv) => Ok(Format::Json),
        (Some(stated), found) if stated == found => Ok(found),
        (Some(stated), _) => Err(SourceError::refused(
            "source.kind",
            Place::file(file),
            format!(
                "the file is {}, but the source's `format` is `{}`",
                kind.words(),
                stated.as_str()
            ),
            "export it in that format, or leave out `format`: a file's content says what it is",
        )),
    }
}

/// Reads a workbook into a temporary file that has no name, mapped columns only.
fn spool_workbook(
    file: &mut SourceFile,
    kind: FileKind,
    feed: &Feed,
    columns: &[ColumnUse],
    name: &str,
) -> Result<(WorkbookShape, File), SourceError> {
    let password = match (&feed.password, kind) {
        (Some(password), FileKind::Encrypted) => Some(password.get().map_err(|reason| {
            SourceError::refused(
                "source.encrypted",
                Place::file(name),
                format!("the workbook is encrypted, and its password cannot be had: {reason}"),
                "set what `xlsx = { password = … }` of the source refers to",
            )
        })?),
        _ => None,
    };
    let request = SpoolRequest {
        kind,
        config: &feed.format.xlsx,
        columns,
        trailer: feed.format.trailer.as_ref(),
        limits: &WorkbookLimits::default(),
        password: password.as_ref().map(ExposeSecret::expose_secret),
        file: name,
    };
    let mut rows = BufWriter::new(tempfile::tempfile()?);
    let shape = spool(file.raw()?, &request, &mut rows)?;
    let rows = rows.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    Ok((shape, rows))
}
