//! The swift path through a cell and a shared string: those that lie whole in the buffer and are
//! written as every common program writes them.
//!
//! Nearly all are. For any other one (a prefix, a formula, a run, a reference, an odd order) there is
//! no answer here, nothing has happened, and the scanner reads it tag by tag. Both must give the
//! same; a property test in `sheet` holds them against each other.

/// What a cell's value is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Shared,
    Inline,
    Text,
    Boolean,
    Error,
    Date,
}

impl Type {
    pub(super) const fn of(name: &[u8]) -> Self {
        match name {
            b"s" => Self::Shared,
            b"inlineStr" => Self::Inline,
            b"b" => Self::Boolean,
            b"e" => Self::Error,
            b"d" => Self::Date,
            b"n" => Self::Number,
            _ => Self::Text,
        }
    }
}

/// A cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SwiftCell<'a> {
    pub column: u32,
    pub style: usize,
    pub kind: Type,
    /// As it is, with nothing to resolve in it.
    pub value: &'a [u8],
    /// Bytes read.
    pub read: usize,
}

/// The cell that the bytes begin with.
#[inline]
pub(super) fn cell(bytes: &[u8]) -> Option<SwiftCell<'_>> {
    let mut rest = bytes.strip_prefix(b"<c r=\"")?;
    let mut column = 0_u32;
    loop {
        let (&byte, after) = rest.split_first()?;
        if !byte.is_ascii_uppercase() {
            break;
        }
        // longer ones are no columns
        column = column.checked_mul(26)?.checked_add(u32::from(byte - b'A') + 1)?;
        rest = after;
    }
    let column = column.checked_sub(1)?;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        if byte == b'"' {
            break;
        }
        byte.is_ascii_digit().then_some(())?;
    }
    let mut style = 0_usize;
    if let Some(after) = rest.strip_prefix(b" s=\"") {
        rest = after;
        loop {
            let (&byte, after) = rest.split_first()?;
            rest = after;
            if byte == b'"' {
                break;
            }
            byte.is_ascii_digit().then_some(())?;
            style = style.checked_mul(10)?.checked_add(usize::from(byte - b'0'))?;
        }
    }
    let mut kind = Type::Number;
    if let Some(after) = rest.strip_prefix(b" t=\"") {
        let end = after.iter().take(16).position(|&byte| byte == b'"')?;
        let (name, after) = after.split_at_checked(end)?;
        kind = Type::of(name);
        rest = after.get(1..)?;
    }
    let (value, rest) = if let Some(after) = rest.strip_prefix(b"><v>") {
        let end = after.iter().take(64).position(|&byte| byte == b'<' || byte == b'&')?;
        let (value, after) = after.split_at_checked(end)?;
        // what is empty or has blanks around it takes more thought
        let is_plain = kind != Type::Text && kind != Type::Inline && value.trim_ascii() == value;
        (is_plain && !value.is_empty()).then_some(())?;
        (value, after.strip_prefix(b"</v></c>")?)
    } else if let Some(after) = rest.strip_prefix(b"><is>").filter(|_| kind == Type::Inline) {
        let (value, after) = text(after)?;
        (value, after.strip_prefix(b"</is></c>")?)
    } else if let Some(after) = rest.strip_prefix(b"/>") {
        (&[][..], after)
    } else {
        return None;
    };
    Some(SwiftCell { column, style, kind, value, read: bytes.len() - rest.len() })
}

/// The shared string that the bytes begin with, and how many bytes it takes.
#[inline]
pub(super) fn string(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (value, rest) = text(bytes.strip_prefix(b"<si>")?)?;
    let rest = rest.strip_prefix(b"</si>")?;
    Some((value, bytes.len() - rest.len()))
}

/// The text of a `t`, and what stands behind it.
#[inline]
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = bytes.strip_prefix(b"<t")?;
    let (is_kept, inner) = match inner.strip_prefix(b">") {
        Some(inner) => (false, inner),
        None => (true, inner.strip_prefix(b" xml:space=\"preserve\">")?),
    };
    let end = memchr::memchr(b'<', inner)?;
    let (value, after) = inner.split_at_checked(end)?;
    let is_plain = memchr::memchr3(b'&', b'\r', b'_', value).is_none();
    (is_plain && (is_kept || value.trim_ascii() == value)).then_some(())?;
    Some((value, after.strip_prefix(b"</t>")?))
}

/// A whole number in digits alone.
#[inline]
pub(super) fn index(digits: &[u8]) -> Option<usize> {
    let mut index = 0_usize;
    for byte in digits {
        byte.is_ascii_digit().then_some(())?;
        index = index.checked_mul(10)?.checked_add(usize::from(byte - b'0'))?;
    }
    (!digits.is_empty()).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_cells_are_read_at_once() {
        let all = "<c r=\"AB12\" s=\"3\" t=\"s\"><v>45</v></c><c";
        let found = cell(all.as_bytes()).unwrap();
        assert_eq!((found.column, found.style, found.kind), (27, 3, Type::Shared));
        assert_eq!((found.value, found.read), (&b"45"[..], all.len() - 2));
        let inline = b"<c r=\"A1\" t=\"inlineStr\"><is><t xml:space=\"preserve\"> a </t></is></c>";
        assert_eq!(cell(inline).unwrap().value, b" a ");
        assert_eq!(cell(b"<c r=\"A1\" s=\"1\"/>").unwrap().value, b"");
        assert_eq!(string(b"<si><t>ab</t></si><si>"), Some((&b"ab"[..], 18)));
    }

    #[test]
    fn all_others_are_left_alone() {
        for left in [
            "<x:c r=\"A1\"><v>1</v></c>",
            "<c><v>1</v></c>",
            "<c r=\"A1\"><f>1</f><v>1</v></c>",
            "<c r=\"A1\"><v>1</v>",
            "<c r=\"A1\"><v></v></c>",
            "<c r=\"A1\"><v> 1</v></c>",
            "<c r=\"A1\"><v>&#49;</v></c>",
            "<c r=\"A1\" t=\"str\"><v>a_x0041_</v></c>",
            "<c r=\"A1\" t=\"inlineStr\"><is><t> a</t></is></c>",
            "<c r=\"A1\" t=\"inlineStr\"><is><t>a&amp;</t></is></c>",
            "<c r=\"1\"><v>1</v></c>",
            "<c r=\"ZZZZZZZZZZ1\"><v>1</v></c>",
            "<c r='A1'><v>1</v></c>",
        ] {
            assert_eq!(cell(left.as_bytes()), None, "{left}");
        }
        assert_eq!(string(b"<si><r><t>a</t></r></si>"), None);
        assert_eq!(string(b"<si><t>a</t><rPh/></si>"), None);
    }
}
