// What happens to an object between the request and the store: defaults, admission plugins and validation, as the API
// server's own (k8s.io/kubernetes/pkg/apis, plugin/pkg/admission, k8s.io/pod-security-admission).
#pragma once

#include <string>
#include <vector>

#include "providers/sandbox/kubernetes_status.hpp"
#include "providers/sandbox/kubernetes_world.hpp"

namespace litedesk::sandbox::kube {

// The defaults of the kind.
void fill_defaults(const Kind& kind, Json& object);
// What depends on the cluster or the old object: a Service's address, a Job's labels. `old` is null for a new object.
void prepare(World& world, const Kind& kind, const Json& old, Json& object);
// Refuses a pod without its service account, and fills in what LimitRanges and the account add.
void admit_pod(World& world, const Kind& kind, const std::string& name_space, Json& pod);

// The containers' defaults, and 403 for what is beyond their bounds.
void apply_limit_ranges(World& world, const std::string& name_space, Json& pod);
void enforce_limit_ranges(World& world, const Kind& kind, const std::string& name_space, const Json& pod);

[[nodiscard]] std::vector<Cause> validate_metadata(const Kind& kind, const Json& object);
[[nodiscard]] std::vector<Cause> validate(const Kind& kind, const Json& object);
[[nodiscard]] std::vector<Cause> validate_change(const Kind& kind, const Json& old, const Json& object);

// Throws 403 "exceeded quota" and "must specify".
void enforce_quota(World& world, const Kind& kind, const std::string& name_space, const Json& object);
// What a pod or an object uses of each resource that a quota can bound; in the order of the names.
[[nodiscard]] Json quota_usage(const Kind& kind, const Json& object);

// "violates PodSecurity ..." without the leading words: each broken rule; empty when there is none.
[[nodiscard]] std::string pod_security_violations(const std::string& level, const Json& spec);
void enforce_pod_security(World& world, const Kind& kind, const std::string& name_space, const Json& object,
                          std::vector<std::string>* warnings);

[[nodiscard]] bool is_label_name(const std::string& name);  // a DNS-1123 label
[[nodiscard]] bool is_subdomain(const std::string& name);   // a DNS-1123 subdomain

}  // namespace litedesk::sandbox::kube
