-- Message parts for one batch of texts, from all buckets together or from none.
--
-- KEYS[1]      the sorted set of workers seen lately
-- KEYS[2..]    one hash per bucket: tokens (millionths of a part), at and frozen (microseconds)
-- ARGV         worker, op (take or peek), number of costs, the costs,
--              then rate (parts per second) and burst (parts) of each bucket
--
-- A text goes where every bucket has at least one part, and may leave a bucket in debt for the rest
-- of its parts; so a bucket is full at burst - 9, and no window ever sees more than
-- burst + rate * time, while a text of ten parts cannot starve.
local SEEN = 15 * 1000000
local DEBT = 9
local ONE = 1000000
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local worker, op, costs = ARGV[1], ARGV[2], tonumber(ARGV[3])

redis.call('ZADD', KEYS[1], now, worker)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - SEEN))
redis.call('PEXPIRE', KEYS[1], 60000)
local workers = redis.call('ZCARD', KEYS[1])

local buckets, frozen = {}, 0
for i = 2, #KEYS do
  local rate = tonumber(ARGV[3 + costs + (i - 2) * 2 + 1])
  local full = (tonumber(ARGV[3 + costs + (i - 2) * 2 + 2]) - DEBT) * 1000000
  local stored = redis.call('HMGET', KEYS[i], 'tokens', 'at', 'frozen')
  local at = tonumber(stored[2]) or now
  local tokens = math.min(full, (tonumber(stored[1]) or full) + rate * math.max(0, now - at))
  frozen = math.max(frozen, (tonumber(stored[3]) or 0) - now)
  buckets[i - 1] = {key = KEYS[i], rate = rate, full = full, tokens = tokens}
end

local function least()
  local found = math.huge
  for _, bucket in ipairs(buckets) do found = math.min(found, bucket.tokens) end
  return found
end

local granted = 0
if op == 'take' and frozen <= 0 then
  while granted < costs and least() >= ONE do
    granted = granted + 1
    for _, bucket in ipairs(buckets) do
      bucket.tokens = bucket.tokens - tonumber(ARGV[3 + granted]) * 1000000
    end
  end
end
if granted > 0 then
  for _, bucket in ipairs(buckets) do
    redis.call('HSET', bucket.key, 'tokens', string.format('%.0f', bucket.tokens),
      'at', string.format('%.0f', now))
    local refill = (bucket.full - bucket.tokens) / bucket.rate / 1000
    redis.call('PEXPIRE', bucket.key, math.ceil(math.max(refill, frozen / 1000)) + 1000)
  end
end

local wait = math.max(0, frozen)
for _, bucket in ipairs(buckets) do
  if bucket.tokens < ONE then wait = math.max(wait, (ONE - bucket.tokens) / bucket.rate) end
end
local available = 0
if frozen <= 0 then
  available = math.max(0, math.min(ONE, math.floor(least() / ONE)))
end
return {granted, math.ceil(wait / 1000), available, workers}
