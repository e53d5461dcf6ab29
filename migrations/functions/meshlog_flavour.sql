-- How the archive is stored: 'timescale' (hypertables), 'native' (daily partitions), NULL before the first migration.
CREATE OR REPLACE FUNCTION meshlog_flavour() RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE relkind WHEN 'p' THEN 'native' WHEN 'r' THEN 'timescale' END::text
  FROM pg_class WHERE oid = to_regclass('message_exchange')
$$;
