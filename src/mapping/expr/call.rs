//! One call in an expression: the function with what it keeps ready.

use crate::mapping::expr::arguments::Arguments;
use crate::mapping::expr::fault::EvalFault;
use crate::mapping::expr::functions::Function;
use crate::mapping::expr::prepare::Prepared;
use crate::mapping::expr::value::{MAX_TEXT, Value};

/// A call without its arguments.
pub(super) struct Call {
    pub(super) function: &'static Function,
    pub(super) prepared: Prepared,
}

impl Call {
    /// Runs the function. The arguments are taken out of `values`.
    pub(super) fn run<'v>(&self, values: &mut [Value<'v>]) -> Result<Value<'v>, EvalFault> {
        let name = self.function.name;
        let result = (self.function.body)(&self.prepared, &mut Arguments::new(values))
            .map_err(|what| EvalFault::of(name, what))?;
        if result.size() > MAX_TEXT {
            return Err(EvalFault::of(name, TOO_LONG));
        }
        Ok(result)
    }
}

/// What is said of a result that is too long.
pub(super) const TOO_LONG: &str = "makes a text that is longer than 65536 bytes";
