// The addresses that may reach a project's clusters.
#pragma once

#include <string>
#include <vector>

#include "providers/sandbox/api.hpp"

namespace litedesk::sandbox::atlas {

inline constexpr std::string_view access_list_collection = "atlas/accessList";

// As they are answered. An entry is named by its address or its block ("1.2.3.4" and "1.2.3.4/32" are one).
[[nodiscard]] std::vector<Json> access_entries(State& state, const std::string& project);
[[nodiscard]] Json access_entry(State& state, const std::string& project, const std::string& name);  // throws Problem

// Inside State::write(). Throw Problem.
void put_access_entries(State& state, const std::string& project, const Json& sent);
void erase_access_entry(State& state, const std::string& project, const std::string& name);

}  // namespace litedesk::sandbox::atlas
