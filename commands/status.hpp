// How instances are: every part, its condition and its reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands/provision.hpp"
#include "commands/surroundings.hpp"

namespace litedesk {

struct StatusEvent {  // a Warning event of the last hour
  std::string since, object, reason, message;
  std::int64_t count = 1;
};

// A namespace's Warning events that are not older, the newest first.
[[nodiscard]] std::vector<StatusEvent> warning_events(const World& world, const std::string& name_space,
                                                      system::TimePoint oldest);

struct InstanceStatus {
  Tenant tenant;
  std::string health;  // healthy degraded unhealthy unknown
  std::vector<Part> parts;
  std::vector<StatusEvent> events;
  std::vector<ForeignObject> foreign;  // what acts on it and was not made for it
  std::string url;
  std::string certificate_until;  // RFC 3339; empty when unknown
};
// `probe`: asks the application anew; otherwise what it answered last is told.
[[nodiscard]] InstanceStatus instance_status(World& world, std::string_view slug, bool probe = false);

struct StatusLine {
  Tenant tenant;
  std::string health;
  std::string ready;  // "2/2 2/2": of each component, in the profile's order
  std::string message;
};
// From cluster-wide lists: a handful of requests however many tenants there are.
[[nodiscard]] std::vector<StatusLine> fleet_status(World& world);

[[nodiscard]] Json to_json(const InstanceStatus& status);  // docs/json/status.schema.json
[[nodiscard]] Json to_json(const std::vector<StatusLine>& lines);

}  // namespace litedesk
