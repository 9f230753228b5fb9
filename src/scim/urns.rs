//! The URNs of RFC 7643 section 10 and RFC 7644 section 8.2 that a bulk request of users needs.

/// The core user schema (RFC 7643 section 4.1).
pub const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The enterprise extension of the user schema (RFC 7643 section 4.3).
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A bulk request (RFC 7644 section 3.7).
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// What every schema URN of ours or of a customer starts with.
pub const PREFIX: &str = "urn:";

/// The namespace in which the RFCs define schemas of their own; nobody else may.
pub const RFC_CORE_PREFIX: &str = "urn:ietf:params:scim:schemas:core:";

/// The namespace of protocol messages; never an extension of a user.
pub const RFC_MESSAGE_PREFIX: &str = "urn:ietf:params:scim:api:";
