-- The message log for people: each message with its position, its verdict and its acknowledgement.
-- ack_ts is when a backbone first acknowledged it, NULL while none has. Sub-selects, not joins: a query with LIMIT then
-- looks up only the rows that it shows.
--
-- Replaced in place, so that views of yours that read it stay: new columns go to its end. Only where that cannot be done, because a column went or
-- changed, it is made anew; a view of yours that reads it has to be dropped before then.
DO $step$
DECLARE
  query text := $query$
SELECT
  m.message_uuid, m.origin_ts,
  (SELECT min(d.ack_ts) FROM delivery d
   WHERE d.log_ts = m.log_ts AND d.partition = m.partition AND d.entry_ms = m.entry_ms AND d.entry_seq = m.entry_seq
     AND d.outcome <> 'failed') AS ack_ts,
  m.message_data, m.source_subject_id, m.destination_subject_ids, m.topic, m.message_type, m.message_metadata,
  m.partition || '-' || m.entry_ms || '-' || m.entry_seq AS position,
  m.log_ts, m.partition, m.entry_ms, m.entry_seq,
  (SELECT v.outcome FROM verdict v
   WHERE v.log_ts = m.log_ts AND v.partition = m.partition AND v.entry_ms = m.entry_ms AND v.entry_seq = m.entry_seq) AS outcome,
  (SELECT v.rule FROM verdict v
   WHERE v.log_ts = m.log_ts AND v.partition = m.partition AND v.entry_ms = m.entry_ms AND v.entry_seq = m.entry_seq) AS rule,
  m.message_bytes, m.content_type, m.via, m.principal, m.correlation_id, m.causation, m.traceparent, m.event, m.v
FROM message_exchange m
$query$;
BEGIN
  EXECUTE 'CREATE OR REPLACE VIEW message_log AS ' || query;
EXCEPTION WHEN invalid_table_definition THEN
  DROP VIEW message_log;
  EXECUTE 'CREATE VIEW message_log AS ' || query;
END
$step$;
