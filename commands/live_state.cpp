#include "commands/live_state.hpp"

#include <algorithm>
#include <set>

#include "commands/dns_records.hpp"
#include "commands/host_claims.hpp"
#include "commands/instance_spec.hpp"
#include "commands/parallel.hpp"
#include "commands/registry.hpp"
#include "providers/error.hpp"
#include "providers/store/kubernetes_store.hpp"

namespace litedesk {

namespace {

using kubernetes::Object;
using kubernetes::ObjectRef;

ObjectRef kube_system_ref() {
  return {kubernetes::type_of("v1", "Namespace"), "", "kube-system"};
}

ObjectRef ingress_service_ref(const KubernetesSettings& settings) {
  return {kubernetes::type_of("v1", "Service"), settings.ingress_namespace, settings.ingress_service};
}

bool needs_dns(const Settings& settings) {
  return settings.dns.strategy == "record";
}

// Rethrows what a single object's read threw, but an object that may not be read is no absent one.
std::optional<Object> take(std::variant<std::optional<Object>, std::exception_ptr>& result) {
  if (auto* error = std::get_if<std::exception_ptr>(&result)) std::rethrow_exception(*error);
  return std::move(std::get<std::optional<Object>>(result));
}

void read_objects(const World& world, std::string_view slug, LiveState& live, std::optional<Object>& tenant) {
  std::vector<ObjectRef> refs;
  if (world.registry_in_cluster) refs.push_back({tenant_type(), "", std::string(slug)});
  refs.push_back(kube_system_ref());
  const bool with_ingress = world.settings.kubernetes.load_balancer.empty() && needs_dns(world.settings);
  if (with_ingress) refs.push_back(ingress_service_ref(world.settings.kubernetes));
  const auto instance = possible_objects(world, slug);
  const auto first_of_instance = refs.size();
  refs.insert(refs.end(), instance.begin(), instance.end());

  auto results = world.objects.get_all(refs);
  std::size_t at = 0;
  if (world.registry_in_cluster) tenant = take(results[at++]);
  if (const auto kube_system = take(results[at++])) live.cluster_id = kube_system->uid();
  if (with_ingress) {
    if (const auto service = take(results[at++])) live.load_balancer = external_address(*service);
  } else {
    live.load_balancer = world.settings.kubernetes.load_balancer;
  }
  for (std::size_t index = first_of_instance; index < refs.size(); ++index)
    if (auto object = take(results[index])) live.objects.emplace(refs[index], std::move(*object));
}

bool in_domain(const std::string& host, const Settings& settings) {
  return host.ends_with("." + settings.dns.domain);
}

HostState read_host(const World& world, const route53::HostedZoneId& zone, const std::string& host) {
  HostState state{host, {}, {}};
  std::set<std::string> owner_names;
  for (const auto* type : {"CNAME", "A", "AAAA"}) owner_names.insert(owner_record_name(host, type));
  std::vector<std::function<void()>> tasks{[&] { state.records = world.records.get_name(zone, host); }};
  std::vector<std::optional<route53::RecordSet>> owners(owner_names.size());
  std::size_t index = 0;
  for (const auto& name : owner_names) {
    tasks.push_back([&world, &zone, &owners, index, name] { owners[index] = world.records.get(zone, name, "TXT"); });
    ++index;
  }
  run_all(tasks);
  for (auto& owner : owners)
    if (owner) state.owner_records.push_back(std::move(*owner));
  return state;
}

// A key that may manage users need not be allowed to read the project's limits.
std::optional<atlas::Limit> read_user_limit(const World& world) {
  try {
    return world.clusters.limit("atlas.project.security.databaseAccess.users");
  } catch (const PermissionDenied&) {
    return std::nullopt;
  } catch (const NotFound&) {
    return std::nullopt;
  }
}

void read_hosts(const World& world, const std::vector<std::string>& hosts, LiveState& live) {
  if (!needs_dns(world.settings)) return;
  if (!live.zone) live.zone = world.zone();
  const auto first = live.hosts.size();
  live.hosts.resize(first + hosts.size());
  std::vector<std::function<void()>> tasks;
  for (std::size_t index = 0; index < hosts.size(); ++index)
    tasks.push_back([&, index] { live.hosts[first + index] = read_host(world, *live.zone, hosts[index]); });
  run_all(tasks);
}

void read_claim(const World& world, const std::string& host, LiveState& live) {
  if (auto claim = world.claims.get(host)) live.claims.insert_or_assign(host, std::move(*claim));
}

// What the first round could not know of: a custom domain, and what an earlier run made by other templates, settings or
// for another domain, as the record's inventory names it.
void read_inventory(const World& world, std::string_view slug, LiveState& live) {
  auto hosts = managed_hosts(live.tenant, world.settings);
  for (const auto& host : live.tenant.status.hosts)
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end() && in_domain(host, world.settings))
      hosts.push_back(host);
  hosts.erase(hosts.begin());
  std::vector<std::function<void()>> reads;
  if (!hosts.empty()) reads.emplace_back([&] { read_hosts(world, hosts, live); });
  for (const Host& host : hosts_of(live.tenant, world.settings.dns.domain))
    if (host.custom) reads.emplace_back([&world, &live, host] { read_claim(world, host.name, live); });
  run_all(reads);

