#include "providers/yaml/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include <nlohmann/json.hpp>

namespace litedesk::yaml {
namespace {

template <std::size_t Count>
bool is_one_of(std::string_view text, const std::array<std::string_view, Count>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 5> nulls{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 11> truths{"y",    "Y",    "yes", "Yes", "YES", "true",
                                                  "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> falsehoods{"n",     "N",     "no",  "No",  "NO", "false",
                                                      "False", "FALSE", "off", "Off", "OFF"};

// 0x1F, 0b1, 0o17 and 017 beside decimal numbers; nothing for what is none of them or does not fit.
std::optional<Json> integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char letter = text[1];
    base = letter == 'x' || letter == 'X' ? 16 : letter == 'b' || letter == 'B' ? 2 : 8;
    text.remove_prefix(base != 8 || letter == 'o' || letter == 'O' ? 2 : 1);
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!negative) return Json(number);
  constexpr std::uint64_t lowest = std::uint64_t{1} << 63U;
  if (number > lowest) return std::nullopt;
  return number == lowest ? Json(INT64_MIN) : Json(-static_cast<std::int64_t>(number));
}

// Digits, a point and an exponent. What JSON cannot say (.inf, 1e999) stays text.
std::optional<Json> fraction(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return Json(number);
}

Json word(const std::string& text) {
  if (is_one_of(text, nulls)) return nullptr;
  if (is_one_of(text, truths)) return true;
  if (is_one_of(text, falsehoods)) return false;
  auto digits = text;  // 1_000 is a number to YAML 1.1
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  const bool begins = !text.empty() && std::string_view("0123456789.+-").find(text[0]) != std::string_view::npos;
  if (begins)
    for (const auto& number : {integer(digits), fraction(digits)})
      if (number) return *number;
  return text;
}

// What a map takes over from others: its own keys come first, then those of the maps in the order that they are named.
void merge(Json& map, const Node& from) {
  if (from.kind == Node::Kind::list)
    for (const auto& item : from.items) merge(map, item);
  if (from.kind != Node::Kind::map) return;
  const auto taken = to_json(from);
  for (const auto& [key, value] : taken.items())
    if (!map.contains(key)) map[key] = value;
}

}  // namespace

Json to_json(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return nullptr;
    case Node::Kind::scalar:
      return node.plain ? word(node.text) : Json(node.text);
    case Node::Kind::list: {
      Json list = Json::array();
      for (const auto& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case Node::Kind::map:
      break;
  }
  Json map = Json::object();
  for (const auto& entry : node.entries)
    if (entry.key != "<<" || !entry.plain) map[entry.key] = to_json(entry.value);
  for (const auto& entry : node.entries)
    if (entry.key == "<<" && entry.plain) merge(map, entry.value);
  return map;
}

}  // namespace litedesk::yaml
