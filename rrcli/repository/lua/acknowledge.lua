-- Forget claims of one worker; claims that are another's stay. Returns how many were forgotten.
--
-- KEYS[1] in flight  HASH  event id -> "due worker"
-- ARGV[1] worker
-- ARGV[2..] ids
local claims = redis.call('HMGET', KEYS[1], unpack(ARGV, 2))
local done = {}
for n = 1, #claims do
  if claims[n] and string.match(claims[n], ' (.*)$') == ARGV[1] then
    done[#done + 1] = ARGV[n + 1]
  end
end
if #done == 0 then
  return 0
end
return redis.call('HDEL', KEYS[1], unpack(done))
