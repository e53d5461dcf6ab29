-- Why:   how far a stage has come, committed with what it wrote. `epoch` fences: who claims a checkpoint raises it, and a commit
--        under a lower one changes no row, which its writer takes for "somebody else has taken over".
-- Locks: none, the table is new.
-- Check: SELECT name, partition, position_ms, position_seq, epoch, entries FROM checkpoint;
CREATE TABLE checkpoint (
  name         text        COLLATE "C" NOT NULL,
  partition    int2        NOT NULL,
  position_ms  int8        NOT NULL DEFAULT 0,  -- the last entry that is done; 0-0 before the first
  position_seq int8        NOT NULL DEFAULT 0,
  epoch        int8        NOT NULL DEFAULT 0,
  entries      int8        NOT NULL DEFAULT 0,  -- done since the beginning
  digest       bytea,
  updated_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (name, partition)
) WITH (fillfactor = 50);  -- one row, updated with every batch: let the update stay on its page

-- harmless, but changed

-- harmless, but changed

-- harmless, but changed

-- harmless, but changed
