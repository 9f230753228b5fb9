//! Files that come by themselves: taken when they are whole, once, and answered.

use std::io::Write as _;
use std::time::Duration;

use crate::serve_support::{
    PATIENT, QUICK, Serving, answer, answered, drop_file, files, stage, stage_with, words_of,
};
use crate::support::{HEADER, count, worker, workers};

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_upload_is_taken_once_and_whole() {
    let stage = stage(&QUICK.replace("300ms", "2s"), 30).await;
    let text = workers(30, 2);
    let path = stage.path("inbox/workers.csv");
    // there already when it starts, and not whole yet
    let mut upload = std::fs::File::create(&path).unwrap();
    let mut pieces = text.as_bytes().chunks(text.len().div_ceil(25));
    upload.write_all(pieces.next().unwrap()).unwrap();
    let mut serving = Serving::start(&stage);
    for piece in pieces {
        tokio::time::sleep(Duration::from_millis(150)).await;
        upload.write_all(piece).unwrap();
        assert!(path.exists(), "it was taken while it grew\n{}", serving.log());
    }
    drop(upload);
    let done = serving.has(&stage, "done", 1).await;
    assert_eq!(std::fs::read_to_string(&done[0]).unwrap(), text);
    answered(&done[0], "Status: completed").await;
    stage.assert_directory_is(30, 2).await;
    let runs = stage.runs().await;
    assert_eq!((runs.len(), &runs[1]["file"]), (2, &"workers.csv".into()));
    assert_eq!(count(&runs[1], "provisioned"), 30);
    serving.stop().await;
    stage.assert_limits_are_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_companion_and_a_rename_say_that_a_file_is_whole() {
    let stage = stage(PATIENT, 10).await;
    let mut serving = Serving::start(&stage);
    serving.says("watching this folder", 1).await;
    let inbox = stage.path("inbox");
    // neither is taken: one may still grow, the other says so itself
    std::fs::write(inbox.join("plain.csv"), workers(10, 9)).unwrap();
    std::fs::write(inbox.join("workers.csv.part"), workers(10, 2)).unwrap();
    std::fs::write(inbox.join("~$book.csv"), "x").unwrap();
    std::fs::write(inbox.join(".hidden.csv"), "x").unwrap();
    std::fs::create_dir(inbox.join("sub.csv")).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(files(&stage, "done"), [""; 0].map(std::path::PathBuf::from));
    std::fs::rename(inbox.join("workers.csv.part"), inbox.join("workers.csv")).unwrap();
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    stage.assert_directory_is(10, 2).await;

    std::fs::write(inbox.join("later.csv"), workers(10, 3)).unwrap();
    std::fs::write(inbox.join("later.csv.done"), "").unwrap();
    let done = serving.has(&stage, "done", 2).await;
    answered(&done[0], "Status: completed").await;
    stage.assert_directory_is(10, 3).await;
    // the companion went with its file: it says nothing of the next one of that name
    assert!(!inbox.join("later.csv.done").exists());
    assert!(inbox.join("plain.csv").exists() && inbox.join("sub.csv").exists());
    let mut left: Vec<_> = std::fs::read_dir(inbox.join("work")).unwrap().collect();
    left.retain(|entry| entry.as_ref().unwrap().file_name() != ".lock");
    assert!(left.is_empty(), "{left:?}");
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_says_nothing_and_the_bytes_say_everything() {
    let stage = stage(QUICK, 10).await;
    let mut serving = Serving::start(&stage);
    drop_file(&stage, "workers.csv", &workers(10, 2));
    let first = serving.has(&stage, "done", 1).await;
    let text = answered(&first[0], "Status: completed").await;
    assert!(text.starts_with("workers.csv: done\n"), "{text}");
    let rows = std::fs::read_to_string(answer(&first[0], ".rows.csv")).unwrap();
    assert_eq!(rows.matches(",provisioned,").count(), 10, "{rows}");
    // yesterday's name with new bytes is new
    drop_file(&stage, "workers.csv", &workers(10, 3));
    let second = serving.has(&stage, "done", 2).await;
    answered(&second[1], "Status: completed").await;
    stage.assert_directory_is(10, 3).await;
    let runs = stage.runs().await;
    assert_eq!(runs.len(), 3);
    // the same bytes again are not, whatever they are called
    let calls = stage.mock.ask("stats").await["calls"].clone();
    drop_file(&stage, "other.csv", &workers(10, 3));
    let third = serving.has(&stage, "done", 3).await;
    let again = third.iter().find(|path| path.to_str().unwrap().contains("other")).unwrap();
    let text = words_of(again);
    assert!(text.contains("the same bytes came before, as run"), "{text}");
    assert!(text.contains(runs[2]["run"].as_str().unwrap()), "{text}");
    assert_eq!(stage.runs().await.len(), 3);
    assert_eq!(stage.mock.ask("stats").await["calls"], calls);
    for path in &third {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(answer(path, ".answer.txt")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_vanishes_and_comes_back_is_watched_again() {
    let stage = stage(QUICK, 10).await;
    let inbox = stage.path("inbox");
    std::fs::remove_dir(&inbox).unwrap();
    let mut serving = Serving::start(&stage);
    serving.says("waiting for it", 1).await;
    std::fs::create_dir(&inbox).unwrap();
    serving.says("is there again", 1).await;
    drop_file(&stage, "workers.csv", &workers(10, 2));
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    // a share that goes and comes back with everything in it
    std::fs::rename(&inbox, stage.path("elsewhere")).unwrap();
    serving.says("waiting for it", 2).await;
    std::fs::write(stage.path("elsewhere/next.csv"), workers(10, 3)).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    std::fs::rename(stage.path("elsewhere"), &inbox).unwrap();
    let done = serving.has(&stage, "done", 2).await;
    answered(&done[0], "Status: completed").await;
    stage.assert_directory_is(10, 3).await;
    let log = serving.stop().await;
    assert_eq!(log.matches("waiting for it").count(), 2, "{log}");
    assert_eq!(log.matches("is there again").count(), 2, "{log}");
    assert_eq!(stage.runs().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_at_once_are_all_taken_each_once() {
    const FILES: usize = 200;
    let stage = stage(QUICK, 10).await;
    let mut serving = Serving::start(&stage);
    for number in 0..FILES {
        let line = worker(number + 10, 1);
        drop_file(&stage, &format!("one-{number:03}.csv"), &format!("{HEADER}\n{line}\n"));
    }
    let done = serving.has(&stage, "done", FILES).await;
    for path in &done {
        answered(path, "Status: completed").await;
    }
    assert_eq!(stage.directory().await.len(), FILES + 10);
    let runs = stage.runs().await;
    assert_eq!(runs.len(), FILES + 1);
    for run in &runs[1..] {
        assert_eq!(count(run, "provisioned"), 1, "{run}");
    }
    let log = serving.stop().await;
    assert_eq!(log.matches("the file is answered in `done/`").count(), FILES, "{log}");
    stage.assert_limits_are_kept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_file_goes_back_with_the_reason() {
    let stage = stage(QUICK, 10).await;
    let mut serving = Serving::start(&stage);
    drop_file(&stage, "workers.csv", "Id,Something\nE0001,x\n");
    let failed = serving.has(&stage, "failed", 1).await;
    let text = words_of(&failed[0]);
    assert!(text.starts_with("workers.csv: refused; nothing of it was applied"), "{text}");
    assert!(text.contains("`Status`") && text.contains("Status: failed"), "{text}");
    assert!(!answer(&failed[0], ".rows.csv").exists());
    // rows that are wrong go back marked
    let rows = workers(10, 2).replace("E0003,Active", "E0003,Perhaps");
    drop_file(&stage, "workers.csv", &rows);
    let done = serving.has(&stage, "done", 1).await;
    let text = answered(&done[0], "Status: completed").await;
    assert!(text.contains("some rows need to be corrected"), "{text}");
    assert!(answer(&done[0], ".correct.xlsx").exists());
    let verdicts = std::fs::read_to_string(answer(&done[0], ".rows.csv")).unwrap();
    assert_eq!(verdicts.matches(",rejected,").count(), 1, "{verdicts}");
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dangerous_file_waits_and_moves_on_when_it_is_decided() {
    let stage = stage_with(QUICK, 100).await;
    let mut serving = Serving::start(&stage);
    // everybody changes
    drop_file(&stage, "workers.csv", &workers(100, 2));
    let held = serving.has(&stage, "held", 1).await;
    let text = words_of(&held[0]);
    assert!(text.contains("Status: held") && text.contains("max_changes"), "{text}");
    stage.assert_directory_is(100, 1).await;
    let run = stage.runs().await[1]["run"].as_str().unwrap().to_owned();
    assert!(text.contains(&format!("scimport approve {run}")), "{text}");
    // decided while nobody serves: the next one sees it
    serving.stop().await;
    stage.run(&["approve", &run]).await.assert_code(0);
    let mut serving = Serving::start(&stage);
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    stage.assert_directory_is(100, 2).await;
    assert!(std::fs::read_dir(stage.path("inbox/held")).unwrap().next().is_none());
    // cancelled while somebody serves
    drop_file(&stage, "workers.csv", &workers(100, 3));
    serving.has(&stage, "held", 1).await;
    let run = stage.runs().await[2]["run"].as_str().unwrap().to_owned();
    stage.run(&["cancel", &run]).await.assert_code(0);
    let done = serving.has(&stage, "done", 2).await;
    let cancelled = done.iter().find(|path| path.to_str().unwrap().contains(&run)).unwrap();
    answered(cancelled, "Status: cancelled").await;
    serving.stop().await;
    stage.assert_directory_is(100, 2).await;
    assert!(std::fs::read_dir(stage.path("inbox/held")).unwrap().next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_file_of_a_source_is_held() {
    let stage = crate::support::Stage::with_rules(QUICK).await;
    std::fs::create_dir(stage.path("inbox")).unwrap();
    let mut serving = Serving::start(&stage);
    drop_file(&stage, "workers.csv", &workers(20, 1));
    let held = serving.has(&stage, "held", 1).await;
    assert!(words_of(&held[0]).contains("first_run"), "{}", words_of(&held[0]));
    assert!(stage.directory().await.is_empty());
    stage.run(&["approve", "latest"]).await.assert_code(0);
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    stage.assert_directory_is(20, 1).await;
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answered_files_are_kept_as_long_as_asked_and_no_others_are_removed() {
    let stage = stage_with(&QUICK.replace("settle", "keep = \"30d\", settle"), 100).await;
    let mut serving = Serving::start(&stage);
    drop_file(
        &stage,
        "workers.csv",
        &workers(100, 1).replace("Department 1", "Other").replacen("Other", "Department 1", 95),
    );
    let done = serving.has(&stage, "done", 1).await;
    answered(&done[0], "Status: completed").await;
    drop_file(&stage, "workers.csv", &workers(100, 2));
    serving.has(&stage, "held", 1).await;
    serving.stop().await;
    let unanswered = stage.path("inbox/done/mine.csv");
    std::fs::write(&unanswered, "not ours").unwrap();
    stage.pass(31 * 24 * 3600).await;
    let mut serving = Serving::start(&stage);
    serving.says("are removed", 1).await;
    assert_eq!(serving.has(&stage, "done", 1).await, [unanswered]);
    serving.has(&stage, "held", 1).await;
    assert!(!answer(&done[0], ".answer.txt").exists() && !answer(&done[0], ".rows.csv").exists());
    serving.stop().await;
}
