//! `serve` on a stage: started, watched, stopped and killed.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::support::{Stage, UNGUARDED, workers};

/// Nothing on a stage takes longer than this, unless something is stuck.
const STUCK: Duration = Duration::from_mins(3);

/// A feed that takes its files from `inbox` quickly.
pub const QUICK: &str =
    "folder = { path = \"inbox\", pattern = \"*.csv\", settle = \"300ms\", poll = \"100ms\" }";
/// A feed that never takes a file for having settled.
pub const PATIENT: &str =
    "folder = { path = \"inbox\", pattern = \"*.csv\", settle = \"1h\", poll = \"100ms\" }";

/// A stage whose feed `hr` watches the folder `inbox`, and which knows so many people already.
pub async fn stage(folder: &str, people: usize) -> Stage {
    stage_with(&format!("{folder}\n{UNGUARDED}"), people).await
}

/// The same with rules of its own.
pub async fn stage_with(rules: &str, people: usize) -> Stage {
    let stage = Stage::with_rules(rules).await;
    std::fs::create_dir(stage.path("inbox")).unwrap();
    stage.write("seed.csv", &workers(people, 1));
    stage.apply("seed.csv", &["--yes", "--wait", "outcome"]).await.assert_code(0);
    stage
}

/// A running `serve`.
pub struct Serving {
    child: Child,
    log: Arc<Mutex<String>>,
    reading: tokio::task::JoinHandle<()>,
}

impl Serving {
    /// Starts it.
    pub fn start(stage: &Stage) -> Self {
        Self::start_with(stage, &[])
    }

    /// The same with variables in its environment.
    pub fn start_with(stage: &Stage, env: &[(&str, &str)]) -> Self {
        Self::start_with_words(stage, &["serve"], env)
    }

    /// The same with other words on its command line.
    pub fn start_with_words(stage: &Stage, words: &[&str], env: &[(&str, &str)]) -> Self {
        let mut all = vec![("SCIMPORT__SERVER__LISTEN", "127.0.0.1:0")];
        all.extend_from_slice(env);
        let mut child = stage.command(words, &all).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let kept = Arc::clone(&log);
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, log, reading }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Where its API is.
    pub async fn url(&self) -> String {
        self.says("the API is at ", 1).await;
        let log = self.log();
        let (_, rest) = log.split_once("the API is at ").unwrap();
        rest.split(';').next().unwrap().to_owned()
    }

    /// Waits until it has said this so often.
    pub async fn says(&self, words: &str, times: usize) {
        let began = Instant::now();
        while self.log().matches(words).count() < times {
            assert!(began.elapsed() < STUCK, "`{words}` is not in\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a folder of the inbox has so many files of ours (answers left out).
    pub async fn has(&mut self, stage: &Stage, on: &str, count: usize) -> Vec<PathBuf> {
        let began = Instant::now();
        loop {
            let files = files(stage, on);
            if files.len() == count {
                return files;
            }
            assert!(files.len() < count, "{files:?}\n{}", self.log());
            assert!(began.elapsed() < STUCK, "{files:?} in {on}\n{}", self.log());
            assert!(self.child.try_wait().unwrap().is_none(), "it has ended\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks it to read its config again.
    pub async fn hang_up(&self) {
        // from then on it is asked, and not only ended
        self.says("the API is at ", 1).await;
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    }

    /// The same, and waits until it has done so for this time; it must find nothing wrong.
    pub async fn reload(&self, time: usize) {
        const REFUSED: &str = "the old config stays in force";
        let refused = self.log().matches(REFUSED).count();
        self.hang_up().await;
        let began = Instant::now();
        loop {
            let log = self.log();
            let times = |words: &str| log.matches(words).count();
            assert_eq!(times(REFUSED), refused, "{log}");
            if times("the new config is in force") + times("are taken anew") >= time {
                return;
            }
            assert!(began.elapsed() < STUCK, "{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until there is a file of ours in a folder of the stage.
    pub async fn is_there(&self, stage: &Stage, folder: &str) {
        let began = Instant::now();
        while !std::fs::read_dir(stage.path(folder)).is_ok_and(|mut files| files.next().is_some()) {
            assert!(began.elapsed() < STUCK, "{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Asks it to end as a service manager does; it must end well.
    pub async fn stop(mut self) -> String {
        // from then on it is asked, and not only ended
        self.says("serving;", 1).await;
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let ended = tokio::time::timeout(STUCK, self.child.wait()).await.expect("it is stuck");
        self.reading.await.unwrap();
        let log = self.log.lock().unwrap().clone();
        assert_eq!(ended.unwrap().code(), Some(0), "{log}");
        log
    }

    /// Kills it: no handler runs.
    pub async fn kill(mut self) -> String {
        self.child.kill().await.unwrap();
        self.reading.await.unwrap();
        self.log.lock().unwrap().clone()
    }
}

/// The files in a folder of the inbox, answers and folders left out, by name.
pub fn files(stage: &Stage, shelf: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(stage.path("inbox").join(shelf)) else {
        return Vec::new();
    };
    let is_answer = |name: &str| {
        [".answer.txt", ".rows.csv", ".correct.xlsx"].iter().any(|end| name.ends_with(end))
            || name.starts_with('.')
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !is_answer(path.file_name().unwrap().to_str().unwrap()))
        .collect();
    files.sort();
    files
}

/// The answer of a file: the one with this end.
pub fn answer(file: &std::path::Path, end: &str) -> PathBuf {
    file.with_file_name(format!("{}{end}", file.file_stem().unwrap().to_str().unwrap()))
}

/// The answer of a file in words.
pub fn words_of(file: &std::path::Path) -> String {
    std::fs::read_to_string(answer(file, ".answer.txt")).unwrap()
}

/// Waits until an answer in words has this in it.
pub async fn answered(file: &std::path::Path, words: &str) -> String {
    let began = Instant::now();
    loop {
        let text = words_of(file);
        if text.contains(words) {
            return text;
        }
        assert!(began.elapsed() < STUCK, "`{words}` is not in\n{text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Puts a file into the inbox as a careful copy does: whole at once.
pub fn drop_file(stage: &Stage, name: &str, text: &str) {
    let beside = stage.write(&format!("{name}.outside"), text);
    std::fs::rename(beside, stage.path("inbox").join(name)).unwrap();
}
