//! Which members of the records are the columns of a mapping, and under which names all are told.
//!
//! A column may be written as a member's name, with dots between levels, or as a JSON Pointer; a
//! name with a dot in it comes before nesting. Names are taken exactly; failing that, as headers
//! are compared everywhere ([`fold_header`]), where only one member can be meant.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{ColumnKind, ColumnUse, fold_header};
use crate::source::json::tree::{Node, ROOT, Tree, pointer_names};

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Headers {
    /// What each is called: as the mapping does where it reads it.
    pub(super) texts: Vec<String>,
    /// The cells that are filled, in the order of the columns.
    pub(super) slots: Vec<Slot>,
    /// For each member of the tree, which pick it is.
    pub(super) pick_of: Vec<Option<usize>>,
    /// For each pick, what it is read as.
    pub(super) kinds: Vec<ColumnKind>,
    /// For each pick, whether a record has to have it, null or not.
    pub(super) needed: Vec<bool>,
    /// Columns that are a member only if case and blanks are overlooked: column and member.
    pub(super) near: Vec<(String, String)>,
}

/// A cell that is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// The column.
    pub(super) header: usize,
    /// Which of the picked members it shows.
    pub(super) pick: usize,
}

impl Headers {
    /// Finds the mapped columns in a tree. Where each record has to have all, those that none has are
    /// columns too.
    pub(super) fn new(tree: &Tree, columns: &[ColumnUse], has_all_members: bool) -> Self {
        let members = tree.members();
        let mut near = Near { tree, members: &members, leaves: None };
        let mut wanted: BTreeMap<Node, Vec<&ColumnUse>> = BTreeMap::new();
        let mut folded_names = BTreeSet::new();
        let mut told = Vec::new();
        let mut nowhere = Vec::new();
        for column in columns {
            let node = exact(tree, &column.name).or_else(|| {
                let node = near.only(&column.name)?;
                told.push((column.name.clone(), tree.dotted(node)));
                Some(node)
            });
            if let Some(node) = node {
                wanted.entry(node).or_default().push(column);
                folded_names.insert(fold_header(&column.name).into_owned());
            } else if has_all_members && !column.optional {
                nowhere.push(column);
            }
        }
        let mut headers = Self {
            texts: Vec::new(),
            slots: Vec::new(),
            pick_of: vec![None; tree.len()],
            kinds: Vec::new(),
            needed: Vec::new(),
            near: told,
        };
        for node in members {
            match wanted.get(&node) {
                Some(columns) => headers.pick(Some(node), columns, has_all_members),
                None if tree.is_leaf(node) => {
                    let dotted = tree.dotted(node);
                    // nobody shall take it for a mapped column
                    let is_free = folded_names.is_empty()
                        || !folded_names.contains(fold_header(&dotted).as_ref());
                    headers.texts.push(if is_free { dotted } else { tree.pointer(node) });
                }
                None => {}
            }
        }
        for column in nowhere {
            headers.pick(None, &[column], true);
        }
        headers
    }

    fn pick(&mut self, node: Option<Node>, columns: &[&ColumnUse], has_all_members: bool) {
        let pick = self.kinds.len();
        self.kinds.push(columns.iter().map(|column| column.kind).max().unwrap_or_default());
        self.needed.push(has_all_members && columns.iter().any(|column| !column.optional));
        let at = node.and_then(|node| usize::try_from(node).ok());
        if let Some(place) = at.and_then(|at| self.pick_of.get_mut(at)) {
            *place = Some(pick);
        }
        for column in columns {
            self.slots.push(Slot { header: self.texts.len(), pick });
            self.texts.push(column.name.clone());
        }
    }
}

/// The member with exactly this name.
fn exact(tree: &Tree, name: &str) -> Option<Node> {
    let by_pointer = || {
        let names = pointer_names(name).filter(|names| !names.is_empty())?;
        names.iter().try_fold(ROOT, |node, name| tree.find(node, None, name.as_bytes()))
    };
    tree.find(ROOT, None, name.as_bytes()).or_else(by_pointer).or_else(|| dotted(tree, ROOT, name))
}

/// The longest names first, so that a name with a dot in it comes before nesting. No deeper than
/// the tree.
fn dotted(tree: &Tree, node: Node, rest: &str) -> Option<Node> {
    tree.find(node, None, rest.as_bytes()).or_else(|| {
        rest.rmatch_indices('.').find_map(|(dot, _)| {
            let child = tree.find(node, None, rest.get(..dot)?.as_bytes())?;
            dotted(tree, child, rest.get(dot + 1..)?)
        })
    })
}

/// Members by their folded names, made when the first is asked for.
struct Near<'t> {
    tree: &'t Tree,
    members: &'t [Node],
    leaves: Option<BTreeMap<String, Vec<Node>>>,
}

