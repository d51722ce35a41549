// Tiers as data: templates/tiers.yaml, or a replacement of it.
#pragma once

#include <cstdint>
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

struct Tier {
  std::string name;
  std::vector<std::string> modules;
  ContainerResources backend, frontend;
  int backend_replicas = 1, frontend_replicas = 1;
  std::optional<Autoscale> autoscale;
  std::string database;       // "shared" or "dedicated"
  std::string instance_size;  // of a dedicated cluster: "M10"; empty otherwise
  int backup_days = 0;
  std::int64_t price_cents = 0;  // a month, USD
};

class Tiers {
 public:
  // Throws ValidationError with file and line for an unknown key or a bad value.
  explicit Tiers(const templates::Files& files);
  // "paid" reads as "professional". Throws UsageError with the nearest name as the hint.
  [[nodiscard]] const Tier& get(std::string_view name) const;
  [[nodiscard]] const std::vector<Tier>& all() const { return tiers_; }

 private:
  std::vector<Tier> tiers_;
};

[[nodiscard]] Json to_json(const Tier& tier);  // docs/json/tier.schema.json

}  // namespace litedesk
