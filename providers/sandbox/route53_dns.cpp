#include "providers/sandbox/route53_dns.hpp"

#include <optional>

#include "providers/sandbox/route53_changes.hpp"
#include "providers/sandbox/route53_names.hpp"

namespace litedesk::sandbox::route53 {

namespace {

constexpr int most_steps = 8;  // aliases that point to aliases

// What an alias to an AWS service resolves to, from the blocks that are kept for examples (RFC 5737, RFC 3849).
constexpr const char* service_address = "192.0.2.10";
constexpr const char* service_address_v6 = "2001:db8::10";

// The record sets of exactly that name; `below` says whether there are names under it.
std::vector<RecordSet> records_at(State& state, const std::string& zone_id, const std::string& name, bool& below) {
  constexpr std::int64_t at_once = 300;
  const auto key = reversed(name);
  std::vector<RecordSet> found;
  below = false;
  for (const auto& row : state.list_from(records_collection, zone_id, key, at_once)) {
    if (row.name.starts_with(key + " ")) {
      found.push_back(record_of(row.body));
    } else {
      below = row.name.starts_with(key);
      break;
    }
  }
  return found;
}

// Those that answer for the name: its own, or those of the wildcard of the closest name that exists (RFC 4592).
std::optional<std::vector<RecordSet>> answering(State& state, const std::string& zone_id, const std::string& zone_name,
                                                const std::string& name) {
  bool below = false;
  auto found = records_at(state, zone_id, name, below);
  if (!found.empty() || below) return found;
  std::string closest = name;
  while (closest != zone_name && lies_within(closest, zone_name)) {
    closest.erase(0, closest.find('.') + 1);
    bool ignored = false;
    found = records_at(state, zone_id, "\\052." + closest, ignored);
    if (!found.empty()) return found;
    if (!records_at(state, zone_id, closest, below).empty() || below) break;
  }
  return std::nullopt;
}

}  // namespace

DnsAnswer answer_dns(State& state, const std::string& zone_id, const std::string& zone_name, const std::string& name,
                     const std::string& type) {
  std::string asked = name;
  for (int step = 0; step < most_steps; ++step) {
    const auto records = answering(state, zone_id, zone_name, asked);
    if (!records) return {"NXDOMAIN", {}};
    const RecordSet* chosen = nullptr;
    for (const auto& record : *records)
      if (chosen == nullptr && (record.type == type || record.type == "CNAME")) chosen = &record;
    if (chosen == nullptr) return {};
    if (!chosen->alias) return {"NOERROR", chosen->values};
    if (chosen->alias->zone_id != zone_id) return {"NOERROR", {type == "AAAA" ? service_address_v6 : service_address}};
    asked = chosen->alias->target;
  }
  return {"SERVFAIL", {}};
}

}  // namespace litedesk::sandbox::route53
