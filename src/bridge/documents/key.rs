//! A key, as `key list --json` has it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::bridge::documents::instant;
use crate::domain::{KeyId, SourceName};
use crate::store::Key;

/// A key. Nothing that opens anything.
#[must_use]
pub fn key(key: &Key, now: Timestamp) -> Value {
    json!({
        "id": key.id.as_str(),
        "scope": key.scope.role().as_str(),
        "source": key.scope.source().map(SourceName::as_str),
        "state": key.state(now),
        "created_at": instant(key.created_at),
        "created_by": key.created_by,
        "expires_at": instant(key.expires_at),
        "last_used_at": key.last_used_at.map(instant),
        "revoked_at": key.revoked_at.map(instant),
        "revoked_by": key.revoked_by,
        "replaced_by": key.replaced_by.as_ref().map(KeyId::as_str),
    })
}
