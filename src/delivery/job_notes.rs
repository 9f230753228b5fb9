//! What a look at the provisioning job says beside whether to upload: it is noted, and held against
//! the last look.
//!
//! A job that is restarted while it does not run throws away what was staged (Entra docs,
//! `inbound-provisioning-api-faqs`). Nothing tells us of a restart; but a job that runs again, after it
//! was paused or in quarantine, may have been restarted, and sending again what is still open does no
//! harm: Entra compares.

use jiff::Timestamp;

use crate::domain::TargetName;
use crate::entra::{JobCode, JobHealth};
use crate::store::{JobSeen, Resent, ResentWhy, Store, StoreError};

/// Notes how a job is seen; where it may have been restarted since the last look, everything open is
/// queued again. Returns how many operations that are.
///
/// # Errors
///
/// When the store fails.
pub async fn note_job(
    store: &dyn Store,
    target: &TargetName,
    health: &JobHealth,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let seen = JobSeen {
        code: health.code.to_string(),
        quarantine: health.quarantine_reason.clone(),
        delete_threshold: health.delete_threshold,
        at: now,
    };
    let before = store.note_job(target, seen).await?;
    if !before.is_some_and(|before| may_be_restarted(&before, health)) {
        return Ok(0);
    }
    let count = store.queue_open_again(target, now, None, now).await?;
    if count > 0 {
        let resent = Resent { at: now, operations: count, why: ResentWhy::Resumed };
        store.note_resent(target, resent).await?;
        tracing::warn!(
            target = %target,
            operations = count,
            "the job runs again after it did not: it may have been restarted, which throws away what was \
             staged; everything without an outcome is sent again"
        );
    }
    Ok(count)
}

fn may_be_restarted(before: &JobSeen, now: &JobHealth) -> bool {
    let stood_still = ["Paused", "Quarantine"].contains(&before.code.as_str());
    stood_still && now.code == JobCode::Active
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_runs_again_may_have_been_restarted() {
        let seen = |code: &str| JobSeen {
            code: code.to_owned(),
            quarantine: None,
            delete_threshold: None,
            at: Timestamp::UNIX_EPOCH,
        };
        let health = |code| JobHealth { code, quarantine_reason: None, delete_threshold: None };
        for (before, now, expected) in [
            ("Paused", JobCode::Active, true),
            ("Quarantine", JobCode::Active, true),
            ("Active", JobCode::Active, false),
            ("NotRun", JobCode::Active, false),
            ("Active", JobCode::Quarantine, false),
            ("Quarantine", JobCode::Paused, false),
        ] {
            assert_eq!(may_be_restarted(&seen(before), &health(now)), expected, "{before}");
        }
    }
}
