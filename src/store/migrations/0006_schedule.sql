-- How far the times of schedules and of watched folders have been dealt with: so that a restart
-- neither repeats a time nor loses one.
CREATE TABLE schedules (
    source     TEXT    NOT NULL,
    name       TEXT    NOT NULL,                          -- its times and what they are for
    through_us INTEGER NOT NULL,                          -- times up to this one are dealt with
    due_us     INTEGER,                                   -- the time that is being dealt with
    run        TEXT,                                      -- the id that its run has, or will have
    missed     INTEGER NOT NULL DEFAULT 0,                -- how many times it stands for beside itself
    alarmed_us INTEGER,                                   -- the time that nothing came for, until something does
    came_us    INTEGER,                                   -- when something came last
    PRIMARY KEY (source, name),
    CHECK ((due_us IS NULL) = (run IS NULL))
) STRICT, WITHOUT ROWID;
