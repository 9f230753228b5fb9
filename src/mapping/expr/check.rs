//! Goes over a parsed expression: every name in it has to be known, and is made ready.
//!
//! Columns become `@c0`, `@c1`, … and calls of Entra's functions `@f0`, `@f1`, …, so that a row is
//! evaluated without looking anything up by name. `IIF` becomes the operator `? :`, which evaluates
//! only the branch it takes.

use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};

use crate::mapping::expr::call::Call;
use crate::mapping::expr::fault::ExprFault;
use crate::mapping::expr::fit::fit;
use crate::mapping::expr::functions::{self, Function, IGNORE, IIF, IN_STR, MATCHES, SWITCH};
use crate::mapping::expr::kind::Kind;
use crate::mapping::expr::operators as op;
use crate::mapping::expr::prepare::{Prepared, Written};
use crate::mapping::expr::refused::REFUSED;

/// What the columns are called as a whole.
const ROW: &str = "row";
/// Ways to compare, which Entra writes without quotes.
const COMPARISONS: [&str; 2] = ["vbTextCompare", "vbBinaryCompare"];
/// CEL's loops and its test for fields.
const MACROS: [&str; 6] = ["all", "exists", "exists_one", "filter", "has", "map"];
/// Least similarity at which a function is suggested.
const LIKELY: f64 = 0.8;

/// The name that the checker gives a column.
fn column_name(number: usize) -> String {
    format!("@c{number}")
}

/// The column that a name stands for.
pub(super) fn column_number(name: &str) -> Option<usize> {
    name.strip_prefix("@c")?.parse().ok()
}

/// The name that the checker gives a call.
pub(super) fn function_name(number: usize) -> String {
    format!("@f{number}")
}

/// The call that a name stands for.
pub(super) fn function_number(name: &str) -> Option<usize> {
    name.strip_prefix("@f")?.parse().ok()
}

/// Collects what an expression reads and calls.
pub(super) struct Checker<'c> {
    text: &'c str,
    places: &'c SourceInfo,
    /// Each column once.
    pub(super) columns: Vec<String>,
    pub(super) calls: Vec<Arc<Call>>,
}

type Checked = Result<Kind, ExprFault>;

impl<'c> Checker<'c> {
    pub(super) const fn new(text: &'c str, places: &'c SourceInfo) -> Self {
        Self { text, places, columns: Vec::new(), calls: Vec::new() }
    }

    /// Takes `IgnoreFlowIfNullOrEmpty` off the whole expression, and says whether it was there.
    pub(super) fn take_ignore(&self, node: &mut IdedExpr) -> Result<bool, ExprFault> {
        let Expr::Call(call) = &mut node.expr else { return Ok(false) };
        if call.func_name != IGNORE || call.target.is_some() {
            return Ok(false);
        }
        match call.args.pop() {
            Some(inner) if call.args.is_empty() => {
                *node = inner;
                Ok(true)
            }
            _ => Err(self.fault(node.id, format!("`{IGNORE}` takes 1 argument"))),
        }
    }

