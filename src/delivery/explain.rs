//! Why a provisioning job does not process uploads, and what to do: one table for every state and
//! every reason of a quarantine.
//!
//! Follows "synchronizationQuarantine resource type" and "Application provisioning in quarantine
//! status" of Microsoft's documentation.

/// What a job's state means and the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobAdvice {
    /// What it means.
    pub means: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// Stands for the one state that no job tells of itself: its ingestion bucket is full.
pub(super) const BUCKET_FULL: &str = "BucketFull";

const fn say(means: &'static str, advice: &'static str) -> JobAdvice {
    JobAdvice { means, advice }
}

/// What a job's code, and the reason of its quarantine where it is in one, ask for.
#[must_use]
pub fn job_advice(code: &str, quarantine: Option<&str>) -> JobAdvice {
    match (code, quarantine) {
        ("Paused", _) => say(
            "somebody has paused the job: it takes uploads and processes none of them",
            "open the provisioning app in the Entra admin center and start provisioning",
        ),
        ("NotConfigured", _) => say(
            "the job is not set up yet",
            "open the provisioning app in the Entra admin center, set the mode to Automatic, fill in the \
             notification e-mail, and start provisioning",
        ),
        (BUCKET_FULL, _) => say(
            "what was uploaded and not processed yet fills the job's store: it takes nothing more for now",
            "nothing while the job runs, sending goes on by itself; if it stays full, see on the \
             provisioning page what fails: failed people stay in the store until they are sent corrected",
        ),
        ("Quarantine", Some(reason)) => quarantine_advice(reason),
        ("Quarantine", None) => quarantine_advice("Unknown"),
        _ => say(
            "the job is in a state that does not process uploads",
            "look at the provisioning page of the app in the Entra admin center",
        ),
    }
}

fn quarantine_advice(reason: &str) -> JobAdvice {
    match reason {
        "EncounteredEscrowProportionThreshold" => say(
            "more than 40 % of the people have failed, so Entra has put the job into quarantine",
            "correct what most of them failed for (`scimport report latest` has the reasons), then start \
             provisioning; what is open is sent again by itself",
        ),
        "EncounteredBaseEscrowThreshold" | "EncounteredTotalEscrowThreshold" => say(
            "so many people have failed that Entra has put the job into quarantine",
            "correct what they failed for (`scimport report latest` has the reasons), then start \
             provisioning; what is open is sent again by itself",
        ),
        "EncounteredQuarantineException" => say(
            "Entra could not run the job: the notification e-mail is missing, or the connection to the \
             directory fails",
            "fill in the notification e-mail under Settings of the provisioning app and test the \
             connection, then start provisioning",
        ),
        "QuarantinedOnDemand" | "QuarantineOnDemand" => say(
            "Microsoft has put the job into quarantine by hand",
            "open a support request with Microsoft; nothing on this side helps",
        ),
        "TooManyDeletes" => say(
            "one cycle would have disabled more people than the job's accidental-deletion threshold allows",
            "if they are to leave, allow the deletes on the provisioning page (or restart the job with \
             ForceDeletes); if not, correct the HR data first and restart provisioning",
        ),
        "IngestionInterrupted" => say(
            "Entra has stopped taking in what was uploaded",
            "start provisioning again; what is open is sent again by itself",
        ),
        _ => say(
            "Entra has put the job into quarantine and does not say why",
            "look at the provisioning page of the app in the Entra admin center, mend what it reports, and \
             start provisioning",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_state_and_reason_has_words_and_a_way_out() {
        let reasons = [
            "EncounteredBaseEscrowThreshold",
            "EncounteredTotalEscrowThreshold",
            "EncounteredEscrowProportionThreshold",
            "EncounteredQuarantineException",
            "Unknown",
            "QuarantinedOnDemand",
            "QuarantineOnDemand",
            "TooManyDeletes",
            "IngestionInterrupted",
        ];
        let mut text = String::new();
        let states = ["Paused", "NotConfigured", "Sleeping", BUCKET_FULL].map(|code| (code, None));
        let quarantines = reasons.map(|reason| ("Quarantine", Some(reason)));
        for (code, reason) in states.into_iter().chain(quarantines) {
            let JobAdvice { means, advice } = job_advice(code, reason);
            let reason = reason.unwrap_or("-");
            writeln!(text, "{code} {reason}\n  {means}\n  → {advice}").unwrap();
        }
        insta::assert_snapshot!(text);
        assert_eq!(
            job_advice("Quarantine", Some("QuarantineOnDemand")),
            job_advice("Quarantine", Some("QuarantinedOnDemand")),
            "two spellings of one reason"
        );
    }
}
