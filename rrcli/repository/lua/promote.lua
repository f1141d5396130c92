-- Move those of the ids that are in the ready queue to the worker queue. Returns how many.
--
-- KEYS[1] ready queue   ZSET  event id -> due, epoch ms
-- KEYS[2] worker queue  ZSET  event id -> due, epoch ms
-- ARGV[1] channel of the workers, woken when anything moved
-- ARGV[2..] ids
local due = redis.call('ZMSCORE', KEYS[1], unpack(ARGV, 2))
local moved, entries = {}, {}
for n = 1, #due do
  if due[n] then
    moved[#moved + 1] = ARGV[n + 1]
    entries[#entries + 1] = due[n]
    entries[#entries + 1] = ARGV[n + 1]
  end
end
if #moved == 0 then
  return 0
end
redis.call('ZADD', KEYS[2], unpack(entries))
local count = redis.call('ZREM', KEYS[1], unpack(moved))
redis.call('PUBLISH', ARGV[1], '')
return count
