//! `{ command = ["op", "read", "…"] }`: a secret that another program prints.
//!
//! The program is started without a shell, with this process's environment and folder, and hears
//! nothing. What it prints is the secret; what it says about its troubles is dropped, since it may
//! quote the secret. Nor are its arguments shown anywhere: people paste secrets into those, too.
//! Only calls that every system has are used. Programs that it has started itself are not ended
//! with it; nobody waits for them.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::config::duration;
use crate::config::section::{Field, Section};

/// How long a program may take unless told otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a program that has printed everything is asked whether it has ended.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// A program that prints a secret. `Debug` and `Display` show its name and nothing more.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretCommand {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
}

/// Why a program has not given a secret.
#[derive(Debug)]
pub(super) enum CommandTrouble {
    /// There is no such program.
    NotFound,
    /// It cannot be started, or read from.
    Run(std::io::Error),
    /// It has ended with this code; none where something has ended it.
    Failed(Option<i32>),
    /// It has not ended in time, and was ended.
    TimedOut(Duration),
    /// It prints more than the limit.
    TooLarge,
}

impl SecretCommand {
    /// A program with its arguments; the usual time-out.
    #[must_use]
    pub fn new(program: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program.to_owned(), arguments, timeout: DEFAULT_TIMEOUT }
    }

    /// The same with another time-out.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Runs it, and gives what it has printed, at most `limit` bytes. Waits for it.
    pub(super) fn run(&self, limit: u64) -> Result<Vec<u8>, CommandTrouble> {
        let began = Instant::now();
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => CommandTrouble::NotFound,
                _ => CommandTrouble::Run(error),
            })?;
        let printed = self.printed(&mut child, limit, began);
        if printed.is_err() {
            // it may have ended by itself meanwhile; and it is not left behind as a zombie
            let _ = child.kill();
            let _ = child.wait();
        }
        printed
    }

    fn printed(
        &self,
        child: &mut Child,
        limit: u64,
        began: Instant,
    ) -> Result<Vec<u8>, CommandTrouble> {
        let Some(output) = child.stdout.take() else {
            return Err(CommandTrouble::Run(std::io::ErrorKind::BrokenPipe.into()));
        };
        let (sender, receiver) = mpsc::sync_channel(1);
        // A thread of its own, because a read cannot be given a time. It ends with the program.
        let read = move || {
            let mut bytes = Vec::new();
            let read = output.take(limit + 1).read_to_end(&mut bytes);
            // nobody listens any more when the time was up
            let _ = sender.send(read.map(|_| bytes));
        };
        let named = thread::Builder::new().name("secret-command".to_owned());
        named.spawn(read).map_err(CommandTrouble::Run)?;
        let left = self.timeout.saturating_sub(began.elapsed());
        let bytes = match receiver.recv_timeout(left) {
            Ok(read) => read.map_err(CommandTrouble::Run)?,
            Err(_) => return Err(CommandTrouble::TimedOut(self.timeout)),
        };
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            return Err(CommandTrouble::TooLarge);
        }
        loop {
            match child.try_wait().map_err(CommandTrouble::Run)? {
                Some(status) if status.success() => return Ok(bytes),
                Some(status) => return Err(CommandTrouble::Failed(status.code())),
                None if began.elapsed() >= self.timeout => {
                    return Err(CommandTrouble::TimedOut(self.timeout));
                }
                None => thread::sleep(ASK_EVERY),
            }
        }
    }
}

impl fmt::Display for SecretCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command `{}`", self.program)
    }
}

impl fmt::Debug for SecretCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretCommand").field("program", &self.program).finish_non_exhaustive()
    }
}

