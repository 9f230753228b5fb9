//! Promises of [`Audit`](crate::store::Audit).

use crate::domain::{
    AuditAction, AuditDetails, AuditEntry, AuditSubject, AuditValue, Origin, RunId, Who,
};
use crate::store::conformance::sample::at;
use crate::store::{
    AuditFault, AuditHead, AuditRecord, AuditSummary, AuditVerdict, AuditedConfig, Store, line_of,
    link, record_of,
};

fn entry(number: u64) -> AuditEntry {
    AuditEntry {
        action: AuditAction::RunApproved,
        subject: AuditSubject::Run(RunId::new(format!("R{number}"))),
        details: AuditDetails::none().with("operations", number),
        who: Who::new("ann", Origin::Cli).told("uid 1000"),
    }
}

async fn sound<S: Store>(store: &S) -> AuditSummary {
    match store.verify_audit(None).await.unwrap() {
        AuditVerdict::Sound(summary) => summary,
        AuditVerdict::Broken(fault) => panic!("{fault}"),
    }
}

async fn all<S: Store>(store: &S) -> Vec<AuditRecord> {
    store.audit_page(0, 1_000).await.unwrap()
}

pub async fn entries_are_read_by_number_and_hang_together<S: Store>(store: &S) {
    for number in 1..=5 {
        let head = store.append_audit(entry(number), at(10 * number.cast_signed())).await.unwrap();
        assert_eq!((head.seq, head), (number, store.audit_head().await.unwrap()));
    }
    let records = all(store).await;
    assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(store.audit_page(2, 2).await.unwrap(), records[2..4]);
    assert_eq!(store.audit_page(5, 2).await.unwrap(), []);
    let second = &records[1];
    assert_eq!((second.at, second.actor.as_str()), (at(20), "ann (uid 1000)"));
    assert_eq!((second.origin.as_str(), second.action.as_str()), ("cli", "run.approved"));
    assert_eq!(
        (second.subject.as_str(), second.details.as_str()),
        ("run R2", r#"{"operations":2}"#)
    );
    let mut previous = [0; 32];
    for record in &records {
        assert_eq!(record.previous, previous);
        assert_eq!(record.hash, link(&previous, &record.link()));
        previous = record.hash;
        assert_eq!(record_of(&line_of(record).unwrap()).as_ref(), Ok(record));
    }
    let summary = sound(store).await;
    assert_eq!((summary.count, summary.head.hash), (5, records[4].hash));
    assert_eq!((summary.first_at, summary.last_at), (Some(at(10)), Some(at(50))));
}

pub async fn a_trail_without_records_is_sound<S: Store>(store: &S) {
    let summary = sound(store).await;
    assert_eq!((summary.count, summary.first_at, summary.last_at), (0, None, None));
    assert_eq!(summary.head, AuditHead::EMPTY);
    assert_eq!(store.audit_head().await.unwrap(), AuditHead::EMPTY);
}

pub async fn a_head_that_was_noted_has_to_be_there<S: Store>(store: &S) {
    let noted = store.append_audit(entry(1), at(1)).await.unwrap();
    store.append_audit(entry(2), at(2)).await.unwrap();
    let verified = store.verify_audit(Some(noted)).await.unwrap();
    assert!(matches!(verified, AuditVerdict::Sound(_)), "{verified:?}");
    let text = noted.to_string();
    assert_eq!(text.parse(), Ok(noted));
    let other = AuditHead { hash: [7; 32], ..noted };
    let verified = store.verify_audit(Some(other)).await.unwrap();
    assert_eq!(verified, AuditVerdict::Broken(AuditFault::OtherHead { seq: 1 }));
    let later = AuditHead { seq: 9, ..noted };
    let verified = store.verify_audit(Some(later)).await.unwrap();
    assert_eq!(verified, AuditVerdict::Broken(AuditFault::CutOff { last: 2, were: 9 }));
}

pub async fn a_config_is_told_once_with_the_keys_that_are_others<S: Store>(store: &S) {
    let config = |digest: u8, keys: &[(&str, u8)]| AuditedConfig {
        digest: [digest; 32],
        keys: keys.iter().map(|(key, digest)| ((*key).to_owned(), [*digest; 32])).collect(),
    };
    let who = Who::new("ann", Origin::Cli);
    let first = config(1, &[("store.url", 1), ("source.hr.format", 1), ("source.hr.export", 1)]);
    assert!(store.audit_config(first.clone(), who.clone(), at(1)).await.unwrap());
    assert!(!store.audit_config(first, who.clone(), at(2)).await.unwrap());
    let second =
        config(2, &[("store.url", 1), ("source.hr.format", 9), ("target.entra.job_id", 1)]);
    assert!(store.audit_config(second.clone(), who.clone(), at(3)).await.unwrap());
    // a comment
    let third = config(3, &[("store.url", 1), ("source.hr.format", 9), ("target.entra.job_id", 1)]);
    assert!(store.audit_config(third, who, at(4)).await.unwrap());
    let records = all(store).await;
    assert!(records.iter().all(|record| record.action == "config.changed"));
    let details: Vec<_> = records.iter().map(|record| record.details.clone()).collect();
    let before = |digest| AuditValue::digest(&[digest; 32]);
    let told = |digest, changed: &[&str]| {
        let details = AuditDetails::none().with("after", before(digest));
        details.with("changed", AuditValue::codes(changed.iter().copied()))
    };
    let expected = [
        told(1, &["source.hr.export", "source.hr.format", "store.url"]),
        told(2, &["source.hr.export", "source.hr.format", "target.entra.job_id"])
            .with("before", before(1)),
        told(3, &[]).with("before", before(2)),
    ];
    assert_eq!(details, expected.map(|details| details.to_json()));
}
