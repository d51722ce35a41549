// Single server, hybrid or an instance for each: LiteDesk's own rules, with every trigger and whether it holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/cost.hpp"
#include "providers/json.hpp"

namespace litedesk {

// What is not known is empty (a budget is then taken as enough, and a note says so); a false switch is "not said".
struct AdviceInput {
  std::optional<std::int64_t> paying_customers{};
  std::optional<std::int64_t> monthly_revenue_cents{};
  bool isolation = false;   // customers need their data apart
  bool enterprise = false;  // deals ask for an instance of their own
  bool compliance = false;  // HIPAA, SOC 2
  std::optional<std::int64_t> monthly_budget_cents{};
  std::optional<std::int64_t> subdomains{};  // enterprise customers that want one of their own
  bool staff = false;                        // there is somebody to run Kubernetes
  std::int64_t instances = 1;                // that revenue is held against
};

enum class Recommendation { single, hybrid, multi };
[[nodiscard]] std::string_view to_string(Recommendation recommendation);  // "single" "hybrid" "multi"
// "an instance for each customer"
[[nodiscard]] std::string_view title(Recommendation recommendation);

struct Trigger {
  std::string name;           // "customers" "revenue" "revenueAboveCost" "isolation" ...
  std::string what;           // "10 or more paying customers"
  std::optional<bool> holds;  // nothing when it is not known
  std::string figure;         // "12", "$1,500"; empty when there is none
};

struct Advice {
  Recommendation recommendation = Recommendation::single;
  std::vector<Trigger> triggers;     // all there are, in the plan's order
  std::vector<std::string> reasons;  // at least one
  std::vector<std::string> notes;    // what it assumes, what stands against it
};

// multi:  more than 2,000 a month of revenue, 10 or more paying customers, enterprise deals or compliance, or 10 or
// more
//         enterprise customers that want subdomains, and a budget of 300 a month;
// hybrid: one of these and a budget that pays for the shared parts but not for 300; or customers that need isolation,
//         while nothing else asks for more;
// single: otherwise, and whenever the budget does not pay for the base model with one instance.
// Throws UsageError for a negative number.
[[nodiscard]] Advice advise(const AdviceInput& input, const Prices& prices);
[[nodiscard]] Json to_json(const Advice& advice);  // docs/json/advice.schema.json

}  // namespace litedesk
