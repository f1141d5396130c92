-- Empty a partition and note the new number of partitions, unless a worker's lease is valid: what such a worker
-- calls must not be handed to another. Returns how many workers there are; 0 when it is done.
--
-- KEYS[1] ready queue   ZSET  event id -> due, epoch ms
-- KEYS[2] worker queue  ZSET  event id -> due, epoch ms
-- KEYS[3] in flight     HASH  event id -> "due worker"
-- KEYS[4] leases        ZSET  worker -> expiry, epoch ms of this server's clock
-- KEYS[5] incarnation   STRING  a token that changes when the queues are lost
-- KEYS[6] partitions    STRING  how many the queues are split into
-- ARGV[1] the new number
if redis.call('GET', KEYS[6]) == ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
local workers = redis.call('ZCARD', KEYS[4])
if workers > 0 then
  return workers
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('SET', KEYS[6], ARGV[1])
return 0
