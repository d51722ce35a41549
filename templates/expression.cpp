#include "templates/expression.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>

#include "providers/read_json.hpp"
#include "templates/filters.hpp"

namespace litedesk::templates {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// Cuts "a" off "a.b.c".
std::string_view take_part(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::optional<std::size_t> index_in(std::string_view part, const Json& list) {
  if (part.empty() || part.size() > 6 || part.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  const auto index = static_cast<std::size_t>(std::stoul(std::string(part)));
  return index < list.size() ? std::optional(index) : std::nullopt;
}

struct Placeholder {
  std::string_view path;
  std::vector<std::string_view> filters;
};

Placeholder parse_placeholder(std::string_view inside, Position at, std::string_view origin) {
  Placeholder placeholder;
  const std::string whole(inside);
  const bool piped = inside.find('|') != std::string_view::npos;
  placeholder.path = trimmed(take_part(inside, '|'));
  if (placeholder.path.empty()) fail_at(origin, at, "${" + whole + "} names no variable");
  if (!piped) return placeholder;
  while (true) {
    const bool more = inside.find('|') != std::string_view::npos;
    const auto filter = trimmed(take_part(inside, '|'));
    if (!is_filter(filter)) {
      const auto names = filter_names();
      fail_at(origin, at,
              "${" + whole + "}: unknown filter \"" + std::string(filter) +
                  "\" (known: " + join({names.begin(), names.end()}) + ")");
    }
    placeholder.filters.push_back(filter);
    if (!more) return placeholder;
  }
}

// Calls for the pieces of a text in their order: literal text, and what stands between ${ and }.
void split(std::string_view text, Position at, std::string_view origin,
           const std::function<void(std::string_view)>& literal, const std::function<void(std::string_view)>& inside) {
  while (!text.empty()) {
    const auto found = text.find("${");
    if (found == std::string_view::npos) return literal(text);
    if (found > 0 && text[found - 1] == '$') {  // $${ is a literal ${
      literal(text.substr(0, found - 1));
      literal("${");
      text.remove_prefix(found + 2);
      continue;
    }
    if (found > 0) literal(text.substr(0, found));
    const auto end = text.find('}', found);
    if (end == std::string_view::npos) fail_at(origin, at, "${ without its }; write $${ for a literal ${");
    inside(text.substr(found + 2, end - found - 2));
    text.remove_prefix(end + 1);
  }
}

// The value of a placeholder, with its type unless a filter makes it text.
Json evaluate(std::string_view inside, Position at, const Scope& scope) {
  const auto placeholder = parse_placeholder(inside, at, scope.origin());
  Json value = scope.look_up(placeholder.path, at);
  for (const auto filter : placeholder.filters) {
    try {
      value = apply_filter(filter, value);
    } catch (const std::invalid_argument& reason) {
      fail_at(scope.origin(), at,
              "${" + std::string(inside) + "}: " + std::string(placeholder.path) + " is " + reason.what());
    }
  }
  return value;
}

// The whole scalar is one placeholder: what stands in it.
std::optional<std::string_view> only_placeholder(std::string_view text) {
  if (!text.starts_with("${") || !text.ends_with('}') || text.find('}') != text.size() - 1) return std::nullopt;
  return text.substr(2, text.size() - 3);
}

struct Condition {
  std::string_view left, right;
  bool negated = false;  // "not path", or !=
  bool compares = false;
};

// "==" or "!=" outside quotes.
std::size_t find_operator(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\'') quoted = !quoted;
    if (!quoted && (text[i] == '=' || text[i] == '!') && text[i + 1] == '=') return i;
  }
  return std::string_view::npos;
}

Condition parse_condition(const Node& node, std::string_view origin) {
  if (node.kind != Node::Kind::scalar)
    fail_at(origin, node.at, "$if needs a condition: path, not path, a == 'b', a != 'b'");
  const auto text = trimmed(node.text);
  Condition condition;
  const auto at = find_operator(text);
  if (at != std::string_view::npos) {
    condition = {trimmed(text.substr(0, at)), trimmed(text.substr(at + 2)), text[at] == '!', true};
  } else if (text.starts_with("not ")) {
    condition = {trimmed(text.substr(4)), {}, true, false};
  } else {
    condition = {text, {}, false, false};
  }
  if (condition.left.empty() || (condition.compares && condition.right.empty()) ||
      text.find("${") != std::string_view::npos)
    fail_at(origin, node.at, "\"" + std::string(text) + "\" is not a condition: path, not path, a == 'b', a != 'b'");
  return condition;
}

std::optional<Json> literal(std::string_view operand) {
  if (operand.size() >= 2 && operand.front() == '\'' && operand.back() == '\'' &&
      operand.find('\'', 1) == operand.size() - 1)
    return Json(std::string(operand.substr(1, operand.size() - 2)));
  const auto value = parse_json(operand);
  if (value.is_boolean() || value.is_null() || value.is_number()) return value;
  return std::nullopt;
}

Json operand_value(std::string_view operand, Position at, const Scope& scope) {
  const auto value = literal(operand);
  return value ? *value : scope.look_up(operand, at);
}

bool is_truthy(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return false;
    case Json::value_t::boolean:
      return value.get<bool>();
    case Json::value_t::string:
      return !value.get_ref<const std::string&>().empty();
    case Json::value_t::array:
    case Json::value_t::object:
      return !value.empty();
    default:
      return value.get<double>() != 0.0;
  }
}

}  // namespace

