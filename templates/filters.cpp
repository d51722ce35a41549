#include "templates/filters.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "providers/system/sealed.hpp"
#include "templates/yaml_scalar.hpp"

namespace litedesk::templates {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

// RFC 4648 section 4, padded: what the data of a Secret is written in.
std::string base64(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((text.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const unsigned group = (byte_at(text, i) << 16) | (byte_at(text, i + 1) << 8) | byte_at(text, i + 2);
    out += alphabet[(group >> 18) & 63U];
    out += alphabet[(group >> 12) & 63U];
    out += i + 1 < text.size() ? alphabet[(group >> 6) & 63U] : '=';
    out += i + 2 < text.size() ? alphabet[group & 63U] : '=';
  }
  return out;
}

// RFC 3986: all but the unreserved characters, so that it fits any part of a URL.
std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += "0123456789ABCDEF"[byte >> 4];
    out += "0123456789ABCDEF"[byte & 0xFU];
  }
  return out;
}

// Kubernetes replaces $(NAME) in a container's env, command and args by the variable of that name, and takes $$ for a
// dollar: a company called "$(JWT_SECRET)" must not see the secret in its page.
std::string env_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '$') out += '$';
    out += c;
  }
  return out;
}

using Filter = std::string (*)(std::string_view);
constexpr std::array<std::pair<std::string_view, Filter>, 3> text_filters{{
    {"base64", base64},
    {"env", env_value},
    {"url", percent_encoded},
}};

std::string as_json(const Json& value) {
  auto text = value.dump();
  return system::is_sealed(text) ? system::seal(system::unseal_json(text)) : text;
}

}  // namespace

std::vector<std::string_view> filter_names() {
  std::vector<std::string_view> names{"json"};
  for (const auto& filter : text_filters) names.push_back(filter.first);
  std::sort(names.begin(), names.end());
  return names;
}

bool is_filter(std::string_view name) {
  const auto names = filter_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string apply_filter(std::string_view name, const Json& value) {
  if (name == "json") return as_json(value);
  const auto* const found = std::find_if(text_filters.begin(), text_filters.end(),
                                         [name](const auto& filter) { return filter.first == name; });
  if (found == text_filters.end()) throw std::invalid_argument("no such filter");
  const auto text = scalar_text(value);
  if (!system::is_sealed(text)) return found->second(text);
  return system::seal(Secret(found->second(system::unseal(text).reveal())));
}

std::string scalar_text(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      return value.get<std::string>();
    case Json::value_t::null:
      throw std::invalid_argument("null, but text is needed");
    case Json::value_t::array:
      throw std::invalid_argument("a list, but text is needed");
    case Json::value_t::object:
      throw std::invalid_argument("a map, but text is needed");
    case Json::value_t::number_float:
      return number_text(value);
    default:
      return value.dump();
  }
}

}  // namespace litedesk::templates
