#include "commands/desired_state.hpp"

#include <arpa/inet.h>

#include "commands/dns_names.hpp"
#include "commands/dns_records.hpp"
#include "commands/field_diff.hpp"
#include "commands/instance_spec.hpp"
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
  user.roles = {{names.database, "readWrite"}, {names.database, "dbAdmin"}};
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

  SpecInputs inputs;
  inputs.tenant = tenant;
  inputs.tier = world.tiers.get(tenant.tier);
  inputs.load_balancer = live.load_balancer;
  inputs.database_host = database_host(world, live);
  inputs.registry_id = live.registry_id;
  inputs.cert_manager = live.cert_manager;
  inputs.database_password = live_secret(live, names.name_space, "database", "password");
  if (inputs.database_password.empty()) inputs.database_password = world.random.password(32);
  inputs.jwt_secret = live_secret(live, names.name_space, "app", "jwt-secret");
  if (inputs.jwt_secret.empty()) inputs.jwt_secret = world.random.hex(64);

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
