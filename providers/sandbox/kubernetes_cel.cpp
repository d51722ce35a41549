#include "providers/sandbox/kubernetes_cel.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_pattern.hpp"

namespace litedesk::sandbox::kube {

namespace {

// Thrown where the text is no CEL, or more of it than is known here.
struct Unknown {};

// An error is a value in CEL: `a || b` is true when one side is, whatever became of the other.
struct Value {
  enum class Kind { json, optional, error };
  Kind kind = Kind::json;
  Json json;
  bool present = false;  // of an optional
  bool absent = false;   // of an error: the last field named was not there, and all before it was
  std::string why;       // of an error: cel-go's words
};

constexpr const char* no_overload = "no such overload";
constexpr const char* overflow = "integer overflow";

Value error(std::string why = no_overload) {
  Value value;
  value.kind = Value::Kind::error;
  value.why = std::move(why);
  return value;
}

// What an operation comes to that has an error on one side, or takes no such values.
Value failed(const Value& left, const Value& right = {}) {
  if (left.kind == Value::Kind::error) return error(left.why);
  return right.kind == Value::Kind::error ? error(right.why) : error();
}

Value of(Json json) {
  Value value;
  value.json = std::move(json);
  return value;
}

bool is(const Value& value, bool wanted) {
  return value.kind == Value::Kind::json && value.json.is_boolean() && value.json.get<bool>() == wanted;
}

// Reads and evaluates at once: no part has side effects, so that both sides of everything may be evaluated.
class Evaluator {
 public:
  Evaluator(std::string_view text, const CelScope& scope) : text_(text), scope_(scope) {}

