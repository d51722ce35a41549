// Single server, hybrid or an instance for each: LiteDesk's own rules, with the reasons that speak for the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/cost.hpp"
#include "providers/json.hpp"

namespace litedesk {

struct AdviceInput {
  std::int64_t paying_customers = 0;
  std::int64_t monthly_revenue_cents = 0;
  bool isolation = false;                              // customers need their data apart
  bool enterprise = false;                             // deals ask for an instance of their own
  bool compliance = false;                             // HIPAA, SOC 2
  std::optional<std::int64_t> monthly_budget_cents{};  // unknown: taken as enough, and a note says so
};

enum class Recommendation { single, hybrid, multi };
[[nodiscard]] std::string_view to_string(Recommendation recommendation);  // "single" "hybrid" "multi"

struct Advice {
  Recommendation recommendation = Recommendation::single;
  std::vector<std::string> reasons;  // at least one
  std::vector<std::string> notes;    // what it assumes, what stands against it
};

// multi:  more than 2,000 a month of revenue, 10 or more paying customers, enterprise deals or compliance, and a budget
//         of 300 a month;
// hybrid: one of these and a budget that pays for the shared parts but not for 300; or customers that need isolation,
//         while nothing else asks for more;
// single: otherwise, and whenever the budget does not pay for the base model with one instance.
// Throws UsageError for a negative number.
[[nodiscard]] Advice advise(const AdviceInput& input, const Prices& prices);
[[nodiscard]] Json to_json(const Advice& advice);  // docs/json/advice.schema.json

}  // namespace litedesk
