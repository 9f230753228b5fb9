//! Writes the resource of one row, straight to bytes, in the order of the layout.

use std::ops::Range;

use crate::domain::{ActiveWindow, RecordProblem};
use crate::mapping::RecordWarning;
use crate::mapping::layout::{Copied, Entry, Field, Layout, Member};
use crate::mapping::lint::placeholder;
use crate::mapping::problem::{Fault, OWN_MANAGER, Refused};
use crate::mapping::rule::{Cells, Role, Rule, Work};
use crate::mapping::value::Value;
use crate::scim::{
    ExternalIdFault, MAX_EXTERNAL_ID_CHARS, check_external_id, push_inside, push_string,
};

const SCHEMAS: &[u8] = br#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#;
const EXTERNAL_ID: &[u8] = br#"],"externalId":"#;
const ENTERPRISE: &[u8] = br#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":"#;

/// What planning needs of the record, caught while it is written.
#[derive(Default)]
pub(super) struct Caught {
    pub(super) external_id: String,
    pub(super) user_name: Option<String>,
    pub(super) manager: Option<String>,
    pub(super) active: bool,
    /// The time in which they are active, where the mapping says so by dates.
    pub(super) window: Option<ActiveWindow>,
    /// Whether the worker is named as their own manager.
    is_own_manager: bool,
    /// Whether the worker's managers come back to the worker; set by the caller before each row.
    pub(super) is_in_ring: bool,
    pub(super) warnings: Vec<RecordWarning>,
    /// Texts no longer in use, kept for their room.
    spare: Vec<String>,
}

impl Caught {
    fn clear(&mut self) {
        self.spare.extend(self.user_name.take());
        self.spare.extend(self.manager.take());
        self.external_id.clear();
        self.warnings.clear();
        self.active = false;
        self.window = None;
        self.is_own_manager = false;
    }

    fn keep(&mut self, text: &str) -> String {
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.clear();
        kept.push_str(text);
        kept
    }
}

/// One row on its way into `out`.
pub(super) struct Writer<'a> {
    pub(super) cells: Cells<'a>,
    pub(super) work: &'a mut Work,
    pub(super) caught: &'a mut Caught,
    pub(super) out: &'a mut Vec<u8>,
}

/// Reads a row's `externalId`.
pub(super) fn read_external_id<'v>(
    rule: &'v Rule,
    cells: Cells<'v>,
    work: &'v mut Work,
) -> Result<&'v str, RecordProblem> {
    let value = rule.evaluate(cells, work).map_err(|fault| refuse(rule, fault, cells))?;
    let text = value.text().unwrap_or("");
    check_external_id(text).map_err(|fault| {
        let fault = match fault {
            ExternalIdFault::Empty => Fault::NoExternalId,
            ExternalIdFault::TooLong => {
                Fault::TooLong { found: text.chars().count(), most: MAX_EXTERNAL_ID_CHARS }
            }
            ExternalIdFault::ControlCharacter => Fault::ControlCharacter,
        };
        refuse(rule, fault, cells)
    })?;
    Ok(text)
}

/// Writes a row's resource; `extensions` is a buffer for what stands last but decides `schemas`,
/// which stands first. On an error `out` has an unfinished tail.
pub(super) fn write_resource(
    layout: &Layout,
    mut writer: Writer<'_>,
    extensions: &mut Vec<u8>,
) -> Result<(), RecordProblem> {
    let Writer { cells, work, caught, out } = &mut writer;
    let external_id = &layout.external_id;
    caught.clear();
    let text = read_external_id(external_id, *cells, work)?;
    caught.external_id.push_str(text);
    look(external_id, text, *cells, &mut caught.warnings);
    out.extend_from_slice(SCHEMAS);
    extensions.clear();
    for extension in &layout.extensions {
        let start = extensions.len();
        extensions.extend_from_slice(&extension.urn);
        extensions.push(b':');
        let mut inner = Writer { cells: *cells, work, caught, out: extensions };
        if inner.fields(&extension.fields)? {
            out.extend_from_slice(&extension.urn);
        } else {
            extensions.truncate(start);
        }
    }
    out.extend_from_slice(EXTERNAL_ID);
    push_string(out, &caught.external_id);
    for member in &layout.core {
        writer.member(member)?;
    }
    writer.enterprise(&layout.enterprise)?;
    writer.out.extend_from_slice(extensions);
    writer.out.push(b'}');
    Ok(())
}

