-- A draft's own tables, in the temporary database of its connection.

-- Rows as pushed, in file order.
CREATE TEMP TABLE draft_rows (
    seq            INTEGER PRIMARY KEY,
    source_row     INTEGER,
    line           INTEGER,
    external_id    TEXT,
    status         TEXT    NOT NULL CHECK (status IN ('queued', 'rejected', 'superseded')),
    change         TEXT,
    active         INTEGER,
    digest         BLOB,
    resource       BLOB,
    resend         INTEGER NOT NULL DEFAULT 0,
    code           TEXT,
    reason         TEXT,
    advice         TEXT,
    warning_code   TEXT,
    warning_reason TEXT,
    cells          BLOB,
    user_name_key  INTEGER,
    CHECK (status <> 'queued' OR external_id IS NOT NULL)
) STRICT;

-- One run sends a worker at most once.
CREATE UNIQUE INDEX temp.draft_workers ON draft_rows (external_id) WHERE status = 'queued';

-- What the commit supersedes, noted while it runs.
CREATE TEMP TABLE draft_superseded (
    operation    INTEGER PRIMARY KEY,
    run          INTEGER NOT NULL,
    bulk_request INTEGER
) STRICT;
