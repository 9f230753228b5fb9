//! Opening the database, and the two ways to work with it: read and write.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::domain::{Origin, TargetName, Who};
use crate::store::sqlite::read_only::{self, Stamp};
use crate::store::sqlite::{migrations, seals, trouble};
use crate::store::{LeaseHolder, SealKeys, StoreError};

/// How long a connection waits for another process's write to end.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// How often, and how far apart, a new store is asked to keep a log: ten seconds in all.
const WAL_TRIES: u32 = 500;
const WAL_PAUSE: Duration = Duration::from_millis(20);

/// Most connections kept for the next readers; more are opened when more read at once.
const IDLE_READERS: usize = 4;

/// Most prepared statements a connection keeps; more than there are in this room.
const CACHED_STATEMENTS: usize = 128;

/// What holds for every connection. Commits are on the disk when they return (`FULL`). A page that
/// was emptied is overwritten where that costs no extra write: dropped resources hold names.
/// 8 MB of cache. The log is moved into the database every 32 MB: small transactions touch the same
/// pages again and again, and each page is then moved once. A log that grew with a large commit
/// shrinks again to 64 MB.
const PRAGMAS: &str = "
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA secure_delete = FAST;
PRAGMA cache_size = -8000;
PRAGMA wal_autocheckpoint = 8000;
PRAGMA journal_size_limit = 67108864;
";

/// The store in a `SQLite` database. Clones share it.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pub(super) inner: Arc<Inner>,
}

/// What the clones share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) location: Location,
    /// The one connection that writes; `None` when opened for reading only.
    writer: Option<Mutex<Connection>>,
    /// Idle connections for reading.
    readers: Mutex<Vec<Reader>>,
    /// For whom the store does what nobody asks for at that moment.
    operator: OnceLock<Who>,
    /// What is sealed and opened with.
    keys: Mutex<Arc<SealKeys>>,
    /// Targets whose lease is held through this store.
    pub(super) leased: Arc<Mutex<BTreeMap<TargetName, LeaseHolder>>>,
}

/// A connection for reading.
#[derive(Debug)]
struct Reader {
    connection: Connection,
    /// Of a file that is only read, where nobody wrote when it was opened.
    stamp: Option<Stamp>,
}

/// Where the database is, and what may be done there.
#[derive(Debug)]
pub(super) enum Location {
    /// A file, absolute.
    File(PathBuf),
    /// A file that is only read, absolute.
    ReadOnly(PathBuf),
    /// A name in `SQLite`'s `memdb` file system, which lives as long as a connection to it.
    Memory(String),
}

/// Why a piece of work on a connection ended early.
#[derive(Debug)]
pub(super) enum Failure {
    /// A statement failed.
    Sql(rusqlite::Error),
    /// Something else did.
    Other(Box<dyn Error + Send + Sync>),
    /// It has its name already.
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    pub(super) fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    pub(super) fn named(self, attempt: &'static str) -> StoreError {
        match self {
            Self::Sql(error) => {
                StoreError::Statement { attempt, source: trouble::explained(error) }
            }
            Self::Other(source) => StoreError::Statement { attempt, source },
            Self::Store(error) => error,
        }
    }
}

