//! Walks over one JSON value, strictly, and tells what it meets.
//!
//! The walker keeps its place between slices: where the bytes end before the value does, it is
//! called again with more of them. Its memory is one frame a level, and levels have a ceiling.

use std::ops::Range;

use crate::source::json::DEPTH;
use crate::source::json::token::{self, Fault, FaultKind, Text};
use crate::source::json::tree::{Node, ROOT};

/// Whoever listens to a walk.
pub(super) trait Listener {
    /// A member of an object; gives its node. `last` is the object's member before it; `object`
    /// is another number for every object.
    fn member(
        &mut self,
        parent: Node,
        last: Option<Node>,
        name: &[u8],
        object: u64,
    ) -> Result<Node, FaultKind>;

    /// A value that is neither object nor list. `at` is where its text stands in the slice.
    fn value(&mut self, node: Node, kind: Scalar, at: Range<usize>);

    /// An object or a list begins here.
    fn structure(&mut self, node: Node);
}

/// A value that is neither object nor list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// The inside of a string without escapes.
    Plain,
    /// The inside of a string with escapes.
    Escaped,
    Number,
    /// A number with `e` in it.
    Exponent,
    /// `true` or `false`.
    Boolean,
    Null,
}

/// How a walk went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The value ended; this many bytes of the slice belong to it.
    Done(usize),
    /// The slice ended first.
    More,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    FirstMember,
    Member,
    Colon,
    FirstElement,
    CommaOrEnd,
}

struct Frame {
    is_object: bool,
    node: Node,
    last: Option<Node>,
    object: u64,
    elements: u32,
}

/// A place in a value.
pub(super) struct Walker {
    frames: Vec<Frame>,
    expect: Expect,
    at: usize,
    /// The member whose value comes.
    node: Node,
    /// Levels around the value.
    around: usize,
    objects: u64,
    name: Vec<u8>,
    longest: usize,
}

impl Walker {
    /// `longest` is the ceiling of a string.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            frames: Vec::new(),
            expect: Expect::Value,
            at: 0,
            node: ROOT,
            around: 0,
            objects: 0,
            name: Vec::new(),
            longest,
        }
    }

    /// Starts over, with a value that begins at the first byte of the next slice, so many levels
    /// down in its document.
    pub(super) fn begin(&mut self, around: usize) {
        self.frames.clear();
        self.expect = Expect::Value;
        self.at = 0;
        self.node = ROOT;
        self.around = around;
    }

    /// How many bytes are done with; [`Self::passed`] says that they are gone.
    pub(super) const fn done(&self) -> usize {
        self.at
    }

    /// The next slice begins where this one was left.
    pub(super) const fn passed(&mut self) {
        self.at = 0;
    }

    /// What is open, in words.
    pub(super) fn inside(&self) -> &'static str {
        match self.frames.last() {
            Some(frame) if frame.is_object => "inside an object",
            Some(_) => "inside a list",
            None => "inside a value",
        }
    }

    /// Goes on, to the end of the value or of the slice; `is_last` says that nothing follows it.
    pub(super) fn run(
        &mut self,
        bytes: &[u8],
        is_last: bool,
        to: &mut impl Listener,
    ) -> Result<Progress, Fault> {
        loop {
            self.at = token::blanks(bytes, self.at);
            let Some(&byte) = bytes.get(self.at) else { return Ok(Progress::More) };
            let after = match (self.expect, byte) {
                (Expect::CommaOrEnd, b',') => {
                    let is_object = self.frames.last().is_some_and(|frame| frame.is_object);
                    self.expect = if is_object { Expect::Member } else { Expect::Value };
                    if !is_object {
                        self.element(to).map_err(|kind| kind.at(self.at))?;
                    }
                    Some(self.at + 1)
                }
                (Expect::FirstMember | Expect::Member, b'"') => self.member(bytes, to)?,
                (Expect::Colon, b':') => {
                    self.expect = Expect::Value;
                    Some(self.at + 1)
                }
                (Expect::FirstMember | Expect::CommaOrEnd, b'}')
                    if self.frames.last().is_some_and(|frame| frame.is_object) =>
                {
                    Some(self.close())
                }
                (Expect::FirstElement | Expect::CommaOrEnd, b']')
                    if self.frames.last().is_some_and(|frame| !frame.is_object) =>
                {
                    Some(self.close())
                }
                (Expect::FirstElement, _) => {
                    self.element(to).map_err(|kind| kind.at(self.at))?;
                    self.expect = Expect::Value;
                    continue;
                }
                (Expect::Value, _) => self.value(bytes, byte, is_last, to)?,
                _ => return Err(FaultKind::Expected(self.expected()).at(self.at)),
            };
            let Some(after) = after else { return Ok(Progress::More) };
            self.at = after;
            if self.frames.is_empty() && self.expect == Expect::CommaOrEnd {
                return Ok(Progress::Done(after));
            }
        }
    }

    fn member(&mut self, bytes: &[u8], to: &mut impl Listener) -> Result<Option<usize>, Fault> {
        let Some(Text { inside, is_escaped }) = token::string(bytes, self.at, self.longest)? else {
            return Ok(None);
        };
        let after = inside.end + 1;
        let raw = bytes.get(inside).unwrap_or_default();
        let name = if is_escaped {
            self.name.clear();
            token::decode(raw, &mut self.name);
            &self.name
        } else {
            raw
        };
        if let Some(frame) = self.frames.last_mut() {
            let node = to
                .member(frame.node, frame.last, name, frame.object)
                .map_err(|kind| kind.at(self.at))?;
            frame.last = Some(node);
            self.node = node;
        }
        self.expect = Expect::Colon;
        Ok(Some(after))
    }

    /// Another element of a list begins: its name is its number, from 0.
    fn element(&mut self, to: &mut impl Listener) -> Result<(), FaultKind> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let mut digits = [0; 10];
        let name = decimal(frame.elements, &mut digits);
        let node = to.member(frame.node, frame.last, name, frame.object)?;
        frame.elements += 1;
        frame.last = Some(node);
        self.node = node;
        Ok(())
    }

    fn value(
        &mut self,
        bytes: &[u8],
        byte: u8,
        is_last: bool,
        to: &mut impl Listener,
    ) -> Result<Option<usize>, Fault> {
        let at = self.at;
        let (kind, inside, after) = match byte {
            b'"' => match token::string(bytes, at, self.longest)? {
                Some(Text { inside, is_escaped }) => {
                    let kind = if is_escaped { Scalar::Escaped } else { Scalar::Plain };
                    let after = inside.end + 1;
                    (kind, inside, after)
                }
                None => return Ok(None),
            },
            b'-' | b'0'..=b'9' => match token::number(bytes, at, is_last)? {
                Some(after) => {
                    let digits = bytes.get(at..after).unwrap_or_default();
                    let has_exponent = digits.iter().any(|byte| matches!(byte, b'e' | b'E'));
                    let kind = if has_exponent { Scalar::Exponent } else { Scalar::Number };
                    (kind, at..after, after)
                }
                None => return Ok(None),
            },
            b'{' | b'[' => {
                to.structure(self.node);
                return self.open(byte == b'{').map(Some);
            }
            b't' | b'f' | b'n' => {
                let (word, kind) = match byte {
                    b't' => ("true", Scalar::Boolean),
                    b'f' => ("false", Scalar::Boolean),
                    _ => ("null", Scalar::Null),
                };
                match token::word(bytes, at, word)? {
                    Some(after) => (kind, at..after, after),
                    None => return Ok(None),
                }
            }
            _ => return Err(FaultKind::Expected("a value").at(at)),
        };
        to.value(self.node, kind, inside);
        self.expect = Expect::CommaOrEnd;
        Ok(Some(after))
    }

    fn open(&mut self, is_object: bool) -> Result<usize, Fault> {
        if self.around + self.frames.len() >= DEPTH {
            return Err(FaultKind::TooDeep.at(self.at));
        }
        self.objects += 1;
        self.frames.push(Frame {
            is_object,
            node: self.node,
            last: None,
            object: self.objects,
            elements: 0,
        });
        self.expect = if is_object { Expect::FirstMember } else { Expect::FirstElement };
        Ok(self.at + 1)
    }

    fn close(&mut self) -> usize {
        self.frames.pop();
        self.expect = Expect::CommaOrEnd;
        self.at + 1
    }

    fn expected(&self) -> &'static str {
        let is_object = self.frames.last().is_some_and(|frame| frame.is_object);
        match self.expect {
            Expect::Value | Expect::FirstElement => "a value",
            Expect::FirstMember => "the name of a member in quotes, or `}`",
            Expect::Member => "the name of a member in quotes",
            Expect::Colon => "a colon",
            Expect::CommaOrEnd if is_object => "a comma or `}`",
            Expect::CommaOrEnd => "a comma or `]`",
        }
    }
}

