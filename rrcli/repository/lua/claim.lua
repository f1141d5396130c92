-- Take ids from the worker queue, earliest due first, under the worker's lease. Returns the ids.
--
-- A caller whose reply got lost says so (ARGV[6]) and is handed the same claim again: otherwise those ids
-- would be in flight for as long as the worker lives. A claim older than the last one comes from a
-- connection that was given up; it takes nothing, since nobody reads its reply.
--
-- KEYS[1] worker queue  ZSET    event id -> due, epoch ms
-- KEYS[2] in flight     HASH    event id -> "due worker"
-- KEYS[3] leases        ZSET    worker -> expiry, epoch ms of this server's clock
-- KEYS[4] last claims   HASH    worker -> "process number id id ..."
-- ARGV[1] worker
-- ARGV[2] how many at most
-- ARGV[3] lease, ms
-- ARGV[4] token of the calling process
-- ARGV[5] number of this claim, rising within the process
-- ARGV[6] number of the claim whose reply was lost, or 0
local CHUNK = 2000
local worker = ARGV[1]

local function renew()
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZADD', KEYS[3], now + ARGV[3], worker)
end

local function still_held(ids)
  local held = {}
  for id in string.gmatch(ids, '%S+') do
    local claim = redis.call('HGET', KEYS[2], id)
    if claim and string.match(claim, ' (.*)$') == worker then
      held[#held + 1] = id
    end
  end
  return held
end

local process, number, ids = string.match(redis.call('HGET', KEYS[4], worker) or '', '^(%S+) (%d+)(.*)$')
if process == ARGV[4] then
  if tonumber(number) >= tonumber(ARGV[5]) then
    return {}
  end
  if number == ARGV[6] then
    local held = still_held(ids)
    if #held > 0 then
      renew()
      redis.call('HSET', KEYS[4], worker, ARGV[4] .. ' ' .. ARGV[5] .. ' ' .. table.concat(held, ' '))
      return held
    end
  end
end

renew()
local popped = redis.call('ZPOPMIN', KEYS[1], ARGV[2])
local claimed, fields = {}, {}
for i = 1, #popped, 2 do
  claimed[#claimed + 1] = popped[i]
  fields[#fields + 1] = popped[i]
  fields[#fields + 1] = popped[i + 1] .. ' ' .. worker
  if #fields >= CHUNK then
    redis.call('HSET', KEYS[2], unpack(fields))
    fields = {}
  end
end
if #fields > 0 then
  redis.call('HSET', KEYS[2], unpack(fields))
end
redis.call('HSET', KEYS[4], worker, ARGV[4] .. ' ' .. ARGV[5] .. ' ' .. table.concat(claimed, ' '))
return claimed
