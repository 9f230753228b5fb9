//! The ZIP archive around a workbook: parts by name, unpacked as a stream under ceilings.
//!
//! What the archive says of its sizes is not believed: unpacked bytes are counted as they come.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::result::ZipError;

use super::fault::Fault;
use super::limits::WorkbookLimits;
use super::xml::{Bytes, Xml};

/// From here on the ratio of unpacked to packed bytes counts.
const RATIO_FROM: u64 = 16 * 1024 * 1024;
/// How far before its end an archive's directory may be announced: a comment and two records.
const TAIL_BYTES: u64 = 64 * 1024 + 64;
/// The record of archives with more entries or bytes than any workbook has.
const ZIP64: &[u8] = b"PK\x06\x07";

/// An opened archive.
pub(in crate::source) struct Package<R> {
    archive: ZipArchive<R>,
    /// By lower-case path, with forward slashes.
    parts: BTreeMap<String, usize>,
    limits: WorkbookLimits,
    unpacked: u64,
}

impl<R: Read + Seek> Package<R> {
    pub(in crate::source) fn open(mut input: R, limits: &WorkbookLimits) -> Result<Self, Fault> {
        let bytes = input.seek(SeekFrom::End(0))?;
        if bytes > limits.file_bytes {
            return Err(Fault::ceiling(format!("more than {} bytes", limits.file_bytes)));
        }
        input.seek(SeekFrom::Start(bytes.saturating_sub(TAIL_BYTES)))?;
        let mut tail = Vec::new();
        input.by_ref().take(TAIL_BYTES).read_to_end(&mut tail)?;
        if memchr::memmem::find(&tail, ZIP64).is_some() {
            return Err(too_many_entries(limits));
        }
        drop(tail);
        let mut archive = ZipArchive::new(input).map_err(fault)?;
        if archive.len() > limits.entries {
            return Err(too_many_entries(limits));
        }
        if archive.has_overlapping_entries().map_err(fault)? {
            return Err(Fault::broken("entries of the ZIP archive share bytes"));
        }
        let mut parts = BTreeMap::new();
        for index in 0..archive.len() {
            let Some(Ok(name)) = archive.name_for_index(index) else { continue };
            let name = name.replace('\\', "/");
            let name = name.trim_start_matches('/').to_lowercase();
            if parts.insert(name, index).is_some() {
                return Err(Fault::broken("two entries of the ZIP archive have one name"));
            }
        }
        Ok(Self { archive, parts, limits: *limits, unpacked: 0 })
    }

    pub(super) const fn limits(&self) -> &WorkbookLimits {
        &self.limits
    }

    pub(in crate::source) fn has(&self, path: &str) -> bool {
        self.parts.contains_key(&path.to_lowercase())
    }

    /// Whether there is anything in a folder, such as `xl/`.
    pub(in crate::source) fn has_folder(&self, folder: &str) -> bool {
        let bounds = (std::ops::Bound::Included(folder), std::ops::Bound::Unbounded);
        let mut from = self.parts.range::<str, _>(bounds);
        from.next().is_some_and(|(path, _)| path.starts_with(folder))
    }

    /// A part as a stream; `None` when there is none of that name.
    pub(super) fn part(&mut self, path: &str) -> Result<Option<Part<'_, R>>, Fault> {
        let most = self.limits.part_bytes;
        self.part_up_to(path, most)
    }

    /// The same for a part that is small in every honest workbook.
    pub(in crate::source) fn small_part(
        &mut self,
        path: &str,
    ) -> Result<Option<Part<'_, R>>, Fault> {
        let most = self.limits.small_part_bytes;
        self.part_up_to(path, most)
    }

    /// A part as XML.
    pub(super) fn xml(&mut self, path: &str) -> Result<Option<Xml<Part<'_, R>>>, Fault> {
        let limits = self.limits;
        Ok(self.part(path)?.map(|part| Xml::new(part, &limits)))
    }

    /// A small part as XML.
    pub(super) fn small_xml(&mut self, path: &str) -> Result<Option<Xml<Part<'_, R>>>, Fault> {
        let limits = self.limits;
        Ok(self.small_part(path)?.map(|part| Xml::new(part, &limits)))
    }

    fn part_up_to(&mut self, path: &str, most: u64) -> Result<Option<Part<'_, R>>, Fault> {
        let Some(&index) = self.parts.get(&path.to_lowercase()) else { return Ok(None) };
        let file = self.archive.by_index(index).map_err(fault)?;
        Ok(Some(Part {
            packed: file.compressed_size().max(1),
            file,
            unpacked: 0,
            total: &mut self.unpacked,
            most,
            limits: self.limits,
        }))
    }
}

/// A part that is being unpacked.
pub(in crate::source) struct Part<'a, R: Read> {
    file: zip::read::ZipFile<'a, R>,
    packed: u64,
    unpacked: u64,
    total: &'a mut u64,
    most: u64,
    limits: WorkbookLimits,
}

impl<R: Read> Bytes for Part<'_, R> {
    fn read_some(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        let count = loop {
            match self.file.read(into) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let read = u64::try_from(count).unwrap_or(u64::MAX);
        self.unpacked = self.unpacked.saturating_add(read);
        *self.total = self.total.saturating_add(read);
        if self.unpacked > self.most {
            return Err(Fault::ceiling(format!(
                "a part of more than {} bytes once unpacked",
                self.most
            )));
        }
        if *self.total > self.limits.total_bytes {
            return Err(Fault::ceiling(format!(
                "more than {} bytes once unpacked",
                self.limits.total_bytes
            )));
        }
        if self.unpacked > RATIO_FROM && self.unpacked / self.packed > self.limits.ratio {
            return Err(Fault::ceiling(format!(
                "a part that unpacks to more than {} times its size",
                self.limits.ratio
            )));
        }
        Ok(count)
    }
}

impl<R: Read> Part<'_, R> {
    /// The first bytes of the part.
    pub(in crate::source) fn beginning(mut self, count: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; count];
        let mut at = 0;
        while let Some(room) = bytes.get_mut(at..).filter(|room| !room.is_empty()) {
            match self.read_some(room)? {
                0 => break,
                count => at += count,
            }
        }
        bytes.truncate(at);
        Ok(bytes)
    }
}

fn too_many_entries(limits: &WorkbookLimits) -> Fault {
    Fault::ceiling(format!("more than {} entries in its ZIP archive", limits.entries))
}

fn fault(error: ZipError) -> Fault {
    match error {
        ZipError::Io(error) => error.into(),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Fault::refused(
            "source.encrypted",
            "the ZIP archive is encrypted",
            "export the workbook without a password",
        ),
        ZipError::CompressionMethodNotSupported(_) | ZipError::UnsupportedArchive(_) => {
            Fault::broken("its ZIP archive is packed in a way that no workbook is")
        }
        _ => Fault::broken("its ZIP archive cannot be read"),
    }
}
