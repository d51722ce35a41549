// From a kubeconfig's entries to a ClusterConfig: what contradicts itself is refused, files are read, certificates
// looked at. Rules: k8s.io/client-go/tools/clientcmd/validation.go.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "providers/kubernetes/kubeconfig_file.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::kubernetes {

// Server, TLS and proxy. `user` (null: none) has a say in what a server without a scheme means. Throws ValidationError,
// or NotFound for a file that is not there.
void take_cluster(const ClusterEntry& entry, const std::string& name, const UserEntry* user, ClusterConfig& config);
// Credentials and impersonation; after take_cluster. AuthError for a client certificate that has expired.
void take_user(const UserEntry& entry, const std::string& name, system::TimePoint now, ClusterConfig& config);

// How many letters must be changed, added, dropped or swapped with their neighbour.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);
// The candidate that is most like `name`, if one is like it at all.
[[nodiscard]] std::string nearest(const std::vector<std::string>& candidates, std::string_view name);
// " (there are: a, b)", " (there are none)"; a long list is cut.
[[nodiscard]] std::string names_of(const std::vector<std::string>& names);

template <class Entry>
[[nodiscard]] std::vector<std::string> keys_of(const std::map<std::string, Entry>& entries) {
  std::vector<std::string> keys;
  for (const auto& each : entries) keys.push_back(each.first);
  return keys;
}
template <class Entry>
[[nodiscard]] std::string nearest(const std::map<std::string, Entry>& entries, std::string_view name) {
  return nearest(keys_of(entries), name);
}
template <class Entry>
[[nodiscard]] std::string names_of(const std::map<std::string, Entry>& entries) {
  return names_of(keys_of(entries));
}

}  // namespace litedesk::kubernetes
