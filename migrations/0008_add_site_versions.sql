-- Tells two states of a site apart, for those who change it only if it is still as they know it.
ALTER TABLE sites ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

COMMENT ON COLUMN sites.version IS 'Grows with every change of the row, and with nothing else.';

-- A trigger, so that it grows whoever makes the change.
CREATE FUNCTION bump_site_version() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION bump_site_version IS 'Trigger of sites: counts the changes of a row.';

CREATE TRIGGER site_changed
    BEFORE UPDATE ON sites
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION bump_site_version();
