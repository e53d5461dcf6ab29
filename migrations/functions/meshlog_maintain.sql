-- Housekeeping of the archive, called by Meshlog about once an hour on every flavour; returns what it did.
-- p_keep: age beyond which days are dropped, NULL keeps everything. p_ahead: days to have partitions for, beyond today.
--
-- Locks: dropping a day needs ACCESS EXCLUSIVE on its table for an instant: SET lock_timeout first.
CREATE OR REPLACE FUNCTION meshlog_maintain(p_keep interval DEFAULT NULL, p_ahead int DEFAULT 3, p_now timestamptz DEFAULT now())
RETURNS TABLE (action text, object text)
LANGUAGE plpgsql SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' AS $$
DECLARE
  cutoff timestamptz := p_now - p_keep;
  parent text;
  extension text;
  day date;
  found record;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('meshlog_maintain')) THEN RETURN; END IF;
  IF meshlog_flavour() = 'native' THEN
    FOR i IN 0..p_ahead LOOP
      day := (p_now AT TIME ZONE 'UTC')::date + i;
      IF meshlog_ensure_day(day) > 0 THEN
        action := 'created'; object := to_char(day, 'YYYY-MM-DD'); RETURN NEXT;
      END IF;
    END LOOP;
  END IF;
  IF cutoff IS NULL THEN RETURN; END IF;
  FOREACH parent IN ARRAY ARRAY['delivery', 'verdict', 'message_exchange'] LOOP
    IF meshlog_flavour() = 'timescale' THEN
      extension := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb');
      FOR found IN EXECUTE format('SELECT %I.drop_chunks($1::regclass, older_than => $2)::text AS name', extension) USING parent, cutoff LOOP
        action := 'dropped'; object := found.name; RETURN NEXT;
      END LOOP;
    ELSE
      FOR found IN
        SELECT c.oid::regclass::text AS name, (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''([^'']+)''\)'))[1]::timestamptz AS hi
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = parent::regclass AND pg_get_expr(c.relpartbound, c.oid) LIKE 'FOR VALUES FROM%'
        ORDER BY 2
      LOOP
        CONTINUE WHEN found.hi > cutoff;
        EXECUTE format('DROP TABLE %s', found.name);
        action := 'dropped'; object := found.name; RETURN NEXT;
      END LOOP;
    END IF;
  END LOOP;
END
$$;
