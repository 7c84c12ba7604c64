-- Decides all token buckets of a request together, in server time and integers.
--
-- A bucket is a hash: u = what is used, in token milliseconds (one token is `period` of them);
-- t = when that was so (ms); p = the period u is counted in; b = blocked until (ms) and w = for how
-- long, where a freeze or a growing wait holds it. A missing key is a full bucket, and a key
-- expires in the millisecond in which it would be full.
--
-- KEYS: the buckets, then the version of the allowlist, then the set of refused keys.
-- ARGV: mode (take, try, peek, give, upto, freeze), now ('' = server time; else ms, for tests: then nothing expires), how many for
-- 'upto' or how long (ms) for 'freeze', then for each bucket: count, period, burst, cost, longest growing wait (ms), shadow (0|1).
-- Reply: now, version, granted; then for each bucket: short (0|1), tokens left, ms until the cost
-- is affordable again, ms until full; all after the decision.

local mode, wanted = ARGV[1], tonumber(ARGV[3])
local buckets = #KEYS - 2
local version_key, refused_key = KEYS[buckets + 1], KEYS[buckets + 2]
local virtual = ARGV[2] ~= ''
local now
if virtual then
  now = tonumber(ARGV[2])
else
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

-- fmod is exact where Lua's own % and / are not.
local function floor_div(a, b) return (a - math.fmod(a, b)) / b end
local function ceil_div(a, b)
  local rest = math.fmod(a, b)
  local quotient = (a - rest) / b
  return rest > 0 and quotient + 1 or quotient
end

local function read(i)
  local at = 3 + (i - 1) * 6
  local bucket = {
    key = KEYS[i], count = tonumber(ARGV[at + 1]), period = tonumber(ARGV[at + 2]),
    burst = tonumber(ARGV[at + 3]), longest = tonumber(ARGV[at + 5]), shadow = ARGV[at + 6] == '1',
  }
  bucket.price = tonumber(ARGV[at + 4]) * bucket.period
  bucket.capacity = bucket.burst * bucket.period
  local stored = redis.call('HMGET', bucket.key, 'u', 't', 'p', 'b', 'w')
  local used, since = tonumber(stored[1]) or 0, tonumber(stored[2]) or now
  local period = tonumber(stored[3])
  if period and period ~= bucket.period then
    -- The rate was changed: used tokens are kept, a begun one counts as used.
    used = math.min(ceil_div(used, period), bucket.burst) * bucket.period
  end
  used = math.min(used, bucket.capacity)
  bucket.ahead = 0
  if since > now then
    -- The clock was set back: nothing is minted, and a step beyond the time of a whole bucket
    -- must not freeze it.
    if since - now > ceil_div(bucket.capacity, bucket.count) then since = now end
    bucket.ahead = since - now
  elseif now - since >= ceil_div(used, bucket.count) then
    used = 0
  else
    used = used - (now - since) * bucket.count
  end
  bucket.used = used
  bucket.wait = tonumber(stored[5]) or 0
  bucket.held = stored[4] and math.max(0, math.min(tonumber(stored[4]) - now, bucket.wait)) or 0
  bucket.had_hold = stored[4]
  return bucket
end

local function filled_in(bucket)
  local time = bucket.used > 0 and bucket.ahead + ceil_div(bucket.used, bucket.count) or 0
  return math.max(time, bucket.held)
end

local function affordable_in(bucket)
  local missing = bucket.used + bucket.price - bucket.capacity
  local time = missing > 0 and bucket.ahead + ceil_div(missing, bucket.count) or 0
  return math.max(time, bucket.held)
end

local function left(bucket)
  return bucket.held > 0 and 0 or floor_div(bucket.capacity - bucket.used, bucket.period)
end

local function write(bucket)
  local lifetime = filled_in(bucket)
  if lifetime == 0 then
    redis.call('DEL', bucket.key)
    return
  end
  redis.call('HSET', bucket.key,
    'u', bucket.used, 't', now + bucket.ahead, 'p', bucket.period)
  if bucket.held > 0 then
    redis.call('HSET', bucket.key, 'b', now + bucket.held, 'w', bucket.wait)
  elseif bucket.had_hold then
    redis.call('HDEL', bucket.key, 'b', 'w')
  end
  if not virtual then redis.call('PEXPIRE', bucket.key, lifetime) end
end

local function charge(bucket, amount)
  bucket.used = bucket.used + amount
  write(bucket)
end

-- Refusals in a row: each waits twice as long as the one before.
local function hold(bucket)
  bucket.wait = math.max(affordable_in(bucket), math.min(2 * bucket.wait, bucket.longest))
  bucket.held = bucket.wait
  write(bucket)
end

local function remember_refusal(bucket)
  redis.call('ZINCRBY', refused_key, 1, bucket.key)
  local size = redis.call('ZCARD', refused_key)
  if size == 1 then redis.call('PEXPIRE', refused_key, 3600000) end
  if size > 1000 then redis.call('ZREMRANGEBYRANK', refused_key, 0, 0) end
end

local all = {}
for i = 1, buckets do
  local bucket = read(i)
  bucket.short = affordable_in(bucket) > 0
  all[i] = bucket
end

local granted = 1
if mode == 'upto' then
  granted = wanted
  for _, bucket in ipairs(all) do granted = math.min(granted, left(bucket)) end
  if granted > 0 then
    for _, bucket in ipairs(all) do charge(bucket, granted * bucket.period) end
  end
elseif mode == 'freeze' then
  for _, bucket in ipairs(all) do
    bucket.held = math.max(bucket.held, wanted)
    bucket.wait = bucket.held
    write(bucket)
  end
elseif mode == 'give' then
  for _, bucket in ipairs(all) do
    bucket.used = math.max(0, bucket.used - bucket.price)
    write(bucket)
  end
else
  for _, bucket in ipairs(all) do
    if bucket.short and not bucket.shadow then granted = 0 end
  end
  if mode == 'take' or mode == 'try' then
    for _, bucket in ipairs(all) do
      if granted == 1 and not bucket.short then
        charge(bucket, bucket.price)
      elseif mode == 'take' and granted == 0 and bucket.short and not bucket.shadow then
        if bucket.longest > 0 then hold(bucket) end
        remember_refusal(bucket)
      end
    end
  end
end

local reply = {now, redis.call('GET', version_key) or '', granted}
for _, bucket in ipairs(all) do
  reply[#reply + 1] = bucket.short and 1 or 0
  reply[#reply + 1] = left(bucket)
  reply[#reply + 1] = affordable_in(bucket)
  reply[#reply + 1] = filled_in(bucket)
end
return reply
