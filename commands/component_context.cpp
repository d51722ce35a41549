#include "commands/component_context.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "templates/filters.hpp"
#include "templates/renderer.hpp"

namespace litedesk {
namespace {

// The tag of "repository:tag", or the beginning of a digest, as a label value: at most 63 characters, letters and
// digits at the ends.
std::string version_of(std::string_view image) {
  std::string version = "latest";
  const auto digest = image.find('@');
  const auto name = image.substr(0, digest);
  const auto colon = name.rfind(':');
  if (colon != std::string_view::npos && name.find('/', colon) == std::string_view::npos) {
    version = name.substr(colon + 1);
  } else if (digest != std::string_view::npos) {
    const auto hex = image.find(':', digest);
    version = image.substr(hex == std::string_view::npos ? digest + 1 : hex + 1, 12);
  }
  version.resize(std::min<std::size_t>(version.size(), 63));
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  while (!version.empty() && !is_alphanumeric(version.back())) version.pop_back();
  while (!version.empty() && !is_alphanumeric(version.front())) version.erase(0, 1);
  return version;
}

// A folder's name as a volume: "var-cache-nginx" of /var/cache/nginx.
std::string volume_name(std::string_view path) {
  std::string name;
  for (const char c : path) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool kept = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (kept)
      name += lower;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  name.resize(std::min<std::size_t>(name.size(), 50));
  return "dir-" + name;
}

Json reference(const char* secret, const std::string& key) {
  return {{"secretKeyRef", {{"name", secret}, {"key", key}}}};
}

std::string escaped(const std::string& value) {
  return templates::apply_filter("env", Json(value));
}

class Environment {
 public:
  Environment(const Json& context, const SpecInputs& inputs, const Settings& settings)
      : context_(context), inputs_(inputs), settings_(settings), rule_(database_rule(*inputs.profile, settings)) {}

  [[nodiscard]] Json of(const Component& component) const {
    Json list = Json::array();
    const auto& profile = *component.profile;
    for (const auto& each : profile.environment) {
      if (each.value) {
        list.push_back({{"name", each.name}, {"value", filled(*each.value)}});
      } else {
        list.push_back({{"name", each.name},
                        {"valueFrom", each.connection_string ? reference("database", "connection-string")
                                                             : reference("app", each.secret)}});
      }
      if (each.connection_string && rule_.kind == DatabaseRule::Kind::variable)
        list.push_back({{"name", rule_.name}, {"value", context_["database"]["name"]}});
    }
    if (component.singleton) list.push_back({{"name", profile.singleton->name}, {"value", *component.singleton}});
    for (const auto& each : profile.optional) add_optional(each, list);
    return list;
  }

  // Whether the context, or the operator's environment, has a value for an optional variable.
  [[nodiscard]] bool has(const std::string& variable, const ProfileComponent& component) const {
    const auto found = std::find_if(component.optional.begin(), component.optional.end(),
                                    [&variable](const OptionalVariable& each) { return each.name == variable; });
    if (found == component.optional.end()) return false;
    return found->secret ? inputs_.app_secrets.contains(secret_key(variable))
                         : settings_.app.environment.contains(variable);
  }

 private:
  [[nodiscard]] std::string filled(const templates::Node& node) const {
    const auto rendered = templates::render_documents({inputs_.profile->origin, {node}}, context_);
    return rendered.empty() ? std::string() : templates::scalar_text(rendered.front().value);
  }

  void add_optional(const OptionalVariable& wanted, Json& list) const {
    if (wanted.secret) {
      const auto key = secret_key(wanted.name);
      if (inputs_.app_secrets.contains(key))
        list.push_back({{"name", wanted.name}, {"valueFrom", reference("app", key)}});
    } else if (const auto found = settings_.app.environment.find(wanted.name);
               found != settings_.app.environment.end()) {
      list.push_back({{"name", wanted.name}, {"value", escaped(found->second)}});
    }
  }

