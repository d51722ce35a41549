#include "cli/text.hpp"

#include <doctest/doctest.h>

#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::cli;

TEST_CASE("Text is cut in the middle and wrapped by display width") {
  CHECK(cut_in_middle("cluster/prod", 12) == "cluster/prod");
  CHECK(cut_in_middle("cluster/production", 12) == "clust…uction");
  CHECK(cut_in_middle("株式会社アクメ", 7) == "株…クメ");
  CHECK(cut_in_middle("abc", 1) == "…");
  CHECK(cut_in_middle("abc", 0).empty());
  CHECK(cut_in_middle("abcdef", 5, false) == "ab.ef");
  CHECK(wrapped("one two three", 80, "- ", "  ") == "- one two three\n");
  CHECK(wrapped("one two three", 9, "- ", "  ") == "- one two\n  three\n");
  CHECK(wrapped("a-word-that-is-long b", 8, "- ", "  ") == "- a-word-that-is-long\n  b\n");
  CHECK(wrapped("株式 会社", 6, "", "") == "株式\n会社\n");
  CHECK(wrapped("", 10, "- ", "") == "- \n");
}

TEST_CASE("Text takes as many columns as a terminal gives it") {
  struct Case {
    const char* text;
    std::size_t width;
  };
  for (const auto& [text, width] :
       {Case{"", 0}, Case{"acme", 4}, Case{"Żółw", 4}, Case{"株式会社", 8}, Case{"e\u0301", 1}, Case{"🦊", 2},
        Case{"a\xff"
             "b",
             3},
        Case{"\xe6\xa0", 2}}) {
    const auto shown = text;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    CHECK(display_width(text) == width);
  }
}

TEST_CASE("Cut text ends in an ellipsis and never passes its width") {
  CHECK(cut_to_width("backend", 7) == "backend");
  CHECK(cut_to_width("backend", 5) == "back…");
  CHECK(cut_to_width("backend", 5, false) == "back.");
  CHECK(cut_to_width("株式会社", 6) == "株式…");
  CHECK(cut_to_width("株式会社", 2) == "…");
  CHECK(cut_to_width("abc", 0).empty());
  CHECK(pad_to_width("株", 4) == "株  ");
}

TEST_CASE("Control characters never reach a terminal") {
  CHECK(printable("a\x1b[31mb\r\n\tc") == "a\\x1b[31mb\\x0d\n\tc");
  CHECK(printable("\xc2\x9b"
                  "1m") == "\\u009b1m");
  CHECK(printable("\xff") == "\\xff");
  // What turns text round, or cannot be seen.
  CHECK(printable("a\u202Eb\u2066c\u2069d\u200Be\u2028f\uFEFFg\u061Ch") ==
        "a\\u202eb\\u2066c\\u2069d\\u200be\\u2028f\\ufeffg\\u061ch");
  CHECK(printable("\U000E0041") == "\\U000e0041");
  // What is written so is not touched: joiners, a soft hyphen, marks, wide and right-to-left letters.
  for (const std::string text : {"👩\u200D👧", "می\u200Cخواهم", "soft\u00ADhyphen", "e\u0301", "株式会社", "שלום"})
    CHECK(printable(text) == text);
  CHECK(one_line("two\nlines") == "two lines");
}

TEST_CASE("Ages are said as kubectl says them") {
  const auto now = *system::from_rfc3339("2026-11-23T12:00:00Z");
  struct Case {
    const char* time;
    const char* said;
  };
  for (const auto& [time, said] :
       {Case{"2026-11-23T11:59:48Z", "12s"}, Case{"2026-11-23T11:57:00Z", "3m"}, Case{"2026-11-23T07:00:00Z", "5h"},
        Case{"2026-11-13T12:00:00Z", "10d"}, Case{"2020-11-13T12:00:00Z", "6y"}, Case{"2026-11-26T12:00:00Z", "in 3d"},
        Case{"9999-12-31T23:59:59Z", "in 7978y"}, Case{"0001-01-01T00:00:00Z", "2027y"}, Case{"", "-"},
        Case{"yesterday", "-"}}) {
    const auto shown = time;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    CHECK(age(time, now) == said);
  }
  CHECK(day("2026-12-08T09:30:00+02:00") == "2026-12-08");
  CHECK(day("9966-10-06T13:15:00Z") == "9966-10-06");
}

TEST_CASE("Elapsed time is short, and exact where it is short") {
  using std::chrono::milliseconds;
  CHECK(elapsed(milliseconds(240)) == "0.2s");
  CHECK(elapsed(milliseconds(21'900)) == "21s");
  CHECK(elapsed(milliseconds(200'000)) == "3m20s");
  CHECK(elapsed(milliseconds(3'660'000)) == "1h01m");
}

TEST_CASE("Durations are read as people write them, and refused when they are none") {
  struct Case {
    const char* text;
    int milliseconds;
  };
  for (const auto& [text, milliseconds] :
       {Case{"90s", 90'000}, Case{"10m", 600'000}, Case{"1h30m", 5'400'000}, Case{"500ms", 500}, Case{"30", 30'000}}) {
    const auto shown = text;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    CHECK(parse_duration(text, "--timeout").count() == milliseconds);
  }
  for (const char* text :
       {"", "m", "10x", "-5s", "1.5h", "10 m", "99999999999999999999s", "400000000d", "10m5", "0s", "0"}) {
    const auto shown = text;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    CHECK_THROWS_AS((void)parse_duration(text, "--timeout"), UsageError);
  }
}
