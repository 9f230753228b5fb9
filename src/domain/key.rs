//! Provisioning keys: what those who call us hold, and what it lets them do.

use std::fmt;

use crate::domain::SourceName;

/// The public part of a provisioning key: names it in lists and logs, and opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Box<str>);

impl KeyId {
    /// Characters of an id.
    pub const LENGTH: usize = 12;

    /// Reads an id: 12 lower-case letters and digits. `None` for anything else, so that what is
    /// no id, and may be a secret, never gets into a message by this type.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        (text.len() == Self::LENGTH && text.bytes().all(fits)).then(|| Self(text.into()))
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRole {
    /// To deliver to the webhook of one source.
    Webhook,
    /// To look: runs, records, operations.
    Reader,
    /// To look, to decide and to upload.
    Admin,
}

impl KeyRole {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Webhook, Self::Reader, Self::Admin];

    /// The word used in JSON, SQL and on the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Reader => "reader",
            Self::Admin => "admin",
        }
    }

    /// Reads the word back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a key lets its holder do. No scope holds another but [`Admin`](Self::Admin) that of a reader:
/// who decides about runs is not who sends people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyScope {
    /// Deliver to the webhook of this source.
    Webhook(SourceName),
    /// Look.
    Reader,
    /// Look, decide and upload.
    Admin,
}

impl KeyScope {
    /// The role and, of a webhook key, the source; `None` where the two do not go together.
    #[must_use]
    pub fn new(role: KeyRole, source: Option<SourceName>) -> Option<Self> {
        match (role, source) {
            (KeyRole::Webhook, Some(source)) => Some(Self::Webhook(source)),
            (KeyRole::Reader, None) => Some(Self::Reader),
            (KeyRole::Admin, None) => Some(Self::Admin),
            _ => None,
        }
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> KeyRole {
        match self {
            Self::Webhook(_) => KeyRole::Webhook,
            Self::Reader => KeyRole::Reader,
            Self::Admin => KeyRole::Admin,
        }
    }

    /// The source of a webhook key.
    #[must_use]
    pub const fn source(&self) -> Option<&SourceName> {
        match self {
            Self::Webhook(source) => Some(source),
            Self::Reader | Self::Admin => None,
        }
    }

    /// Whether its holder may deliver to the webhook of a source.
    #[must_use]
    pub fn may_deliver_to(&self, source: &SourceName) -> bool {
        self.source() == Some(source)
    }

    /// Whether its holder may look at runs, records and operations.
    #[must_use]
    pub const fn may_read(&self) -> bool {
        matches!(self, Self::Reader | Self::Admin)
    }

    /// Whether its holder may decide and upload.
    #[must_use]
    pub const fn may_decide(&self) -> bool {
        matches!(self, Self::Admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_its_length_and_letters() {
        assert_eq!(KeyId::parse("abcdefgh2345").unwrap().as_str(), "abcdefgh2345");
        for text in
            ["", "abcdefgh234", "abcdefgh23456", "ABCDEFGH2345", "abcdefgh_345", "äbcdefgh23"]
        {
            assert_eq!(KeyId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_scope_allows_its_own_and_no_more() {
        let hr = SourceName::from("hr");
        let webhook = KeyScope::new(KeyRole::Webhook, Some(hr.clone())).unwrap();
        assert!(webhook.may_deliver_to(&hr) && !webhook.may_deliver_to(&"payroll".into()));
        assert!(!webhook.may_read() && !webhook.may_decide());
        assert!(KeyScope::Reader.may_read() && !KeyScope::Reader.may_decide());
        assert!(KeyScope::Admin.may_read() && KeyScope::Admin.may_decide());
        assert!(!KeyScope::Admin.may_deliver_to(&hr));
        assert_eq!(KeyScope::new(KeyRole::Webhook, None), None);
        assert_eq!(KeyScope::new(KeyRole::Admin, Some(hr)), None);
    }

    #[test]
    fn a_role_reads_back() {
        for role in KeyRole::ALL {
            assert_eq!(KeyRole::parse(role.as_str()), Some(role));
        }
        assert_eq!(KeyRole::parse("root"), None);
    }
}
