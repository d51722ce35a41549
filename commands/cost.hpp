// What it costs: LiteDesk's three planning models, ranges kept, each line with its source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "commands/tiers.hpp"
#include "providers/json.hpp"
#include "templates/files.hpp"

namespace litedesk::yaml {
struct Node;
}

namespace litedesk {

struct Money {  // USD cents a month; a range when low != high
  std::int64_t low = 0, high = 0;
  friend bool operator==(const Money&, const Money&) = default;
};
[[nodiscard]] Money operator+(Money a, Money b);
[[nodiscard]] Money operator*(std::int64_t count, Money a);
// "$1,110", "$259 to $359"; cents only when there are some.
[[nodiscard]] std::string to_text(Money money);
// Cents of "2400", "$2400", "2,400" or "$2,400.50": commas part thousands only, and cents have two digits, so that
// "2.400" and "2,40" are not guessed at. Nothing for these, for what is negative, and for more than a trillion dollars.
[[nodiscard]] std::optional<std::int64_t> parse_dollars(std::string_view text);

struct CostLine {
  std::string item;  // "EKS control plane"
  std::int64_t quantity = 1;
  Money unit, total;
  std::string scope;   // "base" or "instance"
  std::string source;  // where the figure is from
};

struct CostEstimate {
  std::string model;  // single | base | dedicated | optimized
  std::int64_t instances = 0;
  std::vector<CostLine> lines;
  Money total, per_instance;  // per_instance: what one more adds
  std::vector<std::string> notes;
};

struct Effort {  // hours of work, once
  std::string item;
  int low = 0, high = 0;
};

class Prices {
 public:
  explicit Prices(const templates::Files& files);  // templates/prices.yaml; ValidationError with file and line
  [[nodiscard]] std::vector<std::string> models() const;
  // Throws UsageError for an unknown model or a negative count.
  [[nodiscard]] CostEstimate estimate(std::string_view model, std::int64_t instances) const;
  // What one instance of that strategy adds a month in the base model: the plan's figure.
  [[nodiscard]] Money instance_adds() const;
  [[nodiscard]] const std::vector<Effort>& setup() const { return setup_; }
  // One sentence of what the model is. Throws UsageError for an unknown model.
  [[nodiscard]] std::string title(std::string_view model) const;

 private:
  struct Line {
    std::string item, source;
    std::int64_t quantity = 1;
    Money unit;
  };
  struct Model {
    std::string name, title;
    std::vector<Line> base, instance;
    std::vector<std::string> notes;
  };
  static Line read_line(const yaml::Node& node, std::string_view origin);
  static Model read_model(const yaml::Node& node, std::string_view origin);
  [[nodiscard]] const Model& find(std::string_view model) const;

  std::vector<Model> models_;
  std::vector<Effort> setup_;
};

// Every model for the same number of instances, in the order of prices.yaml: --compare.
[[nodiscard]] std::vector<CostEstimate> compare(const Prices& prices, std::int64_t instances);

// From how many instances on the monthly price of a tier, paid by all of them, is more than they cost: --break-even.
struct BreakEven {
  std::string model, tier;
  std::int64_t price_cents = 0;
  // With the low ends of all ranges, and with the high ones; nothing when an instance costs what it brings, or more.
  std::optional<std::int64_t> low, high;
};
// A line a tier that has a price.
[[nodiscard]] std::vector<BreakEven> break_even(const Prices& prices, std::string_view model,
                                                const std::vector<Tier>& tiers);

struct ChartOptions {
  std::size_t width = 80;  // of a whole line
  bool utf8 = true;        // else ASCII
};
// A bar a model: the low end solid, up to the high end lighter. Ends with a newline.
[[nodiscard]] std::string chart(const std::vector<CostEstimate>& estimates, ChartOptions options);

[[nodiscard]] Json to_json(const CostEstimate& estimate);                // docs/json/cost-estimate.schema.json
[[nodiscard]] Json to_json(const std::vector<CostEstimate>& estimates);  // docs/json/cost-comparison.schema.json
[[nodiscard]] Json to_json(const std::vector<BreakEven>& lines);         // docs/json/break-even.schema.json

}  // namespace litedesk
