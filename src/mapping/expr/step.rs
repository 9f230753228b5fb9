//! Steps: the common part of the language, evaluated without the general one.
//!
//! Texts of cells and constants are lent, not copied, and text that is put together goes straight
//! into one buffer. Errors are where the general language has them: both sides of an operator are
//! evaluated, but of a condition only the branch that is taken, and `&&` and `||` let the side that
//! decides win over an error on the left.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::mapping::Case;
use crate::mapping::expr::call::{Call, TOO_LONG};
use crate::mapping::expr::fault::EvalFault;
use crate::mapping::expr::kind::Kind;
use crate::mapping::expr::operators as op;
use crate::mapping::expr::value::{MAX_TEXT, Value};
use crate::mapping::letters::push_cased;

/// A step.
pub(super) enum Step {
    Column(usize),
    Text(String),
    Integer(i64),
    Boolean(bool),
    Null,
    List(Vec<Step>),
    /// Texts one after the other.
    Concat(Vec<Step>),
    /// `Join` of texts with a constant between them.
    Join(String, Vec<Step>),
    /// `ToLower` or `ToUpper` of a text.
    Cased(Case, Box<Step>),
    Call(Arc<Call>, Vec<Step>),
    If(Box<[Step; 3]>),
    And(Box<[Step; 2]>),
    Or(Box<[Step; 2]>),
    Not(Box<Step>),
    /// Equality, or inequality.
    Equal(Box<[Step; 2]>, bool),
    In(Box<Step>, Vec<Step>),
    Order(Order, Box<[Step; 2]>),
    Add(Box<[Step; 2]>),
    Calculate(Calculation, Box<[Step; 2]>),
    Index(Box<[Step; 2]>),
    Test(Test, Box<[Step; 2]>),
    Size(Box<Step>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Calculation {
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Test {
    Contains,
    StartsWith,
    EndsWith,
}

/// Arguments that need no buffer of their own on the heap.
const FEW: usize = 6;

type Outcome<'v> = Result<Value<'v>, EvalFault>;

impl Step {
    /// The value for the texts of the expression's columns.
    pub(super) fn evaluate<'v>(&'v self, texts: &[&'v str]) -> Outcome<'v> {
        Ok(match self {
            Self::Column(at) => Value::Text(Cow::Borrowed(texts.get(*at).copied().unwrap_or(""))),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Integer(number) => Value::Integer(*number),
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Null => Value::Null,
            Self::List(steps) => {
                let values = steps.iter().map(|step| step.evaluate(texts));
                Value::List(values.collect::<Result<_, _>>()?)
            }
            Self::Concat(_) | Self::Join(..) | Self::Cased(..) => {
                let mut made = String::new();
                self.push(texts, &mut made)?;
                made.into()
            }
            Self::Call(call, steps) => return run(call, steps, texts),
            Self::If(branches) => return branch(branches, texts)?.evaluate(texts),
            Self::And(_) | Self::Or(_) | Self::Not(_) => self.truth(texts)?.into(),
            Self::Equal(sides, is_equal) => {
                let [left, right] = sides.as_ref();
                ((left.evaluate(texts)? == right.evaluate(texts)?) == *is_equal).into()
            }
            Self::In(step, list) => {
                let wanted = step.evaluate(texts)?;
                let mut is_found = false;
                for step in list {
                    is_found |= step.evaluate(texts)? == wanted;
                }
                is_found.into()
            }
            Self::Order(order, sides) => order.apply(both(sides, texts)?)?,
            Self::Add(sides) => add(both(sides, texts)?)?,
            Self::Calculate(calculation, sides) => calculation.apply(both(sides, texts)?)?,
            Self::Index(sides) => index(both(sides, texts)?)?,
            Self::Test(test, sides) => test.apply(&both(sides, texts)?)?,
            Self::Size(step) => size(&step.evaluate(texts)?)?,
        })
    }

    /// Appends the value as text; true as `true`.
    pub(super) fn push<'v>(&'v self, texts: &[&'v str], out: &mut String) -> Result<(), EvalFault> {
        let start = out.len();
        match self {
            Self::Column(at) => out.push_str(texts.get(*at).copied().unwrap_or("")),
            Self::Text(text) => out.push_str(text),
            Self::Concat(steps) => {
                for step in steps {
                    step.push(texts, out)?;
                }
                check_length("+", out.len() - start)?;
            }
            Self::Join(separator, steps) => {
                for step in steps {
                    let before = out.len();
                    if before > start {
                        out.push_str(separator);
                    }
                    let begin = out.len();
                    step.push(texts, out)?;
                    if out.len() == begin {
                        out.truncate(before);
                    }
                }
                check_length("Join", out.len() - start)?;
            }
            Self::Cased(case, step) => {
                let name = if *case == Case::Lower { "ToLower" } else { "ToUpper" };
                match step.evaluate(texts)? {
                    Value::Text(text) => push_cased(out, &text, *case),
                    _ => return Err(EvalFault::of(name, op::UNFIT)),
                }
                check_length(name, out.len() - start)?;
            }
            Self::If(branches) => return branch(branches, texts)?.push(texts, out),
            _ => push_value(&self.evaluate(texts)?, out)?,
        }
        Ok(())
    }

    /// What the value is, as far as that can be told.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Column(_)
            | Self::Text(_)
            | Self::Concat(_)
            | Self::Join(..)
            | Self::Cased(..) => Kind::Text,
            Self::Integer(_) | Self::Calculate(..) | Self::Size(_) => Kind::Integer,
            Self::List(_) => Kind::List,
            Self::Call(call, _) => call.function.gives,
            Self::If(branches) => {
                let [_, yes, no] = branches.as_ref();
                yes.kind().or(no.kind())
            }
            Self::Null | Self::Add(_) | Self::Index(_) => Kind::Any,
            _ => Kind::Boolean,
        }
    }

    /// The truth of `&&`, `||` and `!`.
    fn truth<'v>(&'v self, texts: &[&'v str]) -> Result<bool, EvalFault> {
        let truth_of = |step: &'v Self, name| match step.evaluate(texts)? {
            Value::Boolean(value) => Ok(value),
            _ => Err(EvalFault::of(name, op::UNFIT)),
        };
        let (sides, name, decides) = match self {
            Self::And(sides) => (sides, "&&", false),
            Self::Or(sides) => (sides, "||", true),
            Self::Not(step) => return truth_of(step, "!").map(|value| !value),
            other => return truth_of(other, "? :"),
        };
        let [left, right] = sides.as_ref();
        let left = truth_of(left, name);
        if left == Ok(decides) {
            return Ok(decides);
        }
        match truth_of(right, name)? {
            right if right == decides => Ok(decides),
            right => left.map(|_| right),
        }
    }
}

/// The branch that a condition takes.
fn branch<'s: 'v, 'v>(branches: &'s [Step; 3], texts: &[&'v str]) -> Result<&'s Step, EvalFault> {
    let [condition, yes, no] = branches;
    match condition.evaluate(texts)? {
        Value::Boolean(true) => Ok(yes),
        Value::Boolean(false) => Ok(no),
        _ => Err(EvalFault::of("? :", op::UNFIT)),
    }
}

/// Appends the result of an expression as text.
pub(super) fn push_value(value: &Value<'_>, out: &mut String) -> Result<(), EvalFault> {
    match value {
        Value::Null => {}
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Integer(number) => out.push_str(&number.to_string()),
        Value::Text(text) => out.push_str(text),
        Value::List(_) => {
            return Err(EvalFault::whole("comes to a list, where one value is expected"));
        }
    }
    Ok(())
}

fn check_length(name: &'static str, length: usize) -> Result<(), EvalFault> {
    if length > MAX_TEXT { Err(EvalFault::of(name, TOO_LONG)) } else { Ok(()) }
}

fn both<'v>(sides: &'v [Step; 2], texts: &[&'v str]) -> Result<[Value<'v>; 2], EvalFault> {
    let [left, right] = sides;
    Ok([left.evaluate(texts)?, right.evaluate(texts)?])
}

fn run<'v>(call: &Call, steps: &'v [Step], texts: &[&'v str]) -> Outcome<'v> {
    let mut few = [const { Value::Null }; FEW];
    if let Some(values) = few.get_mut(..steps.len()) {
        for (value, step) in values.iter_mut().zip(steps) {
            *value = step.evaluate(texts)?;
        }
        return call.run(values);
    }
    let values = steps.iter().map(|step| step.evaluate(texts));
    call.run(&mut values.collect::<Result<Vec<_>, _>>()?)
}

impl Order {
    fn apply(self, [left, right]: [Value<'_>; 2]) -> Outcome<'_> {
        let order = match (&left, &right) {
            (Value::Text(left), Value::Text(right)) => left.cmp(right),
            (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
            (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
            _ => return Err(EvalFault::of(self.name(), op::UNFIT)),
        };
        Ok(match self {
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        }
        .into())
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Calculation {
    fn apply(self, [left, right]: [Value<'_>; 2]) -> Outcome<'_> {
        let (Value::Integer(left), Value::Integer(right)) = (left, right) else {
            return Err(EvalFault::of(self.name(), op::UNFIT));
        };
        let result = match self {
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide | Self::Remainder if right == 0 => {
                return Err(EvalFault::of(self.name(), op::BY_ZERO));
            }
            Self::Divide => left.checked_div(right),
            Self::Remainder => left.checked_rem(right),
        };
        result.map(Value::Integer).ok_or(EvalFault::of(self.name(), op::TOO_LARGE))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl Test {
    fn apply<'v>(self, sides: &[Value<'v>; 2]) -> Outcome<'v> {
        let [Value::Text(text), Value::Text(part)] = sides else {
            let name = match self {
                Self::Contains => "contains",
                Self::StartsWith => "startsWith",
                Self::EndsWith => "endsWith",
            };
            return Err(EvalFault::of(name, op::UNFIT));
        };
        Ok(match self {
            Self::Contains => text.contains(part.as_ref()),
            Self::StartsWith => text.starts_with(part.as_ref()),
            Self::EndsWith => text.ends_with(part.as_ref()),
        }
        .into())
    }
}

fn add(sides: [Value<'_>; 2]) -> Outcome<'_> {
    match sides {
        [Value::Text(left), Value::Text(right)] => {
            let mut text = left.into_owned();
            text.push_str(&right);
            check_length("+", text.len())?;
            Ok(text.into())
        }
        [Value::Integer(left), Value::Integer(right)] => {
            left.checked_add(right).map(Value::Integer).ok_or(EvalFault::of("+", op::TOO_LARGE))
        }
        [Value::List(mut left), Value::List(right)] => {
            left.extend(right);
            Ok(Value::List(left))
        }
        _ => Err(EvalFault::of("+", op::UNFIT)),
    }
}

fn index(sides: [Value<'_>; 2]) -> Outcome<'_> {
    let [Value::List(list), Value::Integer(at)] = sides else {
        return Err(EvalFault::of("[ ]", op::UNFIT));
    };
    let found = usize::try_from(at).ok().and_then(|at| list.into_iter().nth(at));
    found.ok_or(EvalFault::of("[ ]", op::NO_ENTRY))
}

fn size<'v>(value: &Value<'_>) -> Outcome<'v> {
    let size = match value {
        Value::Text(text) => text.chars().count(),
        Value::List(list) => list.len(),
        _ => return Err(EvalFault::of("size", op::UNFIT)),
    };
    Ok(Value::Integer(i64::try_from(size).unwrap_or(i64::MAX)))
}
