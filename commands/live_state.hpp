// What is there now, read from all providers in one round.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "commands/surroundings.hpp"
#include "commands/tenant.hpp"
#include "commands/world.hpp"

namespace litedesk {

// One host of the instance and what Route 53 holds at it.
struct HostState {
  std::string host;
  std::vector<route53::RecordSet> records;        // of the host's own name
  std::vector<route53::RecordSet> owner_records;  // TXT at the owner record's name
};

struct LiveState {
  store::Document document;  // the tenant's record as stored
  Tenant tenant;
  std::string registry_id;
  std::string cluster_id;     // the UID of kube-system
  std::string load_balancer;  // host name or address; empty when none is known
  bool cert_manager = false;
  std::map<kubernetes::ObjectRef, kubernetes::Object> objects;  // what is there of what the templates can name
  Surroundings surroundings;
  std::optional<atlas::DatabaseUser> user;
  std::optional<atlas::Cluster> cluster;
  std::optional<atlas::Limit> user_limit;
  std::optional<route53::HostedZoneId> zone;  // when DNS records are made at all
  std::vector<HostState> hosts;
  std::map<std::string, store::Document> claims;  // of the tenant's hosts, by host, where there is one

  [[nodiscard]] const kubernetes::Object* find(const kubernetes::ObjectRef& ref) const;
};

// Reads in one round of requests, all at once. Throws NotFound for a slug that is not registered; Conflict for a
// cluster that is not the context's pinned one; a provider's error when one of them cannot be read: an absence is never
// guessed.
[[nodiscard]] LiveState read_live_state(const World& world, std::string_view slug);

// The external host name or address that a LoadBalancer Service got; empty while it has none.
[[nodiscard]] std::string external_address(const kubernetes::Object& service);

// The refs that are in `refs` and not in `live.objects` because they were not asked for, read now.
void read_more(const World& world, const std::vector<kubernetes::ObjectRef>& refs, LiveState& live);

// The hosts of a tenant that lie in the domain and so in the zone: the slug's, and a custom domain below it.
[[nodiscard]] std::vector<std::string> managed_hosts(const Tenant& tenant, const Settings& settings);

// How the record's inventory names an object: "apps/v1 Deployment backend".
[[nodiscard]] std::string inventory_entry(const kubernetes::ObjectRef& ref);
// Nothing for what is no entry, or of a kind that this version does not know.
[[nodiscard]] std::optional<kubernetes::ObjectRef> parse_inventory(std::string_view entry,
                                                                   const std::string& name_space);

// Every object that the templates can make for a slug, whatever its tier: the inventory for reads and for pruning.
[[nodiscard]] std::vector<kubernetes::ObjectRef> possible_objects(const World& world, std::string_view slug);

}  // namespace litedesk
