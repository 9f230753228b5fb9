//! XML as workbooks have it, pulled tag by tag from a stream that is never held whole.
//!
//! It is made for machine-written parts of hundreds of megabytes: a tag is borrowed from the buffer,
//! nothing is allocated for it, and the names of closing tags are not held against those of opening
//! ones. Prefixes of names are dropped. Documents that declare entities are refused, so that none
//! can grow; so are encodings other than UTF-8.

use memchr::{memchr, memmem};

use super::fault::Fault;
use super::limits::WorkbookLimits;
use super::tag::{Tag, local, tag_end};

/// Bytes read at a time.
const BUFFER_BYTES: usize = 128 * 1024;

/// Where bytes come from.
pub(super) trait Bytes {
    /// Reads some; 0 at the end.
    fn read_some(&mut self, into: &mut [u8]) -> Result<usize, Fault>;
}

impl Bytes for &[u8] {
    fn read_some(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        Ok(std::io::Read::read(self, into)?)
    }
}

/// What comes next in a document.
pub(super) enum Token<'a> {
    /// `<name …>` or `<name …/>`.
    Open(Tag<'a>),
    /// `</name>`, without its prefix.
    Close(&'a [u8]),
    /// Text with its references unresolved.
    Text(&'a [u8]),
    /// `CDATA`: text as it is.
    Literal(&'a [u8]),
    /// The end of the document.
    End,
}

/// The same by places in the buffer.
#[derive(Clone, Copy)]
enum Found {
    Open { start: usize, end: usize, is_empty: bool },
    Close { start: usize, end: usize },
    Text { start: usize, end: usize },
    Literal { start: usize, end: usize },
    End,
}

/// Pulls tokens.
pub(super) struct Xml<B> {
    input: B,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_started: bool,
    depth: u32,
    depth_limit: u32,
    token_limit: usize,
}

impl<B: Bytes> Xml<B> {
    pub(super) fn new(input: B, limits: &WorkbookLimits) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            is_started: false,
            depth: 0,
            depth_limit: limits.xml_depth,
            token_limit: limits.xml_token_bytes.max(BUFFER_BYTES),
        }
    }

    /// Elements that are open.
    pub(super) const fn depth(&self) -> u32 {
        self.depth
    }

    /// The next token.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Token<'_>, Fault> {
        let found = self.locate()?;
        let part = |start: usize, end: usize| self.buffer.get(start..end).unwrap_or_default();
        Ok(match found {
            Found::Open { start, end, is_empty } => {
                Token::Open(Tag::of(part(start, end), is_empty))
            }
            Found::Close { start, end } => Token::Close(local(part(start, end).trim_ascii_end())),
            Found::Text { start, end } => Token::Text(part(start, end)),
            Found::Literal { start, end } => Token::Literal(part(start, end)),
            Found::End => Token::End,
        })
    }

    /// What is in the buffer and not read yet.
    #[inline]
    pub(super) fn ahead(&self) -> &[u8] {
        self.rest()
    }

    /// Passes over so many bytes of it, in which as many elements end as begin.
    #[inline]
    pub(super) fn pass(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Passes over the rest of the element that was opened last.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if matches!(self.locate()?, Found::End) {
                return Err(cut());
            }
        }
        Ok(())
    }

    fn locate(&mut self) -> Result<Found, Fault> {
        if !self.is_started {
            self.begin()?;
        }
        loop {
            if self.start >= self.end && !self.more()? {
                return if self.depth == 0 { Ok(Found::End) } else { Err(cut()) };
            }
            let rest = self.rest();
            if rest.first() != Some(&b'<') {
                return self.text();
            }
            // enough for `<![CDATA[`
            if rest.len() < 9 && self.more()? {
                continue;
            }
            match self.rest().get(1) {
                Some(b'/') => return self.close(),
                Some(b'!') => {
                    if let Some(found) = self.declaration()? {
                        return Ok(found);
                    }
                }
                Some(b'?') => self.instruction()?,
                _ => return self.open(),
            }
        }
    }

    fn open(&mut self) -> Result<Found, Fault> {
        let length = loop {
            if let Some(length) = tag_end(self.rest()) {
                break length;
            }
            self.need_more()?;
        };
        let start = self.start + 1;
        let last = self.start + length;
        self.start = last + 1;
        let is_empty = self.buffer.get(last - 1) == Some(&b'/') && last > start;
        if is_empty {
            return Ok(Found::Open { start, end: last - 1, is_empty });
        }
        self.depth += 1;
        if self.depth > self.depth_limit {
            return Err(Fault::ceiling(format!(
                "XML elements nested more than {} deep",
                self.depth_limit
            )));
        }
        Ok(Found::Open { start, end: last, is_empty })
    }

    fn close(&mut self) -> Result<Found, Fault> {
        let length = loop {
            if let Some(length) = memchr(b'>', self.rest()) {
                break length;
            }
            self.need_more()?;
        };
        let start = self.start + 2;
        let end = self.start + length;
        self.start = end + 1;
        match self.depth.checked_sub(1) {
            Some(depth) => self.depth = depth,
            None => return Err(Fault::broken("an XML element is closed that was never opened")),
        }
        Ok(Found::Close { start, end })
    }

    fn text(&mut self) -> Result<Found, Fault> {
        loop {
            if let Some(length) = memchr(b'<', self.rest()) {
                let start = self.start;
                self.start += length;
                return Ok(Found::Text { start, end: self.start });
            }
            if !self.more()? {
                let start = self.start;
                self.start = self.end;
                return Ok(Found::Text { start, end: self.end });
            }
        }
    }

    /// A comment, `CDATA` or something that has no place in a workbook.
    fn declaration(&mut self) -> Result<Option<Found>, Fault> {
        let rest = self.rest();
        if rest.starts_with(b"<!--") {
            let length = self.until(4, b"-->")?;
            self.start += length + 3;
            return Ok(None);
        }
        if rest.starts_with(b"<![CDATA[") {
            let length = self.until(9, b"]]>")?;
            let (start, end) = (self.start + 9, self.start + length);
            self.start = end + 3;
            return Ok(Some(Found::Literal { start, end }));
        }
        Err(Fault::refused(
            "source.workbook-entities",
            "the workbook declares a document type, with which a few bytes can become many",
            "no spreadsheet program writes that: ask where the file comes from",
        ))
    }

    fn instruction(&mut self) -> Result<(), Fault> {
        let length = self.until(2, b"?>")?;
        let words = self.rest().get(..length).unwrap_or_default().to_ascii_lowercase();
        let encoding = memmem::find(&words, b"encoding");
        let is_known = |at: usize| {
            let name = words.get(at..).unwrap_or_default();
            [&b"utf-8"[..], b"utf8", b"us-ascii"].iter().any(|it| memmem::find(name, it).is_some())
        };
        if words.starts_with(b"<?xml") && encoding.is_some_and(|at| !is_known(at)) {
            return Err(other_encoding());
        }
        self.start += length + 2;
        Ok(())
    }

    /// How far off the words are, looked for behind the first bytes.
    fn until(&mut self, behind: usize, words: &[u8]) -> Result<usize, Fault> {
        loop {
            let rest = self.rest().get(behind..).unwrap_or_default();
            if let Some(at) = memmem::find(rest, words) {
                return Ok(at + behind);
            }
            self.need_more()?;
        }
    }

    #[inline]
    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn need_more(&mut self) -> Result<(), Fault> {
        if self.more()? { Ok(()) } else { Err(cut()) }
    }

    /// Fills the buffer behind what is not read yet; false at the end of the input.
    fn more(&mut self) -> Result<bool, Fault> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.end >= self.token_limit {
                return Err(Fault::ceiling(format!(
                    "an XML tag or text of more than {} bytes",
                    self.token_limit
                )));
            }
            self.buffer.resize((self.end * 2).min(self.token_limit), 0);
        }
        let before = self.end;
        // a full buffer each time, or an input in drops would be looked at again and again
        while let Some(room) = self.buffer.get_mut(self.end..).filter(|room| !room.is_empty()) {
            let count = self.input.read_some(room)?;
            if count == 0 {
                break;
            }
            self.end += count;
        }
        Ok(self.end > before)
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.is_started = true;
        self.more()?;
        let rest = self.rest();
        if rest.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.start = 3;
        } else if rest.starts_with(&[0xff, 0xfe])
            || rest.starts_with(&[0xfe, 0xff])
            || rest.get(..4).is_some_and(|four| four.contains(&0))
        {
            return Err(other_encoding());
        }
        Ok(())
    }
}

