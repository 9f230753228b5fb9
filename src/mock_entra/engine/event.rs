//! One event of the provisioning log, kept small and written out when it is asked for.
//!
//! The shape is that of "provisioningObjectSummary resource type" and of a real log: names and
//! order of steps, their texts, and the members that only beta has.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::record::Source;
use crate::mock_entra::clock::{SECOND, instant_text};
use crate::mock_entra::config::{CLIENT_ID, JOB_ID, SERVICE_PRINCIPAL_ID, TENANT_ID};
use crate::mock_entra::log::Property;

/// What the log calls a user of the source.
const SOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const SOURCE_SYSTEM: &str = "API";
const TARGET_SYSTEM: &str = "Microsoft Entra ID";
const INITIATOR: &str = "Azure AD Provisioning Service";
const APP: &str = "API-driven provisioning (stand-in)";

/// `provisioningAction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    Disable,
    /// A disable that the deletion threshold holds back.
    StagedDelete,
    Other,
}

impl Action {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Create => ("create", "Create"),
            Self::Update => ("update", "Update"),
            Self::Disable => ("disable", "Disable"),
            Self::StagedDelete => ("stageddelete", "StagedDelete"),
            Self::Other => ("other", "Other"),
        }
    }
}

/// `provisioningStatusInfo.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    Failure,
    Skipped,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Skipped => "skipped",
        }
    }
}

/// `errorInformation`, with the texts Entra leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    reason: String,
}

impl Failure {
    pub(super) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

/// One step, in the words of the real log.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// `EntryImportAdd`.
    Import,
    /// `EntryImport`: the account that was matched, as it was; (name, text).
    Retrieved(Vec<(Box<str>, Box<str>)>),
    /// `EntrySynchronizationScoping`.
    Scoping(bool),
    /// `EntrySynchronizationAdd`: no account was matched. False where matching failed.
    Matching(bool),
    /// `EntrySynchronizationSkip`: this manager cannot be resolved yet.
    ManagerOpen(Box<str>),
    /// `EntrySynchronizationSkip`: nothing to do.
    Redundant,
    /// `EntrySynchronizationSkip`: there are too many disables.
    Held,
    /// `EntryExportAdd`, `EntryExportUpdate`, `EntryExportDisable`.
    Export,
}

/// One of `modifiedProperties`.
#[derive(Debug, Clone)]
pub(super) struct Modified {
    pub(super) name: Box<str>,
    pub(super) old: Option<Box<str>>,
    pub(super) new: Option<Box<str>>,
}

/// The account an event is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    pub(super) id: Box<str>,
    pub(super) display_name: Box<str>,
    pub(super) upn: Box<str>,
}

/// One event.
#[derive(Debug)]
pub(in crate::mock_entra) struct Event {
    pub(super) id: String,
    pub(super) at: i64,
    pub(super) visible_at: i64,
    pub(super) cycle: Arc<str>,
    pub(super) change: Arc<str>,
    pub(super) duration_ms: u32,
    pub(super) external_id: Arc<str>,
    pub(super) source: Option<Arc<Source>>,
    pub(super) draft: Draft,
}

/// What happened, before it is an event.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) action: Action,
    pub(super) status: Status,
    pub(super) failure: Option<Failure>,
    pub(super) account: Option<Account>,
    pub(super) steps: Vec<Step>,
    pub(super) modified: Vec<Modified>,
}

impl Event {
    /// When it shows in the log.
    pub(in crate::mock_entra) fn is_visible(&self, now: i64) -> bool {
        self.visible_at <= now
    }

    /// `activityDateTime`, in unix microseconds cut to the second, as it is written.
    pub(in crate::mock_entra) fn activity_at(&self) -> i64 {
        self.at - self.at.rem_euclid(SECOND)
    }

