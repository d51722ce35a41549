#include "commands/advice.hpp"

#include <nlohmann/json.hpp>

#include "providers/error.hpp"

namespace litedesk {
namespace {

constexpr std::int64_t revenue_threshold = 2'000'00;
constexpr std::int64_t customer_threshold = 10;
constexpr std::int64_t least_budget = 300'00, usual_budget = 500'00;

std::string dollars(std::int64_t cents) {
  return to_text({cents, cents});
}

std::string counted(std::int64_t count, const std::string& one, const std::string& more) {
  return std::to_string(count) + " " + (count == 1 ? one : more);
}

// A switch that is off says that nobody said so, not that it is not so.
std::optional<bool> said(bool value) {
  return value ? std::optional(true) : std::nullopt;
}

Trigger counted_trigger(std::string name, std::string what, std::optional<std::int64_t> count) {
  if (!count) return {std::move(name), std::move(what), std::nullopt, ""};
  return {std::move(name), std::move(what), *count >= customer_threshold, std::to_string(*count)};
}

Trigger cost_trigger(const AdviceInput& input, const Prices& prices) {
  const auto cost = prices.estimate("base", input.instances).total;
  Trigger trigger{"revenueAboveCost",
                  "revenue above what " + counted(input.instances, "instance costs", "instances cost"), std::nullopt,
                  to_text(cost)};
  if (!input.monthly_revenue_cents) return trigger;
  trigger.holds = *input.monthly_revenue_cents > cost.high;
  trigger.figure = dollars(*input.monthly_revenue_cents) + " against " + to_text(cost);
  return trigger;
}

std::vector<Trigger> triggers_of(const AdviceInput& input, const Prices& prices) {
  const auto& revenue = input.monthly_revenue_cents;
  const auto& budget = input.monthly_budget_cents;
  Trigger passes{"revenue", "revenue above " + dollars(revenue_threshold) + " a month", std::nullopt, ""};
  if (revenue) passes = {passes.name, passes.what, *revenue > revenue_threshold, dollars(*revenue)};
  Trigger pays{"budget", "a budget of " + to_text({least_budget, usual_budget}) + " a month", std::nullopt, ""};
  if (budget) pays = {pays.name, pays.what, *budget >= least_budget, dollars(*budget)};
  return {
      counted_trigger("customers", "10 or more paying customers", input.paying_customers),
      std::move(passes),
      cost_trigger(input, prices),
      {"isolation", "customers need their data isolated", said(input.isolation), ""},
      {"enterprise", "enterprise deals ask for dedicated instances", said(input.enterprise), ""},
      {"compliance", "compliance (HIPAA, SOC 2) asks for separate databases", said(input.compliance), ""},
      counted_trigger("subdomains", "10 or more enterprise customers want subdomains of their own", input.subdomains),
      {"staff", "there is someone to run Kubernetes", said(input.staff), ""},
      std::move(pays)};
}

std::vector<std::string> reasons_for_multi(const AdviceInput& input) {
  std::vector<std::string> reasons;
  if (const auto revenue = input.monthly_revenue_cents.value_or(0); revenue > revenue_threshold)
    reasons.push_back("monthly revenue of " + dollars(revenue) + " is above " + dollars(revenue_threshold));
  if (const auto customers = input.paying_customers.value_or(0); customers >= customer_threshold)
    reasons.push_back(std::to_string(customers) + " paying customers are " + std::to_string(customer_threshold) +
                      " or more");
  if (input.enterprise) reasons.emplace_back("enterprise deals ask for dedicated instances");
  if (input.compliance) reasons.emplace_back("compliance (HIPAA, SOC 2) asks for isolated data");
  if (const auto subdomains = input.subdomains.value_or(0); subdomains >= customer_threshold)
    reasons.push_back(std::to_string(subdomains) + " enterprise customers want subdomains of their own");
  return reasons;
}

std::string reason_for_single(const AdviceInput& input) {
  if (!input.paying_customers) return "the number of paying customers is not known, and nothing else asks for more";
  return counted(*input.paying_customers, "paying customer is", "paying customers are") + " fewer than " +
         std::to_string(customer_threshold) + ", and nothing asks for isolation";
}

bool negative(const std::optional<std::int64_t>& number) {
  return number.value_or(0) < 0;
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

std::string_view title(Recommendation recommendation) {
  switch (recommendation) {
    case Recommendation::single:
      return "stay with the single server";
    case Recommendation::hybrid:
      return "instances for customers that need one, the shared server for the rest";
    case Recommendation::multi:
      return "an instance for each customer";
  }
  return "stay with the single server";
}

Advice advise(const AdviceInput& input, const Prices& prices) {
  if (negative(input.paying_customers) || negative(input.monthly_revenue_cents) ||
      negative(input.monthly_budget_cents) || negative(input.subdomains))
    throw UsageError(
        {.message = "customers, revenue and budget cannot be negative", .hint = {}, .resource = {}, .cause = {}});
  Advice advice;
  advice.triggers = triggers_of(input, prices);
  auto reasons = reasons_for_multi(input);
  const bool more_than_isolation = !reasons.empty();
  if (input.isolation) reasons.emplace_back("customers need their data isolated");

  if (reasons.empty()) {
    advice.reasons.push_back(reason_for_single(input));
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
    for (const auto& reason : reasons) advice.notes.push_back("despite: " + reason);
    return advice;
  } else if (*budget < least_budget && more_than_isolation) {
    advice.notes.push_back("instances for all need a budget of " + to_text({least_budget, usual_budget}) +
                           " a month: start with the customers that need one most");
  }
  const bool enough = budget.value_or(least_budget) >= least_budget;
  advice.recommendation = more_than_isolation && enough ? Recommendation::multi : Recommendation::hybrid;
  advice.reasons = std::move(reasons);
  if (advice.recommendation == Recommendation::hybrid && !more_than_isolation)
    advice.notes.emplace_back("new and demanding customers get an instance each, the rest stay shared");
  return advice;
}

Json to_json(const Advice& advice) {
  Json triggers = Json::array();
  for (const auto& trigger : advice.triggers)
    triggers.push_back({{"name", trigger.name},
                        {"what", trigger.what},
                        {"holds", trigger.holds ? Json(*trigger.holds) : Json(nullptr)},
                        {"figure", trigger.figure}});
  return {{"recommendation", to_string(advice.recommendation)},
          {"triggers", std::move(triggers)},
          {"reasons", advice.reasons},
          {"notes", advice.notes}};
}

}  // namespace litedesk
