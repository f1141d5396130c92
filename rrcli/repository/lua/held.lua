-- The ids in flight under one worker.
--
-- KEYS[1] in flight  HASH  event id -> "due worker"
-- ARGV[1] worker
local claims = redis.call('HGETALL', KEYS[1])
local held = {}
for i = 1, #claims, 2 do
  if string.match(claims[i + 1], ' (.*)$') == ARGV[1] then
    held[#held + 1] = claims[i]
  end
end
return held
