-- A member of a projection's row as an integer; NULL when it is none, so that one odd document does not break a whole view.
CREATE OR REPLACE FUNCTION meshlog_int8(p_text text) RETURNS int8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN p_text ~ '^-?[0-9]{1,18}$' THEN p_text::int8 END
$$;
