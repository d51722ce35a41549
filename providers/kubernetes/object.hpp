// Kubernetes objects as JSON values with accessors, and the kinds that this tool knows.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"

namespace litedesk::kubernetes {

// Where a kind lives in the API: GET {path()}/{name}.
struct ResourceType {
  std::string group;    // "" is the core group
  std::string version;  // "v1"
  std::string kind;     // "Deployment"
  std::string plural;   // "deployments"
  bool namespaced = true;

  [[nodiscard]] std::string api_version() const;  // "apps/v1", "v1"
  // "/apis/apps/v1/namespaces/NS/deployments"; an empty namespace gives the cluster-wide path. Segments are encoded.
  [[nodiscard]] std::string path(std::string_view name_space) const;
  friend auto operator<=>(const ResourceType&, const ResourceType&) = default;
};

// The type of an object's apiVersion and kind, from the table of known kinds (core, apps, batch, networking, policy,
// autoscaling, rbac, storage, apiextensions, cert-manager, coordination, litedesk.io). Throws ValidationError when
// unknown.
[[nodiscard]] const ResourceType& type_of(std::string_view api_version, std::string_view kind);
// The same by kind alone, or by plural, singular or short name, ignoring case ("deploy"); nothing when unknown.
[[nodiscard]] const ResourceType* find_type(std::string_view name);

// Every namespaced type of that table.
[[nodiscard]] std::vector<ResourceType> namespaced_types();

struct ObjectRef {
  ResourceType type;
  std::string name_space;  // empty when the type is not namespaced
  std::string name;

  [[nodiscard]] std::string path() const;       // of the object
  [[nodiscard]] std::string to_string() const;  // "Deployment instance-acme/backend", "Namespace instance-acme"
  friend auto operator<=>(const ObjectRef&, const ObjectRef&) = default;
};

class Object {
 public:
  Object() = default;
  explicit Object(Json json) : json_(std::move(json)) {}

  [[nodiscard]] const Json& json() const { return json_; }
  [[nodiscard]] Json& json() { return json_; }

  // Empty strings when absent.
  [[nodiscard]] std::string api_version() const;
  [[nodiscard]] std::string kind() const;
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string name_space() const;
  [[nodiscard]] std::string uid() const;
  [[nodiscard]] std::string resource_version() const;
  [[nodiscard]] std::string label(std::string_view key) const;
  [[nodiscard]] std::string annotation(std::string_view key) const;
  [[nodiscard]] bool deleting() const;  // has a deletionTimestamp
  [[nodiscard]] ObjectRef ref() const;  // throws ValidationError for an unknown kind

  // The value at "spec.replicas" or "status.conditions"; null when absent. A dot separates keys; no escapes.
  [[nodiscard]] const Json& at(std::string_view dotted_path) const;
  [[nodiscard]] std::int64_t integer(std::string_view dotted_path, std::int64_t otherwise) const;
  [[nodiscard]] std::string text(std::string_view dotted_path) const;

  friend bool operator==(const Object&, const Object&) = default;

 private:
  Json json_ = Json::object();
};

// As Kubernetes has them: status.conditions[].
struct Condition {
  std::string type;
  std::string status;  // "True" "False" "Unknown"
  std::string reason;
  std::string message;
  std::string since;  // lastTransitionTime, RFC 3339; may be empty
};
[[nodiscard]] std::optional<Condition> find_condition(const Object& object, std::string_view type);

}  // namespace litedesk::kubernetes