  Value whole() {
    auto value = expression();
    blanks();
    if (at_ != text_.size()) throw Unknown{};
    return value;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(std::string_view token) {
    blanks();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void need(std::string_view token) {
    if (!take(token)) throw Unknown{};
  }
  static bool word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
  std::string identifier() {
    blanks();
    const auto begin = at_;
    while (at_ < text_.size() && word(text_[at_])) ++at_;
    if (begin == at_) throw Unknown{};
    return std::string(text_.substr(begin, at_ - begin));
  }
  bool take_word(std::string_view wanted) {
    blanks();
    const auto end = at_ + wanted.size();
    if (!text_.substr(at_).starts_with(wanted) || (end < text_.size() && word(text_[end]))) return false;
    at_ = end;
    return true;
  }

  Value expression() {
    // The text is a person's, and every level uses the stack.
    if (++depth_ > 100) throw Unknown{};
    auto value = either();
    if (take("?")) {
      auto yes = expression();
      need(":");
      auto no = expression();
      value = is(value, true) ? std::move(yes) : is(value, false) ? std::move(no) : failed(value);
    }
    --depth_;
    return value;
  }

  Value either() {
    auto left = both();
    while (take("||")) {
      const auto right = both();
      left = is(left, true) || is(right, true)     ? of(true)
             : is(left, false) && is(right, false) ? of(false)
                                                   : failed(left, right);
    }
    return left;
  }

  Value both() {
    auto left = relation();
    while (take("&&")) {
      const auto right = relation();
      left = is(left, false) || is(right, false) ? of(false)
             : is(left, true) && is(right, true) ? of(true)
                                                 : failed(left, right);
    }
    return left;
  }

  Value relation() {
    auto left = sum();
    while (true) {
      static constexpr std::array<std::string_view, 6> signs = {"==", "!=", "<=", ">=", "<", ">"};
      std::string_view sign;
      for (const auto candidate : signs)
        if (sign.empty() && take(candidate)) sign = candidate;
      if (sign.empty() && take_word("in")) sign = "in";
      if (sign.empty()) return left;
      left = compared(left, sign, sum());
    }
  }

  static Value compared(const Value& left, std::string_view sign, const Value& right) {
    if (left.kind != Value::Kind::json || right.kind != Value::Kind::json) return failed(left, right);
    const auto& a = left.json;
    const auto& b = right.json;
    if (sign == "==") return of(a == b);
    if (sign == "!=") return of(a != b);
    if (sign == "in") {
      if (b.is_array()) return of(std::find(b.begin(), b.end(), a) != b.end());
      return b.is_object() && a.is_string() ? of(b.contains(a.get<std::string>())) : error();
    }
    if (!(a.is_number() && b.is_number()) && !(a.is_string() && b.is_string())) return error();
    if (sign == "<") return of(a < b);
    if (sign == ">") return of(a > b);
    return of(sign == "<=" ? a <= b : a >= b);
  }

  Value sum() {
    auto left = unary();
    while (true) {
      const bool plus = take("+");
      if (!plus && !take("-")) return left;
      left = added(left, plus, unary());
    }
  }

  static Value added(const Value& left, bool plus, const Value& right) {
    if (left.kind != Value::Kind::json || right.kind != Value::Kind::json) return failed(left, right);
    const auto& a = left.json;
    const auto& b = right.json;
    if (plus && a.is_string() && b.is_string()) return of(a.get<std::string>() + b.get<std::string>());
    if (a.is_number_float() && b.is_number_float())
      return of(plus ? a.get<double>() + b.get<double>() : a.get<double>() - b.get<double>());
    if (!is_int(a) || !is_int(b)) return error();
    std::int64_t sum = 0;
    const bool outside = plus ? __builtin_add_overflow(a.get<std::int64_t>(), b.get<std::int64_t>(), &sum)
                              : __builtin_sub_overflow(a.get<std::int64_t>(), b.get<std::int64_t>(), &sum);
    return outside ? error(overflow) : of(sum);
  }

  // A larger number in an object is a floating one to the API server.
  static bool is_int(const Json& value) {
    return value.is_number_integer() &&
           (!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max());
  }

  Value negated() {
    blanks();
    if (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) return number(true);
    if (++depth_ > 100) throw Unknown{};
    const auto value = unary();
    --depth_;
    if (value.kind != Value::Kind::json) return failed(value);
    if (value.json.is_number_float()) return of(-value.json.get<double>());
    return is_int(value.json) ? added(of(std::int64_t{0}), false, value) : error();
  }

  Value unary() {
    blanks();
    if (take("-")) return negated();
    if (!text_.substr(at_).starts_with("!=") && take("!")) {
      if (++depth_ > 100) throw Unknown{};
      const auto value = unary();
      --depth_;
      return is(value, true) ? of(false) : is(value, false) ? of(true) : failed(value);
    }
    auto value = primary();
    while (true) {
      if (take(".")) {
        const auto name = identifier();
        value = take("(") ? method(value, name) : selected(value, name);
      } else if (take("[")) {
        const auto key = expression();
        need("]");
        value = indexed(value, key);
      } else {
        return value;
      }
    }
  }

  static Value selected(const Value& value, const std::string& name) {
    if (value.kind != Value::Kind::json || !value.json.is_object()) return failed(value);
    if (const auto found = value.json.find(name); found != value.json.end()) return of(*found);
    auto none = error(fmt::format("no such key: {}", name));
    none.absent = true;
    return none;
  }

  static Value indexed(const Value& value, const Value& key) {
    if (value.kind != Value::Kind::json || key.kind != Value::Kind::json) return failed(value, key);
    if (value.json.is_object() && key.json.is_string()) return selected(value, key.json.get<std::string>());
    if (!value.json.is_array() || !is_int(key.json)) return error();
    const auto index = key.json.get<std::int64_t>();
    if (index < 0 || static_cast<std::size_t>(index) >= value.json.size())
      return error(fmt::format("index out of bounds: {}", index));
    return of(value.json[static_cast<std::size_t>(index)]);
  }

  std::vector<Value> arguments() {
    std::vector<Value> given;
    if (take(")")) return given;
    do given.push_back(expression());
    while (take(","));
    need(")");
    return given;
  }

  Value method(const Value& value, const std::string& name) {
    const auto given = arguments();
    if (given.empty() && (name == "hasValue" || name == "value")) {
      if (value.kind != Value::Kind::optional) return error();
      if (name == "hasValue") return of(value.present);
      return value.present ? of(value.json) : error();
    }
    if (given.empty() && name == "size") return size(value);
    if (given.size() != 1) throw Unknown{};
    if (name == "orValue") return value.kind == Value::Kind::optional && value.present ? of(value.json) : given[0];
    if (name != "startsWith" && name != "endsWith" && name != "contains" && name != "matches") throw Unknown{};
    if (value.kind != Value::Kind::json || !value.json.is_string() || given[0].kind != Value::Kind::json ||
        !given[0].json.is_string())
      return failed(value, given[0]);
    const auto text = value.json.get<std::string>();
    const auto part = given[0].json.get<std::string>();
    if (name == "startsWith") return of(text.starts_with(part));
    if (name == "endsWith") return of(text.ends_with(part));
    if (name == "contains") return of(text.find(part) != std::string::npos);
    const auto found = contains_match(text, part);
    if (!found) throw Unknown{};
    return of(*found);
  }

  static Value size(const Value& value) {
    if (value.kind != Value::Kind::json) return failed(value);
    if (value.json.is_string()) return of(value.json.get_ref<const std::string&>().size());
    return value.json.is_structured() ? of(value.json.size()) : error();
  }

  Value primary() {
    blanks();
    if (at_ == text_.size()) throw Unknown{};
    const char c = text_[at_];
    if (c == '\'' || c == '"') return of(quoted());
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) return number();
    if (take("(")) {
      auto value = expression();
      need(")");
      return value;
    }
    if (take("[")) return list();
    if (take("{")) return map();
    return named(identifier());
  }

  std::string quoted() {
    const char quote = text_[at_++];
    std::string read;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && ++at_ == text_.size()) break;
      read += text_[at_++];
    }
    if (at_ == text_.size()) throw Unknown{};
    ++at_;
    return read;
  }

