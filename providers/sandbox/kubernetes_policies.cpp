// What quotas, disruption budgets and autoscalers report, and the binding of volumes.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_admission.hpp"
#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_quantity.hpp"
#include "providers/sandbox/kubernetes_selectors.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

void sync_quotas(World& world, const std::string& name_space) {
  for (auto& quota : world.list("resourcequotas", name_space)) {
    const auto& hard = at(quota.object, "spec.hard");
    if (!hard.is_object()) continue;
    std::map<std::string, Quantity> used;
    for (const auto* resource :
         {"pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas", "deployments.apps",
          "statefulsets.apps", "jobs.batch", "ingresses.networking.k8s.io"}) {
      const auto& kind = world.kinds().get(resource);
      for (const auto& record : world.list(kind, name_space)) {
        const auto usage = quota_usage(kind, record.object);
        for (const auto& [name, amount] : usage.items()) used[name] += to_quantity(amount);
      }
    }
    Json status = {{"hard", hard}, {"used", Json::object()}};
    for (const auto& [name, limit] : hard.items())
      status["used"][name] = used.contains(name) ? used[name].canonical() : std::string("0");
    world.put_status("resourcequotas", quota, std::move(status));
  }
}

namespace {

std::int64_t rounded_up(const Json& value, std::int64_t total) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  const double percent = std::strtod(plain(value).c_str(), nullptr);
  return static_cast<std::int64_t>(std::ceil(percent * static_cast<double>(total) / 100));
}

}  // namespace

void sync_budgets(World& world, const std::string& name_space) {
  auto budgets = world.list("poddisruptionbudgets.policy", name_space);
  if (budgets.empty()) return;
  const auto pods = world.list("pods", name_space);
  for (auto& budget : budgets) {
    const auto& spec = at(budget.object, "spec");
    const auto selector = LabelSelector::of_object(at(spec, "selector"));
    std::int64_t expected = 0;
    std::int64_t healthy = 0;
    for (const auto& pod : pods) {
      if (!selector.matches(at(pod.object, "metadata.labels"))) continue;
      ++expected;
      if (pod_ready(pod.object) && at(pod.object, "metadata.deletionTimestamp").is_null()) ++healthy;
    }
    const auto& least = at(spec, "minAvailable");
    const auto desired = least.is_null()
                             ? std::max<std::int64_t>(0, expected - rounded_up(at(spec, "maxUnavailable"), expected))
                             : rounded_up(least, expected);
    const auto allowed = expected == 0 ? 0 : std::max<std::int64_t>(0, healthy - desired);
    const auto generation = integer(budget.object, "metadata.generation");
    Json conditions = at(budget.object, "status.conditions");
    set_condition(conditions,
                  {{"type", "DisruptionAllowed"},
                   {"status", allowed > 0 ? "True" : "False"},
                   {"reason", allowed > 0 ? "SufficientPods" : "InsufficientPods"},
                   {"message", ""},
                   {"observedGeneration", generation}},
                  world.stamp());
    world.put_status("poddisruptionbudgets.policy", budget,
                     {{"currentHealthy", healthy},
                      {"desiredHealthy", desired},
                      {"disruptionsAllowed", allowed},
                      {"expectedPods", expected},
                      {"observedGeneration", generation},
                      {"conditions", conditions}});
  }
}

namespace {

// Nothing has load here: an autoscaler keeps its target between its bounds.
std::int64_t bounded(World& world, const Json& autoscaler, Record target, std::int64_t replicas) {
  const auto wanted =
      std::clamp(replicas, integer(autoscaler, "spec.minReplicas", 1), integer(autoscaler, "spec.maxReplicas", 1));
  if (wanted == replicas) return replicas;
  auto object = target.object;
  object["spec"]["replicas"] = wanted;
  WriteOptions options;
  options.subresource = "scale";
  const auto* kind = world.kinds().by_kind(text(object, "apiVersion"), text(object, "kind"));
  update_object(world, *kind, std::move(target), std::move(object), options);
  record_event(world, autoscaler, "Normal", "SuccessfulRescale",
               fmt::format("New size: {}; reason: {}", wanted,
                           wanted > replicas ? "Current number of replicas below Spec.MinReplicas"
                                             : "Current number of replicas above Spec.MaxReplicas"),
               "horizontal-pod-autoscaler");
  return wanted;
}

}  // namespace

