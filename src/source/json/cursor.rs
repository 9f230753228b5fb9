//! A place in a document, between its values: goes into objects and lists, and over values.

use std::io::Read;

use crate::source::json::DEPTH;
use crate::source::json::token::{self, FaultKind};
use crate::source::json::walk::{Listener, Nobody, Progress, Walker};
use crate::source::json::window::Window;
use crate::source::{Limits, SourceError};

/// Marks at the beginning of encodings that no JSON file is in; the longer ones first.
const FOREIGN_MARKS: [(&[u8], &str); 4] = [
    (&[0xFF, 0xFE, 0x00, 0x00], "UTF-32"),
    (&[0x00, 0x00, 0xFE, 0xFF], "UTF-32"),
    (&[0xFF, 0xFE], "UTF-16"),
    (&[0xFE, 0xFF], "UTF-16"),
];
const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

pub(super) struct Cursor<R> {
    window: Window<R>,
    walker: Walker,
    /// Objects and lists around this place.
    depth: usize,
}

impl<R: Read> Cursor<R> {
    /// The beginning of a document, after its byte-order mark.
    pub(super) fn new(mut window: Window<R>) -> Result<Self, SourceError> {
        window.more()?;
        let bytes = window.bytes();
        let foreign = FOREIGN_MARKS.iter().find(|(mark, _)| bytes.starts_with(mark));
        // any JSON text begins with two ASCII characters, unless it is one digit
        let has_nul = bytes.iter().take(4).any(|byte| *byte == 0);
        if foreign.is_some() || has_nul {
            let what = match foreign {
                Some((_, name)) => format!("the file is {name} by its byte-order mark"),
                None => "the file begins with NUL bytes, as UTF-16 does".to_owned(),
            };
            return Err(SourceError::refused(
                "source.encoding",
                window.file(),
                format!("{what}; JSON is UTF-8"),
                "export the file as UTF-8; JSON is always UTF-8 (RFC 8259, section 8.1)",
            ));
        }
        if bytes.starts_with(UTF8_MARK) {
            window.pass(UTF8_MARK.len());
        }
        let walker = Walker::new(window.limits().field_bytes);
        Ok(Self { window, walker, depth: 0 })
    }

    pub(super) const fn limits(&self) -> &Limits {
        self.window.limits()
    }

    pub(super) const fn window(&self) -> &Window<R> {
        &self.window
    }

    /// The line of this place, from 1.
    pub(super) fn line(&mut self) -> u64 {
        self.window.line()
    }

