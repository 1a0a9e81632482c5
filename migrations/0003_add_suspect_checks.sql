-- Most sites of a checker began to fail at once, so its own network is the likelier cause.
ALTER TABLE checks ADD COLUMN suspect BOOLEAN NOT NULL DEFAULT FALSE;

COMMENT ON COLUMN checks.suspect IS 'Most sites of this checker had begun to fail at once: its own network is the likelier cause.';
