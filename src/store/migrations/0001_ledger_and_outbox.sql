-- The ledger, the outbox, calls.
--
-- Instants are INTEGER microseconds since 1970-01-01 UTC, in columns that end in `_us`.
-- States are TEXT, the words of `domain::OperationStatus` and `domain::RunStatus`.
-- Never edited once it has landed; a change is a new file.

-- One line for each target that ever had a run.
CREATE TABLE targets (
    target         TEXT    NOT NULL PRIMARY KEY,   -- its name in the config
    job            TEXT    NOT NULL,               -- tenant, service principal and job it stands for
    ledger_version INTEGER NOT NULL                -- grows by one with each committed run
) STRICT, WITHOUT ROWID;

-- One line for each run, refused files included.
CREATE TABLE runs (
    seq                 INTEGER PRIMARY KEY,       -- grows in the order of storing
    id                  TEXT    NOT NULL UNIQUE,   -- a ULID
    source              TEXT    NOT NULL,
    target              TEXT    NOT NULL,
    file                TEXT,                      -- name without folders
    file_digest         BLOB    NOT NULL CHECK (length(file_digest) = 32),          -- SHA-256
    mapping_fingerprint BLOB    NOT NULL CHECK (length(mapping_fingerprint) = 16),
    status              TEXT    NOT NULL CHECK (status IN (
                            'planning', 'held', 'delivering', 'tracking', 'completed', 'cancelled', 'failed')),
    row_count           INTEGER NOT NULL,          -- data rows read
    without_row         INTEGER NOT NULL,          -- operations without a row
    unchanged           INTEGER NOT NULL,          -- rows counted, not stored
    out_of_scope        INTEGER NOT NULL,          -- rows counted, not stored
    joiner              INTEGER NOT NULL,          -- operations by kind of change
    joiner_inactive     INTEGER NOT NULL,          -- part of `joiner`
    mover               INTEGER NOT NULL,
    leaver              INTEGER NOT NULL,
    rehire              INTEGER NOT NULL,
    missing             INTEGER NOT NULL,
    problem_code        TEXT,                      -- why the file was refused
    problem_place       TEXT,
    problem_message     TEXT,
    problem_hint        TEXT,
    started_at_us       INTEGER NOT NULL,
    ended_at_us         INTEGER                    -- NULL while unfinished
) STRICT;

CREATE INDEX runs_by_source ON runs (source, seq);

CREATE INDEX runs_unfinished ON runs (target, seq)
    WHERE status IN ('planning', 'held', 'delivering', 'tracking');

-- Requests to bulkUpload. A retry is the same request.
CREATE TABLE bulk_requests (
    id                INTEGER PRIMARY KEY,         -- unique in the store
    target            TEXT    NOT NULL,
    status            TEXT    NOT NULL CHECK (status IN (
                          'sending',               -- being posted, or its answer is not known
                          'waiting',               -- to be posted, not before `not_before_us`
                          'accepted',              -- 202
                          'refused',               -- for good
                          'closed')),              -- broken up, or all its operations were superseded
    attempts          INTEGER NOT NULL,            -- how often it was posted
    client_request_id TEXT,                        -- of the last attempt
    request_id        TEXT,                        -- the server's id of the accepted attempt
    not_before_us     INTEGER,
    doubt_since_us    INTEGER,                     -- begin of the first attempt that Entra may have got without our knowing
    created_at_us     INTEGER NOT NULL,
    updated_at_us     INTEGER NOT NULL,
    CHECK ((status = 'waiting') = (not_before_us IS NOT NULL))
) STRICT;

CREATE INDEX bulk_requests_waiting ON bulk_requests (target, not_before_us, id) WHERE status = 'waiting';

CREATE INDEX bulk_requests_sending ON bulk_requests (target, id) WHERE status = 'sending';

-- Operations, and the rows that were rejected or superseded by another row.
CREATE TABLE operations (
    id             INTEGER PRIMARY KEY,            -- grows in the order of planning
    run            INTEGER NOT NULL REFERENCES runs (seq),
    target         TEXT    NOT NULL,               -- the run's
    source_row     INTEGER,                        -- record number in the file, the header being 1
    line           INTEGER,                        -- physical line
    external_id    TEXT,                           -- the worker, where it could be read
    change         TEXT CHECK (change IN ('joiner', 'mover', 'leaver', 'rehire')),
    status         TEXT    NOT NULL CHECK (status IN (
                       'rejected', 'out_of_scope', 'unchanged', 'held', 'queued', 'sending', 'accepted',
                       'provisioned', 'skipped', 'failed', 'unconfirmed', 'superseded', 'cancelled')),
    priority       INTEGER NOT NULL,               -- 0 goes before 1: leavers first
    resource       BLOB,                           -- the SCIM user, packed; NULL once it is not to be sent any more
    attempts       INTEGER NOT NULL DEFAULT 0,     -- how often it was posted
    bulk_request   INTEGER REFERENCES bulk_requests (id),
    code           TEXT,                           -- stable: why rejected, what Entra said, why postponed
    reason         TEXT,                           -- in words; may quote names
    advice         TEXT,                           -- what to do
    warning_code   TEXT,                           -- of planning; shown until there is an outcome
    warning_reason TEXT,
    sent_at_us     INTEGER,                        -- when it was accepted, by the server's clock
    change_id      TEXT,                           -- of the event that settled it
    event_at_us    INTEGER,                        -- time of that event
    updated_at_us  INTEGER NOT NULL,
    CHECK (change IS NULL OR external_id IS NOT NULL),
    CHECK (status NOT IN ('held', 'queued', 'sending') OR (change IS NOT NULL AND resource IS NOT NULL)),
    CHECK (status <> 'sending' OR bulk_request IS NOT NULL),
    CHECK (status <> 'accepted' OR sent_at_us IS NOT NULL)
) STRICT;

