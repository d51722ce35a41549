#include "commands/tenant_remains.hpp"

#include <fmt/format.h>

#include "commands/dns_records.hpp"
#include "commands/live_state.hpp"
#include "commands/parallel.hpp"

namespace litedesk {
namespace {

// A record at the tenant's host that has no owner record of ours is somebody else's, and perhaps why the run failed.
std::vector<std::string> owned_records(World& world, const Tenant& tenant) {
  std::vector<std::string> found;
  if (world.settings.dns.strategy != "record") return found;
  const route53::HostedZoneId zone = world.zone();
  const std::string registry_id = world.registry.registry_id();
  for (const std::string& host : managed_hosts(tenant, world.settings)) {
    for (const char* type : {"CNAME", "A", "AAAA"}) {
      const auto txt = world.records.get(zone, owner_record_name(host, type), "TXT");
      if (!txt) continue;
      for (const std::string& value : txt->values) {
        const auto owner = parse_owner_text(route53::unquote_txt(value));
        if (owner && owner->registry_id == registry_id && owner->slug == tenant.slug)
          found.push_back(fmt::format("DNS record {} {}", type, host));
      }
    }
  }
  return found;
}

}  // namespace

std::vector<std::string> remains_of(World& world, const Tenant& tenant) {
  const Names names = names_of(tenant.slug, world.settings.dns.domain);
  bool name_space = false, user = false;
  std::vector<std::string> records;
  run_all({
      [&] {
        name_space = world.objects.get({kubernetes::type_of("v1", "Namespace"), "", names.name_space}).has_value();
      },
      [&] { user = world.users.get_user(names.database_user).has_value(); },
      [&] { records = owned_records(world, tenant); },
  });
  std::vector<std::string> left;
  if (name_space) left.push_back("namespace " + names.name_space);
  if (user) left.push_back("database user " + names.database_user);
  left.insert(left.end(), records.begin(), records.end());
  return left;
}

}  // namespace litedesk
