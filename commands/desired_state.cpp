#include "commands/desired_state.hpp"

#include <algorithm>
#include <set>

#include <arpa/inet.h>

#include "commands/dns_names.hpp"
#include "commands/dns_records.hpp"
#include "commands/field_diff.hpp"
#include "commands/instance_spec.hpp"
#include "commands/nearest.hpp"
#include "providers/error.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/sealed.hpp"

namespace litedesk {

namespace {

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// Our text in the TXT record that is there: whatever else it says stays.
void keep_other_texts(route53::RecordSet& owner, const LiveState& live) {
  for (const auto& host : live.hosts)
    for (const auto& there : host.owner_records) {
      if (there.name != owner.name) continue;
      owner.ttl = there.ttl;
      for (const auto& value : there.values)
        if (!parse_owner_text(route53::unquote_txt(value))) owner.values.push_back(value);
    }
}

// Where an autoscaler sets the number of replicas, it is ours only until the autoscaler has written one: applying none
// while nobody else owns the field would set it to 1.
void leave_replicas_to_autoscaler(std::vector<Json>& objects, const LiveState& live) {
  using kubernetes::Object;
  for (const auto& autoscaler : objects) {
    if (autoscaler.value("kind", "") != "HorizontalPodAutoscaler") continue;
    const auto target = Object(autoscaler).text("spec.scaleTargetRef.name");
    for (auto& json : objects) {
      if (json.value("kind", "") != "Deployment" || Object(json).name() != target) continue;
      const auto* there = live.find(Object(json).ref());
      if (there == nullptr) continue;
      const auto applied = extract_applied(there->json(), "litedesk");
      const bool ours = applied.is_object() && applied.contains("spec") && applied["spec"].contains("replicas");
      if (ours)
        json["spec"]["replicas"] = applied["spec"]["replicas"];
      else
        json["spec"].erase("replicas");
    }
  }
}

// A value of a live Secret; empty when the Secret or the key is not there.
Secret live_secret(const LiveState& live, const std::string& name_space, std::string_view name, const char* key) {
  const auto* object = live.find({kubernetes::type_of("v1", "Secret"), name_space, std::string(name)});
  if (object == nullptr) return {};
  auto decoded = system::base64_decode(system::unseal(object->text(std::string("data.") + key)).reveal());
  return decoded ? Secret(std::move(*decoded)) : Secret();
}

// Where every tenant's server opens the same database, a shared cluster would have them all in it.
void check_database_rule(const World& world, const Tenant& tenant) {
  const auto rule = database_rule(world.profile(), world.settings);
  if (rule.kind != DatabaseRule::Kind::fixed) return;
  const auto where = world.settings.app.database.empty() ? "profile " + world.profile().name
                                                         : "app.database of context " + world.settings.context;
  throw ValidationError({.message = where + " has every server open the database " + rule.name +
                                    ": on the shared cluster all tenants would meet in it",
                         .hint = "use an image that opens the database it is told, and say how: litedesk context set " +
                                 world.settings.context + " app.database=\"variable NAME\" (or uri, or fragment)",
                         .resource = "tenant " + tenant.slug,
                         .cause = {}});
}

// What the context sets for the application must be something that the profile takes.
void check_environment(const World& world) {
  for (const auto& [name, value] : world.settings.app.environment) {
    const auto* known = world.profile().find_optional(name);
    if (known != nullptr && !known->secret) continue;
    std::vector<std::string> names;
    for (const auto& component : world.profile().components)
      for (const auto& each : component.optional)
        if (!each.secret) names.push_back(each.name);
    const auto near = did_you_mean(nearest(name, names));
    throw ValidationError(
        {.message = known != nullptr
                        ? "app.environment of context " + world.settings.context + " holds the secret " + name
                        : "the profile " + world.profile().name + " takes no variable " + name,
         .hint = known != nullptr ? "set LITEDESK_APP_" + name + " in the environment of litedesk instead"
                 : near.empty()   ? "see docs/application.md; a profile of your own may take it"
                                  : near,
         .resource = "context " + world.settings.context,
         .cause = {}});
  }
}

LiveClaims live_claims(const World& world, const LiveState& live, const std::string& name_space) {
  LiveClaims claims;
  for (const auto& component : world.profile().components)
    for (const auto& volume : component.volumes) {
      const auto* there = live.find({kubernetes::type_of("v1", "PersistentVolumeClaim"), name_space, volume.name});
      if (there == nullptr) continue;
      const auto& modes = there->at("spec.accessModes");
      const auto mode = modes.is_array() && !modes.empty() && modes.front().is_string()
                            ? modes.front().get<std::string>()
                            : std::string();
      claims[volume.name] = {volume.name, there->text("spec.resources.requests.storage"), mode,
                             there->text("spec.storageClassName"), 1};
    }
  return claims;
}

// A volume that one node can mount at a time serves one pod.
void check_volumes(const World& world, const SpecInputs& inputs, const std::string& name_space) {
  const auto components = components_of(world.profile(), inputs.tenant, inputs.tier, world.settings);
  for (const auto& claim : claims_of(components, world.settings, inputs.claims)) {
    if (claim.access_mode != "ReadWriteOnce" || claim.pods <= 1) continue;
    const bool there = inputs.claims.contains(claim.name);
    throw ValidationError(
        {.message = "the volume " + claim.name + " of " + inputs.tenant.slug + " is ReadWriteOnce, and " +
                    std::to_string(claim.pods) + " pods would share it",
         .hint = there ? "keep one replica, or move its files to a volume that is ReadWriteMany (docs/application.md)"
                       : "litedesk context set " + world.settings.context +
                             " app.accessMode=ReadWriteMany app.storageClass=NAME, or keep one replica",
         .resource = "kubernetes PersistentVolumeClaim " + name_space + "/" + claim.name,
         .cause = {}});
  }
}

// The keys of the Secret `app`: what is there is kept, the profile's others are drawn, and the optional ones are what
// the operator's environment says.
std::map<std::string, Secret> app_secrets(const World& world, const LiveState& live, const std::string& name_space,
                                          std::vector<std::string>& warnings) {
  std::map<std::string, Secret> secrets;
  const auto* there = live.find({kubernetes::type_of("v1", "Secret"), name_space, "app"});
  const bool existed = there != nullptr;
  for (const auto& wanted : world.profile().secrets) {
    auto secret = live_secret(live, name_space, "app", wanted.key.c_str());
    // What was encrypted with another one before stays readable.
    if (secret.empty() && existed && !wanted.takes_over.empty())
      secret = live_secret(live, name_space, "app", wanted.takes_over.c_str());
    if (secret.empty()) secret = world.random.hex(static_cast<std::size_t>(wanted.bytes));
    secrets.emplace(wanted.key, std::move(secret));
  }
  std::set<std::string> optional;
  for (const auto& component : world.profile().components) {
    for (const auto& variable : component.optional) {
      if (!variable.secret) continue;
      const auto key = secret_key(variable.name);
      optional.insert(key);
      const auto given = world.settings.environment.find("LITEDESK_APP_" + variable.name);
      auto secret = given == world.settings.environment.end() ? live_secret(live, name_space, "app", key.c_str())
                                                              : Secret(given->second);
      if (!secret.empty()) secrets.insert_or_assign(key, std::move(secret));
    }
  }
  if (!existed || !there->at("data").is_object()) return secrets;
  for (const auto& [key, unused] : there->at("data").items()) {
    if (secrets.contains(key) || optional.contains(key)) continue;
    secrets.emplace(key, live_secret(live, name_space, "app", key.c_str()));
    warnings.push_back("the profile " + world.profile().name + " has no secret " + key + ": it is kept in Secret app");
  }
  return secrets;
}

std::string database_host(const World& world, const LiveState& live) {
  const auto& settings = world.settings.database;
  const std::string resource = "atlas Cluster " + settings.cluster;
  if (!live.cluster)
    throw NotFound({.message = "cluster " + settings.cluster + " not found in the Atlas project",
                    .hint = "set database.cluster of context " + world.settings.context + " (LITEDESK_ATLAS_CLUSTER)",
                    .resource = resource,
                    .cause = {}});
  if (live.cluster->paused)
    throw Unavailable({.message = "the shared cluster " + settings.cluster + " is paused",
                       .hint = "resume it in Atlas, and run the command again",
                       .resource = resource,
                       .cause = {}});
  const auto& srv = live.cluster->standard_srv;
  constexpr std::string_view scheme = "mongodb+srv://";
  if (!srv.starts_with(scheme))
    throw Unavailable({.message = "the shared cluster " + settings.cluster + " has no connection string yet (it is " +
                                  live.cluster->state + ")",
                       .hint = "wait until it is IDLE, and run the command again",
                       .resource = resource,
                       .cause = {}});
  return srv.substr(scheme.size());
}

atlas::DatabaseUser make_user(const World& world, const LiveState& live, const Secret& password) {
  const auto names = names_of(live.tenant.slug, world.settings.dns.domain);
  atlas::DatabaseUser user;
  user.username = names.database_user;
  user.roles = {{database_name(world.profile(), world.settings, live.tenant.slug), "readWrite"}};
  user.clusters = {world.settings.database.cluster};
  user.labels = {{std::string(label_tenant), live.tenant.slug},
                 {std::string(label_registry), live.registry_id},
                 {std::string(label_password), password_mark(password)}};
  user.description = "litedesk tenant " + live.tenant.slug;
  return user;
}

std::vector<DesiredRecord> make_records(const World& world, const LiveState& live) {
  std::vector<DesiredRecord> records;
  if (world.settings.dns.strategy != "record") return records;
  if (live.load_balancer.empty())
    throw NotFound({.message = "the ingress load balancer has no external address to point DNS at",
                    .hint = "set kubernetes.loadBalancer of context " + world.settings.context +
                            " (LITEDESK_LOAD_BALANCER), or wait until Service " +
                            world.settings.kubernetes.ingress_namespace + "/" +
                            world.settings.kubernetes.ingress_service + " has one",
                    .resource = "kubernetes Service " + world.settings.kubernetes.ingress_namespace + "/" +
                                world.settings.kubernetes.ingress_service,
                    .cause = {}});
  const bool address = is_ipv4(live.load_balancer) || is_ipv6(live.load_balancer);
  // What the cluster says of its Service is right by itself; what a person wrote may be half an address.
  if (!address && !world.settings.kubernetes.load_balancer.empty())
    check_target_name(live.load_balancer, "kubernetes.loadBalancer", world.settings.dns.domain);
  for (const auto& host : managed_hosts(live.tenant, world.settings)) {
    DesiredRecord wanted;
    wanted.host = host;
    wanted.record.name = host;
    wanted.record.type = is_ipv4(live.load_balancer) ? "A" : is_ipv6(live.load_balancer) ? "AAAA" : "CNAME";
    wanted.record.values = {live.load_balancer};
    wanted.owner.name = owner_record_name(host, wanted.record.type);
    wanted.owner.type = "TXT";
    wanted.owner.values = {route53::quote_txt(owner_text(live.registry_id, live.tenant.slug))};
    keep_other_texts(wanted.owner, live);
    records.push_back(std::move(wanted));
  }
  return records;
}

}  // namespace

std::string password_mark(const Secret& password) {
  return system::sha256_hex(password.reveal()).substr(0, 16);
}

DesiredState make_desired_state(const World& world, const LiveState& live) {
  DesiredState desired;
  const auto& settings = world.settings;
  const auto& tenant = live.tenant;
  const auto names = names_of(tenant.slug, settings.dns.domain);
  const auto& strategy =
      tenant.instance.database_strategy.empty() ? settings.database.strategy : tenant.instance.database_strategy;
  if (strategy != "atlas-shared")
    throw Disabled({.message = "litedesk does not support database strategy " + strategy + " yet",
                    .hint = "use atlas-shared (LITEDESK_DATABASE_STRATEGY)",
                    .resource = "tenant " + tenant.slug,
                    .cause = {}});

  check_database_rule(world, tenant);
  SpecInputs inputs;
  inputs.tenant = tenant;
  inputs.tier = world.tiers.get(tenant.tier);
  inputs.load_balancer = live.load_balancer;
  inputs.database_host = database_host(world, live);
  inputs.registry_id = live.registry_id;
  inputs.cert_manager = live.cert_manager;
  inputs.database_password = live_secret(live, names.name_space, "database", "password");
  if (inputs.database_password.empty()) inputs.database_password = world.random.password(32);
  inputs.profile = &world.profile();
  inputs.app_secrets = app_secrets(world, live, names.name_space, desired.warnings);
  check_environment(world);
  inputs.claims = live_claims(world, live, names.name_space);
  check_volumes(world, inputs, names.name_space);

  desired.objects = render_instance(world.templates, inputs, settings);
  leave_replicas_to_autoscaler(desired.objects, live);
  desired.database_password = inputs.database_password;
  desired.user = make_user(world, live, desired.database_password);
  desired.records = make_records(world, live);

  if (inputs.tier.database == "dedicated")
    desired.warnings.push_back("tier " + inputs.tier.name +
                               " asks for a cluster of its own; strategy atlas-shared places " + tenant.slug +
                               " on cluster " + settings.database.cluster);
  if (settings.kubernetes.certificates == "per-host" && !live.cert_manager)
    desired.warnings.push_back(
        "the cluster has no cert-manager: no certificate is requested, and its state is unknown");
  const auto& custom = tenant.custom_domain;
  if (!custom.empty() && !custom.ends_with("." + settings.dns.domain))
    desired.warnings.push_back("point " + custom + " at " + names.host + " by a CNAME in its own zone");
  return desired;
}

}  // namespace litedesk
