#include "commands/status.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "commands/application_check.hpp"
#include "commands/dns_records.hpp"
#include "commands/live_state.hpp"
#include "commands/parallel.hpp"
#include "commands/readiness.hpp"
#include "commands/wait_gone.hpp"
#include "providers/error.hpp"
#include "providers/kubernetes/rollout_status.hpp"

namespace litedesk {

namespace {

using kubernetes::Object;
using kubernetes::ObjectRef;

// What one part's read came to when the provider could not be asked: shown, never guessed.
Part unknown_part(const std::string& name, const std::exception& error) {
  const std::string text = error.what();
  return {name, "unknown", "CannotRead", text.substr(0, text.find('\n')), ""};
}

template <class Read>
void guarded(Part& part, const Read& read) {
  try {
    part = read();
  } catch (const Cancelled&) {
    throw;
  } catch (const std::exception& error) {
    part = unknown_part(part.name, error);
  }
}

std::vector<ForeignObject> foreign_to(const Tenant& tenant, const Surroundings& surroundings,
                                      const std::optional<Object>& name_space) {
  std::set<std::string> own;
  for (const auto& entry : tenant.status.inventory) own.insert(entry.substr(entry.find(' ') + 1));
  if (!name_space) return {};
  return foreign_objects(surroundings, own, labels_of(name_space->json()), name_space->name());
}

Part missing_deployment(const std::string& name) {
  return {name, "failed", "Missing", "Deployment " + name + " not found", "", true};
}

Part deployment_state(const std::string& name, const std::optional<Object>& deployment,
                      const std::vector<Object>& replica_sets, const std::vector<Object>& pods) {
  if (!deployment) return missing_deployment(name);
  std::vector<kubernetes::PodTrouble> troubles;
  for (const auto& set : replica_sets) {
    if (!kubernetes::is_current_replica_set(*deployment, set)) continue;
    for (const auto& pod : pods)
      if (kubernetes::controller_uid(pod) == set.uid() && !pod.deleting())
        for (auto& trouble : kubernetes::pod_troubles(pod)) troubles.push_back(std::move(trouble));
  }
  auto part = deployment_part(name, *deployment, troubles);
  if (const auto refused = kubernetes::replica_failure(*deployment))
    part = {name, "failed", refused->reason, refused->message, refused->since, true};
  if (part.state == "waiting" && !troubles.empty()) part.state = "failed";
  return part;
}

Part database_state(const World& world, const Names& names) {
  Part part{"database", "ok", "", "user " + names.database_user + " on cluster " + world.settings.database.cluster, ""};
  const auto cluster = world.clusters.get_cluster(world.settings.database.cluster);
  if (!cluster)
    return {"database", "failed", "Missing", "cluster " + world.settings.database.cluster + " not found", ""};
  if (!world.users.get_user(names.database_user))
    return {"database", "failed", "Missing", "user " + names.database_user + " not found", ""};
  if (cluster->paused) return {"database", "failed", "Paused", "cluster " + cluster->name + " is paused", ""};
  if (cluster->state != "IDLE")
    part = {"database", "waiting", cluster->state, "cluster " + cluster->name + " is " + cluster->state, ""};
  return part;
}

Part dns_state(const World& world, const Tenant& tenant) {
  if (world.settings.dns.strategy != "record") return {"dns", "ok", "", "strategy " + world.settings.dns.strategy, ""};
  const auto host = names_of(tenant.slug, world.settings.dns.domain).host;
  const auto zone = world.zone();
  std::string text;
  for (const auto& record : world.records.get_name(zone, host)) {
    if (record.type != "CNAME" && record.type != "A") continue;
    text = record.type + " " + host + " → " +
           (record.alias            ? record.alias->name
            : record.values.empty() ? ""
                                    : record.values.front());
  }
  if (text.empty()) return {"dns", "failed", "Missing", "record " + host + " not found", ""};
  if (!tenant.status.change_id.empty() &&
      world.record_writer.get_change(tenant.status.change_id, world.interrupted).status ==
          route53::ChangeStatus::pending)
    return {"dns", "waiting", "PENDING", text, ""};
  return {"dns", "ok", "", text, ""};
}

// What the application answered when it was asked last.
Part application_then(const Tenant& tenant) {
  const auto& last = tenant.status.application;
  if (last.state.empty())
    return {"application", "unknown", "", "not asked yet: litedesk status " + tenant.slug + " --probe", ""};
  return {"application", last.state, "", last.message, last.time};
}

// Where the load balancer is, when the context does not say it.
std::string load_balancer_of(const World& world) {
  const auto& settings = world.settings.kubernetes;
  if (!settings.load_balancer.empty() || world.settings.dns.strategy != "record") return settings.load_balancer;
  const auto service =
      world.objects.get({kubernetes::type_of("v1", "Service"), settings.ingress_namespace, settings.ingress_service});
  return service ? external_address(*service) : std::string();
}

Part application_now(const World& world, const Names& names) {
  Part part{"application", "", "", "", ""};
  guarded(part, [&]() -> Part {
    const auto answer = ask_application(world, names.host, load_balancer_of(world));
    return {"application", std::string(to_state(answer.serving)), "", answer.message,
            system::to_rfc3339(world.clock.now())};
  });
  return part;
}

// Why a component waits whose pods run, and are not ready: a probe that fails is in events alone.
void add_probe(Part& part, const std::vector<Object>& pods, const std::vector<StatusEvent>& events) {
  if (!part.component || part.state != "waiting" || !part.reason.empty()) return;
  for (const auto& event : events) {
    const auto trouble = kubernetes::probe_trouble(event.reason, event.message);
    if (!trouble) continue;
    for (const auto& pod : pods) {
      const auto ready = kubernetes::find_condition(pod, "Ready");
      if (event.object != "Pod/" + pod.name() || pod.label("app.kubernetes.io/component") != part.name) continue;
      if (ready && ready->status == "True") continue;
      part.reason = trouble->reason;
      part.message = trouble->message;
      return;
    }
  }
}

// A pod that waited for its volume or for a node, and has one by now.
void drop_what_has_passed(std::vector<StatusEvent>& events, const std::vector<Object>& pods) {
  std::set<std::string> scheduled;
  for (const auto& pod : pods)
    if (!pod.text("spec.nodeName").empty()) scheduled.insert("Pod/" + pod.name());
  std::erase_if(events, [&scheduled](const StatusEvent& event) {
    return event.reason == "FailedScheduling" && scheduled.contains(event.object);
  });
}

// The names of the Deployments that a tenant is to have: what its record says, in the profile's order, or the profile's
// where the record says nothing yet.
std::vector<std::string> deployments_of(const Tenant& tenant, const AppProfile& profile) {
  constexpr std::string_view prefix = "apps/v1 Deployment ";
  std::vector<std::string> names, ordered;
  for (const auto& entry : tenant.status.inventory)
    if (entry.starts_with(prefix)) names.push_back(entry.substr(prefix.size()));
  for (const auto& component : profile.components)
    if (names.empty() || std::find(names.begin(), names.end(), component.name) != names.end())
      ordered.push_back(component.name);
  for (auto& name : names)
    if (std::find(ordered.begin(), ordered.end(), name) == ordered.end()) ordered.push_back(std::move(name));
  return ordered;
}

std::string health_of(const std::vector<Part>& parts) {
  bool unknown = false, waiting = false, failed = false, serving_failed = false;
  for (const auto& part : parts) {
    unknown = unknown || (part.state == "unknown" && part.reason == "CannotRead");
    waiting = waiting || part.state == "waiting";
    failed = failed || part.state == "failed";
    const bool serves = part.component || part.name == "namespace" || part.name == "application";
    serving_failed = serving_failed || (part.state == "failed" && serves);
  }
  if (serving_failed) return "unhealthy";
  if (failed || waiting) return "degraded";
  return unknown ? "unknown" : "healthy";
}

}  // namespace

std::vector<StatusEvent> warning_events(const World& world, const std::string& name_space, system::TimePoint oldest) {
  std::vector<StatusEvent> events;
  for (const auto& event : world.objects
                               .list(kubernetes::type_of("v1", "Event"), name_space,
                                     {.label_selector = {}, .field_selector = "type=Warning"})
                               .items) {
    auto since = event.text("lastTimestamp");
    if (since.empty()) since = event.text("eventTime");
    if (since.empty()) since = event.text("metadata.creationTimestamp");
    const auto time = system::from_rfc3339(since);
    if (event.text("type") != "Warning" || (time && *time < oldest)) continue;
    events.push_back({since, event.text("involvedObject.kind") + "/" + event.text("involvedObject.name"),
                      event.text("reason"), event.text("message"), event.integer("count", 1)});
  }
  std::sort(events.begin(), events.end(), [](const StatusEvent& a, const StatusEvent& b) { return a.since > b.since; });
  return events;
}

InstanceStatus instance_status(World& world, std::string_view slug, bool probe) {
  InstanceStatus status;
  status.tenant = get_tenant(world.registry, slug);
  const auto& tenant = status.tenant;
  const auto names = names_of(tenant.slug, world.settings.dns.domain);
  status.url = tenant.status.url;
  if (tenant.status.phase == Phase::none || tenant.status.phase == Phase::terminated) {
    status.health = "unknown";
    return status;
  }

  const auto& deployment = kubernetes::type_of("apps/v1", "Deployment");
  const auto deployments = deployments_of(tenant, world.profile());
  std::vector<ObjectRef> refs{{kubernetes::type_of("v1", "Namespace"), "", names.name_space},
                              {kubernetes::type_of("networking.k8s.io/v1", "Ingress"), names.name_space, "litedesk"}};
  const auto first_deployment = refs.size();
  for (const auto& name : deployments) refs.push_back({deployment, names.name_space, name});
  kubernetes::Each<std::optional<Object>> objects;
  std::vector<Object> replica_sets, pods, certificates;
  std::optional<Part> pods_unknown;
  Surroundings surroundings;
  Part database{"database", "", "", "", ""}, dns{"dns", "", "", "", ""}, certificate{"certificate", "", "", "", ""};
  run_all({
      [&] { objects = world.objects.get_all(refs); },
      [&] {
        const kubernetes::ListOptions ours{.label_selector = "litedesk.io/tenant=" + tenant.slug, .field_selector = {}};
        try {
          run_all({
              [&] { pods = world.objects.list(kubernetes::type_of("v1", "Pod"), names.name_space, ours).items; },
              [&] {
                replica_sets =
                    world.objects.list(kubernetes::type_of("apps/v1", "ReplicaSet"), names.name_space, ours).items;
              },
          });
        } catch (const PermissionDenied& error) {
          pods_unknown = unknown_part("pods", error);
        }
      },
      [&] {
        guarded(certificate, [&]() -> Part {
          const auto& type = kubernetes::type_of("cert-manager.io/v1", "Certificate");
          if (world.settings.kubernetes.certificates != "per-host")
            return {"certificate", "ok", "", "the ingress controller's own", ""};
          if (!world.objects.serves(type)) return {"certificate", "unknown", "", "the cluster has no cert-manager", ""};
          certificates = world.objects.list(type, names.name_space, {}).items;
          if (certificates.empty()) return {"certificate", "failed", "Missing", "Certificate not found", ""};
          return certificate_part(certificates.front());
        });
      },
      [&] { surroundings = read_surroundings(world, names.name_space); },
      [&] { guarded(database, [&] { return database_state(world, names); }); },
      [&] { guarded(dns, [&] { return dns_state(world, tenant); }); },
      [&] {
        try {
          status.events = warning_events(world, names.name_space, world.clock.now() - std::chrono::hours(1));
        } catch (const PermissionDenied&) {
          if (world.warn) world.warn("not permitted to list the events of " + names.name_space);
        }
      },
  });

  const auto object = [&](std::size_t index) -> std::optional<Object> {
    if (auto* error = std::get_if<std::exception_ptr>(&objects[index])) std::rethrow_exception(*error);
    return std::get<std::optional<Object>>(objects[index]);
  };
  Part name_space{"namespace", "ok", "", names.name_space, ""};
  const auto there = object(0);
  if (!there)
    name_space = {"namespace", "failed", "Missing", "namespace " + names.name_space + " not found", ""};
  else if (there->deleting())
    name_space = {"namespace", "failed", "Terminating", deletion_sentence(*there),
                  there->text("metadata.deletionTimestamp")};
  status.parts = {std::move(name_space)};
  for (std::size_t index = 0; index < deployments.size(); ++index)
    status.parts.push_back(deployment_state(deployments[index], object(first_deployment + index), replica_sets, pods));
  for (auto& part : status.parts) add_probe(part, pods, status.events);
  Part ingress{"ingress", "ok", "", "routes " + names.host, ""};
  if (!object(1)) ingress = {"ingress", "failed", "Missing", "Ingress not found", ""};
  status.parts.push_back(std::move(ingress));
  if (pods_unknown) status.parts.push_back(std::move(*pods_unknown));
  status.parts.push_back(std::move(database));
  status.parts.push_back(std::move(dns));
  status.parts.push_back(std::move(certificate));
  status.parts.push_back(probe ? application_now(world, names) : application_then(tenant));
  if (!certificates.empty()) status.certificate_until = certificates.front().text("status.notAfter");
  drop_what_has_passed(status.events, pods);
  status.foreign = foreign_to(tenant, surroundings, there);
  for (const auto& unread : surroundings.unread)
    if (world.warn) world.warn("not permitted to list " + unread + ": foreign ones are not shown");
  status.health = health_of(status.parts);
  return status;
}

std::vector<StatusLine> fleet_status(World& world) {
  const kubernetes::ListOptions ours{.label_selector = "app.kubernetes.io/managed-by=litedesk", .field_selector = {}};
  std::vector<Tenant> tenants;
  std::vector<Object> deployments;
  run_all({
      [&] { tenants = list_tenants(world.registry, {}, world.tiers); },
      [&] { deployments = world.objects.list(kubernetes::type_of("apps/v1", "Deployment"), "", ours).items; },
  });
  std::map<std::string, std::map<std::string, const Object*>> by_namespace;
  for (const auto& object : deployments) by_namespace[object.name_space()][object.name()] = &object;

  std::vector<StatusLine> lines;
  for (auto& tenant : tenants) {
    StatusLine line;
    line.message = tenant.status.message;
    const auto name_space = names_of(tenant.slug, world.settings.dns.domain).name_space;
    const auto& parts = by_namespace[name_space];
    std::vector<Part> states;
    for (const auto& name : deployments_of(tenant, world.profile())) {
      const auto found = parts.find(name);
      if (found == parts.end()) {
        if (tenant.status.phase == Phase::active) states.push_back(missing_deployment(name));
        continue;
      }
      const auto rollout = kubernetes::deployment_status(*found->second);
      line.ready +=
          (line.ready.empty() ? "" : " ") + std::to_string(rollout.ready) + "/" + std::to_string(rollout.wanted);
      states.push_back(deployment_state(name, *found->second, {}, {}));
      if (states.back().state != "ok" && line.message.empty()) line.message = name + ": " + states.back().message;
    }
    line.health = states.empty() ? "unknown" : health_of(states);
    line.tenant = std::move(tenant);
    lines.push_back(std::move(line));
  }
  return lines;
}

Json to_json(const InstanceStatus& status) {
  Json parts = Json::array(), events = Json::array(), foreign = Json::array();
  for (const auto& object : status.foreign)
    foreign.push_back({{"kind", object.kind}, {"name", object.name}, {"effect", object.effect}});
  for (const auto& part : status.parts)
    parts.push_back({{"name", part.name},
                     {"state", part.state},
                     {"reason", part.reason},
                     {"message", part.message},
                     {"since", part.since}});
  for (const auto& event : status.events)
    events.push_back({{"since", event.since},
                      {"object", event.object},
                      {"reason", event.reason},
                      {"message", event.message},
                      {"count", event.count}});
  return {{"tenant", to_json(status.tenant)},
          {"health", status.health},
          {"parts", std::move(parts)},
          {"events", std::move(events)},
          {"foreign", std::move(foreign)},
          {"url", status.url},
          {"certificateUntil", status.certificate_until}};
}

Json to_json(const std::vector<StatusLine>& lines) {
  Json items = Json::array();
  for (const auto& line : lines)
    items.push_back({{"slug", line.tenant.slug},
                     {"tier", line.tenant.tier},
                     {"phase", to_string(line.tenant.status.phase)},
                     {"health", line.health},
                     {"ready", line.ready},
                     {"message", line.message},
                     {"url", line.tenant.status.url},
                     {"created", line.tenant.created}});
  return {{"items", std::move(items)}};
}

}  // namespace litedesk
