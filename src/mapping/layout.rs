//! The shape of a resource: compiled rules in the tree in which their values are written.
//!
//! Keys are ready JSON with the comma before them, so that writing a member is copying its key and
//! its value.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::mapping::forms::is_placeholder;
use crate::mapping::lint::Guard;
use crate::mapping::rule::{Role, Rule};
use crate::scim::push_string;

/// The whole resource.
pub(super) struct Layout {
    pub(super) external_id: Rule,
    pub(super) core: Vec<Member>,
    pub(super) enterprise: Vec<Member>,
    pub(super) extensions: Vec<Extension>,
}

/// A member of core or enterprise.
#[expect(
    clippy::large_enum_variant,
    reason = "most members are simple values, and a box is a detour each row"
)]
pub(super) enum Member {
    Value(Field),
    Object { key: Vec<u8>, fields: Vec<Field> },
    List { key: Vec<u8>, entries: Vec<Entry> },
}

/// A simple member: its key, and where its value comes from.
pub(super) struct Field {
    pub(super) key: Vec<u8>,
    pub(super) rule: Rule,
    pub(super) copied: Option<Copied>,
}

/// The simple case of a field: a cell with something in it is copied, and that is all.
pub(super) struct Copied {
    pub(super) column: usize,
    /// The field's key, and the quote that opens the value.
    pub(super) opening: Vec<u8>,
    /// Whether nothing comes of an empty cell.
    pub(super) or_absent: bool,
    /// Bytes up to which a value cannot be longer than the target takes.
    free_bytes: usize,
    guard: Guard,
}

impl Copied {
    /// Whether there is nothing odd about the cell. Cheap, for it is asked of nearly every value.
    #[inline]
    pub(super) fn takes(&self, text: &[u8]) -> bool {
        text.len() <= self.free_bytes && !is_placeholder(text) && self.guard.lets_pass(text)
    }
}

/// An entry of a list; it exists only where one of `values` does.
pub(super) struct Entry {
    pub(super) values: Vec<Field>,
    /// `,"type":"work"`.
    pub(super) kind: Vec<u8>,
    pub(super) primary: Option<Field>,
}

/// The object of a custom extension.
pub(super) struct Extension {
    /// The URN as a JSON string, with the comma before it.
    pub(super) urn: Vec<u8>,
    pub(super) fields: Vec<Field>,
}

impl Layout {
    /// Builds the tree; `None` if no rule is for `externalId`.
    pub(super) fn new(mut rules: Vec<Rule>) -> Option<Self> {
        let at = rules.iter().position(|rule| rule.role == Role::ExternalId)?;
        let external_id = rules.remove(at);
        rules.sort_by(|left, right| left.path.cmp(&right.path));
        let mut layout =
            Self { external_id, core: Vec::new(), enterprise: Vec::new(), extensions: Vec::new() };
        let mut rules = rules.into_iter().peekable();
        while let Some(rule) = rules.peek() {
            if let Some(urn) = rule.path.custom_urn() {
                let urn = urn.to_owned();
                let fields = take(&mut rules, |rule| rule.path.custom_urn() == Some(&urn));
                let fields = fields.into_iter().map(whole).collect();
                layout.extensions.push(Extension { urn: comma_and_string(&urn), fields });
            } else if rule.path.is_enterprise() {
                layout.enterprise.push(member(&mut rules));
            } else {
                layout.core.push(member(&mut rules));
            }
        }
        Some(layout)
    }

    /// All rules, in the order in which their values are written.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        let members = self.core.iter().chain(&self.enterprise).flat_map(Member::fields);
        let extensions = self.extensions.iter().flat_map(|extension| &extension.fields);
        std::iter::once(&self.external_id).chain(members.chain(extensions).map(|field| &field.rule))
    }
}

impl Member {
    fn fields(&self) -> Box<dyn Iterator<Item = &Field> + '_> {
        match self {
            Self::Value(field) => Box::new(std::iter::once(field)),
            Self::Object { fields, .. } => Box::new(fields.iter()),
            Self::List { entries, .. } => {
                Box::new(entries.iter().flat_map(|entry| entry.values.iter().chain(&entry.primary)))
            }
        }
    }
}

/// The rules from here on that belong together.
fn take(rules: &mut Peekable<IntoIter<Rule>>, together: impl Fn(&Rule) -> bool) -> Vec<Rule> {
    std::iter::from_fn(|| rules.next_if(&together)).collect()
}

fn member(rules: &mut Peekable<IntoIter<Rule>>) -> Member {
    let (name, enterprise) = rules.peek().map_or_else(Default::default, |rule| {
        (rule.path.attribute().to_owned(), rule.path.is_enterprise())
    });
    let mut group = take(rules, |rule| {
        rule.path.attribute() == name
            && rule.path.is_enterprise() == enterprise
            && rule.path.custom_urn().is_none()
    });
    if group.len() == 1
        && group.iter().all(|rule| rule.path.sub_attribute().is_none())
        && let Some(rule) = group.pop()
    {
        return Member::Value(whole(rule));
    }
    if group.iter().any(|rule| rule.path.entry_type().is_some()) {
        return Member::List { key: key(&name), entries: entries(group) };
    }
    Member::Object { key: key(&name), fields: group.into_iter().map(part).collect() }
}

fn entries(group: Vec<Rule>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut rules = group.into_iter().peekable();
    while let Some(rule) = rules.peek() {
        let wanted = rule.path.entry_type().unwrap_or_default().to_owned();
        let mut kind = key("type");
        push_string(&mut kind, &wanted);
        let mut entry = Entry { values: Vec::new(), kind, primary: None };
        for rule in take(&mut rules, |rule| rule.path.entry_type() == Some(&wanted)) {
            if rule.path.sub_attribute() == Some("primary") {
                entry.primary = Some(part(rule));
            } else {
                entry.values.push(part(rule));
            }
        }
        entries.push(entry);
    }
    entries
}

fn whole(rule: Rule) -> Field {
    let key = key(rule.path.attribute());
    field(key, rule)
}

fn part(rule: Rule) -> Field {
    let key = key(rule.path.sub_attribute().unwrap_or_default());
    field(key, rule)
}

fn field(key: Vec<u8>, rule: Rule) -> Field {
    let copied = rule.copied_column().map(|column| {
        let opening = [key.as_slice(), b"\""].concat();
        let guard = if rule.is_digits { Guard::Digits } else { rule.lint.guard() };
        let free_bytes = rule.lint.free_bytes();
        Copied { column, opening, or_absent: rule.is_absent_when_empty(), free_bytes, guard }
    });
    Field { key, rule, copied }
}

fn key(name: &str) -> Vec<u8> {
    let mut key = comma_and_string(name);
    key.push(b':');
    key
}

fn comma_and_string(text: &str) -> Vec<u8> {
    let mut json = vec![b','];
    push_string(&mut json, text);
    json
}
