//! Errors of `SQLite` and of the disk, as what is the matter.

use std::error::Error;
use std::io;

use rusqlite::ErrorCode;

use crate::store::{StoreTrouble, StoreTroubleKind};

type Cause = Box<dyn Error + Send + Sync>;

/// The cause to tell: what is the matter where that is known, else the error as it is.
pub(super) fn explained(error: rusqlite::Error) -> Cause {
    use StoreTroubleKind as K;
    let Some(found) = error.sqlite_error() else { return error.into() };
    let kind = match found.code {
        ErrorCode::DiskFull => K::DiskFull,
        ErrorCode::SystemIoFailure => K::DiskFault,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => K::ReadOnly,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => K::Damaged,
        ErrorCode::CannotOpen => K::CannotOpen,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => K::Busy,
        _ => return error.into(),
    };
    StoreTrouble { kind, code: found.extended_code }.into()
}

/// The same for files that are opened by ourselves.
pub(super) fn explained_io(error: io::Error) -> Cause {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreTroubleKind::DiskFull,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreTroubleKind::ReadOnly
        }
        io::ErrorKind::IsADirectory => StoreTroubleKind::CannotOpen,
        _ => return error.into(),
    };
    StoreTrouble { kind, code: error.raw_os_error().unwrap_or(0) }.into()
}
