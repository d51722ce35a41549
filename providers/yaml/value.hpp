// What a YAML node is worth to Kubernetes.
#pragma once

#include "providers/json.hpp"
#include "providers/yaml/tree.hpp"

namespace litedesk::yaml {

// As kubectl and the API server read YAML (sigs.k8s.io/yaml on go-yaml 2): unquoted words are what YAML 1.1 takes them
// for ("yes" is true, "0777" and "0x1F" are numbers), times are text, "<<" merges, and the last of a key that is there
// twice counts. Only keys stay as they are written.
[[nodiscard]] Json to_json(const Node& node);

}  // namespace litedesk::yaml
