//! Entra's limits, as numbers with a source. Keeping them is the work of the rooms that send.

use std::time::Duration;

use crate::mapping::Lints;

/// Most operations in one bulk request (Microsoft Graph reference, `synchronizationJob: bulkUpload`,
/// read 2026-11-22).
pub const MAX_OPERATIONS: usize = 50;

/// Most calls of bulkUpload in [`BURST_WINDOW`], per tenant (Entra docs, "API-driven inbound
/// provisioning concepts", read 2026-11-22). The Graph reference says 40 a second; the smaller
/// number holds.
pub const BURST_CALLS: u32 = 40;

/// The window of [`BURST_CALLS`].
pub const BURST_WINDOW: Duration = Duration::from_secs(5);

/// Most calls of bulkUpload in 24 hours, per tenant, with Entra ID P1 or P2 (same page).
pub const DAILY_CALLS: u32 = 2_000;

/// Most calls of bulkUpload in 24 hours, per tenant, with Entra ID Governance (same page).
pub const DAILY_CALLS_GOVERNANCE: u32 = 6_000;

/// Most reads of the provisioning log in [`LOG_READ_WINDOW`], per app and tenant (Microsoft Graph
/// service-specific throttling limits, "Identity and access reports", read 2026-11-22). Each page
/// is a read.
pub const LOG_READS: u32 = 5;

/// The window of [`LOG_READS`].
pub const LOG_READ_WINDOW: Duration = Duration::from_secs(10);

/// Most characters of a user principal name (Microsoft Support, "Invalid user name when you try to
/// create a user name that contains a special character in Microsoft 365", read 2026-11-24; the
/// legal characters stand there too).
pub const MAX_USER_PRINCIPAL_NAME: usize = 113;

/// Most characters of the attributes of a user in Entra, by the SCIM path that flows into each
/// (Microsoft Graph reference, `user` resource; from general knowledge, to be verified). bulkUpload
/// itself states no lengths: a longer value fails its record in the provisioning log, not the
/// request.
pub const MAX_CHARS: [(&str, usize); 7] = [
    // matched with `employeeId`
    ("externalId", 16),
    ("userName", MAX_USER_PRINCIPAL_NAME),
    ("displayName", 256),
    ("name.givenName", 64),
    ("name.familyName", 64),
    ("title", 128),
    ("enterprise:department", 64),
];

/// What Entra is known to refuse of a user, for warnings before it is sent; the domains are those
/// that the tenant has verified, none where that is not known.
#[must_use]
pub fn lints(verified_domains: Vec<String>) -> Lints {
    let max_chars = MAX_CHARS.iter().map(|&(path, most)| (path.to_owned(), most)).collect();
    Lints { max_chars, verified_domains, address_forms: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::AttributePath;

    #[test]
    fn every_limit_stands_at_an_attribute() {
        for (path, most) in lints(Vec::new()).max_chars {
            assert!(AttributePath::parse(&path).is_ok(), "{path}");
            assert!(most > 0);
        }
    }
}
