//! The columns that somebody reads, told to the source before it reads a file.

/// A column that a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnUse {
    /// Its header, trimmed, as the config writes it.
    pub name: String,
    /// Whether a file may lack it: every line that reads it says so.
    pub optional: bool,
    /// What it is read as.
    pub kind: ColumnKind,
}

/// What a column is read as. Of several uses the later one in this order counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnKind {
    /// Text.
    #[default]
    Text,
    /// A telephone number: digits that are no quantity.
    Phone,
    /// The id of a worker or of a manager: digits that are no quantity.
    Id,
    /// A date: a number in a workbook's cell is a serial of its date system.
    Date,
}
