//! A faithful stand-in for Microsoft Entra's inbound provisioning API, over real HTTP.
//!
//! It answers for the token endpoint, `bulkUpload` with all its refusals, the provisioning log and
//! the job; it stages, runs cycles, scopes, matches, maps, ties managers, and keeps a directory of
//! its own. It is strict where the service is, and where the documentation is silent. It follows
//! the Microsoft Graph reference ("synchronizationJob: bulkUpload", "List
//! provisioningObjectSummary") and the Microsoft Entra docs on API-driven inbound provisioning. It
//! shares no code with the client, so that a mistake in one cannot hide in the other; of ours it
//! knows only `domain::Clock`. Start with [`MockEntra::start`].
//!
//! # What the service does
//!
//! | route | |
//! | --- | --- |
//! | `POST /{tenant}/oauth2/v2.0/token` | secret (form or HTTP Basic), certificate assertion or federated token |
//! | `GET /metadata/identity/oauth2/token`, `GET /msi/token` | tokens of a managed identity: IMDS, and `IDENTITY_ENDPOINT` |
//! | `POST /{v1.0\|beta}/servicePrincipals/{id}/synchronization/jobs/{id}/bulkUpload` | 202, or a refusal |
//! | `GET /{v1.0\|beta}/auditLogs/provisioning` | `$filter`, `$orderby`, `$top`, pages |
//! | `GET …/synchronization/jobs`, `GET …/jobs/{id}` | the job and its status |
//! | `POST …/jobs/{id}/start`, `/pause`, `/restart`, `/validateCredentials` | 204 |
//! | `GET`, `PUT`, `DELETE …/jobs/{id}/schema` | the schema; replaced as a whole; as it was at the start |
//! | `GET …/servicePrincipals/{id}` | the provisioning app: `displayName`, `accountEnabled` |
//! | `GET`, `PUT …/servicePrincipals/{id}/synchronization/secrets` | key and value pairs, among them the notification settings; a `PUT` replaces all |
//!
//! A job that is not active takes uploads and processes nothing. A leaver is an `update` of
//! `accountEnabled`; an account that falls out of scope is a `disable`. Only people this job has
//! processed can be managers. Failed records wait in escrow, fill the bucket, and are tried again 6,
//! 12 and 24 hours after they failed first, then daily for 28 days.
//!
//! Too many failures, too many disables in one cycle, or a start without a notification e-mail put
//! the job into quarantine: it then runs once a day, and is disabled after 28 days. What a restart
//! does to staged records depends on whether the job runs: see `engine/restart.rs`.
//!
//! # The control plane
//!
//! No token is needed. Bodies and answers are JSON; a wrong body is 400 with `error`.
//!
//! | route | |
//! | --- | --- |
//! | `GET /_mock/directory` | an array of users: `id`, `externalId`, `accountEnabled`, `manager` (an employee id or null), and every attribute under its target name (`employeeId`, `userPrincipalName`, `jobTitle`, …, `urn:…:User:HireDate`), as text |
//! | `GET /_mock/requests` | every bulk request: `arrived_us`, `ended_us`, `answered_us` (unix microseconds or null; an end is noted before the answer goes out, so what starts after an answer arrives after its end), `end` (`answered`, `client-gone`, `cut`, `open`), `status`, `fault`, `staged`, `request_id`, `client_request_id`, `externalIds` |
//! | `GET /_mock/stats` | `calls`, `accepted`, `refused`, `unanswered`, `in_flight`, `records_staged`, `records_staged_again`, `duplicates` (staged again unchanged), `most_calls_in_window` (arrivals in any burst window), `overlapping_records` (external ids ever in two requests at once), `token_requests`, `log_requests`, `log_throttled`, `staged_now`, `escrows`, `escrow_retries`, `open_managers`, `held_deletes` (now), `staged_deletes` (logged so), `quarantines` (times it came into one), `restarts`, `purged_records` (by restarts), `cycles`, `events`, `users`, `job` |
//! | `GET`, `POST /_mock/faults` | the list of faults, `["throttle:5"]`; a new one replaces the old |
//! | `GET`, `POST /_mock/settings` | any of `daily_calls`, `burst`, `burst_window_ms`, `bucket`, `scope` (a filter or null), `skip_out_of_scope_deletions`, `unchanged_event` (`none`, `other`, `skipped`), `latency_ms`, `cycle_ms`, `log_delay_ms` (`[from, to]`), `log_calls`, `log_window_ms`, `roles`, `client_secret` (or `client_secrets`; tokens of those taken away are over), `secret_expired`, `refuse_tokens` (an AADSTS code that every token request is refused with, or null), `managed_identity` (whether this machine has one), `opaque_tokens` (no JWTs), `token_lifetime_s`, `domains`, `quarantine_factor` (scales 5,000, 40,000 and 60,000 failures), `notification_email`, `delete_threshold` (disables in a cycle, or null), `job_template` (`API2AAD`, `API2AD`, or another connector's), `agent_active` (whether the provisioning agent of an `API2AD` job answers), `premium` (whether the tenant has the licence of the log), `date_offset_s` (seconds that every `Date` is ahead) |
//! | `POST /_mock/certificates` | the certificates registered for client assertions, a list of PEM texts in the place of those before |
//! | `GET`, `POST /_mock/schema` | the job's schema; a new one, taken as it is, whatever it is |
//! | `GET /_mock/schema/puts` | every schema that came by `PUT`: `status`, and `body` as text |
//! | `POST /_mock/seed` | adds accounts: `[{"employeeId", "userPrincipalName", "displayName", "accountEnabled", "manager", "anchored", …}]`; `anchored` ones are known to the job and can be managers |
//! | `POST /_mock/cycle` | runs a cycle now, `{"escrows": true}` with the failed records; answers `{"ran", "events"}`, `ran` false for a job that is not active |
//! | `POST /_mock/job` | `{"code": "Paused"}`: `NotConfigured`, `NotRun`, `Active`, `Paused`, `Quarantine` (with `reason`; it lasts until a start, a restart, or another state is set) |
//! | `POST /_mock/advance` | `{"seconds": 86400}` moves the clock of tokens, quotas, cycles and log; cycles, retries and tries in quarantine that fall due on the way run at their instants |
//! | `POST /_mock/reset` | back to the start, with an empty directory |

mod assertion;
mod body;
mod certificate;
mod clock;
mod config;
mod control;
mod date;
mod denied;
mod engine;
mod fault;
mod federation;
mod flight;
mod graph;
mod identity;
mod jobs;
mod limits;
mod log;
mod principal;
mod schema;
mod scope;
mod secrets;
mod server;
mod settings;
mod shared;
mod state;
mod token;
mod tokens;
mod upload;
mod wire;

pub use config::{
    CLIENT_ID, CLIENT_SECRET, Check, IDENTITY_HEADER, JOB_ID, MockConfig, Profile,
    SERVICE_PRINCIPAL_ID, TENANT_ID, UnchangedEvent, UnknownChoice, paced_target_config,
    target_config,
};
pub use fault::{Fault, FaultError, FaultKind};
pub use federation::Federation;
pub use scope::{ScopeError, ScopeFilter};
pub use server::MockEntra;
