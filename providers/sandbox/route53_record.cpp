#include "providers/sandbox/route53_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "providers/sandbox/route53_names.hpp"
#include "providers/sandbox/route53_signature.hpp"

namespace litedesk::sandbox::route53 {

namespace {

constexpr std::array<const char*, 5> routing_fields = {"Weight", "Region", "Failover", "MultiValueAnswer",
                                                       "HealthCheckId"};
constexpr std::array<const char*, 3> location_fields = {"ContinentCode", "CountryCode", "SubdivisionCode"};
// The API knows them; this stand-in does not, and says so rather than dropping them.
constexpr std::array<const char*, 3> unsupported_fields = {"TrafficPolicyInstanceId", "CidrRoutingConfig",
                                                           "GeoProximityLocation"};

[[noreturn]] void invalid(std::string message) {
  throw Refusal{400, "InvalidInput", std::move(message)};
}

// How a change is called in messages about its form.
std::string change_label(const std::string& action, const RecordSet& record) {
  return fmt::format("Change with [Action={}, Name={}, Type={}, SetIdentifier={}]", action, record.name, record.type,
                     record.set_identifier.empty() ? "null" : record.set_identifier);
}

template <typename Number>
std::optional<Number> number_in(const char* text) {
  const std::string_view view = text;
  Number value{};
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc() || end != view.data() + view.size()) return std::nullopt;
  return value;
}

void read_alias(const pugi::xml_node& node, RecordSet& record, std::vector<std::string>& problems) {
  const auto alias = node.child("AliasTarget");
  if (!alias) return;
  for (const auto* field : {"HostedZoneId", "DNSName", "EvaluateTargetHealth"})
    if (alias.child(field).text().empty())
      invalid(fmt::format("Invalid XML ; AliasTarget of '{}' lacks the element {}", record.name, field));
  std::string zone = alias.child("HostedZoneId").text().get();
  if (zone.starts_with("/hostedzone/")) zone.erase(0, std::string_view("/hostedzone/").size());
  std::optional<std::string> problem;
  const auto target = canonical_name(alias.child("DNSName").text().get(), problem);
  if (problem) problems.push_back(*problem);
  const std::string_view health = alias.child("EvaluateTargetHealth").text().get();
  if (health != "true" && health != "false")
    invalid(fmt::format("Invalid XML ; EvaluateTargetHealth of '{}' is '{}', not true or false", record.name, health));
  record.alias = Alias{std::move(zone), target, health == "true"};
}

void read_routing(const pugi::xml_node& node, RecordSet& record) {
  for (const auto* field : unsupported_fields)
    if (node.child(field)) invalid(fmt::format("This sandbox does not know the element {}", field));
  for (const auto* field : routing_fields)
    if (const auto child = node.child(field)) record.routing.emplace_back(field, child.text().get());
  if (const auto location = node.child("GeoLocation"))
    for (const auto* field : location_fields)
      if (const auto child = location.child(field))
        record.routing.emplace_back(fmt::format("GeoLocation/{}", field), child.text().get());
}

void check_form(const std::string& action, const RecordSet& record, bool has_ttl, bool has_values) {
  // Exactly one of an alias, and a TTL with values.
  const auto label = change_label(action, record);
  const std::string wanted =
      "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
      "TrafficPolicyInstanceId], but found ";
  if (record.alias && (has_ttl || has_values)) invalid(wanted + "more than one in " + label);
  if (!record.alias && (!has_ttl || !has_values)) invalid(wanted + "none in " + label);
  const bool routed = std::any_of(record.routing.begin(), record.routing.end(),
                                  [](const auto& field) { return field.first != "HealthCheckId"; });
  if (routed && record.set_identifier.empty())
    invalid(fmt::format("Invalid request: Missing field 'SetIdentifier' in {}", label));
  if (!routed && !record.set_identifier.empty())
    invalid(
        fmt::format("Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, "
                    "MultiValueAnswer], but found none in {}",
                    label));
}

void read_values(const pugi::xml_node& node, RecordSet& record, std::vector<std::string>& problems) {
  constexpr std::size_t longest_value = 4000;
  for (const auto& item : node.child("ResourceRecords").children("ResourceRecord")) {
    std::string value = item.child("Value").text().get();
    if (value.size() > longest_value)
      invalid(
          fmt::format("1 validation error detected: Value '{}...' at 'resourceRecord.value' failed to satisfy "
                      "constraint: Member must have length less than or equal to 4000",
                      value.substr(0, 40)));
    if (const auto problem = value_problem(record.type, value))
      problems.push_back(fmt::format("Invalid Resource Record: '{}'", *problem));
    if (std::find(record.values.begin(), record.values.end(), value) != record.values.end())
      problems.push_back(fmt::format("Duplicate Resource Record: '{}'", value));
    record.values.push_back(std::move(value));
  }
  if ((record.type == "CNAME" || record.type == "SOA") && record.values.size() > 1)
    problems.push_back(
        fmt::format("RRSet of type {} with DNS name {} may hold only one resource record", record.type, record.name));
}

}  // namespace

