//! A file that is digested while it is read, so that both passes prove to have read the same bytes.

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
    hash: Sha256,
    read: Arc<AtomicU64>,
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
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        regular(&metadata)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self {
            file,
            name,
            size: metadata.len(),
            hash: Sha256::new(),
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

    /// SHA-256 of what was read since the last seek to the beginning; the whole file once the end
    /// was reached.
    ///
    /// # Errors
    ///
    /// When the rest cannot be read.
    pub fn digest(&mut self) -> std::io::Result<[u8; 32]> {
        let mut rest = [0; 16 * 1024];
        while self.read(&mut rest)? > 0 {}
        Ok(self.hash.clone().finalize().into())
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
        self.hash.update(buffer.get(..count).unwrap_or_default());
        self.read.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for SourceFile {
    /// Only to the beginning, which starts the digest anew.
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        if to != SeekFrom::Start(0) {
            return Err(std::io::Error::other("a source file is only rewound"));
        }
        self.hash = Sha256::new();
        self.file.seek(to)
    }
}
