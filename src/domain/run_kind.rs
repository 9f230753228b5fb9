//! What a run came from, and what a person may decide about it.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$each])* $variant,)+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word used in JSON, SQL and on the terminal.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads the word back; `None` for any other word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What a run came from.
    RunKind {
        /// A whole file.
        File = "file",
        /// A few of a file's changes, tried before the rest.
        Pilot = "pilot",
        /// Dates that have come, and managers that have arrived; no file.
        Due = "due",
        /// Webhook deliveries that waited together.
        Webhook = "webhook",
    }
}

impl RunKind {
    /// Kinds of small runs, which the guards judge together with the day's others of the source.
    pub const SMALL: &'static [Self] = &[Self::Due, Self::Webhook];
}

words! {
    /// What a person decided about a run.
    RunDecision {
        /// A held run may go.
        Approved = "approved",
        /// What of it was not sent is not to be sent.
        Cancelled = "cancelled",
        /// Operations of it are sent again.
        Retried = "retried",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for kind in RunKind::ALL {
            assert_eq!(RunKind::parse(kind.as_str()), Some(*kind));
        }
        for decision in RunDecision::ALL {
            assert_eq!(RunDecision::parse(decision.as_str()), Some(*decision));
        }
        assert_eq!(RunKind::parse("File"), None);
    }
}
