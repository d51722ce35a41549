// What comes before an instance is changed: reading what is there, checking the tenant, and planning.
#pragma once

#include <chrono>
#include <string_view>

#include "commands/desired_state.hpp"
#include "commands/live_state.hpp"
#include "commands/planner.hpp"
#include "commands/provision.hpp"

namespace litedesk {

// Everything that one round of reading and comparing gave.
struct Prepared {
  LiveState live;
  DesiredState desired;
  Plan plan;
};

struct PrepareOptions {
  bool adopt = false;                     // take over what stands at the instance's names and nobody else owns
  std::chrono::milliseconds patience{0};  // with a namespace of an earlier run that is being deleted
};

// Reads and plans, and changes nothing. With patience it waits so long for a namespace of an earlier run to be gone,
// and tells the observer. Throws NotFound (no such tenant), Conflict (a tenant that cannot have an instance, a host
// that another tenant holds, something of somebody else's in the way), and what the APIs and the templates throw.
[[nodiscard]] Prepared prepare(const World& world, std::string_view slug, const PrepareOptions& options = {},
                               const Observer& observer = {});

// Claims the tenant's hosts that were never claimed for it: of two tenants that want one, the first has it. Throws
// Conflict for the other.
void claim_hosts(const World& world, const LiveState& live);

}  // namespace litedesk
