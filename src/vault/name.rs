//! What a secret is called.

use std::fmt;

use crate::vault::VaultError;

/// Most characters of a name.
const MAX_LENGTH: usize = 64;

/// The name of a secret in the vault: `[a-z][a-z0-9-]*`, at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

impl SecretName {
    /// Takes a name. What has another shape may be a secret in the wrong place, so it is not shown.
    ///
    /// # Errors
    ///
    /// When it has another shape.
    pub fn new(text: &str) -> Result<Self, VaultError> {
        let mut bytes = text.bytes();
        let begins = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let goes_on =
            bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if begins && goes_on && text.len() <= MAX_LENGTH {
            Ok(Self(text.to_owned()))
        } else {
            Err(VaultError::Name)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_shape() {
        for good in ["a", "hr-token", "a1-", &"a".repeat(64)] {
            assert_eq!(SecretName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "1a", "-a", "A", "hunter2~", "a b", "a_b", "ü", "a/b", &"a".repeat(65)] {
            let error = SecretName::new(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
