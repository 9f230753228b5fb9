//! Random days with random faults, and SIGKILL at random instants.
//!
//! A company changes every day; its files are applied by commands that are killed while the stand-in
//! misbehaves, broken and stale files come in between, people approve, cancel and retry. Then the
//! faults are over, what is left is worked off, and everything must be as the company says.
//!
//! `SCIMPORT_SOAK_KILLS=2000` goes on until so many kills have hit; `SCIMPORT_SOAK_SEED` begins with
//! another seed, which repeats the story of that seed as far as the machine's timing does;
//! `SCIMPORT_SOAK_AT_ONCE` is how many stories are told at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::soak_story::Story;
use crate::soak_tally::Tally;

/// Stories of the short form.
const STORIES: u64 = 4;
/// Stories at a time.
const AT_ONCE: usize = 4;
/// Times that a story comes to rest and is looked at.
const RESTS: u32 = 2;
/// The same in the long form.
const LONG_RESTS: u32 = 4;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Says which seed it was when a story ends in a panic.
struct Telltale(u64);

impl Drop for Telltale {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the story of seed {0} failed: SCIMPORT_SOAK_SEED={0} repeats it", self.0);
        }
    }
}

async fn told(seed: u64, rests: u32) -> Tally {
    let _telltale = Telltale(seed);
    let mut story = Story::begin(seed).await;
    for _ in 0..rests {
        story.live_through_some_days().await;
        story.come_to_rest().await;
    }
    story.prove_every_run().await;
    story.tally
}

#[tokio::test(flavor = "multi_thread")]
async fn after_random_days_with_faults_and_kills_everything_is_as_the_company_says() {
    let wanted = number("SCIMPORT_SOAK_KILLS");
    let first = number("SCIMPORT_SOAK_SEED").unwrap_or(1);
    let at_once =
        number("SCIMPORT_SOAK_AT_ONCE").map_or(AT_ONCE, |number| number.try_into().unwrap());
    let (stories, rests) = match wanted {
        Some(_) => (u64::MAX - first, LONG_RESTS),
        None => (STORIES, RESTS),
    };
    let hit = Arc::new(AtomicU64::new(0));
    let room = Arc::new(Semaphore::new(at_once));
    let mut running = JoinSet::new();
    let mut all = Tally::default();
    let mut last = first;
    for seed in first..first + stories {
        let place = Arc::clone(&room).acquire_owned().await.unwrap();
        while let Some(tally) = running.try_join_next() {
            all.add(&tally.unwrap());
        }
        if wanted.is_some_and(|wanted| hit.load(Ordering::Relaxed) >= wanted) {
            break;
        }
        last = seed;
        let hit = Arc::clone(&hit);
        running.spawn(async move {
            let _place = place;
            let tally = told(seed, rests).await;
            let kills = hit.fetch_add(tally.kills, Ordering::Relaxed) + tally.kills;
            if wanted.is_some() {
                println!("seed {seed}: {tally}; {kills} kills so far");
            }
            tally
        });
    }
    while let Some(tally) = running.join_next().await {
        all.add(&tally.unwrap());
    }
    println!("seeds {first} to {last}: {all}");
    assert!(all.kills >= wanted.unwrap_or(25), "only {} kills hit", all.kills);
    assert!(all.refused > 0 && all.held > 0, "no broken file was among them: {all}");
}
