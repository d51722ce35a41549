// Atlas' JSON documents as values, and back. Decoding is lenient: an unknown field is passed over, null is absent.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "providers/atlas/client.hpp"

namespace litedesk::atlas {

[[nodiscard]] DatabaseUser to_user(const Json& document);
[[nodiscard]] Cluster to_cluster(const Json& document);
[[nodiscard]] Limit to_limit(const Json& document);

// The body of a POST or PATCH. The API document asks for groupId, databaseName and username in both.
[[nodiscard]] Json to_document(const DatabaseUser& user, std::string_view project,
                               const std::optional<Secret>& password);
// Throws ValidationError for what Atlas would refuse: no name or one over 1,024 characters, a description over 100, a
// label's key or value over 255, no role, a password under 8.
void check_user(const DatabaseUser& user, const std::optional<Secret>& password);

}  // namespace litedesk::atlas
