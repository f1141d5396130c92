-- Put ids in flight under a worker that is calling them, and renew its lease; an id that waits in a queue is
-- taken out of it. Returns the ids that another worker holds: they stay there.
--
-- KEYS[1] ready queue   ZSET  event id -> due, epoch ms
-- KEYS[2] worker queue  ZSET  event id -> due, epoch ms
-- KEYS[3] in flight     HASH  event id -> "due worker"
-- KEYS[4] leases        ZSET  worker -> expiry, epoch ms of this server's clock
-- ARGV[1] worker
-- ARGV[2] lease, ms
-- ARGV[3..] due, id, due, id, ...
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[4], now + ARGV[2], ARGV[1])

local ids = {}
for i = 4, #ARGV, 2 do
  ids[#ids + 1] = ARGV[i]
end
if #ids == 0 then
  return {}
end
local claims = redis.call('HMGET', KEYS[3], unpack(ids))
local taken, fields, foreign = {}, {}, {}
for n, id in ipairs(ids) do
  if not claims[n] then
    taken[#taken + 1] = id
    fields[#fields + 1] = id
    fields[#fields + 1] = ARGV[n * 2 + 1] .. ' ' .. ARGV[1]
  elseif string.match(claims[n], ' (.*)$') ~= ARGV[1] then
    foreign[#foreign + 1] = id
  end
end
if #taken > 0 then
  redis.call('ZREM', KEYS[1], unpack(taken))
  redis.call('ZREM', KEYS[2], unpack(taken))
  redis.call('HSET', KEYS[3], unpack(fields))
end
return foreign
