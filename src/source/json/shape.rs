//! The first look at a JSON file: where its records are, which members they have, and whether it is
//! whole and well-formed.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use crate::domain::{ColumnUse, Place};
use crate::source::json::cursor::Cursor;
use crate::source::json::records::{Records, Way};
use crate::source::json::survey::survey;
use crate::source::json::tree::{Node, Tree, pointer, pointer_names};
use crate::source::json::walk::{Listener, Scalar};
use crate::source::json::window::Window;
use crate::source::json::{DEPTH, token::FaultKind};
use crate::source::{FormatConfig, Limits, SourceError};

/// Where the records of a JSON file are, and which members they have.
#[derive(Debug, Clone)]
pub struct JsonShape {
    pub(super) way: Way,
    pub(super) tree: Arc<Tree>,
    rows: u64,
    /// Whether each record has to have every mapped member.
    pub(super) has_all_members: bool,
}

impl JsonShape {
    /// Looks at a whole file: finds its records, the paths to all their members, and every mistake
    /// in its JSON. In memory is one record and the paths.
    ///
    /// `file` is the name used in messages; `columns` the mapped columns, which tell a single record
    /// from an object around records.
    ///
    /// # Errors
    /// When the bytes cannot be read, are no JSON, are cut off, pass a ceiling, or hold no records.
    pub fn find(
        input: &mut (impl Read + Seek),
        config: &FormatConfig,
        columns: &[ColumnUse],
        limits: Limits,
        file: &str,
    ) -> Result<Self, SourceError> {
        let way = find_way(input, config, columns, limits, file)?;
        input.seek(SeekFrom::Start(0))?;
        let shape = Self::of(Window::new(input, limits, file), way)?;
        Ok(Self { has_all_members: config.json.has_all_members, ..shape })
    }

    /// Looks at records whose way is known.
    pub(super) fn of<R: Read>(window: Window<R>, way: Way) -> Result<Self, SourceError> {
        let limits = *window.limits();
        let place = window.file();
        let mut records = Records::new(window, way.clone())?;
        let mut collector = Collector { tree: Tree::new(), limits };
        while records.next(&mut collector)?.is_some() {}
        let rows = records.rows();
        if rows == 0 {
            return Err(SourceError::refused(
                "source.no-rows",
                place,
                "the list of records is empty",
                "export it again; a file without people never changes anybody",
            ));
        }
        Ok(Self { way, tree: Arc::new(collector.tree), rows, has_all_members: false })
    }

    /// How many records there are, those that cannot be read counted.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Where the records are, as the end of a sentence.
    pub(super) fn words(&self) -> String {
        match &self.way {
            Way::Sequence => "the objects of the file, one after the other".to_owned(),
            Way::Within(path) if path.is_empty() => "the list that the file is".to_owned(),
            Way::Within(path) => format!("those at `{}`", pointer(path)),
        }
    }
}

fn find_way(
    input: &mut (impl Read + Seek),
    config: &FormatConfig,
    columns: &[ColumnUse],
    limits: Limits,
    file: &str,
) -> Result<Way, SourceError> {
    let path = match config.json.records.as_deref().map(|records| (records, pointer_names(records)))
    {
        None => None,
        Some((_, Some(path))) if path.len() < DEPTH => Some(path),
        Some((records, _)) => {
            return Err(SourceError::refused(
                "source.no-records",
                Place::file(file),
                format!("`{records}` is no JSON Pointer to a list of records"),
                "`records` of the source's `json` is written like `/data/workers`",
            ));
        }
    };
    input.seek(SeekFrom::Start(0))?;
    let mut cursor = Cursor::new(Window::new(input, limits, file))?;
    let byte = cursor.peek()?.ok_or_else(|| {
        SourceError::refused(
            "source.empty-file",
            Place::file(file),
            "the file is empty",
            "export it again",
        )
    })?;
    match (path, byte) {
        (Some(path), b'{') if path.is_empty() => Ok(Way::Sequence),
        (Some(path), _) => Ok(Way::Within(path)),
        (None, b'[') => Ok(Way::Within(Vec::new())),
        (None, b'{') => survey(cursor, columns),
        (None, b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => Err(SourceError::refused(
            "source.no-records",
            Place::file(file),
            "the file begins with neither a list nor an object",
            "export a list of objects, or one object a line",
        )),
        (None, _) => Err(cursor.expected("a list or an object")),
    }
}

/// Grows a tree by what the records have.
struct Collector {
    tree: Tree,
    limits: Limits,
}

impl Listener for Collector {
    #[inline]
    fn member(
        &mut self,
        parent: Node,
        last: Option<Node>,
        name: &[u8],
        _: u64,
    ) -> Result<Node, FaultKind> {
        match self.tree.find(parent, last, name) {
            Some(node) => Ok(node),
            None => self.tree.add(parent, name, &self.limits),
        }
    }

    #[inline]
    fn value(&mut self, node: Node, kind: Scalar, _: Range<usize>) {
        if kind != Scalar::Null {
            self.tree.note_value(node);
        }
    }

    fn structure(&mut self, _: Node) {}
}
