// Text for people: what it takes on the screen, how it is cut, and how times and plurals are said.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "providers/system/clock.hpp"

namespace litedesk::cli {

// "A=x\\,y,B=z" is {"A=x,y", "B=z"}: a map of settings in one text. A backslash before a comma or a backslash takes
// its meaning away; empty parts are left out.
[[nodiscard]] std::vector<std::string> split_pairs(std::string_view text);
[[nodiscard]] std::string escape_comma(std::string_view text);

// Columns that UTF-8 text takes in a terminal: wide East Asian characters and emoji two, combining marks none
// (Unicode Standard Annex 11). A byte that is no UTF-8 counts one.
[[nodiscard]] std::size_t display_width(std::string_view text);
// At most `width` columns, the last one "…" when something was cut (or "." where only ASCII can be shown).
[[nodiscard]] std::string cut_to_width(std::string_view text, std::size_t width, bool utf8 = true);
// The same, cut in the middle: for names whose ends tell most ("arn:aws:eks:…:cluster/prod").
[[nodiscard]] std::string cut_in_middle(std::string_view text, std::size_t width, bool utf8 = true);
// The words in lines of at most `width` columns, each with its end: `first` stands before the first line, `rest` before
// the others. A word that is wider has a line of its own.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::string_view first,
                                  std::string_view rest);
// Filled with spaces to `width` columns; longer text stays as it is.
[[nodiscard]] std::string pad_to_width(std::string_view text, std::size_t width);
// Fit for a terminal: control characters (escape sequences in a log line or a name) shown as \x1b, what is invisible
// and makes text look like other text (utf8.hpp) as \u202e; line ends and tabs kept.
[[nodiscard]] std::string printable(std::string_view text);
// The same on one line: line ends and tabs become spaces.
[[nodiscard]] std::string one_line(std::string_view text);

// Since an RFC 3339 time: "12s" "3m" "5h" "2d", as kubectl has ages; "in 3d" when it lies ahead; "-" when there is
// none.
[[nodiscard]] std::string age(std::string_view rfc3339, system::TimePoint now);
// The day of an RFC 3339 time: "2026-12-08".
[[nodiscard]] std::string day(std::string_view rfc3339);
// How long something took: "0.2s" "21s" "3m20s".
[[nodiscard]] std::string elapsed(std::chrono::milliseconds time);
// "1 object", "2 objects".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view singular, std::string_view plural = {});

// "90s" "10m" "1h30m" "500ms"; a bare number is seconds. Throws UsageError that names `what` (the flag), for
// no time at all, too.
[[nodiscard]] std::chrono::milliseconds parse_duration(std::string_view text, std::string_view what);

}  // namespace litedesk::cli
