//! `rejects.csv`: what goes back to HR, one line a rejected row.

use std::borrow::Cow;
use std::io::Write;

use crate::domain::RecordProblem;

/// Writes rejected rows as CSV that a spreadsheet opens without running anything in it.
pub struct RejectsWriter<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> RejectsWriter<W> {
    /// Begins with the header.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn new(output: W) -> std::io::Result<Self> {
        let mut csv = csv::Writer::from_writer(output);
        csv.write_record(["row", "line", "externalId", "code", "reason", "advice"])?;
        Ok(Self { csv })
    }

    /// Writes one rejected row.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn write(
        &mut self,
        row: u64,
        line: Option<u64>,
        external_id: Option<&str>,
        problem: &RecordProblem,
    ) -> std::io::Result<()> {
        self.csv.write_record([
            row.to_string().as_str(),
            line.map(|line| line.to_string()).unwrap_or_default().as_str(),
            formula_safe(external_id.unwrap_or_default()).as_ref(),
            problem.code,
            formula_safe(&problem.to_string()).as_ref(),
            formula_safe(problem.hint.as_deref().unwrap_or_default()).as_ref(),
        ])?;
        Ok(())
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.csv.flush()
    }
}

/// The text, kept from being read as a formula: a spreadsheet runs cells that begin with `=`, `+`,
/// `-`, `@`, a tab or a carriage return, so those get an apostrophe in front.
#[must_use]
pub fn formula_safe(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_begins_like_a_formula_is_made_harmless() {
        assert_eq!(formula_safe("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(formula_safe("E1001"), "E1001");
    }
}