    /// A property's text, for filters.
    pub(in crate::mock_entra) fn text(&self, property: Property) -> &str {
        let draft = &self.draft;
        let account = draft.account.as_ref();
        match property {
            Property::Id => &self.id,
            Property::TenantId => TENANT_ID,
            Property::JobId => JOB_ID,
            Property::CycleId => &self.cycle,
            Property::ChangeId => &self.change,
            Property::ProvisioningAction => draft.action.words().0,
            Property::LegacyAction => draft.action.words().1,
            Property::Status => draft.status.word(),
            Property::SourceSystem => SOURCE_SYSTEM,
            Property::TargetSystem => TARGET_SYSTEM,
            Property::SourceType => SOURCE_TYPE,
            Property::TargetType => "User",
            Property::SourceId => &self.external_id,
            Property::SourceName => "",
            Property::TargetId => account.map_or("", |account| &account.id),
            Property::TargetName => account.map_or("", |account| &account.display_name),
            Property::Initiator => INITIATOR,
            Property::PrincipalId => SERVICE_PRINCIPAL_ID,
            Property::PrincipalName => APP,
        }
    }

    /// The event as the log shows it; beta has two members more.
    pub(in crate::mock_entra) fn json(&self, beta: bool) -> Value {
        let draft = &self.draft;
        let account = draft.account.clone().unwrap_or_default();
        let mut json = json!({
            "id": self.id,
            "activityDateTime": instant_text(self.at),
            "tenantId": TENANT_ID,
            "jobId": JOB_ID,
            "cycleId": &*self.cycle,
            "changeId": &*self.change,
            "provisioningAction": draft.action.words().0,
            "durationInMilliseconds": self.duration_ms,
            "servicePrincipal": { "id": SERVICE_PRINCIPAL_ID, "displayName": APP },
            "sourceSystem": { "id": TENANT_ID, "displayName": SOURCE_SYSTEM, "details": {} },
            "targetSystem": {
                "id": TENANT_ID,
                "displayName": TARGET_SYSTEM,
                "details": {
                    "ApplicationId": CLIENT_ID,
                    "ServicePrincipalId": SERVICE_PRINCIPAL_ID,
                    "ServicePrincipalDisplayName": APP,
                },
            },
            "initiatedBy": { "id": "", "displayName": INITIATOR, "initiatorType": "system" },
            "sourceIdentity": {
                "id": &*self.external_id,
                "displayName": "",
                "identityType": SOURCE_TYPE,
                "details": {},
            },
            "targetIdentity": {
                "id": account.id,
                "displayName": account.display_name,
                "identityType": "User",
                "details": draft.account.as_ref().map_or(json!({}), |account| json!({
                    "id": account.id,
                    "odatatype": "User",
                    "DisplayName": account.display_name,
                    "UserPrincipalName": account.upn,
                })),
            },
            "provisioningStatusInfo": {
                "status": draft.status.word(),
                "errorInformation": draft.failure.as_ref().map(|failure| json!({
                    "errorCode": failure.code,
                    "errorCategory": "nonServiceFailure",
                    "reason": failure.reason,
                    "additionalDetails": null,
                    "recommendedAction": null,
                })),
            },
            "provisioningSteps":
                draft.steps.iter().map(|step| self.step(step)).collect::<Vec<_>>(),
            "modifiedProperties": draft.modified.iter().map(|modified| json!({
                "displayName": modified.name,
                "oldValue": modified.old,
                "newValue": modified.new,
            })).collect::<Vec<_>>(),
        });
        if let (true, Some(members)) = (beta, json.as_object_mut()) {
            members.insert("action".to_owned(), json!(draft.action.words().1));
            members.insert("statusInfo".to_owned(), json!({ "status": draft.status.word() }));
        }
        json
    }

