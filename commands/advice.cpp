#include "commands/advice.hpp"

#include <nlohmann/json.hpp>

#include "providers/error.hpp"

namespace litedesk {
namespace {

constexpr std::int64_t revenue_threshold = 2'000'00;
constexpr std::int64_t customer_threshold = 10;
constexpr std::int64_t least_budget = 300'00, usual_budget = 500'00;

std::vector<std::string> reasons_for_multi(const AdviceInput& input) {
  std::vector<std::string> reasons;
  if (input.monthly_revenue_cents > revenue_threshold)
    reasons.push_back("monthly revenue of " + to_text({input.monthly_revenue_cents, input.monthly_revenue_cents}) +
                      " is above " + to_text({revenue_threshold, revenue_threshold}));
  if (input.paying_customers >= customer_threshold)
    reasons.push_back(std::to_string(input.paying_customers) + " paying customers are " +
                      std::to_string(customer_threshold) + " or more");
  if (input.enterprise) reasons.emplace_back("enterprise deals ask for instances of their own");
  if (input.compliance) reasons.emplace_back("compliance (HIPAA, SOC 2) asks for isolated data");
  return reasons;
}

}  // namespace

std::string_view to_string(Recommendation recommendation) {
  switch (recommendation) {
    case Recommendation::single:
      return "single";
    case Recommendation::hybrid:
      return "hybrid";
    case Recommendation::multi:
      return "multi";
  }
  return "single";
}

Advice advise(const AdviceInput& input, const Prices& prices) {
  if (input.paying_customers < 0 || input.monthly_revenue_cents < 0 || input.monthly_budget_cents.value_or(0) < 0)
    throw UsageError(
        {.message = "customers, revenue and budget cannot be negative", .hint = {}, .resource = {}, .cause = {}});
  Advice advice;
  auto reasons = reasons_for_multi(input);
  const bool more_than_isolation = !reasons.empty();
  if (input.isolation) reasons.emplace_back("customers need their data isolated");

  if (reasons.empty()) {
    advice.reasons.push_back(
        (input.paying_customers == 1 ? "1 paying customer is"
                                     : std::to_string(input.paying_customers) + " paying customers are") +
        std::string(" fewer than ") + std::to_string(customer_threshold) + ", and nothing asks for isolation");
    advice.notes.emplace_back("a single server serves 5 to 20 customers");
    return advice;
  }
  const auto first_instance = prices.estimate("base", 1).total;
  const auto budget = input.monthly_budget_cents;
  if (!budget) {
    advice.notes.push_back("assumes a budget of " + to_text({least_budget, usual_budget}) + " a month");
  } else if (*budget < first_instance.high) {
    advice.reasons.push_back("a budget of " + to_text({*budget, *budget}) +
                             " a month does not pay for a cluster with one instance (" + to_text(first_instance) + ")");
    for (const auto& reason : reasons) advice.notes.push_back("against it: " + reason);
    return advice;
  } else if (*budget < least_budget && more_than_isolation) {
    advice.notes.push_back("instances for all want a budget of " + to_text({least_budget, usual_budget}) +
                           " a month: begin with the customers that need one most");
  }
  const bool enough = budget.value_or(least_budget) >= least_budget;
  advice.recommendation = more_than_isolation && enough ? Recommendation::multi : Recommendation::hybrid;
  advice.reasons = std::move(reasons);
  if (advice.recommendation == Recommendation::hybrid && !more_than_isolation)
    advice.notes.emplace_back("new and demanding customers get an instance each, the rest stay shared");
  return advice;
}

Json to_json(const Advice& advice) {
  return {{"recommendation", to_string(advice.recommendation)}, {"reasons", advice.reasons}, {"notes", advice.notes}};
}

}  // namespace litedesk
