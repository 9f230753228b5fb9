//! What a script block computes, as far as it is understood.

/// An expression over the columns of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Text(String),
    /// Digits, perhaps with a sign.
    Number(String),
    Boolean(bool),
    Null,
    /// The cell of this column.
    Column(String),
    /// Texts one after the other.
    Join(Vec<Expression>),
    /// Lower case, upper case, or without blanks at the ends.
    Letters(Letters, Box<Expression>),
    /// A part: its first letter, from 0, and its length where it has one.
    Part(Box<Expression>, usize, Option<usize>),
    Replace {
        text: Box<Expression>,
        old: String,
        new: String,
        is_regex: bool,
        is_exact: bool,
    },
    /// A date read by one .NET format and written by another.
    Date {
        text: Box<Expression>,
        read: String,
        write: String,
    },
    Equal {
        left: Box<Expression>,
        right: Box<Expression>,
        is_exact: bool,
    },
    /// Whether it is one of these texts.
    In {
        subject: Box<Expression>,
        words: Vec<String>,
        is_exact: bool,
    },
    /// Whether a regular expression matches.
    Match {
        subject: Box<Expression>,
        regex: String,
        is_exact: bool,
    },
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    /// The first case whose condition holds; nothing where none does and there is no default.
    Cases {
        cases: Vec<(Expression, Expression)>,
        default: Option<Box<Expression>>,
    },
    List(Vec<Expression>),
}

/// What is done to letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    Lower,
    Upper,
    Trimmed,
}

/// What comes of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Number,
    Boolean,
    List,
    /// Nothing at all, or now one type and now another.
    Unclear,
}

impl Expression {
    pub(super) fn type_of(&self) -> Type {
        match self {
            Self::Text(_)
            | Self::Column(_)
            | Self::Join(_)
            | Self::Letters(..)
            | Self::Part(..)
            | Self::Replace { .. }
            | Self::Date { .. } => Type::Text,
            Self::Number(_) => Type::Number,
            Self::Boolean(_)
            | Self::Equal { .. }
            | Self::In { .. }
            | Self::Match { .. }
            | Self::Not(_)
            | Self::And(..)
            | Self::Or(..) => Type::Boolean,
            Self::Cases { cases, default } => {
                let mut types = cases.iter().map(|(_, value)| value).chain(default.as_deref());
                let first = types.next().map_or(Type::Unclear, Self::type_of);
                if types.all(|value| value.type_of() == first) { first } else { Type::Unclear }
            }
            Self::List(_) => Type::List,
            Self::Null => Type::Unclear,
        }
    }
}

/// Why something cannot be translated, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Reason {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn with(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}
