-- KEYS[1] a bucket; ARGV[1] milliseconds in which nothing may be taken from it.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local until_ = now + ARGV[1] * 1000
if until_ > (tonumber(redis.call('HGET', KEYS[1], 'frozen')) or 0) then
  redis.call('HSET', KEYS[1], 'frozen', string.format('%.0f', until_))
  redis.call('PEXPIRE', KEYS[1], ARGV[1] + math.max(1000, redis.call('PTTL', KEYS[1])))
end
return 1
