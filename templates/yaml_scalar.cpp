#include "templates/yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <nlohmann/json.hpp>

#include "providers/read_json.hpp"

namespace litedesk::templates {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

bool is_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

bool is_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> words{"true", "True", "TRUE", "false", "False", "FALSE"};
  return std::find(words.begin(), words.end(), text) != words.end();
}

// https://yaml.org/type/bool.html; any mixture of cases, to be on the safe side.
bool is_old_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> words{"y", "n", "yes", "no", "on", "off"};
  const auto word = lower(text);
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Takes what `allowed` holds from the front; whether there was any.
bool skip(std::string_view& text, std::string_view allowed) {
  const auto end = std::min(text.find_first_not_of(allowed), text.size());
  text.remove_prefix(end);
  return end > 0;
}

// [0-9_]* with "." and an exponent: a decimal number of either version.
bool is_decimal(std::string_view text) {
  constexpr std::string_view digits = "0123456789_";
  bool any = !text.empty() && is_digit(text.front()) && skip(text, digits);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    any = skip(text, digits) || any;
  }
  if (!any || text.empty()) return any;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  text = without_sign(text);
  return skip(text, "0123456789") && text.empty();
}

// 190:20:30 and 190:20:30.15 are numbers of base 60 in YAML 1.1.
bool is_sexagesimal(std::string_view text) {
  if (text.empty() || !is_digit(text.front()) || text.find(':') == std::string_view::npos) return false;
  if (!skip(text, "0123456789_")) return false;
  while (text.starts_with(':')) {
    text.remove_prefix(1);
    const auto before = text.size();
    if (!skip(text, "0123456789") || before - text.size() > 2) return false;
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    skip(text, "0123456789_");
  }
  return text.empty();
}

bool looks_like_number(std::string_view text) {
  const auto rest = without_sign(text);
  const auto word = lower(rest);
  const auto digits = std::string_view(word).substr(std::min<std::size_t>(2, word.size()));
  if (word == ".inf" || word == ".nan") return true;
  if (word.starts_with("0x")) return all(digits, "0123456789abcdef_");
  if (word.starts_with("0o")) return all(digits, "01234567_");
  if (word.starts_with("0b")) return all(digits, "01_");
  return is_decimal(rest) || is_sexagesimal(rest);
}

// https://yaml.org/type/timestamp.html
bool looks_like_time(std::string_view text) {
  return text.size() >= 8 && all(text.substr(0, 4), "0123456789") && text[4] == '-' && is_digit(text[5]) &&
         all(text, "0123456789-:.tTzZ+ ");
}

std::optional<Json> resolve_number(std::string_view text) {
  auto number = parse_json(text);
  // Exactly one way to write a number: 1.10, +12, .5 and 0x1F are more likely to be meant as text.
  if (!number.is_number() || number_text(number) != text) return std::nullopt;
  return number;
}

}  // namespace

std::string number_text(const Json& number) {
  auto text = number.dump();
  const auto exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) text.insert(exponent, ".0");
  return text;
}

bool may_be_no_string(std::string_view text) {
  return is_null(text) || is_bool(text) || is_old_bool(text) || looks_like_number(text) || looks_like_time(text) ||
         is_null(lower(text)) || is_bool(lower(text)) || text == "=" || text == "<<";
}

std::optional<Json> resolve_plain(std::string_view text) {
  if (is_null(text)) return Json(nullptr);
  if (is_bool(text)) return Json(lower(text) == "true");
  if (looks_like_number(text)) return resolve_number(text);
  if (is_old_bool(text) || looks_like_time(text) || text == "=" || text == "<<") return std::nullopt;
  return Json(std::string(text));
}

std::string why_ambiguous(std::string_view text) {
  const std::string word(text);
  if (text == "<<") return "<< merges maps in YAML 1.1 only: use $merge, or quote it";
  if (is_old_bool(text))
    return word + " is a boolean in YAML 1.1 and a string in YAML 1.2: write true or false, or quote it";
  if (looks_like_time(text)) return word + " is a time in YAML 1.1 and a string in YAML 1.2: quote it";
  if (looks_like_number(text)) {
    const auto number = parse_json(text);
    if (number.is_number_float())
      return word + " would be the number " + number_text(number) + ": write that, or quote it";
    return word +
           " is a number to some YAML readers and a string to others: quote it, or write the number as JSON has it";
  }
  return word + " means different things in YAML 1.1 and 1.2: quote it";
}

}  // namespace litedesk::templates
