-- Why:   the log that this archive is of. Positions say nothing about whose they are: a second log on the same database would move the
--        checkpoint past entries of the first, which then are never archived. So each start compares.
-- Locks: none, the table is new.
-- Check: SELECT key_prefix, log_id, since FROM log_identity;
CREATE TABLE log_identity (
  only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  log_id     text        COLLATE "C" NOT NULL,  -- made once for each log and kept in Redis, under <key_prefix>:{m0}:log-id
  key_prefix text        COLLATE "C" NOT NULL,
  since      timestamptz NOT NULL DEFAULT now()
);
