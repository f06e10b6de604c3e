-- rest lets nothing of a number depart for a while; the longer rest wins.
--
-- KEYS[1]  the number's hash
-- ARGV[1]  offset of the clock
-- ARGV[2]  length in microseconds
-- ARGV[3]  longest rest there can be
--
-- Returns the length now in force, in microseconds.
local now = present(ARGV[1])
local rest = ahead_of(now, redis.call('HGET', KEYS[1], 'rest'), tonumber(ARGV[3]))
rest = math.max(rest, now + tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'rest', whole(rest))
redis.call('EXPIRE', KEYS[1], IDLE)
return rest - now
