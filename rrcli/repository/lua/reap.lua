-- Return the claims of workers without a valid lease to the worker queue. Returns how many claims.
--
-- What is in flight is read through only when a lease has run out, or when a look at a few claims finds
-- one whose worker has no lease at all.
--
-- KEYS[1] worker queue  ZSET  event id -> due, epoch ms
-- KEYS[2] in flight     HASH  event id -> "due worker"
-- KEYS[3] leases        ZSET  worker -> expiry, epoch ms of this server's clock
-- ARGV[1] channel of the workers, woken when anything returned
local LOOK = 20

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expired = redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)

local leased = {}
local function orphaned(claim)
  local due, worker = string.match(claim, '^(%d+) (.*)$')
  if not due then
    return true, now -- not of our making; the worker that gets it finds out what it is
  end
  if leased[worker] == nil then
    leased[worker] = redis.call('ZSCORE', KEYS[3], worker) and true or false
  end
  return not leased[worker], due
end

local function any_orphan()
  local some = redis.call('HRANDFIELD', KEYS[2], LOOK, 'WITHVALUES')
  for i = 2, #some, 2 do
    if orphaned(some[i]) then
      return true
    end
  end
  return false
end

if expired == 0 and not any_orphan() then
  return 0
end

local claims = redis.call('HGETALL', KEYS[2])
local returned = 0
for i = 1, #claims, 2 do
  local orphan, due = orphaned(claims[i + 1])
  if orphan then
    redis.call('HDEL', KEYS[2], claims[i])
    redis.call('ZADD', KEYS[1], due, claims[i])
    returned = returned + 1
  end
end
if returned > 0 then
  redis.call('PUBLISH', ARGV[1], '')
end
return returned
