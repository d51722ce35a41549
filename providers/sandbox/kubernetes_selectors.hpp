// Label and field selectors.
// Rules: kubernetes.io/docs/concepts/overview/working-with-objects/labels, and field-selectors beside it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "providers/sandbox/kubernetes_kinds.hpp"

namespace litedesk::sandbox::kube {

class LabelSelector {
 public:
  // "a=b,c!=d,e in (f,g),h notin (i),j,!k". Throws StatusError (400).
  [[nodiscard]] static LabelSelector parse(std::string_view text);
  // {"matchLabels": ..., "matchExpressions": ...}
  [[nodiscard]] static LabelSelector of_object(const Json& selector);

  [[nodiscard]] bool matches(const Json& labels) const;
  [[nodiscard]] bool empty() const { return requirements_.empty(); }
  // "a=b,c in (d,e)"
  [[nodiscard]] std::string to_string() const;

 private:
  enum class Operator { in, not_in, exists, absent };
  struct Requirement {
    std::string key;
    Operator op = Operator::exists;
    std::vector<std::string> values;
  };
  std::vector<Requirement> requirements_;
};

class FieldSelector {
 public:
  // "metadata.name=a,status.phase!=Running". Throws StatusError (400) for a field that the kind does not select by.
  [[nodiscard]] static FieldSelector parse(const Kind& kind, std::string_view text);

  [[nodiscard]] bool matches(const Json& object) const;
  [[nodiscard]] bool empty() const { return requirements_.empty(); }
  // The name that it asks for, if it asks for one.
  [[nodiscard]] const std::string* name() const;

 private:
  struct Requirement {
    std::string path;
    std::string value;
    bool equal = true;
  };
  std::vector<Requirement> requirements_;
};

}  // namespace litedesk::sandbox::kube
