//! From arguments to a command, from its end to an exit code.

use std::process::ExitCode;

use clap::Parser;
use tokio_util::sync::CancellationToken;

use crate::cli::args::{Cli, Command, Format};
use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{LogWriter, be_quiet, be_verbose, speak_json, tell};
use crate::cli::{
    alerts, apply, audit, check, convert, decide, demo, doctor, forget, import_mapping, init, key,
    memory, mock, plan, record, report, runs, schema, secret, serve, status, store, work,
};
use crate::{config, telemetry};

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // clap prints help, version and usage errors itself, the latter with exit code 2
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(format!("error: no threads can be started: {error}"));
            return Exit::Error.into();
        }
    };
    let exit = runtime.block_on(run(cli));
    // a thread that still waits for the terminal or a socket keeps nobody from leaving
    runtime.shutdown_background();
    exit.into()
}

async fn run(cli: Cli) -> Exit {
    let verbosity = if cli.quiet { -1 } else { i8::try_from(cli.verbose).unwrap_or(i8::MAX) };
    if cli.quiet {
        be_quiet();
    }
    if cli.verbose > 0 {
        be_verbose();
    }
    let format = match cli.log_format {
        Format::Pretty => telemetry::LogFormat::Pretty,
        Format::Json => {
            speak_json();
            telemetry::LogFormat::Json
        }
    };
    if let Err(error) = telemetry::init(format, verbosity, Some(Box::new(|| Box::new(LogWriter)))) {
        tell(format!("error: {error}"));
        return Exit::Error;
    }
    memory::keep_private();
    let context = Context {
        config: cli.config,
        env: config::environment(),
        cancel: CancellationToken::new(),
    };
    watch_ctrl_c(context.cancel.clone());
    let ended = match cli.command {
        Command::Demo(args) => demo::run(&context, args).await,
        Command::Init(args) => init::run(&context, &args),
        Command::Check => check::run(&context),
        Command::Doctor(args) => doctor::run(&context, args).await,
        Command::Convert(args) => convert::run(&context, args).await,
        Command::Plan(args) => plan::run(&context, args).await,
        Command::Apply(args) => apply::run(&context, args).await,
        Command::Work(args) => work::run(&context, args).await,
        Command::Serve => serve::run(&context).await,
        Command::Approve(args) => decide::approve(&context, &args).await,
        Command::Cancel(args) => decide::cancel(&context, &args).await,
        Command::Retry(args) => decide::retry(&context, &args).await,
        Command::Runs(args) => runs::run(&context, args).await,
        Command::Status(args) => status::run(&context, args).await,
        Command::Record(args) => record::run(&context, args).await,
        Command::Report(args) => report::run(&context, args).await,
        Command::Audit(args) => audit::run(&context, args).await,
        Command::Alerts(args) => alerts::run(&context, args).await,
        Command::Forget(args) => forget::run(&context, args).await,
        Command::Store(args) => store::run(&context, args).await,
        Command::Key(args) => key::run(&context, args).await,
        Command::Schema(args) => schema::run(&context, args).await,
        Command::Secret(args) => secret::run(&context, args).await,
        Command::ImportMapping(args) => import_mapping::run(&args),
        Command::MockEntra(args) => mock::run(&context, args).await,
    };
    match ended {
        Ok(exit) | Err(Failed(exit)) => exit,
    }
}

/// The first Ctrl-C asks for a clean stop, the second one does not ask.
fn watch_ctrl_c(cancel: CancellationToken) {
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        cancel.cancel();
        tell("stopping: what is under way is finished first; press Ctrl-C again to stop at once");
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(i32::from(Exit::Interrupted.number()));
        }
    });
}
