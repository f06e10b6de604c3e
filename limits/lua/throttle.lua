-- throttle halves a number's rate after Meta's 130429, once a second at most:
-- the answers to one burst are one event.
--
-- KEYS[1]  the number's hash
-- ARGV[1]  offset of the clock
-- ARGV[2]  delay Meta asked for, in microseconds, or 0
-- ARGV[3]  smallest share, in millionths
--
-- Returns the share now in use, in millionths.
local now = present(ARGV[1])
local state = redis.call('HMGET', KEYS[1], 'share', 'since', 'hold')
local share = share_now(state[1], state[2], now)
local since = tonumber(state[2])
if not since or since > now or now - since >= SECOND then
  share = math.max(tonumber(ARGV[3]), math.floor(share / 2))
  redis.call('HSET', KEYS[1], 'share', whole(share), 'since', whole(now))
end
local hold = math.max(now + tonumber(ARGV[2]), ahead_of(now, state[3], FAR))
if hold > now then redis.call('HSET', KEYS[1], 'hold', whole(hold)) end
redis.call('EXPIRE', KEYS[1], IDLE)
return share
