//! The general language: what has no steps of our own is evaluated by the `cel` crate.
//!
//! Making a root context takes a hundred times as long as evaluating, so each expression has one,
//! made when it is compiled, and opens a scope inside it for each row. The scope lends the cells that
//! the expression reads, and copies none.

use std::sync::{Arc, LazyLock};

use cel::common::types::CelString;
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, Env, ExecutionError, FunctionContext, IdedExpr};

use crate::mapping::expr::call::Call;
use crate::mapping::expr::check::{column_number, function_name};
use crate::mapping::expr::convert::{from_cel, into_cel, owned};
use crate::mapping::expr::fault::EvalFault;
use crate::mapping::expr::operators;
use crate::mapping::expr::value::Value;

/// CEL's standard library without its macros: there are no loops.
pub(super) static LANGUAGE: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(Env::default().with_stdlib()));

/// An expression ready to be evaluated.
pub(super) struct General {
    expression: IdedExpr,
    calls: Vec<Arc<Call>>,
    root: Context<'static, 'static>,
}

impl General {
    /// `expression` is as the checker has rewritten it; `calls` are what it calls.
    pub(super) fn new(expression: IdedExpr, calls: &[Arc<Call>]) -> Self {
        let mut root = Context::with_env(Arc::clone(&LANGUAGE));
        for (number, call) in calls.iter().enumerate() {
            // the name is none of the language's, so it cannot clash
            let _ = root.add_function(&function_name(number), function(number, call));
        }
        Self { expression, calls: calls.to_vec(), root }
    }

    /// The value for the texts of its columns.
    pub(super) fn evaluate(&self, texts: &[&str]) -> Result<Value<'static>, EvalFault> {
        let cells = Cells { texts };
        let mut scope = self.root.new_inner_scope();
        scope.set_variable_resolver(&cells);
        let value = cel::Value::resolve_val(&self.expression, &scope)
            .map_err(|error| self.fault(&error))?;
        from_cel(value.as_ref()).map(owned).map_err(|_| EvalFault::whole(NO_VALUE))
    }

    /// What an error comes to, without the values that it holds.
    fn fault(&self, error: &ExecutionError) -> EvalFault {
        match error {
            ExecutionError::Overflow(what, cel::Value::Int(number), cel::Value::Null) => {
                let call = usize::try_from(*number).ok().and_then(|at| self.calls.get(at));
                EvalFault { function: call.map(|call| call.function.name), what }
            }
            ExecutionError::NoSuchOverload(call) => {
                EvalFault { function: operators::shown(call.function()), what: operators::UNFIT }
            }
            ExecutionError::UnsupportedBinaryOperator(name, ..) => {
                EvalFault { function: operators::shown(name), what: operators::UNFIT }
            }
            ExecutionError::Overflow(name, ..) => {
                EvalFault { function: operators::shown(name), what: operators::TOO_LARGE }
            }
            ExecutionError::DivisionByZero(_) => EvalFault::of("/", operators::BY_ZERO),
            ExecutionError::RemainderByZero(_) => EvalFault::of("%", operators::BY_ZERO),
            ExecutionError::IndexOutOfBounds(_) | ExecutionError::NoSuchKey(_) => {
                EvalFault::of("[ ]", operators::NO_ENTRY)
            }
            ExecutionError::FunctionError { function, .. } => EvalFault {
                function: operators::shown(function),
                what: "was given a text that it cannot read",
            },
            ExecutionError::ValuesNotComparable(..) => EvalFault::whole(operators::UNFIT),
            _ => EvalFault::whole("comes to no value"),
        }
    }
}

const NO_VALUE: &str = "comes to something that is no text, number, truth or list";

/// Lends the cells of a row by the names that the checker gave them.
struct Cells<'r> {
    texts: &'r [&'r str],
}

impl VariableResolver for Cells<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let text = *self.texts.get(column_number(variable)?)?;
        Some(CowVal::owned(CelString::from(text)))
    }
}

/// A call, as the general language makes it. Its fault travels in an error that the language itself
/// never makes: an overflow with null on one side.
fn function(number: usize, call: &Arc<Call>) -> cel_function::Boxed {
    let call = Arc::clone(call);
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let fault =
        move |what| ExecutionError::Overflow(what, cel::Value::Int(number), cel::Value::Null);
    Box::new(move |given: &mut FunctionContext<'_, '_>| {
        let mut values = Vec::with_capacity(given.args.len());
        for argument in &given.args {
            values.push(from_cel(argument.as_ref()).map_err(fault)?);
        }
        let result = call.run(&mut values).map_err(|found| fault(found.what))?;
        Ok(CowVal::Owned(into_cel(result)))
    })
}

/// The crate keeps this type to itself, but takes it.
mod cel_function {
    use cel::common::value::CowVal;
    use cel::{ExecutionError, FunctionContext};

    pub(super) type Boxed = Box<
        dyn for<'context, 'call> Fn(
                &mut FunctionContext<'context, 'call>,
            ) -> Result<CowVal<'context, 'call>, ExecutionError>
            + Send
            + Sync,
    >;
}
