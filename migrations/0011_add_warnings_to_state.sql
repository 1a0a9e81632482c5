-- Why a site is degraded, where all else is that tells how it is: who asks about thousands of sites need
-- not look for a row of check_results for each.
--
-- Nothing is filled in: the next check of each site does. A sink of the version before leaves the column
-- as it is, so it means something only where the outcome is degraded.
ALTER TABLE site_state ADD COLUMN warnings check_warning[];

COMMENT ON COLUMN site_state.warnings IS 'Why the latest result is degraded; means nothing when it is not.';
