//! Shared strings: all in one text, so that a million of them are two allocations.

use std::io::{Read, Seek};

use super::fault::Fault;
use super::limits::WorkbookLimits;
use super::package::Package;
use super::swift;
use super::text::{decode, not_utf8, unescape};
use super::xml::{Bytes, Token, Xml};

/// The strings of a workbook by number.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    /// Reads them; a workbook without that part has none.
    pub(super) fn read<R: Read + Seek>(
        package: &mut Package<R>,
        path: Option<&str>,
    ) -> Result<Self, Fault> {
        let limits = *package.limits();
        match path.map(|path| package.xml(path)).transpose()?.flatten() {
            Some(mut xml) => Self::from_xml(&mut xml, &limits),
            None => Ok(Self::default()),
        }
    }

    pub(super) fn from_xml<B: Bytes>(
        xml: &mut Xml<B>,
        limits: &WorkbookLimits,
    ) -> Result<Self, Fault> {
        let mut builder = StringsBuilder::new(limits);
        loop {
            if let Some((text, read)) = swift::string(xml.ahead()) {
                check(text.len(), limits)?;
                builder.text.extend_from_slice(text);
                builder.end()?;
                xml.pass(read);
                continue;
            }
            match xml.next()? {
                Token::Open(tag) if tag.name == b"si" => {
                    if !tag.is_empty {
                        rich_text(xml, &mut builder.text, limits)?;
                    }
                    builder.end()?;
                }
                Token::End => return builder.finish(),
                _ => {}
            }
        }
    }

    /// A string by its number, counted from 0.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}

/// Collects strings.
pub(super) struct StringsBuilder {
    text: Vec<u8>,
    ends: Vec<u32>,
    limits: WorkbookLimits,
}

impl StringsBuilder {
    pub(super) const fn new(limits: &WorkbookLimits) -> Self {
        Self { text: Vec::new(), ends: Vec::new(), limits: *limits }
    }

    /// Adds a string.
    pub(super) fn push(&mut self, text: &str) -> Result<(), Fault> {
        check(text.len(), &self.limits)?;
        self.text.extend_from_slice(text.as_bytes());
        self.end()
    }

    /// What was added to the text since the last one is a string.
    fn end(&mut self) -> Result<(), Fault> {
        let WorkbookLimits { shared_strings, shared_string_bytes, .. } = self.limits;
        if self.ends.len() >= shared_strings {
            return Err(Fault::ceiling(format!("more than {shared_strings} shared strings")));
        }
        if self.text.len() > shared_string_bytes {
            return Err(Fault::ceiling(format!(
                "more than {shared_string_bytes} bytes of shared strings"
            )));
        }
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Strings, Fault> {
        let text = String::from_utf8(self.text).map_err(|_| not_utf8())?;
        let at = |end: u32| usize::try_from(end).unwrap_or(usize::MAX);
        if !self.ends.iter().all(|&end| text.is_char_boundary(at(end))) {
            return Err(not_utf8());
        }
        Ok(Strings { text, ends: self.ends })
    }
}

/// Adds the text of the element that was opened last (`si` or `is`): its `t`, or those of its runs,
/// without what is said about their pronunciation.
pub(super) fn rich_text<B: Bytes>(
    xml: &mut Xml<B>,
    out: &mut Vec<u8>,
    limits: &WorkbookLimits,
) -> Result<(), Fault> {
    let outside = xml.depth().saturating_sub(1);
    let from = out.len();
    while xml.depth() > outside {
        match xml.next()? {
            Token::Open(tag) if !tag.is_empty => match tag.name {
                b"t" => {
                    let is_kept = tag.attribute(b"space") == Some(b"preserve");
                    let start = out.len();
                    plain_text(xml, out, limits)?;
                    if !is_kept {
                        trim(out, start);
                    }
                    unescape(out, start);
                }
                b"r" => {}
                _ => xml.skip()?,
            },
            Token::End => return Err(Fault::broken("a text ends in the middle")),
            _ => {}
        }
        check(out.len() - from, limits)?;
    }
    Ok(())
}

/// Adds the text of the element that was opened last, as it is.
pub(super) fn plain_text<B: Bytes>(
    xml: &mut Xml<B>,
    out: &mut Vec<u8>,
    limits: &WorkbookLimits,
) -> Result<(), Fault> {
    let outside = xml.depth().saturating_sub(1);
    let from = out.len();
    while xml.depth() > outside {
        match xml.next()? {
            Token::Text(raw) => decode(raw, out)?,
            Token::Literal(raw) => out.extend_from_slice(raw),
            Token::End => return Err(Fault::broken("a text ends in the middle")),
            Token::Open(_) | Token::Close(_) => {}
        }
        check(out.len() - from, limits)?;
    }
    Ok(())
}

fn check(length: usize, limits: &WorkbookLimits) -> Result<(), Fault> {
    if length > limits.string_bytes {
        return Err(too_long(limits));
    }
    Ok(())
}

pub(super) fn too_long(limits: &WorkbookLimits) -> Fault {
    Fault::ceiling(format!("a text of more than {} bytes", limits.string_bytes))
}

/// Takes blanks off both ends of what was added.
fn trim(out: &mut Vec<u8>, from: usize) {
    let added = out.get(from..).unwrap_or_default();
    let end = from + added.trim_ascii_end().len();
    out.truncate(end);
    let added = out.get(from..).unwrap_or_default();
    let blanks = added.len() - added.trim_ascii_start().len();
    if blanks > 0 {
        out.drain(from..from + blanks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(inner: &str, limits: &WorkbookLimits) -> Result<Strings, Fault> {
        let part = format!("<x:sst xmlns:x=\"main\">{inner}</x:sst>");
        Strings::from_xml(&mut Xml::new(part.as_bytes(), limits), limits)
    }

    #[test]
    fn runs_are_joined_and_pronunciation_is_left_out() {
        let read = strings(
            "<x:si><x:t>a&amp;b</x:t></x:si><x:si/>\
             <x:si><x:r><x:rPr><x:b/></x:rPr><x:t xml:space=\"preserve\">M\u{fc} </x:t></x:r>\
             <x:r><x:t> ller </x:t></x:r><x:rPh sb=\"0\" eb=\"1\"><x:t>no</x:t></x:rPh>\
             <x:phoneticPr fontId=\"1\"/></x:si>\
             <x:si><x:t><![CDATA[<c>]]>_x000D_ </x:t></x:si>",
            &WorkbookLimits::default(),
        )
        .unwrap();
        let all: Vec<_> = (0..5).map(|index| read.get(index)).collect();
        assert_eq!(all, [Some("a&b"), Some(""), Some("M\u{fc} ller"), Some("<c>\r"), None]);
    }

    #[test]
    fn strings_have_ceilings() {
        let few = WorkbookLimits { shared_strings: 2, ..WorkbookLimits::default() };
        assert!(strings(&"<si><t>a</t></si>".repeat(2), &few).is_ok());
        assert!(strings(&"<si><t>a</t></si>".repeat(3), &few).is_err());
        let short = WorkbookLimits { string_bytes: 3, ..WorkbookLimits::default() };
        assert!(strings("<si><t>abcd</t></si>", &short).is_err());
        let small = WorkbookLimits { shared_string_bytes: 3, ..WorkbookLimits::default() };
        assert!(strings(&"<si><t>ab</t></si>".repeat(2), &small).is_err());
    }
}
