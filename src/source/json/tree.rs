//! All paths to members that the records of a file have, as a tree.
//!
//! Records of one export look alike, so a member is nearly always the one after the member before
//! it; only where it is not, it is looked up.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::source::Limits;
use crate::source::json::token::FaultKind;

/// A member, by its place in the tree; the record itself is [`ROOT`].
pub(super) type Node = u32;

/// The record itself.
pub(super) const ROOT: Node = 0;

/// So many members after the expected one are looked at before a search.
const NEAR: usize = 4;

#[derive(Debug, Clone)]
struct Member {
    name: Box<str>,
    parent: Node,
    first_child: Option<Node>,
    last_child: Option<Node>,
    next: Option<Node>,
    /// The next one with the same hash.
    same_hash: Option<Node>,
    /// Bytes of its dotted path.
    path_bytes: usize,
    /// Whether any record has text, a number or a boolean here.
    has_value: bool,
}

/// Paths to members.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    members: Vec<Member>,
    by_hash: HashMap<u64, Node>,
    hasher: RandomState,
    path_bytes: usize,
}

impl Tree {
    pub(super) fn new() -> Self {
        let root = Member {
            name: "".into(),
            parent: ROOT,
            first_child: None,
            last_child: None,
            next: None,
            same_hash: None,
            path_bytes: 0,
            has_value: false,
        };
        Self {
            members: vec![root],
            by_hash: HashMap::new(),
            hasher: RandomState::new(),
            path_bytes: 0,
        }
    }

    /// Finds a member of `parent`, most quickly the one after `last`.
    #[inline]
    pub(super) fn find(&self, parent: Node, last: Option<Node>, name: &[u8]) -> Option<Node> {
        let mut next = match last {
            Some(last) => self.member(last)?.next,
            None => self.member(parent)?.first_child,
        };
        for _ in 0..NEAR {
            let Some(node) = next else { break };
            let member = self.member(node)?;
            if member.name.as_bytes() == name {
                return Some(node);
            }
            next = member.next;
        }
        self.search(parent, name)
    }

    fn search(&self, parent: Node, name: &[u8]) -> Option<Node> {
        let mut next = self.by_hash.get(&self.hash(parent, name)).copied();
        while let Some(node) = next {
            let member = self.member(node)?;
            if member.parent == parent && member.name.as_bytes() == name {
                return Some(node);
            }
            next = member.same_hash;
        }
        None
    }

    /// Adds a member that is not there.
    pub(super) fn add(
        &mut self,
        parent: Node,
        name: &[u8],
        limits: &Limits,
    ) -> Result<Node, FaultKind> {
        let text = std::str::from_utf8(name).map_err(|_| FaultKind::NotUtf8)?;
        let too_many = FaultKind::TooManyColumns(limits.columns);
        if self.members.len() > limits.columns {
            return Err(too_many);
        }
        let node = Node::try_from(self.members.len()).map_err(|_| too_many)?;
        let above = self.member(parent).map_or(0, |member| member.path_bytes + 1);
        let path_bytes = above + name.len();
        self.path_bytes += path_bytes;
        if self.path_bytes > limits.record_bytes {
            return Err(FaultKind::HeadersTooLong(limits.record_bytes));
        }
        let hash = self.hash(parent, name);
        self.members.push(Member {
            name: text.into(),
            parent,
            first_child: None,
            last_child: None,
            next: None,
            same_hash: self.by_hash.insert(hash, node),
            path_bytes,
            has_value: false,
        });
        let before = self.member(parent).and_then(|member| member.last_child);
        if let Some(before) = before.and_then(|before| self.member_mut(before)) {
            before.next = Some(node);
        }
        if let Some(parent) = self.member_mut(parent) {
            parent.last_child = Some(node);
            parent.first_child.get_or_insert(node);
        }
        Ok(node)
    }

    pub(super) fn note_value(&mut self, node: Node) {
        if let Some(member) = self.member_mut(node) {
            member.has_value = true;
        }
    }

    /// How many members there are, the record itself counted.
    pub(super) const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether a column could be this member: it holds a value somewhere, or never holds anything.
    pub(super) fn is_leaf(&self, node: Node) -> bool {
        self.member(node).is_some_and(|member| member.has_value || member.first_child.is_none())
    }

