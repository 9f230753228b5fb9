//! From how far the services were reached to steps: names, connections, proxy, TLS, the clock.

use std::path::Path;

use jiff::SignedDuration;

use crate::bridge::doctor::step::{Blame, Step, names};
use crate::entra::{CertificateFault, Layer, Obstacle, Reach, Way};

/// A clock that is further off than this is worth a look.
const WORTH_A_LOOK: SignedDuration = SignedDuration::from_mins(1);
/// A clock that is further off than this keeps us out: an assertion lives for ten minutes from our now,
/// and the service gives it five more (Microsoft Entra, "token lifetime validation").
const TOO_FAR: SignedDuration = SignedDuration::from_mins(5);
/// Differences below this are those of the measuring.
const UNSEEN: SignedDuration = SignedDuration::from_secs(5);

const LAYERS: [Layer; 4] = [Layer::Name, Layer::Connection, Layer::Proxy, Layer::Tls];

/// The step of a layer.
pub(super) const fn step_of(layer: Layer) -> &'static str {
    match layer {
        Layer::Name => names::DNS,
        Layer::Connection => names::CONNECTION,
        Layer::Proxy => names::PROXY,
        Layer::Tls => names::TLS,
    }
}

/// The step at which a service was not reached.
pub(super) fn blocked(reach: &Reach) -> Option<&'static str> {
    reach.obstacle.as_ref().map(|obstacle| step_of(obstacle.layer()))
}

/// The steps, from outside in.
pub(super) fn steps(reached: &[Reach], ca_file: Option<&Path>) -> Vec<Step> {
    let mut steps: Vec<Step> = LAYERS.map(|layer| at(layer, reached, ca_file)).into();
    steps.push(clock(reached));
    steps
}

fn at(layer: Layer, reached: &[Reach], ca_file: Option<&Path>) -> Step {
    let name = step_of(layer);
    let layer_of = |reach: &Reach| reach.obstacle.as_ref().map(Obstacle::layer);
    let stopped = reached.iter().filter(|reach| layer_of(reach) == Some(layer));
    let stopped = alike(layer, stopped);
    if !stopped.is_empty() {
        let found: Vec<_> = stopped.iter().map(|(hosts, reach)| obstacle(hosts, reach)).collect();
        let step = Step::failed(name, found.join("; "), Blame::Somebody);
        return stopped
            .iter()
            .fold(step, |step, (hosts, reach)| step.advise(advice(hosts, reach, ca_file)));
    }
    let passed = reached.iter().filter(|reach| layer_of(reach).is_none_or(|stop| stop > layer));
    let passed = alike(layer, passed);
    match reached.iter().find_map(blocked) {
        Some(because) if passed.is_empty() => Step::not_tried(name, because),
        _ => {
            let found: Vec<_> =
                passed.iter().map(|(hosts, reach)| passage(layer, hosts, reach)).collect();
            Step::ok(name, found.join("; "))
        }
    }
}

/// Services of which the same is to be said are one: the names of all, and the first.
fn alike<'a>(layer: Layer, reached: impl Iterator<Item = &'a Reach>) -> Vec<(String, &'a Reach)> {
    let is_same = |one: &Reach, other: &Reach| match layer {
        Layer::Name | Layer::Connection => one.door == other.door && one.obstacle == other.obstacle,
        Layer::Proxy | Layer::Tls => {
            one.way == other.way && one.obstacle == other.obstacle && one.is_https == other.is_https
        }
    };
    let mut groups: Vec<(String, &Reach)> = Vec::new();
    for reach in reached {
        match groups.iter_mut().find(|(_, first)| is_same(first, reach)) {
            Some((hosts, _)) => *hosts = format!("{hosts} and `{}`", reach.host),
            None => groups.push((format!("`{}`", reach.host), reach)),
        }
    }
    groups
}

