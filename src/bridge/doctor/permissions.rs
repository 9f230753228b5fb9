//! The permissions in a token against the least that is needed.
//!
//! Follows the permissions of bulkUpload, the provisioning log and the provisioning job in the Microsoft
//! Graph reference.

use crate::bridge::doctor::step::{Blame, Step};

/// What a bridge does, and what lets it.
pub(super) struct Need {
    what: &'static str,
    /// The least, any one of them.
    least: &'static [&'static str],
    /// What lets it too, and more than that.
    more: &'static [&'static str],
    /// Whether the bridge works without.
    is_optional: bool,
}

impl Need {
    /// Whether it is met by permissions, as far as they can be told.
    pub(super) fn is_met(&self, roles: Option<&[String]>) -> bool {
        let lets = |role: &String| {
            self.least.contains(&role.as_str()) || self.more.contains(&role.as_str())
        };
        roles.is_none_or(|roles| roles.iter().any(lets))
    }
}

const UPLOAD: Need = Need {
    what: "upload",
    least: &["SynchronizationData-User.Upload", "SynchronizationData-User.Upload.OwnedBy"],
    more: &[],
    is_optional: false,
};
pub(super) const LOG: Need = Need {
    what: "log",
    least: &["ProvisioningLog.Read.All"],
    more: &["AuditLog.Read.All"],
    is_optional: false,
};
pub(super) const HEALTH: Need = Need {
    what: "job health",
    least: &["Synchronization.Read.All", "Application.ReadWrite.OwnedBy"],
    more: &["Synchronization.ReadWrite.All"],
    is_optional: true,
};

/// Who holds the permissions, for the way to where they are changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Holder<'a> {
    /// An app, by its client id.
    App(&'a str),
    /// A managed identity, which no page of the admin center gives permissions to.
    ManagedIdentity,
}

/// Judges the permissions of a token; `None` is a token that cannot be looked into.
pub(super) fn judge(
    name: &'static str,
    roles: Option<&[String]>,
    has_log: bool,
    holder: Holder<'_>,
) -> Step {
    let Some(roles) = roles else {
        return Step::passed_over(
            name,
            "the token cannot be looked into, so its permissions show only in the steps below",
        );
    };
    let needs: &[&Need] = if has_log { &[&UPLOAD, &LOG, &HEALTH] } else { &[&UPLOAD, &HEALTH] };
    let has = |role: &&str| roles.iter().any(|held| held == role);
    let (mut used, mut missing, mut words) = (Vec::new(), Vec::new(), Vec::new());
    for need in needs {
        let by = need.least.iter().find(|role| has(role)).copied();
        match by.or_else(|| need.more.iter().find(|role| has(role)).copied()) {
            Some(_) => words.push(need.what),
            None => missing.push(*need),
        }
        used.extend(by);
    }
    // both kinds of upload are one thing, in two widths
    let is_extra =
        |role: &&String| !used.contains(&role.as_str()) && !UPLOAD.least.contains(&role.as_str());
    let extra: Vec<String> =
        roles.iter().filter(is_extra).map(|role| format!("`{role}`")).collect();
    step(name, &words, &missing, &extra, holder)
}

fn step(
    name: &'static str,
    words: &[&str],
    missing: &[&Need],
    extra: &[String],
    holder: Holder<'_>,
) -> Step {
    let least = |need: &&Need| need.least.first().copied().unwrap_or_default();
    let mut found = Vec::new();
    if !words.is_empty() {
        let only = if extra.is_empty() && missing.is_empty() { ", and no more" } else { "" };
        found.push(format!("allows {}{only}", words.join(", ")));
    }
    found.extend(missing.iter().map(|need| format!("{} is missing: `{}`", need.what, least(need))));
    if !extra.is_empty() {
        found.push(format!("more than a bridge needs: {}", extra.join(", ")));
    }
    let found = found.join("; ");
    let mut step = if missing.iter().any(|need| !need.is_optional) {
        Step::failed(name, found, Blame::Somebody)
    } else if missing.is_empty() && extra.is_empty() {
        Step::ok(name, found)
    } else {
        Step::warning(name, found)
    };
    if !missing.is_empty() {
        let roles: Vec<_> = missing.iter().map(|need| format!("`{}`", least(need))).collect();
        step = step.advise(holder.grant(&roles.join(", ")));
    }
    if missing.iter().any(|need| need.is_optional) {
        step = step.advise(
            "without job health uploads go on while the job is paused or in quarantine, and pile up there",
        );
    }
    if !extra.is_empty() {
        step = step.advise(holder.take_away(&extra.join(", ")));
    }
    step
}

