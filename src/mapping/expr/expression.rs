//! A compiled expression.

use cel::ParseErrors;

use crate::mapping::expr::check::Checker;
use crate::mapping::expr::fault::{EvalFault, ExprFault};
use crate::mapping::expr::general::{General, LANGUAGE};
use crate::mapping::expr::guard;
use crate::mapping::expr::kind::Kind;
use crate::mapping::expr::lower::lower;
use crate::mapping::expr::step::{Step, push_value};
use crate::mapping::expr::value::{MAX_TEXT, Value};
use crate::mapping::problem::Fault;

/// An expression, for any number of rows.
pub(in crate::mapping) struct Expression {
    text: String,
    /// The columns it reads, as places in the mapping's own list.
    columns: Vec<usize>,
    plan: Plan,
    kind: Kind,
    leaves_out_empty: bool,
}

/// How it is evaluated.
enum Plan {
    Steps(Step),
    General(Box<General>),
}

/// What an expression has made of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mapping) enum Made {
    Text,
    /// The attribute is left out, whatever is said of empty values.
    LeftOut,
}

/// Columns of which a row needs no buffer on the heap.
const FEW: usize = 8;

impl Expression {
    /// Compiles a text. `column` gives each column that it reads its place in the mapping's list.
    ///
    /// # Errors
    /// When the text is no expression, or names something that is not there: the first mistake.
    pub(in crate::mapping) fn compile(
        text: &str,
        mut column: impl FnMut(&str) -> usize,
    ) -> Result<Self, ExprFault> {
        guard::check(text)?;
        let program = LANGUAGE.compile(text).map_err(|errors| unreadable(text, &errors))?;
        let mut node = program.expression().clone();
        let mut checker = Checker::new(text, program.source_info());
        let leaves_out_empty = checker.take_ignore(&mut node)?;
        let kind = checker.node(&mut node)?;
        let Checker { columns, calls, .. } = checker;
        let plan = match lower(&node, &calls) {
            Some(step) => Plan::Steps(step),
            None => Plan::General(Box::new(General::new(node, &calls))),
        };
        let columns = columns.iter().map(|name| column(name)).collect();
        Ok(Self { text: text.trim().to_owned(), columns, plan, kind, leaves_out_empty })
    }

    /// The text as the config has it.
    pub(in crate::mapping) fn text(&self) -> &str {
        &self.text
    }

    /// The columns it reads, as places in the mapping's own list.
    pub(in crate::mapping) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// The column that is all of it.
    pub(in crate::mapping) fn sole_column(&self) -> Option<usize> {
        let is_column = matches!(self.plan, Plan::Steps(Step::Column(_)));
        self.columns.first().copied().filter(|_| is_column && !self.leaves_out_empty)
    }

    /// Whether an empty value leaves the attribute out, whatever else is said of empty values.
    pub(in crate::mapping) const fn leaves_out_empty(&self) -> bool {
        self.leaves_out_empty
    }