CREATE INDEX operations_by_run ON operations (run);

CREATE INDEX operations_by_run_status ON operations (run, status, bulk_request);

CREATE INDEX operations_by_worker ON operations (target, external_id) WHERE external_id IS NOT NULL;

CREATE INDEX operations_by_request ON operations (bulk_request) WHERE bulk_request IS NOT NULL;

CREATE INDEX operations_outbox ON operations (target, priority, id)
    WHERE status = 'queued' AND bulk_request IS NULL;

CREATE INDEX operations_accepted ON operations (target, sent_at_us) WHERE status = 'accepted';

-- The latest version wins: a worker has at most one operation waiting.
CREATE UNIQUE INDEX operations_one_queued ON operations (target, external_id) WHERE status = 'queued';

-- One record is never in two requests at once.
CREATE UNIQUE INDEX operations_one_sending ON operations (target, external_id) WHERE status = 'sending';

-- Every status and code an operation ever had. Only the two triggers below write it, so that no
-- statement can forget to.
CREATE TABLE operation_history (
    operation    INTEGER NOT NULL REFERENCES operations (id),
    step         INTEGER NOT NULL,                 -- from 1
    at_us        INTEGER NOT NULL,
    status       TEXT    NOT NULL,
    code         TEXT,
    bulk_request INTEGER,
    PRIMARY KEY (operation, step)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER operations_begin AFTER INSERT ON operations
BEGIN
    INSERT INTO operation_history (operation, step, at_us, status, code, bulk_request)
    VALUES (NEW.id, 1, NEW.updated_at_us, NEW.status, coalesce(NEW.code, NEW.warning_code), NEW.bulk_request);
END;

CREATE TRIGGER operations_step AFTER UPDATE OF status, code ON operations
WHEN OLD.status IS NOT NEW.status OR OLD.code IS NOT NEW.code
BEGIN
    INSERT INTO operation_history (operation, step, at_us, status, code, bulk_request)
    VALUES (
        NEW.id,
        (SELECT coalesce(max(step), 0) + 1 FROM operation_history WHERE operation = NEW.id),
        NEW.updated_at_us,
        NEW.status,
        CASE WHEN NEW.code IS NULL AND NEW.reason IS NULL THEN NEW.warning_code ELSE NEW.code END,
        NEW.bulk_request);
END;

-- The ledger: one line for each worker of a target.
CREATE TABLE records (
    target               TEXT    NOT NULL,
    external_id          TEXT    NOT NULL,
    source               TEXT    NOT NULL,         -- who last sent the worker, the owner
    active               INTEGER NOT NULL CHECK (active IN (0, 1)),
    digest               BLOB    NOT NULL CHECK (length(digest) = 16),
    last_operation       INTEGER NOT NULL REFERENCES operations (id),
    arrived              INTEGER NOT NULL DEFAULT 0 CHECK (arrived IN (0, 1)),   -- ever provisioned or skipped
    resent_at_us         INTEGER,                  -- when the same resource was last sent again
    last_sent_us         INTEGER,                  -- when Entra last accepted an operation
    next_effective_at_us INTEGER,                  -- when the record changes by itself next
    resource             BLOB    NOT NULL,         -- the last planned SCIM user, packed
    PRIMARY KEY (target, external_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_by_source ON records (target, source);

-- Every POST to bulkUpload of the last day.
CREATE TABLE calls (
    id          INTEGER PRIMARY KEY,
    tenant      TEXT    NOT NULL,                  -- the limits are the tenant's
    target      TEXT    NOT NULL,
    started_us  INTEGER NOT NULL,
    answered_us INTEGER                            -- NULL while the answer is not known
) STRICT;

CREATE INDEX calls_by_tenant ON calls (tenant, started_us);

CREATE INDEX calls_unanswered ON calls (target) WHERE answered_us IS NULL;
