//! A JSON file as rows: one record a row, one cell for every member that any record has.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use crate::domain::{CellFault, CellMark, ColumnKind, ColumnUse, Mark, Place, RecordProblem, Row};
use crate::source::json::headers::Headers;
use crate::source::json::records::{Found, Records};
use crate::source::json::token::{FaultKind, decode};
use crate::source::json::tree::{Node, Tree};
use crate::source::json::walk::{Listener, Scalar};
use crate::source::json::window::Window;
use crate::source::{Finding, JsonShape, Limits, SourceError, SourceRow};

/// Streams the records of a JSON file.
pub struct JsonReader<R> {
    records: Records<R>,
    headers: Headers,
    picker: Picker,
    findings: Vec<Finding>,
    text: String,
    ends: Vec<usize>,
    marks: Vec<Mark>,
    decoded: Vec<u8>,
}

impl<R: Read + Seek> JsonReader<R> {
    /// Reads a file from its beginning, whose shape was found before. Only the cells of `columns`
    /// are filled.
    ///
    /// # Errors
    /// When the bytes cannot be read, or are not those whose shape was found.
    pub fn open(
        mut input: R,
        shape: &JsonShape,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Result<Self, SourceError> {
        input.seek(SeekFrom::Start(0))?;
        Self::of(Window::new(input, limits, file), shape, columns)
    }
}

impl<R: Read> JsonReader<R> {
    pub(super) fn of(
        window: Window<R>,
        shape: &JsonShape,
        columns: &[ColumnUse],
    ) -> Result<Self, SourceError> {
        let headers = Headers::new(&shape.tree, columns, shape.has_all_members);
        let findings = findings(&window.file(), shape, &headers);
        let picker = Picker {
            tree: Arc::clone(&shape.tree),
            seen: vec![0; shape.tree.len()],
            pick_of: headers.pick_of.clone(),
            picks: vec![Pick::Absent; headers.kinds.len()],
            kinds: headers.kinds.clone(),
            repeated: None,
        };
        Ok(Self {
            records: Records::new(window, shape.way.clone())?,
            headers,
            picker,
            findings,
            text: String::new(),
            ends: Vec::new(),
            marks: Vec::new(),
            decoded: Vec::new(),
        })
    }

    /// Paths to all members that hold values; a mapped one is spelled as the mapping spells it.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers.texts
    }

    /// Records read so far, those that cannot be used too.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.records.rows()
    }

    /// What was decided about the file.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The next row, or `None` at the end of the file.
    ///
    /// # Errors
    /// When the file is refused at this place: it is no JSON, it is cut off, it passes a ceiling, or
    /// it is no longer the file whose shape was found.
    pub fn next_row(&mut self) -> Result<Option<SourceRow<'_>>, SourceError> {
        self.picker.clear();
        let Some(found) = self.records.next(&mut self.picker)? else { return Ok(None) };
        let bad = |code, column, message: String, hint: &str| {
            let hint = Some(hint.to_owned());
            let problem = RecordProblem { code, attribute: None, column, message, hint };
            let (row, line) = (found.row, Some(found.line));
            Ok(Some(SourceRow::Bad { row, line, is_ragged: false, problem: Box::new(problem) }))
        };
        if !found.is_object() {
            let message = "the record is no object".to_owned();
            return bad("source.not-a-record", None, message, "export one object for each worker");
        }
        if let Some(node) = self.picker.repeated {
            let path = self.picker.tree.dotted(node);
            let message = format!("the member `{path}` is in the record more than once");
            let hint = "correct what writes the file; which of the values counts, nobody can say";
            return bad("source.duplicate-key", Some(path), message, hint);
        }
        self.assemble(found);
        let row = Row::new(&self.text, &self.ends, found.row, Some(found.line));
        Ok(Some(SourceRow::Row(row.with_marks(&self.marks))))
    }

    /// Puts the picked values into the cells.
    fn assemble(&mut self, found: Found) {
        let record = self.records.text(found);
        self.text.clear();
        self.ends.clear();
        self.marks.clear();
        for slot in &self.headers.slots {
            // cells that nobody reads are empty
            self.ends.resize(slot.header, self.text.len());
            match self.picker.picks.get(slot.pick) {
                Some(Pick::Plain(at)) => {
                    self.text.push_str(record.get(at.clone()).unwrap_or_default());
                }
                Some(Pick::Escaped(at)) => {
                    self.decoded.clear();
                    let inside = record.as_bytes().get(at.clone()).unwrap_or_default();
                    decode(inside, &mut self.decoded);
                    self.text.push_str(std::str::from_utf8(&self.decoded).unwrap_or_default());
                }
                Some(Pick::Unknown(fault)) => {
                    self.marks.push(Mark { cell: slot.header, kind: CellMark::Unknown(*fault) });
                }
                Some(Pick::Absent) if self.headers.needed.get(slot.pick) == Some(&true) => {
                    let kind = CellMark::Unknown(CellFault::Missing);
                    self.marks.push(Mark { cell: slot.header, kind });
                }
                Some(Pick::Absent | Pick::Null) | None => {}
            }
            self.ends.push(self.text.len());
        }
        self.ends.resize(self.headers.texts.len(), self.text.len());
    }
}