/// What was found where a layer was passed.
fn passage(layer: Layer, hosts: &str, reach: &Reach) -> String {
    match (layer, &reach.way) {
        (Layer::Name, _) => match (&reach.name, reach.addresses.as_slice()) {
            (None, _) => format!("{} is an address, no name is looked up", door_host(reach)),
            // the client knows a way of its own, such as a proxy of the system's
            (Some(name), []) => format!("`{name}` is not known here, and reached all the same"),
            (Some(name), [address]) => format!("`{name}` is {address}"),
            (Some(name), [address, more @ ..]) => {
                format!("`{name}` is {address} and {} more", more.len())
            }
        },
        (Layer::Connection, _) => format!("`{}` takes connections", reach.door),
        (Layer::Proxy, Way::Loopback) => format!("not used: {hosts} is on this machine"),
        (Layer::Proxy, Way::Direct) => {
            "none is named, neither under `[http]` nor in the environment".to_owned()
        }
        (Layer::Proxy, Way::Excepted(variable)) => {
            format!("not used: `{variable}` leaves out {hosts}")
        }
        (Layer::Proxy, Way::Proxy { named_by, .. }) => {
            format!("`{}` of {} lets us through to {hosts}", reach.door, by(named_by))
        }
        (Layer::Tls, _) if !reach.is_https => "not used: plain http on this machine".to_owned(),
        (Layer::Tls, _) => format!("{hosts}: the certificate is trusted"),
    }
}

/// Who names a proxy.
fn by(named_by: &str) -> String {
    if named_by.starts_with('`') {
        named_by.to_owned()
    } else {
        format!("`{named_by}` of the environment")
    }
}

fn door_host(reach: &Reach) -> &str {
    match &reach.way {
        Way::Proxy { host, .. } => host,
        Way::Loopback | Way::Direct | Way::Excepted(_) => &reach.host,
    }
}

/// What keeps us from a service.
fn obstacle(hosts: &str, reach: &Reach) -> String {
    let door = &reach.door;
    let whom = if matches!(reach.way, Way::Proxy { .. }) { "the proxy " } else { "" };
    match &reach.obstacle {
        None => String::new(),
        Some(Obstacle::Name(words)) => {
            let name = reach.name.as_deref().unwrap_or(&reach.host);
            format!("{whom}`{name}` cannot be looked up ({words})")
        }
        Some(Obstacle::Refused) => {
            format!("{whom}`{door}` refuses the connection: nobody listens there")
        }
        Some(Obstacle::NoConnection) => format!("{whom}`{door}` does not answer at all"),
        Some(Obstacle::Unreachable(kind)) => format!("{whom}`{door}` cannot be reached ({kind})"),
        Some(Obstacle::ProxyPassword) => format!("the proxy `{door}` wants a user name (407)"),
        Some(Obstacle::ProxyRefuses) => {
            format!("the proxy `{door}` does not let us through to {hosts}")
        }
        Some(Obstacle::Certificate { fault, issuer }) => {
            certificate(*fault, hosts, issuer.as_deref())
        }
        Some(Obstacle::Tls) => format!("{hosts}: what answers does not speak TLS"),
        Some(Obstacle::NoAnswer) => format!("{hosts}: connected, and no answer comes back"),
    }
}

fn certificate(fault: CertificateFault, hosts: &str, issuer: Option<&str>) -> String {
    let what = match fault {
        CertificateFault::UnknownIssuer => {
            let whom = issuer.map_or_else(|| "an authority".to_owned(), |name| format!("`{name}`"));
            return format!(
                "{hosts}: the certificate is signed by {whom}, which this machine does not trust"
            );
        }
        CertificateFault::Expired => "the certificate has expired, by this machine's clock",
        CertificateFault::NotYetValid => {
            "the certificate is not valid yet, by this machine's clock"
        }
        CertificateFault::OtherName => "the certificate is for another name",
        CertificateFault::Other => "the certificate is not accepted",
    };
    match issuer {
        Some(issuer) => format!("{hosts}: {what}; it is signed by `{issuer}`"),
        None => format!("{hosts}: {what}"),
    }
}

