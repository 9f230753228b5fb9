//! Where something is, as the person who opens the file would look it up.

use std::fmt;

/// A place in a file or a config.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file's name, without folders.
    pub file: Option<String>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The record, the header being 1 (the sheet row in workbooks).
    pub row: Option<u64>,
    /// The physical line at which the record starts, from 1.
    pub line: Option<u64>,
    /// The column's header.
    pub column: Option<String>,
}

impl Place {
    /// A place that is a whole file.
    pub fn file(name: impl Into<String>) -> Self {
        Self { file: Some(name.into()), ..Self::default() }
    }

    /// The same place, at a line.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same place, at a row and its line.
    #[must_use]
    pub fn at_row(mut self, row: u64, line: Option<u64>) -> Self {
        self.row = Some(row);
        self.line = line;
        self
    }

    /// The same place, in a column.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    fn is_empty(&self) -> bool {
        self.file.is_none()
            && self.sheet.is_none()
            && self.row.is_none()
            && self.line.is_none()
            && self.column.is_none()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("(no place)");
        }
        let mut gap = "";
        if let Some(file) = &self.file {
            write!(f, "{file}")?;
            gap = ", ";
        }
        if let Some(sheet) = &self.sheet {
            write!(f, "{gap}sheet `{sheet}`")?;
            gap = ", ";
        }
        if let Some(row) = self.row {
            write!(f, "{gap}row {row}")?;
            gap = ", ";
        }
        if let Some(line) = self.line {
            write!(f, "{gap}line {line}")?;
            gap = ", ";
        }
        if let Some(column) = &self.column {
            write!(f, "{gap}column `{column}`")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_from_the_outside_in() {
        let place = Place::file("hr.csv").at_row(17, Some(19)).in_column("WorkerID");
        assert_eq!(place.to_string(), "hr.csv, row 17, line 19, column `WorkerID`");
    }
}