/// The digits of a number, in the end of `digits`.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut start = digits.len();
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        start = place;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    digits.get(start..).unwrap_or_default()
}

/// Listens to nothing.
pub(super) struct Nobody;

impl Listener for Nobody {
    fn member(&mut self, _: Node, _: Option<Node>, _: &[u8], _: u64) -> Result<Node, FaultKind> {
        Ok(ROOT)
    }

    fn value(&mut self, _: Node, _: Scalar, _: Range<usize>) {}

    fn structure(&mut self, _: Node) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8]) -> Result<Progress, Fault> {
        Walker::new(100).run(bytes, true, &mut Nobody)
    }

    #[test]
    fn what_follows_a_value_does_not_belong_to_it() {
        assert_eq!(walk(b" {\"a\":[1,{},[]]} x"), Ok(Progress::Done(16)));
        assert_eq!(walk(b"12 "), Ok(Progress::Done(2)));
    }

    #[test]
    fn a_mistake_says_what_belongs_there() {
        for (text, at, expected) in [
            ("[1,]", 3, "a value"),
            ("[,1]", 1, "a value"),
            ("[1 2]", 3, "a comma or `]`"),
            ("[1}", 2, "a comma or `]`"),
            ("{\"a\":1]", 6, "a comma or `}`"),
            ("{\"a\":1,}", 7, "the name of a member in quotes"),
            ("{a:1}", 1, "the name of a member in quotes, or `}`"),
            ("{\"a\" 1}", 5, "a colon"),
            ("nul1", 0, "a value"),
            ("]", 0, "a value"),
        ] {
            assert_eq!(walk(text.as_bytes()), Err(FaultKind::Expected(expected).at(at)), "{text}");
        }
    }

    #[test]
    fn nesting_has_a_ceiling() {
        assert_eq!(walk(&[b'['; 10_000]), Err(FaultKind::TooDeep.at(DEPTH)));
        let mut fine = vec![b'['; DEPTH];
        fine.extend(vec![b']'; DEPTH]);
        assert_eq!(walk(&fine), Ok(Progress::Done(2 * DEPTH)));
    }

    #[test]
    fn numbers_have_their_digits() {
        for number in [0, 7, 10, 4_294_967_295] {
            assert_eq!(decimal(number, &mut [0; 10]), number.to_string().as_bytes());
        }
    }
}
