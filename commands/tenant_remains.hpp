// Whether a first provision that failed was undone entirely.
#pragma once

#include <string>
#include <vector>

#include "commands/tenant.hpp"
#include "commands/world.hpp"

namespace litedesk {

// What is left of a tenant's instance at the three providers, one line each: its namespace, its database user, DNS
// records that name it as theirs. Throws what the providers throw: one that cannot be asked is no empty one.
[[nodiscard]] std::vector<std::string> remains_of(World& world, const Tenant& tenant);

}  // namespace litedesk
