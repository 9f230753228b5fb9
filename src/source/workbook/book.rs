//! What an OOXML workbook says of itself: its sheets, their parts, its date system.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::fault::Fault;
use super::package::Package;
use super::text::decoded;
use super::xml::Token;

/// A sheet of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    /// As people see it.
    pub name: String,
    /// Its place among all sheets, from 1.
    pub number: u32,
    /// The path of its part.
    pub path: String,
}

/// What a workbook says of itself.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Sheets of cells in their order; sheets of charts have none.
    pub sheets: Vec<Sheet>,
    pub is_1904: bool,
    pub strings: Option<String>,
    pub styles: Option<String>,
}

/// A relationship: what it leads to, and the last word of what it is.
pub(super) struct Relation {
    pub path: String,
    pub kind: String,
}

impl Book {
    pub(super) fn read<R: Read + Seek>(package: &mut Package<R>) -> Result<Self, Fault> {
        let root = relations(package, "_rels/.rels", "")?;
        let document = root.into_values().find(|relation| relation.kind == "officeDocument");
        let path = document.map_or_else(|| "xl/workbook.xml".to_owned(), |found| found.path);
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path.as_str()));
        let beside = format!("{folder}/_rels/{name}.rels");
        let relations = relations(package, beside.trim_start_matches('/'), folder)?;
        let of_kind = |kind: &str| {
            let mut of_kind = relations.values().filter(|relation| relation.kind == kind);
            of_kind.next().map(|relation| relation.path.clone())
        };
        let mut book = Self {
            strings: of_kind("sharedStrings"),
            styles: of_kind("styles"),
            ..Self::default()
        };
        let most = package.limits().sheets;
        let mut xml = package
            .small_xml(&path)?
            .ok_or_else(|| Fault::broken("the part that lists its sheets is missing"))?;
        let mut number = 0;
        loop {
            match xml.next()? {
                Token::Open(tag) if tag.name == b"sheet" => {
                    number += 1;
                    if book.sheets.len() >= most {
                        return Err(Fault::ceiling(format!("more than {most} sheets")));
                    }
                    // both of `id` and `r:id` may stand there: only the one leads anywhere
                    let id = tag.attributes().filter(|(name, _)| *name == b"id");
                    let ids = id.map(|(_, value)| decoded(value)).collect::<Result<Vec<_>, _>>()?;
                    let leads = ids.iter().find_map(|id| relations.get(id));
                    let name = decoded(tag.attribute(b"name").unwrap_or_default())?;
                    if let Some(relation) = leads.filter(|it| it.kind == "worksheet") {
                        book.sheets.push(Sheet { name, number, path: relation.path.clone() });
                    }
                }
                Token::Open(tag) if tag.name == b"workbookPr" => {
                    book.is_1904 = tag.says(b"date1904");
                }
                Token::End => break,
                _ => {}
            }
        }
        Ok(book)
    }
}

/// The relationships of a part whose folder is given, by id.
pub(super) fn relations<R: Read + Seek>(
    package: &mut Package<R>,
    path: &str,
    folder: &str,
) -> Result<BTreeMap<String, Relation>, Fault> {
    let mut relations = BTreeMap::new();
    let most = package.limits().entries;
    let Some(mut xml) = package.small_xml(path)? else { return Ok(relations) };
    loop {
        match xml.next()? {
            Token::Open(tag) if tag.name == b"Relationship" => {
                let read = |name| decoded(tag.attribute(name).unwrap_or_default());
                let (id, kind, target) = (read(b"Id")?, read(b"Type")?, read(b"Target")?);
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                relations.insert(id, Relation { path: resolve(folder, &target), kind });
            }
            Token::End => break,
            _ => {}
        }
        if relations.len() > most {
            return Err(Fault::ceiling(format!("more than {most} relationships")));
        }
    }
    Ok(relations)
}

/// The path that a target leads to from a folder.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let base = if target.starts_with('/') { "" } else { folder };
    let mut path: Vec<&str> = Vec::new();
    for step in base.split('/').chain(target.split('/')) {
        match step {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_lead_on_from_their_folder_or_from_the_root() {
        assert_eq!(resolve("xl", "worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
        assert_eq!(resolve("xl", "/xl/worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
        assert_eq!(resolve("xl", "..\\xl\\./sheet.xml"), "xl/sheet.xml");
        assert_eq!(resolve("", "../../x"), "x");
    }
}