    /// What its value will be, as far as that can be told.
    pub(in crate::mapping) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Appends the value as text; true as `true`. `read` gives the text of a column.
    ///
    /// # Errors
    /// When a column cannot be read, or the expression has no value for the row.
    pub(in crate::mapping) fn push<'v>(
        &'v self,
        read: impl Fn(usize) -> Result<&'v str, Fault>,
        out: &mut String,
    ) -> Result<Made, Fault> {
        let start = out.len();
        self.with_texts(read, |texts| {
            match &self.plan {
                Plan::Steps(step) => step.push(texts, out)?,
                Plan::General(general) => push_value(&general.evaluate(texts)?, out)?,
            }
            if out.len() - start > MAX_TEXT {
                return Err(EvalFault::whole(crate::mapping::expr::call::TOO_LONG));
            }
            Ok(())
        })?;
        let is_empty = out.len() == start;
        Ok(if is_empty && self.leaves_out_empty { Made::LeftOut } else { Made::Text })
    }

    /// Hands the value to `take`.
    ///
    /// # Errors
    /// As [`push`](Self::push), or what `take` finds wrong.
    pub(in crate::mapping) fn evaluate<'v, R>(
        &'v self,
        read: impl Fn(usize) -> Result<&'v str, Fault>,
        take: impl FnOnce(Value<'_>) -> Result<R, EvalFault>,
    ) -> Result<R, Fault> {
        self.with_texts(read, |texts| match &self.plan {
            Plan::Steps(step) => take(step.evaluate(texts)?),
            Plan::General(general) => take(general.evaluate(texts)?),
        })
    }

    fn with_texts<'v, R>(
        &self,
        read: impl Fn(usize) -> Result<&'v str, Fault>,
        take: impl FnOnce(&[&'v str]) -> Result<R, EvalFault>,
    ) -> Result<R, Fault> {
        let (mut few, mut many) = ([""; FEW], Vec::new());
        let texts = if let Some(texts) = few.get_mut(..self.columns.len()) {
            texts
        } else {
            many.resize(self.columns.len(), "");
            many.as_mut_slice()
        };
        for (text, column) in texts.iter_mut().zip(&self.columns) {
            *text = read(*column)?;
            if text.len() > MAX_TEXT {
                return Err(Fault::Expression(EvalFault::whole(LONG_CELL)));
            }
        }
        take(texts).map_err(Fault::Expression)
    }

    /// Whether it has steps of our own.
    #[cfg(test)]
    pub(super) const fn is_lowered(&self) -> bool {
        matches!(self.plan, Plan::Steps(_))
    }
}

const LONG_CELL: &str = "reads a cell that is longer than 65536 bytes";

/// The first of a parser's errors, in our words.
fn unreadable(text: &str, errors: &ParseErrors) -> ExprFault {
    let Some(error) = errors.errors.first() else {
        return ExprFault::whole("it is no expression", SYNTAX);
    };
    let line_start = usize::try_from(error.pos.0.max(1) - 1)
        .ok()
        .and_then(|line| text.split_inclusive('\n').take(line).map(str::len).reduce(|a, b| a + b))
        .unwrap_or(0);
    let characters = usize::try_from(error.pos.1.max(1) - 1).unwrap_or(0);
    let rest = text.get(line_start..).unwrap_or("");
    let byte = line_start + rest.char_indices().nth(characters).map_or(rest.len(), |(at, _)| at);
    let found = error.msg.split('\'').nth(1).unwrap_or("");
    let ends = byte >= text.trim_end().len() || found == "<EOF>";
    let message = if ends {
        "the expression ends too early".to_owned()
    } else {
        let rest = text.get(byte..).unwrap_or("");
        let letters = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
        let one = rest.chars().next().map_or(0, char::len_utf8);
        let word = rest.get(..letters.max(one)).unwrap_or("");
        format!("`{word}` does not fit here")
    };
    ExprFault::at(text, byte, message).hint(habit(text).unwrap_or(SYNTAX))
}

const SYNTAX: &str = "an expression looks like Join(\" \", FirstName, LastName), or Country == \"DE\" ? \"Germany\" : \
                      Country; a column with blanks in its name is row[\"Cost Center\"]";

/// What somebody who comes from Entra's own expressions has probably written.
fn habit(text: &str) -> Option<&'static str> {
    let squeezed: String = text.split_whitespace().collect();
    let opens_name =
        |before: Option<char>| before.is_none_or(|before| "(,+=<>&|?:!".contains(before));
    let has_bracket = squeezed.match_indices('[').any(|(at, _)| {
        let before = squeezed.get(..at).and_then(|before| before.chars().next_back());
        let after = squeezed.get(at + 1..).and_then(|after| after.chars().next());
        opens_name(before) && after.is_some_and(char::is_alphabetic)
    });
    if has_bracket {
        return Some("columns are written without brackets: FirstName, or row[\"Cost Center\"]");
    }
    if squeezed.contains(",,") || squeezed.contains("(,") || squeezed.contains(",)") {
        return Some("an argument that is not given is written \"\"");
    }
    if squeezed.contains("<>") {
        return Some("`!=` is unequal");
    }
    let bytes = squeezed.as_bytes();
    let is_single = bytes.windows(3).any(|three| {
        matches!(three, [before, b'=', after] if !b"=!<>".contains(before) && *after != b'=')
    });
    is_single.then_some("`==` compares")
}
