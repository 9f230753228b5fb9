//! The address of one worker: whatever the id is, it stands where `{id}` stood and nowhere else.

use url::Url;

/// Where the id goes.
const ID: &str = "{id}";
/// The longest id that is asked for, in bytes.
const MAX_ID_BYTES: usize = 256;

/// An address with a place for an id, or without one.
#[derive(Debug, Clone)]
pub(super) struct Address {
    before: String,
    /// Behind the id; `None` without a place for one.
    after: Option<String>,
    /// With an id that is harmless.
    sample: Url,
}

impl Address {
    /// Reads an address; `None` where it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let sample = Url::parse(&text.replace(ID, "0")).ok()?;
        let (before, after) = match text.split_once(ID) {
            Some((before, after)) => (before.to_owned(), Some(after.to_owned())),
            None => (text.to_owned(), None),
        };
        Some(Self { before, after, sample })
    }

    /// What it looks like; for its scheme, host and port.
    pub(super) const fn sample(&self) -> &Url {
        &self.sample
    }

    /// The address of everybody; `None` when it asks for one.
    pub(super) fn everybody(&self) -> Option<Url> {
        self.after.is_none().then(|| self.sample.clone())
    }

    /// The address of a worker. `None` for an id that can stand in no address: an empty one would
    /// ask for everybody, and steps like `..` are taken by servers even where they are escaped.
    pub(super) fn of(&self, id: &str) -> Option<Url> {
        let after = self.after.as_ref()?;
        let is_step = |part: &str| part.bytes().all(|byte| byte == b'.') && !part.is_empty();
        if id.trim().is_empty()
            || id.len() > MAX_ID_BYTES
            || id.contains(char::is_control)
            || id.split(['/', '\\']).any(is_step)
        {
            return None;
        }
        let url = Url::parse(&format!("{}{}{after}", self.before, escaped(id))).ok()?;
        // what follows cannot fail; it is looked at again because everything hangs on it
        let is_same_shape = url.origin() == self.sample.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && segments(&url) == segments(&self.sample)
            && url.query().is_some() == self.sample.query().is_some();
        is_same_shape.then_some(url)
    }
}

fn segments(url: &Url) -> usize {
    url.path_segments().map_or(0, Iterator::count)
}

/// Everything but letters, digits, `-`, `.`, `_` and `~` (RFC 3986, section 2.3) as `%XX`.
fn escaped(id: &str) -> String {
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            const DIGITS: [char; 16] =
                ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
            let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(address: &str, id: &str) -> Option<String> {
        Address::parse(address).unwrap().of(id).map(String::from)
    }

    const PATH: &str = "https://hr.example/employees/{id}/full";

    #[test]
    fn an_id_is_one_segment_whatever_it_says() {
        for (id, segment) in [
            ("E1001", "E1001"),
            ("a b", "a%20b"),
            ("é", "%C3%A9"),
            ("1?admin=1", "1%3Fadmin%3D1"),
            ("1#x", "1%23x"),
            ("1/2", "1%2F2"),
            ("@evil.example", "%40evil.example"),
            ("//evil.example/", "%2F%2Fevil.example%2F"),
            ("%2e%2e", "%252e%252e"),
            ("a..b", "a..b"),
            ("{id}", "%7Bid%7D"),
        ] {
            let expected = format!("https://hr.example/employees/{segment}/full");
            assert_eq!(of(PATH, id), Some(expected), "{id}");
        }
        assert_eq!(
            of("https://hr.example/r?worker={id}&all=0", "1&all=1"),
            Some("https://hr.example/r?worker=1%26all%3D1&all=0".to_owned())
        );
    }

    #[test]
    fn what_no_address_takes_is_no_id() {
        let long = "1".repeat(MAX_ID_BYTES + 1);
        for id in ["", " ", ".", "..", "...", "../x", "x/..", "x/../../y", "..\\x", "a\nb", &long] {
            assert_eq!(of(PATH, id), None, "{id}");
        }
    }

    #[test]
    fn everybody_has_an_address_of_their_own() {
        let all = Address::parse("https://hr.example/r?all=1").unwrap();
        assert_eq!(all.everybody().unwrap().as_str(), "https://hr.example/r?all=1");
        assert!(all.of("E1").is_none());
        assert!(Address::parse(PATH).unwrap().everybody().is_none());
    }

    proptest! {
        #[test]
        fn no_id_changes_where_it_leads(id in any::<String>(), place in 0_usize..3) {
            let address = [PATH, "https://hr.example/e/W({id})?a=b", "https://hr.example/r?w={id}"];
            let address = Address::parse(address[place]).unwrap();
            if let Some(url) = address.of(&id) {
                prop_assert_eq!(url.origin(), address.sample().origin());
                prop_assert_eq!(url.host_str(), Some("hr.example"));
                prop_assert_eq!(segments(&url), segments(address.sample()));
                prop_assert!(url.fragment().is_none() && url.username().is_empty());
            }
        }
    }
}