/// The way out.
fn advice(hosts: &str, reach: &Reach, ca_file: Option<&Path>) -> String {
    let proxy = match &reach.way {
        Way::Proxy { named_by, .. } => Some(by(named_by)),
        Way::Loopback | Way::Direct | Way::Excepted(_) => None,
    };
    match (&reach.obstacle, proxy) {
        (None, _) => String::new(),
        (Some(Obstacle::Name(_)), Some(by)) => format!("correct the proxy's name in {by}"),
        (Some(Obstacle::Name(_)), None) => format!(
            "check this machine's DNS (`nslookup {}`); where the internet is reached through a proxy \
             only, name it with `proxy` under `[http]`",
            reach.host
        ),
        (Some(Obstacle::Refused | Obstacle::NoConnection | Obstacle::Unreachable(_)), Some(by)) => {
            format!("check that the proxy runs, and its address and port in {by}")
        }
        (Some(Obstacle::Refused | Obstacle::NoConnection | Obstacle::Unreachable(_)), None) => {
            if reach.way == Way::Loopback {
                "start the stand-in there (`scimport mock-entra`), or take `graph_url` and \
                 `authority_url` out of the target for the real service"
                    .to_owned()
            } else {
                format!(
                    "let this machine through the firewall to `{}`; where the internet is reached through \
                     a proxy only, name it with `proxy` under `[http]`",
                    reach.door
                )
            }
        }
        (Some(Obstacle::ProxyPassword), _) => {
            "set `HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT` in this program's environment, and take \
             `proxy` out of `[http]`, where no password may stand"
                .to_owned()
        }
        (Some(Obstacle::ProxyRefuses), _) => format!(
            "let whoever runs the proxy allow `CONNECT` from this machine to {hosts}, port 443"
        ),
        (Some(Obstacle::Certificate { fault, .. }), _) => certificate_advice(*fault, hosts, ca_file),
        (Some(Obstacle::Tls), _) => {
            "something else listens there: check the proxy, and `graph_url` and `authority_url` where they \
             are set"
                .to_owned()
        }
        (Some(Obstacle::NoAnswer), _) => {
            "look again; if it goes on, something on the way swallows what is sent: have this machine let \
             through unfiltered"
                .to_owned()
        }
    }
}

fn certificate_advice(fault: CertificateFault, hosts: &str, ca_file: Option<&Path>) -> String {
    match (fault, ca_file) {
        (CertificateFault::UnknownIssuer, None) => {
            "if that is your own proxy's authority, save its root certificate as PEM and name the file with \
             `ca_file` under `[http]`; if nobody knows it, do not go on: somebody stands between this machine \
             and Microsoft"
                .to_owned()
        }
        (CertificateFault::UnknownIssuer, Some(file)) => format!(
            "`ca_file` is `{}`, and this authority is not in it: if it is your own proxy's, add its root \
             certificate (PEM) to the file; if nobody knows it, do not go on",
            file.display()
        ),
        (CertificateFault::Expired | CertificateFault::NotYetValid, _) => {
            "set this machine's clock right first; if it is right, whoever runs the proxy has to renew the \
             certificate"
                .to_owned()
        }
        (CertificateFault::OtherName, _) => format!(
            "something on the way answers in the place of {hosts}: check DNS and proxy, and do not go on \
             until you know what it is"
        ),
        (CertificateFault::Other, _) => {
            "check this machine's certificate authorities and its clock, and what stands on the way"
                .to_owned()
        }
    }
}

/// This machine's clock, by the answer that differs most.
fn clock(reached: &[Reach]) -> Step {
    let told = reached.iter().filter_map(|reach| Some((reach.ahead?, &reach.host)));
    let told: Vec<_> = told.collect();
    let most = told.iter().map(|(ahead, _)| ahead.abs()).max();
    // of those that agree the first, so that the same is said each time
    let is_most = |(ahead, _): &&(SignedDuration, &String)| {
        most.is_some_and(|most| most - ahead.abs() < UNSEEN)
    };
    let Some((ahead, host)) = told.iter().find(is_most) else {
        return match reached.iter().find_map(blocked) {
            Some(because) => Step::not_tried(names::CLOCK, because),
            None => {
                Step::warning(names::CLOCK, "the answers carry no `Date`, so it cannot be told")
                    .advise("check that this machine's clock is kept by a time server")
            }
        };
    };
    let off = ahead.abs();
    if off < UNSEEN {
        return Step::ok(names::CLOCK, format!("this machine's clock is that of `{host}`"));
    }
    let direction = if ahead.is_negative() { "behind" } else { "ahead of" };
    let found = format!("this machine's clock is {} {direction} that of `{host}`", length(off));
    let mend = "set the clock: `timedatectl set-ntp true` (Linux), `w32tm /resync` (Windows); a virtual \
                machine takes its host's";
    if off >= TOO_FAR {
        Step::failed(names::CLOCK, found, Blame::Somebody)
            .advise(mend)
            .advise("until then Entra refuses what a certificate signs (AADSTS700024)")
    } else if off >= WORTH_A_LOOK {
        Step::warning(names::CLOCK, found).advise(mend)
    } else {
        Step::ok(names::CLOCK, found)
    }
}

/// As people say it.
fn length(of: SignedDuration) -> String {
    let seconds = of.as_secs();
    match seconds {
        ..120 => format!("about {} seconds", (seconds + 2) / 5 * 5),
        120..7_200 => format!("about {} minutes", (seconds + 30) / 60),
        _ => format!("about {} hours", (seconds + 1_800) / 3_600),
    }
}
