//! Reads a script block as an expression, by PowerShell's rules of precedence. Anything that is not
//! certainly understood is refused.
//!
//! From the loosest to the tightest: `-and` and `-or` (alike!), comparisons with `-replace` and
//! `-join`, `+`, `-f`, `!` and `-not`, the comma.

use crate::mapping::psd1::expression::{Expression, Reason};
use crate::mapping::psd1::lex::{Kind, Word, words};
use crate::mapping::psd1::operator;
use crate::mapping::psd1::scan::{DEPTH, Piece};
use crate::mapping::psd1::value;

/// Reads the inside of a script block.
pub(super) fn read(text: &str) -> Result<Expression, Reason> {
    let words = words(text).map_err(|trouble| Reason::new(trouble.message))?;
    let mut parser = Parser { words, at: 0, depth: 0, in_switch: false };
    parser.skip_ends();
    if parser.peek().is_none() {
        return Err(Reason::with("the block yields nothing", "leave the line out"));
    }
    let expression = parser.statement()?;
    parser.skip_ends();
    match parser.peek() {
        None => Ok(expression),
        Some(Kind::Symbol('|')) => Err(Reason::new("it pipes values into a command")),
        Some(Kind::Symbol('=')) => Err(Reason::new("it assigns a variable")),
        Some(_) => Err(Reason::new("it holds more than one expression")),
    }
}

pub(super) struct Parser {
    words: Vec<Word>,
    at: usize,
    depth: usize,
    /// Inside the cases of a `switch`, where `$_` is no longer the row.
    pub(super) in_switch: bool,
}

impl Parser {
    pub(super) fn peek(&self) -> Option<&Kind> {
        self.words.get(self.at).map(|word| &word.kind)
    }

    pub(super) fn next(&mut self) -> Option<Kind> {
        let kind = self.peek().cloned();
        self.at += 1;
        kind
    }

    /// Whether the next word is this symbol, directly after the one before.
    pub(super) fn is_glued(&self, symbol: char) -> bool {
        self.words
            .get(self.at)
            .is_some_and(|word| word.is_glued && word.kind == Kind::Symbol(symbol))
    }

    pub(super) fn eat(&mut self, symbol: char) -> bool {
        let is_there = self.peek() == Some(&Kind::Symbol(symbol));
        self.at += usize::from(is_there);
        is_there
    }

    pub(super) fn need(&mut self, symbol: char) -> Result<(), Reason> {
        self.skip_lines();
        if self.eat(symbol) {
            return Ok(());
        }
        Err(Reason::new(format!("where `{symbol}` is expected stands something else")))
    }

    pub(super) fn skip_lines(&mut self) {
        while self.peek() == Some(&Kind::LineEnd) {
            self.at += 1;
        }
    }

    fn skip_ends(&mut self) {
        while matches!(self.peek(), Some(Kind::LineEnd | Kind::Symbol(';'))) {
            self.at += 1;
        }
    }

    fn is_name(&self, wanted: &str) -> bool {
        matches!(self.peek(), Some(Kind::Name(name)) if name.eq_ignore_ascii_case(wanted))
    }

