//! The same user, active or not: what a leaver's resource is.
//!
//! A leaver is sent as the full last resource with `active: false`. Resources are our own bytes, so
//! only the value of that one member is replaced, and everything else stays as it was sent before.

const KEY: &[u8] = b"\"active\":";

/// The resource with another `active`; `None` where it has no such member with a boolean at its
/// top level, which no resource of ours lacks.
#[must_use]
pub fn with_active(resource: &[u8], active: bool) -> Option<Vec<u8>> {
    is_active(resource)?;
    let at = find_active(resource)? + KEY.len();
    let (start, rest) = resource.split_at_checked(at)?;
    let rest = rest.strip_prefix(b"true").or_else(|| rest.strip_prefix(b"false"))?;
    let value: &[u8] = if active { b"true" } else { b"false" };
    Some([start, value, rest].concat())
}

/// Whether a resource is active; `None` where it does not say.
#[must_use]
pub fn is_active(resource: &[u8]) -> Option<bool> {
    let rest = resource.get(find_active(resource)? + KEY.len()..)?;
    match rest {
        [b't', b'r', b'u', b'e', b',' | b'}', ..] => Some(true),
        [b'f', b'a', b'l', b's', b'e', b',' | b'}', ..] => Some(false),
        _ => None,
    }
}

/// Where the member stands: outside of texts, in the outermost object.
fn find_active(resource: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = resource.get(at) {
        match byte {
            b'"' => {
                if depth == 1 && resource.get(at..)?.starts_with(KEY) {
                    return Some(at);
                }
                at = end_of_text(resource, at + 1)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place behind the quote that ends the text which begins here.
fn end_of_text(resource: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match resource.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_the_outermost_member_is_replaced() {
        let resource = br#"{"title":"\"active\":true,","name":{"active":true},"active":true,"x":[{"active":true}]}"#;
        let left = with_active(resource, false).unwrap();
        assert_eq!(
            String::from_utf8(left.clone()).unwrap(),
            r#"{"title":"\"active\":true,","name":{"active":true},"active":false,"x":[{"active":true}]}"#
        );
        assert_eq!(with_active(&left, true).unwrap(), resource);
    }

    #[test]
    fn bytes_that_are_no_resource_of_ours_are_told() {
        for bytes in
            ["", "{", "{}", r#"{"active":"true"}"#, r#"{"active":trueish}"#, r#"{"active"#, "]"]
        {
            assert_eq!(with_active(bytes.as_bytes(), false), None, "for {bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_else_changes(title: String, active: bool, to: bool) {
            let user = json!({"externalId": "E1", "title": title, "active": active, "name": {"formatted": title}});
            let made = with_active(&serde_json::to_vec(&user).unwrap(), to).unwrap();
            let mut expected = user;
            expected["active"] = Value::Bool(to);
            prop_assert_eq!(is_active(&made), Some(to));
            prop_assert_eq!(serde_json::from_slice::<Value>(&made).unwrap(), expected);
        }
    }
}