impl Near<'_> {
    /// The only member that is called like this when case and blanks are overlooked.
    fn only(&mut self, name: &str) -> Option<Node> {
        let (tree, members) = (self.tree, self.members);
        let leaves = self.leaves.get_or_insert_with(|| {
            let mut leaves: BTreeMap<String, Vec<Node>> = BTreeMap::new();
            for node in members.iter().copied().filter(|node| tree.is_leaf(*node)) {
                for name in [tree.dotted(node), tree.pointer(node)] {
                    let nodes = leaves.entry(fold_header(&name).into_owned()).or_default();
                    if nodes.last() != Some(&node) {
                        nodes.push(node);
                    }
                }
            }
            leaves
        });
        match leaves.get(fold_header(name).as_ref()).map(Vec::as_slice) {
            Some([node]) => Some(*node),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Limits;

    fn tree(paths: &[&[&str]]) -> Tree {
        let mut tree = Tree::new();
        for path in paths {
            let mut node = ROOT;
            for name in *path {
                node = tree.find(node, None, name.as_bytes()).unwrap_or_else(|| {
                    tree.add(node, name.as_bytes(), &Limits::default()).unwrap()
                });
            }
            tree.note_value(node);
        }
        tree
    }

    fn columns(names: &[&str]) -> Vec<ColumnUse> {
        let of = |name: &&str| ColumnUse {
            name: (*name).to_owned(),
            optional: false,
            kind: ColumnKind::Text,
        };
        names.iter().map(of).collect()
    }

    /// The headers, and for each column the path of the member that it is.
    fn found(paths: &[&[&str]], names: &[&str]) -> (Vec<String>, Vec<String>) {
        let tree = tree(paths);
        let headers = Headers::new(&tree, &columns(names), false);
        let picked = |slot: &Slot| {
            let node = headers.pick_of.iter().position(|pick| *pick == Some(slot.pick)).unwrap();
            let pointer = tree.pointer(Node::try_from(node).unwrap());
            format!("{} is {pointer}", headers.texts[slot.header])
        };
        (headers.texts.clone(), headers.slots.iter().map(picked).collect())
    }

    #[test]
    fn a_column_is_a_name_a_dotted_path_or_a_pointer() {
        let paths: &[&[&str]] =
            &[&["id"], &["name", "first"], &["emails", "0", "value"], &["a/b"], &["rest"]];
        let (headers, picked) =
            found(paths, &["id", "name.first", "/name/first", "/emails/0/value", "/a~1b"]);
        assert_eq!(
            headers,
            ["id", "name.first", "/name/first", "/emails/0/value", "/a~1b", "rest"]
        );
        assert_eq!(
            picked,
            [
                "id is /id",
                "name.first is /name/first",
                "/name/first is /name/first",
                "/emails/0/value is /emails/0/value",
                "/a~1b is /a~1b"
            ]
        );
    }

    #[test]
    fn a_name_with_a_dot_comes_before_nesting() {
        let (headers, picked) = found(&[&["a", "b"], &["a.b"]], &["a.b"]);
        assert_eq!(
            (headers, picked),
            (vec!["/a/b".into(), "a.b".into()], vec!["a.b is /a.b".into()])
        );
        let (_, picked) = found(&[&["x", "a.b", "c"]], &["x.a.b.c"]);
        assert_eq!(picked, ["x.a.b.c is /x/a.b/c"]);
    }

    #[test]
    fn names_are_folded_only_where_one_member_can_be_meant() {
        let (headers, picked) =
            found(&[&["WorkerID"], &["Name", "First"]], &["worker id", "workerid", "name.first"]);
        assert_eq!(headers, ["workerid", "name.first"]);
        assert_eq!(picked, ["workerid is /WorkerID", "name.first is /Name/First"]);
        // exactly: the other one is out of the way
        let (headers, picked) = found(&[&["workerId"], &["WorkerID"]], &["WorkerID"]);
        assert_eq!(headers, ["/workerId", "WorkerID"]);
        assert_eq!(picked, ["WorkerID is /WorkerID"]);
        // not exactly, and two: whoever binds the mapping sees both
        let (headers, picked) = found(&[&["workerId"], &["WorkerID"]], &["WORKERID"]);
        assert_eq!(headers, ["workerId", "WorkerID"]);
        assert!(picked.is_empty());
    }

    #[test]
    fn a_member_with_parts_is_a_column_only_where_it_is_mapped() {
        let (headers, _) = found(&[&["name", "first"]], &[]);
        assert_eq!(headers, ["name.first"]);
        let (headers, _) = found(&[&["name", "first"]], &["name"]);
        assert_eq!(headers, ["name", "name.first"]);
    }
}
