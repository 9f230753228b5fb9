//! What happened in the stories, in numbers.

use std::fmt;

/// What happened in a story.
#[derive(Debug, Default)]
pub struct Tally {
    pub kills: u64,
    pub commands: u64,
    pub days: u64,
    pub runs: u64,
    pub held: u64,
    pub approved: u64,
    pub cancelled: u64,
    pub retried: u64,
    pub refused: u64,
    pub stale: u64,
    pub faults: u64,
    pub calls: u64,
    pub cut_off: u64,
    pub people: u64,
    pub rests: u64,
}

impl Tally {
    fn fields(&mut self) -> [(&'static str, &mut u64); 15] {
        [
            ("kills", &mut self.kills),
            ("commands", &mut self.commands),
            ("days", &mut self.days),
            ("runs", &mut self.runs),
            ("held", &mut self.held),
            ("approved", &mut self.approved),
            ("cancelled", &mut self.cancelled),
            ("retried", &mut self.retried),
            ("refused files", &mut self.refused),
            ("stale files", &mut self.stale),
            ("faults switched on", &mut self.faults),
            ("bulk requests", &mut self.calls),
            ("requests cut off", &mut self.cut_off),
            ("people", &mut self.people),
            ("times proven", &mut self.rests),
        ]
    }

    pub fn add(&mut self, other: &Self) {
        let mut other = Self { ..*other };
        for ((_, sum), (_, more)) in self.fields().into_iter().zip(other.fields()) {
            *sum += *more;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut copy = Self { ..*self };
        let fields = copy.fields().map(|(name, count)| format!("{count} {name}"));
        f.write_str(&fields.join(", "))
    }
}
