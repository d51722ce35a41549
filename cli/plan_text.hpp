// A plan as people read it.
#pragma once

#include <string>

#include "cli/output.hpp"
#include "commands/plan.hpp"

namespace litedesk::cli {

// "Plan for acme: 19 to create · +$5 to $15 a month", then a line a provider for what is made, every update with its
// fields, every deletion, and the warnings. `wide` names every object. Colours where standard output shows them.
[[nodiscard]] std::string plan_text(const Plan& plan, const Printer& printer, bool wide);

}  // namespace litedesk::cli