impl Holder<'_> {
    fn grant(self, roles: &str) -> String {
        match self {
            Self::App(client_id) => format!(
                "Entra admin center > App registrations > All applications > the app `{client_id}` > API \
                 permissions > Add a permission > Microsoft Graph > Application permissions: {roles}; then \
                 Grant admin consent"
            ),
            Self::ManagedIdentity => format!(
                "give the managed identity {roles} of Microsoft Graph in PowerShell \
                 (`New-MgServicePrincipalAppRoleAssignment`): no page does; it may take hours to show"
            ),
        }
    }

    fn take_away(self, roles: &str) -> String {
        match self {
            Self::App(client_id) => format!(
                "unless something else uses the app `{client_id}`: on its API permissions page, the three \
                 dots beside {roles} > Revoke admin consent, then Remove permission"
            ),
            Self::ManagedIdentity => format!(
                "unless something else uses the identity: take {roles} away \
                 (`Remove-MgServicePrincipalAppRoleAssignment`)"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::doctor::step::StepStatus;

    fn judged(roles: &[&str]) -> Step {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        judge("permissions", Some(&roles), true, Holder::App("22222222"))
    }

    #[test]
    fn the_least_is_well_in_both_its_forms() {
        for roles in [
            [
                "ProvisioningLog.Read.All",
                "Synchronization.Read.All",
                "SynchronizationData-User.Upload",
            ],
            [
                "Application.ReadWrite.OwnedBy",
                "ProvisioningLog.Read.All",
                "SynchronizationData-User.Upload.OwnedBy",
            ],
        ] {
            let step = judged(&roles);
            assert_eq!(step.status, StepStatus::Ok, "{step:?}");
            assert!(step.advice.is_empty());
        }
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_are_told_at_once() {
        let step = judged(&["Directory.ReadWrite.All", "SynchronizationData-User.Upload"]);
        assert_eq!(step.status, StepStatus::Failed);
        assert_eq!(
            step.found,
            "allows upload; log is missing: `ProvisioningLog.Read.All`; job \
             health is missing: `Synchronization.Read.All`; more than a bridge needs: \
             `Directory.ReadWrite.All`"
        );
        assert_eq!(step.advice.len(), 3);
        assert!(step.advice[0].contains("`ProvisioningLog.Read.All`, `Synchronization.Read.All`"));
    }

    #[test]
    fn more_than_the_least_works_and_is_a_warning() {
        let upload = "SynchronizationData-User.Upload";
        for (roles, extra) in [
            ([upload, "AuditLog.Read.All", "Synchronization.Read.All"], "AuditLog.Read.All"),
            (
                [upload, "ProvisioningLog.Read.All", "Synchronization.ReadWrite.All"],
                "Synchronization.ReadWrite.All",
            ),
        ] {
            let step = judged(&roles);
            assert_eq!(step.status, StepStatus::Warning);
            assert!(
                step.found.ends_with(&format!("more than a bridge needs: `{extra}`")),
                "{step:?}"
            );
        }
        let without_health = judged(&[upload, "ProvisioningLog.Read.All"]);
        assert_eq!(without_health.status, StepStatus::Warning);
        assert_eq!(judged(&["ProvisioningLog.Read.All"]).status, StepStatus::Failed);
        assert_eq!(judged(&[]).status, StepStatus::Failed);
    }

    #[test]
    fn where_there_is_no_log_its_permission_is_too_much() {
        let roles =
            ["ProvisioningLog.Read.All", "SynchronizationData-User.Upload"].map(str::to_owned);
        let step = judge("permissions", Some(&roles), false, Holder::ManagedIdentity);
        assert!(step.found.contains("more than a bridge needs: `ProvisioningLog.Read.All`"));
        assert_eq!(judge("x", None, true, Holder::ManagedIdentity).status, StepStatus::NotTried);
    }
}
