//! From a document to its records, one after the other.

use std::io::Read;

use crate::source::json::cursor::Cursor;
use crate::source::json::tree::pointer;
use crate::source::json::walk::Listener;
use crate::source::json::window::Window;
use crate::source::{Limits, SourceError};

/// Most names that a refusal lists.
const NAMED: usize = 10;

/// How the records lie in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// One after the other: NDJSON.
    Sequence,
    /// In the list at the end of this path; the empty path is the document itself. An object in
    /// its place is the only record.
    Within(Vec<String>),
}

/// A record, still in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// The header would be 1.
    pub(super) row: u64,
    pub(super) line: u64,
    /// Bytes; 0 where it is no object, and gone already.
    pub(super) length: usize,
}

impl Found {
    pub(super) const fn is_object(&self) -> bool {
        self.length > 0
    }
}

enum State {
    Start,
    Sequence,
    List {
        is_first: bool,
    },
    /// The only record comes.
    Single,
    /// The records are over.
    After,
    End,
}

/// What was gone into on the way to the records.
enum Level {
    Object(String),
    List,
}

/// Streams records.
pub(super) struct Records<R> {
    cursor: Cursor<R>,
    way: Way,
    state: State,
    levels: Vec<Level>,
    pending: usize,
    rows: u64,
}

impl<R: Read> Records<R> {
    pub(super) fn new(window: Window<R>, way: Way) -> Result<Self, SourceError> {
        let cursor = Cursor::new(window)?;
        Ok(Self { cursor, way, state: State::Start, levels: Vec::new(), pending: 0, rows: 0 })
    }

    /// Records so far.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// The bytes of a record that was found just now.
    pub(super) fn text(&self, found: Found) -> &str {
        let bytes = self.cursor.window().bytes().get(..found.length).unwrap_or_default();
        // looked at already
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Reads the next record and tells it to `to`; `None` at the end of the document, after which
    /// nothing follows.
    pub(super) fn next(&mut self, to: &mut impl Listener) -> Result<Option<Found>, SourceError> {
        self.cursor.pass(self.pending);
        self.pending = 0;
        loop {
            match self.state {
                State::Start => self.start()?,
                State::Sequence => {
                    let Some(byte) = self.cursor.peek()? else {
                        self.state = State::End;
                        continue;
                    };
                    return self.found(byte, to).map(Some);
                }
                State::List { is_first } => {
                    if !self.cursor.next(false, is_first)? {
                        self.state = State::After;
                        continue;
                    }
                    self.state = State::List { is_first: false };
                    let byte = self.cursor.need("inside a list")?;
                    return self.found(byte, to).map(Some);
                }
                State::Single => {
                    self.state = State::After;
                    return self.found(b'{', to).map(Some);
                }
                State::After => {
                    self.finish()?;
                    self.state = State::End;
                }
                State::End => return Ok(None),
            }
        }
    }

    fn found(&mut self, byte: u8, to: &mut impl Listener) -> Result<Found, SourceError> {
        let line = self.cursor.line();
        self.rows += 1;
        let Limits { rows, .. } = *self.cursor.limits();
        if self.rows > u64::from(rows) {
            return Err(SourceError::refused(
                "source.too-many-rows",
                self.cursor.window().file().at_line(line),
                format!("the file has more than {rows} rows"),
                "split the export",
            ));
        }
        let length = if byte == b'{' {
            self.cursor.record(to)?
        } else {
            self.cursor.skip()?;
            0
        };
        self.pending = length;
        Ok(Found { row: self.rows + 1, line, length })
    }

    fn start(&mut self) -> Result<(), SourceError> {
        let Way::Within(path) = &self.way else {
            self.state = State::Sequence;
            return Ok(());
        };
        for (depth, name) in path.clone().iter().enumerate() {
            match self.cursor.need("before its records")? {
                b'{' => self.enter_object(depth, name)?,
                b'[' => self.enter_list(depth, name)?,
                _ => return Err(self.no_records(depth, "is neither an object nor a list", &[])),
            }
        }
        match self.cursor.need("before its records")? {
            b'[' => {
                self.cursor.open()?;
                self.state = State::List { is_first: true };
            }
            b'{' => self.state = State::Single,
            _ => {
                let depth = path_length(&self.way);
                return Err(self.no_records(depth, "is no list of records", &[]));
            }
        }
        Ok(())
    }

    fn enter_object(&mut self, depth: usize, wanted: &str) -> Result<(), SourceError> {
        self.cursor.open()?;
        let mut names = Vec::new();
        while self.cursor.next(true, names.is_empty())? {
            let name = self.cursor.name()?;
            if name == wanted {
                self.levels.push(Level::Object(name));
                return Ok(());
            }
            // one more than is told, to know that there are more
            if names.len() <= NAMED {
                names.push(name);
            }
            self.cursor.skip()?;
        }
        Err(self.no_records(depth, &format!("has no member `{wanted}`"), &names))
    }

    fn enter_list(&mut self, depth: usize, wanted: &str) -> Result<(), SourceError> {
        self.cursor.open()?;
        let mut at = 0_u64;
        while self.cursor.next(false, at == 0)? {
            if wanted == at.to_string() {
                self.levels.push(Level::List);
                return Ok(());
            }
            self.cursor.skip()?;
            at += 1;
        }
        Err(self.no_records(depth, &format!("has no element `{wanted}`"), &[]))
    }

    /// Reads what follows the records, to the end of the file.
    fn finish(&mut self) -> Result<(), SourceError> {
        while let Some(level) = self.levels.pop() {
            let is_object = matches!(level, Level::Object(_));
            while self.cursor.next(is_object, false)? {
                if let Level::Object(wanted) = &level
                    && self.cursor.name()? == *wanted
                {
                    let line = self.cursor.line();
                    return Err(SourceError::refused(
                        "source.duplicate-key",
                        self.cursor.window().file().at_line(line),
                        format!(
                            "the member `{wanted}`, which leads to the records, is there twice"
                        ),
                        "export the file again, with one list of records",
                    ));
                }
                self.cursor.skip()?;
            }
        }
        match self.cursor.peek()? {
            None => Ok(()),
            Some(_) => Err(self.cursor.expected("the end of the file")),
        }
    }

    fn no_records(&mut self, depth: usize, what: &str, names: &[String]) -> SourceError {
        let path = match &self.way {
            Way::Within(path) => path.get(..depth).unwrap_or_default(),
            Way::Sequence => &[],
        };
        let place = if path.is_empty() {
            "the document".to_owned()
        } else {
            format!("`{}`", pointer(path))
        };
        let line = self.cursor.line();
        SourceError::refused(
            "source.no-records",
            self.cursor.window().file().at_line(line),
            format!("{place} {what}{}", listed(names)),
            "set `json = { records = \"…\" }` of the source to the JSON Pointer of the list",
        )
    }
}

const fn path_length(way: &Way) -> usize {
    match way {
        Way::Sequence => 0,
        Way::Within(path) => path.len(),
    }
}

/// `; there are …`
pub(super) fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > NAMED { ", …" } else { "" };
    format!("; there are {}{more}", shown.join(", "))
}
