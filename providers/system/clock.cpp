#include "providers/system/clock.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

namespace litedesk::system {

namespace {

using namespace std::chrono;

class RealClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return floor<microseconds>(system_clock::now()); }
  [[nodiscard]] SteadyPoint steady() const override { return steady_clock::now(); }
  bool wait(milliseconds duration, std::stop_token stop) const override {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    never.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
  }
};

std::string rfc3339(TimePoint time, bool micro) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<microseconds>(time - day)};
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (micro) text += fmt::format(".{:06}", clock.subseconds().count());
  return text + "Z";
}

// Reads a text from the left; each step fails for good once one has failed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    int value = 0;
    if (rest_.size() < digits) return fail();
    for (std::size_t i = 0; i < digits; ++i) {
      if (!is_digit(rest_[i])) return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  bool optional(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }
  void expect(std::string_view literal) {
    if (!optional(literal)) fail();
  }
  // The index of the word that comes next; they are spelled exactly so in HTTP dates.
  template <std::size_t N>
  int word(const std::array<std::string_view, N>& words) {
    for (std::size_t i = 0; i < N; ++i)
      if (optional(words[i])) return static_cast<int>(i);
    return fail();
  }
  std::string_view digits() {
    std::size_t count = 0;
    while (count < rest_.size() && is_digit(rest_[count])) ++count;
    const auto found = rest_.substr(0, count);
    rest_.remove_prefix(count);
    if (found.empty()) fail();
    return found;
  }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  int fail() {
    ok_ = false;
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<TimePoint> at(int y, int m, int d, int hour, int minute, int second, microseconds fraction) {
  const year_month_day date{year{y}, month{static_cast<unsigned>(m)}, day{static_cast<unsigned>(d)}};
  // 60 is a leap second, which system_clock does not count.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return TimePoint(sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + fraction);
}

constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> day_names = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> long_day_names = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                            "Friday", "Saturday", "Sunday"};

struct TimeOfDay {
  int hour = 0, minute = 0, second = 0;
};

TimeOfDay time_of_day(Scanner& in) {
  TimeOfDay time;
  time.hour = in.number(2);
  in.expect(":");
  time.minute = in.number(2);
  in.expect(":");
  time.second = in.number(2);
  return time;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<TimePoint> imf_fixdate(std::string_view text) {
  Scanner in(text);
  in.word(day_names);
  in.expect(", ");
  const int d = in.number(2);
  in.expect(" ");
  const int m = in.word(month_names) + 1;
  in.expect(" ");
  const int y = in.number(4);
  in.expect(" ");
  const auto time = time_of_day(in);
  in.expect(" GMT");
  if (!in.done()) return std::nullopt;
  return at(y, m, d, time.hour, time.minute, time.second, {});
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<TimePoint> rfc850_date(std::string_view text) {
  Scanner in(text);
  in.word(long_day_names);
  in.expect(", ");
  const int d = in.number(2);
  in.expect("-");
  const int m = in.word(month_names) + 1;
  in.expect("-");
  const int y = in.number(2);
  in.expect(" ");
  const auto time = time_of_day(in);
  in.expect(" GMT");
  if (!in.done()) return std::nullopt;
  // RFC 9110, 5.6.7: a year that would lie more than 50 years ahead is the most recent one with these two digits.
  const int this_year = static_cast<int>(year_month_day{floor<days>(system_clock::now())}.year());
  int full = this_year / 100 * 100 + y;
  if (full > this_year + 50) full -= 100;
  return at(full, m, d, time.hour, time.minute, time.second, {});
}

// "Sun Nov  6 08:49:37 1994"
std::optional<TimePoint> asctime_date(std::string_view text) {
  Scanner in(text);
  in.word(day_names);
  in.expect(" ");
  const int m = in.word(month_names) + 1;
  in.expect(" ");
  const int d = in.optional(" ") ? in.number(1) : in.number(2);
  in.expect(" ");
  const auto time = time_of_day(in);
  in.expect(" ");
  const int y = in.number(4);
  if (!in.done()) return std::nullopt;
  return at(y, m, d, time.hour, time.minute, time.second, {});
}

}  // namespace

const Clock& real_clock() {
  static const RealClock clock;
  return clock;
}

TimePoint SkippingClock::now() const {
  return floor<microseconds>(system_clock::now()) + milliseconds(skipped_ms_.load());
}

SteadyPoint SkippingClock::steady() const {
  return steady_clock::now() + milliseconds(skipped_ms_.load());
}

bool SkippingClock::wait(milliseconds duration, std::stop_token stop) const {
  if (stop.stop_requested()) return false;
  skipped_ms_ += duration.count();
  return true;
}

milliseconds SkippingClock::begin_wait(milliseconds duration) const {
  skipped_ms_ += duration.count();
  return milliseconds::zero();
}

std::string to_rfc3339(TimePoint time) {
  return rfc3339(time, false);
}

std::string to_rfc3339_micro(TimePoint time) {
  return rfc3339(time, true);
}

std::optional<TimePoint> from_rfc3339(std::string_view text) {
  Scanner in(text);
  const int y = in.number(4);
  in.expect("-");
  const int m = in.number(2);
  in.expect("-");
  const int d = in.number(2);
  if (!in.optional("T") && !in.optional("t")) in.expect(" ");
  const auto time = time_of_day(in);
  microseconds fraction{0};
  if (in.optional(".")) {
    const auto digits = in.digits();
    int unit = 100'000;
    for (std::size_t i = 0; i < std::min<std::size_t>(digits.size(), 6); ++i, unit /= 10)
      fraction += microseconds((digits[i] - '0') * unit);
  }
  minutes offset{0};
  if (!in.optional("Z") && !in.optional("z")) {
    const bool east = in.optional("+");
    if (!east) in.expect("-");
    const int offset_hours = in.number(2);
    in.expect(":");
    const int offset_minutes = in.number(2);
    if (offset_hours > 23 || offset_minutes > 59) return std::nullopt;
    offset = hours(offset_hours) + minutes(offset_minutes);
    if (!east) offset = -offset;
  }
  if (!in.done()) return std::nullopt;
  auto point = at(y, m, d, time.hour, time.minute, time.second, fraction);
  if (!point) return std::nullopt;
  constexpr TimePoint first = sys_days{year{0} / January / 1};
  constexpr TimePoint last = sys_days{year{10'000} / January / 1} - microseconds{1};
  return std::clamp(*point - offset, first, last);
}

std::optional<TimePoint> from_http_date(std::string_view text) {
  if (auto time = imf_fixdate(text)) return time;
  if (auto time = rfc850_date(text)) return time;
  return asctime_date(text);
}

std::string to_http_date(TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     day_names[std::chrono::weekday(day).iso_encoding() - 1], static_cast<unsigned>(date.day()),
                     month_names[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace litedesk::system