    fn step(&self, step: &Step) -> Value {
        let draft = &self.draft;
        let id = &self.external_id;
        let upn = draft.account.as_ref().map_or("", |account| &account.upn);
        let (name, kind, status, description, details) = match step {
            Step::Import => (
                "EntryImportAdd",
                "import",
                Status::Success,
                format!("Received {SOURCE_TYPE} '{id}' change of type (Add) from {SOURCE_SYSTEM}"),
                details(self.source.iter().flat_map(|source| source.iter())),
            ),
            Step::Retrieved(attributes) => (
                "EntryImport",
                "matching",
                Status::Success,
                format!("Retrieved  '{upn}' from {TARGET_SYSTEM}"),
                details(attributes.iter().map(|(name, text)| (&**name, &**text))),
            ),
            Step::Scoping(passed) => (
                "EntrySynchronizationScoping",
                "scoping",
                if *passed { Status::Success } else { Status::Skipped },
                format!(
                    "Determine if {SOURCE_TYPE} in scope by evaluating against each scoping filter"
                ),
                json!({
                    "Active in the source system": "True",
                    "Scoping filter evaluation passed": if *passed { "True" } else { "False" },
                    "ScopeEvaluationResult": "{}",
                }),
            ),
            Step::Matching(done) => (
                "EntrySynchronizationAdd",
                "matching",
                if *done { Status::Success } else { draft.status },
                format!(
                    "{SOURCE_TYPE} '{id}' will be created in {TARGET_SYSTEM} ({SOURCE_TYPE} is \
                     active and assigned in {SOURCE_SYSTEM}, but no matching {SOURCE_TYPE} was \
                     found in {TARGET_SYSTEM})"
                ),
                json!({}),
            ),
            Step::ManagerOpen(manager) => (
                "EntrySynchronizationSkip",
                "processing",
                Status::Success,
                manager_open_text(manager, upn),
                json!({
                    &**manager: "manager Add",
                    "PropertyName": "manager",
                    "SkipReason": "UnableToResolveReferenceAttributeValue",
                }),
            ),
            Step::Redundant => (
                "EntrySynchronizationSkip",
                "processing",
                draft.status,
                format!(
                    "{SOURCE_TYPE} '{id}' will be skipped. The state of the user in both the \
                     source and target systems already match. No change needs to be made."
                ),
                json!({ "SkipReason": "RedundantExport" }),
            ),
            Step::Held => (
                "EntrySynchronizationSkip",
                "processing",
                draft.status,
                format!(
                    "{SOURCE_TYPE} '{id}' will not be disabled in {TARGET_SYSTEM}: the number of \
                     deletions exceeds the accidental deletions threshold."
                ),
                json!({ "SkipReason": "QuarantineTooManyDeletesThreshold" }),
            ),
            Step::Export => self.export(upn),
        };
        json!({
            "name": name,
            "provisioningStepType": kind,
            "status": status.word(),
            "description": description,
            "details": details,
        })
    }

    fn export(&self, upn: &str) -> (&'static str, &'static str, Status, String, Value) {
        let draft = &self.draft;
        let id = &*self.external_id;
        let (name, verb) = match draft.action {
            Action::Create => ("EntryExportAdd", "created"),
            Action::Disable => ("EntryExportDisable", "disabled"),
            Action::Update | Action::StagedDelete | Action::Other => {
                ("EntryExportUpdate", "updated")
            }
        };
        let who = if upn.is_empty() || draft.steps.len() == 1 { id } else { upn };
        let kind = SOURCE_TYPE.replacen("urn", "Urn", 1);
        let description = match &draft.failure {
            Some(failure) => {
                format!("{kind} '{who}' was not {verb} in {TARGET_SYSTEM}: {}", failure.reason)
            }
            None => format!("{kind} '{who}' was {verb} in {TARGET_SYSTEM}"),
        };
        let mut shown = json!({});
        if draft.action == Action::Create {
            let modified = draft.modified.iter();
            shown = details(modified.filter_map(|one| Some((&*one.name, one.new.as_deref()?))));
        }
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("ReportableIdentifier".to_owned(), json!(id));
        }
        (name, "export", draft.status, description, shown)
    }
}

/// Details of a step: their names lose dots and colons, as in the real log.
fn details<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let shown: Map<String, Value> =
        pairs.map(|(name, text)| (name.replace(['.', ':'], ""), json!(text))).collect();
    Value::Object(shown)
}

fn manager_open_text(manager: &str, upn: &str) -> String {
    format!(
        "We were unable to assign {manager} as the manager of {upn}. In order to ensure that the \
         references are updated properly, you have two options. First, ensure that {manager} is \
         in scope for provisioning. Provision {manager} on-demand and then provision {upn} \
         on-demand. Alternatively, you can restart provisioning after ensuring that {manager} is \
         in scope for provisioning. "
    )
}
