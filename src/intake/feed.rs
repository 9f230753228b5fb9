//! A source, ready to read: the compiled form of `[source.NAME]`.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::domain::{ColumnKind, ColumnUse, SourceName, TargetName, start_of_day};
use crate::intake::Password;
use crate::mapping::Mapping;
use crate::plan::{Owner, SourceRules};
use crate::source::{FormatConfig, Limits, RowsConfig};

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// A source with its mapping compiled.
#[derive(Debug)]
pub struct Feed {
    /// Its name.
    pub name: SourceName,
    /// Where its workers go.
    pub target: TargetName,
    /// The provisioning job that the target stands for: tenant, service principal and job.
    pub job: String,
    /// How its files are read.
    pub format: FormatConfig,
    /// What happens to several rows of one worker.
    pub rows: RowsConfig,
    /// Sources whose records this one may take.
    pub takes_over: Vec<SourceName>,
    /// What it says about whole runs.
    pub rules: SourceRules,
    /// The attribute mapping.
    pub mapping: Mapping,
    /// Ceilings of its files.
    pub limits: Limits,
    /// The time zone in which its days begin; UTC where it states none.
    pub time_zone: TimeZone,
    /// The password of its encrypted workbooks.
    pub password: Option<Password>,
}

impl Feed {
    /// Fingerprint of everything that decides what a file's rows become: the same bytes under the
    /// same fingerprint are the same run.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(self.mapping.fingerprint());
        hash.update(format!(
            "{:?}{:?}{:?}{}",
            self.format, self.rows, self.takes_over, self.target
        ));
        let digest: [u8; 32] = hash.finalize().into();
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(digest.split_at(16).0);
        fingerprint
    }

    /// Who asks when this source's rows are held against the ledger.
    #[must_use]
    pub fn owner(&self) -> Owner<'_> {
        Owner { source: &self.name, takes_over: &self.takes_over }
    }

    /// The day it is for this source.
    #[must_use]
    pub fn today(&self, now: Timestamp) -> Date {
        now.to_zoned(self.time_zone.clone()).date()
    }

    /// The first instant of a day, counted from 1970-01-01, in the source's time zone.
    #[must_use]
    pub fn first_instant(&self, day: i32) -> Timestamp {
        let date = EPOCH.checked_add(jiff::Span::new().try_days(day).unwrap_or_default());
        date.ok().and_then(|date| start_of_day(date, &self.time_zone)).unwrap_or(Timestamp::MAX)
    }

    /// The columns that somebody reads: the mapping, and `rows.per`.
    #[must_use]
    pub fn columns(&self) -> Vec<ColumnUse> {
        let mut columns = self.mapping.columns().to_vec();
        if let Some(per) = &self.rows.per
            && !columns.iter().any(|column| column.name == *per)
        {
            let name = per.clone();
            columns.push(ColumnUse { name, optional: false, kind: ColumnKind::Id });
        }
        columns
    }
}
