//! An error on one line, with everything that caused it.

use std::error::Error;
use std::fmt;

/// Displays an error and its causes, `: ` between them: for log lines, which have one line each.
///
/// Our errors name no values and no secrets, and neither do the causes they keep.
#[derive(Debug, Clone, Copy)]
pub struct Causes<'a>(pub &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            let words = cause.to_string();
            // a transparent error repeats its cause's words
            if !said.contains(&words) {
                write!(f, ": {words}")?;
            }
            said = words;
            source = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the upload got no answer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_cause_follows_what_it_caused() {
        let error = Outer(std::io::Error::other("connection refused"));
        assert_eq!(Causes(&error).to_string(), "the upload got no answer: connection refused");
    }
}
