#!lua name=meshlog
-- The atomic steps of the log. Each function is one step that must happen wholly or not at all.
--
-- A lease is a key that holds "<epoch> <instance>" for as long as one process may act for a stage. Every function that
-- writes for a stage takes the lease's key and the epoch under which its caller believes to hold it, and refuses with
-- FENCED when another has taken over: a process that was paused cannot commit late.

local function fenced(lease, epoch)
  local held = redis.call('GET', lease)
  return not held or string.match(held, '^(%d+) ') ~= epoch
end

local FENCED = 'FENCED another process holds the lease'

-- Halves of a stream id.
local function parse(id)
  local ms, seq = string.match(id, '^(%d+)%-?(%d*)$')
  return tonumber(ms), tonumber(seq ~= '' and seq or 0)
end

local function before(a, b)
  local ams, aseq = parse(a)
  local bms, bseq = parse(b)
  return ams < bms or (ams == bms and aseq < bseq)
end

-- What XINFO says of a stream, by name; nil when there is none.
local function stream_info(key)
  if redis.call('EXISTS', key) == 0 then return nil end
  local flat, info = redis.call('XINFO', 'STREAM', key), {}
  for i = 1, #flat, 2 do info[flat[i]] = flat[i + 1] end
  return info
end

-- The last id ever given out in a stream; '0-0' when there is none.
local function last_id(key)
  local info = stream_info(key)
  return info and info['last-generated-id'] or '0-0'
end

