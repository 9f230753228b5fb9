//! The steps at Graph: the provisioning app, its job, who is told, the log.

use jiff::Timestamp;

use crate::bridge::doctor::Chart;
use crate::bridge::doctor::permissions::{HEALTH, LOG};
use crate::bridge::doctor::step::{Blame, PASSES, Step, names};
use crate::delivery::{JobAdvice, job_advice};
use crate::entra::{CallFailure, Disposition, EntraClient, JobCode, ListedJob, Notification};
use crate::telemetry::Causes;

/// A job that provisions to Entra ID.
const TO_ENTRA: &str = "API2AAD";
/// A job that provisions to on-premises Active Directory.
const TO_ACTIVE_DIRECTORY: &str = "API2AD";

/// Lets an app read and change everything of jobs.
const READ_WRITE: &str = "Synchronization.ReadWrite.All";
/// Lets an app look at apps.
const READ_APPS: &str = "Application.Read.All";

/// What is asked with.
pub(super) struct Patient<'a> {
    pub(super) client: &'a EntraClient,
    /// The permissions of its token; `None` where they cannot be told.
    pub(super) roles: Option<&'a [String]>,
    /// The step that has told of them.
    pub(super) permissions: &'static str,
    pub(super) now: Timestamp,
}

/// The steps, in their order. Gives the step because of which there is nothing more to see of the job.
pub(super) async fn examine(
    patient: &Patient<'_>,
    chart: &mut Chart<'_>,
) -> Result<(), &'static str> {
    let template = principal_and_job(patient, chart).await;
    match &template {
        Err(because) => {
            for name in [names::JOB_TYPE, names::JOB_STATE, names::NOTIFICATION_EMAIL] {
                chart.add(Step::not_tried(name, because));
            }
        }
        Ok(template) => {
            chart.add(job_type(template));
            chart.add(job_state(patient).await);
            if template == TO_ACTIVE_DIRECTORY {
                chart.add(agent(patient).await);
            }
            chart.add(notification(patient).await);
        }
    }
    log(patient, chart).await;
    template.map(drop)
}

impl Patient<'_> {
    /// Whether a call may succeed, as far as the token says.
    fn may(&self, any_of: &[&str]) -> bool {
        self.roles.is_none_or(|roles| roles.iter().any(|role| any_of.contains(&role.as_str())))
    }
}

/// Adds `service_principal` and `job`. Gives the job's template, or the step because of which there is
/// nothing more to see of the job.
async fn principal_and_job(
    patient: &Patient<'_>,
    chart: &mut Chart<'_>,
) -> Result<String, &'static str> {
    let settings = patient.client.settings();
    let id = &settings.service_principal_id;
    if !HEALTH.is_met(patient.roles) {
        chart.add(Step::not_tried(names::SERVICE_PRINCIPAL, patient.permissions));
        chart.add(Step::not_tried(names::JOB, patient.permissions));
        return Err(patient.permissions);
    }
    let jobs = match patient.client.jobs().await {
        Ok(jobs) => jobs,
        Err(failure) => {
            let step = match failure.status() {
                Some(404) => Step::failed(
                    names::SERVICE_PRINCIPAL,
                    format!("there is no enterprise application with the object id `{id}` in the tenant"),
                    Blame::Somebody,
                )
                .advise(
                    "set `service_principal_id` to the Object ID on this page: Entra admin center > \
                     Enterprise applications > the provisioning app > Overview (not its Application ID, \
                     and not the Object ID under App registrations)",
                ),
                Some(403) => Step::warning(names::SERVICE_PRINCIPAL, words(&failure))
                    .advise(failure.advice()),
                _ => refused(names::SERVICE_PRINCIPAL, &failure),
            };
            chart.add(step);
            chart.add(Step::not_tried(names::JOB, names::SERVICE_PRINCIPAL));
            return Err(names::SERVICE_PRINCIPAL);
        }
    };
    let step = principal(patient, id, jobs.len()).await;
    chart.add(step);
    let Some(job) = jobs.iter().find(|job| job.id == settings.job_id) else {
        chart.add(no_such_job(&settings.job_id, &jobs));
        return Err(names::JOB);
    };
    chart.add(Step::ok(names::JOB, format!("`{}` is one of its jobs", job.id)));
    let by_id = || job.id.split('.').next().unwrap_or_default().to_owned();
    Ok(job.template.clone().unwrap_or_else(by_id))
}

