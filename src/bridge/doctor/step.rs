//! One step of an examination: what was looked at, what was found, what to do.

/// The steps, by their stable names, in the order in which they are taken. Those of the second
/// credential are there only where a target has two, and `agent` only where the job provisions to
/// on-premises Active Directory.
pub mod names {
    /// The target's section, and what it refers to on this machine.
    pub const CONFIG: &str = "config";
    /// What proves who we are, as far as this machine has to have it.
    pub const CREDENTIAL: &str = "credential";
    /// The same of the second credential.
    pub const SECOND_CREDENTIAL: &str = "second_credential";
    /// Names are looked up.
    pub const DNS: &str = "dns";
    /// The port is reached.
    pub const CONNECTION: &str = "connection";
    /// The proxy, where there is one.
    pub const PROXY: &str = "proxy";
    /// TLS, and an answer over it.
    pub const TLS: &str = "tls";
    /// This machine's clock against the other side's.
    pub const CLOCK: &str = "clock";
    /// A token is given.
    pub const TOKEN: &str = "token";
    /// The same with the second credential.
    pub const SECOND_TOKEN: &str = "second_token";
    /// The permissions in the token.
    pub const PERMISSIONS: &str = "permissions";
    /// The same in a token of the second credential.
    pub const SECOND_PERMISSIONS: &str = "second_permissions";
    /// The provisioning app is there.
    pub const SERVICE_PRINCIPAL: &str = "service_principal";
    /// The job is one of its.
    pub const JOB: &str = "job";
    /// What the job provisions to.
    pub const JOB_TYPE: &str = "job_type";
    /// Whether the job processes what is uploaded.
    pub const JOB_STATE: &str = "job_state";
    /// Whether the job reaches Active Directory.
    pub const AGENT: &str = "agent";
    /// Who is told of a quarantine.
    pub const NOTIFICATION_EMAIL: &str = "notification_email";
    /// The provisioning log can be read.
    pub const LOG: &str = "log";
    /// The job knows the custom attributes that the mappings write.
    pub const ATTRIBUTES: &str = "attributes";
}

/// What to do about what passes by itself.
pub(super) const PASSES: &str = "a bridge tries again by itself; look again in some minutes, and if it goes on \
     at Microsoft's service health";

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// As it should be.
    Ok,
    /// Works, and is worth a look.
    Warning,
    /// Has to be mended.
    Failed,
    /// Was not looked at: an earlier step failed, or there is no permission for it and none is needed.
    NotTried,
}

impl StepStatus {
    /// The word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::NotTried => "not_tried",
        }
    }
}

/// Whose it is to mend what failed; the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blame {
    /// The config's.
    Config,
    /// Somebody's: a permission, the network, this machine.
    Somebody,
    /// The other side's: the job stands still, or the service is busy. Work is kept until it goes on.
    OtherSide,
}

/// A step of an examination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its stable name.
    pub name: &'static str,
    /// How it ended.
    pub status: StepStatus,
    /// What was found, in words.
    pub found: String,
    /// What to do; a line each.
    pub advice: Vec<String>,
    /// The step that failed first, where this one was not tried for it.
    pub because: Option<&'static str>,
    /// Whose it is to mend, where it failed.
    pub blame: Option<Blame>,
}

impl Step {
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        let (found, status) = (found.into(), StepStatus::Ok);
        Self { name, status, found, advice: Vec::new(), because: None, blame: None }
    }

    pub(super) fn warning(name: &'static str, found: impl Into<String>) -> Self {
        Self { status: StepStatus::Warning, ..Self::ok(name, found) }
    }

    pub(super) fn failed(name: &'static str, found: impl Into<String>, blame: Blame) -> Self {
        Self { status: StepStatus::Failed, blame: Some(blame), ..Self::ok(name, found) }
    }

    pub(super) fn not_tried(name: &'static str, because: &'static str) -> Self {
        let found = format!("not tried, because of `{because}`");
        Self { status: StepStatus::NotTried, because: Some(because), ..Self::ok(name, found) }
    }

    /// Not looked at, and that is right.
    pub(super) fn passed_over(name: &'static str, found: impl Into<String>) -> Self {
        Self { status: StepStatus::NotTried, ..Self::ok(name, found) }
    }

    /// The same, with one more thing to do.
    #[must_use]
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }
}
