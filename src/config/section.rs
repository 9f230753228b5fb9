//! What the readers of all sections share: tables whose keys must be known, values that must fit.
//!
//! A reader asks for what it needs; whatever is missing, of the wrong type or unknown is noted in
//! the [`Report`] and reading goes on, so that one look at the config finds every mistake.

use std::cell::RefCell;
use std::time::Duration;

use crate::config::document::{Document, Part, join};
use crate::config::duration;
use crate::config::node::{Node, Origin, Table, Value};
use crate::config::problem::ConfigProblem;
use crate::config::suggest::{did_you_mean, nearest};
use crate::config::vault::VaultUse;

/// The problems found so far.
pub(super) struct Report<'d> {
    document: &'d Document,
    problems: RefCell<Vec<ConfigProblem>>,
    vault_uses: RefCell<Vec<VaultUse>>,
}

impl<'d> Report<'d> {
    pub(super) fn new(document: &'d Document, problems: Vec<ConfigProblem>) -> Self {
        Self { document, problems: RefCell::new(problems), vault_uses: RefCell::default() }
    }

    fn add(&self, origin: &Origin, part: Part, path: &str, message: String, hint: Option<String>) {
        let problem = self.document.problem(origin, part, path, message, hint);
        self.problems.borrow_mut().push(problem);
    }

    /// A problem with a key found by its path.
    pub(super) fn add_at(&self, path: &str, message: String, hint: Option<String>) {
        let problem = self.document.problem_at(path, message, hint);
        self.problems.borrow_mut().push(problem);
    }

    /// The problems, and the keys whose values are in the vault.
    pub(super) fn into_found(self) -> (Vec<ConfigProblem>, Vec<VaultUse>) {
        (self.problems.into_inner(), self.vault_uses.into_inner())
    }
}

/// A table that is being read.
pub(super) struct Section<'d> {
    report: &'d Report<'d>,
    path: String,
    /// As messages call it: "`[target.entra]`".
    title: String,
    origin: &'d Origin,
    table: &'d Table,
}

impl<'d> Section<'d> {
    /// The whole file.
    pub(super) fn root(report: &'d Report<'d>, table: &'d Table) -> Self {
        let (path, title) = (String::new(), "the config".to_owned());
        Self { report, path, title, origin: &Origin::Whole, table }
    }

    /// Reports every key that is not among the known ones.
    pub(super) fn check_keys(&self, known: &[&str]) {
        self.check_keys_or(known, None);
    }

    /// Like [`Section::check_keys`], with a hint for keys that are near no known one.
    pub(super) fn check_keys_or(&self, known: &[&str], otherwise: Option<&str>) {
        for field in self.fields().filter(|field| !known.contains(&field.key)) {
            let suggestion =
                nearest(field.key, known.iter().copied()).map(|word| match field.node.origin {
                    Origin::Variable(_) => did_you_mean(&word.to_uppercase()),
                    Origin::File { .. } | Origin::Whole => did_you_mean(word),
                });
            let message = format!("unknown key `{}` in {}", field.key, self.title);
            field.refuse_key(message, suggestion.or(otherwise.map(str::to_owned)));
        }
    }

    /// The entries in the order of the file.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'d>> {
        self.table.0.iter().map(|(key, node)| self.field(key, node))
    }

    /// The entry of a key, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<Field<'d>> {
        let (key, node) = self.table.0.iter().find(|(name, _)| name == key)?;
        Some(self.field(key, node))
    }

    /// The entry of a key; its absence is a problem.
    pub(super) fn require(&self, key: &str) -> Option<Field<'d>> {
        let field = self.get(key);
        if field.is_none() {
            self.refuse(format!("{} needs `{key}`", self.title), None);
        }
        field
    }

    /// The text of a key that must be there and not be blank.
    pub(super) fn require_text(&self, key: &str) -> Option<String> {
        self.require(key)?.text().map(str::to_owned)
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// A length of time, or what it is unless told otherwise.
    pub(super) fn duration_or(&self, key: &str, default: Duration) -> Duration {
        self.get(key).and_then(|field| field.duration()).unwrap_or(default)
    }

    /// Like [`Section::duration_or`], for what would turn into a busy loop at zero.
    pub(super) fn positive_duration_or(&self, key: &str, default: Duration) -> Duration {
        let field = self.get(key);
        let duration = field.as_ref().and_then(Field::duration).unwrap_or(default);
        if duration.is_zero() {
            let Some(field) = field else { return default };
            field.refuse(format!("`{key}` has to be longer than nothing"), None);
        }
        duration
    }

    /// The tables with names of the user's choice, such as `[target.entra]`.
    pub(super) fn named(&self, kind: &str) -> Vec<(String, Section<'d>)> {
        let mut sections = Vec::new();
        for field in self.fields() {
            if !is_name(field.key) {
                let message = format!("`{}` is no name for a {kind}", field.key);
                let hint = "a name begins with `a` to `z` and goes on with those, digits and `-`";
                field.refuse_key(message, Some(hint.to_owned()));
            }
            sections.extend(field.header().map(|section| (field.key.to_owned(), section)));
        }
        sections
    }

    /// A problem with the section itself.
    pub(super) fn refuse(&self, message: String, hint: Option<String>) {
        self.report.add(self.origin, Part::Key, &self.path, message, hint);
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn report(&self) -> &'d Report<'d> {
        self.report
    }

    fn field(&self, key: &'d str, node: &'d Node) -> Field<'d> {
        let path = join(&self.path, key);
        Field { report: self.report, path, parent: self.title.clone(), key, node }
    }
}

