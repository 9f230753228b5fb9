//! What is proposed, and what is doubtful about it.

use crate::mapping::{ByConfig, RuleConfig};

/// A mapping for a file, as far as its headers and values tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposal {
    /// One for each attribute, in the order in which people look for them.
    pub lines: Vec<ProposedLine>,
    /// What to do with several rows of one worker, where the file has such rows.
    pub rows: Option<ProposedRows>,
    /// The columns that no line reads.
    pub unmapped: Vec<Unmapped>,
    /// What is missing, for the person who reads the proposal.
    pub remarks: Vec<String>,
}

/// A line of the mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedLine {
    /// The SCIM attribute.
    pub path: &'static str,
    /// Where its value comes from.
    pub rule: RuleConfig,
    /// A value of the file that the line would read.
    pub sample: Option<String>,
    /// What is worth knowing about it and needs no answer.
    pub note: Option<String>,
    /// What it might be instead.
    pub doubt: Option<Doubt>,
}

/// Why a line may be wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// What does not fit, as the end of "unsure, because".
    pub reason: String,
    /// What could stand there instead.
    pub alternatives: Vec<Alternative>,
}

/// Another way to read the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// What it means, for people.
    pub words: String,
    /// What stands on the right side then; nothing where the line is left out.
    pub rule: Option<RuleConfig>,
}

/// `rows = { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedRows {
    /// `by`, where a column says from when a row applies.
    pub by: Option<ByConfig>,
    /// `prefer`, where a column says which row is the main one.
    pub prefer: Option<String>,
    /// How many rows repeat a worker.
    pub repeated: u64,
}

/// A column that no line reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// Its header.
    pub header: String,
    /// A value of it, unless it looks like one that should not be shown.
    pub sample: Option<String>,
    /// Why it is left out, where that is not simply that nobody knows what it is.
    pub why: Option<String>,
}

impl Proposal {
    /// Whether something in it reads dates, so that the source needs a time zone.
    #[must_use]
    pub fn has_dates(&self) -> bool {
        let by = self.rows.as_ref().and_then(|rows| rows.by.as_ref());
        by.is_some() || self.lines.iter().any(|line| !line.rule.date.is_empty())
    }

    /// Takes an alternative in the place of what was proposed for a line; the line is settled then.
    pub fn settle(&mut self, line: usize, alternative: Option<usize>) {
        let Some(proposed) = self.lines.get_mut(line) else { return };
        let Some(doubt) = proposed.doubt.take() else { return };
        let Some(chosen) = alternative.and_then(|at| doubt.alternatives.into_iter().nth(at)) else {
            return;
        };
        match chosen.rule {
            Some(rule) => {
                proposed.rule = rule;
                proposed.sample = None;
            }
            None => drop(self.lines.remove(line)),
        }
    }
}
