#include "providers/utf8.hpp"

#include <algorithm>

#include <utf8proc.h>

namespace litedesk {

CodePoint decode_utf8(std::string_view text) {
  if (text.empty()) return {};
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  char32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, size};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto point = decode_utf8(text);
    if (point.size == 0) return false;
    text.remove_prefix(point.size);
  }
  return true;
}

bool is_printable(char32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n';
  if (c < 0x7F) return true;
  if (c < 0xA0 || c == 0x2028 || c == 0x2029 || c == 0xFEFF) return false;
  return c != 0xFFFE && c != 0xFFFF;
}

bool is_deceptive(char32_t c) {
  constexpr char32_t soft_hyphen = 0xAD, non_joiner = 0x200C, joiner = 0x200D;
  if (c < 0x80 || c == soft_hyphen || c == non_joiner || c == joiner) return false;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

std::size_t find_unprintable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto point = decode_utf8(text.substr(i));
    const bool old_separator = point.value == 0x85 || point.value == 0x2028 || point.value == 0x2029;
    if (point.size == 0 || !(is_printable(point.value) || old_separator || point.value == 0xFEFF)) return i;
    i += point.size;
  }
  return std::string_view::npos;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

}  // namespace litedesk
