#include "commands/components.hpp"

#include <algorithm>

#include "commands/quantity.hpp"

namespace litedesk {
namespace {

// An autoscaler may make the number reach this.
int most_pods(const Component& component) {
  return std::max(component.replicas, component.autoscale ? component.autoscale->max_replicas : 0);
}

Component component_of(const ProfileComponent& profile, const Tenant& tenant, const Tier& tier,
                       const Settings& settings) {
  Component component;
  component.profile = &profile;
  component.name = profile.name;
  component.image = usual_image(profile, settings);
  component.resources = profile.resources;
  component.replicas = component.most_replicas = profile.replicas;
  if (const auto found = tier.components.find(profile.name); found != tier.components.end()) {
    component.resources = found->second.resources;
    component.replicas = component.most_replicas = found->second.replicas;
    component.autoscale = found->second.autoscale;
  }
  if (const auto own = tenant.instance.components.find(profile.name); own != tenant.instance.components.end()) {
    if (!own->second.image.empty()) component.image = own->second.image;
    if (own->second.replicas) {
      component.replicas = *own->second.replicas;
      component.autoscale.reset();
    }
  }
  component.most_replicas = std::max(component.most_replicas, most_pods(component));
  return component;
}

}  // namespace

std::string usual_image(const ProfileComponent& component, const Settings& settings) {
  const auto found = settings.images.find(component.name);
  return found == settings.images.end() || found->second.empty() ? component.image : found->second;
}

std::vector<Component> components_of(const AppProfile& profile, const Tenant& tenant, const Tier& tier,
                                     const Settings& settings) {
  std::vector<Component> components;
  for (const auto& each : profile.components) {
    auto component = component_of(each, tenant, tier, settings);
    const bool several = most_pods(component) > 1;
    if (each.singleton) component.singleton = several ? each.singleton->off : each.singleton->on;
    components.push_back(component);
    if (!each.singleton || !several) continue;
    component.name += "-cron";
    component.replicas = component.most_replicas = 1;
    component.autoscale.reset();
    component.cron = true;
    component.singleton = each.singleton->on;
    components.push_back(std::move(component));
  }
  return components;
}

std::vector<VolumeClaim> claims_of(const std::vector<Component>& components, const Settings& settings,
                                   const LiveClaims& live) {
  std::vector<VolumeClaim> claims;
  for (const auto& component : components) {
    for (const auto& volume : component.profile->volumes) {
      const auto found = std::find_if(claims.begin(), claims.end(),
                                      [&volume](const VolumeClaim& each) { return each.name == volume.name; });
      if (found != claims.end()) {
        found->pods += most_pods(component);
        continue;
      }
      const auto& app = settings.app;
      claims.push_back({volume.name, volume.size, app.access_mode.empty() ? volume.access_mode : app.access_mode,
                        app.storage_class.empty() ? volume.storage_class : app.storage_class, most_pods(component)});
    }
  }
  for (auto& claim : claims) {
    if (claim.access_mode.empty()) claim.access_mode = "ReadWriteMany";
    const auto there = live.find(claim.name);
    if (there == live.end()) continue;
    claim.access_mode = there->second.access_mode;
    claim.storage_class = there->second.storage_class;
    const auto amount = [](const std::string& text) { return parse_quantity(text).value_or(Quantity{}).thousandths; };
    if (amount(claim.size) < amount(there->second.size)) claim.size = there->second.size;
  }
  return claims;
}

}  // namespace litedesk