  const auto possible = possible_objects(world, slug);
  std::vector<ObjectRef> more;
  for (const auto& entry : live.tenant.status.inventory)
    if (auto ref = parse_inventory(entry, names_of(slug, world.settings.dns.domain).name_space))
      if (!std::binary_search(possible.begin(), possible.end(), *ref)) more.push_back(std::move(*ref));
  read_more(world, more, live);
}

}  // namespace

std::string external_address(const Object& service) {
  const auto& addresses = service.at("status.loadBalancer.ingress");
  if (!addresses.is_array() || addresses.empty()) return {};
  const auto& first = addresses.front();
  return first.contains("hostname") ? first.value("hostname", "") : first.value("ip", "");
}

std::string inventory_entry(const ObjectRef& ref) {
  return ref.type.api_version() + " " + ref.type.kind + " " + ref.name;
}

std::optional<ObjectRef> parse_inventory(std::string_view entry, const std::string& name_space) {
  const auto first = entry.find(' '), last = entry.rfind(' ');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const auto api_version = entry.substr(0, first), kind = entry.substr(first + 1, last - first - 1);
  try {
    const auto& type = kubernetes::type_of(api_version, kind);
    return ObjectRef{type, type.namespaced ? name_space : "", std::string(entry.substr(last + 1))};
  } catch (const ValidationError&) {
    return std::nullopt;
  }
}

const Object* LiveState::find(const ObjectRef& ref) const {
  const auto found = objects.find(ref);
  return found == objects.end() ? nullptr : &found->second;
}

std::vector<std::string> managed_hosts(const Tenant& tenant, const Settings& settings) {
  std::vector<std::string> hosts{names_of(tenant.slug, settings.dns.domain).host};
  const auto& custom = tenant.custom_domain;
  if (!custom.empty() && custom != hosts.front() && in_domain(custom, settings)) hosts.push_back(custom);
  return hosts;
}

std::vector<ObjectRef> possible_objects(const World& world, std::string_view slug) {
  SpecInputs inputs;
  inputs.tenant.slug = std::string(slug);
  inputs.tenant.company = inputs.tenant.owner.name = std::string(slug);
  inputs.load_balancer = "load-balancer.invalid";
  inputs.database_host = "database.invalid";
  inputs.registry_id = "registry";
  inputs.database_password = Secret("unknown");
  inputs.profile = &world.profile();
  std::vector<ObjectRef> refs;
  // Tiers differ in the objects they have by autoscaling and by having one pod or several alone in the built-in
  // templates; rendering one of each kind finds them all. What a template of one's own makes of other differences is
  // read in a second round.
  std::set<std::string> rendered;
  for (const auto& tier : world.tiers.all()) {
    std::string kind;
    for (const auto& [name, component] : tier.components)
      kind += name + (component.autoscale ? " scaled" : "") + (component.replicas > 1 ? " several," : " one,");
    if (!rendered.insert(kind).second) continue;
    inputs.tier = tier;
    inputs.tenant.tier = tier.name;
    for (const auto& object : render_instance(world.templates, inputs, world.settings))
      refs.push_back(Object(object).ref());
  }
  std::sort(refs.begin(), refs.end());
  refs.erase(std::unique(refs.begin(), refs.end()), refs.end());
  return refs;
}

void read_more(const World& world, const std::vector<ObjectRef>& refs, LiveState& live) {
  if (refs.empty()) return;
  auto results = world.objects.get_all(refs);
  for (std::size_t index = 0; index < refs.size(); ++index)
    if (auto object = take(results[index])) live.objects.emplace(refs[index], std::move(*object));
}

LiveState read_live_state(const World& world, std::string_view slug) {
  LiveState live;
  std::optional<Object> tenant_object;
  if (!world.registry_in_cluster) {
    live.tenant = get_tenant(world.registry, slug);
    if (auto document = world.registry.get(slug)) live.document = std::move(*document);
  }
  const auto& database = world.settings.database;
  const auto names = names_of(slug, world.settings.dns.domain);
  run_all({
      [&] { read_objects(world, slug, live, tenant_object); },
      [&] { live.cert_manager = world.objects.serves(kubernetes::type_of("cert-manager.io/v1", "Certificate")); },
      [&] { live.surroundings = read_surroundings(world, names.name_space); },
      [&] { live.user = world.users.get_user(names.database_user); },
      [&] { live.cluster = world.clusters.get_cluster(database.cluster); },
      [&] { live.user_limit = read_user_limit(world); },
      [&] { read_hosts(world, {names.host}, live); },
      [&] { read_claim(world, names.host, live); },
  });

  check_cluster(world.settings, live.cluster_id);
  if (world.registry_in_cluster) {
    // Nothing there: the registry itself says why (not registered, with the nearest slug, or no CRD).
    if (!tenant_object) {
      live.tenant = get_tenant(world.registry, slug);
      throw Conflict({.message = "tenant " + std::string(slug) + " was registered just now",
                      .hint = "run the command again",
                      .resource = "kubernetes Tenant " + std::string(slug),
                      .cause = {}});
    }
    live.document = store::to_document(*tenant_object);
    live.tenant = to_tenant(live.document);
    if (live.cluster_id.empty()) live.registry_id = world.registry.registry_id();  // which says why there is none
    if (live.registry_id.empty()) live.registry_id = "cluster-" + live.cluster_id;
  } else {
    live.registry_id = world.registry.registry_id();
  }
  read_inventory(world, slug, live);
  return live;
}

}  // namespace litedesk
