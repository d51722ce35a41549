// Tiers as data: templates/tiers.yaml, or a replacement of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "providers/json.hpp"
#include "templates/files.hpp"

namespace litedesk {

struct Autoscale {
  int min_replicas = 2, max_replicas = 10, cpu_percent = 80;
};

struct ContainerResources {
  std::string cpu_request, memory_request, cpu_limit, memory_limit;  // Kubernetes quantities
};

struct TierComponent {
  ContainerResources resources;
  int replicas = 1;
  std::optional<Autoscale> autoscale;
};

struct Tier {
  std::string name;
  std::vector<std::string> modules;
  std::map<std::string, TierComponent, std::less<>> components;  // of the application's profile: "backend", "frontend"
  std::string database;                                          // "shared" or "dedicated"
  std::string instance_size;                                     // of a dedicated cluster: "M10"; empty otherwise
  int backup_days = 0;
  std::int64_t price_cents = 0;  // a month, USD
};

// A name can be a tier's when it can be a label's value and a word on the command line: a to z, 0 to 9 and '-' between
// them, at most 63. The Tenant kind in the cluster has the same rule.
[[nodiscard]] bool is_tier_name(std::string_view name);

class Tiers {
 public:
  // Throws ValidationError with file and line for an unknown key or a bad value.
  explicit Tiers(const templates::Files& files);
  // "paid" reads as "professional", unless it is a tier itself. Throws UsageError with the nearest name as the hint.
  [[nodiscard]] const Tier& get(std::string_view name) const;
  [[nodiscard]] const std::vector<Tier>& all() const { return tiers_; }
  // The place in the file, for sorting; behind all of them for a tier that is not there.
  [[nodiscard]] std::size_t rank(std::string_view name) const;

 private:
  std::vector<Tier> tiers_;
};

[[nodiscard]] Json to_json(const Tier& tier);  // docs/json/tier.schema.json

}  // namespace litedesk
