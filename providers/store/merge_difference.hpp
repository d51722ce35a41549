// What a JSON merge patch (RFC 7386) must say to make one value of another.
#pragma once

#include <nlohmann/json.hpp>

#include "providers/json.hpp"

namespace litedesk::store {

// merge_patch(from, merge_difference(from, to)) == to, for objects without null members. A member that disappears is
// null in it; a list that differs is there whole. An empty object when nothing differs.
[[nodiscard]] Json merge_difference(const Json& from, const Json& to);

}  // namespace litedesk::store
