//! The fingerprint of a mapping's meaning.
//!
//! Two mappings with the same fingerprint make the same bytes of the same row, and have the same
//! fingerprint whatever the order of their lines, of the words in a `map` or of date formats. What
//! cannot change a resource (`optional`) does not count; the time zone does, where there is a date.

use sha2::{Digest as _, Sha256};

use crate::mapping::rule::{Fixed, Rule, Source};
use crate::mapping::template::Part;
use crate::mapping::{Case, OnEmpty, RuleConfig};

/// Grows when the same mapping begins to make other bytes.
const VERSION: u64 = 1;

/// Takes in one rule after the other, in the order of their paths.
pub(super) struct Fingerprint {
    hash: Sha256,
}

/// What dates depend on beyond the rule.
pub(super) struct Dates {
    pub(super) time: String,
    pub(super) zone: String,
}

impl Fingerprint {
    pub(super) fn new() -> Self {
        let mut fingerprint = Self { hash: Sha256::new() };
        fingerprint.number(VERSION);
        fingerprint
    }

    pub(super) fn finish(self) -> [u8; 16] {
        let whole: [u8; 32] = self.hash.finalize().into();
        let mut cut = [0; 16];
        cut.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        cut
    }

    /// Takes in a rule, with the config it comes from and the names of all columns.
    pub(super) fn rule(
        &mut self,
        rule: &Rule,
        config: &RuleConfig,
        dates: Option<&Dates>,
        column: impl Fn(usize) -> String,
    ) {
        self.text(&rule.path.to_string());
        match &rule.source {
            Source::Column(slot) => {
                self.text("column");
                self.text(&column(*slot));
            }
            Source::Template(parts) => {
                self.text("template");
                self.number(parts.len() as u64);
                for part in parts {
                    match part {
                        Part::Text(text) => {
                            self.text("text");
                            self.text(text);
                        }
                        Part::Column(slot) => {
                            self.text("column");
                            self.text(&column(*slot));
                        }
                    }
                }
            }
            Source::Const(fixed) => {
                self.text("const");
                self.fixed(Some(fixed));
            }
        }
        self.flag(rule.trim);
        self.list(sorted(rule.empty_words.clone()));
        self.fixed(rule.default.as_ref());
        self.flag(rule.required);
        self.flag(config.on_empty == OnEmpty::Null);
        match &rule.lookup {
            Some(lookup) => {
                self.number(lookup.words.len() as u64 + 1);
                for (word, value) in &lookup.words {
                    self.text(word);
                    self.fixed(Some(value));
                }
                self.fixed(lookup.otherwise.as_ref());
            }
            None => self.number(0),
        }
        match dates {
            Some(dates) => {
                self.list(sorted(config.date.clone()));
                self.text(&dates.time);
                self.text(&dates.zone);
            }
            None => self.number(0),
        }
        self.text(match rule.finish.case {
            None => "",
            Some(Case::Lower) => "lower",
            Some(Case::Upper) => "upper",
            Some(Case::Title) => "title",
        });
        self.number(rule.finish.max.map_or(0, |max| max as u64));
    }

    fn fixed(&mut self, value: Option<&Fixed>) {
        match value {
            Some(value) => {
                self.text(if value.boolean.is_some() { "boolean" } else { "text" });
                self.text(&value.text);
            }
            None => self.text("none"),
        }
    }

    fn list(&mut self, words: Vec<String>) {
        self.number(words.len() as u64);
        for word in words {
            self.text(&word);
        }
    }

    fn flag(&mut self, value: bool) {
        self.number(u64::from(value));
    }

    /// With its length before it, so that neighbours cannot run into each other.
    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.hash.update(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.hash.update(number.to_le_bytes());
    }
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words.dedup();
    words
}
