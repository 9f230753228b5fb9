//! Promises of [`Schedules`](crate::store::Schedules).

use crate::store::conformance::sample::{at, source};
use crate::store::{DueTime, ScheduleNote, Store};

pub async fn a_schedule_is_as_far_as_was_noted_last<S: Store>(store: &S) {
    assert_eq!(store.schedule(&source(), "a").await.unwrap(), None);
    let mut note = ScheduleNote::from(at(5));
    store.note_schedule(&source(), "a", &note).await.unwrap();
    assert_eq!(store.schedule(&source(), "a").await.unwrap(), Some(note.clone()));
    note.due = Some(DueTime { at: at(7), run: "R7".into(), missed: 3 });
    (note.alarmed, note.came) = (Some(at(7)), Some(at(6)));
    store.note_schedule(&source(), "a", &note).await.unwrap();
    assert_eq!(store.schedule(&source(), "a").await.unwrap(), Some(note.clone()));
    let done = ScheduleNote { through: at(7), due: None, alarmed: None, ..note };
    store.note_schedule(&source(), "a", &done).await.unwrap();
    assert_eq!(store.schedule(&source(), "a").await.unwrap(), Some(done));
}

pub async fn schedules_do_not_meet<S: Store>(store: &S) {
    let others = [(source(), "a"), (source(), "b"), ("other".into(), "a")];
    for (millis, (source, name)) in (1..).zip(&others) {
        store.note_schedule(source, name, &ScheduleNote::from(at(millis))).await.unwrap();
    }
    for (millis, (source, name)) in (1..).zip(&others) {
        let note = store.schedule(source, name).await.unwrap().unwrap();
        assert_eq!(note.through, at(millis), "{source} {name}");
    }
}

pub async fn schedules_of_a_source_are_followed_by_one<S: Store>(store: &S) {
    let first = store.schedules_lease(&source(), at(0)).await.unwrap();
    assert!(first.is_some());
    assert!(store.schedules_lease(&source(), at(1)).await.unwrap().is_none());
    assert!(store.schedules_lease(&"other".into(), at(1)).await.unwrap().is_some());
    drop(first);
    assert!(store.schedules_lease(&source(), at(2)).await.unwrap().is_some());
}
