#include "cli/jsonpath.hpp"

#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/text.hpp"
#include "providers/error.hpp"
#include "providers/read_json.hpp"

namespace litedesk::cli {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view what) {
  throw UsageError({.message = fmt::format("jsonpath \"{}\": {}", printable(text), what),
                    .hint = "for example -o jsonpath='{.items[*].slug}'; for more, pipe -o json into jq",
                    .resource = {},
                    .cause = {}});
}

using Values = std::vector<const Json*>;

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Reads one expression, a step at a time, and follows it from `values`.
class Path {
 public:
  Path(std::string_view text, Values values) : text_(text), rest_(text), values_(std::move(values)) {}

  Values follow() {
    if (rest_.starts_with("$") || rest_.starts_with("@"))
      rest_.remove_prefix(1);
    else if (!rest_.starts_with(".") && !rest_.starts_with("["))
      refuse(text_, "a path begins with a dot");
    if (rest_ == ".") return values_;
    while (!rest_.empty()) step();
    return values_;
  }

 private:
  void step() {
    if (rest_.starts_with("..")) refuse(text_, "recursive descent (..) is not supported");
    if (rest_[0] == '.') {
      rest_.remove_prefix(1);
      if (rest_.starts_with("[")) return;
      const auto end = std::min(rest_.find_first_of(".["), rest_.size());
      const std::string_view key = rest_.substr(0, end);
      if (key.empty()) refuse(text_, "a key is missing after a dot");
      rest_.remove_prefix(end);
      key == "*" ? every() : member(std::string(key));
    } else if (rest_[0] == '[') {
      subscript();
    } else {
      refuse(text_, fmt::format("\"{}\" is not expected here", printable(rest_.substr(0, 1))));
    }
  }

  void subscript() {
    rest_.remove_prefix(1);
    if (!rest_.empty() && (rest_[0] == '\'' || rest_[0] == '"')) {
      const char quote = rest_[0];
      const auto end = rest_.find(quote, 1);
      if (end == std::string_view::npos || rest_.substr(end + 1, 1) != "]") refuse(text_, "a quoted key is not closed");
      const std::string key(rest_.substr(1, end - 1));
      rest_.remove_prefix(end + 2);
      return member(key);
    }
    const auto end = rest_.find(']');
    if (end == std::string_view::npos) refuse(text_, "a bracket is not closed");
    const std::string_view inside = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    if (inside == "*") return every();
    if (inside.starts_with("?")) refuse(text_, "filters are not supported");
    const auto colon = inside.find(':');
    if (colon == std::string_view::npos) return element(number(inside));
    slice(bound(inside.substr(0, colon)), bound(inside.substr(colon + 1)));
  }

  std::int64_t number(std::string_view digits) const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
      refuse(text_, fmt::format("\"{}\" is not an index", printable(digits)));
    }
    return value;
  }
  std::optional<std::int64_t> bound(std::string_view digits) const {
    if (digits.empty()) return std::nullopt;
    return number(digits);
  }

  void member(const std::string& key) {
    Values next;
    for (const Json* value : values_) {
      if (value->is_object() && value->contains(key)) next.push_back(&(*value)[key]);
    }
    values_ = std::move(next);
  }
  void every() {
    Values next;
    for (const Json* value : values_) {
      if (!value->is_structured()) continue;
      for (const Json& each : *value) next.push_back(&each);
    }
    values_ = std::move(next);
  }
  void element(std::int64_t index) {
    Values next;
    for (const Json* value : values_) {
      if (!value->is_array()) continue;
      const auto size = static_cast<std::int64_t>(value->size());
      const std::int64_t at = index < 0 ? index + size : index;
      if (at >= 0 && at < size) next.push_back(&(*value)[static_cast<std::size_t>(at)]);
    }
    values_ = std::move(next);
  }
  void slice(std::optional<std::int64_t> from, std::optional<std::int64_t> to) {
    Values next;
    for (const Json* value : values_) {
      if (!value->is_array()) continue;
      const auto size = static_cast<std::int64_t>(value->size());
      const auto clamp = [size](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
      const std::int64_t last = clamp(to.value_or(size));
      for (std::int64_t i = clamp(from.value_or(0)); i < last; ++i)
        next.push_back(&(*value)[static_cast<std::size_t>(i)]);
    }
    values_ = std::move(next);
  }

  std::string_view text_, rest_;
  Values values_;
};

