// What templates see of an instance's components.
#pragma once

#include <string_view>
#include <vector>

#include "commands/components.hpp"
#include "commands/instance_spec.hpp"

namespace litedesk {

// Of a node's disk, for what a container writes and logs.
inline constexpr std::string_view ephemeral_request = "256Mi", ephemeral_limit = "1Gi";

// Adds `components`, a list, and each of them under its own name where no other variable has that. The environment of
// the profile is filled in with what the context holds by then. Throws ValidationError with the profile's file and line
// for a variable that there is not.
void add_components(Json& context, const std::vector<Component>& components, const SpecInputs& inputs,
                    const Settings& settings);

}  // namespace litedesk
