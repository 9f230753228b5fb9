//! Mapping files of CSV2SCIM (`AttributeMapping.psd1`): read without running anything, and
//! translated into our mapping.
//!
//! Such a file is a PowerShell hashtable of column names and script blocks. A block may run any
//! PowerShell; the usual forms are understood, and everything else is a [`Gap`] that names its line
//! and is left to a person. Nothing is guessed: a line that is translated says what the block says.
//! Start with [`Psd1::parse`].

mod cel;
mod expression;
mod lex;
mod net_date;
mod operator;
mod read;
mod render;
mod rule;
mod scan;
mod script;
#[cfg(test)]
mod tests;
mod translate;
mod value;

use crate::mapping::RuleConfig;

/// Largest file that is read, in bytes.
pub const MAX_PSD1_BYTES: usize = 1024 * 1024;

/// A mapping file that PowerShell would load.
#[derive(Debug, Clone)]
pub struct Psd1 {
    text: String,
    entries: Vec<read::Entry>,
}

/// Why a mapping file is refused as a whole, as PowerShell's safe loader refuses it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Psd1Error {
    /// The line, from 1.
    pub line: usize,
    /// What stands on it.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

/// A mapping as far as it could be translated.
#[derive(Debug, Clone, PartialEq)]
pub struct Translation {
    /// Lines and gaps in the order of the file.
    pub parts: Vec<Part>,
}

/// A line or a gap.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A line of our mapping.
    Line(Line),
    /// Something that a person has to write.
    Gap(Gap),
}

/// A line of our mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The left side.
    pub path: String,
    /// The right side.
    pub rule: RuleConfig,
    /// The line in the mapping file, from 1.
    pub line: usize,
    /// The original, where it was a script block.
    pub script: Option<String>,
    /// What somebody should know of it.
    pub notes: Vec<String>,
}

/// Something that was not translated, or that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The line in the mapping file, from 1; `None` where something is missing.
    pub line: Option<usize>,
    /// The attribute concerned.
    pub key: String,
    /// The original.
    pub text: String,
    /// Why.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
}

impl Psd1 {
    /// Reads a mapping file as PowerShell's loader of data files does, running nothing.
    ///
    /// # Errors
    /// When that loader would refuse it: it holds no hashtable, a key twice, or anything but
    /// values outside of script blocks; or when it is larger than [`MAX_PSD1_BYTES`].
    pub fn parse(text: &str) -> Result<Self, Psd1Error> {
        if text.len() > MAX_PSD1_BYTES {
            return Err(Psd1Error {
                line: 1,
                text: String::new(),
                message: format!("the file is larger than {MAX_PSD1_BYTES} bytes"),
                hint: None,
            });
        }
        match read::read(text) {
            Ok(entries) => Ok(Self { text: text.to_owned(), entries }),
            Err(trouble) => Err(Psd1Error {
                line: trouble.line,
                text: render::one_line(
                    text.lines().nth(trouble.line.saturating_sub(1)).unwrap_or_default(),
                ),
                message: trouble.message,
                hint: trouble.hint,
            }),
        }
    }

    /// Translates it into lines of our mapping and gaps.
    #[must_use]
    pub fn translate(&self) -> Translation {
        Translation { parts: translate::translate(&self.text, &self.entries) }
    }
}

impl Translation {
    /// What is left to a person, in the order of the file.
    pub fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.parts.iter().filter_map(|part| match part {
            Part::Gap(gap) => Some(gap),
            Part::Line(_) => None,
        })
    }

    /// The lines that were translated.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.parts.iter().filter_map(|part| match part {
            Part::Line(line) => Some(line),
            Part::Gap(_) => None,
        })
    }
}
