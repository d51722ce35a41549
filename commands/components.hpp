// The parts of an instance that run: its profile's components, with what tier, tenant and context say of each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "commands/app_profile.hpp"
#include "commands/settings.hpp"
#include "commands/tenant.hpp"
#include "commands/tiers.hpp"

namespace litedesk {

struct Component {
  const ProfileComponent* profile = nullptr;  // never null; the profile outlives it
  std::string name;                           // "backend"; "backend-cron": one pod for what runs once
  std::string image;                          // "repository:tag"
  ContainerResources resources;
  int replicas = 1;
  int most_replicas = 1;                 // at any time, by tenant, tier or autoscaler
  std::optional<Autoscale> autoscale;    // a number that somebody asked for takes its place
  bool cron = false;                     // nothing reaches it
  std::optional<std::string> singleton;  // the value of the profile's singleton variable
};

// In the profile's order. A component with a singleton variable gets a second one beside it, with one pod, as soon as
// it may have several.
[[nodiscard]] std::vector<Component> components_of(const AppProfile& profile, const Tenant& tenant, const Tier& tier,
                                                   const Settings& settings);
// The name of an image of a component that the tenant does not pin: the context's, or else the profile's.
[[nodiscard]] std::string usual_image(const ProfileComponent& component, const Settings& settings);

// A volume that outlives the pods; components that name the same one share it.
struct VolumeClaim {
  std::string name, size;
  std::string access_mode;    // ReadWriteOnce | ReadWriteMany
  std::string storage_class;  // empty: the cluster's default
  int pods = 1;               // the most that mount it at the same time
};
// By name, what is there: the API server lets nobody change access mode or class of a claim, nor make it smaller.
using LiveClaims = std::map<std::string, VolumeClaim, std::less<>>;
// A volume of which neither profile nor context says otherwise is ReadWriteMany: a tenant with one pod may have several
// one day.
[[nodiscard]] std::vector<VolumeClaim> claims_of(const std::vector<Component>& components, const Settings& settings,
                                                 const LiveClaims& live);

}  // namespace litedesk