std::string RecordSet::key() const {
  return fmt::format("{} {} {}", reversed(name), type, set_identifier);
}

std::string RecordSet::label() const {
  if (set_identifier.empty()) return fmt::format("[name='{}', type='{}']", name, type);
  return fmt::format("[name='{}', type='{}', set identifier='{}']", name, type, set_identifier);
}

bool RecordSet::same_values(const RecordSet& other) const {
  auto mine = values;
  auto theirs = other.values;
  std::sort(mine.begin(), mine.end());
  std::sort(theirs.begin(), theirs.end());
  return ttl == other.ttl && mine == theirs && alias == other.alias && routing == other.routing;
}

RecordSet parse_record(const pugi::xml_node& node, const std::string& action, std::vector<std::string>& problems) {
  constexpr std::int64_t longest_ttl = 2147483647;
  RecordSet record;
  for (const auto* field : {"Name", "Type"})
    if (node.child(field).text().empty())
      invalid(fmt::format("Invalid XML ; a ResourceRecordSet lacks the element {}", field));
  std::optional<std::string> problem;
  record.name = canonical_name(node.child("Name").text().get(), problem);
  if (problem) problems.push_back(*problem);
  record.type = node.child("Type").text().get();
  if (!is_known_type(record.type))
    invalid(
        fmt::format("1 validation error detected: Value '{}' at 'resourceRecordSet.type' failed to satisfy constraint: "
                    "Member must satisfy enum value set",
                    record.type));
  record.set_identifier = node.child("SetIdentifier").text().get();
  const auto ttl = node.child("TTL");
  if (ttl) {
    record.ttl = number_in<std::int64_t>(ttl.text().get());
    if (!record.ttl || *record.ttl < 0 || *record.ttl > longest_ttl)
      invalid(fmt::format("Invalid XML ; the TTL of '{}' is '{}', not a number from 0 to 2147483647", record.name,
                          ttl.text().get()));
  }
  read_alias(node, record, problems);
  read_routing(node, record);
  read_values(node, record, problems);
  check_form(action, record, static_cast<bool>(ttl), !record.values.empty());
  return record;
}

void print_record(pugi::xml_node parent, const RecordSet& record) {
  const auto add = [](pugi::xml_node to, const char* name, const std::string& text) {
    to.append_child(name).text().set(text.c_str());
  };
  auto node = parent.append_child("ResourceRecordSet");
  add(node, "Name", record.name);
  add(node, "Type", record.type);
  if (!record.set_identifier.empty()) add(node, "SetIdentifier", record.set_identifier);
  for (const auto& [name, value] : record.routing) {
    if (name == "HealthCheckId") continue;
    const auto slash = name.find('/');
    if (slash == std::string::npos) {
      add(node, name.c_str(), value);
      continue;
    }
    auto location = node.child("GeoLocation");
    if (!location) location = node.append_child("GeoLocation");
    add(location, name.c_str() + slash + 1, value);
  }
  if (record.ttl) add(node, "TTL", std::to_string(*record.ttl));
  if (!record.values.empty()) {
    auto values = node.append_child("ResourceRecords");
    for (const auto& value : record.values) add(values.append_child("ResourceRecord"), "Value", value);
  }
  if (record.alias) {
    auto alias = node.append_child("AliasTarget");
    add(alias, "HostedZoneId", record.alias->zone_id);
    add(alias, "DNSName", record.alias->target);
    add(alias, "EvaluateTargetHealth", record.alias->evaluate_health ? "true" : "false");
  }
  for (const auto& [name, value] : record.routing)
    if (name == "HealthCheckId") add(node, name.c_str(), value);
}

Json to_json(const RecordSet& record) {
  Json json = {{"name", record.name}, {"type", record.type}};
  if (!record.set_identifier.empty()) json["setIdentifier"] = record.set_identifier;
  if (record.ttl) json["ttl"] = *record.ttl;
  if (!record.values.empty()) json["values"] = record.values;
  if (record.alias)
    json["alias"] = {{"zoneId", record.alias->zone_id},
                     {"target", record.alias->target},
                     {"evaluateHealth", record.alias->evaluate_health}};
  for (const auto& [name, value] : record.routing) json["routing"].push_back({name, value});
  return json;
}

RecordSet record_of(const Json& json) {
  RecordSet record;
  record.name = json.at("name").get<std::string>();
  record.type = json.at("type").get<std::string>();
  record.set_identifier = json.value("setIdentifier", "");
  if (json.contains("ttl")) record.ttl = json.at("ttl").get<std::int64_t>();
  if (json.contains("values")) record.values = json.at("values").get<std::vector<std::string>>();
  if (json.contains("alias")) {
    const auto& alias = json.at("alias");
    record.alias = Alias{alias.at("zoneId").get<std::string>(), alias.at("target").get<std::string>(),
                         alias.at("evaluateHealth").get<bool>()};
  }
  if (json.contains("routing"))
    for (const auto& field : json.at("routing"))
      record.routing.emplace_back(field.at(0).get<std::string>(), field.at(1).get<std::string>());
  return record;
}

}  // namespace litedesk::sandbox::route53
