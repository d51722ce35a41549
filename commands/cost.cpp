#include "commands/cost.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "commands/map_reader.hpp"
#include "commands/nearest.hpp"
#include "providers/error.hpp"
#include "providers/read_json.hpp"

namespace litedesk {
namespace {

using templates::Node;

// Far more than there are companies, and far from any overflow.
constexpr std::int64_t most_instances = 10'000'000;
constexpr int most_hours = 1'000'000;

std::int64_t cents_of(const Node& node, std::string_view origin) {
  const auto value = templates::to_json(node);
  const double cents = value.is_number() ? value.get<double>() * 100 : std::nan("");
  if (!(std::abs(cents) <= 1e9) || std::abs(cents - std::round(cents)) > 1e-6)
    templates::fail_at(origin, node.at, "a price must be dollars with at most two decimals");
  return std::llround(cents);
}

Money read_money(const Node& node, std::string_view origin) {
  if (node.kind != Node::Kind::list) {
    const auto cents = cents_of(node, origin);
    return {cents, cents};
  }
  if (node.items.size() != 2) templates::fail_at(origin, node.at, "a range is [low, high]");
  const Money money{cents_of(node.items[0], origin), cents_of(node.items[1], origin)};
  if (money.low > money.high) templates::fail_at(origin, node.at, "a range is [low, high]: low must not exceed high");
  return money;
}

Effort read_effort(const Node& node, std::string_view origin) {
  MapReader reader(node, origin, "a line of setup");
  Effort effort;
  effort.item = reader.text("item");
  const auto hours = templates::to_json(reader.at("hours"));
  const auto of = [&](std::size_t i) {
    const auto number = hours.is_array() && hours.size() == 2 ? whole_number<int>(hours[i]) : std::nullopt;
    if (!number || *number < 0 || *number > most_hours)
      reader.fail(reader.at("hours"), "hours are [low, high], each from 0 to " + std::to_string(most_hours));
    return *number;
  };
  effort.low = of(0);
  effort.high = of(1);
  reader.finish();
  return effort;
}

}  // namespace

Prices::Line Prices::read_line(const Node& node, std::string_view origin) {
  MapReader reader(node, origin, "a line");
  Line line;
  line.item = reader.text("item");
  line.source = reader.text("source");
  if (reader.find("quantity") != nullptr) line.quantity = reader.integer("quantity", 1, 10'000);
  line.unit = read_money(reader.at("usd"), origin);
  reader.finish();
  return line;
}

Prices::Model Prices::read_model(const Node& node, std::string_view origin) {
  MapReader reader(node, origin, "a model");
  Model model;
  model.name = reader.text("name");
  model.title = reader.text("title");
  for (const auto& line : items_of(reader.at("base"), origin, "base")) model.base.push_back(read_line(line, origin));
  for (const auto& line : items_of(reader.at("instance"), origin, "instance"))
    model.instance.push_back(read_line(line, origin));
  model.notes = reader.texts("notes");
  reader.finish();
  return model;
}

Prices::Prices(const templates::Files& files) {
  const auto file = files.get("prices.yaml");
  const auto tree = templates::parse_single_tree(file.text, file.origin);
  MapReader reader(tree, file.origin, "the file");
  for (const auto& node : items_of(reader.at("models"), file.origin, "models")) {
    auto model = read_model(node, file.origin);
    if (std::any_of(models_.begin(), models_.end(), [&model](const Model& other) { return other.name == model.name; }))
      reader.fail(node, "the model " + model.name + " is defined twice");
    models_.push_back(std::move(model));
  }
  if (std::none_of(models_.begin(), models_.end(), [](const Model& model) { return model.name == "base"; }))
    reader.fail(tree, "the model base is missing: a plan's monthly figure comes from it");
  for (const auto& node : items_of(reader.at("setup"), file.origin, "setup"))
    setup_.push_back(read_effort(node, file.origin));
  reader.finish();
}

std::vector<std::string> Prices::models() const {
  std::vector<std::string> names;
  for (const auto& model : models_) names.push_back(model.name);
  return names;
}

const Prices::Model& Prices::find(std::string_view name) const {
  for (const auto& model : models_)
    if (model.name == name) return model;
  auto hint = did_you_mean(nearest(name, models()));
  if (hint.empty()) {
    hint = "the models are ";
    for (const auto& model : models_) hint += (&model == &models_.front() ? "" : ", ") + model.name;
  }
  throw UsageError({.message = "unknown cost model " + std::string(name), .hint = hint, .resource = {}, .cause = {}});
}

std::string Prices::title(std::string_view model) const {
  return find(model).title;
}

CostEstimate Prices::estimate(std::string_view name, std::int64_t instances) const {
  const auto& model = find(name);
  if (instances < 0 || instances > most_instances)
    throw UsageError({.message = "the number of instances must be from 0 to " + std::to_string(most_instances),
                      .hint = "litedesk cost-estimate --instances 10",
                      .resource = {},
                      .cause = {}});
  CostEstimate estimate;
  estimate.model = model.name;
  estimate.instances = instances;
  estimate.notes = model.notes;
  for (const auto& line : model.base) {
    estimate.lines.push_back({line.item, line.quantity, line.unit, line.quantity * line.unit, "base", line.source});
    estimate.total = estimate.total + line.quantity * line.unit;
  }
  for (const auto& line : model.instance) {
    const auto quantity = line.quantity * instances;
    estimate.lines.push_back({line.item, quantity, line.unit, quantity * line.unit, "instance", line.source});
    estimate.total = estimate.total + quantity * line.unit;
    estimate.per_instance = estimate.per_instance + line.quantity * line.unit;
  }
  return estimate;
}

Money Prices::instance_adds() const {
  return estimate("base", 1).per_instance;
}

std::vector<CostEstimate> compare(const Prices& prices, std::int64_t instances) {
  std::vector<CostEstimate> estimates;
  for (const auto& model : prices.models()) estimates.push_back(prices.estimate(model, instances));
  return estimates;
}

namespace {

// The fewest n with n * price > base + n * each.
std::optional<std::int64_t> fewest(std::int64_t price, std::int64_t base, std::int64_t each) {
  const auto margin = price - each;
  if (margin <= 0) return std::nullopt;
  return std::max<std::int64_t>(1, base / margin + 1);
}

Json money_json(Money money) {
  return {{"lowCents", money.low}, {"highCents", money.high}, {"currency", "USD"}};
}

Json optional_json(std::optional<std::int64_t> value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

std::vector<BreakEven> break_even(const Prices& prices, std::string_view model, const std::vector<Tier>& tiers) {
  const auto none = prices.estimate(model, 0);
  std::vector<BreakEven> lines;
  for (const auto& tier : tiers) {
    if (tier.price_cents <= 0) continue;
    lines.push_back({std::string(model), tier.name, tier.price_cents,
                     fewest(tier.price_cents, none.total.low, none.per_instance.low),
                     fewest(tier.price_cents, none.total.high, none.per_instance.high)});
  }
  return lines;
}

Json to_json(const CostEstimate& estimate) {
  Json lines = Json::array();
  for (const auto& line : estimate.lines)
    lines.push_back({{"item", line.item},
                     {"quantity", line.quantity},
                     {"unit", money_json(line.unit)},
                     {"total", money_json(line.total)},
                     {"scope", line.scope},
                     {"source", line.source}});
  return {{"model", estimate.model},
          {"instances", estimate.instances},
          {"lines", lines},
          {"total", money_json(estimate.total)},
          {"perInstance", money_json(estimate.per_instance)},
          {"notes", estimate.notes}};
}

Json to_json(const std::vector<CostEstimate>& estimates) {
  Json items = Json::array();
  for (const auto& estimate : estimates) items.push_back(to_json(estimate));
  return {{"instances", estimates.empty() ? 0 : estimates.front().instances}, {"models", items}};
}

Json to_json(const std::vector<BreakEven>& lines) {
  Json items = Json::array();
  for (const auto& line : lines)
    items.push_back({{"model", line.model},
                     {"tier", line.tier},
                     {"price", {{"cents", line.price_cents}, {"currency", "USD"}}},
                     {"instancesAtLowCost", optional_json(line.low)},
                     {"instancesAtHighCost", optional_json(line.high)}});
  return {{"breakEven", items}};
}

}  // namespace litedesk
