//! Entra's limits, as numbers with a source. Keeping them is the work of the rooms that send.

use std::time::Duration;

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
