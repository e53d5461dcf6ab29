-- Why:   the archive of `deliveries`: what came of sending a message to one backbone. It carries the position of the message
--        (and lies in the day of the message) and the position of its own entry.
-- Locks: none, the table is new.
-- Check: SELECT outcome, count(*) FROM delivery GROUP BY outcome;
DO $step$
DECLARE
  native boolean := (SELECT relkind = 'p' FROM pg_class WHERE oid = 'message_exchange'::regclass);
  columns text := $columns$
    log_ts       timestamptz NOT NULL,
    entry_ms     int8        NOT NULL,
    entry_seq    int8        NOT NULL,
    delivery_ms  int8        NOT NULL,
    delivery_seq int8        NOT NULL,
    ack_ts       timestamptz NOT NULL,
    stream_seq   int8,
    message_uuid uuid        NOT NULL,
    attempts     int4        NOT NULL,
    partition    int2        NOT NULL,
    duplicate    boolean     NOT NULL,
    outcome      text        COLLATE "C" NOT NULL,
    target       text        COLLATE "C" NOT NULL,
    subject      text        COLLATE "C" NOT NULL,
    stream       text        COLLATE "C",
    reason       text,
    CONSTRAINT delivery_log_ts CHECK (log_ts = timestamptz 'epoch' + entry_ms * interval '1 millisecond'),
    CONSTRAINT delivery_position UNIQUE (log_ts, partition, entry_ms, entry_seq, delivery_ms, delivery_seq)$columns$;
BEGIN
  IF native THEN
    EXECUTE 'CREATE TABLE delivery (' || columns || ') PARTITION BY RANGE (log_ts)';
  ELSE
    EXECUTE 'CREATE TABLE delivery (' || columns || ')';
    EXECUTE format('SELECT %I.create_hypertable(''delivery'', ''log_ts'', chunk_time_interval => interval ''1 day'',
                      create_default_indexes => false)',
                   (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'));
  END IF;
END
$step$;
