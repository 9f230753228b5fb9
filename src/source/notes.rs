//! What was noticed about a file, up to a ceiling.

use crate::source::Finding;

/// Findings of one kind that are told one by one; the others are counted.
const MOST: usize = 20;

/// Findings, and how many more there were.
#[derive(Debug, Default)]
pub(super) struct Notes {
    findings: Vec<Finding>,
    more: u64,
}

impl Notes {
    /// Notes a finding, or counts it.
    pub(super) fn push(&mut self, finding: impl FnOnce() -> Finding) {
        if self.findings.len() < MOST {
            self.findings.push(finding());
        } else {
            self.more += 1;
        }
    }

    /// All of them; the last says how many more there were.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        if let Some(last) = findings.last_mut()
            && self.more > 0
        {
            last.message = format!("{}; {} more were found", last.message, self.more);
        }
        findings
    }
}
