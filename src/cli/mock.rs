//! `mock-entra`: the stand-in Entra on its own.

use std::net::{SocketAddr, TcpListener};
use std::str::FromStr;

use crate::cli::args::MockArgs;
use crate::cli::context::{Context, Failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, say, tell};
use crate::mock_entra::{self, Fault, MockConfig, MockEntra, Profile};

/// Runs the stand-in until Ctrl-C.
pub async fn run(context: &Context, args: MockArgs) -> Result<Exit, Failed> {
    let profile = parse::<Profile>(&args.profile, "--profile")?;
    if args.print_config {
        let url = format!("http://{}", told_port(args.listen)?);
        say(mock_entra::paced_target_config(&url, profile).trim_end());
        return Ok(Exit::Success);
    }
    let mut config = MockConfig {
        listen: args.listen,
        state: args.state,
        latency: args.latency.unwrap_or_default(),
        ..MockConfig::of(profile)
    };
    if !args.domain.is_empty() {
        config.domains = args.domain;
    }
    for fault in &args.fault {
        config.faults.push(parse::<Fault>(fault, "--fault")?);
    }
    if !args.listen.ip().is_loopback() {
        tell(
            "warning: the stand-in listens beyond this machine, and its secret is in its documentation",
        );
    }
    let mock = MockEntra::start(config).await.map_err(|error| cannot_start(args.listen, &error))?;
    say(format!("the stand-in Entra listens at {}", mock.url()));
    remark(format!(
        "its secret: export SCIMPORT_CLIENT_SECRET='{}'\n\
         its directory: {}/_mock/directory\n\
         a `[target]` that fits: scimport mock-entra --listen {} --print-config\n\
         press Ctrl-C to stop",
        mock_entra::CLIENT_SECRET,
        mock.url(),
        mock.address()
    ));
    context.cancel.cancelled().await;
    mock.stop().await;
    Ok(Exit::Interrupted)
}

/// The address with a port: where any will do, one that is free now.
fn told_port(listen: SocketAddr) -> Result<SocketAddr, Failed> {
    if listen.port() != 0 {
        return Ok(listen);
    }
    let bound = TcpListener::bind(listen).and_then(|listener| listener.local_addr());
    let bound = bound.map_err(|error| cannot_start(listen, &error))?;
    remark(format!("this port is free now: scimport mock-entra --listen {bound}"));
    Ok(bound)
}

fn cannot_start(listen: SocketAddr, error: &dyn std::fmt::Display) -> Failed {
    tell(format!("error: the stand-in Entra cannot start at {listen}\n  because {error}"));
    Failed(Exit::Error)
}

fn parse<T>(text: &str, option: &str) -> Result<T, Failed>
where
    T: FromStr<Err: std::fmt::Display>,
{
    text.parse().map_err(|error| {
        tell(format!("error: {option} {error}"));
        Failed(Exit::Usage)
    })
}
