#include "commands/tiers.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "commands/map_reader.hpp"
#include "commands/nearest.hpp"
#include "commands/quantity.hpp"
#include "providers/error.hpp"

namespace litedesk {
namespace {

using templates::Node;

constexpr std::int64_t most_replicas = 100;

// More than any machine has, and little enough that a quota for the most pods there can be is counted exactly.
constexpr std::string_view most_cpu = "1M";
constexpr std::string_view most_memory = "16Ti";

std::string quantity(MapReader& reader, std::string_view key, std::string_view most) {
  const auto& node = reader.at(key);
  const auto value = templates::to_json(node);
  const auto text = value.is_string() ? value.get<std::string>() : value.dump();
  const auto parsed = parse_quantity(text);
  if (!parsed || parsed->thousandths == 0)
    reader.fail(node, "the " + std::string(key) + " " + text + " is not a quantity: write 250m, 1, 512Mi or 4Gi");
  if (parsed->thousandths > parse_quantity(most)->thousandths)
    reader.fail(node, "the " + std::string(key) + " " + text + " is too large: at most " + std::string(most));
  // As the API server writes it: what is applied equals what is read.
  return to_string(*parsed);
}

void read_amounts(const Node& node, std::string_view origin, std::string_view what, std::string& cpu,
                  std::string& memory) {
  MapReader reader(node, origin, what);
  cpu = quantity(reader, "cpu", most_cpu);
  memory = quantity(reader, "memory", most_memory);
  reader.finish();
}

void check_at_most(MapReader& reader, const Node& node, const std::string& request, const std::string& limit) {
  if (parse_quantity(request)->thousandths > parse_quantity(limit)->thousandths)
    reader.fail(node, "the request " + request + " is above the limit " + limit);
}

ContainerResources read_resources(MapReader& reader, std::string_view origin) {
  ContainerResources resources;
  const auto& requests = reader.at("requests");
  read_amounts(requests, origin, "requests", resources.cpu_request, resources.memory_request);
  read_amounts(reader.at("limits"), origin, "limits", resources.cpu_limit, resources.memory_limit);
  check_at_most(reader, requests, resources.cpu_request, resources.cpu_limit);
  check_at_most(reader, requests, resources.memory_request, resources.memory_limit);
  return resources;
}

Autoscale read_autoscale(const Node& node, std::string_view origin) {
  MapReader reader(node, origin, "autoscale");
  Autoscale autoscale;
  autoscale.min_replicas = static_cast<int>(reader.integer("minReplicas", 1, most_replicas));
  autoscale.max_replicas = static_cast<int>(reader.integer("maxReplicas", autoscale.min_replicas, most_replicas));
  autoscale.cpu_percent = static_cast<int>(reader.integer("cpuPercent", 1, 100));
  reader.finish();
  return autoscale;
}

void read_database(const Node& node, std::string_view origin, Tier& tier) {
  MapReader reader(node, origin, "database");
  tier.database = reader.text("placement");
  if (tier.database != "shared" && tier.database != "dedicated")
    reader.fail(reader.at("placement"), "placement must be shared or dedicated");
  const auto* size = reader.find("instanceSize");
  if ((size != nullptr) != (tier.database == "dedicated"))
    reader.fail(node, "a dedicated database needs an instanceSize (M10), a shared one has none");
  if (size != nullptr) tier.instance_size = reader.text("instanceSize");
  if (reader.find("backupDays") != nullptr) tier.backup_days = static_cast<int>(reader.integer("backupDays", 0, 3650));
  reader.finish();
}

TierComponent read_component(const Node& node, std::string_view origin, std::string_view name) {
  MapReader reader(node, origin, name);
  TierComponent component;
  component.replicas = static_cast<int>(reader.integer("replicas", 1, most_replicas));
  component.resources = read_resources(reader, origin);
  if (const auto* autoscale = reader.find("autoscale")) component.autoscale = read_autoscale(*autoscale, origin);
  reader.finish();
  return component;
}

// Every further key of a tier that holds a map is a component's; what holds something else is a mistake.
void read_components(const Node& node, MapReader& reader, std::string_view origin, Tier& tier) {
  for (const auto& entry : node.entries) {
    if (reader.asked(entry.key) || entry.value.kind != Node::Kind::map) continue;
    tier.components[entry.key] = read_component(reader.at(entry.key), origin, entry.key);
  }
}

Tier read_tier(const Node& node, std::string_view origin) {
  MapReader reader(node, origin, "a tier");
  Tier tier;
  tier.name = reader.text("name");
  if (!is_tier_name(tier.name))
    reader.fail(reader.at("name"), "\"" + tier.name +
                                       "\" is not a tier name: a to z, 0 to 9 and '-' between them, at most 63 "
                                       "characters");
  tier.price_cents = reader.integer("price", 0, 10'000'000) * 100;
  tier.modules = reader.texts("modules");
  if (tier.modules.empty()) reader.fail(node, "a tier needs modules");

  static_cast<void>(reader.at("database"));
  read_components(node, reader, origin, tier);
  read_database(reader.at("database"), origin, tier);
  reader.finish();
  return tier;
}

Json component_json(const TierComponent& component) {
  const auto& resources = component.resources;
  Json autoscale = nullptr;
  if (component.autoscale)
    autoscale = {{"minReplicas", component.autoscale->min_replicas},
                 {"maxReplicas", component.autoscale->max_replicas},
                 {"cpuPercent", component.autoscale->cpu_percent}};
  return {{"replicas", component.replicas},
          {"requests", {{"cpu", resources.cpu_request}, {"memory", resources.memory_request}}},
          {"limits", {{"cpu", resources.cpu_limit}, {"memory", resources.memory_limit}}},
          {"autoscale", std::move(autoscale)}};
}

}  // namespace

Tiers::Tiers(const templates::Files& files) {
  const auto file = files.get("tiers.yaml");
  const auto tree = templates::parse_single_tree(file.text, file.origin);
  MapReader reader(tree, file.origin, "the file");
  for (const auto& node : items_of(reader.at("tiers"), file.origin, "tiers")) {
    auto tier = read_tier(node, file.origin);
    if (std::any_of(tiers_.begin(), tiers_.end(), [&tier](const Tier& other) { return other.name == tier.name; }))
      reader.fail(node, "the tier " + tier.name + " is defined twice");
    tiers_.push_back(std::move(tier));
  }
  if (tiers_.empty()) reader.fail(tree, "it has no tiers");
  reader.finish();
}

bool is_tier_name(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 63 && alphanumeric(name.front()) && alphanumeric(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return c == '-' || alphanumeric(c); });
}

