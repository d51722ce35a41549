// What stands between ${ and }, after $if and after $for.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "templates/yaml_tree.hpp"

namespace litedesk::templates {

// The variables in sight: the context, and the names that loops around give.
class Scope {
 public:
  Scope(const Json& context, std::string_view origin) : context_(context), origin_(origin) {}

  // "tenant.slug", "hosts.0". Throws ValidationError at `at` for a malformed path or an unknown variable, and says
  // which there are.
  [[nodiscard]] const Json& look_up(std::string_view path, Position at) const;
  // The same without a value: before rendering, when nobody knows what a loop's name will hold. Below a null there is
  // nothing to compare with, and nothing is wrong.
  void check_path(std::string_view path, Position at) const;

  void push(std::string name, Json value, Position at);
  void pop() { loops_.pop_back(); }
  void push_unknown(std::string name, Position at);

  [[nodiscard]] std::string_view origin() const { return origin_; }

 private:
  struct Loop {
    std::string name;
    Json value;
    bool known = true;
  };
  const Json* find(std::string_view path, Position at, bool checking) const;
  void add(Loop loop, Position at);

  const Json& context_;
  std::string_view origin_;
  std::deque<Loop> loops_;  // references to values stay good while inner loops come and go
};

// A scalar with its placeholders. Plain and nothing but one placeholder: the value with its type. Otherwise text.
[[nodiscard]] Json fill(const Node& scalar, const Scope& scope);
[[nodiscard]] std::string fill_text(std::string_view text, Position at, const Scope& scope);
// "path", "not path", "a == 'b'", "a != b". False are null, false, 0, "" and what is empty.
[[nodiscard]] bool is_true(const Node& condition, const Scope& scope);

struct Loop {
  std::string name, path;
};
// "name in path".
[[nodiscard]] Loop parse_loop(const Node& node, std::string_view origin);

// The same without values: throws for what is malformed or unknown.
void check_text(std::string_view text, Position at, const Scope& scope);
void check_condition(const Node& condition, const Scope& scope);

}  // namespace litedesk::templates
