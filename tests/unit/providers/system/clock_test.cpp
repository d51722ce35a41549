#include "providers/system/clock.hpp"

#include <thread>

#include <doctest/doctest.h>

using namespace litedesk::system;
using namespace std::chrono_literals;

TEST_CASE("an RFC 3339 time is read with any fraction and any offset") {
  struct Row {
    const char *text, *utc;
  };
  for (const Row& row : {Row{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"},
                         Row{"2026-01-02t03:04:05z", "2026-01-02T03:04:05.000000Z"},
                         Row{"2026-01-02 03:04:05Z", "2026-01-02T03:04:05.000000Z"},
                         Row{"2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000Z"},
                         Row{"2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z"},
                         Row{"2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000000Z"},
                         Row{"2025-12-31T23:30:00-01:30", "2026-01-01T01:00:00.000000Z"},
                         Row{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
                         Row{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"}}) {
    CAPTURE(row.text);
    const auto time = from_rfc3339(row.text);
    REQUIRE(time.has_value());
    CHECK(to_rfc3339_micro(*time) == row.utc);
  }
}

TEST_CASE("every year that can be written is read, compared and written as itself") {
  const auto now = *from_rfc3339("2026-01-02T03:04:05Z");
  for (const char* text :
       {"0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1677-09-21T00:12:43Z", "2262-04-11T23:47:17Z",
        "4052-12-31T00:00:00Z", "9966-10-06T13:15:00Z", "9999-12-31T23:59:59Z"}) {
    CAPTURE(text);
    const auto time = from_rfc3339(text);
    REQUIRE(time);
    CHECK(to_rfc3339(*time) == text);
    CHECK((*time > now) == (std::string_view(text) > "2026"));
    CHECK(from_http_date(to_http_date(*time)) == time);
  }
  // What an offset carries out of these years is their end.
  CHECK(to_rfc3339_micro(*from_rfc3339("9999-12-31T23:59:59.5-12:00")) == "9999-12-31T23:59:59.999999Z");
  CHECK(to_rfc3339_micro(*from_rfc3339("0000-01-01T00:00:00+12:00")) == "0000-01-01T00:00:00.000000Z");
}

TEST_CASE("what is no RFC 3339 time is none") {
  for (const char* text : {"", "2026", "2026-01-02", "2026-01-02T03:04Z", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z",
                           "2026-02-29T03:04:05Z", "2026-01-02T24:04:05Z", "2026-01-02T03:60:05Z",
                           "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05Zx", "2026-01-02T03:04:05+2:00",
                           "x026-01-02T03:04:05Z", "2026-01-02T03:04:05+24:00", " 2026-01-02T03:04:05Z"}) {
    CAPTURE(text);
    CHECK_FALSE(from_rfc3339(text).has_value());
  }
}

TEST_CASE("a time is written with whole seconds or six digits, and a fraction is cut, not rounded") {
  const auto time = *from_rfc3339("2026-01-02T03:04:05.999999Z");
  CHECK(to_rfc3339(time) == "2026-01-02T03:04:05Z");
  CHECK(to_rfc3339_micro(time) == "2026-01-02T03:04:05.999999Z");
}

TEST_CASE("an HTTP date is read in each of its three forms") {
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    CAPTURE(text);
    const auto time = from_http_date(text);
    REQUIRE(time.has_value());
    CHECK(to_rfc3339(*time) == "1994-11-06T08:49:37Z");
  }
  CHECK(to_rfc3339(from_http_date("Thu Jan 15 00:00:00 2026").value()) == "2026-01-15T00:00:00Z");
  for (const char* text : {"", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Foo 1994 08:49:37 GMT",
                           "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT+1"}) {
    CAPTURE(text);
    CHECK_FALSE(from_http_date(text).has_value());
  }
}

TEST_CASE("an HTTP date is written as it is read") {
  for (const auto* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 29 Feb 2024 00:00:00 GMT", "Sat, 31 Dec 2016 23:59:59 GMT"}) {
    CAPTURE(text);
    const auto time = from_http_date(text);
    REQUIRE(time);
    CHECK(to_http_date(*time) == text);
  }
}

TEST_CASE("a skipping clock waits in no time and is later for it") {
  const SkippingClock clock;
  const auto calendar = clock.now();
  const auto steady = clock.steady();
  const auto really = std::chrono::steady_clock::now();
  CHECK(clock.wait(1h, {}));
  CHECK(clock.begin_wait(1h) == 0ms);
  CHECK(clock.now() - calendar >= 2h);
  CHECK(clock.steady() - steady >= 2h);
  CHECK(std::chrono::steady_clock::now() - really < 10s);

  std::stop_source source;
  source.request_stop();
  const auto before = clock.steady();
  CHECK_FALSE(clock.wait(1h, source.get_token()));
  CHECK(clock.steady() - before < 1h);
}

TEST_CASE("the real clock waits as long as it is told, or until it is stopped") {
  const auto& clock = real_clock();
  const auto begin = clock.steady();
  CHECK(clock.wait(20ms, {}));
  CHECK(clock.steady() - begin >= 20ms);
  CHECK(clock.begin_wait(7ms) == 7ms);

  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  CHECK_FALSE(clock.wait(1h, source.get_token()));
}
