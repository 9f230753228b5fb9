//! `[retention]`: how long it is kept what happened to people.

use std::time::Duration;

use crate::config::section::Section;

pub(super) const KEYS: &[&str] = &["runs", "left"];
/// Entra's log goes back 30 days, and what it says later is still entered.
const LEAST_RUNS: Duration = Duration::from_hours(35 * 24);
/// Whoever is gone from one file is often back in the next.
const LEAST_LEFT: Duration = Duration::from_hours(24);

/// `[retention]`. What is not set is kept for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionConfig {
    /// How long operations and rejected rows are kept after their run has ended.
    pub runs: Option<Duration>,
    /// How long the attributes of people are kept after they left.
    pub left: Option<Duration>,
}

pub(super) fn read(section: Option<&Section<'_>>) -> RetentionConfig {
    let Some(section) = section else { return RetentionConfig::default() };
    section.check_keys(KEYS);
    RetentionConfig {
        runs: at_least(
            section,
            "runs",
            LEAST_RUNS,
            "`35d`: Entra may still say for 30 days what became of it",
        ),
        left: at_least(
            section,
            "left",
            LEAST_LEFT,
            "`1d`: whoever is missing from one file may be in the next",
        ),
    }
}

fn at_least(section: &Section<'_>, key: &str, least: Duration, words: &str) -> Option<Duration> {
    let field = section.get(key)?;
    let length = field.duration()?;
    if length < least {
        field.refuse(format!("`{key}` has to be at least {words}"), None);
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigErrors};

    fn parse(lines: &str) -> Result<RetentionConfig, ConfigErrors> {
        let text = format!("[retention]\n{lines}\n");
        Config::parse(&text, std::path::Path::new("/c"), []).map(|config| config.retention)
    }

    #[test]
    fn everything_is_kept_where_nothing_is_said() {
        assert_eq!(parse("").unwrap(), RetentionConfig::default());
        let set = parse("runs = \"400d\"\nleft = \"90d\"").unwrap();
        assert_eq!(set.runs, Some(Duration::from_hours(400 * 24)));
        assert_eq!(set.left, Some(Duration::from_hours(90 * 24)));
    }

    #[test]
    fn what_may_still_be_needed_is_not_let_go() {
        for (line, words) in [
            ("runs = \"30d\"", "`runs` has to be at least `35d`"),
            ("left = \"1h\"", "`left` has to be at least `1d`"),
            ("rows = \"90d\"", "unknown key"),
        ] {
            let errors = parse(line).unwrap_err().to_string();
            assert!(errors.contains(words), "{line}: {errors}");
        }
    }
}
