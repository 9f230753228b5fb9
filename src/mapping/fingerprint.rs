//! The fingerprint of a mapping's meaning.
//!
//! Two mappings with the same fingerprint make the same bytes of the same row, and have the same
//! fingerprint whatever the order of their lines, of the words in a `map` or of date formats. What
//! cannot change a resource (`optional`) does not count; the time zone does, where there is a date.

use sha2::{Digest as _, Sha256};

use crate::mapping::finish::{Longer, Output};
use crate::mapping::rule::{Fixed, Rule, Source};
use crate::mapping::template::Part;
use crate::mapping::{Case, End, MappingConfig, OnEmpty, RuleConfig};

/// Grows when the same mapping begins to make other bytes.
const VERSION: u64 = 2;

/// Takes in one rule after the other, in the order of their paths.
pub(super) struct Fingerprint {
    hash: Sha256,
}

/// What dates depend on beyond the rule.
pub(super) struct Dates {
    pub(super) formats: Vec<String>,
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
            Source::Expression(expression) => {
                self.text("expression");
                self.text(expression.text());
            }
            Source::Between(days) => {
                self.text("between");
                for day in days.both() {
                    self.text(&column(day.column));
                }
                self.text(match days.end_is {
                    End::Inclusive => "inclusive",
                    End::Exclusive => "exclusive",
                });
            }
        }
        self.flag(rule.trim);
        self.list(sorted(rule.empty_words.clone()));
        self.fixed(rule.default.as_ref());
        self.flag(rule.required);
        self.flag(config.on_empty == OnEmpty::Null);
        self.number(rule.pad.map_or(0, |digits| digits as u64));
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
                self.list(sorted(dates.formats.clone()));
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
        self.flag(rule.finish.ascii);
        self.number(rule.finish.max.map_or(0, |max| max.chars as u64));
        self.flag(rule.finish.max.is_some_and(|max| max.longer != Longer::Reject));
        self.text(match rule.output {
            Output::Text => "string",
            Output::Boolean => "boolean",
            Output::Integer => "integer",
        });
    }

    /// Takes in which rows count.
    pub(super) fn conditions(&mut self, config: &MappingConfig) {
        for (name, text) in [("scope", &config.scope), ("prefer", &config.prefer)] {
            if let Some(text) = text {
                self.text(name);
                self.text(text.trim());
            }
        }
        if let Some(by) = &config.by {
            self.text("by");
            self.text(by.column.trim());
            self.list(sorted(by.date.clone()));
        }
    }

    fn fixed(&mut self, value: Option<&Fixed>) {
        match value {
            // JSON is never empty
            Some(value) => self.bytes(&value.json),
            None => self.bytes(b""),
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

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// With their number before them, so that neighbours cannot run into each other.
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.hash.update(bytes);
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
