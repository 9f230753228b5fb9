//! What is wrong with an expression, and what went wrong with a row.

use std::fmt;

/// Why an expression cannot be used, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mapping) struct ExprFault {
    /// Line and character, both from 1; the line only where there are several.
    pub(super) place: Option<(Option<usize>, usize)>,
    pub(super) message: String,
    pub(in crate::mapping) hint: Option<String>,
}

impl ExprFault {
    /// A fault of the expression as a whole.
    pub(super) fn whole(message: impl Into<String>, hint: &str) -> Self {
        Self { place: None, message: message.into(), hint: Some(hint.to_owned()) }
    }

    /// A fault at a byte of the text.
    pub(super) fn at(text: &str, byte: usize, message: impl Into<String>) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        let line = text.trim_end().contains('\n').then(|| before.matches('\n').count() + 1);
        Self { place: Some((line, column)), message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for ExprFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((Some(line), column)) => write!(f, "at line {line}, character {column}: ")?,
            Some((None, column)) => write!(f, "at character {column}: ")?,
            None => {}
        }
        f.write_str(&self.message)
    }
}

/// Why a row has no value of an expression: which function or operator, and what it says. Never a
/// value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) struct EvalFault {
    /// The function or operator; none: the expression as a whole.
    pub(super) function: Option<&'static str>,
    /// What is wrong, as the end of a sentence that begins with the function.
    pub(super) what: &'static str,
}

impl EvalFault {
    pub(super) const fn of(function: &'static str, what: &'static str) -> Self {
        Self { function: Some(function), what }
    }

    pub(in crate::mapping) const fn whole(what: &'static str) -> Self {
        Self { function: None, what }
    }
}

impl fmt::Display for EvalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.function {
            Some(function) => write!(f, "`{function}` {}", self.what),
            None => write!(f, "it {}", self.what),
        }
    }
}