/// Reads `command` and the `timeout` beside it. Neither is ever shown.
pub(super) fn read(
    section: &Section<'_>,
    field: &Field<'_>,
    folder: &Path,
) -> Option<SecretCommand> {
    let timeout = section.get("timeout").map(|field| timeout(&field));
    let words = field.items()?;
    let Some((program, arguments)) = words.split_first() else {
        let hint = "write the program first, then its arguments: `[\"op\", \"read\", \"…\"]`";
        field.refuse_key("`command` names no program".to_owned(), Some(hint.to_owned()));
        return None;
    };
    let program = program.text().map(|program| located(program, folder));
    let arguments: Option<Vec<String>> =
        arguments.iter().map(|word| word.any_text().map(str::to_owned)).collect();
    Some(SecretCommand {
        program: program?,
        arguments: arguments?,
        timeout: timeout.unwrap_or(Some(DEFAULT_TIMEOUT))?,
    })
}

/// A name is looked for where programs are; a path that is relative begins at the config.
fn located(program: &str, folder: &Path) -> String {
    if Path::new(program).components().count() > 1 {
        folder.join(program).to_string_lossy().into_owned()
    } else {
        program.to_owned()
    }
}

fn timeout(field: &Field<'_>) -> Option<Duration> {
    let timeout = duration::parse(field.text()?).filter(|timeout| !timeout.is_zero());
    if timeout.is_none() {
        let message = "`timeout` is no length of time, or is nothing".to_owned();
        field.refuse_key(message, Some(format!("write it like {}", duration::EXAMPLES)));
    }
    timeout
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> SecretCommand {
        SecretCommand::new("sh", &["-c", script])
    }

    #[test]
    fn what_it_prints_is_given_and_what_it_says_is_dropped() {
        assert_eq!(sh("echo noise >&2; printf 's3cret\\n\\n'").run(100).unwrap(), b"s3cret\n\n");
        let arguments = SecretCommand::new("printf", &["%s", "$HOME;*"]);
        assert_eq!(arguments.run(100).unwrap(), b"$HOME;*", "there is no shell");
        assert_eq!(sh("cat").run(100).unwrap(), b"", "it hears nothing");
        let path = std::env::var("PATH").unwrap();
        assert_eq!(sh("printf %s \"$PATH\"").run(100_000).unwrap(), path.as_bytes());
    }

    #[test]
    fn each_trouble_is_told_apart() {
        let trouble = |command: SecretCommand| command.run(10).unwrap_err();
        let missing = SecretCommand::new("no-such-program-of-ours", &[]);
        assert!(matches!(trouble(missing), CommandTrouble::NotFound));
        assert!(matches!(trouble(sh("echo x; exit 6")), CommandTrouble::Failed(Some(6))));
        assert!(matches!(trouble(sh("kill -9 $$")), CommandTrouble::Failed(None)));
        assert!(matches!(trouble(sh("printf 12345678901")), CommandTrouble::TooLarge));
        assert!(
            matches!(trouble(sh("yes")), CommandTrouble::TooLarge),
            "it is not read to its end"
        );
        assert!(matches!(trouble(SecretCommand::new("/", &[])), CommandTrouble::Run(_)));
        assert_eq!(sh("printf 1234567890").run(10).unwrap().len(), 10);
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        for closes_its_output in ["", "exec >&-;"] {
            let script =
                format!("echo $$ > '{}'; {closes_its_output} exec sleep 600", pid.display());
            let began = Instant::now();
            let short = sh(&script).with_timeout(Duration::from_millis(300));
            assert!(matches!(short.run(10).unwrap_err(), CommandTrouble::TimedOut(_)));
            assert!(began.elapsed() < Duration::from_mins(1));
            let pid = std::fs::read_to_string(&pid).unwrap();
            let mut is_there = Command::new("kill");
            is_there.args(["-0", pid.trim()]).stderr(Stdio::null());
            assert!(!is_there.status().unwrap().success(), "it was ended");
        }
    }

    #[test]
    fn it_shows_its_name_alone() {
        let command = SecretCommand::new("op", &["read", "hunter2"]);
        assert_eq!(command.to_string(), "command `op`");
        assert_eq!(format!("{command:?}"), "SecretCommand { program: \"op\", .. }");
    }
}
