//! SCIM as RFC 7643 (schema) and RFC 7644 (protocol, paths, bulk) define it: attribute paths, the
//! user schema, bytes of resources and bulk requests, and checks on them.
//!
//! Knows nothing of Entra, of HR files or of mappings, and imports no other room. On the path of a
//! record everything is bytes in and bytes out; a parsed JSON tree appears only where a person asks
//! for a comparison ([`changed_attributes`]) or for a full schema check ([`Validator`]).

mod active;
mod bulk;
mod check;
mod diff;
mod digest;
mod json;
mod path;
mod schema;
mod suggest;
pub mod urns;
mod user;
mod user_name;
mod validate;

pub use active::{is_active, with_active};
pub use bulk::{BulkFull, BulkWriter};
pub use check::{ExternalIdFault, MAX_EXTERNAL_ID_CHARS, check_external_id};
pub use diff::{AttributeChange, DiffError, changed_attributes};
pub use digest::digest;
pub use json::{is_plain, push_inside, push_string};
pub use path::{AttributePath, PathError};
pub use schema::{Attribute, Kind, SubAttribute, ValueKind, core_attribute, enterprise_attribute};
pub use user::{Address, EnterpriseUser, Entry, Manager, Name, User};
pub use user_name::user_name_key;
pub use validate::Validator;
