//! What is wrong with a config, and how it is shown: place, words, the line with a caret, a hint.

use std::fmt;

/// One mistake in the config or in a variable that overrides it.
///
/// The message never holds a value; the snippet holds one only where it cannot be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Where it is.
    pub place: ConfigPlace,
    /// The key concerned, such as `target.entra.burst`; empty for the whole file.
    pub path: String,
    /// What was found, and what was expected.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
    /// The line concerned.
    pub snippet: Option<Snippet>,
}

/// Where a mistake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigPlace {
    /// The file as a whole.
    File {
        /// Its name, without folders.
        name: String,
    },
    /// A place in the file.
    Line {
        /// The file's name, without folders.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
    },
    /// An environment variable.
    Variable {
        /// Its name.
        name: String,
    },
}

/// A line of the file, cut and masked so that it shows no secret, with the part to underline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The line's number, from 1.
    pub line: usize,
    /// What may be shown of it.
    pub text: String,
    /// The first character to underline, from 0.
    pub start: usize,
    /// How many characters to underline; at least 1.
    pub width: usize,
}

/// Everything that is wrong with a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    /// In the order of the file, then those of the environment. Never empty.
    pub problems: Vec<ConfigProblem>,
}

impl ConfigErrors {
    /// Puts the problems into the order in which a person reads the file.
    #[must_use]
    pub fn new(mut problems: Vec<ConfigProblem>) -> Self {
        problems.sort_by_key(|problem| match problem.place {
            ConfigPlace::File { .. } => (0, 0, 0),
            ConfigPlace::Line { line, column, .. } => (1, line, column),
            ConfigPlace::Variable { .. } => (2, 0, 0),
        });
        Self { problems }
    }
}

impl fmt::Display for ConfigPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name } => f.write_str(name),
            Self::Line { name, line, .. } => write!(f, "{name}, line {line}"),
            Self::Variable { name } => write!(f, "environment variable `{name}`"),
        }
    }
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        writeln!(f, "  {number} | {}", self.text)?;
        write!(f, "  {:gutter$} | {:before$}", "", "", gutter = number.len(), before = self.start)?;
        f.write_str(&"^".repeat(self.width))
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some(snippet) = &self.snippet {
            write!(f, "\n{snippet}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigProblem {}
impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_place_line_caret_and_hint() {
        let problem = ConfigProblem {
            place: ConfigPlace::Line { name: "scimport.toml".into(), line: 14, column: 3 },
            path: "target.entra.burts".into(),
            message: "unknown key `burts` in `[target.entra]`".into(),
            hint: Some("did you mean `burst`?".into()),
            snippet: Some(Snippet { line: 14, text: "  burts …".into(), start: 2, width: 5 }),
        };
        insta::assert_snapshot!(problem, @r"
        scimport.toml, line 14: unknown key `burts` in `[target.entra]`
          14 |   burts …
             |   ^^^^^
          hint: did you mean `burst`?
        ");
    }

    #[test]
    fn problems_stand_in_the_order_of_the_file_and_the_environment_last() {
        let at = |place| ConfigProblem {
            place,
            path: String::new(),
            message: "x".into(),
            hint: None,
            snippet: None,
        };
        let line = |line| ConfigPlace::Line { name: "f".into(), line, column: 1 };
        let errors = ConfigErrors::new(vec![
            at(ConfigPlace::Variable { name: "V".into() }),
            at(line(9)),
            at(line(2)),
        ]);
        assert_eq!(errors.to_string(), "f, line 2: x\nf, line 9: x\nenvironment variable `V`: x");
    }
}