impl SqliteStore {
    /// Opens the store, makes it where there is none, and brings it up to date.
    ///
    /// The files are readable by their owner only (on Unix; on Windows the folder's rights hold).
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] when the file cannot be opened or made, or is another program's;
    /// [`StoreError::TooNew`] when a newer version of this program made it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_sealed(path, SealKeys::none())
    }

    /// The same, sealing what is stored of people from now on, and opening what was sealed before.
    /// A store that is made by this holds nothing in the clear; another one does until it is
    /// rekeyed.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); [`StoreError::Seal`] when something is sealed with a key that is not
    /// among these, or there is none to seal with where nothing may lie in the clear.
    pub fn open_sealed(path: &Path, keys: SealKeys) -> Result<Self, StoreError> {
        Self::open_file(path, keys, false)
    }

    /// The same, for taking the seals off: there may be no key to seal with.
    ///
    /// # Errors
    ///
    /// As [`open_sealed`](Self::open_sealed).
    pub fn open_to_unseal(path: &Path, keys: SealKeys) -> Result<Self, StoreError> {
        Self::open_file(path, keys, true)
    }

    fn open_file(path: &Path, keys: SealKeys, may_open_up: bool) -> Result<Self, StoreError> {
        let absolute = absolute(path)?;
        create_private(&absolute)
            .map_err(|error| cannot_open(path, trouble::explained_io(error)))?;
        Self::with_writer(Location::File(real(absolute)), path, keys, may_open_up)
    }

    /// Opens the store for reading only: makes no file, writes nothing, migrates nothing.
    ///
    /// Methods that write fail. Each read sees one state of the store. A file that was made and not
    /// filled, because its maker was killed, reads as an empty store.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); also when there is no store at `path`.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        Self::open_sealed_read_only(path, SealKeys::none())
    }

    /// The same, opening what is sealed.
    ///
    /// # Errors
    ///
    /// As [`open_read_only`](Self::open_read_only); [`StoreError::Seal`] when something is sealed
    /// with a key that is not among these.
    pub fn open_sealed_read_only(path: &Path, keys: SealKeys) -> Result<Self, StoreError> {
        let store = Self::with_parts(Location::ReadOnly(real(absolute(path)?)), None, keys);
        let reader = store.inner.open_reader().map_err(|error| cannot_open(path, error))?;
        if !migrations::verify(&reader, path)? {
            return Self::in_memory();
        }
        seals::verify(&reader, &store.keys(), path, true)?;
        Ok(store)
    }

    /// A store in memory, gone with its last clone. For tests and rehearsals: reads wait for
    /// writes here.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] when memory runs out.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::sealed_in_memory(SealKeys::none())
    }

    /// The same, sealing what is stored of people.
    ///
    /// # Errors
    ///
    /// As [`in_memory`](Self::in_memory).
    pub fn sealed_in_memory(keys: SealKeys) -> Result<Self, StoreError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("file:/scimport-{number}?vfs=memdb");
        let shown = PathBuf::from(&name);
        Self::with_writer(Location::Memory(name), &shown, keys, false)
    }

    fn with_writer(
        location: Location,
        path: &Path,
        keys: SealKeys,
        may_open_up: bool,
    ) -> Result<Self, StoreError> {
        let mut writer = location.connect().map_err(|error| cannot_open(path, error))?;
        if matches!(location, Location::File(_)) {
            migrations::verify(&writer, path)?;
            seals::verify(&writer, &keys, path, may_open_up)?;
            use_write_ahead_log(&writer).map_err(|error| cannot_open(path, error))?;
        }
        migrations::migrate(&mut writer, path)?;
        name_key(&mut writer, &keys)?;
        Ok(Self::with_parts(location, Some(Mutex::new(writer)), keys))
    }

    fn with_parts(location: Location, writer: Option<Mutex<Connection>>, keys: SealKeys) -> Self {
        let readers = Mutex::default();
        let (leased, operator) = (Arc::default(), OnceLock::new());
        let keys = Mutex::new(Arc::new(keys));
        Self { inner: Arc::new(Inner { location, writer, readers, operator, keys, leased }) }
    }

    /// The same store, for this operator: whoever started the process. What is sent, and what is closed
    /// without anybody asking, is theirs in the audit trail. The first to be named stays.
    #[must_use]
    pub fn operated_by(self, who: Who) -> Self {
        let _is_first = self.inner.operator.set(who);
        self
    }

    pub(super) fn operator(&self) -> Who {
        let named = self.inner.operator.get();
        named.cloned().unwrap_or_else(|| Who::bridge(Origin::Daemon))
    }

    /// What is sealed and opened with now.
    pub(super) fn keys(&self) -> Arc<SealKeys> {
        Arc::clone(&held(&self.inner.keys))
    }

    /// Seals and opens with these from now on; what has begun ends with those from before.
    pub(super) fn take_keys(&self, keys: SealKeys) {
        *held(&self.inner.keys) = Arc::new(keys);
    }

    /// Does the work on a thread that may block, on one state of the store.
    pub(super) async fn read<T, F>(&self, attempt: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        blocking(attempt, move || inner.read(work)).await
    }

    /// Does the work on a thread that may block, in one transaction.
    pub(super) async fn write<T, F>(&self, attempt: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        blocking(attempt, move || {
            let mut writer = inner.writer()?;
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
        .await
    }
}

impl Inner {
    /// The writing connection. Whoever writes on another connection of this process holds it too,
    /// so that our own writes queue up in order instead of polling `SQLite`'s lock.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Connection>, Failure> {
        let writer = self.writer.as_ref();
        let writer = writer.ok_or_else(|| Failure::other("it was opened for reading only"))?;
        Ok(held(writer))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        // how a read-only store is opened depends on whether somebody writes (see `read_only`), and
        // so a reader of one is kept only while nobody does
        let stamp = match &self.location {
            Location::ReadOnly(path) => Stamp::of(path),
            Location::File(_) | Location::Memory(_) => None,
        };
        let idle = held(&self.readers).pop();
        let mut reader = match idle.filter(|idle| idle.stamp == stamp) {
            Some(reader) => reader,
            None => Reader { connection: self.open_reader()?, stamp },
        };
        let transaction = reader.connection.transaction()?;
        let done = work(&transaction)?;
        transaction.finish()?;
        let mut readers = held(&self.readers);
        let is_kept = self.writer.is_some() || reader.stamp.is_some();
        if is_kept && readers.len() < IDLE_READERS {
            readers.push(reader);
        }
        Ok(done)
    }

    fn open_reader(&self) -> rusqlite::Result<Connection> {
        let reader = self.location.connect()?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(reader)
    }
}

