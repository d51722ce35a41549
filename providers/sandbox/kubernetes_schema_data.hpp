// The table of built-in types, read by kubernetes_schema.cpp.
#pragma once

#include <span>
#include <string_view>

namespace litedesk::sandbox::kube {

extern const std::span<const std::string_view> schema_lines;

}  // namespace litedesk::sandbox::kube
