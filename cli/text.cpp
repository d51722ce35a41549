#include "cli/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <vector>

#include <fmt/format.h>

#include "providers/error.hpp"
#include "providers/utf8.hpp"

namespace litedesk::cli {

std::vector<std::string> split_pairs(std::string_view text) {
  std::vector<std::string> parts;
  std::string part;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool escapes = text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == ',' || text[at + 1] == '\\');
    if (text[at] == ',') {
      if (!part.empty()) parts.push_back(std::move(part));
      part.clear();
      continue;
    }
    part += escapes ? text[++at] : text[at];
  }
  if (!part.empty()) parts.push_back(std::move(part));
  return parts;
}

std::string escape_comma(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == ',' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}
namespace {

struct Range {
  char32_t first, last;
};

// Marks that take no column of their own (general categories Mn, Me, Cf), the blocks that names and logs meet.
constexpr Range zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489},   {0x0591, 0x05BD},  {0x05BF, 0x05BF}, {0x05C1, 0x05C2}, {0x05C4, 0x05C5},
    {0x0610, 0x061A}, {0x064B, 0x065F},   {0x0670, 0x0670},  {0x06D6, 0x06DC}, {0x06DF, 0x06E4}, {0x06E7, 0x06E8},
    {0x06EA, 0x06ED}, {0x0900, 0x0902},   {0x093A, 0x093A},  {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D},
    {0x0951, 0x0957}, {0x0E31, 0x0E31},   {0x0E34, 0x0E3A},  {0x0E47, 0x0E4E}, {0x1AB0, 0x1ACE}, {0x1DC0, 0x1DFF},
    {0x200B, 0x200F}, {0x202A, 0x202E},   {0x2060, 0x2064},  {0x20D0, 0x20F0}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
    {0xFEFF, 0xFEFF}, {0x1F3FB, 0x1F3FF}, {0xE0100, 0xE01EF}};

// East_Asian_Width W and F, and what terminals show as emoji.
constexpr Range double_width[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},   {0x23F0, 0x23F0},
    {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267F, 0x267F},
    {0x2693, 0x2693},   {0x26A1, 0x26A1},   {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},
    {0x26CE, 0x26CE},   {0x26D4, 0x26D4},   {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},
    {0x26FA, 0x26FA},   {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},
    {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27B0, 0x27B0},   {0x27BF, 0x27BF},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},
    {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},
    {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},
    {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18D08}, {0x1AFF0, 0x1B2FB}, {0x1F004, 0x1F004},
    {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F200, 0x1F320}, {0x1F32D, 0x1F335},
    {0x1F337, 0x1F37C}, {0x1F37E, 0x1F393}, {0x1F3A0, 0x1F3CA}, {0x1F3CF, 0x1F3D3}, {0x1F3E0, 0x1F3F0},
    {0x1F3F4, 0x1F3F4}, {0x1F3F8, 0x1F3FA}, {0x1F400, 0x1F43E}, {0x1F440, 0x1F440}, {0x1F442, 0x1F4FC},
    {0x1F4FF, 0x1F53D}, {0x1F54B, 0x1F54E}, {0x1F550, 0x1F567}, {0x1F57A, 0x1F57A}, {0x1F595, 0x1F596},
    {0x1F5A4, 0x1F5A4}, {0x1F5FB, 0x1F64F}, {0x1F680, 0x1F6C5}, {0x1F6CC, 0x1F6CC}, {0x1F6D0, 0x1F6D2},
    {0x1F6D5, 0x1F6D7}, {0x1F6DC, 0x1F6DF}, {0x1F6EB, 0x1F6EC}, {0x1F6F4, 0x1F6FC}, {0x1F7E0, 0x1F7EB},
    {0x1F90C, 0x1F93A}, {0x1F93C, 0x1F945}, {0x1F947, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD}};

template <std::size_t N>
bool contains(const Range (&ranges)[N], char32_t character) {
  const auto* found = std::upper_bound(std::begin(ranges), std::end(ranges), character,
                                       [](char32_t value, const Range& range) { return value < range.first; });
  return found != std::begin(ranges) && character <= std::prev(found)->last;
}

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

// The character at the front of the text, which is not empty (RFC 3629: no overlong forms, no surrogates).
Character front(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {lead, 1, false};
  char32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {lead, 1, false};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {lead, 1, false};
  return {code, length, true};
}

std::size_t width_of(const Character& character) {
  if (!character.valid) return 1;
  if (contains(zero_width, character.code)) return 0;
  return contains(double_width, character.code) ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = front(text);
    width += width_of(character);
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width, bool utf8) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string result;
  std::size_t used = 0;
  while (!text.empty()) {
    const Character character = front(text);
    if (used + width_of(character) > width - 1) break;
    used += width_of(character);
    result += text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
  }
  return result + (utf8 ? "…" : ".");
}

