-- Return all claims of one worker to the worker queue and end its lease. Returns how many claims.
--
-- KEYS[1] worker queue  ZSET  event id -> due, epoch ms
-- KEYS[2] in flight     HASH  event id -> "due worker"
-- KEYS[3] leases        ZSET  worker -> expiry, epoch ms of this server's clock
-- ARGV[1] channel of the workers, woken when anything returned
-- ARGV[2] worker
local claims = redis.call('HGETALL', KEYS[2])
local returned = 0
for i = 1, #claims, 2 do
  local due, worker = string.match(claims[i + 1], '^(%S+) (.*)$')
  if worker == ARGV[2] then
    redis.call('HDEL', KEYS[2], claims[i])
    redis.call('ZADD', KEYS[1], due, claims[i])
    returned = returned + 1
  end
end
redis.call('ZREM', KEYS[3], ARGV[2])
if returned > 0 then
  redis.call('PUBLISH', ARGV[1], '')
end
return returned
