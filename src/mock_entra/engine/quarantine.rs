//! Quarantine: when the job comes into it, its one try a day, and how it leaves it; start and pause.
//!
//! Follows "Application provisioning in quarantine status" and "synchronizationQuarantine resource
//! type". The service re-evaluates at each try: a quarantine that is no longer due is lifted, one
//! set by hand stays until the job is started or restarted.

use serde_json::{Value, json};

use super::cycle::Engine;
use super::deletes::TOO_MANY_DELETES;
use super::job::{JobCode, NEVER};
use crate::mock_entra::clock::instant_text;
use crate::mock_entra::shared::{DAY, Settings};

/// In quarantine, the service tries once a day.
const PACE: i64 = DAY;
/// After four weeks in quarantine the job is disabled.
const LONGEST: i64 = 28 * DAY;
/// From so many failures on, the share of failures counts. This and the next two:
/// <https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status>
const EVALUATED_FROM: f64 = 5_000.0;
/// More failures than this are too many, whatever their share; references do not count.
const MOST_FAILURES: f64 = 40_000.0;
/// More failures than this are too many, references included.
const MOST_WITH_REFERENCES: f64 = 60_000.0;
/// A larger share of failures is too large, in percent; references do not count.
const MOST_PERCENT: u64 = 40;
/// The reason when nobody is told of a quarantine. That a missing notification e-mail leads to one
/// is documented, its reason is not: this is the one for what is wrong with the configuration.
const EXCEPTION: &str = "EncounteredQuarantineException";

/// Why and since when the job is in quarantine.
#[derive(Debug)]
pub(super) struct Quarantine {
    reason: String,
    current_began: i64,
    series_began: i64,
    series_count: u32,
    next_attempt: i64,
    by_hand: bool,
}

impl Quarantine {
    fn new(reason: &str, by_hand: bool, now: i64) -> Self {
        Self {
            reason: reason.to_owned(),
            current_began: now,
            series_began: now,
            series_count: 1,
            next_attempt: now.saturating_add(PACE),
            by_hand,
        }
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) fn next_attempt(&self) -> i64 {
        self.next_attempt
    }

    /// As `GET` shows it; a job that is disabled has no next attempt.
    pub(super) fn json(&self, disabled: bool) -> Value {
        let next = if disabled { NEVER.to_owned() } else { instant_text(self.next_attempt) };
        json!({
            "currentBegan": instant_text(self.current_began),
            "nextAttempt": next,
            "reason": self.reason,
            "seriesBegan": instant_text(self.series_began),
            "seriesCount": self.series_count,
            "error": {
                "code": self.reason,
                "message": "The provisioning job is in quarantine.",
                "tenantActionable": true,
            },
        })
    }
}

/// What the thresholds look at: people, not tries.
#[derive(Debug, Clone, Copy)]
struct Volume {
    failures: usize,
    references: usize,
    successes: usize,
}

impl Volume {
    /// The threshold that is passed, by its reason; `factor` scales the numbers, not the share.
    fn too_much(self, factor: f64) -> Option<&'static str> {
        let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let scaled = |threshold: f64| (threshold * factor).round();
        let many = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let failures = count(self.failures);
        let all = many(self.failures.saturating_add(self.successes));
        let share_is_too_large =
            many(self.failures).saturating_mul(100) > all.saturating_mul(MOST_PERCENT);
        if failures >= scaled(EVALUATED_FROM) && share_is_too_large {
            Some("EncounteredEscrowProportionThreshold")
        } else if failures > scaled(MOST_FAILURES) {
            Some("EncounteredBaseEscrowThreshold")
        } else if failures + count(self.references) > scaled(MOST_WITH_REFERENCES) {
            Some("EncounteredTotalEscrowThreshold")
        } else {
            None
        }
    }
}

impl Engine {
    /// Sets the job's state by hand. An active job goes on where it stopped.
    pub(in crate::mock_entra) fn set_job(&mut self, code: JobCode, reason: &str, now: i64) {
        if code != JobCode::Active {
            self.interrupt(now);
        }
        self.job.set(code);
        if code == JobCode::Quarantine {
            self.impose(reason, true, now);
        }
    }

    /// Starts a job that does not run: it goes on where it stopped, and a quarantine is lifted.
    pub(in crate::mock_entra) fn start(&mut self, settings: &Settings, now: i64) {
        if self.job.code != JobCode::Active {
            self.run(settings, now);
        }
    }

