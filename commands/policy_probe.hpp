// Whether the cluster's network plugin enforces NetworkPolicies: the API server takes them from everybody, and without
// such a plugin they are text.
#pragma once

#include <chrono>
#include <string>

#include "commands/world.hpp"

namespace litedesk {

enum class Enforcement { enforced, not_enforced, unknown };

struct PolicyProbe {
  Enforcement enforcement = Enforcement::unknown;
  std::string reason;  // why it is unknown, and what is left of the probe where it could not be removed; else empty
};

// Makes a namespace of its own with two short-lived pods of `image` (which must have Node.js as `node`: the backend's
// has): one listens on two ports, of which a NetworkPolicy opens one, and the other one tries both. The port that is
// open proves that they reach each other at all. The namespace is removed in any case, by its UID. Within `patience`, 0
// to some minutes: images are pulled and pods started. Throws what the API server answers to the namespace, policy and
// pods; Cancelled after an interruption.
[[nodiscard]] PolicyProbe probe_policies(const World& world, const std::string& image,
                                         std::chrono::milliseconds patience);

}  // namespace litedesk
