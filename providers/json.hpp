// The common value. Headers take this one; the few sources that build or read JSON include <nlohmann/json.hpp>.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace litedesk {

// Objects are sorted by key, so that whatever is printed or compared has one order.
using Json = nlohmann::json;

}  // namespace litedesk
