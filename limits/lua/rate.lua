-- rate reads what part of its rate a number may use; it changes nothing.
--
-- KEYS[1]  the number's hash
-- ARGV[1]  offset of the clock
-- ARGV[2]  longest rest there can be
--
-- Returns the share in use, in millionths: 0 during a delay or a rest.
local now = present(ARGV[1])
local state = redis.call('HMGET', KEYS[1], 'share', 'since', 'hold', 'rest')
if ahead_of(now, state[3], FAR) > now then return 0 end
if ahead_of(now, state[4], tonumber(ARGV[2])) > now then return 0 end
return share_now(state[1], state[2], now)
