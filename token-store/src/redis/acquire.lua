-- Takes the lease KEYS[1] unless somebody has it; one script, so nobody comes between the look and the taking.
-- ARGV: holder; attempt; now, or empty for the clock of this server; lease; how long to keep the key. Milliseconds.
local clock = redis.call('TIME')
local now = tonumber(ARGV[3]) or (clock[1] * 1000 + math.floor(clock[2] / 1000))
local kept = redis.call('HMGET', KEYS[1], 'attempt', 'until', 'fence')
if kept[1] == ARGV[2] then
    -- Asked a second time because the first answer was lost.
    return kept[3]
end
if kept[1] and now < tonumber(kept[2]) then
    return false
end
-- Numbers follow this server's clock in microseconds, so they grow even if it has lost the one before.
local fence = math.max((tonumber(kept[3]) or 0) + 1, clock[1] * 1000000 + clock[2])
fence = string.format('%.0f', fence)
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'attempt', ARGV[2],
    'until', string.format('%.0f', now + ARGV[4]), 'fence', fence)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return fence
