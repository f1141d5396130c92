-- Take ids out of the ready and worker queues; those in flight stay. Returns the ids taken out.
--
-- KEYS[1] ready queue   ZSET  event id -> due, epoch ms
-- KEYS[2] worker queue  ZSET  event id -> due, epoch ms
-- ARGV[1..] ids
local ready = redis.call('ZMSCORE', KEYS[1], unpack(ARGV))
local waiting = redis.call('ZMSCORE', KEYS[2], unpack(ARGV))
local taken = {}
for n, id in ipairs(ARGV) do
  if ready[n] or waiting[n] then
    taken[#taken + 1] = id
  end
end
if #taken > 0 then
  redis.call('ZREM', KEYS[1], unpack(taken))
  redis.call('ZREM', KEYS[2], unpack(taken))
end
return taken