  Value number(bool negative = false) {
    std::uint64_t read = 0;
    const auto rest = text_.substr(at_);
    const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), read);
    if (failure != std::errc() || (end != rest.data() + rest.size() && (word(*end) || *end == '.'))) throw Unknown{};
    at_ += static_cast<std::size_t>(end - rest.data());
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (read > most + (negative ? 1 : 0)) throw Unknown{};  // no number of the language
    if (!negative) return of(static_cast<std::int64_t>(read));
    return of(read > most ? std::numeric_limits<std::int64_t>::min() : -static_cast<std::int64_t>(read));
  }

  Value list() {
    Value items = of(Json::array());
    if (take("]")) return items;
    do {
      auto item = expression();
      if (items.kind == Value::Kind::json && item.kind != Value::Kind::json) items = failed(item);
      if (items.kind == Value::Kind::json) items.json.push_back(std::move(item.json));
    } while (take(","));
    need("]");
    return items;
  }

  Value map() {
    Value entries = of(Json::object());
    if (take("}")) return entries;
    do {
      const auto key = expression();
      need(":");
      auto item = expression();
      if (!key.json.is_string()) throw Unknown{};
      if (entries.kind == Value::Kind::json && item.kind != Value::Kind::json) entries = failed(item);
      if (entries.kind == Value::Kind::json) entries.json[key.json.get<std::string>()] = std::move(item.json);
    } while (take(","));
    need("}");
    return entries;
  }

  Value named(const std::string& name) {
    if (name == "true" || name == "false") return of(name == "true");
    if (name == "null") return of(nullptr);
    if (name == "self") return of(*scope_.self);
    if (name == "oldSelf") return old_self();
    if (name != "has" && name != "size") throw Unknown{};
    need("(");
    const auto value = expression();
    need(")");
    if (name == "size") return size(value);
    if (value.kind == Value::Kind::error) return value.absent ? of(false) : failed(value);
    return of(true);
  }

  [[nodiscard]] Value old_self() const {
    const bool there = scope_.old_self != nullptr;
    if (!scope_.optional_old) return there ? of(*scope_.old_self) : error();
    Value value;
    value.kind = Value::Kind::optional;
    value.present = there;
    if (there) value.json = *scope_.old_self;
    return value;
  }

  std::string_view text_;
  const CelScope& scope_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