    /// Checks and rewrites a node.
    pub(super) fn node(&mut self, node: &mut IdedExpr) -> Checked {
        let id = node.id;
        match &mut node.expr {
            Expr::Literal(literal) => Ok(literal_kind(literal)),
            Expr::Ident(name) => {
                let name = std::mem::take(name);
                node.expr = self.column(id, &name)?;
                Ok(Kind::Text)
            }
            Expr::Call(call) => {
                let call = std::mem::take(call);
                let (made, kind) = self.call(id, call)?;
                node.expr = made;
                Ok(kind)
            }
            Expr::List(list) => {
                if let [IdedExpr { id, expr: Expr::Ident(name) }] = list.elements.as_slice() {
                    let message = format!("`[{name}]` is how Entra writes an attribute");
                    let hint = format!("columns are written without brackets: {name}");
                    return Err(self.fault(*id, message).hint(hint));
                }
                self.nodes(&mut list.elements)?;
                Ok(Kind::List)
            }
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.node(&mut entry.key)?;
                        self.node(&mut entry.value)?;
                    }
                }
                Ok(Kind::Any)
            }
            Expr::Select(select) => {
                let field = &select.field;
                let message =
                    format!("`.{field}` asks for a part of a value, and values have none");
                let hint = "a column with a point in its name is written row[\"Name.Part\"]";
                Err(self.fault(id, message).hint(hint))
            }
            Expr::Struct(_) => Err(self.fault(id, "there are no message types here")),
            Expr::Comprehension(_) | Expr::Unspecified => {
                Err(self.fault(id, "there are no loops here"))
            }
        }
    }

    fn nodes(&mut self, nodes: &mut [IdedExpr]) -> Result<Vec<Kind>, ExprFault> {
        nodes.iter_mut().map(|node| self.node(node)).collect()
    }

    fn column(&mut self, id: u64, name: &str) -> Result<Expr, ExprFault> {
        if name == ROW {
            let hint = "write row[\"Cost Center\"], and row[\"row\"] for a column of that name";
            return Err(self.fault(id, "`row` alone is no value").hint(hint));
        }
        if name.starts_with(['.', '@']) || name.trim().is_empty() {
            return Err(self.fault(id, format!("`{name}` is no column")));
        }
        let name = name.trim();
        let known = self.columns.iter().position(|column| column == name);
        let number = known.unwrap_or_else(|| {
            self.columns.push(name.to_owned());
            self.columns.len() - 1
        });
        Ok(Expr::Ident(column_name(number)))
    }

    fn call(&mut self, id: u64, mut call: CallExpr) -> Result<(Expr, Kind), ExprFault> {
        if call.func_name == op::INDEX
            && let [IdedExpr { expr: Expr::Ident(row), .. }, name] = call.args.as_slice()
            && row == ROW
        {
            let Expr::Literal(LiteralValue::String(name)) = &name.expr else {
                let message = "`row[…]` takes the name of a column in quotes";
                let hint = "which columns are read has to be known before there is any row";
                return Err(self.fault(id, message).hint(hint));
            };
            let name = name.inner().to_owned();
            return Ok((self.column(id, &name)?, Kind::Text));
        }
        if is_operator(&call.func_name) {
            let kinds = self.nodes(&mut call.args)?;
            let kind = fit(&call.func_name, &kinds)
                .map_err(|unfit| self.fault(id, unfit.message).hint(unfit.hint))?;
            return Ok((Expr::Call(call), kind));
        }
        if call.func_name == MATCHES
            && let Some(target) = call.target.take()
        {
            call.args.insert(0, *target);
        }
        match call.target.take() {
            Some(target) => self.member(id, *target, call),
            None => self.global(id, call),
        }
    }

    fn member(
        &mut self,
        id: u64,
        mut target: IdedExpr,
        mut call: CallExpr,
    ) -> Result<(Expr, Kind), ExprFault> {
        let name = call.func_name.as_str();
        if !functions::OWN_MEMBER.contains(&name) {
            return Err(match functions::find(name) {
                _ if MACROS.contains(&name) => self.no_macro(id, name),
                Some(_) => self
                    .fault(id, format!("`{name}` is not called on a value"))
                    .hint(format!("write {name}(…) with the value as the first argument")),
                None => self.unknown(id, name),
            });
        }
        let wanted = usize::from(name != "size");
        self.count(id, name, (wanted, wanted), call.args.len())?;
        self.node(&mut target)?;
        self.nodes(&mut call.args)?;
        let kind = if name == "size" { Kind::Integer } else { Kind::Boolean };
        call.target = Some(Box::new(target));
        Ok((Expr::Call(call), kind))
    }

    fn global(&mut self, id: u64, mut call: CallExpr) -> Result<(Expr, Kind), ExprFault> {
        let name = call.func_name.clone();
        if name == IIF {
            self.count(id, IIF, (3, 3), call.args.len())?;
            op::CONDITIONAL.clone_into(&mut call.func_name);
            return self.call(id, call);
        }
        if let Some(function) = functions::find(&name) {
            return self.function(id, function, call);
        }
        if functions::OWN_GLOBAL.contains(&name.as_str()) {
            self.count(id, &name, (1, 1), call.args.len())?;
            self.nodes(&mut call.args)?;
            let kind = match name.as_str() {
                "size" | "int" => Kind::Integer,
                "string" => Kind::Text,
                "bool" => Kind::Boolean,
                _ => Kind::Any,
            };
            return Ok((Expr::Call(call), kind));
        }
        Err(if let Some(refused) = REFUSED.iter().find(|refused| refused.name == name) {
            self.fault(id, format!("`{name}` is not there: it {}", refused.reason))
                .hint(refused.hint)
        } else if name == IGNORE {
            self.fault(id, format!("`{IGNORE}` decides about the attribute, not about a value"))
                .hint("put it around the whole expression")
        } else if MACROS.contains(&name.as_str()) {
            self.no_macro(id, &name)
        } else if functions::OWN_MEMBER.contains(&name.as_str()) {
            self.fault(id, format!("`{name}` is called on a value"))
                .hint(format!("write Column.{name}(\"…\")"))
        } else {
            self.unknown(id, &name)
        })
    }

    fn function(
        &mut self,
        id: u64,
        function: &'static Function,
        mut call: CallExpr,
    ) -> Result<(Expr, Kind), ExprFault> {
        self.count(id, function.name, function.arguments, call.args.len())?;
        if function.name == SWITCH && call.args.len() % 2 == 1 {
            let message = "the last key of `Switch` has no value";
            let hint = "Switch(source, default, key, value, key, value, …)";
            return Err(self.fault(id, message).hint(hint));
        }
        if function.name == IN_STR
            && let Some(IdedExpr { expr, .. }) = call.args.get_mut(3)
            && let Expr::Ident(name) = expr
            && COMPARISONS.contains(&name.as_str())
        {
            *expr = Expr::Literal(LiteralValue::String(std::mem::take(name).into()));
        }
        let prepared = match function.prepare {
            Some(prepare) => {
                let written: Vec<Written<'_>> = call.args.iter().map(written).collect();
                prepare(&written).map_err(|misuse| {
                    let at = call.args.get(misuse.argument).map_or(id, |argument| argument.id);
                    let message = format!("in `{}`, {}", function.name, misuse.message);
                    let fault = self.fault(at, message);
                    match misuse.hint {
                        Some(hint) => fault.hint(hint),
                        None => fault,
                    }
                })?
            }
            None => Prepared::Nothing,
        };
        self.nodes(&mut call.args)?;
        call.func_name = function_name(self.calls.len());
        self.calls.push(Arc::new(Call { function, prepared }));
        Ok((Expr::Call(call), function.gives))
    }

    fn count(
        &self,
        id: u64,
        name: &str,
        (least, most): (usize, usize),
        found: usize,
    ) -> Result<(), ExprFault> {
        if (least..=most).contains(&found) {
            return Ok(());
        }
        let wanted = match most {
            _ if least == most => least.to_string(),
            usize::MAX => format!("at least {least}"),
            _ => format!("{least} to {most}"),
        };
        let noun = if wanted == "1" { "argument" } else { "arguments" };
        Err(self.fault(id, format!("`{name}` takes {wanted} {noun}, and has {found}")))
    }

    fn no_macro(&self, id: u64, name: &str) -> ExprFault {
        self.fault(id, format!("`{name}` is not there: an expression has no loops and no fields"))
            .hint("IsPresent asks for a value; Item, Count and Join go over a list")
    }

    fn unknown(&self, id: u64, name: &str) -> ExprFault {
        let fault = self.fault(id, format!("unknown function `{name}`"));
        let refused = REFUSED.iter().map(|refused| refused.name);
        let nearest = functions::names()
            .chain(refused)
            .map(|known| {
                let is_same = known.eq_ignore_ascii_case(name);
                let likeness = strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase());
                (if is_same { 2.0 } else { likeness }, known)
            })
            .filter(|(likeness, _)| *likeness >= LIKELY)
            .max_by(|left, right| left.0.total_cmp(&right.0));
        match nearest {
            Some((_, known)) => fault.hint(format!("did you mean `{known}`?")),
            None => fault.hint("Entra's functions have its names, in the same letters"),
        }
    }

    fn fault(&self, id: u64, message: impl Into<String>) -> ExprFault {
        let character = self.places.offset_for(id).map_or(0, |(start, _)| start);
        let character = usize::try_from(character).unwrap_or(0);
        let byte = self.text.char_indices().nth(character).map_or(0, |(at, _)| at);
        // the parser places a call at its bracket
        let (before, rest) = self.text.split_at_checked(byte).unwrap_or((self.text, ""));
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let byte = if rest.starts_with(['(', '[', '{']) {
            before.trim_end().trim_end_matches(is_word).len()
        } else {
            byte
        };
        ExprFault::at(self.text, byte, message)
    }
}

/// An argument as it stands in the expression.
fn written(argument: &IdedExpr) -> Written<'_> {
    match &argument.expr {
        Expr::Literal(LiteralValue::Null) => Written::Empty,
        Expr::Literal(LiteralValue::String(text)) if text.inner().is_empty() => Written::Empty,
        Expr::Literal(LiteralValue::String(text)) => Written::Text(text.inner()),
        _ => Written::Other,
    }
}

const fn literal_kind(literal: &LiteralValue) -> Kind {
    match literal {
        LiteralValue::Boolean(_) => Kind::Boolean,
        LiteralValue::Int(_) => Kind::Integer,
        LiteralValue::String(_) => Kind::Text,
        _ => Kind::Any,
    }
}

fn is_operator(name: &str) -> bool {
    !name.starts_with(|letter: char| letter.is_ascii_alphabetic())
}
