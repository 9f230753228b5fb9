//! Promises of [`Calls`](crate::store::Calls).

use std::time::Duration;

use jiff::Timestamp;

use crate::store::conformance::sample::at;
use crate::store::{CallId, CallLimits, CallPermit, Store};

const LIMITS: CallLimits = CallLimits {
    burst: 40,
    window: Duration::from_secs(5),
    margin: Duration::from_millis(200),
    daily: 2_000,
    lost_after: Duration::from_mins(1),
};

const HOUR: i64 = 3_600_000;

async fn begin<S: Store>(store: &S, limits: CallLimits, now: Timestamp) -> CallPermit {
    store.begin_call("tenant", &"entra".into(), limits, now).await.unwrap()
}

async fn granted<S: Store>(store: &S, limits: CallLimits, now: Timestamp) -> CallId {
    match begin(store, limits, now).await {
        CallPermit::Granted(id) => id,
        refused => panic!("{refused:?}"),
    }
}

pub async fn the_burst_window_holds_its_calls_and_no_more<S: Store>(store: &S) {
    for number in 0..40 {
        let call = granted(store, LIMITS, at(number)).await;
        store.end_call(call, at(number + 50)).await.unwrap();
    }
    assert_eq!(begin(store, LIMITS, at(1_000)).await, CallPermit::Wait(at(5_050)));
    assert_eq!(begin(store, LIMITS, at(5_049)).await, CallPermit::Wait(at(5_050)));
    let call = granted(store, LIMITS, at(5_050)).await;
    store.end_call(call, at(5_050)).await.unwrap();
    assert_eq!(begin(store, LIMITS, at(5_050)).await, CallPermit::Wait(at(5_051)));
    assert_eq!(store.calls_since("tenant", at(0)).await.unwrap(), 41);
    assert_eq!(store.calls_since("tenant", at(39)).await.unwrap(), 2);
    let starts = store.call_starts("tenant", at(39)).await.unwrap();
    assert_eq!((starts.len(), starts.is_sorted()), (2, true));
}

pub async fn a_call_without_answer_counts_until_it_is_answered<S: Store>(store: &S) {
    let limits = CallLimits { burst: 2, ..LIMITS };
    let slow = granted(store, limits, at(0)).await;
    let quick = granted(store, limits, at(1)).await;
    store.end_call(quick, at(100)).await.unwrap();
    let third = granted(store, limits, at(6_000)).await;
    store.end_call(third, at(6_001)).await.unwrap();
    let CallPermit::Wait(then) = begin(store, limits, at(7_000)).await else { panic!("full") };
    assert!(then > at(7_000) && then < at(8_000), "the answer may come at any moment, not {then}");
    store.end_call(slow, at(7_000)).await.unwrap();
    granted(store, limits, at(7_000)).await;
}

pub async fn a_call_that_was_not_made_counts_nowhere<S: Store>(store: &S) {
    let limits = CallLimits { burst: 1, daily: 1, ..LIMITS };
    let call = granted(store, limits, at(0)).await;
    store.forget_call(call).await.unwrap();
    assert_eq!(store.calls_since("tenant", at(0)).await.unwrap(), 0);
    granted(store, limits, at(1)).await;
}

pub async fn a_lost_call_is_forgotten<S: Store>(store: &S) {
    let limits = CallLimits { burst: 1, ..LIMITS };
    granted(store, limits, at(0)).await;
    assert_eq!(begin(store, limits, at(59_950)).await, CallPermit::Wait(at(60_000)));
    granted(store, limits, at(60_000)).await;
}

pub async fn the_calls_of_a_dead_process_are_over_once_its_target_is_recovered<S: Store>(
    store: &S,
) {
    let limits = CallLimits { burst: 1, ..LIMITS };
    granted(store, limits, at(0)).await;
    assert!(matches!(begin(store, limits, at(6_000)).await, CallPermit::Wait(_)));
    store.recover(&"entra".into(), at(6_000)).await.unwrap();
    granted(store, limits, at(6_000)).await;
}

pub async fn the_day_rolls<S: Store>(store: &S) {
    let limits = CallLimits { daily: 3, ..LIMITS };
    for hour in [0, 1, 2] {
        let call = granted(store, limits, at(hour * HOUR)).await;
        store.end_call(call, at(hour * HOUR)).await.unwrap();
    }
    let full = CallPermit::Exhausted(at(24 * HOUR));
    assert_eq!(begin(store, limits, at(3 * HOUR)).await, full);
    assert_eq!(begin(store, limits, at(24 * HOUR - 1)).await, full);
    granted(store, limits, at(24 * HOUR)).await;
    assert_eq!(begin(store, limits, at(24 * HOUR)).await, CallPermit::Exhausted(at(25 * HOUR)));
    // A smaller licence counts what was called under the larger one.
    let fewer = CallLimits { daily: 1, ..LIMITS };
    let permit = begin(store, fewer, at(24 * HOUR + 1)).await;
    assert_eq!(permit, CallPermit::Exhausted(at(48 * HOUR)));
    assert_eq!(store.calls_since("tenant", at(0)).await.unwrap(), 4);
    granted(store, LIMITS, at(49 * HOUR + 1)).await;
    assert_eq!(store.calls_since("tenant", at(0)).await.unwrap(), 1, "older ones are gone");
}

pub async fn tenants_do_not_share_a_quota<S: Store>(store: &S) {
    let limits = CallLimits { burst: 1, daily: 1, ..LIMITS };
    granted(store, limits, at(0)).await;
    let other = store.begin_call("other", &"entra".into(), limits, at(0)).await.unwrap();
    assert!(matches!(other, CallPermit::Granted(_)), "{other:?}");
    assert_eq!(begin(store, limits, at(0)).await, CallPermit::Exhausted(at(24 * HOUR)));
}

pub async fn a_clock_that_goes_back_does_not_stop_the_calls<S: Store>(store: &S) {
    for number in 0..40 {
        let call = granted(store, LIMITS, at(HOUR + number)).await;
        store.end_call(call, at(HOUR + number + 50)).await.unwrap();
    }
    // an hour earlier than the calls: they may have been made just now
    let CallPermit::Wait(until) = begin(store, LIMITS, at(0)).await else { panic!("no wait") };
    assert_eq!(until, at(5_000));
    assert_eq!(begin(store, LIMITS, at(4_999)).await, CallPermit::Wait(at(5_000)));
    granted(store, LIMITS, at(5_000)).await;
    let day = CallLimits { daily: 41, ..LIMITS };
    assert_eq!(begin(store, day, at(10_000)).await, CallPermit::Exhausted(at(24 * HOUR)));
}