/// One entry of a table that is being read.
pub(super) struct Field<'d> {
    report: &'d Report<'d>,
    path: String,
    /// The title of the section it stands in.
    parent: String,
    pub(super) key: &'d str,
    pub(super) node: &'d Node,
}

impl<'d> Field<'d> {
    /// Text, which may be blank.
    pub(super) fn any_text(&self) -> Option<&'d str> {
        match (&self.node.value, &self.node.raw) {
            (Value::Text(text), _) => Some(text.as_str()),
            (_, Some(raw)) => Some(raw.as_ref()),
            _ => {
                self.wrong_type("text in quotes");
                None
            }
        }
    }

    /// Text that is not blank.
    pub(super) fn text(&self) -> Option<&'d str> {
        let text = self.any_text()?;
        if text.trim().is_empty() {
            self.refuse_key(format!("`{}` is empty", self.key), None);
            return None;
        }
        Some(text)
    }

    /// Whether it is a table.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.node.value, Value::Table(_))
    }

    /// Whether it is a list without entries.
    pub(super) fn is_empty_list(&self) -> bool {
        matches!(&self.node.value, Value::Array(items) if items.is_empty())
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.node.value, Value::Array(_))
    }

    /// Whether it is this text.
    pub(super) fn is_text(&self, text: &str) -> bool {
        matches!(&self.node.value, Value::Text(own) if own == text)
    }

    /// A boolean.
    pub(super) fn boolean(&self) -> Option<bool> {
        let Value::Boolean(boolean) = self.node.value else {
            self.wrong_type("`true` or `false`");
            return None;
        };
        Some(boolean)
    }

    /// A whole number from 1.
    pub(super) fn positive(&self) -> Option<u32> {
        let Value::Integer(integer) = self.node.value else {
            self.wrong_type("a whole number");
            return None;
        };
        let number = u32::try_from(integer).ok().filter(|number| *number > 0);
        if number.is_none() {
            self.refuse(format!("`{}` has to be from 1 to {}", self.key, u32::MAX), None);
        }
        number
    }

    /// A length of time, which may be nothing.
    pub(super) fn duration(&self) -> Option<Duration> {
        let duration = duration::parse(self.text()?);
        if duration.is_none() {
            let message = format!("`{}` is no length of time", self.key);
            self.refuse(message, Some(format!("write it like {}", duration::EXAMPLES)));
        }
        duration
    }

    /// One of a few words, by what it means.
    pub(super) fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            let message = format!("`{}` has to be {}", self.key, or(&all));
            let known = words.iter().map(|(word, _)| *word);
            self.refuse(message, nearest(text, known).map(did_you_mean));
        }
        found
    }

    /// An array of texts, none of them blank.
    pub(super) fn texts(&self) -> Option<Vec<&'d str>> {
        self.items()?.iter().map(Field::text).collect()
    }

    /// The entries of an array, each called as the array is.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let Value::Array(items) = &self.node.value else {
            self.wrong_type("a list like [\"…\"]");
            return None;
        };
        let item =
            |node| Field { path: self.path.clone(), parent: self.parent.clone(), node, ..*self };
        Some(items.iter().map(item).collect())
    }

    /// The table, as a section that messages call by its header.
    pub(super) fn header(&self) -> Option<Section<'d>> {
        self.section(format!("`[{}]`", self.path))
    }

    /// The table, as a part of the section it stands in.
    pub(super) fn part(&self) -> Option<Section<'d>> {
        self.section(format!("`{}` of {}", self.key, self.parent))
    }

    fn section(&self, title: String) -> Option<Section<'d>> {
        let Value::Table(table) = &self.node.value else {
            self.wrong_type("a table");
            return None;
        };
        let (report, origin) = (self.report, &self.node.origin);
        Some(Section { report, path: self.path.clone(), title, origin, table })
    }

    /// Notes that the value of the key it stands in is in the vault.
    pub(super) fn note_vault_use(&self, name: &str) {
        let key = self.path.strip_suffix(".vault").unwrap_or(&self.path).to_owned();
        let origin = self.node.origin.clone();
        self.report.vault_uses.borrow_mut().push(VaultUse { key, name: name.to_owned(), origin });
    }

    /// Says what was expected and what is there, without its value.
    pub(super) fn wrong_type(&self, expected: &str) {
        let message =
            format!("`{}` has to be {expected}, found {}", self.key, self.node.value.kind());
        self.refuse_key(message, None);
    }

    /// A problem with the value, which may be shown: it cannot be a secret.
    pub(super) fn refuse(&self, message: String, hint: Option<String>) {
        self.report.add(&self.node.origin, Part::Value, &self.path, message, hint);
    }

    /// A problem with the key, or with a value that is not shown.
    pub(super) fn refuse_key(&self, message: String, hint: Option<String>) {
        self.report.add(&self.node.origin, Part::Key, &self.path, message, hint);
    }
}

/// Whether a text can be the name of a target or source: `[a-z][a-z0-9-]*`.
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// "`a`, `b` or `c`".
pub(super) fn or(words: &[String]) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
