//! Entra's functions by their names, and what of CEL's own is let in.

use crate::mapping::expr::arguments::{Arguments, What};
use crate::mapping::expr::kind::Kind;
use crate::mapping::expr::prepare::{self, Prepare, Prepared};
use crate::mapping::expr::value::Value;
use crate::mapping::expr::{dates, lists, logic, replace, texts};

type Body = for<'v> fn(&Prepared, &mut Arguments<'_, 'v>) -> Result<Value<'v>, What>;

/// A function.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// Fewest and most arguments.
    pub(super) arguments: (usize, usize),
    pub(super) gives: Kind,
    pub(super) prepare: Option<Prepare>,
    pub(super) body: Body,
}

const fn plain(name: &'static str, arguments: (usize, usize), gives: Kind, body: Body) -> Function {
    Function { name, arguments, gives, prepare: None, body }
}

const fn ready(
    name: &'static str,
    arguments: (usize, usize),
    gives: Kind,
    prepare: Prepare,
    body: Body,
) -> Function {
    Function { name, arguments, gives, prepare: Some(prepare), body }
}

/// Any number of arguments.
const ANY: usize = usize::MAX;

/// Entra's functions. `IIF` and `IgnoreFlowIfNullOrEmpty` are no calls: the first is a condition,
/// the second says what becomes of the attribute.
pub(super) static FUNCTIONS: [Function; 36] = [
    plain("Append", (2, 2), Kind::Text, texts::append),
    plain("BitAnd", (2, 2), Kind::Integer, logic::bit_and),
    plain("CBool", (1, 1), Kind::Boolean, logic::cbool),
    plain("CDate", (1, 1), Kind::Any, dates::cdate),
    plain("CStr", (1, 1), Kind::Text, texts::cstr),
    plain("Coalesce", (1, ANY), Kind::Any, logic::coalesce),
    plain("ConvertToBase64", (1, 1), Kind::Text, texts::convert_to_base64),
    plain("ConvertToUTF8Hex", (1, 1), Kind::Text, texts::convert_to_utf8_hex),
    plain("Count", (1, 1), Kind::Integer, lists::count),
    ready("DateAdd", (3, 3), Kind::Any, prepare::interval, dates::date_add),
    ready("DateDiff", (3, 3), Kind::Any, prepare::interval, dates::date_diff),
    plain("DateFromNum", (1, 1), Kind::Any, dates::date_from_num),
    ready("FormatDateTime", (4, 4), Kind::Any, prepare::formats, dates::format_date_time),
    plain("InStr", (2, 4), Kind::Integer, texts::in_str),
    plain("IsNull", (1, 1), Kind::Boolean, logic::is_null),
    plain("IsNullOrEmpty", (1, 1), Kind::Boolean, logic::is_null),
    plain("IsPresent", (1, 1), Kind::Boolean, logic::is_present),
    plain("IsString", (1, 1), Kind::Boolean, logic::is_string),
    plain("Item", (2, 2), Kind::Any, lists::item),
    plain("Join", (2, ANY), Kind::Text, texts::join),
    plain("Left", (2, 2), Kind::Text, texts::left),
    plain("Len", (1, 1), Kind::Integer, texts::len),
    plain("Mid", (2, 3), Kind::Text, texts::mid),
    plain("NormalizeDiacritics", (1, 1), Kind::Text, texts::normalize_diacritics),
    plain("Not", (1, 1), Kind::Boolean, logic::not),
    plain("NumFromDate", (1, 1), Kind::Any, dates::num_from_date),
    plain("PCase", (1, 2), Kind::Text, texts::pcase),
    plain("RemoveDuplicates", (1, 1), Kind::List, lists::remove_duplicates),
    ready("Replace", (5, 7), Kind::Text, prepare::replacement, replace::replace),
    plain("Split", (2, 2), Kind::List, lists::split),
    plain("StripSpaces", (1, 1), Kind::Text, texts::strip_spaces),
    plain("Switch", (4, ANY), Kind::Any, logic::switch),
    ready("ToLower", (1, 2), Kind::Text, prepare::culture, texts::to_lower),
    ready("ToUpper", (1, 2), Kind::Text, prepare::culture, texts::to_upper),
    plain("Word", (3, 3), Kind::Text, texts::word),
    // CEL's own, which are ours so that no regular expression is compiled for each row
    ready(MATCHES, (2, 2), Kind::Boolean, prepare::pattern, texts::matches),
];

pub(super) const MATCHES: &str = "matches";
pub(super) const IIF: &str = "IIF";
pub(super) const IGNORE: &str = "IgnoreFlowIfNullOrEmpty";
pub(super) const SWITCH: &str = "Switch";
pub(super) const IN_STR: &str = "InStr";

/// CEL's own functions, which are called as `f(x)`.
pub(super) const OWN_GLOBAL: [&str; 6] = ["bool", "double", "dyn", "int", "size", "string"];
/// CEL's own functions that are called on a value, as `x.f(y)`.
pub(super) const OWN_MEMBER: [&str; 4] = ["contains", "endsWith", "size", "startsWith"];

/// One of Entra's functions, or one that stands with them.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// All names that can be called.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let entra = FUNCTIONS.iter().map(|function| function.name);
    entra.chain([IIF, IGNORE]).chain(OWN_GLOBAL).chain(OWN_MEMBER)
}
