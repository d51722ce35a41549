// What the fields of a kind are: names, types, and how their lists and maps merge under server-side apply.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "providers/sandbox/kubernetes_status.hpp"

namespace litedesk::sandbox::kube {

struct Schema {
  enum class Type { any, text, integer, number, boolean, quantity, int_or_text, time, object, map, list };
  enum class List { atomic, keyed, set };
  struct Field {
    const Schema* schema = nullptr;
    bool required = false;
  };

  std::string name;  // of the type, for messages: "ContainerPort"
  Type type = Type::any;
  bool atomic = false;  // an object or map that has one owner as a whole
  bool open = false;    // an object that keeps fields it does not declare
  List list = List::atomic;
  std::map<std::string, Field, std::less<>> fields;  // of an object
  const Schema* element = nullptr;                   // of a map or list
  std::vector<std::string> keys;                     // of a keyed list
  std::vector<std::string> values;                   // of an enumeration
  Json rules;                                        // the node of the CRD's schema, for its other rules

  [[nodiscard]] const Schema* field(std::string_view name_of_field) const;
};

// The built-in type of that name ("Deployment"). Knows those that the sandbox serves.
[[nodiscard]] const Schema& builtin_schema(std::string_view name);

// The types of one CustomResourceDefinition's version.
class CustomSchema {
 public:
  explicit CustomSchema(const Json& open_api_v3_schema);
  [[nodiscard]] const Schema& root() const { return *root_; }

 private:
  const Schema* add(const Json& node);
  std::deque<Schema> types_;
  const Schema* root_ = nullptr;
};

// What decoding found. Paths are as encoding/json's strict decoder writes them: "spec.containers[0].foo".
struct Decoded {
  std::vector<std::string> unknown;     // dropped
  std::vector<std::string> mismatched;  // "json: cannot unmarshal string into Go struct field ..."
};
// Drops unknown fields and nulls, and writes quantities in their canonical form.
[[nodiscard]] Decoded decode(const Schema& schema, Json& object);

// The same for an applied configuration, which is refused as a whole: ".spec.foo: field not declared in schema".
[[nodiscard]] std::vector<std::string> apply_errors(const Schema& schema, const Json& object);

// Required fields that are missing and values outside of an enumeration, outside of `status`.
[[nodiscard]] std::vector<Cause> check(const Schema& schema, const Json& object);
// The rules of a CRD's schema: type, required, enum, pattern, lengths, bounds.
[[nodiscard]] std::vector<Cause> check_custom(const Schema& schema, const Json& object);
// Fills in the defaults of a CRD's schema.
void fill_custom_defaults(const Schema& schema, Json& object);

// ".containers[name="a"]": how a member of a keyed list is named. `defaults` protocol to TCP as the schemas do.
[[nodiscard]] Json key_of(const Schema& list, const Json& item);

}  // namespace litedesk::sandbox::kube
