-- What lies encrypted, and what was removed to keep no more of people than is needed.
--
-- Only adds. A store from before lies in the clear until it is told otherwise.

-- The keys that something in the store may be sealed with.
CREATE TABLE seals (
    key_id        BLOB    NOT NULL PRIMARY KEY CHECK (length(key_id) = 4),  -- of a hash of the key
    refuses_plain INTEGER NOT NULL CHECK (refuses_plain IN (0, 1)),        -- once nothing lies in the clear
    proof         BLOB    NOT NULL                                         -- nothing, sealed with it: says that the line is true
) STRICT, WITHOUT ROWID;

-- Operations and rows that were removed, still counted with their run.
CREATE TABLE removed (
    run        INTEGER NOT NULL REFERENCES runs (seq),
    status     TEXT    NOT NULL,                   -- the last they had
    operations INTEGER NOT NULL,                   -- how many
    PRIMARY KEY (run, status)
) STRICT, WITHOUT ROWID;

ALTER TABLE runs ADD COLUMN removed_requests INTEGER NOT NULL DEFAULT 0;    -- bulk requests that carried nothing else of the run

ALTER TABLE runs ADD COLUMN reduced INTEGER NOT NULL DEFAULT 0
    CHECK (reduced IN (0, 1));                                              -- once its time to be kept was over

-- Of somebody who has left: whether the resource is no more than who it was.
ALTER TABLE records ADD COLUMN is_reduced INTEGER NOT NULL DEFAULT 0 CHECK (is_reduced IN (0, 1));

CREATE INDEX records_left ON records (target, external_id) WHERE active = 0 AND is_reduced = 0;

-- Runs whose time to be kept may be over.
CREATE INDEX runs_kept ON runs (ended_at_us) WHERE ended_at_us IS NOT NULL AND reduced = 0;
