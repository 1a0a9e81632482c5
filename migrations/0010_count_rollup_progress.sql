-- Who keeps what rollups came to also depends on how far they are: the revision says both.

CREATE FUNCTION count_rollup_progress() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION count_rollup_progress IS 'Trigger of rollup_progress: counts each change of how far rollups are.';

CREATE TRIGGER rollup_progress_changed BEFORE UPDATE ON rollup_progress
    FOR EACH ROW
    WHEN (
        (OLD.hours_closed_to, OLD.days_closed_to, OLD.raw_from)
            IS DISTINCT FROM (NEW.hours_closed_to, NEW.days_closed_to, NEW.raw_from)
    )
    EXECUTE FUNCTION count_rollup_progress();

COMMENT ON COLUMN rollup_progress.revision IS 'Grows with every change of rollup_hours and rollup_days, and of how far they are, in the transaction of the change.';
