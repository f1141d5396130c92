-- Move claims of one worker back to the ready queue, due later; claims that are another's stay.
--
-- KEYS[1] ready queue  ZSET  event id -> due, epoch ms
-- KEYS[2] in flight    HASH  event id -> "due worker"
-- ARGV[1] worker
-- ARGV[2] channel of the dispatcher, woken when the head became earlier
-- ARGV[3..] due, id, due, id, ...
local function head()
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return tonumber(first[2])
end

local ids = {}
for i = 4, #ARGV, 2 do
  ids[#ids + 1] = ARGV[i]
end
local claims = redis.call('HMGET', KEYS[2], unpack(ids))
local entries, moved = {}, {}
for n, id in ipairs(ids) do
  if claims[n] and string.match(claims[n], ' (.*)$') == ARGV[1] then
    moved[#moved + 1] = id
    entries[#entries + 1] = ARGV[n * 2 + 1]
    entries[#entries + 1] = id
  end
end
if #moved == 0 then
  return 0
end

local before = head()
redis.call('ZADD', KEYS[1], unpack(entries))
if not before or head() < before then
  redis.call('PUBLISH', ARGV[2], '')
end
return redis.call('HDEL', KEYS[2], unpack(moved))
