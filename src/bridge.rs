//! The composition root: config in, a running bridge out. What both faces call.
//!
//! [`Setup`] is a config that has been checked as a whole (mappings compiled, targets validated),
//! which `check` and `convert` can do without a store or a network. [`Bridge`] adds the store, and
//! [`Bridge::drive`] makes a target's operations move until a [`Goal`] is reached. [`Daemon`] does all
//! of it until it is cancelled.
//!
//! Nothing here prints, parses arguments or knows SQL or HTTP.

mod alerts;
mod audit;
mod contact;
mod credential;
mod daemon;
mod decide;
mod doctor;
pub mod documents;
mod drive;
mod error;
mod feeds;
mod folder;
mod forget;
mod hooks;
mod keys;
mod opened;
mod plan;
mod rekey;
mod reload;
mod retention;
mod schedule;
mod schema;
mod sealed;
mod serve;
mod setup;
mod status;
mod store_keys;
mod traces;
mod turns;
mod watch;
mod wiping;

pub use alerts::{Channel, ChannelError, Conditions, alert_channels};
pub use daemon::Daemon;
pub use decide::DecisionError;
pub use doctor::{Blame, Examination, Step, StepStatus, examine};
pub use drive::{Ended, Goal};
pub use error::BridgeError;
pub use folder::{Answer, Answers};
pub use forget::{ForgetError, PersonForgotten, WhetherKnown};
pub use hooks::{HookError, HookFault, Hooks, NotTaken, Taken, Verification};
pub use keys::{CreatedKey, KeyError};
pub use opened::Bridge;
pub use plan::{Applied, Applying, Preview};
pub use rekey::Rekeyed;
pub use retention::LetGo;
pub use schedule::ScheduleError;
pub use schema::{SchemaDesk, SchemaError, SchemaLook, SchemaReturn, custom_attributes};
pub use sealed::{SealError, SealedPlan};
pub use setup::Setup;
pub use status::{Blocked, Forecast, FoundRun, Outlook, Overview, TargetOverview};
pub use store_keys::{StoreKeyError, store_keys};
