//! A document that begins with an object: is that a record, or is it around the records?

use std::collections::BTreeSet;
use std::io::Read;

use crate::domain::{ColumnUse, fold_header};
use crate::source::SourceError;
use crate::source::json::cursor::Cursor;
use crate::source::json::records::{Way, listed};
use crate::source::json::tree::pointer_names;

/// Most names of members that are looked at in one object.
const NAMES: usize = 1_000;

/// A member of the document that is a list.
struct List {
    name: String,
    /// The names of its first object's members.
    names: Vec<String>,
    elements: u64,
    is_all_objects: bool,
}

/// Looks at the document whose first byte is a brace, to its end or to a second value.
pub(super) fn survey<R: Read>(
    mut cursor: Cursor<R>,
    columns: &[ColumnUse],
) -> Result<Way, SourceError> {
    let mut names = Vec::new();
    let mut lists = Vec::new();
    let mut is_first = true;
    cursor.open()?;
    while cursor.next(true, is_first)? {
        is_first = false;
        let name = cursor.name()?;
        if cursor.need("inside an object")? == b'[' {
            let list = list(&mut cursor, name.clone())?;
            if list.is_all_objects && lists.len() < NAMES {
                lists.push(list);
            }
        } else {
            cursor.skip()?;
        }
        if names.len() < NAMES {
            names.push(name);
        }
    }
    if cursor.peek()?.is_some() {
        return Ok(Way::Sequence);
    }
    let wanted = heads(columns);
    let fit = |names: &[String]| {
        let found: BTreeSet<_> = names.iter().map(|name| fold_header(name)).collect();
        found.into_iter().filter(|name| wanted.contains(name.as_ref())).count()
    };
    // an empty list counts where there is no other
    if lists.iter().any(|list| list.elements > 0) {
        lists.retain(|list| list.elements > 0);
    }
    let best = lists.iter().map(|list| fit(&list.names)).max().unwrap_or(0);
    let own = fit(&names);
    let is_record = own > best || (columns.is_empty() && lists.is_empty());
    match lists.as_slice() {
        _ if is_record => Ok(Way::Sequence),
        [list] => Ok(Way::Within(vec![list.name.clone()])),
        [] => Err(refuse(
            &cursor,
            format!("the file is an object without a list of objects{}", listed(&names)),
        )),
        many => {
            let names: Vec<String> = many.iter().map(|list| list.name.clone()).collect();
            let message = "the file is an object with several lists of objects";
            Err(refuse(&cursor, format!("{message}{}", listed(&names))))
        }
    }
}

fn refuse<R: Read>(cursor: &Cursor<R>, message: String) -> SourceError {
    SourceError::refused(
        "source.no-records",
        cursor.window().file(),
        message,
        "set `json = { records = \"…\" }` of the source to the JSON Pointer of the list",
    )
}

fn list<R: Read>(cursor: &mut Cursor<R>, name: String) -> Result<List, SourceError> {
    let mut list = List { name, names: Vec::new(), elements: 0, is_all_objects: true };
    cursor.open()?;
    while cursor.next(false, list.elements == 0)? {
        list.elements += 1;
        let is_object = cursor.need("inside a list")? == b'{';
        list.is_all_objects &= is_object;
        if list.elements == 1 && is_object {
            cursor.open()?;
            let mut is_first = true;
            while cursor.next(true, is_first)? {
                is_first = false;
                let name = cursor.name()?;
                if list.names.len() < NAMES {
                    list.names.push(name);
                }
                cursor.skip()?;
            }
        } else {
            cursor.skip()?;
        }
    }
    Ok(list)
}

/// The first names of the mapped columns, in every way in which they can be meant.
fn heads(columns: &[ColumnUse]) -> BTreeSet<String> {
    let mut heads = BTreeSet::new();
    for column in columns {
        let name = column.name.as_str();
        let first = name.split('.').next().unwrap_or_default();
        let pointed = pointer_names(name).and_then(|names| names.into_iter().next());
        for head in [Some(name), Some(first), pointed.as_deref()].into_iter().flatten() {
            heads.insert(fold_header(head).into_owned());
        }
    }
    heads
}
