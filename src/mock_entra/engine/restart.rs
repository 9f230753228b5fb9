//! Restarting the job: what is reset, and what becomes of staged data.
//!
//! Follows "synchronizationJobRestartCriteria resource type" and the FAQ of API-driven inbound
//! provisioning: a job that runs first finishes what is staged; one that does not run loses it.

use super::cycle::{Engine, Queued};
use super::deletes::TOO_MANY_DELETES;
use super::job::JobCode;
use crate::mock_entra::shared::Settings;

/// One of the words of `resetScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The same as a start.
    None,
    /// Failed records are tried no more.
    Escrows,
    /// Everything is read anew. For this API the source is what is staged, so there is nothing
    /// more to read; a cycle begins at once.
    Watermark,
    /// The quarantine is lifted, until the next cycle finds it due.
    QuarantineState,
    /// The cache is dropped: which account belongs to whom, and managers still to be tied.
    ConnectorDataStore,
    /// All of the above.
    Full,
    /// The disables that the threshold holds back are let go.
    ForceDeletes,
}

/// What a restart resets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::mock_entra) struct Reset(Vec<Scope>);

impl Default for Reset {
    /// What an empty scope stands for, and the portal's button.
    fn default() -> Self {
        Self(vec![Scope::QuarantineState, Scope::Watermark, Scope::Escrows])
    }
}

impl Reset {
    /// Reads `resetScope`; `None` for an unknown word.
    pub(in crate::mock_entra) fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let scope = |word: &str| {
            Some(match word.trim() {
                "None" => Scope::None,
                "Escrows" => Scope::Escrows,
                "Watermark" => Scope::Watermark,
                "QuarantineState" => Scope::QuarantineState,
                "ConnectorDataStore" => Scope::ConnectorDataStore,
                "Full" => Scope::Full,
                "ForceDeletes" => Scope::ForceDeletes,
                _ => return None,
            })
        };
        text.split(',').map(scope).collect::<Option<_>>().map(Self)
    }

    fn resets(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::Full)
    }

    fn forces_deletes(&self) -> bool {
        self.0.contains(&Scope::ForceDeletes)
    }

    fn is_start(&self) -> bool {
        self.0.iter().all(|scope| *scope == Scope::None)
    }
}

/// A restart told while the job ran.
#[derive(Debug)]
pub(super) struct Pending {
    reset: Reset,
    /// How many of the staged records still belong to the cycle before it.
    pub(super) before: usize,
}

impl Engine {
    /// Restarts the job.
    pub(in crate::mock_entra) fn restart(&mut self, reset: Reset, settings: &Settings, now: i64) {
        self.counts.restarts += 1;
        if reset.is_start() {
            self.start(settings, now);
        } else if self.job.code == JobCode::Active {
            self.restart_running(reset, now);
        } else {
            self.restart_stopped(&reset, settings, now);
        }
    }

    /// The current cycle finishes what is staged; the next, right after it, resets.
    fn restart_running(&mut self, mut reset: Reset, now: i64) {
        if let Some(earlier) = self.pending.take() {
            reset.0.extend(earlier.reset.0);
        }
        let mut before = self.bucket.len();
        if let Some(cycle) = &mut self.cycle {
            cycle.append(&mut self.bucket);
            before = 0;
        } else if before == 0 {
            self.due = Some(now);
        }
        self.pending = Some(Pending { reset, before });
    }

    /// What was staged is purged, and only new data is processed.
    fn restart_stopped(&mut self, reset: &Reset, settings: &Settings, now: i64) {
        self.counts.purged += self.bucket.len();
        self.bucket.clear();
        self.due = None;
        self.pending = None;
        self.reset(reset);
        let releases = reset.forces_deletes() && self.job.is_quarantined_for(TOO_MANY_DELETES);
        let stays = self.job.code == JobCode::Quarantine
            && !reset.resets(Scope::QuarantineState)
            && !releases;
        if !stays {
            self.run(settings, now);
            // A new initial cycle.
            self.due = Some(now);
        }
    }

    fn reset(&mut self, reset: &Reset) {
        if reset.resets(Scope::Escrows) {
            self.escrows.clear();
            self.job.escrows_pruned = false;
        }
        if reset.resets(Scope::ConnectorDataStore) {
            self.directory.forget_anchors();
            self.open_managers.clear();
        }
        let held = std::mem::take(&mut self.held);
        if reset.forces_deletes() {
            for (_, held) in held.into_iter().rev() {
                self.bucket.push_front(Queued::released(held.record));
            }
        }
    }

