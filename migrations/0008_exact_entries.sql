-- Why:   an entry of which PostgreSQL refuses a part (text with NUL, metadata that is no JSON) is kept in its columns without that part, which
--        makes it another message than the one that a person's decision is bound to. Its fields now stand here as the log had them.
-- Locks: ACCESS EXCLUSIVE on message_exchange, for milliseconds: a column without a default rewrites nothing.
-- Check: SELECT count(*) FROM message_exchange WHERE exact_fields IS NOT NULL;
ALTER TABLE message_exchange
  ADD COLUMN exact_fields bytea;       -- name, length and bytes of each field but the payload, which stands in message_bytes; mostly NULL
