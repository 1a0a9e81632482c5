-- What each transaction of a sink has stored, so that readers can follow. Its rows are those of the slots
-- named here whose xmin is its xid.
CREATE TABLE stored_batches (
    xid       XID8 NOT NULL DEFAULT pg_current_xact_id(),
    first_at  TIMESTAMPTZ NOT NULL,
    last_at   TIMESTAMPTZ NOT NULL,
    stored_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    checks    INTEGER NOT NULL,
    PRIMARY KEY (xid, first_at)
);

COMMENT ON TABLE stored_batches IS 'What the transactions of the last day have stored in check_results: one row for each hour that the slots are in.';
COMMENT ON COLUMN stored_batches.xid IS 'The transaction; the rows that are still as it has written them have it as their xmin.';
COMMENT ON COLUMN stored_batches.first_at IS 'The first slot of the hour that it has stored.';
COMMENT ON COLUMN stored_batches.last_at IS 'The last one.';
COMMENT ON COLUMN stored_batches.stored_at IS 'When the transaction began.';
COMMENT ON COLUMN stored_batches.checks IS 'How many rows it has stored of the hour.';

-- There is always a last batch, also before the first.
INSERT INTO stored_batches (first_at, last_at, checks) VALUES (now(), now(), 0);
