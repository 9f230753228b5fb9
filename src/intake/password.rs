//! The password of encrypted workbooks, fetched only when a file asks for it.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

/// How a password is had.
#[derive(Clone)]
pub struct Password(Arc<Fetch>);

type Fetch = dyn Fn() -> Result<SecretString, String> + Send + Sync;

impl Password {
    /// A password that is fetched by `fetch`, whose error says in words why it cannot be had.
    pub fn new(fetch: impl Fn() -> Result<SecretString, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(fetch))
    }

    /// Fetches it.
    ///
    /// # Errors
    ///
    /// When it cannot be had; the words say why.
    pub fn get(&self) -> Result<SecretString, String> {
        (self.0)()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}
