// Time comes in as an argument: commands and clients ask a Clock, tests bring their own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace litedesk::system {

// In microseconds: every year that RFC 3339 and certificates can write is one. The system clock's nanoseconds end in
// 2262, and "no end" is written 9999.
using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyPoint = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  // The calendar's time, UTC.
  [[nodiscard]] virtual TimePoint now() const = 0;
  // Time that never jumps, for deadlines and intervals.
  [[nodiscard]] virtual SteadyPoint steady() const = 0;
  // Waits that long, or until `stop` is requested. Returns false when it was stopped.
  virtual bool wait(milliseconds duration, std::stop_token stop) const = 0;
  // The same for an event loop, which cannot block: begins a wait and returns how much of it really has to pass.
  [[nodiscard]] virtual milliseconds begin_wait(milliseconds duration) const { return duration; }
};

// The machine's own clocks.
[[nodiscard]] const Clock& real_clock();

// A clock on which a wait takes no time and moves the time on instead: back-off and polls of a test cost nothing.
class SkippingClock : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override;
  [[nodiscard]] SteadyPoint steady() const override;
  bool wait(milliseconds duration, std::stop_token stop) const override;
  [[nodiscard]] milliseconds begin_wait(milliseconds duration) const override;

 private:
  mutable std::atomic<std::int64_t> skipped_ms_{0};
};

// RFC 3339 in UTC with whole seconds: "2026-01-02T03:04:05Z".
[[nodiscard]] std::string to_rfc3339(TimePoint time);
// RFC 3339 with six fraction digits, as Kubernetes' MicroTime: "2026-01-02T03:04:05.000000Z".
[[nodiscard]] std::string to_rfc3339_micro(TimePoint time);
// Reads RFC 3339 with any number of fraction digits and any offset; nothing when it is none. What its offset carries
// out of the years 0000 to 9999 is the first or the last moment of them.
[[nodiscard]] std::optional<TimePoint> from_rfc3339(std::string_view text);
// An HTTP date (RFC 9110, 5.6.7: IMF-fixdate and the two obsolete forms); nothing when it is none.
[[nodiscard]] std::optional<TimePoint> from_http_date(std::string_view text);
// RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string to_http_date(TimePoint time);

}  // namespace litedesk::system
