//! The step `attributes`: whether the job knows what the mappings write.

use crate::bridge::Setup;
use crate::bridge::doctor::job::{Patient, refused};
use crate::bridge::doctor::permissions::HEALTH;
use crate::bridge::doctor::step::{Blame, Step, names};
use crate::domain::TargetName;
use crate::entra::SchemaDifference;
use crate::telemetry::Causes;

/// Attributes that are named one by one; of more, only how many.
const NAMED: usize = 5;

/// Holds the custom attributes of the mappings against the job's schema. The job passes over what it
/// does not know, in silence.
pub(super) async fn look(patient: &Patient<'_>, setup: &Setup, target: &TargetName) -> Step {
    let name = names::ATTRIBUTES;
    let wanted = setup.custom_attributes(target).len();
    if wanted == 0 {
        return Step::ok(name, "the mappings write no custom attribute");
    }
    if !HEALTH.is_met(patient.roles) {
        return Step::not_tried(name, patient.permissions);
    }
    let schema = match patient.client.schema().await {
        Ok(schema) => schema,
        Err(failure) if failure.status() == Some(403) => {
            return Step::passed_over(name, Causes(&failure).to_string()).advise(failure.advice());
        }
        Err(failure) => return refused(name, &failure),
    };
    match setup.schema_difference(target, &schema) {
        Err(problem) => {
            Step::failed(name, problem.to_string(), Blame::Somebody).advise(problem.advice())
        }
        Ok(difference) if difference.is_fine() => {
            let all =
                if wanted == 1 { "the one custom attribute" } else { "every custom attribute" };
            Step::ok(name, format!("the job knows {all} that the mappings write"))
        }
        Ok(difference) => judge(&difference, target),
    }
}

fn judge(difference: &SchemaDifference, target: &TargetName) -> Step {
    let SchemaDifference { missing, types, letters, conflicts, .. } = difference;
    let mut found = Vec::new();
    if !missing.is_empty() {
        let list = named(missing.iter().map(|new| new.name.as_str()));
        found.push(format!("unknown to the job, and passed over in silence: {list}"));
    }
    if !letters.is_empty() {
        let list = named(letters.iter().map(|other| other.mapped.as_str()));
        found.push(format!("known to the job in other upper and lower case: {list}"));
    }
    if !types.is_empty() {
        let list = named(types.iter().map(|other| other.name.as_str()));
        found.push(format!("of another type in the job: {list}"));
    }
    if !conflicts.is_empty() {
        let list = named(conflicts.iter().map(|conflict| conflict.name.as_str()));
        found.push(format!("unknown to the job, and of several types in the mappings: {list}"));
    }
    let mut step = Step::failed(names::ATTRIBUTES, found.join("; "), Blame::Somebody)
        .advise(format!("`scimport schema diff {target}` shows each beside what the job has"));
    if !missing.is_empty() {
        step = step.advise(format!(
            "`scimport schema push {target}` adds what is unknown; or by hand: Entra admin center > Enterprise \
             applications > the provisioning app > Provisioning > Attribute mapping > Show advanced options \
             > Edit attribute list for API; then map each to an attribute of the account"
        ));
    }
    if difference.needs_a_person() {
        step = step
            .advise("correct name or `type` in the mapping, or the attribute in the job's list");
    }
    step
}

fn named<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<_> = all.map(|name| format!("`{name}`")).collect();
    let list = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}
