// What moves by itself: each controller is a function that looks at one object (or namespace) and does what is to be
// done now. It is called when something it depends on was written, and when a time that it asked for has come.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "providers/sandbox/kubernetes_world.hpp"

namespace litedesk::sandbox::kube {

void run_controller(World& world, const std::string& controller, const std::string& name_space,
                    const std::string& name);
// Who has to look after a write, a deletion, and the start of a deletion that takes time.
void on_write(World& world, const Kind& kind, const Json* old, const Json& object);
void on_erase(World& world, const Kind& kind, const Json& object);
void on_removal(World& world, const Kind& kind, const Json& object);

// kubernetes_deployments.cpp, kubernetes_replica_sets.cpp, kubernetes_stateful_sets.cpp, kubernetes_jobs.cpp
void sync_deployment(World& world, const std::string& name_space, const std::string& name);
void sync_replica_set(World& world, const std::string& name_space, const std::string& name);
void sync_stateful_set(World& world, const std::string& name_space, const std::string& name);
void sync_job(World& world, const std::string& name_space, const std::string& name);
// kubernetes_pods.cpp: the scheduler and the kubelet
void sync_pod(World& world, const std::string& name_space, const std::string& name);
// kubernetes_network.cpp
void sync_service(World& world, const std::string& name_space, const std::string& name);
void sync_ingress(World& world, const std::string& name_space, const std::string& name);
void sync_endpoints(World& world, const std::string& name_space);
// kubernetes_policies.cpp
void sync_quotas(World& world, const std::string& name_space);
void sync_budgets(World& world, const std::string& name_space);
void sync_autoscalers(World& world, const std::string& name_space);
void sync_claim(World& world, const std::string& name_space, const std::string& name);
// kubernetes_certificates.cpp
void sync_certificate(World& world, const std::string& name_space, const std::string& name);
void sync_issuer(World& world, const std::string& name_space,
                 const std::string& name);  // no namespace: a ClusterIssuer
// kubernetes_namespaces.cpp
void sync_namespace(World& world, const std::string& name);
void sync_definition(World& world, const std::string& name);
// Deletes what the object with that uid owned ("kind|name" as for run_controller); ends a foreground deletion.
void collect_garbage(World& world, const std::string& name_space, const std::string& owner);

// Shared by the controllers.

// The controlling owner of that kind; null when there is none.
[[nodiscard]] const Json& controller_of(const Json& object);
[[nodiscard]] Json owner_reference(const Json& owner);
[[nodiscard]] std::vector<Record> controlled(World& world, std::string_view resource, const Json& owner);
// Writes or counts up an Event about the object.
void record_event(World& world, const Json& about, std::string_view type, std::string_view reason,
                  const std::string& message, std::string_view component);
// The status condition of that type; null when there is none.
[[nodiscard]] const Json& condition_of(const Json& object, std::string_view type);
// Sets or replaces it in a list of conditions; keeps lastTransitionTime while its status is the same.
void set_condition(Json& conditions, Json condition, const std::string& now);
[[nodiscard]] bool pod_ready(const Json& pod);
// The specification of a pod from a template, as owned by `owner`.
[[nodiscard]] Json pod_from_template(const Json& owner, const Json& pod_template);

}  // namespace litedesk::sandbox::kube