fn findings(file: &Place, shape: &JsonShape, headers: &Headers) -> Vec<Finding> {
    let finding = |code, message| Finding { code, place: file.clone(), message, is_odd: false };
    let mut findings =
        vec![finding("source.json-records", format!("the records are {}", shape.words()))];
    for (column, member) in &headers.near {
        let message = format!("the column `{column}` is the member `{member}`");
        findings.push(finding("source.json-member", message));
    }
    findings
}

/// What a record has for a mapped column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pick {
    /// Nothing.
    Absent,
    /// Null.
    Null,
    /// Text of the record, as it stands there.
    Plain(Range<usize>),
    /// The inside of a string with escapes.
    Escaped(Range<usize>),
    Unknown(CellFault),
}

/// Picks the values of mapped columns, and watches for members that are there twice.
struct Picker {
    tree: Arc<Tree>,
    /// For each member, the object it was seen in last.
    seen: Vec<u64>,
    pick_of: Vec<Option<usize>>,
    picks: Vec<Pick>,
    kinds: Vec<ColumnKind>,
    repeated: Option<Node>,
}

impl Picker {
    fn clear(&mut self) {
        self.picks.fill(Pick::Absent);
        self.repeated = None;
    }

    #[inline]
    fn pick(&mut self, node: Node) -> Option<usize> {
        self.pick_of.get(usize::try_from(node).ok()?).copied().flatten()
    }

    fn set(&mut self, pick: usize, value: Pick) {
        if let Some(place) = self.picks.get_mut(pick) {
            *place = value;
        }
    }
}

impl Listener for Picker {
    #[inline]
    fn member(
        &mut self,
        parent: Node,
        last: Option<Node>,
        name: &[u8],
        object: u64,
    ) -> Result<Node, FaultKind> {
        let node = self.tree.find(parent, last, name).ok_or(FaultKind::Changed)?;
        if let Some(seen) = usize::try_from(node).ok().and_then(|at| self.seen.get_mut(at)) {
            if *seen == object {
                self.repeated.get_or_insert(node);
            }
            *seen = object;
        }
        Ok(node)
    }

    #[inline]
    fn value(&mut self, node: Node, kind: Scalar, at: Range<usize>) {
        let Some(pick) = self.pick(node) else { return };
        let is_id = matches!(self.kinds.get(pick), Some(ColumnKind::Id | ColumnKind::Phone));
        let value = match kind {
            // a spreadsheet wrote it: the id is lost
            Scalar::Exponent if is_id => Pick::Unknown(CellFault::Exponent),
            Scalar::Plain | Scalar::Number | Scalar::Exponent | Scalar::Boolean => Pick::Plain(at),
            Scalar::Escaped => Pick::Escaped(at),
            Scalar::Null => Pick::Null,
        };
        self.set(pick, value);
    }

    fn structure(&mut self, node: Node) {
        if let Some(pick) = self.pick(node) {
            self.set(pick, Pick::Unknown(CellFault::Structure));
        }
    }
}
