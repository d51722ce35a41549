#include "providers/sandbox/route53_names.hpp"

#include <fmt/format.h>

namespace litedesk::sandbox::route53 {

namespace {

bool is_octal(std::string_view text) {
  return text.size() == 3 && text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' && text[2] >= '0' &&
         text[2] <= '7';
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

std::string canonical_name(std::string_view text, std::optional<std::string>& problem) {
  constexpr std::size_t longest_label = 63;
  constexpr std::size_t longest_name = 255;
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto fatal = [&](std::string_view code, std::string_view words, std::string_view at) {
    if (!problem) problem = fmt::format("FATAL problem: {} ({}) encountered with '{}'", code, words, at);
  };
  std::string name;
  std::size_t label = 0;
  std::size_t length = 0;  // of what the codes stand for
  if (text.empty()) fatal("DomainLabelEmpty", "Domain label is empty", text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '.') {
      if (label == 0) fatal("DomainLabelEmpty", "Domain label is empty", text);
      label = 0;
      ++length;
      name += '.';
      continue;
    }
    if (c == '\\') {
      if (!is_octal(text.substr(i + 1, 3))) {
        fatal("InvalidEscapeSequence", "Escape sequence is not three octal digits", text);
        break;
      }
      c = static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else if (c <= ' ' || c > '~') {
      fatal("UnsupportedCharacter", "Value contains unsupported characters", text);
      break;
    }
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (is_plain(c))
      name += c;
    else
      name += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    ++length;
    if (++label > longest_label) {
      fatal("DomainLabelTooLong", "Domain label is too long", text);
      break;
    }
  }
  if (!text.empty() && label == 0) fatal("DomainLabelEmpty", "Domain label is empty", text);
  if (length > longest_name) fatal("DomainTooLong", "Domain name is too long", text);
  return name + ".";
}

std::string reversed(std::string_view canonical) {
  if (canonical.ends_with('.')) canonical.remove_suffix(1);
  std::string result;
  while (!canonical.empty()) {
    const auto dot = canonical.rfind('.');
    result += canonical.substr(dot == std::string_view::npos ? 0 : dot + 1);
    result += '.';
    canonical = dot == std::string_view::npos ? std::string_view() : canonical.substr(0, dot);
  }
  return result;
}

bool lies_within(std::string_view name, std::string_view zone) {
  if (!name.ends_with(zone)) return false;
  return name.size() == zone.size() || name[name.size() - zone.size() - 1] == '.';
}

}  // namespace litedesk::sandbox::route53
