//! The operators, by the names that the parser gives them.

pub(super) use cel::common::ast::operators::{
    ADD, CONDITIONAL, DIVIDE, EQUALS, GREATER, GREATER_EQUALS, IN, INDEX, LESS, LESS_EQUALS,
    LOGICAL_AND, LOGICAL_NOT, LOGICAL_OR, MODULO, MULTIPLY, NEGATE, NOT_EQUALS, SUBSTRACT,
};

pub(super) const UNFIT: &str = "does not go with these kinds of values";
pub(super) const TOO_LARGE: &str = "gives a number beyond 64 bits";
pub(super) const BY_ZERO: &str = "divides by zero";
pub(super) const NO_ENTRY: &str = "finds no such entry";

/// How an operator or one of the language's own functions is written.
pub(super) fn shown(name: &str) -> Option<&'static str> {
    const SHOWN: [(&str, &str); 32] = [
        (ADD, "+"),
        ("add", "+"),
        (SUBSTRACT, "-"),
        ("sub", "-"),
        (MULTIPLY, "*"),
        ("mul", "*"),
        (DIVIDE, "/"),
        ("div", "/"),
        (MODULO, "%"),
        ("rem", "%"),
        (NEGATE, "-"),
        (EQUALS, "=="),
        (NOT_EQUALS, "!="),
        (LESS, "<"),
        (LESS_EQUALS, "<="),
        (GREATER, ">"),
        (GREATER_EQUALS, ">="),
        (LOGICAL_AND, "&&"),
        (LOGICAL_OR, "||"),
        (LOGICAL_NOT, "!"),
        (CONDITIONAL, "? :"),
        (IN, "in"),
        (INDEX, "[ ]"),
        ("contains", "contains"),
        ("startsWith", "startsWith"),
        ("endsWith", "endsWith"),
        ("size", "size"),
        ("string", "string"),
        ("int", "int"),
        ("double", "double"),
        ("bool", "bool"),
        ("dyn", "dyn"),
    ];
    SHOWN.iter().find(|(known, _)| *known == name).map(|(_, shown)| *shown)
}
