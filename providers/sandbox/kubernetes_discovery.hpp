// What the API says about itself: versions, groups, resources, health.
#pragma once

#include <optional>
#include <string>

#include "providers/sandbox/api.hpp"
#include "providers/sandbox/kubernetes_kinds.hpp"

namespace litedesk::sandbox::kube {

// The answer to a request that is about no resource; nothing when the path is of one.
[[nodiscard]] std::optional<Reply> answer_discovery(const Call& call, const Kinds& kinds);

}  // namespace litedesk::sandbox::kube
