// Creating, changing and deleting objects as the API server does: defaults, admission, validation, ownership of fields.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "providers/sandbox/kubernetes_managed.hpp"
#include "providers/sandbox/kubernetes_world.hpp"

namespace litedesk::sandbox::kube {

enum class FieldValidation { ignore, warn, strict };

struct WriteOptions {
  std::string manager = "kube-controller-manager";
  std::string subresource;  // "", "status", "scale"
  bool patch = false;       // the object is the outcome of a patch: another wording of what is unknown
  bool owned = false;       // managedFields are set already (by apply)
  FieldValidation validation = FieldValidation::warn;
  std::vector<std::string>* warnings = nullptr;  // texts for Warning headers
};

// All throw StatusError.
Record create_object(World& world, const Kind& kind, const std::string& name_space, Json object,
                     const WriteOptions& options);
// `object` is the whole new object. Writes nothing when nothing changes.
Record update_object(World& world, const Kind& kind, Record old, Json object, const WriteOptions& options);

struct RemoveOptions {
  std::string uid, resource_version;  // preconditions; empty: none
  std::string propagation;            // Background | Foreground | Orphan; empty: Background
  std::optional<std::int64_t> grace_seconds;
};
// What is left of it while it goes (a pod, a namespace, an object with finalizers); nothing when it is gone at once.
std::optional<Record> remove_object(World& world, const Kind& kind, Record record, const RemoveOptions& options);

// Erases it if it is being deleted and nothing holds it any more. True when it is gone.
bool finish_removal(World& world, const Kind& kind, const Record& record);

// 404 for an absent namespace, 403 for one that is being deleted.
void require_namespace(World& world, const Kind& kind, const std::string& name_space, const std::string& name);

}  // namespace litedesk::sandbox::kube
