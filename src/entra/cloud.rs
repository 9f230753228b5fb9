//! The national clouds and their addresses.
//!
//! Follows the Microsoft Graph page "National cloud deployments". Tokens of one cloud are worth
//! nothing in another.

use std::fmt;

use url::Url;

/// One of Microsoft's clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Cloud {
    /// The global service, GCC included.
    #[default]
    Public,
    /// US Government L4 (GCC High).
    UsGov,
    /// US Government L5 (`DoD`).
    Dod,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// All clouds.
    pub const ALL: [Self; 4] = [Self::Public, Self::UsGov, Self::Dod, Self::China];

    /// The word used in the config.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::UsGov => "usgov",
            Self::Dod => "dod",
            Self::China => "china",
        }
    }

    /// Reads the word back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.as_str() == word)
    }

    /// Where tokens are issued.
    #[must_use]
    pub fn authority(self) -> Url {
        known(self.authority_hosts()[0])
    }

    /// Where Microsoft Graph answers; also the base of the token's scope.
    #[must_use]
    pub fn graph(self) -> Url {
        known(self.graph_host())
    }

    /// Whether the cloud has the provisioning log's API. Without it an operation ends
    /// `unconfirmed`.
    #[must_use]
    pub const fn has_provisioning_log(self) -> bool {
        !matches!(self, Self::China)
    }

    /// The one host of Microsoft Graph in this cloud.
    pub(super) const fn graph_host(self) -> &'static str {
        match self {
            Self::Public => "graph.microsoft.com",
            Self::UsGov => "graph.microsoft.us",
            Self::Dod => "dod-graph.microsoft.us",
            Self::China => "microsoftgraph.chinacloudapi.cn",
        }
    }

    /// The hosts that issue this cloud's tokens, the preferred one first. China has two names for
    /// the same authority.
    pub(super) const fn authority_hosts(self) -> [&'static str; 2] {
        match self {
            Self::Public => ["login.microsoftonline.com"; 2],
            Self::UsGov | Self::Dod => ["login.microsoftonline.us"; 2],
            Self::China => ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[expect(clippy::expect_used, reason = "the hosts are constants of this file, all of them tested")]
fn known(host: &'static str) -> Url {
    Url::parse(&format!("https://{host}/")).expect("a documented host makes a URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_reads_back_and_has_https_addresses() {
        for cloud in Cloud::ALL {
            assert_eq!(Cloud::parse(cloud.as_str()), Some(cloud));
            assert_eq!(cloud.graph().as_str(), format!("https://{}/", cloud.graph_host()));
            assert_eq!(cloud.authority().scheme(), "https");
        }
        assert_eq!(Cloud::parse("Public"), None);
    }

    #[test]
    fn only_china_has_no_provisioning_log() {
        let without: Vec<_> =
            Cloud::ALL.into_iter().filter(|cloud| !cloud.has_provisioning_log()).collect();
        assert_eq!(without, [Cloud::China]);
    }
}
