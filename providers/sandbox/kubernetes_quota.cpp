// Resource quotas: what objects use, and the refusal of what is too much.
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_admission.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_quantity.hpp"

namespace litedesk::sandbox::kube {

namespace {

void add(Json& usage, const std::string& name, const Quantity& amount) {
  auto sum = to_quantity(usage.value(name, "0"));
  sum += amount;
  usage[name] = sum.canonical();
}

void add_pod(Json& usage, const Json& pod) {
  const auto phase = text(pod, "status.phase");
  if (phase == "Succeeded" || phase == "Failed") return;
  add(usage, "pods", *parse_quantity("1"));
  const auto& containers = at(pod, "spec.containers");
  if (!containers.is_array()) return;
  for (const auto& container : containers)
    for (const auto* side : {"requests", "limits"}) {
      const auto& resources = at(container, std::string("resources.") + side);
      if (!resources.is_object()) continue;
      for (const auto& [name, value] : resources.items()) {
        add(usage, fmt::format("{}.{}", side, name), to_quantity(value));
        if (std::string_view(side) == "requests") add(usage, name, to_quantity(value));
      }
    }
}

// "must specify limits.cpu for: a; requests.cpu for: a"
void require_stated(const Kind& kind, const Json& quota, const Json& pod) {
  std::map<std::string, std::vector<std::string>> missing;
  const auto& hard = at(quota, "spec.hard");
  for (const auto& [name, limit] : hard.items()) {
    for (const auto* side : {"requests", "limits"}) {
      const auto prefix = std::string(side) + ".";
      if (!name.starts_with(prefix)) continue;
      const auto resource = name.substr(prefix.size());
      if (resource != "cpu" && resource != "memory") continue;
      for (const auto& container : at(pod, "spec.containers"))
        if (const auto& stated = at(container, std::string("resources.") + side);
            !stated.is_object() || !stated.contains(resource))
          missing[name].push_back(text(container, "name"));
    }
  }
  if (missing.empty()) return;
  std::vector<std::string> parts;
  for (const auto& [name, containers] : missing)
    parts.push_back(fmt::format("{} for: {}", name, fmt::join(containers, ",")));
  throw forbidden(kind, name_of(pod),
                  fmt::format("failed quota: {}: must specify {}", name_of(quota), fmt::join(parts, "; ")));
}

}  // namespace

Json quota_usage(const Kind& kind, const Json& object) {
  Json usage = Json::object();
  if (kind.kind == "Pod") {
    add_pod(usage, object);
    if (usage.empty()) return usage;
  } else {
    for (const auto* counted :
         {"services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas", "replicationcontrollers"})
      if (kind.resource() == counted) usage[counted] = "1";
  }
  if (kind.kind == "Service") {
    const auto type = text(object, "spec.type");
    if (type == "LoadBalancer") usage["services.loadbalancers"] = "1";
    if (type == "LoadBalancer" || type == "NodePort")
      usage["services.nodeports"] = std::to_string(at(object, "spec.ports").size());
  }
  if (kind.kind == "PersistentVolumeClaim") {
    const auto& storage = at(object, "spec.resources.requests.storage");
    if (!storage.is_null()) {
      usage["requests.storage"] = plain(storage);
      if (const auto name = text(object, "spec.storageClassName"); !name.empty()) {
        usage[name + ".storageclass.storage.k8s.io/requests.storage"] = plain(storage);
        usage[name + ".storageclass.storage.k8s.io/persistentvolumeclaims"] = "1";
      }
    }
  }
  usage["count/" + kind.resource()] = "1";
  return usage;
}

void enforce_quota(World& world, const Kind& kind, const std::string& name_space, const Json& object) {
  if (!kind.namespaced || kind.kind == "Event") return;
  const auto quotas = world.list("resourcequotas", name_space);
  if (quotas.empty()) return;
  const auto wanted = quota_usage(kind, object);
  for (const auto& quota : quotas) {
    const auto& hard = at(quota.object, "spec.hard");
    if (!hard.is_object()) continue;
    if (kind.kind == "Pod") require_stated(kind, quota.object, object);
    Json used = Json::object();
    bool counted = false;
    for (const auto& [name, limit] : hard.items()) counted = counted || wanted.contains(name);
    if (!counted) continue;
    for (const auto& other : world.list(kind, name_space)) {
      const auto usage = quota_usage(kind, other.object);
      for (const auto& [name, amount] : usage.items())
        if (hard.contains(name)) add(used, name, to_quantity(amount));
    }
    std::vector<std::string> asked;
    std::vector<std::string> taken;
    std::vector<std::string> limited;
    for (const auto& [name, limit] : hard.items()) {
      if (!wanted.contains(name)) continue;
      const auto have = used.value(name, "0");
      auto sum = to_quantity(have);
      sum += to_quantity(wanted[name]);
      if (sum <= to_quantity(limit)) continue;
      asked.push_back(fmt::format("{}={}", name, plain(wanted[name])));
      taken.push_back(fmt::format("{}={}", name, have));
      limited.push_back(fmt::format("{}={}", name, plain(limit)));
    }
    if (asked.empty()) continue;
    throw forbidden(kind, name_of(object),
                    fmt::format("exceeded quota: {}, requested: {}, used: {}, limited: {}", name_of(quota.object),
                                fmt::join(asked, ","), fmt::join(taken, ","), fmt::join(limited, ",")));
  }
}

}  // namespace litedesk::sandbox::kube
