// The registry itself: the Tenant kind in the cluster, made and kept up to date, and how the registry is.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "commands/settings.hpp"
#include "providers/json.hpp"
#include "providers/kubernetes/client.hpp"
#include "providers/store/store.hpp"
#include "providers/system/clock.hpp"
#include "templates/files.hpp"

namespace litedesk {

// The kind that templates/tenant-crd.yaml describes.
[[nodiscard]] const kubernetes::ResourceType& tenant_type();

// Throws Conflict when the context is pinned to another cluster than this one. `cluster_id` is the UID of kube-system.
void check_cluster(const Settings& settings, std::string_view cluster_id);

struct InstalledKind {
  std::string resource;  // "hostclaims.litedesk.io"
  std::string version;   // "v1alpha1"
  std::string outcome;   // installed upgraded unchanged
};

struct RegistryInstall {
  std::string outcome;   // of the whole: installed upgraded unchanged
  std::string resource;  // "tenants.litedesk.io"
  std::string version;   // "v1alpha1"
  std::vector<InstalledKind> kinds;
};

struct RegistryTarget {
  kubernetes::ObjectReader& reader;
  kubernetes::ObjectApplier& applier;
  kubernetes::Watcher& watcher;
  const templates::Files& files;
  const system::Clock& clock;
};

// Whether the cluster has both kinds, in this litedesk's editions or newer ones.
[[nodiscard]] bool is_current(kubernetes::ObjectReader& reader, const templates::Files& files);

// Applies tenant-crd.yaml and host-claim-crd.yaml server-side and waits until the API server has established each kind
// and serves it. Refuses (Conflict) to put an older schema over a newer one. Throws Timeout with the last condition,
// Cancelled.
[[nodiscard]] RegistryInstall install_registry(const RegistryTarget& target, std::chrono::milliseconds timeout,
                                               std::stop_token stop);

struct RegistryStatus {
  std::string where;       // "cluster (tenants.litedesk.io)", "sqlite:/home/.../registry.db"
  std::string version;     // "v1alpha1"; empty for SQLite
  bool installed = false;  // the kind, or the file
  bool served = false;     // it can be used now
  std::string problem;     // why not; may be empty
  std::size_t tenants = 0;
  std::string id;  // empty when it cannot be used
};

// `reader` is null for a registry that is not in a cluster.
[[nodiscard]] RegistryStatus registry_status(store::Store& registry, kubernetes::ObjectReader* reader);

[[nodiscard]] Json to_json(const RegistryInstall& install);  // docs/json/registry-install.schema.json
[[nodiscard]] Json to_json(const RegistryStatus& status);    // docs/json/registry-status.schema.json

}  // namespace litedesk
