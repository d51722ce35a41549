// What an API server says of a pod's specification, in a pod or in the template of a workload.
#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_quantity.hpp"
#include "providers/sandbox/kubernetes_validation.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr const char* handlers[] = {"exec", "httpGet", "tcpSocket", "grpc"};
constexpr const char* sources[] = {"emptyDir",  "hostPath", "secret",      "nfs",   "persistentVolumeClaim",
                                   "configMap", "csi",      "downwardAPI", "image", "projected",
                                   "ephemeral"};

void check_resources(const Json& container, const std::string& path, Causes& causes) {
  const auto& requests = at(container, "resources.requests");
  const auto& limits = at(container, "resources.limits");
  for (const auto* list : {"limits", "requests"}) {
    const auto& amounts = at(container, std::string("resources.") + list);
    if (!amounts.is_object()) continue;
    for (const auto& [name, value] : amounts.items()) {
      // A request that was not stated stands for its limit, which has been told of.
      const bool told = &amounts == &requests && limits.is_object() && limits.value(name, Json()) == value;
      if (!told && to_quantity(value) < Quantity{})
        causes.push_back(value_invalid(fmt::format("{}.resources.{}[{}]", path, list, name), value,
                                       "must be greater than or equal to 0"));
    }
  }
  if (!requests.is_object() || !limits.is_object()) return;
  for (const auto& [name, value] : requests.items())
    if (limits.contains(name) && to_quantity(value) > to_quantity(limits[name]))
      causes.push_back(
          value_invalid(path + ".resources.requests", value,
                        fmt::format("must be less than or equal to {} limit of {}", name, plain(limits[name]))));
}

void check_environment(const Json& variables, const std::string& path, Causes& causes) {
  if (!variables.is_array()) return;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const auto name = text(variables[i], "name");
    const bool printable =
        std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~' && c != '='; });
    const auto here = fmt::format("{}.env[{}]", path, i);
    if (!printable)
      causes.push_back(value_invalid(here + ".name", name,
                                     "a valid environment variable name must consist only of printable ASCII "
                                     "characters other than '='"));
    if (!text(variables[i], "value").empty() && !at(variables[i], "valueFrom").is_null())
      causes.push_back(value_invalid(here + ".valueFrom", "", "may not be specified when `value` is not empty"));
  }
}

void check_probe(const Json& probe, const std::string& path, Causes& causes) {
  if (!probe.is_object()) return;
  const bool handled = std::any_of(std::begin(handlers), std::end(handlers),
                                   [&](const char* handler) { return probe.contains(handler); });
  if (!handled) causes.push_back(value_required(path, "must specify a handler type"));
  for (const auto* field :
       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"})
    check_not_negative(at(probe, field), fmt::format("{}.{}", path, field), causes);
}

// One kind of source each; `emptyDir` is what a volume without any has.
void check_volumes(const Json& volumes, const std::string& path, Causes& causes) {
  if (!volumes.is_array()) return;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    bool found = false;
    for (const auto* source : sources) {
      if (!volumes[i].contains(source)) continue;
      if (found)
        causes.push_back(value_forbidden(fmt::format("{}.volumes[{}].{}", path, i, source),
                                         "may not specify more than 1 volume type"));
      found = true;
    }
  }
}

void check_containers(const Json& spec, const Json& claims, const char* list, const std::string& path, Causes& causes) {
  std::set<std::string> volumes;
  if (claims.is_array())
    for (const auto& claim : claims) volumes.insert(name_of(claim));
  if (const auto& declared = at(spec, "volumes"); declared.is_array())
    for (const auto& volume : declared) volumes.insert(text(volume, "name"));
  const auto& containers = at(spec, list);
  if (!containers.is_array()) return;
  std::set<std::string> names;
  for (std::size_t i = 0; i < containers.size(); ++i) {
    const auto& container = containers[i];
    const auto here = fmt::format("{}.{}[{}]", path, list, i);
    const auto name = text(container, "name");
    if (!name.empty() && !is_label_name(name)) causes.push_back(value_invalid(here + ".name", name, label_rule));
    if (!names.insert(name).second)
      causes.push_back({"FieldValueDuplicate", fmt::format("Duplicate value: \"{}\"", name), here + ".name"});
    if (text(container, "image").empty()) causes.push_back(value_required(here + ".image"));
    if (const auto& ports = at(container, "ports"); ports.is_array())
      for (std::size_t j = 0; j < ports.size(); ++j) {
        const auto port = fmt::format("{}.ports[{}]", here, j);
        if (const auto called = text(ports[j], "name"); called.size() > 15)
          causes.push_back(value_invalid(port + ".name", called, "must be no more than 15 characters"));
        check_port(at(ports[j], "containerPort"), port + ".containerPort", causes);
      }
    check_environment(at(container, "env"), here, causes);
    for (const auto* probe : {"livenessProbe", "readinessProbe", "startupProbe"})
      check_probe(at(container, probe), fmt::format("{}.{}", here, probe), causes);
    if (const auto& mounts = at(container, "volumeMounts"); mounts.is_array())
      for (std::size_t j = 0; j < mounts.size(); ++j)
        if (const auto volume = text(mounts[j], "name"); !volumes.contains(volume) && at(spec, "nodeName").is_null())
          causes.push_back({"FieldValueNotFound", fmt::format("Not found: \"{}\"", volume),
                            fmt::format("{}.volumeMounts[{}].name", here, j)});
    check_resources(container, here, causes);
  }
}

}  // namespace

void check_pod_spec(const Json& spec, const Json& claims, const std::string& path, Causes& causes) {
  if (at(spec, "containers").is_array() && at(spec, "containers").empty())
    causes.push_back(value_required(path + ".containers"));
  check_containers(spec, claims, "initContainers", path, causes);
  check_containers(spec, claims, "containers", path, causes);
  check_volumes(at(spec, "volumes"), path, causes);
  if (const auto account = text(spec, "serviceAccountName"); !account.empty() && !is_subdomain(account))
    causes.push_back(value_invalid(path + ".serviceAccountName", account, subdomain_rule));
  check_labels(at(spec, "nodeSelector"), path + ".nodeSelector", causes);
  check_not_negative(at(spec, "terminationGracePeriodSeconds"), path + ".terminationGracePeriodSeconds", causes);
  const auto& spreads = at(spec, "topologySpreadConstraints");
  if (!spreads.is_array()) return;
  for (std::size_t i = 0; i < spreads.size(); ++i) {
    const auto here = fmt::format("{}.topologySpreadConstraints[{}]", path, i);
    if (const auto& skew = at(spreads[i], "maxSkew"); skew.is_number_integer() && skew.get<std::int64_t>() <= 0)
      causes.push_back(value_invalid(here + ".maxSkew", skew, "must be greater than zero"));
    if (text(spreads[i], "topologyKey").empty())
      causes.push_back(value_required(here + ".topologyKey", "can not be empty"));
  }
}

}  // namespace litedesk::sandbox::kube
