-- Why:   the archive lies in hypertables where the server has TimescaleDB, in native daily partitions where it has not. This
--        step gets the extension where that is possible, and never fails for want of it.
--        SET meshlog.timescaledb = 'off' before migrating chooses native partitions in spite of it.
-- Locks: none on tables of Meshlog.
-- Check: SELECT extversion FROM pg_extension WHERE extname = 'timescaledb';  SELECT meshlog_flavour();
DO $step$
DECLARE
  -- The name says that the loader is preloaded. Without it CREATE EXTENSION raises FATAL, which no EXCEPTION block catches.
  preloaded boolean := EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.disable_load');
  installed boolean := EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb');
BEGIN
  -- Such a server silently leaves rows out of answers and puts new ones where nobody finds them.
  IF installed AND NOT preloaded THEN
    RAISE EXCEPTION 'this database uses timescaledb, but the server does not preload it'
      USING HINT = 'add timescaledb to shared_preload_libraries and restart the server';
  END IF;
  IF installed THEN
    NULL;
  ELSIF coalesce(current_setting('meshlog.timescaledb', true), '') = 'off' THEN
    RAISE NOTICE 'timescaledb: switched off';
  ELSIF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') THEN
    RAISE NOTICE 'timescaledb: not installed on this server';
  ELSIF NOT preloaded THEN
    RAISE NOTICE 'timescaledb: installed but not in shared_preload_libraries';
  ELSE
    BEGIN
      EXECUTE 'CREATE EXTENSION IF NOT EXISTS timescaledb SCHEMA public';
    EXCEPTION WHEN OTHERS THEN  -- insufficient_privilege, undefined_file, two versions mixed up …
      RAISE NOTICE 'timescaledb: CREATE EXTENSION failed: % %', SQLSTATE, SQLERRM;
    END;
  END IF;
END
$step$;
