//! What `doctor` found about a target, as JSON.

use serde_json::{Value, json};

use crate::bridge::{Examination, Step, StepStatus};

/// An examination. `advice` is an array, one thing to do each; `because` names the step that failed
/// first where a step was not tried for it.
#[must_use]
pub fn examination(examination: &Examination) -> Value {
    let count = |status| examination.count(status);
    json!({
        "target": examination.target.as_str(),
        "status": examination.status().as_str(),
        "counts": {
            "ok": count(StepStatus::Ok),
            "warning": count(StepStatus::Warning),
            "failed": count(StepStatus::Failed),
            "not_tried": count(StepStatus::NotTried),
        },
        "steps": examination.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    json!({
        "step": step.name,
        "status": step.status.as_str(),
        "found": step.found,
        "advice": step.advice,
        "because": step.because,
    })
}