    /// The next byte that is not blank, which stays where it is; `None` at the end of the file.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, SourceError> {
        loop {
            let bytes = self.window.bytes();
            let blanks = token::blanks(bytes, 0);
            if let Some(&byte) = bytes.get(blanks) {
                self.window.pass(blanks);
                return Ok(Some(byte));
            }
            self.window.pass(blanks);
            if !self.window.more()? {
                return Ok(None);
            }
        }
    }

    /// The next byte, where the document cannot end.
    pub(super) fn need(&mut self, inside: &'static str) -> Result<u8, SourceError> {
        match self.peek()? {
            Some(byte) => Ok(byte),
            None => Err(self.window.cut_off(inside)),
        }
    }

    /// Refuses the file because something else belongs here.
    pub(super) fn expected(&mut self, what: &'static str) -> SourceError {
        self.window.refuse(FaultKind::Expected(what).at(0))
    }

    /// Goes into the object or list that begins here.
    pub(super) fn open(&mut self) -> Result<(), SourceError> {
        if self.depth >= DEPTH {
            return Err(self.window.refuse(FaultKind::TooDeep.at(0)));
        }
        self.depth += 1;
        self.window.pass(1);
        Ok(())
    }

    /// Goes on to the next member or element, or out at the end: then it is false.
    pub(super) fn next(&mut self, is_object: bool, is_first: bool) -> Result<bool, SourceError> {
        let (inside, end) =
            if is_object { ("inside an object", b'}') } else { ("inside a list", b']') };
        let byte = self.need(inside)?;
        if byte == end {
            self.window.pass(1);
            self.depth -= 1;
            return Ok(false);
        }
        if !is_first {
            if byte != b',' {
                return Err(self.expected(if is_object {
                    "a comma or `}`"
                } else {
                    "a comma or `]`"
                }));
            }
            self.window.pass(1);
            self.need(inside)?;
        }
        Ok(true)
    }

    /// Reads a member's name and its colon.
    pub(super) fn name(&mut self) -> Result<String, SourceError> {
        if self.need("inside an object")? != b'"' {
            return Err(self.expected("the name of a member in quotes"));
        }
        let most = self.limits().field_bytes;
        let text = loop {
            let was_last = self.window.is_last();
            match token::string(self.window.bytes(), 0, most) {
                Ok(Some(text)) => break text,
                Ok(None) if was_last => return Err(self.window.cut_off("inside an object")),
                Ok(None) => {
                    self.window.more()?;
                }
                Err(fault) => return Err(self.window.refuse(fault)),
            }
        };
        let length = text.inside.end + 1;
        let mut name = Vec::new();
        token::decode(self.window.bytes().get(text.inside).unwrap_or_default(), &mut name);
        let name =
            String::from_utf8(name).map_err(|_| self.window.refuse(FaultKind::NotUtf8.at(0)))?;
        self.window.pass(length);
        if self.need("inside an object")? != b':' {
            return Err(self.expected("a colon"));
        }
        self.window.pass(1);
        self.need("inside an object")?;
        Ok(name)
    }

    /// Passes over a value of any size.
    pub(super) fn skip(&mut self) -> Result<(), SourceError> {
        self.need("where a value belongs")?;
        self.walker.begin(self.depth);
        loop {
            let was_last = self.window.is_last();
            match self.walker.run(self.window.bytes(), was_last, &mut Nobody) {
                Ok(Progress::Done(length)) => {
                    self.check_utf8(length)?;
                    self.window.pass(length);
                    return Ok(());
                }
                Ok(Progress::More) if was_last => return Err(self.cut_off()),
                Ok(Progress::More) => {
                    let done = self.walker.done();
                    self.check_utf8(done)?;
                    self.window.pass(done);
                    self.walker.passed();
                    self.window.more()?;
                }
                Err(fault) => return Err(self.window.refuse(fault)),
            }
        }
    }

    /// Reads the record that begins here and leaves it in the window, for [`Self::pass`]; gives its
    /// length.
    pub(super) fn record(&mut self, to: &mut impl Listener) -> Result<usize, SourceError> {
        self.walker.begin(self.depth);
        let most = self.limits().record_bytes;
        loop {
            let was_last = self.window.is_last();
            match self.walker.run(self.window.bytes(), was_last, to) {
                Ok(Progress::Done(length)) => {
                    if length > most {
                        return Err(self.window.record_too_large());
                    }
                    self.check_utf8(length)?;
                    return Ok(length);
                }
                Ok(Progress::More) if self.window.bytes().len() > most => {
                    return Err(self.window.record_too_large());
                }
                Ok(Progress::More) if was_last => return Err(self.cut_off()),
                Ok(Progress::More) => {
                    self.window.more()?;
                }
                Err(fault) => return Err(self.window.refuse(fault)),
            }
        }
    }

    /// Passes over bytes that were read.
    pub(super) fn pass(&mut self, length: usize) {
        self.window.pass(length);
    }

    fn cut_off(&mut self) -> SourceError {
        let inside = self.walker.inside();
        self.window.cut_off(inside)
    }

    fn check_utf8(&mut self, length: usize) -> Result<(), SourceError> {
        let bytes = self.window.bytes().get(..length).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.window.refuse(FaultKind::NotUtf8.at(error.valid_up_to()))),
        }
    }
}