std::size_t Tiers::rank(std::string_view name) const {
  const auto found = std::find_if(tiers_.begin(), tiers_.end(), [name](const Tier& tier) { return tier.name == name; });
  return static_cast<std::size_t>(found - tiers_.begin());
}

const Tier& Tiers::get(std::string_view name) const {
  auto at = rank(name);
  // The prototype's name for it.
  if (at == tiers_.size() && name == "paid") at = rank("professional");
  if (at < tiers_.size()) return tiers_[at];
  std::vector<std::string> names;
  for (const auto& tier : tiers_) names.push_back(tier.name);
  std::string hint = did_you_mean(nearest(name, names));
  if (hint.empty()) {
    hint = "the tiers are ";
    for (const auto& known : names) hint += (known == names.front() ? "" : ", ") + known;
  }
  throw UsageError({.message = "unknown tier " + std::string(name), .hint = hint, .resource = {}, .cause = {}});
}

Json to_json(const Tier& tier) {
  Json instance_size = nullptr;
  if (!tier.instance_size.empty()) instance_size = tier.instance_size;
  Json json = {
      {"name", tier.name},
      {"modules", tier.modules},
      {"price", {{"cents", tier.price_cents}, {"currency", "USD"}}},
      {"database", {{"placement", tier.database}, {"instanceSize", instance_size}, {"backupDays", tier.backup_days}}}};
  for (const auto& [name, component] : tier.components) json[name] = component_json(component);
  return json;
}

}  // namespace litedesk
