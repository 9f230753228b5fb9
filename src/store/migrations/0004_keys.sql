-- The keys that those who call us hold. Only digests: a key cannot be read out of the store.
CREATE TABLE keys (
    id           TEXT    NOT NULL PRIMARY KEY,            -- the public part
    role         TEXT    NOT NULL CHECK (role IN ('webhook', 'reader', 'admin')),
    source       TEXT,                                    -- of a webhook key
    digest       BLOB    NOT NULL CHECK (length(digest) = 32),  -- SHA-256 of the whole key
    created_us   INTEGER NOT NULL,
    created_by   TEXT    NOT NULL,
    expires_us   INTEGER NOT NULL,                        -- not valid from here on
    last_used_us INTEGER,                                 -- to the minute or so
    revoked_us   INTEGER,                                 -- not valid from here on
    revoked_by   TEXT,
    replaced_by  TEXT REFERENCES keys (id),               -- the key that took its place
    CHECK ((role = 'webhook') = (source IS NOT NULL)),
    CHECK ((revoked_us IS NULL) = (revoked_by IS NULL))
) STRICT, WITHOUT ROWID;
