// POST, PUT, PATCH and DELETE.
#pragma once

#include "providers/sandbox/kubernetes_cluster.hpp"
#include "providers/sandbox/kubernetes_request.hpp"

namespace litedesk::sandbox::kube {

[[nodiscard]] Reply answer_post(Cluster& cluster, const Request& request);
[[nodiscard]] Reply answer_put(Cluster& cluster, const Request& request);
[[nodiscard]] Reply answer_patch(Cluster& cluster, const Request& request);
[[nodiscard]] Reply answer_delete(Cluster& cluster, const Request& request);

}  // namespace litedesk::sandbox::kube
