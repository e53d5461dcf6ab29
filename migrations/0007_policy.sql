-- Why:   a verdict tells what led to it (what shadow constraints would have done, limits, annotations, who is left out, errors, what a
--        person is asked), and a message that was held stands in the log a second time, with what let it go. JSON as json, not jsonb:
--        what stands in the log stands here byte for byte, so that a decision can be made again from the archive.
-- Locks: ACCESS EXCLUSIVE on message_exchange and verdict, for milliseconds: columns without a default rewrite nothing.
-- Check: SELECT outcome, rule, count(*), count(limits), count(shadow) FROM verdict GROUP BY 1, 2;
ALTER TABLE verdict
  ADD COLUMN shadow       json,
  ADD COLUMN limits       json,
  ADD COLUMN annotations  json,
  ADD COLUMN withheld     json,
  ADD COLUMN error        json,
  ADD COLUMN destinations json,        -- the recipients, where they are not the message's own
  ADD COLUMN hold         json,
  ADD COLUMN retry_at     timestamptz, -- when a delayed message goes on; when a message that a limit blocked would pass
  ADD COLUMN digest       bytea;       -- SHA-256 over what the decision was made from
ALTER TABLE message_exchange
  ADD COLUMN release      json;        -- of a message that was held: what let it go
