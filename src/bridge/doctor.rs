//! Tries the live side of a target, from outside in: each step says what was found and what to do.
//!
//! The order is that of the way a call takes: this machine's config and credential, the network, the
//! clock, the token and what it may do, the provisioning app and its job, the log. A step whose ground
//! is missing is not tried, and names the one that failed. Everything else is tried, so that one look
//! finds all there is to mend.
//!
//! Only reads: nothing is uploaded, no job is started, paused or restarted. No secret and no token is
//! shown. [`examine`] is where to start.

mod attributes;
mod entry;
mod job;
mod network;
mod permissions;
mod step;

use std::sync::Arc;

use crate::bridge::doctor::entry::{Entry, FIRST, SECOND};
use crate::bridge::doctor::job::Patient;
use crate::bridge::{BridgeError, Setup};
use crate::config::TargetConfig;
use crate::domain::{Clock, SystemClock, TargetName};
use crate::entra::{Cloud, EntraError, Probe, Reach};
use crate::telemetry::causes;

pub use step::{Blame, Step, StepStatus, names};

/// What was found about a target.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The target.
    pub target: TargetName,
    /// The steps, in the order in which they were taken.
    pub steps: Vec<Step>,
}

impl Examination {
    /// How many steps ended so.
    #[must_use]
    pub fn count(&self, status: StepStatus) -> usize {
        self.steps.iter().filter(|step| step.status == status).count()
    }

    /// The gravest of all that failed.
    #[must_use]
    pub fn blame(&self) -> Option<Blame> {
        self.steps.iter().filter_map(|step| step.blame).min()
    }

    /// The whole in one word: failed, with a warning, or ok.
    #[must_use]
    pub fn status(&self) -> StepStatus {
        let has = |status| self.count(status) > 0;
        if has(StepStatus::Failed) {
            StepStatus::Failed
        } else if has(StepStatus::Warning) {
            StepStatus::Warning
        } else {
            StepStatus::Ok
        }
    }
}

/// The steps as they are found, told to whoever follows along.
struct Chart<'a> {
    steps: Vec<Step>,
    told: &'a mut dyn FnMut(&Step),
}

impl Chart<'_> {
    fn add(&mut self, step: Step) {
        (self.told)(&step);
        self.steps.push(step);
    }
}

/// Examines a target; each step is told as soon as it is found.
///
/// # Errors
///
/// When there is no such target. What is wrong with it is in the steps.
pub async fn examine(
    setup: &Setup,
    name: &TargetName,
    told: &mut dyn FnMut(&Step),
) -> Result<Examination, BridgeError> {
    let target = setup.target(name)?;
    let secrets = setup.secrets();
    let mut chart = Chart { steps: Vec::new(), told };
    let mut entries = vec![Entry::new(target.credential.clone(), FIRST)];
    entries.extend(target.second_credential.clone().map(|second| Entry::new(second, SECOND)));
    let asks_authority = entries.iter().any(|entry| !entry.is_managed_identity());

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let env = |name: &str| secrets.variable(name);
    let probe = Probe::new(setup.settings(name)?, asks_authority, &env, Arc::clone(&clock));
    let probe = match probe {
        Ok(probe) => {
            chart.add(Step::ok(names::CONFIG, described(target)));
            probe
        }
        Err(error) => {
            chart.add(misconfigured(&error));
            nothing_more(&mut chart, &entries);
            return Ok(Examination { target: name.clone(), steps: chart.steps });
        }
    };
    for entry in &mut entries {
        let step = entry.look(setup, name, secrets).await;
        chart.add(step);
    }

    let reached = probe.reach().await;
    for step in network::steps(&reached, setup.config.http.ca_file.as_deref()) {
        chart.add(step);
    }
    let blocked = |wanted: fn(&Reach) -> bool| {
        reached.iter().filter(|reach| wanted(reach)).find_map(network::blocked)
    };
    for entry in &mut entries {
        let step = entry.token(blocked(|reach| reach.is_authority)).await;
        chart.add(step);
    }
    let has_log = Cloud::parse(&target.cloud).is_none_or(Cloud::has_provisioning_log);
    for entry in &entries {
        chart.add(entry.permissions(target.client_id.as_deref(), has_log));
    }
    match (patient(&entries, &*clock), blocked(|reach| reach.is_graph)) {
        (_, Some(layer)) => not_tried(&mut chart, layer),
        (Err(because), None) => not_tried(&mut chart, because),
        (Ok(patient), None) => {
            let is_known = job::examine(&patient, &mut chart).await;
            let step = match is_known {
                Ok(()) => attributes::look(&patient, setup, name).await,
                Err(because) => Step::not_tried(names::ATTRIBUTES, because),
            };
            chart.add(step);
        }
    }
    Ok(Examination { target: name.clone(), steps: chart.steps })
}

/// The first credential that got a token; else the step because of which there is none.
fn patient<'a>(entries: &'a [Entry], clock: &dyn Clock) -> Result<Patient<'a>, &'static str> {
    let able = entries.iter().find(|entry| entry.has_token);
    let found = able.and_then(|entry| {
        Some(Patient {
            client: entry.client.as_ref()?,
            roles: entry.roles.as_deref(),
            permissions: entry.names.permissions,
            now: clock.now(),
        })
    });
    found.ok_or_else(|| entries.first().map_or(names::TOKEN, Entry::because))
}

const AT_GRAPH: [&str; 7] = [
    names::SERVICE_PRINCIPAL,
    names::JOB,
    names::JOB_TYPE,
    names::JOB_STATE,
    names::NOTIFICATION_EMAIL,
    names::LOG,
    names::ATTRIBUTES,
];

fn not_tried(chart: &mut Chart<'_>, because: &'static str) {
    for name in AT_GRAPH {
        chart.add(Step::not_tried(name, because));
    }
}

/// After a config that leads nowhere.
fn nothing_more(chart: &mut Chart<'_>, entries: &[Entry]) {
    let of = |name: fn(&Entry) -> &'static str| entries.iter().map(name);
    let credentials: Vec<_> = of(|entry| entry.names.credential).collect();
    let network = [names::DNS, names::CONNECTION, names::PROXY, names::TLS, names::CLOCK];
    let tokens = of(|entry| entry.names.token).chain(of(|entry| entry.names.permissions));
    for name in credentials.into_iter().chain(network).chain(tokens) {
        chart.add(Step::not_tried(name, names::CONFIG));
    }
    not_tried(chart, names::CONFIG);
}

fn described(target: &TargetConfig) -> String {
    let TargetConfig { tenant_id, cloud, .. } = target;
    format!("tenant `{tenant_id}`, cloud `{cloud}`")
}

fn misconfigured(error: &EntraError) -> Step {
    let advice = match error {
        EntraError::ReadCaFile { .. } | EntraError::CaFile { .. } => {
            "let `ca_file` under `[http]` name a file of certificates in PEM that this user may read"
        }
        EntraError::BuildClient(_) => {
            "install the system's certificate authorities (package `ca-certificates`), or name your own \
             with `ca_file` under `[http]`"
        }
        _ => "correct the target's section of the config; `scimport check` shows the line",
    };
    Step::failed(names::CONFIG, causes(error).join(": "), Blame::Config).advise(advice)
}
