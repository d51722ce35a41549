// kubectl's typed commands (create namespace, create secret, auth can-i) send protobuf and take JSON. Only what such a
// command can state is read; anything else is refused, never dropped.
// Rules: k8s.io/apimachinery/pkg/runtime/serializer/protobuf and the generated.proto of each group.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"

namespace litedesk::sandbox::kube {

[[nodiscard]] bool is_protobuf(std::string_view content_type);
// The object of a body; nothing for a kind or a field that is not known here, or a body that is none.
[[nodiscard]] std::optional<Json> decode_protobuf(std::string_view body);

}  // namespace litedesk::sandbox::kube
