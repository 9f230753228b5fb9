-- What alerts were raised, and whom they were told: so that a restart says nothing twice.
--
-- No value of a person stands here: names of sources and targets, ids of runs and keys, codes, counts.

-- One line, once alerts were switched on.
CREATE TABLE alert_watch (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    since_us  INTEGER NOT NULL,                    -- when they were switched on
    looked_us INTEGER NOT NULL                     -- up to when runs were looked at
) STRICT;

CREATE TABLE alerts (
    kind     TEXT    NOT NULL,                     -- a word of `domain::AlertKind`
    subject  TEXT    NOT NULL,                     -- a run, target, source or key
    facts    TEXT    NOT NULL,                     -- what is known of it: a JSON object
    level    INTEGER NOT NULL,                     -- grows when it is worth saying again
    since_us INTEGER NOT NULL,                     -- since when it holds
    seen_us  INTEGER NOT NULL,                     -- when it was first seen
    ended_us INTEGER,                              -- when it was first seen to hold no more
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

-- What each channel was last told.
CREATE TABLE alerts_told (
    channel TEXT    NOT NULL,                      -- its name: where its address is, never the address
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    state   TEXT    NOT NULL CHECK (state IN ('raised', 'over')),
    level   INTEGER NOT NULL,
    at_us   INTEGER NOT NULL,
    PRIMARY KEY (channel, kind, subject),
    FOREIGN KEY (kind, subject) REFERENCES alerts (kind, subject)
) STRICT, WITHOUT ROWID;

-- Runs that began or ended lately.
CREATE INDEX runs_started ON runs (started_at_us);

CREATE INDEX runs_ended ON runs (ended_at_us) WHERE ended_at_us IS NOT NULL;