-- What XINFO says of a stream's groups, each by name.
local function groups(key)
  local out = {}
  if redis.call('EXISTS', key) == 0 then return out end
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    local info = {}
    for i = 1, #flat, 2 do info[flat[i]] = flat[i + 1] end
    out[#out + 1] = info
  end
  return out
end

-- A group of a stream; nil when there is none. Who moves its cursor looks for it before the first write, since what a function has written stays.
local function find_group(key, name)
  for _, info in ipairs(groups(key)) do
    if info['name'] == name then return info end
  end
end

-- As Redis words it, so that who mends what is missing knows it.
local function no_group(key, name)
  return redis.error_reply("NOGROUP No such consumer group '" .. name .. "' for key name '" .. key .. "'")
end

-- Moves a group's cursor behind so many further entries. Of a group that was begun in the middle nobody knows how many it has passed until it is at
-- the end: then there is no number rather than a wrong one.
local function move_cursor(key, info, id, entries)
  local stream, read = stream_info(key), info['entries-read']
  if not read and info['lag'] then read = stream['entries-added'] - info['lag'] end
  if read then
    read = read + entries
  elseif id == stream['last-generated-id'] then
    read = stream['entries-added']
  end
  if read then
    redis.call('XGROUP', 'SETID', key, info['name'], id, 'ENTRIESREAD', string.format('%.0f', read))
  else
    redis.call('XGROUP', 'SETID', key, info['name'], id)
  end
end

-- Appends one message unless one of its names was used within the window. All its names must agree, and those that are not known yet are
-- remembered beside the others: what came first under its id alone is found by its idempotency key, too, from the repeat on.
-- KEYS  stream, then one key per name of the message (its uuid, the id made of its idempotency key)
-- ARGV  window in ms, digest of the content, then the fields of XADD
-- =>    {stream id, 0 appended | 1 known with the same content | 2 known with another content}
local function append(keys, args)
  local first
  for i = 2, #keys do
    local known = redis.call('GET', keys[i])
    if known then
      local id, digest = string.match(known, '^(%d+%-%d+) (.*)$')
      if digest ~= args[2] then return {id, 2} end
      first = first or id
    end
  end
  local id = first or redis.call('XADD', keys[1], '*', unpack(args, 3))
  for i = 2, #keys do
    redis.call('SET', keys[i], id .. ' ' .. args[2], 'PX', args[1], 'NX')
  end
  return {id, first and 1 or 0}
end

redis.register_function('meshlog_append', append)

-- Everything else goes on at Redis's maxmemory: it decides and passes on what is in the log already, and lets it go. New messages are refused there.
local function register(name, callback)
  redis.register_function{function_name = name, callback = callback, flags = {'allow-oom'}}
end

-- Takes, keeps or gives up a lease.
-- KEYS  lease, epoch counter      ARGV  instance, ttl in ms (0 gives it up), epoch held (0 when none)
-- =>    {1, epoch} held | {0, "<epoch> <instance>" of the holder}
register('meshlog_lease', function(keys, args)
  local held = redis.call('GET', keys[1])
  if held and string.match(held, '^(%d+) ') == args[3] then
    if args[2] == '0' then redis.call('DEL', keys[1]) else redis.call('PEXPIRE', keys[1], args[2]) end
    return {1, tonumber(args[3])}
  end
  -- The same process under an old epoch (it lost its connection) need not wait for itself.
  if held and string.match(held, '^%d+ (.*)$') ~= args[1] then return {0, held} end
  if args[2] == '0' then return {0, ''} end
  local epoch = redis.call('INCR', keys[2])
  redis.call('SET', keys[1], epoch .. ' ' .. args[1], 'PX', args[2])
  return {1, epoch}
end)

-- Makes the next epoch of a lease higher than one that is known from elsewhere.
-- KEYS  epoch counter      ARGV  epoch      =>    what the counter is
register('meshlog_lease_raise', function(keys, args)
  local counted = tonumber(redis.call('GET', keys[1]) or 0)
  if counted >= tonumber(args[1]) then return counted end
  redis.call('SET', keys[1], args[1])
  return tonumber(args[1])
end)

-- Microseconds since the epoch by Redis's own clock, the log's.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- The value of a name in a flat array of names and values.
local function value(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return ''
end

-- Opens a session: its event, what is open, and when it ends. The keys are those of meshlog_decide.
local function open_session(keys, ends, fields)
  if string.sub(ends, 1, 1) == '+' then ends = string.format('%.0f', now() + tonumber(string.sub(ends, 2))) end
  if ends ~= '' then
    fields[#fields + 1] = 'expires_at'
    fields[#fields + 1] = ends
  end
  redis.call('XADD', keys[4], '*', unpack(fields))
  local id = value(fields, 'session_id')
  redis.call('HSET', keys[5], id, cjson.encode(fields))
  if ends ~= '' then redis.call('ZADD', keys[6], ends, id) end
end

-- Writes verdicts and acknowledges their messages. A verdict has the stream id of its message, so writing it again changes nothing.
-- A verdict that holds its message opens its session in the same step, so a held message has one, once. Where too many are open, another
-- verdict takes its place, which lets nothing through.
-- KEYS  verdicts, messages, lease, sessions, open, due
-- ARGV  epoch, group, sessions that may be open, then per verdict: id, number of values, number of values of the session that it opens
--       (0: none), the fields of XADD; and for a session: its end ('' none, '+n' in n us from now, 'n' at n us since the epoch), the fields of
--       its opening, number of values of the verdict that takes its place, the fields of that
-- A read is not fenced: one that was held up on its way may take messages for a process that no longer acts. What is newer must wait for them.
-- =>    {number of verdicts that were new, number of sessions that were not opened}
register('meshlog_decide', function(keys, args)
  if fenced(keys[3], args[1]) then return redis.error_reply(FENCED) end
  local oldest = redis.call('XPENDING', keys[2], args[2], '-', '+', 1)[1]
  if oldest and args[4] and before(oldest[1], args[4]) then
    return redis.error_reply('BEHIND the message ' .. oldest[1] .. ' was read before and has no verdict yet')
  end
  local written, refused, ids, i = 0, 0, {}, 4
  while i <= #args do
    local id, last, width = args[i], i + 2 + tonumber(args[i + 1]), tonumber(args[i + 2])
    local first, opens, other = i + 3, nil, nil
    i = last + 1
    if width > 0 then
      -- The member '-' says that the keys are whole.
      opens = redis.call('HLEN', keys[5]) - redis.call('HEXISTS', keys[5], '-') < tonumber(args[3])
      other = last + width + 2
      i = other + tonumber(args[other]) + 1
    end
    local from, to = first, last
    if opens == false then from, to = other + 1, i - 1 end
    local added = redis.pcall('XADD', keys[1], id, unpack(args, from, to))
    if type(added) == 'table' and added.err then
      if not string.find(added.err, 'equal or smaller', 1, true) then return added end
      -- Either it is there already, or a newer message was decided first, which would be a fault: then nothing is acknowledged.
      if #redis.call('XRANGE', keys[1], id, id) == 0 then
        return redis.error_reply('DISORDER the message ' .. id .. ' is older than the last verdict and has none')
      end
    else
      written = written + 1
      if opens then open_session(keys, args[last + 1], {unpack(args, last + 2, last + 1 + width)}) end
      if opens == false then refused = refused + 1 end
    end
    ids[#ids + 1] = id
  end
  if #ids > 0 then redis.call('XACK', keys[2], args[2], unpack(ids)) end
  return {written, refused}
end)

-- Keeps what the router's limits remember.
-- KEYS  limits, lease      ARGV  epoch, "<position>\n<state>"
register('meshlog_limits', function(keys, args)
  if fenced(keys[2], args[1]) then return redis.error_reply(FENCED) end
  return redis.call('SET', keys[1], args[2])
end)

-- Moves an entry that cannot be applied out of a group's way, with its cause.
-- KEYS  rejected, stream, lease      ARGV  epoch, group, id, then the fields of the rejected entry
register('meshlog_bury', function(keys, args)
  if fenced(keys[3], args[1]) then return redis.error_reply(FENCED) end
  if redis.call('XACK', keys[2], args[2], args[3]) == 0 then return false end
  return redis.call('XADD', keys[1], '*', unpack(args, 4))
end)

-- Records what came of sending a batch, and moves the group's cursor behind it.
-- KEYS  deliveries, verdicts, lease
-- ARGV  epoch, group, last id of the batch, entries of the batch, number of values per delivery, then the deliveries' fields
-- =>    number of deliveries written; NOGROUP, and nothing is, where the group is missing
register('meshlog_deliver', function(keys, args)
  if fenced(keys[3], args[1]) then return redis.error_reply(FENCED) end
  local group, width, written = find_group(keys[2], args[2]), tonumber(args[5]), 0
  if not group then return no_group(keys[2], args[2]) end
  for i = 6, #args, width do
    redis.call('XADD', keys[1], '*', unpack(args, i, i + width - 1))
    written = written + 1
  end
  move_cursor(keys[2], group, args[3], tonumber(args[4]))
  return written
end)

-- Moves elements from the head of a door's list to its processing list, and gives out the first of those: at most n, and no more
-- once they have the given number of bytes.
-- KEYS  list, processing, lease      ARGV  epoch, n, LEFT | RIGHT (which end of the list is its head), bytes
-- =>    elements of the processing list, in order, then its length
register('meshlog_list_claim', function(keys, args)
  if fenced(keys[3], args[1]) then return redis.error_reply(FENCED) end
  local most, budget, length = tonumber(args[2]), tonumber(args[4]), redis.call('LLEN', keys[2])
  local out, bytes = {}, 0
  while #out < most and bytes < budget do
    local element
    if #out < length then
      element = redis.call('LINDEX', keys[2], #out)
    else
      element = redis.call('LMOVE', keys[1], keys[2], args[3], 'RIGHT')
      if not element then break end
      length = length + 1
    end
    out[#out + 1] = element
    bytes = bytes + #element
  end
  out[#out + 1] = length
  return out
end)

-- Appends the message made from the head of a processing list, and only then lets the element go. A conflict appends nothing
-- and keeps the element: its caller commits the record of its rejection in its place.
-- KEYS  processing, lease, stream, then the message's names
-- ARGV  epoch, length the processing list must have, then as for append (window 0 and no names: appended as it is)
-- =>    as append
register('meshlog_list_commit', function(keys, args)
  if fenced(keys[2], args[1]) then return redis.error_reply(FENCED) end
  if redis.call('LLEN', keys[1]) ~= tonumber(args[2]) then
    return redis.error_reply('MOVED the processing list has another length than expected')
  end
  local names, fields = {}, {}
  for i = 3, #keys do names[#names + 1] = keys[i] end
  for i = 3, #args do fields[#fields + 1] = args[i] end
  local answer = append(names, fields)
  if answer[2] ~= 2 then redis.call('LPOP', keys[1]) end
  return answer
end)

-- Trims a stream by age and size, but never past what any group that reads it has acknowledged. The other streams are cut at the
-- same id: what stands in them belongs to entries that go.
-- KEYS  stream, then the streams whose groups bound it (their ids are the same as this stream's)
-- ARGV  bound by age (0: none, '+n': n ms ago by this clock, which gave the ids, 'n': n ms since the epoch), entries to keep (0: no size bound),
--       id that must stay ('-' : no such bound)
-- =>    {number of entries removed, id of the first that is left or ''}; of a long backlog about 10,000 go at once, so that nobody waits long
register('meshlog_trim', function(keys, args)
  local limit = args[3] ~= '-' and args[3] or nil
  for k = 2, #keys do
    for _, info in ipairs(groups(keys[k])) do
      local passed = info['last-delivered-id']
      if info['pending'] > 0 then
        passed = redis.call('XPENDING', keys[k], info['name'])[2]
      else
        -- The last delivered entry itself has been acknowledged; the first to stay is the one behind it.
        local ms, seq = string.match(passed, '^(%d+)%-(%d+)$')
        passed = ms .. '-' .. string.format('%.0f', tonumber(seq) + 1)
      end
      if not limit or before(passed, limit) then limit = passed end
    end
  end
  local bound = args[1] ~= '0' and args[1] .. '-0' or nil
  if string.sub(args[1], 1, 1) == '+' then
    local oldest = math.floor(now() / 1000) - tonumber(string.sub(args[1], 2))
    bound = oldest > 0 and string.format('%.0f-0', oldest) or nil
  end
  local keep = tonumber(args[2])
  local excess = keep > 0 and redis.call('XLEN', keys[1]) - keep or 0
  if excess > 0 then
    -- Bounded: a long backlog is trimmed over several calls. In small parts, since a part carries whole entries; an entry may have a MiB.
    local left, id = math.min(excess, 10000), '-'
    while left > 0 and (id == '-' or not limit or before(id, limit)) do
      local part = redis.call('XRANGE', keys[1], id, '+', 'COUNT', math.min(left, 32) + 1)
      id = part[#part][1]
      left = left - (#part - 1)
    end
    if not bound or before(bound, id) then bound = id end
  end
  if not bound then return {0, ''} end
  if limit and before(limit, bound) then bound = limit end
  -- Whole nodes first, as many as the bound allows; when all of those have gone, what is left of the last node, exactly.
  local removed = redis.call('XTRIM', keys[1], 'MINID', '~', bound, 'LIMIT', 10000)
  if removed < 5000 then removed = removed + redis.call('XTRIM', keys[1], 'MINID', bound) end
  local head = redis.call('XRANGE', keys[1], '-', '+', 'COUNT', 1)[1]
  local cut = head and before(head[1], bound) and head[1] or bound
  for k = 2, #keys do
    if keys[k] ~= keys[1] then redis.call('XTRIM', keys[k], 'MINID', cut) end
  end
  return {removed, head and head[1] or ''}
end)

-- Brings the versions up to the end of `control`. They are a fold of it and no truth of their own: the member '-' says how far they have
-- come, so that what was appended by hand counts, and versions that were lost are made anew (some seconds for a million changes).
-- A document's name has a slash, so it cannot be '-'. Counted is what a fold takes: an event of a document, with the document.
local function fold_versions(control, versions)
  local head = last_id(control)
  local known = redis.call('HGET', versions, '-')
  if known == head then return end
  if not known or before(head, known) then
    redis.call('DEL', versions)
    known = '0-0'
  end
  repeat
    local entries = redis.call('XRANGE', control, '(' .. known, '+', 'COUNT', 1000)
    for _, entry in ipairs(entries) do
      known = entry[1]
      local kind, change = string.match(value(entry[2], 'event'), '^(%a+)%.(%a+)$')
      local key = value(entry[2], 'key')
      if kind and key ~= '' then
        local name = kind .. '/' .. key
        local readable, document = pcall(cjson.decode, value(entry[2], 'document'))
        if change == 'deleted' then
          redis.call('HDEL', versions, name)
        elseif readable and type(document) == 'table' then
          redis.call('HSET', versions, name, known)
        end
      end
    end
  until #entries == 0
  redis.call('HSET', versions, '-', head)
end

-- Appends changes of documents, all or none: only if each document still has the version that its author saw.
-- KEYS  control, versions (hash: "<kind>/<key>" => stream id of the last change; '-' => of the last entry that is counted)
-- ARGV  number of values per change, then per change: name in versions, expected (any | none | exists | a stream id), 1 when it deletes,
--       and the fields of XADD
-- =>    {0, stream id ...} | {1, number of the change that conflicts (from 1), the version it has or ''}
register('meshlog_control', function(keys, args)
  fold_versions(keys[1], keys[2])
  local width = tonumber(args[1])
  for i = 2, #args, width do
    local current = redis.call('HGET', keys[2], args[i])
    local expected = args[i + 1]
    if not (expected == 'any' or (expected == 'none' and not current) or (current and (expected == 'exists' or expected == current))) then
      return {1, (i - 2) / width + 1, current or ''}
    end
  end
  local out = {0}
  for i = 2, #args, width do
    local id = redis.call('XADD', keys[1], '*', unpack(args, i + 3, i + width - 1))
    if args[i + 2] == '1' then redis.call('HDEL', keys[2], args[i]) else redis.call('HSET', keys[2], args[i], id) end
    redis.call('HSET', keys[2], '-', id)
    out[#out + 1] = id
  end
  return out
end)

-- Ends a session: appends how, and where the message goes on, the entry with which it does. All or nothing, and once: a session that
-- is not open is not ended again.
-- KEYS  sessions, messages, open, due
-- ARGV  session id, digest that the decision is about, person | time (who ends it), number of values of the event, the event's fields,
--       then the fields of the released message, or none
-- =>    {0, id in sessions, id in messages or ''} | {1} not open | {2, the session's digest} another one was named
--       | {3, its end in us or ''} not due yet | {4, its end in us} a person comes too late
register('meshlog_session', function(keys, args)
  local held = redis.call('HGET', keys[3], args[1])
  if not held or args[1] == '-' then return {1} end
  local ends = redis.call('ZSCORE', keys[4], args[1])
  local late = ends and tonumber(ends) <= now()
  if args[3] == 'time' and not late then return {3, ends and string.format('%.0f', tonumber(ends)) or ''} end
  if args[3] == 'person' and late then return {4, string.format('%.0f', tonumber(ends))} end
  local digest = value(cjson.decode(held), 'digest')
  if digest ~= args[2] then return {2, digest} end
  local width, released = tonumber(args[4]), ''
  local event = {unpack(args, 5, 4 + width)}
  if #args > 4 + width then
    released = redis.call('XADD', keys[2], '*', unpack(args, 5 + width))
    event[#event + 1] = 'released'
    event[#event + 1] = '0-' .. released
  end
  local id = redis.call('XADD', keys[1], '*', unpack(event))
  redis.call('HDEL', keys[3], args[1])
  redis.call('ZREM', keys[4], args[1])
  return {0, id, released}
end)

-- Puts back which sessions are open, as somebody has folded it from the stream, unless the stream has grown since. The member '-' says
-- that the keys are whole: where it is missing, they were lost.
-- KEYS  sessions, open, due      ARGV  last id that was folded, then per session: id, its opening as a JSON array, its end in us or ''
-- =>    1 done | 0 the stream has grown
register('meshlog_session_restore', function(keys, args)
  if last_id(keys[1]) ~= args[1] then return 0 end
  redis.call('DEL', keys[2], keys[3])
  redis.call('HSET', keys[2], '-', '')
  redis.call('ZADD', keys[3], '+inf', '-')
  for i = 2, #args, 3 do
    redis.call('HSET', keys[2], args[i], args[i + 1])
    if args[i + 2] ~= '' then redis.call('ZADD', keys[3], args[i + 2], args[i]) end
  end
  return 1
end)

-- Spreads a batch of notifications to webhooks and moves the group's cursor behind it.
-- KEYS  notifications, due (sorted set: member => ms), deliveries (hash: member => "<attempts>\n<type>\n<body>"), counts (hash: webhook => deliveries), lease
-- ARGV  epoch, group, last id of the batch, entries of the batch, deliveries that one webhook may have, and all may, number of values per record,
--       then per delivery: member, ms when it is due, webhook, what is kept (empty: nothing is to be sent, the record alone is written),
--       and the record's fields, which say that nothing is sent
-- =>    members for which a record was written instead; NOGROUP, and nothing is done, where the group is missing
register('meshlog_notify_spread', function(keys, args)
  if fenced(keys[5], args[1]) then return redis.error_reply(FENCED) end
  local group, each, most, width, out = find_group(keys[1], args[2]), tonumber(args[5]), tonumber(args[6]), tonumber(args[7]), {}
  if not group then return no_group(keys[1], args[2]) end
  for i = 8, #args, 4 + width do
    local member, webhook, kept = args[i], args[i + 2], args[i + 3]
    local waiting = tonumber(redis.call('HGET', keys[4], webhook) or 0)
    if kept ~= '' and waiting < each and redis.call('ZCARD', keys[2]) < most then
      if redis.call('HSETNX', keys[3], member, kept) == 1 then
        redis.call('ZADD', keys[2], args[i + 1], member)
        redis.call('HINCRBY', keys[4], webhook, 1)
      end
    else
      redis.call('XADD', keys[1], '*', unpack(args, i + 4, i + 3 + width))
      out[#out + 1] = member
    end
  end
  move_cursor(keys[1], group, args[3], tonumber(args[4]))
  return out
end)

-- Records an attempt, and what becomes of its delivery.
-- KEYS  as for meshlog_notify_spread
-- ARGV  epoch, member, webhook, attempts made before and with this, ms when it is due again ('-': it has ended), then the fields of the record
-- =>    1 recorded | 0 nothing was: the delivery has ended, or another process has made this attempt
register('meshlog_notify_record', function(keys, args)
  if fenced(keys[5], args[1]) then return redis.error_reply(FENCED) end
  local kept = redis.call('HGET', keys[3], args[2])
  if not kept or string.match(kept, '^%d+') ~= args[4] then return 0 end
  redis.call('XADD', keys[1], '*', unpack(args, 7))
  if args[6] == '-' then
    redis.call('HDEL', keys[3], args[2])
    redis.call('ZREM', keys[2], args[2])
    if redis.call('HINCRBY', keys[4], args[3], -1) <= 0 then redis.call('HDEL', keys[4], args[3]) end
  else
    redis.call('HSET', keys[3], args[2], args[5] .. string.sub(kept, string.find(kept, '\n', 1, true), -1))
    redis.call('ZADD', keys[2], args[6], args[2])
  end
  return 1
end)