    /// All members. Parts of a member stand together, in the order in which they were seen first.
    pub(super) fn members(&self) -> Vec<Node> {
        let mut members = Vec::with_capacity(self.members.len());
        let mut next = self.member(ROOT).and_then(|root| root.first_child);
        while let Some(node) = next {
            let Some(member) = self.member(node) else { break };
            members.push(node);
            next = member.first_child.or_else(|| self.after(node));
        }
        members
    }

    /// The next sibling, or that of the nearest member above that has one.
    fn after(&self, mut node: Node) -> Option<Node> {
        while node != ROOT {
            let member = self.member(node)?;
            if member.next.is_some() {
                return member.next;
            }
            node = member.parent;
        }
        None
    }

    /// The names from the record down to a member.
    fn names(&self, mut node: Node) -> Vec<&str> {
        let mut names = Vec::new();
        while node != ROOT {
            let Some(member) = self.member(node) else { break };
            names.push(&*member.name);
            node = member.parent;
        }
        names.reverse();
        names
    }

    /// `name.first`, `emails.0.value`.
    pub(super) fn dotted(&self, node: Node) -> String {
        self.names(node).join(".")
    }

    /// The JSON Pointer (RFC 6901) from the record.
    pub(super) fn pointer(&self, node: Node) -> String {
        pointer(&self.names(node))
    }

    fn hash(&self, parent: Node, name: &[u8]) -> u64 {
        self.hasher.hash_one((parent, name))
    }

    #[inline]
    fn member(&self, node: Node) -> Option<&Member> {
        self.members.get(usize::try_from(node).ok()?)
    }

    fn member_mut(&mut self, node: Node) -> Option<&mut Member> {
        self.members.get_mut(usize::try_from(node).ok()?)
    }
}

/// The JSON Pointer through these names.
pub(super) fn pointer<S: AsRef<str>>(names: &[S]) -> String {
    let mut pointer = String::new();
    for name in names {
        pointer.push('/');
        pointer.push_str(&name.as_ref().replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

/// The names that a JSON Pointer goes through; `None` if the text is none.
pub(super) fn pointer_names(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    pointer.strip_prefix('/')?.split('/').map(unescape_pointer).collect()
}

fn unescape_pointer(name: &str) -> Option<String> {
    let mut pieces = name.split('~');
    let mut plain = pieces.next()?.to_owned();
    for piece in pieces {
        let (letter, rest) = match piece.split_at_checked(1)? {
            ("0", rest) => ('~', rest),
            ("1", rest) => ('/', rest),
            _ => return None,
        };
        plain.push(letter);
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(tree: &mut Tree, parent: Node, name: &str) -> Node {
        tree.add(parent, name.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn members_are_found_in_any_order() {
        let mut tree = Tree::new();
        let names: Vec<String> = (0..20).map(|number| format!("m{number}")).collect();
        let nodes: Vec<Node> = names.iter().map(|name| add(&mut tree, ROOT, name)).collect();
        for last in [None, Some(nodes[0]), Some(nodes[19])] {
            for (name, node) in names.iter().zip(&nodes) {
                assert_eq!(tree.find(ROOT, last, name.as_bytes()), Some(*node));
            }
        }
        assert_eq!(tree.find(nodes[3], None, b"m1"), None);
    }

    #[test]
    fn leaves_stand_with_their_siblings_and_know_both_spellings() {
        let mut tree = Tree::new();
        let id = add(&mut tree, ROOT, "id");
        let name = add(&mut tree, ROOT, "na/m~e");
        let first = add(&mut tree, name, "first");
        let status = add(&mut tree, ROOT, "status");
        let last = add(&mut tree, name, "last");
        assert_eq!(tree.members(), [id, name, first, last, status]);
        assert!(tree.is_leaf(last) && !tree.is_leaf(name));
        tree.note_value(name);
        assert!(tree.is_leaf(name));
        assert_eq!(tree.dotted(last), "na/m~e.last");
        assert_eq!(tree.pointer(last), "/na~1m~0e/last");
    }

    #[test]
    fn pointers_are_those_of_the_rfc() {
        let names = |pointer| pointer_names(pointer);
        assert_eq!(names(""), Some(vec![]));
        assert_eq!(names("/"), Some(vec![String::new()]));
        assert_eq!(names("/a~1b/m~0n/~01"), Some(vec!["a/b".into(), "m~n".into(), "~1".into()]));
        for wrong in ["a", "/~", "/~2", "/a~é"] {
            assert_eq!(names(wrong), None, "{wrong}");
        }
    }
}
