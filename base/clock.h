// Time as a value. Pure code takes an Instant; only the loops of threads hold a Clock.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier {

using Duration = std::chrono::microseconds;
using Instant = std::chrono::sys_time<Duration>;  // UTC

class Clock {
  public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;  // thread-safe
};

class SystemClock final : public Clock {
  public:
    Instant now() const override;
};

// RFC 3339 in UTC: "2026-01-31T12:00:00Z", or with microseconds as Kubernetes' MicroTime has them.
std::string rfc3339(Instant instant);
std::string rfc3339_micro(Instant instant);
// Accepts any fraction of a second and any offset.
Result<Instant> parse_rfc3339(std::string_view text);
// "20260131T120000Z": no colon, no space, so it may stand in a file name.
std::string compact_stamp(Instant instant);

// Durations as Go writes them: "300ms", "1h30m", "10m". Units h, m, s, ms, us.
Result<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration duration);
// The age that a person reads, as kubectl's tables have it: "5s", "3m10s", "2d".
std::string human_age(Duration age);

}  // namespace atelier