    /// Pauses the job.
    pub(in crate::mock_entra) fn pause(&mut self, now: i64) {
        self.interrupt(now);
        self.job.set(JobCode::Paused);
    }

    /// Runs the job, unless nobody would be told of a quarantine: then it comes into one at once.
    pub(in crate::mock_entra) fn run(&mut self, settings: &Settings, now: i64) {
        self.job.set(JobCode::Active);
        if !settings.notification_email {
            self.impose(EXCEPTION, false, now);
        } else if !self.held.is_empty() {
            // What a quarantine held is looked at anew.
            self.due = Some(now);
        }
    }

    fn impose(&mut self, reason: &str, by_hand: bool, now: i64) {
        self.counts.quarantines += 1;
        self.job.set(JobCode::Quarantine);
        self.job.quarantine = Some(Quarantine::new(reason, by_hand, now));
    }

    /// At a cycle's end: whether the job is to be in quarantine, now or still.
    pub(super) fn evaluate(&mut self, too_many_deletes: bool, settings: &Settings, now: i64) {
        let verdict = if too_many_deletes {
            Some(TOO_MANY_DELETES)
        } else {
            self.volume().too_much(settings.quarantine_factor)
        };
        let Some(quarantine) = &mut self.job.quarantine else {
            if let Some(reason) = verdict {
                self.impose(reason, false, now);
            }
            return;
        };
        let lasts = quarantine.by_hand
            || quarantine.reason == TOO_MANY_DELETES
            || quarantine.reason == EXCEPTION && !settings.notification_email;
        match verdict {
            None if !lasts => self.job.set(JobCode::Active),
            verdict => {
                if let Some(reason) = verdict.filter(|_| !lasts) {
                    reason.clone_into(&mut quarantine.reason);
                }
                quarantine.current_began = now;
                quarantine.series_count += 1;
                quarantine.next_attempt = now.saturating_add(PACE);
            }
        }
    }

    fn volume(&self) -> Volume {
        let failed_though_known =
            self.escrows.ids().filter(|id| self.directory.anchored(id).is_some()).count();
        Volume {
            failures: self.escrows.len(),
            references: self.open_managers.len(),
            successes: self.directory.known().saturating_sub(failed_though_known),
        }
    }

    /// Disables a job that has been in quarantine for four weeks; tells whether it did.
    pub(super) fn disable_if_over(&mut self, now: i64) -> bool {
        let over = |quarantine: &Quarantine| now >= quarantine.series_began.saturating_add(LONGEST);
        let is_over = self.job.quarantine.as_ref().is_some_and(over);
        if is_over {
            self.job.disable();
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn too_much(failures: usize, references: usize, successes: usize) -> Option<&'static str> {
        Volume { failures, references, successes }.too_much(1.0)
    }

    #[test]
    fn the_examples_of_the_documentation_hold() {
        let proportion = Some("EncounteredEscrowProportionThreshold");
        let base = Some("EncounteredBaseEscrowThreshold");
        assert_eq!(too_much(4_000, 0, 0), None, "fewer than are looked at");
        assert_eq!(too_much(45_000, 0, 1_000_000), base);
        assert_eq!(too_much(30_000, 0, 5_000), proportion);
        assert_eq!(too_much(20_000, 0, 100_000), None);
        let total = Some("EncounteredTotalEscrowThreshold");
        assert_eq!(too_much(40_000, 21_000, 1_000_000), total);
    }

    #[test]
    fn each_threshold_is_where_it_is_said_to_be() {
        assert_eq!(too_much(4_999, 0, 0), None);
        assert!(too_much(5_000, 0, 0).is_some());
        assert_eq!(too_much(6_000, 0, 9_000), None, "40 % are not more than 40 %");
        assert!(too_much(6_001, 0, 9_000).is_some());
        assert_eq!(too_much(40_000, 20_000, 60_000), None);
        assert!(too_much(40_001, 0, 1_000_000).is_some());
        assert!(too_much(0, 60_001, 1_000_000).is_some());
    }

    #[test]
    fn the_factor_scales_the_numbers_and_not_the_share() {
        let scaled =
            |failures, successes| Volume { failures, references: 0, successes }.too_much(0.000_6);
        assert_eq!(scaled(2, 0), None);
        assert_eq!(scaled(3, 2), Some("EncounteredEscrowProportionThreshold"));
        assert_eq!(scaled(4, 6), None);
    }
}
