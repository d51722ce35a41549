#include "providers/sandbox/api.hpp"

#include <algorithm>

namespace litedesk::sandbox {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return decoded;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!text.empty()) {
    const auto piece = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    if (piece.empty()) continue;
    const auto equals = std::min(piece.find('='), piece.size());
    pairs.emplace_back(percent_decode(piece.substr(0, equals), true),
                       percent_decode(piece.substr(std::min(piece.size(), equals + 1)), true));
  }
  return pairs;
}

std::string Call::parameter(std::string_view name, std::string_view otherwise) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::string(otherwise);
}

bool Call::has_parameter(std::string_view name) const {
  return std::any_of(query.begin(), query.end(), [&](const auto& pair) { return pair.first == name; });
}

std::string Call::header(std::string_view name) const {
  const auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string() : found->second;
}

std::vector<std::string> Call::segments() const {
  std::vector<std::string> segments;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
    if (!segment.empty()) segments.push_back(percent_decode(segment));
  }
  return segments;
}

}  // namespace litedesk::sandbox
