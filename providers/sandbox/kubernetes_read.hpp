// GET: one object, a list, a watch, a log, a scale.
#pragma once

#include "providers/sandbox/kubernetes_cluster.hpp"
#include "providers/sandbox/kubernetes_request.hpp"

namespace litedesk::sandbox::kube {

[[nodiscard]] Reply answer_get(Cluster& cluster, const Request& request);
// The stream of ?watch=1. kubernetes_watch.cpp
[[nodiscard]] Reply answer_watch(Cluster& cluster, const Request& request);
// pods/NAME/log. kubernetes_logs.cpp
[[nodiscard]] Reply answer_log(Cluster& cluster, const Request& request);

// The autoscaling/v1 Scale of an object.
[[nodiscard]] Json scale_of(const Kind& kind, const Json& object);
void set_scale(const Kind& kind, Json& object, std::int64_t replicas);

}  // namespace litedesk::sandbox::kube
