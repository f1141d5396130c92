-- The first lines of every script: it works only where the queues are split as its caller knows them, or an id
-- could stand in two places. Takes its own key and argument, the last ones, away from those of the script.
--
-- KEYS[#KEYS] partitions  STRING  how many the queues are split into
-- ARGV[#ARGV] how many the caller knows
local partitions = table.remove(KEYS)
local known = table.remove(ARGV)
local actual = redis.call('GET', partitions)
if not actual then
  redis.call('SET', partitions, known)
elseif actual ~= known then
  return redis.error_reply('PARTITIONS ' .. actual)
end
