-- take books the next departure of one number, or says when to come back.
--
-- KEYS[1]  the number's hash
-- KEYS[2]  the pair's string: departure of the last message to that contact
--          (left out for a request that is no message)
-- ARGV[1]  offset of the clock
-- ARGV[2]  interval between any two messages at the full rate
-- ARGV[3]  interval between two bulk messages at the full rate; 0 for a reply
-- ARGV[4]  least lead: no departure is sooner than now plus this
-- ARGV[5]  horizon: no departure is later than now plus this
-- ARGV[6]  how much lost time bulk may catch up
-- ARGV[7]  delay of the first departure when the number is not known
-- ARGV[8]  spacing of a pair
-- ARGV[9]  departure of the grant this one replaces, or 0
-- ARGV[10] longest rest there can be
-- All durations in microseconds.
--
-- Returns {code, instant, now}: code 1 departs at instant; 2 throughput,
-- 3 pair, 4 maintenance: come back at instant. Nothing is booked unless the
-- code is 1.
local now = present(ARGV[1])
local all_gap, bulk_gap = tonumber(ARGV[2]), tonumber(ARGV[3])
local lead, horizon = tonumber(ARGV[4]), tonumber(ARGV[5])
local state = redis.call('HMGET', KEYS[1], 'all', 'bulk', 'share', 'since', 'hold', 'rest')

local rest = ahead_of(now, state[6], tonumber(ARGV[10]))
if rest > now then return {4, rest, now} end
local hold = ahead_of(now, state[5], FAR)
if hold > now then return {2, hold, now} end

-- A number nobody knows of was either never used or lost with the state. The
-- second case decides: departures booked before the loss are still to leave,
-- so the first new one waits, and no lost time may be caught up.
local all = tonumber(state[1])
if not all or all > now + FAR then
  local first = now + tonumber(ARGV[7])
  redis.call('HSET', KEYS[1], 'all', whole(first), 'bulk', whole(first))
  redis.call('EXPIRE', KEYS[1], IDLE)
  return {2, first - horizon, now}
end

local share = share_now(state[3], state[4], now) / FULL
local at = math.max(now + lead, all)
local bulk
if bulk_gap > 0 then
  bulk = tonumber(state[2]) or all
  if bulk > now + FAR then bulk = at end
  bulk = math.max(bulk, now + lead - tonumber(ARGV[6]))
  at = math.max(at, bulk)
end
if at > now + horizon then return {2, at - horizon, now} end

if KEYS[2] then
  local spacing = tonumber(ARGV[8])
  local last = redis.call('GET', KEYS[2])
  if last and last ~= ARGV[9] then
    local free = tonumber(last) + spacing
    if free > at and free <= now + spacing + FAR then return {3, free - lead, now} end
  end
  redis.call('SET', KEYS[2], whole(at), 'PX', whole(math.ceil((at + spacing - now) / 1000)))
end

-- Bulk counts on from when it was due, not from when it departs: what a reply
-- in between pushed back is not lost.
all = whole(at + math.ceil(all_gap / share))
if bulk then
  redis.call('HSET', KEYS[1], 'all', all, 'bulk', whole(bulk + math.ceil(bulk_gap / share)))
else
  redis.call('HSET', KEYS[1], 'all', all)
end
redis.call('EXPIRE', KEYS[1], IDLE)
return {1, at, now}
