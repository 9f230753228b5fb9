//! The answer to bulkUpload.

use jiff::Timestamp;

/// What [`EntraClient::upload`](crate::entra::EntraClient::upload) learns from a 202: the request
/// is staged. Nothing in it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Graph's id of the request, for Microsoft's support. No log names it.
    pub request_id: Option<String>,
    /// When it was accepted, by the server's clock where it shows it: events of this request are
    /// not older.
    pub sent_at: Timestamp,
}

/// Which try of the same request it is, as far as the token is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The first: a 401 asks for a new token ([`Disposition::RefreshToken`]).
    ///
    /// [`Disposition::RefreshToken`]: crate::entra::Disposition::RefreshToken
    First,
    /// The one after that: a 401 halts.
    AfterRefresh,
}