impl Writer<'_> {
    fn enterprise(&mut self, members: &[Member]) -> Result<(), RecordProblem> {
        let start = self.out.len();
        separate(self.out);
        self.out.extend_from_slice(ENTERPRISE);
        self.out.push(b'{');
        let mut any = false;
        for member in members {
            any |= self.member(member)?;
        }
        if any {
            self.out.push(b'}');
        } else {
            self.out.truncate(start);
        }
        Ok(())
    }

    /// Writes a member if it has a value, and says whether it has.
    fn member(&mut self, member: &Member) -> Result<bool, RecordProblem> {
        let start = self.out.len();
        let written = match member {
            Member::Value(field) => return self.field(field),
            Member::Object { key, fields } => {
                push_key(self.out, key);
                let before = std::mem::take(&mut self.caught.is_own_manager);
                let any = self.fields(fields)?;
                // A worker who is their own manager is sent without any part of the manager.
                let is_own = std::mem::replace(&mut self.caught.is_own_manager, before);
                any && !is_own
            }
            Member::List { key, entries } => {
                push_key(self.out, key);
                self.out.push(b'[');
                let mut any = false;
                for entry in entries {
                    any |= self.entry(entry)?;
                }
                self.out.push(b']');
                any
            }
        };
        if !written {
            self.out.truncate(start);
        }
        Ok(written)
    }

    /// Writes an object of simple values, and says whether it has any.
    fn fields(&mut self, fields: &[Field]) -> Result<bool, RecordProblem> {
        self.out.push(b'{');
        let mut any = false;
        for field in fields {
            any |= self.field(field)?;
        }
        self.out.push(b'}');
        Ok(any)
    }

    fn entry(&mut self, entry: &Entry) -> Result<bool, RecordProblem> {
        let start = self.out.len();
        separate(self.out);
        self.out.push(b'{');
        let mut any = false;
        for field in &entry.values {
            any |= self.field(field)?;
        }
        if !any {
            self.out.truncate(start);
            return Ok(false);
        }
        push_key(self.out, &entry.kind);
        if let Some(primary) = &entry.primary {
            self.field(primary)?;
        }
        self.out.push(b'}');
        Ok(true)
    }

    /// Writes a simple member if it has a value, and says whether it has.
    #[inline]
    fn field(&mut self, field: &Field) -> Result<bool, RecordProblem> {
        // most fields are copied, and most time goes here
        match field.copied.as_ref().and_then(|copied| self.copied(copied)) {
            Some(any) => Ok(any),
            None => self.evaluated(field),
        }
    }

    /// Copies a cell, and says whether it holds anything; `None` where an empty one takes more than
    /// that.
    #[inline]
    fn copied(&mut self, copied: &Copied) -> Option<bool> {
        let text = self.cells.row.text();
        let mut place = self.cells.place(copied.column);
        match text.as_bytes().get(place.clone())? {
            [] => return self.nothing(copied),
            // nothing to trim
            [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => {}
            _ => {
                let cell = text.get(place.clone())?;
                place.start += cell.len() - cell.trim_start().len();
                place.end = place.start + cell.trim().len();
                if place.is_empty() {
                    return self.nothing(copied);
                }
            }
        }
        if !copied.takes(text.as_bytes().get(place.clone())?) {
            return None;
        }
        if self.cells.is_plain {
            push_key(self.out, &copied.opening);
            push_short(self.out, text.as_bytes(), place);
        } else {
            let value = text.get(place)?;
            push_key(self.out, &copied.opening);
            push_inside(self.out, value);
        }
        self.out.push(b'"');
        Some(true)
    }

    /// What an empty cell leaves out, where it is known to be empty.
    #[inline]
    fn nothing(&self, copied: &Copied) -> Option<bool> {
        let is_known = self.cells.unknown(copied.column).is_none();
        (copied.or_absent && is_known).then_some(false)
    }

    #[inline(never)]
    fn evaluated(&mut self, field: &Field) -> Result<bool, RecordProblem> {
        let rule = &field.rule;
        let cells = self.cells;
        let value = rule.evaluate(cells, self.work).map_err(|fault| refuse(rule, fault, cells))?;
        if matches!(value, Value::Absent) {
            return Ok(false);
        }
        match (rule.role, value.text()) {
            (Role::Active, _) => {
                let active = value.boolean();
                self.caught.active =
                    active.ok_or_else(|| refuse(rule, Fault::NotBoolean, cells))?;
                self.caught.window = value.window();
            }
            (Role::UserName, Some(text)) => self.caught.user_name = Some(self.caught.keep(text)),
            (Role::Manager, Some(text)) if text == self.caught.external_id => {
                self.caught.is_own_manager = true;
                // first, since it says that something is not sent
                self.caught.warnings.insert(0, OWN_MANAGER);
            }
            (Role::Manager, Some(_)) if self.caught.is_in_ring => {
                // left out like one's own; the caller names the others of the ring
                self.caught.is_own_manager = true;
            }
            (Role::Manager, Some(text)) => self.caught.manager = Some(self.caught.keep(text)),
            _ => {}
        }
        if let Some(text) = value.text() {
            look(rule, text, cells, &mut self.caught.warnings);
        }
        push_key(self.out, &field.key);
        value.write(self.out);
        Ok(true)
    }
}

/// Warns of a value that is sent, but probably is not what somebody hopes for.
fn look(rule: &Rule, text: &str, cells: Cells<'_>, warnings: &mut Vec<RecordWarning>) {
    if let Some(column) = rule.placeholder(cells).and_then(|column| cells.name(column)) {
        warnings.push(placeholder(column));
    }
    rule.lint.look(text, rule.column.as_deref(), &rule.path, warnings);
}

/// A comma, unless what comes is the first of its kind.
fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[')) {
        out.push(b',');
    }
}

/// A key of the layout, without its comma where what comes is the first of its kind.
#[inline]
fn push_key(out: &mut Vec<u8>, key: &[u8]) {
    let is_first = matches!(out.last(), Some(b'{' | b'['));
    out.extend_from_slice(key.get(usize::from(is_first)..).unwrap_or_default());
}

/// Appends a part of a text. A short one, as most are, is copied by a fixed size and cut, which is
/// quicker than copying by its length.
#[inline]
fn push_short(out: &mut Vec<u8>, text: &[u8], part: Range<usize>) {
    const SHORT: usize = 32;
    let length = part.len();
    match text.get(part.start..).and_then(<[u8]>::first_chunk::<SHORT>) {
        Some(bytes) if length <= SHORT => {
            let end = out.len() + length;
            out.extend_from_slice(bytes);
            out.truncate(end);
        }
        _ => out.extend_from_slice(text.get(part).unwrap_or_default()),
    }
}

fn refuse(rule: &Rule, refused: impl Into<Refused>, cells: Cells<'_>) -> RecordProblem {
    let Refused { fault, column } = refused.into();
    let column = match column {
        Some(column) => cells.name(column),
        None => rule.column.as_deref(),
    };
    let other = fault.other_column().and_then(|column| cells.name(column));
    fault.record(&rule.path.to_string(), column, other)
}
