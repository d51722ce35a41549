// Names and values as Route 53 writes them (Route 53 Developer Guide, "DNS domain name format" and "TXT record type").
#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "providers/aws/route53.hpp"

namespace litedesk::route53 {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_octal(std::string_view text, std::size_t at) {
  return at + 3 < text.size() && text[at] == '\\' && text[at + 1] >= '0' && text[at + 1] <= '3' &&
         text[at + 2] >= '0' && text[at + 2] <= '7' && text[at + 3] >= '0' && text[at + 3] <= '7';
}

unsigned char octal(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
}

std::string escaped(unsigned char byte) {
  return {'\\', static_cast<char>('0' + byte / 64), static_cast<char>('0' + byte / 8 % 8),
          static_cast<char>('0' + byte % 8)};
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

// The character-strings of a TXT value, with their escapes undone.
std::vector<std::string> txt_strings(std::string_view value) {
  std::vector<std::string> strings;
  bool quoted = false, open = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '"') {
      if (!quoted) strings.emplace_back();
      quoted = !quoted;
      open = quoted;
      continue;
    }
    if (!quoted && (c == ' ' || c == '\t')) {
      open = false;
      continue;
    }
    if (!open) {
      strings.emplace_back();
      open = true;
    }
    if (is_octal(value, i)) {
      strings.back() += static_cast<char>(octal(value, i));
      i += 3;
    } else if (c == '\\' && i + 1 < value.size()) {
      strings.back() += value[++i];
    } else {
      strings.back() += c;
    }
  }
  return strings;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return result;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  bool open = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t') {
      open = false;
      continue;
    }
    if (!open) result.emplace_back();
    open = true;
    result.back() += c;
  }
  return result;
}

// A form in which two values of one type are equal exactly when they say the same.
std::string canonical_value(std::string_view type, std::string_view value) {
  if (type == "TXT" || type == "SPF") {
    std::string result;
    for (const auto& text : txt_strings(value)) result += std::to_string(text.size()) + ":" + text;
    return result;
  }
  if (type == "AAAA") {
    std::array<unsigned char, 16> address{};
    const std::string text(value);
    if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1)
      return {reinterpret_cast<const char*>(address.data()), address.size()};
    return text;
  }
  auto parts = words(value);
  const bool ends_in_name = type == "CNAME" || type == "NS" || type == "PTR" || type == "MX" || type == "SRV";
  if (ends_in_name && !parts.empty()) parts.back() = from_wire_name(parts.back());
  std::string result;
  for (const auto& part : parts) result += (result.empty() ? "" : " ") + part;
  return result;
}

std::vector<std::string> canonical_values(const RecordSet& record, std::string_view type) {
  std::vector<std::string> result;
  for (const auto& value : record.values) result.push_back(canonical_value(type, value));
  std::sort(result.begin(), result.end());
  return result;
}

std::string alias_name(const AliasTarget& alias) {
  auto name = from_wire_name(alias.name);
  constexpr std::string_view prefix = "dualstack.";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

}  // namespace

// An escape that is already there stays: so a name goes there and back unchanged.
std::string to_wire_name(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = lower(name[i]);
    if (is_octal(name, i)) {
      result += name.substr(i, 4);
      i += 3;
    } else if (is_plain(c)) {
      result += c;
    } else {
      result += escaped(static_cast<unsigned char>(c));
    }
  }
  if (!result.ends_with('.')) result += '.';
  return result;
}

// What would change the name's shape (a dot inside a label, a backslash) or a terminal's (control characters) stays
// escaped.
std::string from_wire_name(std::string_view name) {
  std::string result;
  if (name.ends_with('.')) name.remove_suffix(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_octal(name, i)) {
      result += lower(name[i]);
      continue;
    }
    const unsigned char byte = octal(name, i);
    if (byte > 0x20 && byte < 0x7f && byte != '.' && byte != '\\')
      result += lower(static_cast<char>(byte));
    else
      result += name.substr(i, 4);
    i += 3;
  }
  return result;
}

std::string quote_txt(std::string_view text) {
  constexpr std::size_t longest = 255;
  std::string result;
  do {
    const auto part = text.substr(0, longest);
    text.remove_prefix(part.size());
    result += result.empty() ? "\"" : " \"";
    for (const char c : part) {
      if (c == '"' || c == '\\') {
        result += '\\';
        result += c;
      } else if (c < 0x20 || c > 0x7e) {
        result += escaped(static_cast<unsigned char>(c));
      } else {
        result += c;
      }
    }
    result += '"';
  } while (!text.empty());
  return result;
}

std::string unquote_txt(std::string_view value) {
  std::string result;
  for (const auto& text : txt_strings(value)) result += text;
  return result;
}

bool equivalent(const RecordSet& a, const RecordSet& b) {
  const auto type = upper(a.type);
  if (type != upper(b.type) || from_wire_name(a.name) != from_wire_name(b.name)) return false;
  if (a.set_identifier != b.set_identifier || a.routing_xml != b.routing_xml) return false;
  if (a.alias.has_value() != b.alias.has_value()) return false;
  if (a.alias)
    return a.alias->zone == b.alias->zone && a.alias->evaluate_health == b.alias->evaluate_health &&
           alias_name(*a.alias) == alias_name(*b.alias);
  return a.ttl == b.ttl && canonical_values(a, type) == canonical_values(b, type);
}

}  // namespace litedesk::route53