// An expression that came to no answer at all.
Cause undecided(const Schema& schema, const Json& rule, const std::string& path, const std::string& why) {
  auto told = text(rule, "message");
  if (told.empty()) told = text(rule, "rule");
  return value_invalid(path.empty() ? "<nil>" : path, text(schema.rules, "type"),
                       why == no_overload
                           ? fmt::format("'{}': call arguments did not match a supported operator, function or macro "
                                         "signature for rule: {}",
                                         why, told)
                           : fmt::format("{} evaluating rule: {}", why, told));
}

Cause broken(const Json& rule, const std::string& path, const Json& self, const CelScope& scope) {
  auto words = text(rule, "message");
  if (const auto expression = text(rule, "messageExpression"); !expression.empty())
    if (const auto told = evaluate_cel(expression, scope); told.value && told.value->is_string())
      words = told.value->get<std::string>();
  if (words.empty()) words = fmt::format("failed rule: {}", text(rule, "rule"));
  const auto field = path.empty() ? std::string("<nil>") : path;
  const auto reason = text(rule, "reason");
  if (reason == "FieldValueForbidden") return value_forbidden(field, words);
  if (reason == "FieldValueRequired") return value_required(field, words);
  if (self.is_structured()) return {"FieldValueInvalid", fmt::format("Invalid value: {}", words), field};
  return value_invalid(field, self, words);
}

void check_rules_at(const Schema& schema, const Json* old, const Json& self, const std::string& path,
                    std::vector<Cause>& causes) {
  if (const auto& rules = at(schema.rules, "x-kubernetes-validations"); rules.is_array()) {
    for (const auto& rule : rules) {
      const auto expression = text(rule, "rule");
      const bool optional_old = flag(rule, "optionalOldSelf");
      const bool compares = expression.find("oldSelf") != std::string::npos;
      // A rule of change has nothing to say of what is new, and a rule of state nothing of what did not change.
      if (old == nullptr ? compares && !optional_old : !compares && *old == self) continue;
      const CelScope scope{&self, old, optional_old};
      const auto answer = evaluate_cel(expression, scope);
      if (!answer.known || answer.value == Json(true)) continue;
      causes.push_back(answer.error.empty() ? broken(rule, path, self, scope)
                                            : undecided(schema, rule, path, answer.error));
    }
  }
  const auto below = [&](const std::string& name, const Schema& of_field, const Json& value) {
    const Json* before = nullptr;
    if (old != nullptr && old->is_object() && old->contains(name)) before = &(*old)[name];
    check_rules_at(of_field, before, value, path.empty() ? name : fmt::format("{}.{}", path, name), causes);
  };
  if (schema.type == Schema::Type::object && self.is_object()) {
    for (const auto& [name, field] : schema.fields)
      if (const auto found = self.find(name); found != self.end() && !(path.empty() && name == "metadata"))
        below(name, *field.schema, *found);
  } else if (schema.type == Schema::Type::map && self.is_object()) {
    for (const auto& [name, item] : self.items()) below(name, *schema.element, item);
  } else if (schema.type == Schema::Type::list && self.is_array()) {
    std::size_t index = 0;
    for (const auto& item : self)
      check_rules_at(*schema.element, nullptr, item, fmt::format("{}[{}]", path, index++), causes);
  }
}

}  // namespace

CelResult evaluate_cel(std::string_view expression, const CelScope& scope) {
  try {
    auto value = Evaluator(expression, scope).whole();
    if (value.kind != Value::Kind::json) return {true, std::nullopt, failed(value).why};
    return {true, std::move(value.json), {}};
  } catch (const Unknown&) {
    return {false, std::nullopt, {}};
  }
}

std::vector<Cause> check_rules(const Schema& schema, const Json& old, const Json& object) {
  std::vector<Cause> causes;
  check_rules_at(schema, old.is_null() ? nullptr : &old, object, "", causes);
  return causes;
}

}  // namespace litedesk::sandbox::kube
