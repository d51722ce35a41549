// What an instance shall be at the three providers, made from the record, the tier, the settings and what was read.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "commands/live_state.hpp"
#include "commands/resource.hpp"
#include "commands/world.hpp"

namespace litedesk {

struct DesiredRecord {
  std::string host;
  route53::RecordSet record;  // the host's own
  route53::RecordSet owner;   // the TXT that says whose it is
};

struct DesiredState {
  std::vector<Json> objects;  // Kubernetes, with the secrets in them
  atlas::DatabaseUser user;
  Secret database_password;  // the live Secret's, or a new one
  std::vector<DesiredRecord> records;
  std::vector<std::string> warnings;
};

// Keeps the secrets that the live Secrets hold and draws those that are missing. Throws NotFound or Unavailable for a
// shared cluster that is absent, paused or not ready, NotFound where no load balancer's address is known,
// ValidationError for a template, Disabled for a database strategy that this version does not make.
[[nodiscard]] DesiredState make_desired_state(const World& world, const LiveState& live);

// How the password shows on the database user, so that a difference between the user and the Secret is seen without
// either being readable: the first 16 hex digits of its SHA-256. Passwords have 190 bits, so that this tells nothing.
[[nodiscard]] std::string password_mark(const Secret& password);

inline constexpr std::string_view label_tenant = "litedesk-tenant";
inline constexpr std::string_view label_registry = "litedesk-registry";
inline constexpr std::string_view label_password = "litedesk-password-sha256";
inline constexpr std::string_view registry_annotation = "litedesk.io/registry";

}  // namespace litedesk
