//! `alerts`: do they arrive?

use futures_util::future::join_all;

use crate::bridge::alert_channels;
use crate::cli::args::{AlertsArgs, AlertsCommand};
use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{say, tell};
use crate::domain::{Clock, SystemClock};
use crate::telemetry::Causes;
use crate::telemetry::alerts::Notice;

/// Does what is asked about alerts.
pub async fn run(context: &Context, args: AlertsArgs) -> Result<Exit, Failed> {
    match args.command {
        AlertsCommand::Test => test(context).await,
    }
}

/// Sends a test over every channel and says what each answered.
async fn test(context: &Context) -> Result<Exit, Failed> {
    let setup = context.setup()?;
    let channels = alert_channels(&setup, setup.secrets());
    if channels.is_empty() {
        tell(
            "error: the config has nobody to tell\n\
             hint: add `[alerts]` with `webhook = { url = { env = \"NAME\" }, format = \"teams\" }` or `email`",
        );
        return Ok(Exit::Usage);
    }
    let notice = Notice::Test(SystemClock.now());
    let answers = channels.iter().map(|channel| channel.tell(&notice));
    let mut exit = Exit::Success;
    for (channel, answer) in channels.iter().zip(join_all(answers).await) {
        match answer {
            Ok(words) => say(format!("{}: {words}", channel.name())),
            Err(error) => {
                exit = exit.and(Exit::Error);
                say(format!("{}: not taken", channel.name()));
                let (words, advice) = (Causes(&error), error.advice());
                tell(format!("error: {}: {words}\nhint: {advice}", channel.name()));
            }
        }
    }
    Ok(exit)
}