async fn principal(patient: &Patient<'_>, id: &str, jobs: usize) -> Step {
    let plural = if jobs == 1 { "" } else { "s" };
    let bare = format!("`{id}` is there ({jobs} job{plural})");
    if !patient.may(&[READ_APPS]) {
        return Step::ok(names::SERVICE_PRINCIPAL, bare);
    }
    match patient.client.principal().await {
        Ok(found) => {
            let name = found.name.as_deref().unwrap_or("an app without a name");
            let words = format!("{bare}; it is \"{name}\"");
            if found.is_enabled {
                return Step::ok(names::SERVICE_PRINCIPAL, words);
            }
            Step::warning(names::SERVICE_PRINCIPAL, format!("{words}, and is disabled")).advise(
                "Entra admin center > Enterprise applications > the provisioning app > Properties: set \
                 \"Enabled for users to sign-in?\" to Yes",
            )
        }
        // nothing but its name is missing
        Err(_) => Step::ok(names::SERVICE_PRINCIPAL, bare),
    }
}

fn no_such_job(wanted: &str, jobs: &[ListedJob]) -> Step {
    let known: Vec<_> = jobs.iter().map(|job| format!("`{}`", job.id)).collect();
    let found = match known.as_slice() {
        [] => format!("the provisioning app has no job `{wanted}`, and no other"),
        _ => format!("the provisioning app has no job `{wanted}`; it has {}", known.join(", ")),
    };
    let step = Step::failed(names::JOB, found, Blame::Somebody);
    match known.as_slice() {
        [] => step.advise(
            "Entra admin center > Enterprise applications > the provisioning app > Provisioning: set the \
             mode to Automatic and save, then copy the job id from View technical information",
        ),
        [only] => step.advise(format!("set `job_id` to {only}")),
        _ => step.advise(
            "set `job_id` to the one on Entra admin center > Enterprise applications > the provisioning \
             app > Provisioning > View technical information",
        ),
    }
}

fn job_type(template: &str) -> Step {
    match template {
        TO_ENTRA => Step::ok(names::JOB_TYPE, "provisions to Entra ID (`API2AAD`)"),
        TO_ACTIVE_DIRECTORY => Step::ok(
            names::JOB_TYPE,
            "provisions to on-premises Active Directory (`API2AD`), through a provisioning agent",
        ),
        other => Step::failed(
            names::JOB_TYPE,
            format!("is a job of another connector (`{other}`), which takes no uploads"),
            Blame::Somebody,
        )
        .advise(
            "Entra admin center > Enterprise applications > New application: add \"API-driven provisioning \
             to Microsoft Entra ID\" (or \"to on-premises Active Directory\"), set it up, and put its ids \
             into `service_principal_id` and `job_id`",
        ),
    }
}

async fn job_state(patient: &Patient<'_>) -> Step {
    let health = match patient.client.job().await {
        Ok(health) => health,
        Err(failure) => return refused(names::JOB_STATE, &failure),
    };
    let code = health.code.to_string();
    let reason = health.quarantine_reason.as_deref();
    if health.accepts_uploads() {
        return Step::ok(
            names::JOB_STATE,
            match health.code {
                JobCode::NotRun => "NotRun: has never run, and takes uploads".to_owned(),
                _ => format!("{code}: processes what is uploaded"),
            },
        );
    }
    let JobAdvice { means, advice } = job_advice(&code, reason);
    let why = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    Step::failed(names::JOB_STATE, format!("{code}{why}: {means}"), Blame::OtherSide)
        .advise(advice)
        .advise("what is queued here is kept, and goes out by itself once the job runs")
}

