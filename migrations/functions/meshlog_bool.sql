-- A member of a projection's row as a boolean; NULL when it is none.
CREATE OR REPLACE FUNCTION meshlog_bool(p_text text) RETURNS bool
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE p_text WHEN 'true' THEN true WHEN 'false' THEN false END
$$;
