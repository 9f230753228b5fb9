//! An error with everything that caused it.

use std::error::Error;
use std::fmt;

/// An error's words, then those of its causes. What has been said already is not said again: a
/// transparent error repeats its cause's words.
#[must_use]
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !said.iter().any(|each| each.contains(&words)) {
            said.push(words);
        }
        source = cause.source();
    }
    said
}

/// Displays an error and its causes, `: ` between them: for log lines, which have one line each.
///
/// Our errors name no values and no secrets, and neither do the causes they keep.
#[derive(Debug, Clone, Copy)]
pub struct Causes<'a>(pub &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&causes(self.0).join(": "))
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
