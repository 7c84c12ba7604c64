-- Decide all token buckets of a request together, in server time and with integers.
--
-- A bucket is a hash. u: used amount in token milliseconds (one token is `period` of them).
-- t: time of u (ms). p: period in which u is counted. b and w: blocked until (ms), and the length of
-- that wait (ms), after refusals in a row. A missing key is a full bucket; a key expires in the
-- millisecond in which its bucket is full.
--
-- KEYS: the buckets, then the version of the allowlist, then the set of refused keys.
-- ARGV: mode (take, try, peek, give), now ('' = server time; tests pass ms, and then nothing
-- expires), then for each bucket: count, period, burst, cost, longest wait (ms), shadow (0|1).
-- Reply: now, version, granted, then for each bucket after the decision: short (0|1), tokens left,
-- ms until the cost is affordable, ms until full.

local mode = ARGV[1]
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
  local at = 2 + (i - 1) * 6
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
    -- The rate was changed: keep the used tokens and count a partly used token as used.
    used = math.min(ceil_div(used, period), bucket.burst) * bucket.period
  end
  used = math.min(used, bucket.capacity)
  bucket.ahead = 0
  if since > now then
    -- The clock was set back: mint no tokens. A step longer than the refill of a whole bucket must
    -- not block the bucket.
    if since - now > ceil_div(bucket.capacity, bucket.count) then since = now end
    bucket.ahead = since - now
  elseif now - since >= ceil_div(used, bucket.count) then
    used = 0
  else
    used = used - (now - since) * bucket.count
  end
  bucket.used = used
  bucket.wait = tonumber(stored[5]) or 0
  bucket.blocked = stored[4] and math.max(0, math.min(tonumber(stored[4]) - now, bucket.wait)) or 0
  bucket.was_blocked = stored[4]
  return bucket
end

local function ms_until_full(bucket)
  local time = bucket.used > 0 and bucket.ahead + ceil_div(bucket.used, bucket.count) or 0
  return math.max(time, bucket.blocked)
end

local function ms_until_affordable(bucket)
  local missing = bucket.used + bucket.price - bucket.capacity
  local time = missing > 0 and bucket.ahead + ceil_div(missing, bucket.count) or 0
  return math.max(time, bucket.blocked)
end

local function tokens_left(bucket)
  return bucket.blocked > 0 and 0 or floor_div(bucket.capacity - bucket.used, bucket.period)
end

local function write(bucket)
  local lifetime = ms_until_full(bucket)
  if lifetime == 0 then
    redis.call('DEL', bucket.key)
    return
  end
  redis.call('HSET', bucket.key,
    'u', bucket.used, 't', now + bucket.ahead, 'p', bucket.period)
  if bucket.blocked > 0 then
    redis.call('HSET', bucket.key, 'b', now + bucket.blocked, 'w', bucket.wait)
  elseif bucket.was_blocked then
    redis.call('HDEL', bucket.key, 'b', 'w')
  end
  if not virtual then redis.call('PEXPIRE', bucket.key, lifetime) end
end

local function charge(bucket)
  bucket.used = bucket.used + bucket.price
  write(bucket)
end

-- Double the wait at each refusal in a row.
local function lengthen_wait(bucket)
  bucket.wait = math.max(ms_until_affordable(bucket), math.min(2 * bucket.wait, bucket.longest))
  bucket.blocked = bucket.wait
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
  bucket.short = ms_until_affordable(bucket) > 0
  all[i] = bucket
end

local granted = 1
if mode == 'give' then
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
        charge(bucket)
      elseif mode == 'take' and granted == 0 and bucket.short and not bucket.shadow then
        if bucket.longest > 0 then lengthen_wait(bucket) end
        remember_refusal(bucket)
      end
    end
  end
end

local reply = {now, redis.call('GET', version_key) or '', granted}
for _, bucket in ipairs(all) do
  reply[#reply + 1] = bucket.short and 1 or 0
  reply[#reply + 1] = tokens_left(bucket)
  reply[#reply + 1] = ms_until_affordable(bucket)
  reply[#reply + 1] = ms_until_full(bucket)
end
return reply
