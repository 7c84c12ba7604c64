-- The breaker shared by all workers: the same rules as local.py, on the clock of Redis.
--
-- KEYS[1]  hash: state, epoch, opens, until_, probe, probe_until (milliseconds)
-- KEYS[2]  hash: the window, "<second>|<worker>" -> "calls failed slow"
-- ARGV     op, then for "ask":    token, probe_lease, and the state that this worker saw last
--                                 (state, epoch, opens, until_), in case Redis was flushed
--               and for "record": epoch, token, worker, calls, failed, slow,
--                                 window, minimum_calls, failure_rate, slow_rate,
--                                 open_time, longest_open_time, recent, recent_failure_rate
-- Answer   state, allowed, epoch, probe, wait, opens, until_, before, reason
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local DAY = 24 * 3600 * 1000

local kept = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'opens', 'until_', 'probe', 'probe_until')
if ARGV[1] == 'ask' and not kept[1] and ARGV[4] ~= 'closed' then
  kept = {ARGV[4], ARGV[5], ARGV[6], ARGV[7], '', '0'}
end
local state, epoch = kept[1] or 'closed', tonumber(kept[2]) or 0
local opens, until_ = tonumber(kept[3]) or 0, tonumber(kept[4]) or 0
local probe, probe_until = kept[5] or '', tonumber(kept[6]) or 0
local before, reason = '', ''

local function number(value) return string.format('%.0f', value) end

local function keep()
  redis.call('HSET', KEYS[1], 'state', state, 'epoch', number(epoch), 'opens', number(opens),
    'until_', number(until_), 'probe', probe, 'probe_until', number(probe_until))
  redis.call('PEXPIRE', KEYS[1], DAY)
end

local function move(after, why)
  before, reason, state, epoch, probe, probe_until = state, why, after, epoch + 1, '', 0
end

local function answer(allowed, token, wait)
  return {state, allowed, epoch, token, wait, opens, until_, before, reason}
end

local function ask(token, lease)
  if state == 'closed' then return answer(1, '', 0) end
  if state == 'open' and now < until_ then keep() return answer(0, '', until_ - now) end
  if state == 'half_open' and now < probe_until then return answer(0, '', probe_until - now) end
  if state == 'open' then move('half_open', 'its open time is over') end
  probe, probe_until = token, now + lease
  keep()
  return answer(1, token, 0)
end

local function open(why, open_time, longest)
  opens = opens + 1
  until_ = now + math.min(open_time * 2 ^ (opens - 1), longest)
  redis.call('DEL', KEYS[2])
  move('open', why)
  keep()
end

-- Adds the tally to the window, and removes older ones.
local function add(worker, calls, failed, slow, window)
  local field = math.floor(now / 1000) .. '|' .. worker
  local a, b, c = string.match(redis.call('HGET', KEYS[2], field) or '0 0 0', '(%d+) (%d+) (%d+)')
  redis.call('HSET', KEYS[2], field, (a + calls) .. ' ' .. (b + failed) .. ' ' .. (c + slow))
  redis.call('PEXPIRE', KEYS[2], window * 2)
  for _, entry in ipairs(redis.call('HKEYS', KEYS[2])) do
    if tonumber(string.match(entry, '^%d+')) * 1000 <= now - window then
      redis.call('HDEL', KEYS[2], entry)
    end
  end
end

-- The sums of each worker over the last so many milliseconds.
local function sums_of(milliseconds)
  local entries, workers = redis.call('HGETALL', KEYS[2]), {}
  for i = 1, #entries, 2 do
    local at, name = string.match(entries[i], '^(%d+)|(.*)$')
    if tonumber(at) * 1000 > now - milliseconds then
      local x, y, z = string.match(entries[i + 1], '(%d+) (%d+) (%d+)')
      local sums = workers[name] or {0, 0, 0}
      workers[name] = {sums[1] + x, sums[2] + y, sums[3] + z}
    end
  end
  return workers
end

-- Whether the overall rate is reached and at least half of the active workers (two or more, if there
-- are several) see it.
local function exceeds(workers, which, rate)
  local calls, bad, count, seen = 0, 0, 0, 0
  for _, sums in pairs(workers) do
    calls, bad, count = calls + sums[1], bad + sums[which], count + 1
    if sums[which] >= rate * sums[1] then seen = seen + 1 end
  end
  local agreed = 2 * seen >= count and (seen > 1 or count == 1)
  return calls, bad, bad >= rate * calls and agreed
end

local function record(asked, token, worker, calls, failed, slow)
  local window, minimum = tonumber(ARGV[8]), tonumber(ARGV[9])
  local failure_rate, slow_rate = tonumber(ARGV[10]), tonumber(ARGV[11])
  local open_time, longest = tonumber(ARGV[12]), tonumber(ARGV[13])
  if token ~= '' then
    if state ~= 'half_open' or token ~= probe then return end
    if calls == 0 then
      probe_until = 0
      keep()
    elseif failed > 0 or slow > 0 then
      open('the probe failed', open_time, longest)
    else
      opens = 0
      redis.call('DEL', KEYS[2])
      move('closed', 'the probe succeeded')
      keep()
    end
    return
  end
  if state ~= 'closed' or asked ~= epoch or calls == 0 then return end
  add(worker, calls, failed, slow, window)
  -- Never open on a success: expiry of old successes can leave mostly failures in the window.
  if failed == 0 and slow == 0 then return end
  local workers = sums_of(window)
  local total, bad, failing = exceeds(workers, 2, failure_rate)
  if total < minimum then return end
  if failing then return open(bad .. ' of ' .. total .. ' calls failed', open_time, longest) end
  local recent, lost, down = exceeds(sums_of(tonumber(ARGV[14])), 2, tonumber(ARGV[15]))
  if recent >= minimum and down then
    return open(lost .. ' of the last ' .. recent .. ' calls failed', open_time, longest)
  end
  local _, late, slowing = exceeds(workers, 3, slow_rate)
  if slowing then open(late .. ' of ' .. total .. ' calls were slow', open_time, longest) end
end

if ARGV[1] == 'ask' then return ask(ARGV[2], tonumber(ARGV[3])) end
record(tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]))
return answer(0, '', state == 'open' and math.max(0, until_ - now) or 0)