  const Json& context_;
  const SpecInputs& inputs_;
  const Settings& settings_;
  const DatabaseRule rule_;
};

// What it writes to: what ends with the pod, and what does not.
void add_folders(Json& json, const ProfileComponent& profile, const std::vector<VolumeClaim>& claims) {
  auto writable = profile.writable;
  const auto has_tmp = [&writable](const char* path) {
    return std::any_of(writable.begin(), writable.end(),
                       [path](const WritableFolder& each) { return each.path == path; });
  };
  if (json["readOnlyRoot"] == true && !has_tmp("/tmp")) writable.push_back({"/tmp", "256Mi"});
  json["writable"] = json["volumes"] = Json::array();
  for (const auto& each : writable)
    json["writable"].push_back({{"name", volume_name(each.path)}, {"path", each.path}, {"size", each.size}});
  bool alone = false;
  for (const auto& each : profile.volumes) {
    json["volumes"].push_back({{"name", each.name}, {"path", each.path}});
    for (const auto& claim : claims) alone = alone || (claim.name == each.name && claim.access_mode == "ReadWriteOnce");
  }
  json["hasFolders"] = !writable.empty() || !profile.volumes.empty();
  json["fsGroup"] = profile.volumes.empty() ? Json() : Json(profile.group);
  // A volume of one node's: the old pod lets go of it before the new one takes it.
  if (alone) json["strategy"] = "Recreate";
}

// Who may reach it, and whom it may.
void add_network(Json& json, const Component& component, const AppProfile& profile, const Environment& environment) {
  Json reached_by = Json::array(), reaches = Json::array(), egress = Json::array();
  for (const auto& other : profile.components)
    if (std::find(other.reaches.begin(), other.reaches.end(), component.name) != other.reaches.end())
      reached_by.push_back(other.name);
  for (const auto& name : component.profile->reaches)
    reaches.push_back({{"name", name}, {"port", profile.find(name)->port}});
  for (const auto& each : component.profile->egress) {
    if (!each.when.empty() && !environment.has(each.when, *component.profile)) continue;
    Json port = {{"protocol", "TCP"}, {"port", each.port}};
    if (each.end_port != 0) port["endPort"] = each.end_port;
    if (std::find(egress.begin(), egress.end(), port) == egress.end()) egress.push_back(std::move(port));
  }
  json["reachedBy"] = component.cron ? Json::array() : std::move(reached_by);
  json["reaches"] = std::move(reaches);
  json["egress"] = std::move(egress);
}

Json probes_of(const ProfileComponent& profile) {
  constexpr int period = 2;  // seconds between two tries of the start-up probe
  return {{"startupFailures", profile.startup_seconds == 0 ? Json() : Json(profile.startup_seconds / period)},
          {"readinessPath", profile.readiness_path.empty() ? Json() : Json(profile.readiness_path)}};
}

bool reads_secrets(const ProfileComponent& profile) {
  return std::any_of(profile.environment.begin(), profile.environment.end(),
                     [](const ProfileVariable& each) { return !each.value; }) ||
         std::any_of(profile.optional.begin(), profile.optional.end(),
                     [](const OptionalVariable& each) { return each.secret; });
}

Json component_json(const Component& component, const Settings& settings) {
  const auto& profile = *component.profile;
  const auto& resources = component.resources;
  Json json = {
      {"name", component.name},
      {"image", component.image},
      {"version", version_of(component.image)},
      {"replicas", component.replicas},
      {"requests",
       {{"cpu", resources.cpu_request},
        {"memory", resources.memory_request},
        {"ephemeral-storage", ephemeral_request}}},
      {"limits",
       {{"cpu", resources.cpu_limit}, {"memory", resources.memory_limit}, {"ephemeral-storage", ephemeral_limit}}},
      {"autoscale", nullptr},
      {"port", profile.port == 0 ? Json() : Json(profile.port)},
      {"serves", profile.port != 0 && !component.cron},
      {"user", profile.user},
      {"group", profile.group},
      {"command", profile.command},
      {"args", profile.args},
      {"readOnlyRoot", profile.read_only_root || settings.kubernetes.read_only_root},
      {"runtimeClass",
       settings.kubernetes.runtime_class.empty() ? profile.runtime_class : settings.kubernetes.runtime_class},
      {"strategy", component.cron ? "Recreate" : "RollingUpdate"},
      {"probes", probes_of(profile)}};
  json["sysctls"] = Json::array();
  for (const auto& each : profile.sysctls) json["sysctls"].push_back({{"name", each.name}, {"value", each.value}});
  if (component.autoscale)
    json["autoscale"] = {{"minReplicas", component.autoscale->min_replicas},
                         {"maxReplicas", component.autoscale->max_replicas},
                         {"cpuPercent", component.autoscale->cpu_percent}};
  return json;
}

}  // namespace

void add_components(Json& context, const std::vector<Component>& components, const SpecInputs& inputs,
                    const Settings& settings) {
  const Environment environment(context, inputs, settings);
  const auto claims = claims_of(components, settings, inputs.claims);
  Json list = Json::array();
  for (const auto& component : components) {
    auto json = component_json(component, settings);
    json["env"] = environment.of(component);
    json["secretsChecksum"] = reads_secrets(*component.profile) ? context["secrets"]["checksum"] : Json();
    add_folders(json, *component.profile, claims);
    add_network(json, component, *inputs.profile, environment);
    list.push_back(std::move(json));
  }
  for (const auto& json : list) {
    const auto name = json["name"].get<std::string>();
    if (!context.contains(name)) context[name] = json;
  }
  context["components"] = std::move(list);
}

}  // namespace litedesk
