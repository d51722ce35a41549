// Short ways into JSON documents, for code that reads Kubernetes objects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"

namespace litedesk::sandbox::kube {

// The value at "spec.template.spec"; null when absent. A dot separates keys.
[[nodiscard]] const Json& at(const Json& value, std::string_view dotted_path);
// The value at that path, made (as objects) where absent.
[[nodiscard]] Json& make(Json& value, std::string_view dotted_path);
// Removes what stands there, if anything does.
void drop(Json& value, std::string_view dotted_path);

// The text there; empty when there is none.
[[nodiscard]] std::string text(const Json& value, std::string_view dotted_path);
[[nodiscard]] std::int64_t integer(const Json& value, std::string_view dotted_path, std::int64_t otherwise = 0);
[[nodiscard]] bool flag(const Json& value, std::string_view dotted_path, bool otherwise = false);

// metadata.name, .namespace and .uid.
[[nodiscard]] std::string name_of(const Json& object);
[[nodiscard]] std::string namespace_of(const Json& object);
[[nodiscard]] std::string uid_of(const Json& object);
// A label or annotation; empty when absent. Its key may hold dots.
[[nodiscard]] std::string label_of(const Json& object, const std::string& key);
[[nodiscard]] std::string annotation_of(const Json& object, const std::string& key);

// Removes nulls from objects, at every depth: absent and null are the same to Kubernetes.
void drop_nulls(Json& value);

// The text of a scalar: "3", "true"; of a string, itself.
[[nodiscard]] std::string plain(const Json& value);

}  // namespace litedesk::sandbox::kube
