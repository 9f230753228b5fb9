//! Who did something, and from where.

use std::fmt;
use std::net::IpAddr;

/// Most characters of a name; the rest is cut.
const LONGEST: usize = 128;

/// From where something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A command that somebody typed, or a timer of theirs.
    Cli,
    /// The HTTP API, from this address.
    Api(Option<IpAddr>),
    /// A webhook, from this address.
    Webhook(Option<IpAddr>),
    /// A file in a watched folder.
    Folder,
    /// The schedule of a source.
    Schedule,
    /// A date that has come.
    Due,
    /// The daemon by itself.
    Daemon,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, address) = match self {
            Self::Cli => ("cli", &None),
            Self::Api(address) => ("api", address),
            Self::Webhook(address) => ("webhook", address),
            Self::Folder => ("folder", &None),
            Self::Schedule => ("schedule", &None),
            Self::Due => ("due", &None),
            Self::Daemon => ("daemon", &None),
        };
        f.write_str(word)?;
        address.map_or(Ok(()), |address| write!(f, " {}", address.to_canonical()))
    }
}

/// Who did something, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    name: Box<str>,
    more: Option<Box<str>>,
    origin: Origin,
}

impl Who {
    /// Somebody by the name of a credential, a key or an account.
    #[must_use]
    pub fn new(name: &str, origin: Origin) -> Self {
        Self { name: shown(name), more: None, origin }
    }

    /// The same, told more about, such as `uid 1000, host bridge`.
    #[must_use]
    pub fn told(self, more: &str) -> Self {
        Self { more: (!more.is_empty()).then(|| shown(more)), ..self }
    }

    /// Nobody in particular: the bridge itself.
    #[must_use]
    pub fn bridge(origin: Origin) -> Self {
        Self::new("scimport", origin)
    }

    /// The same, from somewhere else.
    #[must_use]
    pub fn via(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The name alone, as it is kept with decisions.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name, and in brackets what else is known of them.
    #[must_use]
    pub fn actor(&self) -> String {
        match &self.more {
            Some(more) => format!("{} ({more})", self.name),
            None => self.name.to_string(),
        }
    }

    /// From where.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }
}

fn shown(text: &str) -> Box<str> {
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect();
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_with_decisions_and_more_of_it_in_the_trail() {
        let who = Who::new("ann\n", Origin::Cli).told("uid 1000, host bridge");
        assert_eq!((who.name(), who.actor().as_str()), ("ann", "ann (uid 1000, host bridge)"));
        assert_eq!(Who::new("key abc", Origin::Daemon).told("").actor(), "key abc");
    }

    #[test]
    fn an_address_stands_behind_what_has_one() {
        let address = "::ffff:10.0.0.7".parse().ok();
        assert_eq!(Origin::Api(address).to_string(), "api 10.0.0.7");
        assert_eq!(Origin::Webhook(None).to_string(), "webhook");
        assert_eq!(Origin::Cli.to_string(), "cli");
    }
}
