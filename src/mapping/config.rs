//! An attribute mapping as the config states it, before it is compiled.
//!
//! `config` reads the TOML into these types; `Mapping::compile` finds every mistake in them.

/// The whole of `[source.NAME.mapping]`, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MappingConfig {
    /// One entry for each key.
    pub attributes: Vec<AttributeConfig>,
    /// `scope` of the source: a condition; rows that do not meet it are `out_of_scope`.
    pub scope: Option<String>,
    /// `rows.prefer` of the source: of several rows of one worker, those for which it is true (or
    /// the greatest number) come first.
    pub prefer: Option<String>,
    /// `rows.by` of the source: the column with the day from which a row applies.
    pub by: Option<ByConfig>,
    /// `as_of` of the source, where it is a column: the day on which a row was true.
    pub as_of: Option<ByConfig>,
}

/// A column with days: `rows.by` of a source, or its `as_of`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByConfig {
    /// The column, by its header.
    pub column: String,
    /// Date formats (strftime notation) to read it by.
    pub date: Vec<String>,
}

/// One line of the mapping: a SCIM attribute path and where its value comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeConfig {
    /// The left side as written: RFC 7644 section 3.5.2 notation, or `enterprise:…`.
    pub path: String,
    /// The right side.
    pub rule: RuleConfig,
}

/// The right side of a mapping line. Rules apply in the order of the fields.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct RuleConfig {
    /// Where the value comes from.
    pub value: ValueSource,
    /// Whether blanks (no-break spaces too) at both ends are removed. True unless told otherwise.
    pub trim: bool,
    /// Words that count as empty, compared after trimming.
    pub empty_words: Vec<String>,
    /// What an empty value becomes; final.
    pub default: Option<Literal>,
    /// Whether an empty value rejects the row.
    pub required: bool,
    /// What an empty value without default becomes.
    pub on_empty: OnEmpty,
    /// To how many digits leading zeros are restored; values with other characters stay.
    pub pad: Option<usize>,
    /// A lookup table in file order, case ignored.
    pub map: Option<Vec<(String, Literal)>>,
    /// What becomes of a value that is not in `map`; final.
    pub otherwise: Otherwise,
    /// Date formats (strftime notation) to read, tried all of them; empty: not a date, or ISO 8601
    /// with [`ValueSource::Between`].
    pub date: Vec<String>,
    /// The time of day written with a date, `HH:MM`; `00:00` where absent.
    pub time: Option<String>,
    /// Letters.
    pub case: Option<Case>,
    /// Whether diacritics are folded, as Entra's `NormalizeDiacritics` does.
    pub ascii: bool,
    /// Most Unicode characters.
    pub max: Option<usize>,
    /// Whether a longer value is cut to `max` instead of rejecting the row.
    pub truncate: bool,
    /// The JSON type that is written.
    pub kind: Option<ValueType>,
    /// Whether the column may be missing from the file.
    pub optional: bool,
}

/// How dates are read where nothing is said of it.
pub(super) const ISO_DATE: &str = "%Y-%m-%d";

impl RuleConfig {
    /// The formats by which its dates are read; empty: it reads none.
    #[must_use]
    pub fn date_formats(&self) -> Vec<String> {
        if self.date.is_empty() && matches!(self.value, ValueSource::Between(_)) {
            return vec![ISO_DATE.to_owned()];
        }
        self.date.clone()
    }

    /// Whether it reads dates, which mean nothing without a time zone.
    #[must_use]
    pub const fn reads_dates(&self) -> bool {
        !self.date.is_empty() || matches!(self.value, ValueSource::Between(_))
    }

    /// A rule with nothing but its source.
    #[must_use]
    pub fn new(value: ValueSource) -> Self {
        Self {
            value,
            trim: true,
            empty_words: Vec::new(),
            default: None,
            required: false,
            on_empty: OnEmpty::Omit,
            pad: None,
            map: None,
            otherwise: Otherwise::Reject,
            date: Vec::new(),
            time: None,
            case: None,
            ascii: false,
            max: None,
            truncate: false,
            kind: None,
            optional: false,
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueSource {
    /// One column, by its header.
    Column(String),
    /// Text with `{Column}` in it; `{{` stands for a brace.
    Template(String),
    /// The same value for everybody.
    Const(Literal),
    /// A CEL expression over the row's columns.
    Expression(String),
    /// For `active` alone: true from one day to another.
    Between(Box<Between>),
}

/// `between = […]`: the columns with the first and the last day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    /// The column with the first day.
    pub start: String,
    /// The column with the last day.
    pub end: String,
    /// Whether that day is in.
    pub end_is: End,
}

/// Whether the last day is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum End {
    /// It is the last working day.
    #[default]
    Inclusive,
    /// It is the first day after.
    Exclusive,
}

/// `type = …`: the JSON type that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// A whole number.
    Integer,
    /// A boolean.
    Boolean,
}

/// A value written in the config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
}

/// What an empty value becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnEmpty {
    /// The attribute is left out.
    #[default]
    Omit,
    /// An explicit JSON null, for jobs with "Flow null values".
    Null,
}

/// What becomes of a value that the lookup table does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Otherwise {
    /// The row is rejected.
    #[default]
    Reject,
    /// This value instead; final.
    Value(Literal),
}

/// Letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// All lower case.
    Lower,
    /// All upper case.
    Upper,
    /// The first letter of each word in upper case, the others in lower case.
    Title,
}