void sync_autoscalers(World& world, const std::string& name_space) {
  for (auto& autoscaler : world.list("horizontalpodautoscalers.autoscaling", name_space)) {
    const auto& reference = at(autoscaler.object, "spec.scaleTargetRef");
    const auto* kind = world.kinds().by_kind(text(reference, "apiVersion"), text(reference, "kind"));
    auto target = kind == nullptr ? std::nullopt : world.get(*kind, name_space, text(reference, "name"));
    Json conditions = at(autoscaler.object, "status.conditions");
    const auto set = [&](const char* type, bool good, const char* reason, const std::string& message) {
      set_condition(conditions,
                    {{"type", type}, {"status", good ? "True" : "False"}, {"reason", reason}, {"message", message}},
                    world.stamp());
    };
    Json status = {{"currentReplicas", 0}, {"desiredReplicas", 0}};
    if (!target || !kind->scale) {
      set("AbleToScale", false, "FailedGetScale",
          fmt::format("the HPA controller was unable to get the target's current scale: {} \"{}\" not found",
                      kind == nullptr ? text(reference, "kind") : kind->resource(), text(reference, "name")));
    } else if (const auto replicas = integer(target->object, "spec.replicas", 1); replicas == 0) {
      set("AbleToScale", true, "SucceededGetScale", "the HPA controller was able to get the target's current scale");
      set("ScalingActive", false, "ScalingDisabled",
          "scaling is disabled since the replica count of the target is zero");
    } else {
      const auto running = integer(target->object, "status.replicas");
      const auto desired = bounded(world, autoscaler.object, std::move(*target), replicas);
      set("AbleToScale", true, "ReadyForNewScale", "recommended size matches current size");
      set("ScalingActive", true, "ValidMetricFound",
          "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of "
          "request)");
      set("ScalingLimited", false, "DesiredWithinRange", "the desired count is within the acceptable range");
      status = {{"currentReplicas", running}, {"desiredReplicas", desired}};
      status["currentMetrics"] = Json::array(
          {{{"type", "Resource"},
            {"resource", {{"name", "cpu"}, {"current", {{"averageUtilization", 12}, {"averageValue", "30m"}}}}}}});
    }
    status["conditions"] = std::move(conditions);
    world.put_status("horizontalpodautoscalers.autoscaling", autoscaler, std::move(status));
  }
}

namespace {

bool used_by_a_pod(World& world, const Json& claim) {
  for (const auto& pod : world.list("pods", namespace_of(claim))) {
    const auto& volumes = at(pod.object, "spec.volumes");
    if (!volumes.is_array()) continue;
    for (const auto& volume : volumes)
      if (text(volume, "persistentVolumeClaim.claimName") == name_of(claim)) return true;
  }
  return false;
}

void release(World& world, Record claim) {
  constexpr const char* protection = "kubernetes.io/pvc-protection";
  auto& finalizers = claim.object["metadata"]["finalizers"];
  const auto found = std::find(finalizers.begin(), finalizers.end(), protection);
  if (found == finalizers.end() || used_by_a_pod(world, claim.object)) return;
  finalizers.erase(found);
  const auto& kind = world.kinds().get("persistentvolumeclaims");
  if (!finish_removal(world, kind, claim)) world.put(kind, claim);
}

}  // namespace

void sync_claim(World& world, const std::string& name_space, const std::string& name) {
  auto claim = world.get("persistentvolumeclaims", name_space, name);
  if (!claim) return;
  if (!at(claim->object, "metadata.deletionTimestamp").is_null()) return release(world, std::move(*claim));
  if (text(claim->object, "status.phase") == "Bound") return;
  const auto storage_class = text(claim->object, "spec.storageClassName");
  if (storage_class.empty() || !world.get("storageclasses.storage.k8s.io", "", storage_class)) {
    record_event(world, claim->object, storage_class.empty() ? "Normal" : "Warning",
                 storage_class.empty() ? "FailedBinding" : "ProvisioningFailed",
                 storage_class.empty() ? "no persistent volumes available for this claim and no storage class is set"
                                       : fmt::format("storageclass.storage.k8s.io \"{}\" not found", storage_class),
                 "persistentvolume-controller");
    return;
  }
  claim->object["spec"]["volumeName"] = "pvc-" + uid_of(claim->object);
  auto& annotations = claim->object["metadata"]["annotations"];
  annotations["pv.kubernetes.io/bind-completed"] = "yes";
  annotations["pv.kubernetes.io/bound-by-controller"] = "yes";
  claim->object["status"] = {{"phase", "Bound"},
                             {"accessModes", at(claim->object, "spec.accessModes")},
                             {"capacity", at(claim->object, "spec.resources.requests")}};
  world.put("persistentvolumeclaims", *claim);
}

}  // namespace litedesk::sandbox::kube
