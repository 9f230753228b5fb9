//! The opening tags of XML, and their attributes.

/// An opening tag.
#[derive(Clone, Copy)]
pub(super) struct Tag<'a> {
    /// Without its prefix.
    pub name: &'a [u8],
    /// What stands behind the name, as it is.
    pub attributes: &'a [u8],
    /// Whether it closes itself.
    pub is_empty: bool,
}

impl<'a> Tag<'a> {
    /// A tag by what stands between its brackets.
    #[inline]
    pub(super) fn of(tag: &'a [u8], is_empty: bool) -> Self {
        let name_end = tag.iter().position(|&byte| is_blank(byte)).unwrap_or(tag.len());
        let (name, attributes) = tag.split_at_checked(name_end).unwrap_or((tag, &[]));
        Self { name: local(name), attributes, is_empty }
    }

    /// The attributes: names without prefixes, values with their references unresolved.
    pub(super) const fn attributes(self) -> Attributes<'a> {
        Attributes { rest: self.attributes }
    }

    /// The value of an attribute.
    pub(super) fn attribute(self, name: &[u8]) -> Option<&'a [u8]> {
        self.attributes().find(|(it, _)| *it == name).map(|(_, value)| value)
    }

    /// Whether an attribute says yes.
    pub(super) fn says(self, name: &[u8]) -> bool {
        matches!(self.attribute(name), Some(b"1" | b"true" | b"on"))
    }
}

/// The attributes of a tag.
pub(super) struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let begin = self.rest.iter().position(|&byte| !is_blank(byte))?;
        let rest = self.rest.get(begin..)?;
        let equals = rest.iter().position(|&byte| byte == b'=')?;
        let (name, rest) = rest.split_at_checked(equals)?;
        let open = rest.iter().position(|&byte| byte == b'"' || byte == b'\'')?;
        let quote = *rest.get(open)?;
        let rest = rest.get(open + 1..)?;
        let close = rest.iter().position(|&byte| byte == quote)?;
        let value = rest.get(..close)?;
        self.rest = rest.get(close + 1..)?;
        Some((local(name.trim_ascii_end()), value))
    }
}

/// Where a tag ends, `>` between quotes passed over.
#[inline]
pub(super) fn tag_end(tag: &[u8]) -> Option<usize> {
    let mut quote = 0;
    for (at, &byte) in tag.iter().enumerate() {
        if quote != 0 {
            if byte == quote {
                quote = 0;
            }
        } else if byte == b'>' {
            return Some(at);
        } else if byte == b'"' || byte == b'\'' {
            quote = byte;
        }
    }
    None
}

/// A name without its prefix.
#[inline]
pub(super) fn local(name: &[u8]) -> &[u8] {
    match name.iter().position(|&byte| byte == b':') {
        Some(at) => name.get(at + 1..).unwrap_or_default(),
        None => name,
    }
}

#[inline]
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/')
}
