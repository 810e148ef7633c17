-- Ends the lease KEYS[1] if ARGV[1] holds it. The number stays, for the next one to be greater.
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then
    redis.call('HDEL', KEYS[1], 'holder', 'attempt', 'until')
end
return true
