-- Take ids from the worker queue, earliest due first, under the worker's lease. Returns the ids, or id, due, ...
--
-- KEYS[1] worker queue  ZSET  event id -> due, epoch ms
-- KEYS[2] in flight     HASH  event id -> "due worker"
-- KEYS[3] leases        ZSET  worker -> expiry, epoch ms of this server's clock
-- ARGV[1] worker
-- ARGV[2] how many at most
-- ARGV[3] lease, ms
-- ARGV[4] 1: with the dues
-- ARGV[5] 1: only under a lease that is valid, since the worker holds claims
local CHUNK = 4000 -- values in one call, since `unpack` takes less than 8,000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[5] == '1' then
  local expiry = redis.call('ZSCORE', KEYS[3], ARGV[1])
  if not expiry or tonumber(expiry) <= now then
    return {}
  end
end
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])

local popped = redis.call('ZPOPMIN', KEYS[1], ARGV[2])
local claimed, fields = {}, {}
for i = 1, #popped, 2 do
  claimed[#claimed + 1] = popped[i]
  fields[#fields + 1] = popped[i]
  fields[#fields + 1] = popped[i + 1] .. ' ' .. ARGV[1]
  if #fields == CHUNK then
    redis.call('HSET', KEYS[2], unpack(fields))
    fields = {}
  end
end
if #fields > 0 then
  redis.call('HSET', KEYS[2], unpack(fields))
end
return ARGV[4] == '1' and popped or claimed
