//! The command line: one file a command. Commands print, ask and exit; what they do is done by
//! [`bridge`](crate::bridge). Results go to standard output, everything else to standard error.

mod alerts;
mod answer;
mod apply;
mod args;
mod audit;
mod check;
mod context;
mod convert;
mod decide;
mod demo;
mod doctor;
mod exit;
mod files;
mod findings;
mod forget;
mod import_mapping;
mod init;
mod key;
mod memory;
mod mock;
mod person;
mod plan;
mod program;
mod record;
mod report;
mod runs;
mod schema;
mod secret;
mod serve;
mod status;
mod store;
mod terminal;
mod traces;
mod wiping;
mod words;
mod work;

use crate::bridge::documents as json;

pub use args::Cli;
pub use exit::Exit;
pub use program::main;
