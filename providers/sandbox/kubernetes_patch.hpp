// Bodies and patches: JSON or YAML in, the patched object out.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "providers/sandbox/kubernetes_schema.hpp"

namespace litedesk::sandbox::kube {

// Reads a body as JSON, as protobuf by its magic number or, where it is neither, as YAML (one document). Throws
// StatusError (400).
[[nodiscard]] Json parse_body(std::string_view body, std::string_view kind);

// The same of a patch's body, which may be any JSON: what the patch's kind does not take it refuses itself.
[[nodiscard]] Json parse_patch(std::string_view body, std::string_view kind);

// RFC 7386.
void merge_patch(Json& target, const Json& patch);
// RFC 6902. Throws StatusError: 422 for a test that fails or a path that is not there, 400 for what is no patch.
[[nodiscard]] Json json_patch(const Json& target, const Json& patch);
// kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch. Lists merge by the keys that
// server-side apply has for them.
void strategic_merge(const Schema& schema, Json& target, const Json& patch);

}  // namespace litedesk::sandbox::kube
