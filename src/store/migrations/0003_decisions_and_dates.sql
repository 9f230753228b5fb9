-- What a run needs that may wait for a decision, and what the ledger needs to act by itself: dates,
-- absences, managers, and the digest of the row behind each record.
--
-- Only adds. Records from before have NULL in the new columns: their next row is mapped and
-- compared, which fills them in.

-- What is known of the provisioning job, as it was last seen.
ALTER TABLE targets ADD COLUMN job_code TEXT;                 -- such as `Active`
ALTER TABLE targets ADD COLUMN job_quarantine TEXT;           -- the quarantine's reason; NULL without one
ALTER TABLE targets ADD COLUMN job_seen_us INTEGER;
ALTER TABLE targets ADD COLUMN delete_threshold INTEGER;      -- accidental-deletion threshold; NULL when off or unknown

-- What is known of the way outcomes come.
ALTER TABLE targets ADD COLUMN settled_sent_us INTEGER;       -- the latest sending of which an outcome is known
ALTER TABLE targets ADD COLUMN looked_back_us INTEGER;        -- up to when the log was searched for unconfirmed operations
ALTER TABLE targets ADD COLUMN resent_us INTEGER;             -- when what was open was last sent again
ALTER TABLE targets ADD COLUMN resent_count INTEGER;          -- how many operations
ALTER TABLE targets ADD COLUMN resent_why TEXT CHECK (resent_why IN ('resumed', 'overtaken', 'asked'));

ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'file'
    CHECK (kind IN ('file', 'pilot', 'due'));
ALTER TABLE runs ADD COLUMN is_full INTEGER NOT NULL DEFAULT 0 CHECK (is_full IN (0, 1));
ALTER TABLE runs ADD COLUMN is_complete INTEGER NOT NULL DEFAULT 0 CHECK (is_complete IN (0, 1));
ALTER TABLE runs ADD COLUMN counts_absence INTEGER NOT NULL DEFAULT 0 CHECK (counts_absence IN (0, 1));
ALTER TABLE runs ADD COLUMN as_of_us INTEGER;                 -- what the file shows; NULL for runs from before
ALTER TABLE runs ADD COLUMN held_by TEXT;                     -- the guards that tripped: a JSON array; NULL when none did
ALTER TABLE runs ADD COLUMN note TEXT;                        -- why absences were not acted on
ALTER TABLE runs ADD COLUMN applied INTEGER NOT NULL DEFAULT 1 CHECK (applied IN (0, 1)); -- in the ledger; 0 while held
ALTER TABLE runs ADD COLUMN superseded_by TEXT;               -- the run that took the place of a held one

CREATE INDEX runs_by_digest ON runs (source, file_digest);

-- Who decided what about a run, and when.
CREATE TABLE decisions (
    id       INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL REFERENCES runs (seq),
    decision TEXT    NOT NULL CHECK (decision IN ('approved', 'cancelled', 'retried')),
    by       TEXT    NOT NULL,
    at_us    INTEGER NOT NULL
) STRICT;

CREATE INDEX decisions_by_run ON decisions (run);

-- People named by no row of a full file of a run, though active in the ledger.
CREATE TABLE missing (
    run         INTEGER NOT NULL REFERENCES runs (seq),
    external_id TEXT    NOT NULL,
    leaves      INTEGER NOT NULL CHECK (leaves IN (0, 1)),   -- whether the run deactivates them
    PRIMARY KEY (run, external_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE operations ADD COLUMN manager TEXT;               -- externalId of the manager in the resource
ALTER TABLE operations ADD COLUMN deed TEXT;                  -- what was done while the manager is still open
ALTER TABLE operations ADD COLUMN level INTEGER NOT NULL DEFAULT 0;  -- managers above them that are sent with them

DROP INDEX operations_outbox;

CREATE INDEX operations_outbox ON operations (target, priority, level, id)
    WHERE status = 'queued' AND bulk_request IS NULL;

CREATE INDEX operations_held ON operations (target, external_id) WHERE status = 'held';

CREATE INDEX operations_unsettled ON operations (target, status, sent_at_us)
    WHERE status IN ('failed', 'unconfirmed');

-- What enters the ledger when a held operation is approved.
CREATE TABLE held_records (
    operation            INTEGER NOT NULL PRIMARY KEY REFERENCES operations (id),
    active               INTEGER NOT NULL,
    digest               BLOB    NOT NULL,
    resend               INTEGER NOT NULL,
    closes               INTEGER NOT NULL,
    user_name_key        INTEGER,
    row_digest           BLOB,
    mapping_digest       INTEGER,
    manager_unknown      INTEGER NOT NULL,
    active_from_us       INTEGER,
    active_until_us      INTEGER,
    next_effective_at_us INTEGER
) STRICT, WITHOUT ROWID;

ALTER TABLE records ADD COLUMN row_digest BLOB;               -- of the row behind the resource; NULL when not to be trusted
ALTER TABLE records ADD COLUMN mapping_digest INTEGER;        -- of the mapping that made the resource of it
ALTER TABLE records ADD COLUMN manager TEXT;                  -- externalId of the manager in the resource
ALTER TABLE records ADD COLUMN awaits_manager INTEGER NOT NULL DEFAULT 0
    CHECK (awaits_manager IN (0, 1));                         -- to be sent again once the manager is provisioned
ALTER TABLE records ADD COLUMN active_from_us INTEGER;        -- `between`: active from here
ALTER TABLE records ADD COLUMN active_until_us INTEGER;       -- until here; NULL is open
ALTER TABLE records ADD COLUMN missing_runs INTEGER NOT NULL DEFAULT 0;  -- complete files in a row without them
ALTER TABLE records ADD COLUMN missing_since_us INTEGER;

DROP INDEX records_by_source;

-- Everything that is asked of a whole source, without its resources.
CREATE INDEX records_known ON records (
    target, source, external_id, active, mapping_digest, row_digest, next_effective_at_us,
    missing_runs, missing_since_us);

CREATE INDEX records_due ON records (target, next_effective_at_us) WHERE next_effective_at_us IS NOT NULL;

CREATE INDEX records_awaiting ON records (target, manager) WHERE awaits_manager = 1;

CREATE INDEX records_missing ON records (target, source, external_id) WHERE missing_runs > 0;

-- Rows that apply from a later day on.
CREATE TABLE scheduled (
    target          TEXT    NOT NULL,
    external_id     TEXT    NOT NULL,
    effective_at_us INTEGER NOT NULL,
    run             INTEGER NOT NULL REFERENCES runs (seq),  -- counts once that run is in the ledger
    source          TEXT    NOT NULL,
    active          INTEGER NOT NULL,
    digest          BLOB    NOT NULL,
    resource        BLOB    NOT NULL,
    user_name_key   INTEGER,
    manager         TEXT,
    active_from_us  INTEGER,
    active_until_us INTEGER,
    PRIMARY KEY (target, external_id, effective_at_us, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX scheduled_due ON scheduled (target, effective_at_us);
