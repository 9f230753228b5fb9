//! The bytes of a text in UTF-8, a buffer at a time, without their byte-order mark.

use std::io::Read;

use crate::domain::Place;
use crate::source::text::decode::Undecodable;
use crate::source::{Limits, SourceError};

/// Bytes read from the file at a time.
const BUFFER_BYTES: usize = 128 * 1024;
/// How a text in UTF-8 may begin.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Bytes that were read and wait to be looked at, and those that come after them.
pub(super) struct Input<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    /// Bytes before `start`.
    offset: u64,
    bytes_read: u64,
    limit: u64,
    file: String,
}

impl<R: Read> Input<R> {
    pub(super) fn new(inner: R, limits: Limits, file: &str) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            at_end: false,
            offset: 0,
            bytes_read: 0,
            limit: limits.file_bytes,
            file: file.to_owned(),
        }
    }

    /// The bytes that wait.
    #[inline]
    pub(super) fn waiting(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Passes over bytes that waited.
    #[inline]
    pub(super) fn pass(&mut self, count: usize) {
        self.start += count;
        self.offset += u64::try_from(count).unwrap_or(0);
    }

    /// Bytes that were passed over, from the beginning.
    #[inline]
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads more, when none wait; false at the end.
    pub(super) fn fill(&mut self) -> Result<bool, SourceError> {
        if self.at_end {
            return Ok(false);
        }
        let is_first = self.bytes_read == 0;
        self.start = 0;
        self.end = 0;
        // of the beginning so much that a byte-order mark is whole
        let least = if is_first { BYTE_ORDER_MARK.len() } else { 1 };
        while self.end < least {
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.inner.read(room) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.unreadable(error)),
            }
        }
        self.bytes_read += u64::try_from(self.end).unwrap_or(u64::MAX);
        if self.bytes_read > self.limit {
            return Err(SourceError::refused(
                "source.file-too-large",
                Place::file(&self.file),
                format!("the file is larger than {} bytes", self.limit),
                "split the export",
            ));
        }
        if is_first && self.waiting().starts_with(BYTE_ORDER_MARK) {
            self.pass(BYTE_ORDER_MARK.len());
        }
        Ok(!self.waiting().is_empty() || self.fill()?)
    }

    fn unreadable(&self, error: std::io::Error) -> SourceError {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Undecodable>()) {
            Some(undecodable) => SourceError::refused(
                "source.encoding",
                Place::file(&self.file),
                undecodable.to_string(),
                "set the encoding that the file was written in, such as \
                 `csv = { encoding = \"windows-1252\" }`, or export it as UTF-8",
            ),
            None => error.into(),
        }
    }
}
