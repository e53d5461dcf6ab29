-- A member of a projection's row as a number; NULL when it is none. The bounds keep it within what a float8 takes.
CREATE OR REPLACE FUNCTION meshlog_float8(p_text text) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN length(p_text) <= 32 AND p_text ~ '^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$' THEN p_text::float8 END
$$;
