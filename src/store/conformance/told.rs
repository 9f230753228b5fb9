//! What the store does itself is in the [`Audit`](crate::store::Audit) trail, once and with it.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::domain::{
    Change, DeliveryId, HeldBy, KeyId, KeyScope, OperationStatus, Origin, RunId, Who,
};
use crate::store::conformance::sample::{
    at, by, claim, commit, joiners, new_run, row, source, target,
};
use crate::store::{AuditVerdict, Commit, NewDelivery, NewKey, NewRun, Resent, ResentWhy, Store};

/// Each record's action, subject, actor, origin and details.
async fn told<S: Store>(store: &S) -> Vec<(String, Value)> {
    let verdict = store.verify_audit(None).await.unwrap();
    assert!(matches!(verdict, AuditVerdict::Sound(_)), "{verdict:?}");
    let records = store.audit_page(0, 1_000).await.unwrap();
    let line = |record: crate::store::AuditRecord| {
        let line = format!(
            "{} {} by {} from {}",
            record.action, record.subject, record.actor, record.origin
        );
        (line, serde_json::from_str(&record.details).unwrap())
    };
    records.into_iter().map(line).collect()
}

fn lines(told: &[(String, Value)]) -> Vec<&str> {
    told.iter().map(|(line, _)| line.as_str()).collect()
}

pub async fn decisions_and_runs_are_told_once_with_who_and_from_where<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1"]), at(0)).await;
    for id in ["R2", "R3"] {
        let guard = HeldBy { guard: "max_leavers".into(), limit: "5%".into(), value: 7, of: 9 };
        let who = by("ada").via(Origin::Folder);
        let held = NewRun { held_by: vec![guard], who, ..new_run(id, 1) };
        let mut draft = store.draft(&target()).await.unwrap();
        draft.push(vec![row(2, "E1", Change::Leaver, 2)]).await.unwrap();
        assert_eq!(draft.commit(held, at(1)).await.unwrap(), Commit::Done);
    }
    let (first, second, failed) = (RunId::from("R2"), RunId::from("R3"), [OperationStatus::Failed]);
    store.cancel(&first, &by("ben"), at(2)).await.unwrap();
    // what cannot be done is not told
    store.approve(&first, &by("ben"), at(3)).await.unwrap();
    store.retry(&second, &failed, &by("ben"), at(3)).await.unwrap();
    store.approve(&second, &by("cy"), at(4)).await.unwrap();
    let told = told(store).await;
    assert_eq!(
        lines(&told),
        [
            "run.committed run R1 by scimport from daemon",
            "run.held run R2 by ada from folder",
            "run.held run R3 by ada from folder",
            "run.cancelled run R2 by ben from cli",
            "run.approved run R3 by cy from cli",
        ]
    );
    assert_eq!(told[1].1["held_by"], json!(["max_leavers"]));
    assert_eq!((&told[0].1["source"], &told[0].1["rows"]), (&json!("hr"), &json!(1)));
    assert_eq!(told[4].1, json!({"operations": 1}));
    let last = store.audit_page(4, 1).await.unwrap();
    assert_eq!(last[0].at, at(4));
}

pub async fn keys_are_told_and_what_failed_is_not<S: Store>(store: &S) {
    let id = |number: u8| KeyId::parse(&format!("abcdefghij{number:02}")).unwrap();
    let new = |number, scope| NewKey {
        id: id(number),
        scope,
        digest: [number; 32],
        expires_at: at(90_000),
        by: by("ann"),
    };
    store.add_key(new(1, KeyScope::Webhook(source())), at(1)).await.unwrap();
    store.add_key(new(1, KeyScope::Admin), at(2)).await.unwrap_err();
    let overlap = SignedDuration::from_secs(1);
    let successor = new(2, KeyScope::Webhook(source()));
    store.rotate_key(&id(1), successor, overlap, at(3)).await.unwrap();
    store.rotate_key(&id(1), new(3, KeyScope::Admin), overlap, at(4)).await.unwrap();
    store.revoke_key(&id(2), &by("ben"), at(5)).await.unwrap();
    store.revoke_key(&id(2), &by("ben"), at(6)).await.unwrap();
    let told = told(store).await;
    assert_eq!(
        lines(&told),
        [
            "key.created key abcdefghij01 by ann from cli",
            "key.rotated key abcdefghij01 by ann from cli",
            "key.revoked key abcdefghij02 by ben from cli",
        ]
    );
    let expires_at = at(90_000).to_string();
    let created = json!({"expires_at": expires_at, "role": "webhook", "source": "hr"});
    assert_eq!(told[0].1, created);
    let ends_at = at(1_003).to_string();
    assert_eq!(
        (&told[1].1["successor"], &told[1].1["ends_at"]),
        (&json!("abcdefghij02"), &json!(ends_at))
    );
}

pub async fn deliveries_are_told_once<S: Store>(store: &S) {
    let delivery = |number: u8| NewDelivery {
        id: DeliveryId::new(format!("D{number}")),
        source: source(),
        identity: [number; 32],
        is_lasting: true,
        received_at: at(i64::from(number)),
        caller: "key abc".to_owned(),
        from: "10.0.0.7".parse().ok(),
        is_form: false,
        workers: 2,
        body: b"{\"name\":\"Ann\"}".to_vec(),
    };
    store.keep_deliveries(vec![delivery(1), delivery(1), delivery(2)]).await.unwrap();
    let closed = vec![(DeliveryId::new("D2"), "there is no worker in it".to_owned())];
    store.close_deliveries(closed.clone(), at(9)).await.unwrap();
    store.close_deliveries(closed, at(10)).await.unwrap();
    let told = told(store).await;
    assert_eq!(
        lines(&told),
        [
            "delivery.received delivery D1 by key abc from webhook 10.0.0.7",
            "delivery.received delivery D2 by key abc from webhook 10.0.0.7",
            "delivery.closed delivery D2 by scimport from daemon",
        ]
    );
    assert_eq!(told[0].1, json!({"source": "hr", "workers": 2}));
}

pub async fn answers_to_bulk_requests_are_told<S: Store>(store: &S) {
    commit(store, "R1", joiners(&["E1", "E2"]), at(0)).await;
    let first = claim(store, at(1)).await.unwrap();
    let request_id = Some("0a1b-2c3d".to_owned());
    for moment in [2, 3] {
        // the second time it is no longer being sent
        store.accepted(first.id, request_id.clone(), at(moment), at(moment)).await.unwrap();
    }
    commit(store, "R2", vec![row(2, "E3", Change::Joiner, 1)], at(4)).await;
    let second = claim(store, at(5)).await.unwrap();
    let reason = "Ann has no such domain".to_owned();
    store.refuse(second.id, "BadRequest".into(), reason, "look".into(), at(6)).await.unwrap();
    let resent = Resent { at: at(7), operations: 2, why: ResentWhy::Overtaken };
    store.note_resent(&target(), resent).await.unwrap();
    let told = told(store).await;
    let who = Who::bridge(Origin::Daemon).actor();
    let expected = [
        "run.committed run R1".to_owned(),
        format!("request.accepted request {}", first.id),
        "run.committed run R2".to_owned(),
        format!("request.refused request {}", second.id),
        "target.resent target entra".to_owned(),
    ];
    let expected = expected.map(|line| format!("{line} by {who} from daemon"));
    assert_eq!(lines(&told), expected);
    assert_eq!(told[1].1, json!({"operations": 2, "request_id": "0a1b-2c3d", "target": "entra"}));
    assert_eq!(told[3].1, json!({"code": "BadRequest", "operations": 1, "target": "entra"}));
}
