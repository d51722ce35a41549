// The requests themselves, as values: everything but who we are.
// Rules: kubernetes.io/docs/reference/using-api (API concepts, server-side apply).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "providers/http/transport.hpp"
#include "providers/kubernetes/client.hpp"

namespace litedesk::kubernetes {

[[nodiscard]] http::Request get_request(const std::string& server, const std::string& path, std::string summary);
[[nodiscard]] http::Request list_request(const std::string& server, const ResourceType& type,
                                         std::string_view name_space, const ListOptions& options,
                                         const std::string& continue_token);
[[nodiscard]] http::Request watch_request(const std::string& server, const ResourceType& type,
                                          std::string_view name_space, const ListOptions& options,
                                          const std::string& resource_version, std::chrono::seconds length);
// Throws ValidationError for an object without kind, name or namespace.
[[nodiscard]] http::Request apply_request(const std::string& server, const Object& object, const ApplyOptions& options);
[[nodiscard]] http::Request create_request(const std::string& server, const Object& object);
[[nodiscard]] http::Request merge_patch_request(const std::string& server, const ObjectRef& ref, const Json& patch);
[[nodiscard]] http::Request delete_request(const std::string& server, const ObjectRef& ref,
                                           const DeleteOptions& options);
[[nodiscard]] http::Request logs_request(const std::string& server, std::string_view name_space, std::string_view pod,
                                         const LogOptions& options);

// "pods in instance-acme", "nodes", "pods everywhere"
[[nodiscard]] std::string describe(const ResourceType& type, std::string_view name_space);
// Puts seals (providers/system/sealed.hpp) in the place of a Secret's values; other kinds stay as they are. Every
// object that the client returns went through it, and what it sends may hold seals anywhere.
void seal_secret(Json& object);
// What of a Secret (or of a patch to one) no message may repeat: its values, as sent and decoded.
[[nodiscard]] std::vector<std::string> secret_values(const Json& object);

}  // namespace litedesk::kubernetes
