//! Entra's limits are per tenant, so the targets of one tenant share what one of them states.

use crate::config::section::Section;
use crate::config::target::TargetConfig;

/// Gives each target the limits its tenant has. Two different statements are a problem.
pub(super) fn share_limits(targets: &mut [TargetConfig], sections: &[(String, Section<'_>)]) {
    agree(targets, sections, "daily_calls", |target| &mut target.daily_calls);
    agree(targets, sections, "burst", |target| &mut target.burst);
}

fn agree<T: Copy + PartialEq>(
    targets: &mut [TargetConfig],
    sections: &[(String, Section<'_>)],
    key: &str,
    limit: impl Fn(&mut TargetConfig) -> &mut T,
) {
    let states = |name: &str| {
        sections.iter().find(|(other, section)| other == name && section.has(key)).map(|(_, s)| s)
    };
    // Tenant, the target that states the limit first, and the limit.
    let mut limits: Vec<(String, String, T)> = Vec::new();
    for target in targets.iter_mut() {
        let Some(section) = states(target.name.as_str()) else { continue };
        let tenant = target.tenant_id.to_lowercase();
        let value = *limit(target);
        match limits.iter().find(|(known, _, _)| *known == tenant) {
            None => limits.push((tenant, target.name.to_string(), value)),
            Some((_, first, known)) if *known != value => {
                let message =
                    format!("`{key}` is not what `[target.{first}]` of this tenant states");
                let hint = "the limit is the tenant's: state it once, or the same in each target";
                let path = format!("{}.{key}", section.path());
                section.report().add_at(&path, message, Some(hint.to_owned()));
            }
            Some(_) => {}
        }
    }
    for target in targets {
        let tenant = target.tenant_id.to_lowercase();
        if let Some((_, _, value)) = limits.iter().find(|(known, _, _)| *known == tenant) {
            *limit(target) = *value;
        }
    }
}
