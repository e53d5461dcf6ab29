-- Why:   the archive of `verdicts`: what was decided about each message. A verdict has the position of its message, so the
--        two are joined by position and a second verdict about the same message is refused by the key.
-- Locks: none, the table is new.
-- Check: SELECT outcome, count(*) FROM verdict GROUP BY outcome;
DO $step$
DECLARE
  -- The same flavour as the messages, whatever the server could do by now.
  native boolean := (SELECT relkind = 'p' FROM pg_class WHERE oid = 'message_exchange'::regclass);
  columns text := $columns$
    log_ts          timestamptz NOT NULL,
    entry_ms        int8        NOT NULL,
    entry_seq       int8        NOT NULL,
    message_uuid    uuid        NOT NULL,
    partition       int2        NOT NULL,
    outcome         text        COLLATE "C" NOT NULL,
    topic           text        COLLATE "C" NOT NULL,
    subject         text        COLLATE "C",  -- where it goes out, when that is not the topic
    rule            text        COLLATE "C" NOT NULL,
    reason          text,
    policy_revision text        COLLATE "C" NOT NULL,
    targets         json        NOT NULL,
    CONSTRAINT verdict_log_ts CHECK (log_ts = timestamptz 'epoch' + entry_ms * interval '1 millisecond'),
    CONSTRAINT verdict_position UNIQUE (log_ts, partition, entry_ms, entry_seq)$columns$;
BEGIN
  IF native THEN
    EXECUTE 'CREATE TABLE verdict (' || columns || ') PARTITION BY RANGE (log_ts)';
  ELSE
    EXECUTE 'CREATE TABLE verdict (' || columns || ')';
    EXECUTE format('SELECT %I.create_hypertable(''verdict'', ''log_ts'', chunk_time_interval => interval ''1 day'',
                      create_default_indexes => false)',
                   (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'));
  END IF;
END
$step$;

-- What was not simply delivered is rare and often asked for.
CREATE INDEX verdict_exceptions ON verdict (outcome, log_ts) WHERE outcome <> 'deliver';
