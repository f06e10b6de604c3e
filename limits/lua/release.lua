-- release gives a pair's place back when its message never left.
--
-- KEYS[1]  the pair's string
-- ARGV[1]  departure of the grant; a later grant's place is left alone
--
-- Returns 1 when the place was given back.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
