-- Why:   what folds of the log have made, and how far they are. Rows of a projection lie in a table of their own for each generation,
--        projections.<name>_g<generation>, made by the runtime; projections.<name> is a view of the one that serves. So a rebuild
--        fills its table beside the one that is read, and takes over by replacing the view.
--        The tables here say for each generation how far it is and what its rows add up to (`projection`), what they added up to on
--        the way (`projection_digest`), and which events are waiting because they could not be applied (`projection_parked`).
-- Locks: none, the tables are new.
-- Check: SELECT name, generation, status, position_ms, position_seq, rows FROM projection ORDER BY name, generation;
CREATE SCHEMA IF NOT EXISTS projections;

CREATE TABLE projection (
  name           text        COLLATE "C" NOT NULL,
  generation     int4        NOT NULL,
  version        int4        NOT NULL,             -- of the code that folds it
  status         text        NOT NULL CHECK (status IN ('building', 'serving', 'stopped', 'failed', 'cancelled', 'replaced')),
  partition      int2        NOT NULL DEFAULT 0,
  position_ms    int8        NOT NULL DEFAULT 0,   -- everything up to here is in the rows
  position_seq   int8        NOT NULL DEFAULT 0,
  entries        int8        NOT NULL DEFAULT 0,   -- read
  events         int8        NOT NULL DEFAULT 0,   -- that concerned it
  rows           int8        NOT NULL DEFAULT 0,
  skipped        int8        NOT NULL DEFAULT 0,
  parked         int8        NOT NULL DEFAULT 0,   -- waiting
  digest         bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  epoch          int8        NOT NULL DEFAULT 0,   -- who takes a generation over raises it; a writer with a lower one is fenced
  target_ms      int8        NOT NULL DEFAULT 0,   -- the head when it was last seen
  target_seq     int8        NOT NULL DEFAULT 0,
  target_entries int8        NOT NULL DEFAULT 0,
  folded_entries int8        NOT NULL DEFAULT 0,   -- ahead of the commit, in memory
  pace           float8      NOT NULL DEFAULT 0,   -- entries a second
  begins_ms      int8,                             -- the first entry there was, when older ones were gone
  begins_seq     int8,
  failure        text,
  failure_ms     int8,
  failure_seq    int8,
  pass_ms        int8,                             -- somebody decided to pass over the event at this position
  pass_seq       int8,
  started_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at    timestamptz,
  PRIMARY KEY (name, generation)
) WITH (fillfactor = 50);  -- few rows, updated with every batch: let the update stay on its page

-- One generation serves, one is built beside it.
CREATE UNIQUE INDEX projection_serving ON projection (name) WHERE status IN ('serving', 'stopped');
CREATE UNIQUE INDEX projection_building ON projection (name) WHERE status = 'building';

CREATE TABLE projection_digest (
  name         text  COLLATE "C" NOT NULL,
  generation   int4  NOT NULL,
  position_ms  int8  NOT NULL,
  position_seq int8  NOT NULL,
  events       int8  NOT NULL,
  rows         int8  NOT NULL,
  digest       bytea NOT NULL,
  PRIMARY KEY (name, generation, position_ms, position_seq),
  FOREIGN KEY (name, generation) REFERENCES projection ON DELETE CASCADE
);

CREATE TABLE projection_parked (
  name           text        COLLATE "C" NOT NULL,
  generation     int4        NOT NULL,
  position_ms    int8        NOT NULL,
  position_seq   int8        NOT NULL,
  stream         text        COLLATE "C" NOT NULL,
  status         text        NOT NULL CHECK (status IN ('parked', 'retry', 'applied', 'discarded')),
  reason         text        NOT NULL,
  entry          text        NOT NULL,            -- its fields as a JSON object
  attempts       int4        NOT NULL DEFAULT 1,
  parked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Where it was applied out of turn: behind this position, as the so-manieth event. A verification repeats it there.
  applied_ms     int8,
  applied_seq    int8,
  applied_events int8,
  PRIMARY KEY (name, generation, position_ms, position_seq, stream),
  FOREIGN KEY (name, generation) REFERENCES projection ON DELETE CASCADE
);

CREATE INDEX projection_parked_retry ON projection_parked (name, generation) WHERE status = 'retry';
