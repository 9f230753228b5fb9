//! From a checked expression to steps, where it has nothing in it that has none.

use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use crate::mapping::Case;
use crate::mapping::expr::call::Call;
use crate::mapping::expr::check::{column_number, function_number};
use crate::mapping::expr::kind::Kind;
use crate::mapping::expr::operators as op;
use crate::mapping::expr::step::{Calculation, Order, Step, Test};

/// The steps; `None` where the general language is needed.
pub(super) fn lower(node: &IdedExpr, calls: &[Arc<Call>]) -> Option<Step> {
    Some(match &node.expr {
        Expr::Ident(name) => Step::Column(column_number(name)?),
        Expr::Literal(literal) => match literal {
            LiteralValue::String(text) => Step::Text(text.inner().to_owned()),
            LiteralValue::Int(number) => Step::Integer(*number.inner()),
            LiteralValue::Boolean(value) => Step::Boolean(*value.inner()),
            LiteralValue::Null => Step::Null,
            _ => return None,
        },
        Expr::List(list) => Step::List(all(&list.elements, calls)?),
        Expr::Call(call) => lower_call(call, calls)?,
        _ => return None,
    })
}

fn all(nodes: &[IdedExpr], calls: &[Arc<Call>]) -> Option<Vec<Step>> {
    nodes.iter().map(|node| lower(node, calls)).collect()
}

fn lower_call(call: &CallExpr, calls: &[Arc<Call>]) -> Option<Step> {
    let name = call.func_name.as_str();
    if let Some(target) = &call.target {
        let target = lower(target, calls)?;
        let test = match (name, call.args.as_slice()) {
            ("size", []) => return Some(Step::Size(Box::new(target))),
            ("contains", [_]) => Test::Contains,
            ("startsWith", [_]) => Test::StartsWith,
            ("endsWith", [_]) => Test::EndsWith,
            _ => return None,
        };
        let part = lower(call.args.first()?, calls)?;
        return Some(Step::Test(test, Box::new([target, part])));
    }
    if let (op::IN, [wanted, IdedExpr { expr: Expr::List(list), .. }]) =
        (name, call.args.as_slice())
    {
        return Some(Step::In(Box::new(lower(wanted, calls)?), all(&list.elements, calls)?));
    }
    let steps = all(&call.args, calls)?;
    if let Some(number) = function_number(name) {
        return Some(function(calls.get(number)?, steps));
    }
    match <[Step; 1]>::try_from(steps) {
        Ok([step]) => match name {
            op::LOGICAL_NOT => Some(Step::Not(Box::new(step))),
            "size" => Some(Step::Size(Box::new(step))),
            _ => None,
        },
        Err(steps) => match <[Step; 2]>::try_from(steps) {
            Ok(sides) => binary(name, sides),
            Err(steps) => {
                let branches = <[Step; 3]>::try_from(steps).ok()?;
                (name == op::CONDITIONAL).then(|| Step::If(Box::new(branches)))
            }
        },
    }
}

fn binary(name: &str, sides: [Step; 2]) -> Option<Step> {
    let is_text = sides.iter().all(|side| side.kind() == Kind::Text);
    if name == op::ADD && is_text {
        return Some(concat(sides));
    }
    let sides = Box::new(sides);
    Some(match name {
        op::LOGICAL_AND => Step::And(sides),
        op::LOGICAL_OR => Step::Or(sides),
        op::EQUALS => Step::Equal(sides, true),
        op::NOT_EQUALS => Step::Equal(sides, false),
        op::LESS => Step::Order(Order::Less, sides),
        op::LESS_EQUALS => Step::Order(Order::LessOrEqual, sides),
        op::GREATER => Step::Order(Order::Greater, sides),
        op::GREATER_EQUALS => Step::Order(Order::GreaterOrEqual, sides),
        op::ADD => Step::Add(sides),
        op::SUBSTRACT => Step::Calculate(Calculation::Subtract, sides),
        op::MULTIPLY => Step::Calculate(Calculation::Multiply, sides),
        op::DIVIDE => Step::Calculate(Calculation::Divide, sides),
        op::MODULO => Step::Calculate(Calculation::Remainder, sides),
        op::INDEX => Step::Index(sides),
        _ => return None,
    })
}

/// `a + b + c` as one step.
fn concat([left, right]: [Step; 2]) -> Step {
    let mut steps = Vec::new();
    for side in [left, right] {
        match side {
            Step::Concat(inner) => steps.extend(inner),
            other => steps.push(other),
        }
    }
    Step::Concat(steps)
}

/// A call, or a step that does the same in one go.
fn function(call: &Arc<Call>, mut steps: Vec<Step>) -> Step {
    let is_text = |step: &Step| step.kind() == Kind::Text;
    match call.function.name {
        "Join" if steps.iter().all(is_text) && matches!(steps.first(), Some(Step::Text(_))) => {
            let Step::Text(separator) = steps.remove(0) else { return Step::Null };
            Step::Join(separator, steps)
        }
        "Append" if steps.iter().all(is_text) => Step::Concat(steps),
        name @ ("ToLower" | "ToUpper") if steps.first().is_some_and(is_text) => {
            let case = if name == "ToLower" { Case::Lower } else { Case::Upper };
            Step::Cased(case, Box::new(steps.swap_remove(0)))
        }
        _ => Step::Call(Arc::clone(call), steps),
    }
}