fn cut() -> Fault {
    Fault::broken("a part of it ends in the middle")
}

fn other_encoding() -> Fault {
    Fault::broken("a part of it is not in UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &[u8]) -> Result<Vec<String>, Fault> {
        let mut xml = Xml::new(text, &WorkbookLimits::default());
        let mut seen = Vec::new();
        let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        loop {
            seen.push(match xml.next()? {
                Token::Open(tag) => {
                    let pairs = tag
                        .attributes()
                        .map(|(name, value)| format!(" {}={}", show(name), show(value)));
                    let end = if tag.is_empty { "/" } else { "" };
                    format!("<{}{}{end}", show(tag.name), pairs.collect::<String>())
                }
                Token::Close(name) => format!(">{}", show(name)),
                Token::Text(text) => format!("'{}", show(text)),
                Token::Literal(text) => format!("[{}", show(text)),
                Token::End => return Ok(seen),
            });
        }
    }

    #[test]
    fn prefixes_comments_cdata_and_odd_quotes_are_read() {
        let text = b"\xef\xbb\xbf<?xml version='1.0' encoding=\"UTF-8\"?><!-- <x> -->\
            <x:row r = '1' x:s=\"a>b\" ><c/><v\n>1 &lt; 2<![CDATA[<&]]></v></x:row>";
        let seen = tokens(text).unwrap();
        let expected = ["<row r=1 s=a>b", "<c/", "<v", "'1 &lt; 2", "[<&", ">v", ">row"];
        assert_eq!(seen, expected);
    }

    #[test]
    fn declared_entities_other_encodings_and_cut_documents_are_refused() {
        for text in [
            &b"<!DOCTYPE x [<!ENTITY a \"aaaa\">]><x>&a;</x>"[..],
            b"<?xml version=\"1.0\" encoding=\"UTF-16\"?><x/>",
            b"\xff\xfe<\0x\0",
            b"<x><y></x>",
            b"<x",
            b"</x>",
            b"<x><![CDATA[ </x>",
        ] {
            assert!(tokens(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn depth_and_the_length_of_a_tag_have_ceilings() {
        assert!(tokens("<x>".repeat(65).as_bytes()).is_err());
        let long = format!("<x a=\"{}\"/>", "y".repeat(2_000_000));
        assert!(tokens(long.as_bytes()).is_err());
        let long = format!("<x a=\"{}\"/>", "y".repeat(200_000));
        assert!(tokens(long.as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), proptest::sample::select(&b"<>/!-[]?'\"=& axCDT"[..])], 0..300
        )) {
            let _ = tokens(&bytes);
        }
    }
}
