-- Makes the partitions of one UTC day, for all tables of the archive; returns how many it made, 0 on hypertables.
-- The writer calls it for every day it has not seen yet.
--
-- Locks: CREATE LIKE and ATTACH take SHARE UPDATE EXCLUSIVE on the tables, readers and writers go on; CREATE TABLE … PARTITION OF
-- would take ACCESS EXCLUSIVE.
-- TimeZone and DateStyle are set because bounds are printed and parsed as text: under DateStyle German the abbreviation IST
-- (India) is read back as Israel's, and the partition covers the wrong hours.
CREATE OR REPLACE FUNCTION meshlog_ensure_day(p_day date) RETURNS int
LANGUAGE plpgsql SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' AS $$
DECLARE
  lo timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
  hi timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
  made int := 0;
  parent text;
  home text;
  part text;
BEGIN
  IF meshlog_flavour() IS DISTINCT FROM 'native' THEN RETURN 0; END IF;
  FOREACH parent IN ARRAY ARRAY['message_exchange', 'verdict', 'delivery'] LOOP
    home := (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = parent::regclass);
    part := parent || '_' || to_char(p_day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(home || '.' || part) IS NOT NULL;
    PERFORM pg_advisory_xact_lock(hashtext('meshlog_ensure_day'));  -- two writers, one day
    BEGIN
      EXECUTE format('CREATE TABLE %1$s.%2$I (LIKE %1$s.%3$I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION,
                        CONSTRAINT %4$I CHECK (log_ts >= %5$L AND log_ts < %6$L))', home, part, parent, part || '_range', lo, hi);
      EXECUTE format('ALTER TABLE %1$s.%2$I ATTACH PARTITION %1$s.%3$I FOR VALUES FROM (%4$L) TO (%5$L)', home, parent, part, lo, hi);
      EXECUTE format('ALTER TABLE %1$s.%2$I DROP CONSTRAINT %3$I', home, part, part || '_range');
      made := made + 1;
    EXCEPTION WHEN duplicate_table THEN
      NULL;  -- another writer was first: an advisory lock does not refresh the catalogue cache that to_regclass looks in
    END;
  END LOOP;
  RETURN made;
END
$$;
