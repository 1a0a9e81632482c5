-- Requests for a path in which %d is replaced by a number at random, and what became of them as JSON.

local path, most

function init(arguments)
  path, most = arguments[1], tonumber(arguments[2])
  math.randomseed(1)
end

function request()
  return wrk.format("GET", string.format(path, math.random(most)))
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\n{"requests":%d,"duration_us":%d,"errors":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)
  ))
end
