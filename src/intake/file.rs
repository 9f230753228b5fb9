//! A file that is summed up while it is read, so that both passes prove to have read the same bytes.
//!
//! Two sums, because they answer for different things. The SHA-256 says which file this is, for
//! good and in the store; making it costs half as much as reading the CSV. That the second pass read
//! what the first one did is a matter of seconds and of accidents (an export still being written),
//! so length and CRC-32 prove it at a fraction of that.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// An open source file.
#[derive(Debug)]
pub struct SourceFile {
    file: File,
    name: String,
    size: u64,
    /// Absent in passes whose caller does not ask which file it is.
    hash: Option<Sha256>,
    length: u64,
    sum: crc32fast::Hasher,
    read: Arc<AtomicU64>,
}

/// What was read in a pass; two passes over the same bytes have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proof {
    length: u64,
    crc: u32,
}

impl SourceFile {
    /// Opens a file for both passes. It is opened once: what takes its name later is another file.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or is no regular file.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        // looked at before it is opened: opening a pipe waits for whoever writes into it
        regular(&std::fs::metadata(path)?)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::of(File::open(path)?, name)
    }

    /// An open file, called by a name.
    ///
    /// # Errors
    ///
    /// When it is no regular file.
    pub(super) fn of(file: File, name: String) -> std::io::Result<Self> {
        let metadata = file.metadata()?;
        regular(&metadata)?;
        Ok(Self {
            file,
            name,
            size: metadata.len(),
            hash: Some(Sha256::new()),
            length: 0,
            sum: crc32fast::Hasher::new(),
            read: Arc::new(AtomicU64::new(0)),
        })
    }

    /// Its name without folders.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size in bytes when it was opened.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Counts the bytes read, over both passes; for progress.
    #[must_use]
    pub fn progress(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// SHA-256 of the whole file, as the pass that goes on reads it; zeros in a pass that began
    /// without.
    ///
    /// # Errors
    ///
    /// When the rest cannot be read.
    pub(super) fn digest(&mut self) -> std::io::Result<[u8; 32]> {
        self.read_rest()?;
        Ok(self.hash.clone().map(|hash| hash.finalize().into()).unwrap_or_default())
    }

    /// What this pass read, to the end of the file.
    ///
    /// # Errors
    ///
    /// When the rest cannot be read.
    pub(super) fn proof(&mut self) -> std::io::Result<Proof> {
        self.read_rest()?;
        Ok(Proof { length: self.length, crc: self.sum.clone().finalize() })
    }

    /// Goes back to the beginning for another pass, which makes the SHA-256 or does not.
    ///
    /// # Errors
    ///
    /// When the file cannot be rewound.
    pub(super) fn begin(&mut self, with_digest: bool) -> std::io::Result<()> {
        self.hash = with_digest.then(Sha256::new);
        self.rewind()
    }

    /// The file itself, at its beginning, for whoever has to seek in it. What is read from it is not
    /// summed up.
    ///
    /// # Errors
    ///
    /// When the file cannot be rewound.
    pub(super) fn raw(&mut self) -> std::io::Result<&mut File> {
        self.file.rewind()?;
        Ok(&mut self.file)
    }

    fn read_rest(&mut self) -> std::io::Result<()> {
        let mut rest = [0; 16 * 1024];
        while self.read(&mut rest)? > 0 {}
        Ok(())
    }
}

fn regular(metadata: &Metadata) -> std::io::Result<()> {
    use std::io::{Error, ErrorKind};
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a folder, not a file"));
    }
    if !metadata.is_file() {
        let words = "it is no regular file, and both passes have to read the same bytes";
        return Err(Error::new(ErrorKind::InvalidInput, words));
    }
    Ok(())
}

impl Read for SourceFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        self.sum.update(bytes);
        let count_wide = u64::try_from(count).unwrap_or(0);
        self.length += count_wide;
        self.read.fetch_add(count_wide, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for SourceFile {
    /// Only to the beginning, which starts the sums anew.
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        if to != SeekFrom::Start(0) {
            return Err(std::io::Error::other("a source file is only rewound"));
        }
        if let Some(hash) = &mut self.hash {
            hash.reset();
        }
        self.length = 0;
        self.sum.reset();
        self.file.seek(to)
    }
}
