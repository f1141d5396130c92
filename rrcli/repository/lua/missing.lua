-- Which of the ids stand in no queue and are not in flight: one look, so that none is missed on its way.
--
-- KEYS[1] ready queue   ZSET  event id -> due, epoch ms
-- KEYS[2] worker queue  ZSET  event id -> due, epoch ms
-- KEYS[3] in flight     HASH  event id -> "due worker"
-- ARGV[1..] ids
local ready = redis.call('ZMSCORE', KEYS[1], unpack(ARGV))
local waiting = redis.call('ZMSCORE', KEYS[2], unpack(ARGV))
local flying = redis.call('HMGET', KEYS[3], unpack(ARGV))
local missing = {}
for n, id in ipairs(ARGV) do
  if not ready[n] and not waiting[n] and not flying[n] then
    missing[#missing + 1] = id
  end
end
return missing
