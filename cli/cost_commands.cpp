// litedesk cost-estimate: LiteDesk's planning figures. No provider is asked for prices.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/session.hpp"
#include "cli/suggest.hpp"
#include "cli/text.hpp"
#include "commands/advice.hpp"
#include "commands/cost.hpp"
#include "commands/tenant.hpp"
#include "providers/error.hpp"

namespace litedesk::cli {
namespace {

constexpr std::int64_t usual_instances = 10;
constexpr const char* usual_model = "base";

void bind_estimate(Flags& flags, CostEstimateOf& options) {
  flags.flag({.names = "--instances", .value = "N", .help = "how many instances (10)"}, options.instances);
  flags.flag({.names = "--from-registry", .value = "", .help = "as many as the registry has"}, options.from_registry);
  flags.flag({.names = "--tenant", .value = "SLUG", .help = "what one tenant's instance adds", .values = Values::slug},
             options.tenant);
  flags.flag({.names = "--model",
              .value = "MODEL",
              .help = "single, base (the default), dedicated or optimized",
              .values = Values::model},
             options.model);
  flags.flag({.names = "--compare", .value = "", .help = "all models side by side"}, options.compare);
  flags.flag({.names = "--break-even", .value = "", .help = "how many paying customers cover the costs"},
             options.break_even);
  flags.flag({.names = "--chart", .value = "", .help = "the models as bars"}, options.chart);
  flags.flag({.names = "--advice",
              .value = "",
              .help = "single server, hybrid or an instance for each; each of the flags below implies it"},
             options.advice);
  flags.flag({.names = "--customers",
              .value = "N",
              .help = "paying customers (as --instances); estimates that many instances where nothing else is said"},
             options.customers);
  flags.flag({.names = "--revenue", .value = "DOLLARS", .help = "revenue a month: 2400, $2,400 or 2400.50"},
             options.revenue);
  flags.flag({.names = "--budget", .value = "DOLLARS", .help = "budget a month"}, options.budget);
  flags.flag({.names = "--isolation", .value = "", .help = "customers need their data isolated"}, options.isolation);
  flags.flag({.names = "--enterprise", .value = "", .help = "deals ask for dedicated instances"}, options.enterprise);
  flags.flag({.names = "--compliance", .value = "", .help = "HIPAA or SOC 2"}, options.compliance);
  flags.flag({.names = "--subdomains", .value = "N", .help = "enterprise customers that want a subdomain of their own"},
             options.subdomains);
  flags.flag({.names = "--staff", .value = "", .help = "there is someone to run Kubernetes"}, options.staff);
}

bool has_instance(const Tenant& tenant) {
  return tenant.status.phase != Phase::none && tenant.status.phase != Phase::terminated;
}

bool pays(const Tenant& tenant) {
  return tenant.subscription.status == "active" || tenant.subscription.status == "past_due";
}

// What is estimated for: how many, and what the registry says where it was asked.
struct Basis {
  std::int64_t instances = usual_instances;
  AdviceInput advice;
};

std::optional<std::int64_t> cents_of(std::string_view flag, const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const auto cents = parse_dollars(*text);
  if (!cents)
    throw UsageError({.message = fmt::format("{}: \"{}\" is not an amount of dollars", flag, printable(*text)),
                      .hint = "write 2400, 2,400 or 2400.50",
                      .resource = {},
                      .cause = {}});
  return cents;
}

void add_registry(Basis& basis, Session& session) {
  session.stop_requests_when_interrupted();
  const std::vector<Tenant> tenants = list_tenants(session.registry(), {}, session.tiers());
  basis.instances = std::count_if(tenants.begin(), tenants.end(), has_instance);
  std::int64_t customers = 0, revenue = 0, enterprise = 0;
  for (const Tenant& tenant : tenants) {
    if (!pays(tenant)) continue;
    ++customers;
    if (tenant.tier == "enterprise") ++enterprise;
    const std::int64_t mrr = tenant.subscription.mrr_cents;
    revenue += mrr > 0 ? mrr : session.tiers().get(tenant.tier).price_cents;
  }
  basis.advice.paying_customers = customers;
  basis.advice.monthly_revenue_cents = revenue;
  basis.advice.subdomains = enterprise;
}

Basis find_basis(const CostEstimateOf& options, Session& session) {
  Basis basis;
  AdviceInput& advice = basis.advice;
  if (options.from_registry) {
    add_registry(basis, session);
  } else {
    // Each customer has an instance, and each instance a customer who pays, where only one of the two is said.
    basis.instances = options.instances.value_or(options.customers.value_or(usual_instances));
    advice.paying_customers = options.instances;
  }
  if (options.customers) advice.paying_customers = options.customers;
  if (const auto cents = cents_of("--revenue", options.revenue)) advice.monthly_revenue_cents = cents;
  advice.monthly_budget_cents = cents_of("--budget", options.budget);
  if (options.subdomains) advice.subdomains = options.subdomains;
  advice.isolation = options.isolation;
  advice.enterprise = options.enterprise;
  advice.compliance = options.compliance;
  advice.staff = options.staff;
  advice.instances = basis.instances;
  return basis;
}

bool wants_advice(const CostEstimateOf& options) {
  return options.advice || options.customers || options.revenue || options.budget || options.isolation ||
         options.enterprise || options.compliance || options.subdomains || options.staff;
}

// A column in the middle of a text: what is rendered here stands between other lines.
std::string rendered(const Table& table, Session& session) {
  const Printer& printer = session.printer();
  return render(table, {.width = printer.width(),
                        .wide = printer.wide(),
                        .headers = !session.global().no_headers,
                        .utf8 = printer.utf8()});
}

std::string estimate_text(const CostEstimate& estimate, Session& session) {
  Table table{.columns = {{.header = "ITEM", .importance = 10, .shrinks = true},
                          {.header = "QTY", .importance = 10, .right = true},
                          {.header = "EACH", .importance = 10, .right = true},
                          {.header = "A MONTH", .importance = 10, .right = true},
                          {.header = "SOURCE", .importance = 10, .right = true}},
              .rows = {}};
  // A source is a sentence: numbered below, so that none is cut.
  std::vector<std::string> sources;
  for (const CostLine& line : estimate.lines) {
    auto known = std::find(sources.begin(), sources.end(), line.source);
    if (known == sources.end()) known = sources.insert(sources.end(), line.source);
    table.rows.push_back({line.item, std::to_string(line.quantity), to_text(line.unit), to_text(line.total),
                          fmt::format("[{}]", known - sources.begin() + 1)});
  }
  std::string text =
      fmt::format("{}: {}\n\n", counted(estimate.instances, "instance"), session.prices().title(estimate.model));
  text += rendered(table, session);
  text += fmt::format("\nTotal {} a month; each further instance adds {}\n",
                      session.printer().on_out(Colour::bold, to_text(estimate.total)), to_text(estimate.per_instance));
  for (const std::string& note : estimate.notes) text += "  " + note + "\n";
  text += "\nSources\n";
  for (std::size_t i = 0; i < sources.size(); ++i) text += fmt::format("  [{}] {}\n", i + 1, sources[i]);
  return text;
}

std::string comparison_text(const std::vector<CostEstimate>& estimates, Session& session) {
  Table table{.columns = {{.header = "MODEL", .importance = 10},
                          {.header = "A MONTH", .importance = 10, .right = true},
                          {.header = "EACH ADDS", .importance = 10, .right = true},
                          {.header = "WHAT IT IS", .importance = 3, .shrinks = true}},
              .rows = {}};
  for (const CostEstimate& each : estimates) {
    table.rows.push_back(
        {each.model, to_text(each.total), to_text(each.per_instance), session.prices().title(each.model)});
  }
  return fmt::format("{} in every model\n\n{}",
                     counted(estimates.empty() ? 0 : estimates.front().instances, "instance"),
                     rendered(table, session));
}

std::string break_even_text(const std::vector<BreakEven>& lines, Session& session) {
  Table table{.columns = {{.header = "TIER", .importance = 10},
                          {.header = "PRICE", .importance = 10, .right = true},
                          {.header = "AT LOW COST", .importance = 10, .right = true},
                          {.header = "AT HIGH COST", .importance = 10, .right = true}},
              .rows = {}};
  const auto from = [](const std::optional<std::int64_t>& count) {
    return count ? fmt::format("from {}", counted(*count, "customer")) : "never";
  };
  for (const BreakEven& line : lines) {
    table.rows.push_back(
        {line.tier, to_text(Money{line.price_cents, line.price_cents}), from(line.low), from(line.high)});
  }
  return "\nBreak-even\n\n" + rendered(table, session);
}

// How what is not known can be said.
std::string_view flag_of(std::string_view trigger) {
  if (trigger == "revenueAboveCost") return "--revenue";
  constexpr std::array<std::string_view, 8> flags{"--customers",  "--revenue",    "--isolation", "--enterprise",
                                                  "--compliance", "--subdomains", "--staff",     "--budget"};
  const auto* found =
      std::find_if(flags.begin(), flags.end(), [&](std::string_view flag) { return flag.substr(2) == trigger; });
  return found == flags.end() ? std::string_view() : *found;
}

std::string advice_text(const Advice& advice, const Printer& printer) {
  const std::size_t width = printer.width();
  std::string text = fmt::format("\nAdvice: {}\n\n", title(advice.recommendation));
  for (const Trigger& trigger : advice.triggers) {
    std::string line = trigger.what;
    if (!trigger.figure.empty()) line += ": " + trigger.figure;
    if (!trigger.holds) line += fmt::format(" ({})", flag_of(trigger.name));
    const std::string_view mark = !trigger.holds ? "?" : *trigger.holds ? "yes" : "no";
    text += wrapped(line, width, fmt::format("  {:<3}  ", mark), "       ");
  }
  text += "\n";
  if (std::any_of(advice.triggers.begin(), advice.triggers.end(), [](const Trigger& each) { return !each.holds; }))
    text += "  ? = not known: set it with the flag\n";
  for (const std::string& reason : advice.reasons) text += wrapped("because " + reason, width, "  ", "    ");
  for (const std::string& note : advice.notes) text += wrapped("note: " + note, width, "  ", "    ");
  return text;
}

void check_options(const CostEstimateOf& options, const std::vector<std::string>& models) {
  const int bases = (options.instances ? 1 : 0) + (options.from_registry ? 1 : 0) + (options.tenant.empty() ? 0 : 1);
  if (bases > 1) throw UsageError("--instances, --from-registry and --tenant are mutually exclusive");
  if (!options.tenant.empty() && (options.compare || options.break_even || wants_advice(options) || options.chart)) {
    throw UsageError("--tenant can only be combined with --model");
  }
  if (!options.model.empty() && options.compare) throw UsageError("--model and --compare are mutually exclusive");
  if (options.model.empty() || std::find(models.begin(), models.end(), options.model) != models.end()) return;
  throw UsageError({.message = fmt::format("--model: \"{}\" is not a cost model", printable(options.model)),
                    .hint = suggestion(options.model, models),
                    .resource = {},
                    .cause = {}});
}

int estimate_tenant(const CostEstimateOf& options, const std::string& model, Session& session) {
  session.stop_requests_when_interrupted();
  const Tenant tenant = get_tenant(session.registry(), options.tenant);
  const Tier& tier = session.tiers().get(tenant.tier);
  const Money adds = session.prices().estimate(model, 1).per_instance;
  const auto money = [](std::int64_t low, std::int64_t high) {
    return Json{{"lowCents", low}, {"highCents", high}, {"currency", "USD"}};
  };
  session.printer().answer(
      {.json = {{"tenant", tenant.slug},
                {"tier", tier.name},
                {"model", model},
                {"addsMonthly", money(adds.low, adds.high)},
                {"priceMonthly", money(tier.price_cents, tier.price_cents)}},
       .names = {"tenant/" + tenant.slug},
       .table = {},
       .text =
           fmt::format("{} ({}): its instance adds {} a month in the {} model; the tier's price is {}\n", tenant.slug,
                       tier.name, to_text(adds), model, to_text(Money{tier.price_cents, tier.price_cents}))});
  return 0;
}

int estimate(const CostEstimateOf& options, Session& session) {
  const Prices& prices = session.prices();
  check_options(options, prices.models());
  const std::string model = options.model.empty() ? usual_model : options.model;
  if (!options.tenant.empty()) return estimate_tenant(options, model, session);
  const Basis basis = find_basis(options, session);
  Answer answer;
  const bool people = session.printer().for_people();
  if (options.compare) {
    const std::vector<CostEstimate> all = compare(prices, basis.instances);
    answer.json = to_json(all);
    for (const CostEstimate& each : all) answer.names.push_back("model/" + each.model);
    if (people) answer.text = comparison_text(all, session);
  } else {
    const CostEstimate one = prices.estimate(model, basis.instances);
    answer.json = to_json(one);
    answer.names = {"model/" + model};
    if (people) answer.text = estimate_text(one, session);
  }
  if (options.chart && people) {
    answer.text += "\n" + chart(compare(prices, basis.instances),
                                {.width = session.printer().width(), .utf8 = session.printer().utf8()});
  }
  if (options.break_even) {
    const std::vector<BreakEven> lines = break_even(prices, model, session.tiers().all());
    answer.json.update(to_json(lines));
    if (people) answer.text += break_even_text(lines, session);
  }
  if (wants_advice(options)) {
    const Advice given = advise(basis.advice, prices);
    answer.json["advice"] = to_json(given);
    if (people) answer.text += advice_text(given, session.printer());
  }
  session.printer().answer(answer);
  return 0;
}

constexpr std::array commands{
    Command{
        "", "cost-estimate", "estimate what instances cost a month",
        "Dollars a month by LiteDesk's planning figures, each line with its source; ranges stay ranges. No provider is "
        "queried.",
        "litedesk cost-estimate --instances 50\n"
        "litedesk cost-estimate --compare --chart\n"
        "litedesk cost-estimate --advice --customers 12 --revenue 2,400 --budget 400",
        binder<CostEstimateOf, bind_estimate>, runner<CostEstimateOf, estimate>, Needs::templates},
};

}  // namespace

std::span<const Command> cost_commands() {
  return commands;
}

}  // namespace litedesk::cli