    fn eat_name(&mut self, wanted: &str) -> bool {
        let is_there = self.is_name(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    pub(super) fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        if self.depth >= DEPTH {
            return Err(Reason::new(format!("the nesting is deeper than {DEPTH} levels")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    pub(super) fn statement(&mut self) -> Result<Expression, Reason> {
        self.deeper(|parser| {
            parser.eat_name("return");
            if parser.eat_name("if") {
                return parser.conditional();
            }
            if parser.eat_name("switch") {
                return parser.switch();
            }
            parser.expression()
        })
    }

    /// `if ( … ) { … } elseif ( … ) { … } else { … }`, after `if`.
    fn conditional(&mut self) -> Result<Expression, Reason> {
        let mut cases = Vec::new();
        loop {
            self.need('(')?;
            self.skip_lines();
            let condition = operator::condition(self.expression()?)?;
            self.need(')')?;
            let then = self.body()?;
            cases.push((condition, then));
            let before = self.at;
            self.skip_lines();
            if self.eat_name("elseif") {
                continue;
            }
            if self.eat_name("else") {
                let default = Some(Box::new(self.body()?));
                return Ok(Expression::Cases { cases, default });
            }
            self.at = before;
            return Ok(Expression::Cases { cases, default: None });
        }
    }

    /// `switch ( … ) { 'a' { … } default { … } }`, after `switch`.
    fn switch(&mut self) -> Result<Expression, Reason> {
        let mut is_exact = false;
        while let Some(Kind::Operator(option)) = self.peek() {
            match option.as_str() {
                "casesensitive" => is_exact = true,
                "exact" => {}
                other => return Err(Reason::new(format!("it has a `switch -{other}`"))),
            }
            self.at += 1;
        }
        self.need('(')?;
        let subject = self.expression()?;
        self.need(')')?;
        self.need('{')?;
        let was_in_switch = std::mem::replace(&mut self.in_switch, true);
        let (mut labels, mut cases, mut default) = (Vec::new(), Vec::new(), None);
        loop {
            self.skip_ends();
            if self.eat('}') {
                break;
            }
            let label = match self.next() {
                Some(Kind::Name(name)) if name.eq_ignore_ascii_case("default") => None,
                Some(Kind::Text(text) | Kind::Name(text)) => Some(text),
                Some(Kind::Number(number)) if operator::is_plain(&number) => Some(number),
                _ => return Err(Reason::new("a case of the `switch` is no plain text")),
            };
            let value = self.body()?;
            let Some(label) = label else {
                if default.replace(Box::new(value)).is_some() {
                    return Err(Reason::new("the `switch` has two defaults"));
                }
                continue;
            };
            let folded = if is_exact { label.clone() } else { label.to_lowercase() };
            if labels.contains(&folded) {
                let message =
                    format!("the `switch` has the case `{label}` twice, which yields a list");
                return Err(Reason::new(message));
            }
            labels.push(folded);
            let left = Box::new(subject.clone());
            let right = Box::new(Expression::Text(label));
            cases.push((Expression::Equal { left, right, is_exact }, value));
        }
        self.in_switch = was_in_switch;
        if cases.is_empty() {
            return Err(Reason::new("the `switch` has no cases"));
        }
        Ok(Expression::Cases { cases, default })
    }

    /// `{ … }` with one statement in it.
    fn body(&mut self) -> Result<Expression, Reason> {
        self.need('{')?;
        self.skip_ends();
        if self.eat('}') {
            return Ok(Expression::Null);
        }
        let value = self.statement()?;
        self.skip_ends();
        if self.eat_name("break") {
            self.skip_ends();
        }
        self.need('}')?;
        Ok(value)
    }

    pub(super) fn expression(&mut self) -> Result<Expression, Reason> {
        self.deeper(|parser| {
            let mut left = parser.comparison()?;
            while let Some(Kind::Operator(operator)) = parser.peek() {
                let is_and = match operator.as_str() {
                    "and" => true,
                    "or" => false,
                    _ => return Err(operator::unknown(operator)),
                };
                parser.at += 1;
                parser.skip_lines();
                let left_side = Box::new(operator::condition(left)?);
                let right = Box::new(operator::condition(parser.comparison()?)?);
                left = if is_and {
                    Expression::And(left_side, right)
                } else {
                    Expression::Or(left_side, right)
                };
            }
            Ok(left)
        })
    }

    fn comparison(&mut self) -> Result<Expression, Reason> {
        let mut left = self.sum()?;
        while let Some(Kind::Operator(word)) = self.peek() {
            let Some(found) = operator::Comparison::of(word) else { break };
            self.at += 1;
            self.skip_lines();
            let right = self.sum()?;
            left = found.apply(left, right)?;
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expression, Reason> {
        let mut left = self.format()?;
        loop {
            match self.peek() {
                Some(Kind::Symbol('+')) => {
                    self.at += 1;
                    self.skip_lines();
                    left = operator::plus(left, self.format()?)?;
                }
                Some(Kind::Symbol(sign @ ('-' | '*' | '/' | '%'))) => {
                    return Err(Reason::new(format!("it calculates with `{sign}`")));
                }
                _ => return Ok(left),
            }
        }
    }

    fn format(&mut self) -> Result<Expression, Reason> {
        let mut left = self.unary()?;
        while self.peek() == Some(&Kind::Operator("f".to_owned())) {
            self.at += 1;
            self.skip_lines();
            left = operator::format(left, self.unary()?)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, Reason> {
        let is_not = match self.peek() {
            Some(Kind::Symbol('!')) => true,
            Some(Kind::Operator(operator)) => match operator.as_str() {
                "not" => true,
                "join" => {
                    self.at += 1;
                    return self.deeper(|parser| operator::join(parser.unary()?, ""));
                }
                other => return Err(operator::unknown(other)),
            },
            _ => return self.list(),
        };
        self.at += usize::from(is_not);
        self.deeper(|parser| Ok(Expression::Not(Box::new(operator::condition(parser.unary()?)?))))
    }

    fn list(&mut self) -> Result<Expression, Reason> {
        let first = value::read(self)?;
        if self.peek() != Some(&Kind::Symbol(',')) {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.eat(',') {
            self.skip_lines();
            items.push(value::read(self)?);
        }
        Ok(Expression::List(items))
    }

    /// Text in double quotes, with what is filled in.
    pub(super) fn filled(&mut self, pieces: Vec<Piece>) -> Result<Expression, Reason> {
        let mut parts = Vec::new();
        let mut pieces = pieces.into_iter().peekable();
        while let Some(piece) = pieces.next() {
            parts.push(match piece {
                Piece::Text(text) => Expression::Text(text),
                Piece::Code(code) => {
                    let part = self.deeper(|parser| {
                        let words = words(&code).map_err(|trouble| Reason::new(trouble.message))?;
                        let (depth, in_switch) = (parser.depth, parser.in_switch);
                        let mut inner = Self { words, at: 0, depth, in_switch };
                        inner.skip_ends();
                        let part = inner.statement()?;
                        inner.skip_ends();
                        match inner.peek() {
                            None => Ok(part),
                            Some(_) => {
                                Err(Reason::new("a `$( … )` holds more than one expression"))
                            }
                        }
                    })?;
                    operator::text(part)?
                }
                Piece::Variable(name) => {
                    let is_row = name == "_" || name.eq_ignore_ascii_case("psitem");
                    let has_dot = matches!(
                        pieces.peek(), Some(Piece::Text(text)) if text.starts_with('.'));
                    if is_row && has_dot {
                        return Err(Reason::with(
                            "in double quotes `$_.Name` is the whole row and then `.Name`",
                            "what is meant is `$($_.Name)`",
                        ));
                    }
                    return Err(Reason::new(format!("it fills in the variable `${name}`")));
                }
            });
        }
        Ok(Expression::Join(parts))
    }
}