/// Lets a job for Active Directory try its provisioning agent.
async fn agent(patient: &Patient<'_>) -> Step {
    let look = "see for yourself: Entra admin center > Enterprise applications > the provisioning app > \
                Provisioning > View on-premises agents: one has to be Active";
    if !patient.may(&[READ_WRITE, "Application.ReadWrite.OwnedBy"]) {
        return Step::passed_over(
            names::AGENT,
            "not looked at: that takes a permission that a bridge should not have",
        )
        .advise(look);
    }
    match patient.client.validate_credentials().await {
        Ok(()) => Step::ok(names::AGENT, "the job reaches Active Directory through its agent"),
        Err(failure) if failure.status() == Some(403) => {
            Step::passed_over(names::AGENT, words(&failure)).advise(look)
        }
        Err(failure) if failure.status() == Some(400) => Step::failed(
            names::AGENT,
            format!("the job does not reach Active Directory: {}", words(&failure)),
            Blame::Somebody,
        )
        .advise(look)
        .advise("on the agent's server start the service of the provisioning agent; without it nothing is \
                 processed, and the log stays empty"),
        Err(failure) => refused(names::AGENT, &failure),
    }
}

/// Without anybody to tell, a job comes into quarantine when it is started next.
async fn notification(patient: &Patient<'_>) -> Step {
    let page = "Entra admin center > Enterprise applications > the provisioning app > Provisioning > \
                Settings";
    let look =
        format!("see for yourself: {page}: Notification Email is filled in, and its box is ticked");
    if !patient.may(&[READ_WRITE]) {
        return Step::passed_over(
            names::NOTIFICATION_EMAIL,
            "not looked at: that takes a permission that a bridge should not have",
        )
        .advise(look);
    }
    let unset = |found: &str| {
        Step::failed(names::NOTIFICATION_EMAIL, found, Blame::Somebody)
            .advise(format!(
                "{page}: tick \"Send an email notification when a failure occurs\", fill in Notification \
                 Email, and save"
            ))
            .advise("without it Entra puts the job into quarantine when it is started")
    };
    match patient.client.notification().await {
        Ok(Notification::Told(people)) => {
            let plural = if people == 1 { "address is" } else { "addresses are" };
            Step::ok(names::NOTIFICATION_EMAIL, format!("{people} {plural} told of a quarantine"))
        }
        Ok(Notification::Nobody) => unset("notification is switched on, and no address is named"),
        Ok(Notification::Off) => unset("nobody is told of a quarantine"),
        Err(failure) if failure.status() == Some(403) => {
            Step::passed_over(names::NOTIFICATION_EMAIL, words(&failure)).advise(look)
        }
        Err(failure) => refused(names::NOTIFICATION_EMAIL, &failure),
    }
}

async fn log(patient: &Patient<'_>, chart: &mut Chart<'_>) {
    if !patient.client.settings().cloud.has_provisioning_log() {
        chart.add(
            Step::warning(names::LOG, "this cloud has no provisioning log that could be read")
                .advise("nothing: what is sent ends `unconfirmed`"),
        );
        return;
    }
    if !LOG.is_met(patient.roles) {
        chart.add(Step::not_tried(names::LOG, patient.permissions));
        return;
    }
    let step = match patient.client.events_since(patient.now).next().await {
        Ok(_) => Step::ok(names::LOG, "the provisioning log can be read"),
        Err(failure) => refused(names::LOG, &failure),
    };
    chart.add(step);
}

/// A call that failed, with its own words and way out.
pub(super) fn refused(name: &'static str, failure: &CallFailure) -> Step {
    let found = words(failure);
    match failure.disposition() {
        Disposition::Throttled { .. } => Step::failed(name, found, Blame::OtherSide).advise(
            "too many calls just now, perhaps of a bridge that runs beside this: look again in a minute",
        ),
        Disposition::BucketFull | Disposition::Transient { .. } if failure.status().is_some() => {
            Step::failed(name, found, Blame::OtherSide).advise(PASSES)
        }
        _ => Step::failed(name, found, Blame::Somebody).advise(failure.advice()),
    }
}

fn words(failure: &CallFailure) -> String {
    Causes(failure).to_string()
}
