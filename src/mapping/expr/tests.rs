//! Tests of the language as a whole.

use crate::mapping::expr::convert::owned;
use crate::mapping::expr::{Expression, Value};
use crate::mapping::problem::Fault;

mod faults;
mod functions;
mod lowering;

/// Compiles an expression, and gives the columns it reads.
fn compile(text: &str) -> Result<(Expression, Vec<String>), String> {
    let mut columns: Vec<String> = Vec::new();
    let compiled = Expression::compile(text, |name| {
        columns.push(name.to_owned());
        columns.len() - 1
    });
    match compiled {
        Ok(expression) => Ok((expression, columns)),
        Err(fault) => {
            let hint = fault.hint.as_deref().map_or(String::new(), |hint| format!(" ({hint})"));
            Err(format!("{fault}{hint}"))
        }
    }
}

/// The value for a row; a column that is not given is empty.
fn value(text: &str, row: &[(&str, &str)]) -> Result<Value<'static>, String> {
    let (expression, columns) = compile(text)?;
    let cell = |at: usize| {
        let name = columns.get(at).map_or("", String::as_str);
        row.iter().find(|(column, _)| *column == name).map_or("", |(_, cell)| cell)
    };
    expression.evaluate(|at| Ok(cell(at)), |value| Ok(owned(value))).map_err(words)
}

fn words(fault: Fault) -> String {
    match fault {
        Fault::Expression(fault) => fault.to_string(),
        other => format!("{other:?}"),
    }
}

/// The value as it would be sent, or what is wrong.
fn shown(text: &str, row: &[(&str, &str)]) -> String {
    match value(text, row) {
        Ok(value) => match value {
            Value::Null => "null".to_owned(),
            Value::Boolean(value) => value.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => format!("{text:?}"),
            Value::List(list) => format!("{list:?}").replace("Text(", "").replace(')', ""),
        },
        Err(fault) => format!("fails: {fault}"),
    }
}
