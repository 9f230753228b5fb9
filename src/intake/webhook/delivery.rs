//! A delivery as it came: headers and body.

use secrecy::SecretString;

use crate::intake::webhook::SignatureRefusal;

/// What came in. Names of headers are compared whatever their case.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// Names and values in the order they came.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body's bytes, exactly as they came: signatures are made over them.
    pub body: &'a [u8],
}

impl<'a> Delivery<'a> {
    /// Every value of a header.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let found =
            self.headers.iter().filter(move |(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value)
    }

    /// The value of a header that must be there once: two of them could be read differently by
    /// whoever signed and by us.
    pub(super) fn one(&self, name: &str) -> Result<&'a str, SignatureRefusal> {
        let mut values = self.all(name);
        let header = || name.into();
        let value =
            values.next().ok_or_else(|| SignatureRefusal::MissingHeader { header: header() })?;
        if values.next().is_some() {
            return Err(SignatureRefusal::RepeatedHeader { header: header() });
        }
        readable(value).ok_or_else(|| SignatureRefusal::MalformedHeader { header: header() })
    }
}

/// Visible ASCII and blanks, without those at the ends. `None` when there is anything else, or
/// nothing at all.
pub(super) fn readable(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    let fits = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    (!text.is_empty() && text.bytes().all(fits)).then_some(text)
}

/// The provisioning key in `Authorization`, after `Bearer` or alone: some HR systems send what was
/// typed and put nothing before it. `None` when there is none, or more than one.
#[must_use]
pub fn presented_key(delivery: &Delivery<'_>) -> Option<SecretString> {
    let value = delivery.one("authorization").ok()?;
    let key = match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim_start(),
        Some(_) => return None,
        None => value,
    };
    Some(SecretString::from(key))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn key(values: &[&str]) -> Option<String> {
        let headers: Vec<_> =
            values.iter().map(|value| ("Authorization", value.as_bytes())).collect();
        let delivery = Delivery { headers: &headers, body: b"" };
        presented_key(&delivery).map(|key| key.expose_secret().to_owned())
    }

    #[test]
    fn a_key_stands_after_bearer_or_alone() {
        assert_eq!(key(&["Bearer scim_a_b"]).as_deref(), Some("scim_a_b"));
        assert_eq!(key(&["bearer  scim_a_b "]).as_deref(), Some("scim_a_b"));
        assert_eq!(key(&["scim_a_b"]).as_deref(), Some("scim_a_b"));
        for values in
            [&["Basic c2NpbQ=="][..], &[""], &[], &["Bearer a", "Bearer b"], &["Bearer ä"]]
        {
            assert_eq!(key(values), None, "{values:?}");
        }
    }
}
