-- Renew a worker's lease. Returns 1, or 0 when it had run out or is unknown.
--
-- KEYS[1] leases  ZSET  worker -> expiry, epoch ms of this server's clock
-- ARGV[1] worker
-- ARGV[2] lease, ms
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expiry = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not expiry or tonumber(expiry) <= now then
  return 0
end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return 1
