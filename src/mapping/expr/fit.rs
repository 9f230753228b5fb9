//! Whether operators go with the kinds of values they are given.

use crate::mapping::expr::kind::Kind;
use crate::mapping::expr::operators as op;

/// Why they do not.
pub(super) struct Unfit {
    pub(super) message: String,
    pub(super) hint: &'static str,
}

const COMPARE: &str = "a column is text: compare it, as in `Status == \"Active\"`";
const NUMBER: &str = "int(Column) makes a number of a column's text";

/// What an operator gives; a value whose kind is known only with a row goes with everything.
pub(super) fn fit(name: &str, kinds: &[Kind]) -> Result<Kind, Unfit> {
    let shown = op::shown(name).unwrap_or(name);
    let all = |wanted: Kind| kinds.iter().all(|kind| *kind == Kind::Any || *kind == wanted);
    let is_unlike = match kinds {
        [first, second] => first != second && *first != Kind::Any && *second != Kind::Any,
        _ => false,
    };
    let word = |at: usize| kinds.get(at).map_or("", |kind: &Kind| kind.word());
    let unfit = |message: String, hint| Err(Unfit { message, hint });
    match name {
        op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT if !all(Kind::Boolean) => {
            unfit(format!("`{shown}` goes with what is true or false"), COMPARE)
        }
        op::CONDITIONAL => match kinds {
            [Kind::Any | Kind::Boolean, yes, no] => Ok(yes.or(*no)),
            _ => unfit(format!("the condition is {}, not true or false", word(0)), COMPARE),
        },
        op::EQUALS | op::NOT_EQUALS if is_unlike => unfit(
            format!("`{shown}` compares {} with {}, which are never equal", word(0), word(1)),
            "a column is text, so a number beside it is written in quotes: `\"5\"`",
        ),
        op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS
            if is_unlike || kinds.contains(&Kind::List) =>
        {
            unfit(format!("`{shown}` cannot order {} and {}", word(0), word(1)), NUMBER)
        }
        op::ADD if is_unlike || kinds.contains(&Kind::Boolean) => unfit(
            format!("`+` cannot put {} and {} together", word(0), word(1)),
            "CStr(…) makes text of a value",
        ),
        op::ADD => Ok(kinds.iter().copied().reduce(Kind::or).unwrap_or(Kind::Any)),
        op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO | op::NEGATE
            if !all(Kind::Integer) =>
        {
            unfit(format!("`{shown}` calculates with numbers"), NUMBER)
        }
        op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO | op::NEGATE | op::INDEX => {
            Ok(Kind::Any)
        }
        _ => Ok(Kind::Boolean),
    }
}
