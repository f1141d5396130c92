-- Put ids into the ready queue; an id that stands in any queue stays where it is.
--
-- KEYS[1] ready queue   ZSET  event id -> due, epoch ms
-- KEYS[2] worker queue  ZSET  event id -> due, epoch ms
-- KEYS[3] in flight     HASH  event id -> "due worker"
-- ARGV[1] channel of the dispatcher, woken when the head became earlier
-- ARGV[2..] due, id, due, id, ...
local function head()
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return tonumber(first[2])
end

local ids = {}
for i = 3, #ARGV, 2 do
  ids[#ids + 1] = ARGV[i]
end
local waiting = redis.call('ZMSCORE', KEYS[2], unpack(ids))
local flying = redis.call('HMGET', KEYS[3], unpack(ids))

local fresh = {}
for n, id in ipairs(ids) do
  if not waiting[n] and not flying[n] then
    fresh[#fresh + 1] = ARGV[n * 2]
    fresh[#fresh + 1] = id
  end
end
if #fresh == 0 then
  return 0
end

local before = head()
local added = redis.call('ZADD', KEYS[1], 'NX', unpack(fresh))
if not before or head() < before then
  redis.call('PUBLISH', ARGV[1], '')
end
return added
