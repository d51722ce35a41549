// The DNS part of a plan: the records of a tenant's hosts, and whose they are.
#pragma once

#include <vector>

#include "commands/planner.hpp"
#include "commands/provenance.hpp"

namespace litedesk {

// One change a record set: of each wanted host the address record and the owner record beside it, and what goes. Throws
// Conflict for what somebody else owns, for what cannot stand beside it, and, unless `inputs.adopt`, for what was not
// made for the tenant.
[[nodiscard]] std::vector<Change> plan_records(const PlanInputs& inputs, const Provenance& provenance);

}  // namespace litedesk
