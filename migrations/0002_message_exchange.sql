-- Why:   the archive of `messages`: one row an entry, in order of position. Rows are only ever added, so what happens to a
--        message later (its acknowledgement) stands in `delivery`; the view `message_log` puts both together.
-- Locks: none, the table is new.
-- Check: SELECT meshlog_flavour(), count(*) FROM message_exchange;
--
-- The position is (partition, entry_ms, entry_seq). log_ts is a pure function of it, held by a CHECK, because a unique key
-- of a time-partitioned table must contain the time: only so does the key recognise an entry that is written again.
-- Names collate "C": compared as bytes, so that prefixes of topics use the index and inserts are cheap.
DO $step$
DECLARE
  timescale text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                     WHERE e.extname = 'timescaledb' AND coalesce(current_setting('meshlog.timescaledb', true), '') <> 'off');
  -- Payloads above 2 kB are compressed by the server; lz4 costs a fraction of pglz.
  lz4 text := CASE WHEN EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))
              THEN 'COMPRESSION lz4' ELSE '' END;
  columns text := format($columns$
    log_ts                  timestamptz NOT NULL,
    entry_ms                int8        NOT NULL,
    entry_seq               int8        NOT NULL,
    origin_ts               timestamptz,
    message_uuid            uuid        NOT NULL,
    partition               int2        NOT NULL,
    v                       int2        NOT NULL,
    event                   text        COLLATE "C" NOT NULL,
    topic                   text        COLLATE "C" NOT NULL,
    source_subject_id       text        COLLATE "C",
    destination_subject_ids text[]      COLLATE "C",
    message_type            text        COLLATE "C",
    content_type            text        COLLATE "C",
    via                     text        COLLATE "C",
    principal               text        COLLATE "C",
    correlation_id          text        COLLATE "C",
    causation               text        COLLATE "C",
    traceparent             text        COLLATE "C",
    message_metadata        json        %1$s,
    message_data            json        %1$s,  -- the client's bytes, when they are JSON
    message_bytes           bytea       %1$s,  -- the client's bytes, when they are not
    CONSTRAINT message_exchange_log_ts CHECK (log_ts = timestamptz 'epoch' + entry_ms * interval '1 millisecond'),
    CONSTRAINT message_exchange_position UNIQUE (log_ts, partition, entry_ms, entry_seq)$columns$, lz4);
BEGIN
  IF timescale IS NULL THEN
    EXECUTE 'CREATE TABLE message_exchange (' || columns || ') PARTITION BY RANGE (log_ts)';
  ELSE
    EXECUTE 'CREATE TABLE message_exchange (' || columns || ')';
    EXECUTE format('SELECT %I.create_hypertable(''message_exchange'', ''log_ts'', chunk_time_interval => interval ''1 day'',
                      create_default_indexes => false)', timescale);
  END IF;
END
$step$;

-- By id; also what finds the messages of a trace.
CREATE INDEX message_exchange_uuid ON message_exchange (message_uuid);
-- By sender and by topic or the prefix of a topic pattern, newest first or oldest first.
CREATE INDEX message_exchange_source ON message_exchange (source_subject_id, log_ts);
CREATE INDEX message_exchange_topic ON message_exchange (topic, log_ts);
-- By recipient.
CREATE INDEX message_exchange_destinations ON message_exchange USING gin (destination_subject_ids);