    /// As a cycle begins: how many of the staged records are its own. The cycle after a restart
    /// resets first.
    pub(super) fn take_pending(&mut self) -> usize {
        if let Some(mut pending) = self.pending.take() {
            if pending.before > 0 {
                let before = std::mem::take(&mut pending.before);
                self.pending = Some(pending);
                return before.min(self.bucket.len());
            }
            self.reset(&pending.reset);
        }
        self.bucket.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use super::super::cycle::Step;
    use super::super::record::{Record, Source};
    use super::*;
    use crate::mock_entra::MockConfig;

    fn settings() -> Settings {
        Settings::of(&MockConfig::default())
    }

    fn stage(engine: &mut Engine, ids: std::ops::Range<u32>) {
        let record = |id: u32| {
            let data = json!({ "userName": format!("u{id}@contoso.example") });
            Record::new(Arc::from(id.to_string()), Source::of(data.as_object().unwrap()))
        };
        engine.stage(ids.map(record).collect(), 0, Duration::ZERO);
    }

    /// A cycle of 250 records, caught after its first step.
    fn caught() -> Engine {
        let mut engine = Engine::default();
        stage(&mut engine, 0..250);
        assert_eq!(engine.step(&settings(), 0), Step::Working);
        assert_eq!((engine.directory.len(), engine.staged_now()), (100, 150));
        engine
    }

    #[test]
    fn a_cycle_that_was_paused_goes_on_where_it_stopped() {
        let mut engine = caught();
        stage(&mut engine, 250..260);
        engine.pause(1);
        assert_eq!(engine.staged_now(), 160);
        engine.run_until(&settings(), 1, i64::MAX);
        assert_eq!(engine.directory.len(), 100, "not while it is paused");
        engine.start(&settings(), 2);
        engine.run_until(&settings(), 2, 2);
        assert_eq!((engine.directory.len(), engine.staged_now()), (260, 0));
        assert_eq!(engine.counts.purged, 0);
    }

    #[test]
    fn a_restart_throws_away_the_rest_of_a_paused_cycle_too() {
        let mut engine = caught();
        engine.pause(1);
        engine.restart(Reset::default(), &settings(), 2);
        engine.run_until(&settings(), 2, 2);
        assert_eq!((engine.directory.len(), engine.staged_now()), (100, 0));
        assert_eq!(engine.counts.purged, 150);
    }

    #[test]
    fn a_restart_amid_a_cycle_lets_it_finish_all_that_is_staged() {
        let mut engine = caught();
        stage(&mut engine, 250..260);
        engine.restart(Reset::default(), &settings(), 1);
        stage(&mut engine, 260..270);
        while engine.step(&settings(), 1) == Step::Working {}
        assert_eq!((engine.directory.len(), engine.staged_now()), (260, 10), "one cycle");
        engine.run_until(&settings(), 1, 1);
        assert_eq!((engine.directory.len(), engine.staged_now()), (270, 0), "the next, at once");
        assert_eq!((engine.counts.purged, engine.counts.cycles), (0, 2));
    }

    #[test]
    fn an_empty_scope_is_what_the_portal_does() {
        let usual = Reset::read("").unwrap();
        for scope in [Scope::QuarantineState, Scope::Watermark, Scope::Escrows] {
            assert!(usual.resets(scope), "{scope:?}");
        }
        assert!(!usual.resets(Scope::ConnectorDataStore) && !usual.forces_deletes());
    }

    #[test]
    fn words_are_read_with_or_without_blanks_and_no_others() {
        assert_eq!(
            Reset::read("Watermark, Escrows,QuarantineState"),
            Some(Reset(vec![Scope::Watermark, Scope::Escrows, Scope::QuarantineState]))
        );
        for wrong in ["Everything", "escrows", "Escrows,", ",", "Escrows; Full"] {
            assert_eq!(Reset::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn full_is_all_but_what_the_threshold_holds() {
        let full = Reset::read("Full").unwrap();
        assert!(full.resets(Scope::Escrows) && full.resets(Scope::ConnectorDataStore));
        assert!(full.resets(Scope::QuarantineState) && !full.forces_deletes());
        assert!(Reset::read("None").unwrap().is_start() && !full.is_start());
    }
}
