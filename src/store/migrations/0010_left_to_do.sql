-- What was removed while the file's free pages and the log may still hold it: noted in the transaction that
-- removes it, gone once the file was written anew and the log emptied.
CREATE TABLE wipes_due (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,     -- never used twice: what is noted during a wipe stays
    noted_at_us  INTEGER NOT NULL,                      -- when it was removed
    salt         BLOB,                                  -- of somebody who was forgotten: random
    person       BLOB CHECK (length(person) = 32),      -- SHA-256 of salt, target and id, as long as their traces are there
    is_rewritten INTEGER NOT NULL DEFAULT 0             -- whether the file was written anew, so that the log alone is left
        CHECK (is_rewritten IN (0, 1))
) STRICT;

-- What was let go since the audit trail last told of it: steps are many, and a process may end between two.
CREATE TABLE let_go (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    operations INTEGER NOT NULL,
    people     INTEGER NOT NULL
) STRICT;

INSERT INTO let_go (id, operations, people) VALUES (1, 0, 0);
