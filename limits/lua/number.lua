-- Shared by every script of this package: it is put in front of each of them.
--
-- One hash per number, bareed:{num_…}:limit, all times in microseconds of the
-- Redis clock plus the caller's offset (tests move it), all of them integers so
-- that no digit is lost on the way through Redis:
--   all    earliest instant at which any next message may depart
--   bulk   earliest instant at which the next bulk message is due
--   share  share of the rate in use, in millionths, at the instant `since`
--   since  when Meta last answered 130429
--   hold   nothing departs before this, because Meta asked for a delay
--   rest   nothing departs before this, because the number is in maintenance
local FULL = 1000000
local SECOND = 1000000
local FAR = 60 * SECOND
local IDLE = 7 * 86400

local function present(offset)
  local t = redis.call('TIME')
  return tonumber(t[1]) * SECOND + tonumber(t[2]) + tonumber(offset)
end

-- whole writes an integer with all its digits (tostring keeps only 14).
local function whole(n)
  return string.format('%.0f', n)
end

-- share_now climbs back evenly: from nothing to the full rate in 60 s. Without
-- a record, and after the clock was put back, the rate is full: Meta answers
-- 130429 again if it is not.
local function share_now(share, since, now)
  share, since = tonumber(share), tonumber(since)
  if not share or not since or since > now then return FULL end
  return math.min(FULL, share + math.floor((now - since) / 60))
end

-- ahead_of gives the later of now and an instant, unless that instant is
-- farther than any rule of ours can put it: then the clock was changed.
local function ahead_of(now, instant, farthest)
  instant = tonumber(instant)
  if not instant or instant < now or instant > now + farthest then return now end
  return instant
end