std::string cut_in_middle(std::string_view text, std::size_t width, bool utf8) {
  if (display_width(text) <= width) return std::string(text);
  std::vector<std::string_view> characters;
  for (std::string_view rest = text; !rest.empty();) {
    characters.push_back(rest.substr(0, front(rest).bytes));
    rest.remove_prefix(characters.back().size());
  }
  const std::size_t room = width - std::min<std::size_t>(width, 1), left = room / 2;
  std::string before, after;
  std::size_t begin = 0, end = characters.size();
  while (begin < end && display_width(before) + display_width(characters[begin]) <= left) before += characters[begin++];
  while (end > begin && display_width(before) + display_width(after) + display_width(characters[end - 1]) <= room)
    after.insert(0, characters[--end]);
  return width == 0 ? std::string() : before + (utf8 ? "…" : ".") + after;
}

std::string wrapped(std::string_view text, std::size_t width, std::string_view first, std::string_view rest) {
  std::string result, line(first);
  bool begun = false;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (begun && display_width(line) + 1 + display_width(word) > width) {
      result += line + "\n";
      line = rest;
      begun = false;
    }
    line += (begun ? " " : "") + std::string(word);
    begun = true;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return result + line + "\n";
}

std::string pad_to_width(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Character character = front(text);
    const auto code = static_cast<unsigned>(character.code);
    const bool low = code < 0x20 && code != '\n' && code != '\t';
    if (!character.valid || low) {
      result += fmt::format("\\x{:02x}", code);
    } else if ((code >= 0x7F && code < 0xA0) || is_deceptive(character.code)) {
      result += code > 0xFFFF ? fmt::format("\\U{:08x}", code) : fmt::format("\\u{:04x}", code);
    } else {
      result += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  return result;
}

std::string one_line(std::string_view text) {
  std::string result = printable(text);
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return result;
}

std::string age(std::string_view rfc3339, system::TimePoint now) {
  const auto time = system::from_rfc3339(rfc3339);
  if (!time) return "-";
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - *time).count();
  const bool ahead = seconds < 0;
  seconds = ahead ? -seconds : seconds;
  std::string text;
  if (seconds < 120) {
    text = fmt::format("{}s", seconds);
  } else if (seconds < 120 * 60) {
    text = fmt::format("{}m", seconds / 60);
  } else if (seconds < 48 * 3600) {
    text = fmt::format("{}h", seconds / 3600);
  } else if (seconds < 730LL * 86400) {
    text = fmt::format("{}d", seconds / 86400);
  } else {
    text = fmt::format("{}y", seconds / (365LL * 86400));
  }
  return ahead ? "in " + text : text;
}

std::string day(std::string_view rfc3339) {
  const auto time = system::from_rfc3339(rfc3339);
  return time ? system::to_rfc3339(*time).substr(0, 10) : std::string{};
}

std::string elapsed(std::chrono::milliseconds time) {
  const auto milliseconds = std::max<std::int64_t>(time.count(), 0);
  if (milliseconds < 10'000) return fmt::format("{}.{}s", milliseconds / 1000, milliseconds % 1000 / 100);
  const auto seconds = milliseconds / 1000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds % 3600 / 60);
}

std::string counted(std::int64_t count, std::string_view singular, std::string_view plural) {
  if (count == 1) return fmt::format("1 {}", singular);
  return plural.empty() ? fmt::format("{} {}s", count, singular) : fmt::format("{} {}", count, plural);
}

std::chrono::milliseconds parse_duration(std::string_view text, std::string_view what) {
  const auto refuse = [&] {
    throw UsageError({.message = fmt::format("{}: \"{}\" is not a duration", what, printable(text)),
                      .hint = "write 90s, 10m or 1h30m",
                      .resource = {},
                      .cause = {}});
  };
  constexpr std::int64_t longest = 365LL * 86'400'000;
  std::int64_t total = 0;
  std::string_view rest = text;
  if (rest.empty()) refuse();
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc{} || number < 0 || number > longest) refuse();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    std::int64_t unit = 0;
    if (rest.starts_with("ms")) {
      unit = 1;
      rest.remove_prefix(2);
    } else if (rest.empty() && end == text.data() + text.size() && total == 0) {
      unit = 1000;
    } else if (!rest.empty()) {
      unit = rest[0] == 's'   ? 1000
             : rest[0] == 'm' ? 60'000
             : rest[0] == 'h' ? 3'600'000
             : rest[0] == 'd' ? 86'400'000
                              : 0;
      rest.remove_prefix(1);
    }
    if (unit == 0 || number > longest / unit) refuse();
    total += number * unit;
  }
  if (total == 0 || total > longest) refuse();
  return std::chrono::milliseconds(total);
}

}  // namespace litedesk::cli
