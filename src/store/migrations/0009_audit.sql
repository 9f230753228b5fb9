-- What was done, by whom and from where: append-only, each record chained to the one before.
--
-- No value of a person stands here: names of sources, targets and secrets, ids of runs, keys and
-- deliveries, counts, digests, codes. Nothing is ever taken out, whatever is forgotten elsewhere.

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,     -- from 1, without gaps
    at_us   INTEGER NOT NULL,                      -- when
    actor   TEXT    NOT NULL,                      -- who
    origin  TEXT    NOT NULL,                      -- from where
    action  TEXT    NOT NULL,                      -- a word of `domain::AuditAction`
    subject TEXT    NOT NULL,                      -- about what
    details TEXT    NOT NULL,                      -- what else: a JSON object, names sorted
    hash    BLOB    NOT NULL CHECK (length(hash) = 32)   -- see `store::audit::link`
) STRICT;

-- The second place where it is said how far the trail goes. One line.
CREATE TABLE audit_head (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  INTEGER NOT NULL,
    hash BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, zeroblob(32));

-- Every config that came into force by the values it had then: to say later which keys are others.
CREATE TABLE audited_config (
    key    TEXT NOT NULL PRIMARY KEY,              -- a name in the config; '' is the file as a whole
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_is_not_edited
BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

CREATE TRIGGER audit_is_not_shortened
BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

CREATE TRIGGER audit_has_no_gaps
BEFORE INSERT ON audit
WHEN new.seq IS NOT (SELECT seq + 1 FROM audit_head)
BEGIN
    SELECT RAISE(ABORT, 'the audit trail goes on where it ends');
END;

CREATE TRIGGER audit_moves_its_head
AFTER INSERT ON audit
BEGIN
    UPDATE audit_head
    SET seq = new.seq,
        hash = new.hash;
END;

CREATE TRIGGER audit_head_only_moves_on
BEFORE UPDATE ON audit_head
WHEN new.id <> old.id
    OR new.seq <> old.seq + 1
    OR new.hash IS NOT (SELECT hash FROM audit WHERE seq = new.seq)
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

CREATE TRIGGER audit_head_stays
BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