std::string unescape(std::string_view text, std::string_view quoted) {
  std::string result;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      result += quoted[i];
      continue;
    }
    if (++i == quoted.size()) refuse(text, "a backslash at the end of the text");
    switch (quoted[i]) {
      case 'n':
        result += '\n';
        break;
      case 't':
        result += '\t';
        break;
      case 'r':
        result += '\r';
        break;
      default:
        result += quoted[i];
    }
  }
  return result;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

class Template {
 public:
  explicit Template(std::string_view text) : text_(text) {}

  std::string run(const Json& root) {
    std::string output;
    block(0, {&root}, root, output, false);
    return output;
  }

 private:
  // Where the brace that opened just before `at` closes, quotes heeded.
  std::size_t closing_brace(std::size_t at) const {
    char quote = 0;
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      if (quote && c == '\\')
        ++at;
      else if (quote)
        quote = c == quote ? '\0' : quote;
      else if (c == '"' || c == '\'')
        quote = c;
      else if (c == '}')
        return at;
    }
    refuse(text_, "a brace is not closed");
  }

  // Writes what stands from `at` on, for the current value; returns where the block ended ({end} or the text's end).
  std::size_t block(std::size_t at, const Values& current, const Json& root, std::string& output, bool in_range) {
    while (at < text_.size()) {
      if (text_[at] != '{') {
        output += text_[at++];
        continue;
      }
      const std::size_t close = closing_brace(at + 1);
      const std::string_view inside = trim(text_.substr(at + 1, close - at - 1));
      at = close + 1;
      if (inside == "end") {
        if (!in_range) refuse(text_, "{end} without {range}");
        return at;
      }
      if (inside.starts_with("range "))
        at = range(at, trim(inside.substr(6)), current, root, output);
      else if (inside.starts_with("\"") || inside.starts_with("'")) {
        if (inside.size() < 2 || inside.back() != inside.front()) refuse(text_, "a quoted text is not closed");
        output += unescape(text_, inside.substr(1, inside.size() - 2));
      } else {
        print(Path(inside, inside.starts_with("$") ? Values{&root} : current).follow(), output);
      }
    }
    if (in_range) refuse(text_, "{range} without {end}");
    return at;
  }

  std::size_t range(std::size_t body, std::string_view path, const Values& current, const Json& root,
                    std::string& output) {
    const Values items = Path(path, path.starts_with("$") ? Values{&root} : current).follow();
    if (++ranges_ > max_depth) refuse(text_, "its ranges are nested too deeply");
    std::size_t after = 0;
    for (const Json* item : items) after = block(body, {item}, root, output, true);
    if (items.empty()) {
      std::string ignored;
      after = block(body, {}, root, ignored, true);
    }
    --ranges_;
    return after;
  }

  static void print(const Values& values, std::string& output) {
    bool first = true;
    for (const Json* value : values) {
      if (!first) output += ' ';
      first = false;
      output += text_of(*value);
    }
  }

  std::string_view text_;
  std::size_t ranges_ = 0;  // that are open
};

}  // namespace

std::string evaluate_jsonpath(std::string_view text, const Json& value) {
  if (text.empty()) refuse(text, "it is empty");
  if (text.find('{') != std::string_view::npos) return Template(text).run(value);
  const bool rooted = text[0] == '.' || text[0] == '[' || text[0] == '$' || text[0] == '@';
  return Template("{" + std::string(rooted ? "" : ".") + std::string(text) + "}").run(value);
}

}  // namespace litedesk::cli
