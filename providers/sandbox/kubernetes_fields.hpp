// Sets of fields, and the merging of objects by them: what server-side apply is made of.
// Rules: sigs.k8s.io/structured-merge-diff and kubernetes.io/docs/reference/using-api/server-side-apply.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "providers/sandbox/kubernetes_schema.hpp"

namespace litedesk::sandbox::kube {

// A tree of path elements as fieldsV1 names them: "f:spec", `k:{"name":"a"}`, `v:"x"`.
class FieldSet {
 public:
  bool member = false;  // the path itself is in the set
  std::map<std::string, FieldSet> children;

  [[nodiscard]] static FieldSet from_json(const Json& fields_v1);
  [[nodiscard]] Json to_json() const;  // of the root

  [[nodiscard]] bool empty() const { return !member && children.empty(); }
  // The paths of this set that are (not) in the other one.
  [[nodiscard]] FieldSet intersection(const FieldSet& other) const;
  [[nodiscard]] FieldSet difference(const FieldSet& other) const;
  void unite(const FieldSet& other);
  [[nodiscard]] const FieldSet* find(const std::string& element) const;
  // Each member in the form of messages: `.spec.template.spec.containers[name="a"].image`.
  [[nodiscard]] std::vector<std::string> paths() const;

  friend bool operator==(const FieldSet&, const FieldSet&) = default;
};

// The fields that an object states: leaves, atomic parts, and the items of keyed lists and sets.
[[nodiscard]] FieldSet fields_of(const Schema& schema, const Json& object);
struct Difference {
  FieldSet changed;  // fields of `after` that are new or other
  FieldSet removed;  // fields of `before` that are gone
};
[[nodiscard]] Difference compare(const Schema& schema, const Json& before, const Json& after);
// `live` with all that `config` states.
[[nodiscard]] Json merge(const Schema& schema, const Json& live, const Json& config);
// Removes those fields, except what `kept` holds of them or below them, and the maps and lists that this empties.
void remove(const Schema& schema, Json& object, const FieldSet& fields, const FieldSet& kept);
// Fields that nobody owns: the identity of the object, and status (or all else) outside of (or in) its subresource.
void strip(FieldSet& fields, bool status_subresource, bool has_status_subresource);

}  // namespace litedesk::sandbox::kube
