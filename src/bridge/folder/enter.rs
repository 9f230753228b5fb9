//! Coming into a watched folder: it may be away, or another process may be in it. Either is told once,
//! and once when it is over.

use crate::bridge::folder::{Watch, blocking};
use crate::intake::folder::{Listing, Lock, list};

impl Watch {
    /// The folder's files; `None` while it is away, or watched by another process.
    pub(super) async fn enter(&mut self) -> Option<Listing> {
        let (shelves, config) = (self.shelves.clone(), self.config.clone());
        let has_lock = self.lock.is_some();
        let entered = blocking(move || {
            let listing = list(shelves.root(), &|name| config.takes(name))?;
            if has_lock && shelves.has_lock_file() {
                return Ok((listing, None));
            }
            shelves.prepare()?;
            Ok((listing, Some(shelves.lock()?)))
        });
        match entered.await {
            Ok((listing, lock)) => {
                self.tell_back();
                match lock {
                    None => {}
                    Some(Some(lock)) => self.begin(lock),
                    Some(None) => {
                        self.lock = None;
                        self.tell_locked_out();
                        return None;
                    }
                }
                Some(listing)
            }
            Err(error) => {
                self.tell_away(&error);
                None
            }
        }
    }

    fn begin(&mut self, lock: Lock) {
        if !lock.is_real() {
            tracing::warn!(
                folder = %self.config.path.display(),
                "this folder knows no locks: see to it that one process only watches it"
            );
        }
        if std::mem::take(&mut self.is_locked_out) {
            tracing::info!(folder = %self.config.path.display(), "this process watches it now");
        }
        self.lock = Some(lock);
        // another process may have answered files meanwhile
        self.open = None;
        if let Some(expecting) = &mut self.expecting {
            expecting.forget();
        }
    }

    fn tell_locked_out(&mut self) {
        if !std::mem::replace(&mut self.is_locked_out, true) {
            tracing::warn!(
                folder = %self.config.path.display(),
                "another process watches this folder; waiting"
            );
        }
    }

    fn tell_away(&mut self, error: &std::io::Error) {
        self.looks.forget();
        self.lock = None;
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::warn!(
                source = %self.source,
                folder = %self.config.path.display(),
                %error,
                "the folder is not there, or cannot be read or written; waiting for it"
            );
        }
    }

    fn tell_back(&mut self) {
        if std::mem::take(&mut self.is_away) {
            tracing::info!(
                source = %self.source,
                folder = %self.config.path.display(),
                "the folder is there again"
            );
        }
    }
}
