// The little that reading and writing text needs to know of UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace litedesk {

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;  // bytes; 0 when they are not UTF-8 (overlong, surrogate, cut short, past U+10FFFF)
};
[[nodiscard]] CodePoint decode_utf8(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);
// YAML 1.2, c-printable, without the line separators that only YAML 1.1 knows (U+0085, U+2028, U+2029) and U+FEFF.
[[nodiscard]] bool is_printable(char32_t c);
// Whether it is not seen itself but makes other text look like something else: what turns the direction of text, what
// has no width, and separators of lines (general categories Cf, Zl and Zp of the Unicode Standard, 4.5), but the
// joiners that Persian, Indic scripts and emoji are written with, and the soft hyphen.
[[nodiscard]] bool is_deceptive(char32_t c);
// The first byte that is not UTF-8 or a character that no YAML text may hold; npos when there is none.
[[nodiscard]] std::size_t find_unprintable(std::string_view text);
[[nodiscard]] std::size_t count_characters(std::string_view text);

}  // namespace litedesk
