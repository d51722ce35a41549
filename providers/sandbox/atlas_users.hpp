// Database users: what may be sent, what is kept, what is answered.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "providers/sandbox/api.hpp"

namespace litedesk::sandbox::atlas {

inline constexpr std::string_view users_collection = "atlas/users";
inline constexpr std::size_t most_users = 100;  // a project
// Each user is kept under "<database>/<name>", with the field "passwordSha256" (hex) instead of the password.

// The users of a project that are still there at that time (some end by themselves), as they are kept.
[[nodiscard]] std::vector<Json> live_users(State& state, const std::string& project, system::TimePoint now);
[[nodiscard]] std::optional<Json> live_user(State& state, const std::string& project, const std::string& database,
                                            const std::string& name, system::TimePoint now);

// Inside State::write(). Throw Problem.
[[nodiscard]] Json create_user(State& state, const std::string& project, const Json& sent, system::TimePoint now);
[[nodiscard]] Json update_user(State& state, const std::string& project, Json kept, const Json& sent,
                               system::TimePoint now);

// As it is answered: without any trace of the password, with links.
[[nodiscard]] Json printed_user(const std::string& project, Json kept);

}  // namespace litedesk::sandbox::atlas
