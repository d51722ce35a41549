// What it costs: LiteDesk's three planning models, ranges kept, each line with its source.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/json.hpp"
#include "templates/files.hpp"

namespace litedesk {

struct Money {  // USD cents a month; a range when low != high
  std::int64_t low = 0, high = 0;
  friend bool operator==(const Money&, const Money&) = default;
};
[[nodiscard]] Money operator+(Money a, Money b);
[[nodiscard]] Money operator*(std::int64_t count, Money a);
// "$1,110", "$259 to $359"; cents only when there are some.
[[nodiscard]] std::string to_text(Money money);

struct CostLine {
  std::string item;      // "EKS control plane"
  std::int64_t quantity = 1;
  Money unit, total;
  std::string scope;     // "base" or "instance"
  std::string source;    // where the figure is from
};

struct CostEstimate {
  std::string model;     // single | base | dedicated | optimized
  std::int64_t instances = 0;
  std::vector<CostLine> lines;
  Money total, per_instance;   // per_instance: what one more adds
  std::vector<std::string> notes;
};

class Prices {
 public:
  explicit Prices(const templates::Files& files);  // templates/prices.yaml; ValidationError with file and line
  [[nodiscard]] std::vector<std::string> models() const;
  // Throws UsageError for an unknown model or a negative count.
  [[nodiscard]] CostEstimate estimate(std::string_view model, std::int64_t instances) const;
  // What one instance of that strategy adds a month in the base model: the plan's figure.
  [[nodiscard]] Money instance_adds() const;

 private:
  Json data_;
};

[[nodiscard]] Json to_json(const CostEstimate& estimate);  // docs/json/cost-estimate.schema.json

}  // namespace litedesk
