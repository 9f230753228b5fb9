-- What goes back to HR of a rejected row, and who holds which userName.
--
-- Only adds: rows from before have NULL in the new columns. The keys of the records that are there
-- are filled in by the program as part of this step, because SQL cannot compute them.

-- The mapped headers in file order, spelled as in the file: a JSON array. NULL without a file.
ALTER TABLE runs ADD COLUMN columns TEXT;

-- Of a rejected row: the column at fault and the mapped cells in the order of `runs.columns`, packed
-- as a resource is. Values of people: nothing but a report reads them. NULL where nothing was kept.
ALTER TABLE operations ADD COLUMN cells BLOB;

-- 8 bytes of SHA-256 over the userName of the last planned resource, normalised, lower case. NULL
-- without one.
ALTER TABLE records ADD COLUMN user_name_key INTEGER;

CREATE INDEX records_by_user_name ON records (target, user_name_key) WHERE user_name_key IS NOT NULL;