void Scope::add(Loop loop, Position at) {
  if (!is_word(loop.name)) fail_at(origin_, at, "\"" + loop.name + "\" is not a name: letters, digits, _ and - only");
  const bool taken =
      context_.contains(loop.name) ||
      std::any_of(loops_.begin(), loops_.end(), [&loop](const Loop& other) { return other.name == loop.name; });
  if (taken) fail_at(origin_, at, "$for: there is a variable " + loop.name + " already: choose another name");
  loops_.push_back(std::move(loop));
}

void Scope::push(std::string name, Json value, Position at) {
  add({std::move(name), std::move(value), true}, at);
}

void Scope::push_unknown(std::string name, Position at) {
  add({std::move(name), nullptr, false}, at);
}

const Json* Scope::find(std::string_view path, Position at, bool checking) const {
  std::string_view rest = path;
  const auto first = take_part(rest, '.');
  if (path.empty() || path.ends_with('.') || !is_word(first))
    fail_at(origin_, at, "\"" + std::string(path) + "\" is not a variable: names with dots between, as in tenant.slug");
  const Json* value = nullptr;
  for (const auto& loop : loops_) {
    if (loop.name != first) continue;
    if (!loop.known) return nullptr;
    value = &loop.value;
  }
  std::string so_far(first);
  const auto unknown = [&](std::string_view part, const Json& in, const std::string& where) {
    std::vector<std::string> names;
    for (const auto& [key, member] : in.items()) names.push_back(key);
    if (where.empty())
      for (const auto& loop : loops_) names.push_back(loop.name);
    fail_at(
        origin_, at,
        "unknown variable " + std::string(path) + ": " + (where.empty() ? "there is" : where + " has") + " no " +
            std::string(part) +
            (names.empty() ? "" : " (" + std::string(where.empty() ? "there are " : "it has ") + join(names) + ")"));
  };
  if (value == nullptr) {
    const auto found = context_.find(std::string(first));
    if (found == context_.end()) unknown(first, context_, "");
    value = &*found;
  }
  while (!rest.empty()) {
    const auto part = take_part(rest, '.');
    if (value->is_null() && checking) return nullptr;
    if (value->is_array()) {
      const auto index = index_in(part, *value);
      if (!index && checking) return nullptr;  // lists vary
      if (!index)
        fail_at(
            origin_, at,
            "unknown variable " + std::string(path) + ": " + so_far + " is a list of " + std::to_string(value->size()));
      value = &(*value)[*index];
    } else if (value->is_object()) {
      const auto found = value->find(std::string(part));
      if (found == value->end()) unknown(part, *value, so_far);
      value = &*found;
    } else {
      fail_at(origin_, at,
              "unknown variable " + std::string(path) + ": " + so_far + " is " +
                  (value->is_null() ? "null" : "no map") + " and has no " + std::string(part));
    }
    so_far += '.' + std::string(part);
  }
  return value;
}

const Json& Scope::look_up(std::string_view path, Position at) const {
  return *find(path, at, false);
}

void Scope::check_path(std::string_view path, Position at) const {
  static_cast<void>(find(path, at, true));
}

Json fill(const Node& scalar, const Scope& scope) {
  if (scalar.text.find("${") == std::string::npos) return to_json(scalar);
  const auto only = only_placeholder(scalar.text);
  if (scalar.plain && only) return evaluate(*only, scalar.at, scope);
  return fill_text(scalar.text, scalar.at, scope);
}

std::string fill_text(std::string_view text, Position at, const Scope& scope) {
  std::string out;
  split(
      text, at, scope.origin(), [&out](std::string_view piece) { out += piece; },
      [&](std::string_view inside) {
        const auto value = evaluate(inside, at, scope);
        try {
          out += scalar_text(value);
        } catch (const std::invalid_argument& reason) {
          fail_at(scope.origin(), at, "${" + std::string(inside) + "} is " + reason.what());
        }
      });
  return out;
}

bool is_true(const Node& node, const Scope& scope) {
  const auto condition = parse_condition(node, scope.origin());
  const bool holds = condition.compares ? operand_value(condition.left, node.at, scope) ==
                                              operand_value(condition.right, node.at, scope)
                                        : is_truthy(scope.look_up(condition.left, node.at));
  return holds != condition.negated;
}

Loop parse_loop(const Node& node, std::string_view origin) {
  const auto text = node.kind == Node::Kind::scalar ? trimmed(node.text) : std::string_view();
  const auto middle = text.find(" in ");
  Loop loop;
  if (middle != std::string_view::npos)
    loop = {std::string(trimmed(text.substr(0, middle))), std::string(trimmed(text.substr(middle + 4)))};
  if (!is_word(loop.name) || loop.path.empty())
    fail_at(origin, node.at, "$for needs \"name in path\", as in host in hosts");
  return loop;
}

void check_text(std::string_view text, Position at, const Scope& scope) {
  split(
      text, at, scope.origin(), [](std::string_view) {},
      [&](std::string_view inside) { scope.check_path(parse_placeholder(inside, at, scope.origin()).path, at); });
}

void check_condition(const Node& node, const Scope& scope) {
  const auto condition = parse_condition(node, scope.origin());
  if (!condition.compares || !literal(condition.left)) scope.check_path(condition.left, node.at);
  if (condition.compares && !literal(condition.right)) scope.check_path(condition.right, node.at);
}

}  // namespace litedesk::templates
