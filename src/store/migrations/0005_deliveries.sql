-- What webhooks have delivered, and runs of what came from there.

-- A check cannot be changed, so the column makes way for a new one.
ALTER TABLE runs ADD COLUMN origin TEXT NOT NULL DEFAULT 'file'
    CHECK (origin IN ('file', 'pilot', 'due', 'webhook'));
UPDATE runs SET origin = kind WHERE kind <> 'file';
ALTER TABLE runs DROP COLUMN kind;
ALTER TABLE runs RENAME COLUMN origin TO kind;

CREATE INDEX runs_by_kind ON runs (source, kind, started_at_us);

-- Older held operations whose place a held run takes once it is approved.
CREATE TABLE takes_place_of (
    run       INTEGER NOT NULL REFERENCES runs (seq),
    operation INTEGER NOT NULL REFERENCES operations (id),
    PRIMARY KEY (run, operation)
) STRICT, WITHOUT ROWID;

-- One line for each delivery that was answered 202.
CREATE TABLE deliveries (
    seq             INTEGER PRIMARY KEY,           -- grows in the order of receipt
    id              TEXT    NOT NULL UNIQUE,       -- a ULID; what the sender was told
    source          TEXT    NOT NULL,
    identity        BLOB CHECK (length(identity) = 32),  -- equal for the same delivery again; NULL once equal ones are others
    is_lasting      INTEGER NOT NULL CHECK (is_lasting IN (0, 1)),  -- whether that outlasts the processing
    received_at_us  INTEGER NOT NULL,
    caller          TEXT    NOT NULL,              -- how it was proven whom it is from; no secret
    is_form         INTEGER NOT NULL CHECK (is_form IN (0, 1)),     -- a form, and no JSON
    workers         INTEGER NOT NULL,              -- how many are in it
    body            BLOB,                          -- as it came, packed; NULL once it waits no more
    attempts        INTEGER NOT NULL DEFAULT 0,    -- fetches that failed and may succeed later
    not_before_us   INTEGER,                       -- when it is tried next; NULL is at once
    run             TEXT REFERENCES runs (id),     -- what came of it
    first_row       INTEGER,                       -- the row of its first worker there
    problem         TEXT,                          -- why nothing came of it, or why it waits
    processed_at_us INTEGER,                       -- NULL while it waits
    CHECK ((body IS NULL) = (processed_at_us IS NOT NULL)),
    CHECK (run IS NULL OR processed_at_us IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX deliveries_identity ON deliveries (identity) WHERE identity IS NOT NULL;

-- Those that were put off come after those that were not.
CREATE INDEX deliveries_waiting ON deliveries (source, attempts > 0, seq) WHERE processed_at_us IS NULL;

CREATE INDEX deliveries_processed ON deliveries (processed_at_us) WHERE processed_at_us IS NOT NULL;

CREATE INDEX deliveries_by_run ON deliveries (run) WHERE run IS NOT NULL;