impl Location {
    /// Opens another connection.
    pub(super) fn connect(&self) -> rusqlite::Result<Connection> {
        let base = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = match self {
            Self::File(path) => {
                Connection::open_with_flags(path, base | OpenFlags::SQLITE_OPEN_READ_WRITE)?
            }
            Self::Memory(name) => Connection::open_with_flags(
                name,
                base | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            )?,
            Self::ReadOnly(path) => Connection::open_with_flags(
                read_only::address(path),
                base | OpenFlags::SQLITE_OPEN_READ_ONLY,
            )?,
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        // a plan does not depend on what is bound: otherwise some statements are made anew each time
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.execute_batch(PRAGMAS)?;
        Ok(connection)
    }
}

/// Names the key in the store, so that whoever comes without it is told.
fn name_key(writer: &mut Connection, keys: &SealKeys) -> Result<(), StoreError> {
    let attempt = "look at the keys of the store";
    let Some(key) = keys.current() else { return Ok(()) };
    let named = seals::all(writer, keys).map_err(|failure| failure.named(attempt))?;
    // Looked at before any lock is asked for: opening a store never waits for a writer.
    if named.iter().any(|seal| seal.key == key.id()) {
        return Ok(());
    }
    let mut enter = || {
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        seals::begin(&transaction, keys)?;
        transaction.commit()?;
        Ok(())
    };
    enter().map_err(|failure: Failure| failure.named(attempt))
}

fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    // Two processes that make the store at once meet here, and SQLite does not wait for this lock
    // as it does for others: it says `busy` at once.
    for _ in 0..WAL_TRIES {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                std::thread::sleep(WAL_PAUSE);
            }
            done => return done,
        }
    }
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
}

/// Makes the file where there is none. `SQLite` gives the log and its index the same rights.
fn create_private(path: &Path) -> std::io::Result<()> {
    private(OpenOptions::new().create(true).truncate(false).write(true)).open(path).map(drop)
}

/// The same options; a file that they make is its owner's alone.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(path).map_err(|error| cannot_open(path, error))
}

/// The file behind links, so that whoever opens the store by whatever name finds the same log and
/// the same lock files beside it. Windows writes such paths in a form of its own; there links are
/// rare, and the name is kept.
fn real(path: PathBuf) -> PathBuf {
    if cfg!(windows) { path } else { std::fs::canonicalize(&path).unwrap_or(path) }
}

pub(super) fn cannot_open(
    path: &Path,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> StoreError {
    let source = match source.into().downcast::<rusqlite::Error>() {
        Ok(error) => trouble::explained(*error),
        Err(other) => other,
    };
    StoreError::Open { path: path.display().to_string(), source }
}

/// The lock, also when a thread panicked while it held it: a transaction that was not committed
/// has been rolled back by then.
pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs work that blocks on a thread made for it. The work goes on when the caller stops waiting,
/// so a transaction is always whole.
pub(super) async fn blocking<T, F>(attempt: &'static str, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    let joined = tokio::task::spawn_blocking(work).await;
    match joined {
        Ok(done) => done.map_err(|failure| failure.named(attempt)),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(StoreError::Statement { attempt, source: error.into() }),
    }
}
