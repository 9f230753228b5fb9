//! The composition root: config in, a running bridge out. What both faces call.
//!
//! [`Setup`] is a config that has been checked as a whole (mappings compiled, targets validated),
//! which `check` and `convert` can do without a store or a network. [`Bridge`] adds the store, and
//! [`Bridge::drive`] makes a target's operations move until a [`Goal`] is reached.
//!
//! Nothing here prints, parses arguments or knows SQL or HTTP.

mod decide;
mod drive;
mod error;
mod keys;
mod plan;
mod sealed;
mod setup;
mod status;
mod watch;

pub use decide::DecisionError;
pub use drive::{Ended, Goal};
pub use error::BridgeError;
pub use keys::{CreatedKey, KeyError};
pub use plan::{Applied, Applying, Preview};
pub use sealed::{SealError, SealedPlan};
pub use setup::{Bridge, Setup};
pub use status::{Forecast, FoundRun, Overview, TargetOverview};
