-- A draft's own tables, in the temporary database of its connection. What is approved later passes
-- through them as well.

-- Rows as pushed, in file order.
CREATE TEMP TABLE IF NOT EXISTS draft_rows (
    seq                  INTEGER PRIMARY KEY,
    operation            INTEGER,            -- set where the operation is in the store already
    source_row           INTEGER,
    line                 INTEGER,
    external_id          TEXT,
    status               TEXT    NOT NULL CHECK (status IN (
                             'queued', 'closed', 'rejected', 'superseded', 'unchanged', 'later')),
    sends                INTEGER,            -- 1 where the worker gets an operation or is closed
    change               TEXT,
    active               INTEGER,
    digest               BLOB,
    resource             BLOB,
    resend               INTEGER NOT NULL DEFAULT 0,
    code                 TEXT,
    reason               TEXT,
    advice               TEXT,
    warning_code         TEXT,
    warning_reason       TEXT,
    cells                BLOB,
    user_name_key        INTEGER,
    manager              TEXT,
    manager_unknown      INTEGER NOT NULL DEFAULT 0,
    level                INTEGER,
    row_digest           BLOB,
    mapping_digest       INTEGER,
    active_from_us       INTEGER,
    active_until_us      INTEGER,
    next_effective_at_us INTEGER,
    effective_at_us      INTEGER,            -- of a row that applies later
    CHECK (status IN ('rejected', 'superseded') OR external_id IS NOT NULL)
) STRICT;

-- One run sends a worker at most once.
CREATE UNIQUE INDEX IF NOT EXISTS temp.draft_workers ON draft_rows (external_id) WHERE sends = 1;

CREATE INDEX IF NOT EXISTS temp.draft_managers ON draft_rows (manager) WHERE status = 'queued' AND manager IS NOT NULL;

CREATE INDEX IF NOT EXISTS temp.draft_levels ON draft_rows (level, external_id) WHERE status = 'queued' AND level IS NOT NULL;

CREATE INDEX IF NOT EXISTS temp.draft_unchanged ON draft_rows (external_id) WHERE status = 'unchanged';

CREATE INDEX IF NOT EXISTS temp.draft_later ON draft_rows (seq) WHERE status = 'later';

-- People whom the file does not name.
CREATE TEMP TABLE IF NOT EXISTS draft_missing (
    external_id TEXT    NOT NULL PRIMARY KEY,
    leaves      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the commit supersedes, noted while it runs.
CREATE TEMP TABLE IF NOT EXISTS draft_superseded (
    operation    INTEGER PRIMARY KEY,
    run          INTEGER NOT NULL,
    bulk_request INTEGER
) STRICT;

DELETE FROM draft_rows;
DELETE FROM draft_missing;
DELETE FROM draft_superseded;
