#include "providers/store/label_selector.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/error.hpp"

namespace litedesk::store {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// "qualified name": at most 63 of [A-Za-z0-9-_.], alphanumeric at both ends.
bool is_word(std::string_view text) {
  if (text.empty() || text.size() > 63 || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_dns_subdomain(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  bool at_start = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool last = i + 1 == text.size() || text[i + 1] == '.';
    if (c == '.') {
      if (at_start) return false;
      at_start = true;
      continue;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!letter && (c != '-' || at_start || last)) return false;
    at_start = false;
  }
  return !at_start;
}

bool is_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return is_word(key);
  return is_dns_subdomain(key.substr(0, slash)) && is_word(key.substr(slash + 1));
}

bool is_value(std::string_view value) {
  return value.empty() || is_word(value);
}

class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : text_(text) {}

  std::vector<Requirement> parse() {
    std::vector<Requirement> requirements;
    skip_space();
    while (!at_end()) {
      requirements.push_back(parse_requirement());
      skip_space();
      if (at_end()) break;
      if (!take(",")) refuse("expected ','");
      skip_space();
      if (at_end()) refuse("expected a label after ','");
    }
    return requirements;
  }

 private:
  Requirement parse_requirement() {
    Requirement requirement;
    const bool negated = take("!");
    skip_space();
    requirement.key = std::string(word());
    if (!is_key(requirement.key)) refuse(fmt::format("\"{}\" is not a label key", requirement.key));
    skip_space();
    if (negated) {
      requirement.operation = Requirement::Operator::absent;
    } else if (take("!=")) {
      requirement.operation = Requirement::Operator::not_in;
      requirement.values.push_back(value());
    } else if (take("==") || take("=")) {
      requirement.operation = Requirement::Operator::in;
      requirement.values.push_back(value());
    } else if (!at_end() && text_[at_] != ',') {
      const std::string_view operation = word();
      if (operation != "in" && operation != "notin") refuse("expected '=', '!=', 'in', 'notin' or ','");
      requirement.operation = operation == "in" ? Requirement::Operator::in : Requirement::Operator::not_in;
      requirement.values = values();
    }
    return requirement;
  }

  std::vector<std::string> values() {
    std::vector<std::string> found;
    skip_space();
    if (!take("(")) refuse("expected '('");
    do {
      found.push_back(value());
      skip_space();
    } while (take(","));
    if (!take(")")) refuse("expected ')'");
    return found;
  }

  std::string value() {
    skip_space();
    std::string found(word());
    if (!is_value(found)) refuse(fmt::format("\"{}\" is not a label value", found));
    return found;
  }

  std::string_view word() {
    const std::size_t begin = at_;
    while (!at_end() && std::string_view(" \t,=!()").find(text_[at_]) == std::string_view::npos) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  bool take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  void skip_space() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

  [[noreturn]] void refuse(const std::string& why) const {
    throw ValidationError(
        {.message = fmt::format("\"{}\" is not a label selector: {} at character {}", text_, why, at_ + 1),
         .hint = "selectors look like tier=trial,placement!=shared",
         .resource = {},
         .cause = {}});
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Requirement> parse_selector(std::string_view selector) {
  return SelectorParser(selector).parse();
}

std::string to_string(const std::vector<Requirement>& requirements) {
  std::vector<std::string> parts;
  for (const Requirement& each : requirements) {
    switch (each.operation) {
      case Requirement::Operator::exists:
        parts.push_back(each.key);
        break;
      case Requirement::Operator::absent:
        parts.push_back("!" + each.key);
        break;
      case Requirement::Operator::in:
        parts.push_back(fmt::format("{} in ({})", each.key, fmt::join(each.values, ",")));
        break;
      case Requirement::Operator::not_in:
        parts.push_back(fmt::format("{} notin ({})", each.key, fmt::join(each.values, ",")));
        break;
    }
  }
  return fmt::format("{}", fmt::join(parts, ","));
}

bool matches(const std::vector<Requirement>& requirements, const Labels& labels) {
  return std::all_of(requirements.begin(), requirements.end(), [&labels](const Requirement& requirement) {
    const auto label = labels.find(requirement.key);
    const bool there = label != labels.end();
    const auto listed = [&] {
      return there &&
             std::find(requirement.values.begin(), requirement.values.end(), label->second) != requirement.values.end();
    };
    switch (requirement.operation) {
      case Requirement::Operator::in:
        return listed();
      case Requirement::Operator::not_in:
        return !listed();
      case Requirement::Operator::exists:
        return there;
      case Requirement::Operator::absent:
        return !there;
    }
    return false;
  });
}

void check_labels(const Labels& labels) {
  for (const auto& [key, value] : labels) {
    if (!is_key(key)) {
      throw ValidationError(
          {.message = fmt::format("\"{}\" is not a label key", key),
           .hint = "a key is a word of at most 63 characters, with a DNS name and '/' before it if need be",
           .resource = {},
           .cause = {}});
    }
    if (!is_value(value)) {
      throw ValidationError(
          {.message = fmt::format("\"{}\" is not a valid value of the label {}", value, key),
           .hint = "a value has at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends",
           .resource = {},
           .cause = {}});
    }
  }
}

void check_name(std::string_view name) {
  if (is_dns_subdomain(name)) return;
  throw ValidationError(
      {.message = fmt::format("\"{}\" is not a valid record name", name),
       .hint = "a name has lower-case letters, digits, '-' and '.', with a letter or digit at both ends",
       .resource = {},
       .cause = {}});
}

}  // namespace litedesk::store
