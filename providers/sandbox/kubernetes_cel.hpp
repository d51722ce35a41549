// The rules that a CRD's schema states in CEL (x-kubernetes-validations), as far as this project's own kinds need the
// language: fields, indexes, literals, `has`, `in`, comparisons, logic, optional old values, and a few string methods.
// Rules: kubernetes.io/docs/reference/using-api/cel, github.com/google/cel-spec.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "providers/sandbox/kubernetes_schema.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

struct CelScope {
  const Json* self = nullptr;
  const Json* old_self = nullptr;  // null when there was none
  bool optional_old = false;       // `oldSelf` is an optional value, as with optionalOldSelf
};

// What an expression comes to. `known` is false when it uses more of the language than is known here.
struct CelResult {
  bool known = true;
  std::optional<Json> value;  // absent: an error, such as a field that is not there
  std::string error;          // then what it was, in cel-go's words: "integer overflow"
};
[[nodiscard]] CelResult evaluate_cel(std::string_view expression, const CelScope& scope);

// Every rule of the schema that `object` breaks; `old` is null for a new object. A rule beyond what is known holds.
[[nodiscard]] std::vector<Cause> check_rules(const Schema& schema, const Json& old, const Json& object);

}  // namespace litedesk::sandbox::kube
