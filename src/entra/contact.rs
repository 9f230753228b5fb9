//! When the other side was last heard of, for whoever watches over this machine.

use jiff::Timestamp;

/// When a client last heard of the other side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contact {
    /// When a token was last at hand.
    pub token_at: Option<Timestamp>,
    /// When the token endpoint last gave none.
    pub token_failed_at: Option<Timestamp>,
    /// When the provisioning log was last read.
    pub poll_at: Option<Timestamp>,
    /// When the provisioning log was last not to be read.
    pub poll_failed_at: Option<Timestamp>,
}

impl Contact {
    /// What either knows, the later of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            token_at: self.token_at.max(other.token_at),
            token_failed_at: self.token_failed_at.max(other.token_failed_at),
            poll_at: self.poll_at.max(other.poll_at),
            poll_failed_at: self.poll_failed_at.max(other.poll_failed_at),
        }
    }

    /// Whether the last word about the token was a good one, as far as there was any.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.token_failed_at.is_none() || self.token_at >= self.token_failed_at
    }

    /// The same of the log.
    #[must_use]
    pub fn has_log(&self) -> bool {
        self.poll_failed_at.is_none() || self.poll_at >= self.poll_failed_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts() {
        let at = |second| Timestamp::from_second(second).ok();
        let none = Contact::default();
        assert!(none.has_token() && none.has_log());
        let failed = Contact { token_failed_at: at(5), poll_failed_at: at(6), ..none };
        assert!(!failed.has_token() && !failed.has_log());
        let again = failed.and(Contact { token_at: at(6), poll_at: at(5), ..none });
        assert!(again.has_token() && !again.has_log());
        assert_eq!(again.token_failed_at, at(5));
    }
}
