// What kubectl prints of each kind: the columns are the API server's.
// Rules: k8s.io/kubernetes/pkg/printers/internalversion.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_output.hpp"
#include "providers/sandbox/kubernetes_selectors.hpp"

namespace litedesk::sandbox::kube {

namespace {

using Cells = std::function<Json(const Json& object, Millis now)>;

struct Sheet {
  std::vector<Column> columns;
  Cells cells;
};

std::string age(const Json& object, Millis now, const char* path = "metadata.creationTimestamp") {
  const auto stamp = text(object, path);
  return stamp.empty() ? "<unknown>" : human_duration(now - from_stamp(stamp));
}

std::string or_none(const std::string& value) {
  return value.empty() ? "<none>" : value;
}

std::string joined(const std::vector<std::string>& parts, const char* separator = ",") {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string names(const Json& list, const char* field) {
  std::vector<std::string> parts;
  if (list.is_array())
    for (const auto& item : list) parts.push_back(text(item, field));
  return joined(parts);
}

std::string selector_text(const Json& selector) {
  return or_none(LabelSelector::of_object(selector).to_string());
}

std::string images(const Json& spec) {
  return names(at(spec, "containers"), "image");
}
std::string containers(const Json& spec) {
  return names(at(spec, "containers"), "name");
}

std::string load_balancer_text(const Json& object) {
  std::vector<std::string> parts;
  if (const auto& ingress = at(object, "status.loadBalancer.ingress"); ingress.is_array())
    for (const auto& item : ingress)
      parts.push_back(text(item, "ip").empty() ? text(item, "hostname") : text(item, "ip"));
  return joined(parts);
}

std::string pod_status(const Json& pod) {
  auto reason = text(pod, "status.reason");
  if (reason.empty()) reason = text(pod, "status.phase");
  const auto& scheduled = condition_of(pod, "PodScheduled");
  if (text(scheduled, "reason") == "SchedulingGated") reason = "SchedulingGated";
  if (const auto& statuses = at(pod, "status.containerStatuses"); statuses.is_array()) {
    bool running = false;
    for (const auto& status : statuses) {
      if (const auto waiting = text(status, "state.waiting.reason"); !waiting.empty()) reason = waiting;
      if (const auto& ended = at(status, "state.terminated"); ended.is_object()) {
        reason = text(ended, "reason");
        if (reason.empty()) reason = fmt::format("ExitCode:{}", integer(ended, "exitCode"));
      }
      running = running || (flag(status, "ready") && at(status, "state.running").is_object());
    }
    if (reason == "Completed" && running) reason = pod_ready(pod) ? "Running" : "NotReady";
  }
  if (!at(pod, "metadata.deletionTimestamp").is_null()) reason = "Terminating";
  return reason;
}

Json pod_cells(const Json& pod, Millis now) {
  std::int64_t ready = 0;
  std::int64_t restarts = 0;
  Millis last = 0;
  if (const auto& statuses = at(pod, "status.containerStatuses"); statuses.is_array())
    for (const auto& status : statuses) {
      if (flag(status, "ready")) ++ready;
      restarts += integer(status, "restartCount");
      last = std::max(last, from_stamp(text(status, "lastState.terminated.finishedAt")));
    }
  auto restarted = std::to_string(restarts);
  if (restarts > 0 && last > 0) restarted += fmt::format(" ({} ago)", human_duration(now - last));
  return Json::array({name_of(pod), fmt::format("{}/{}", ready, at(pod, "spec.containers").size()), pod_status(pod),
                      restarted, age(pod, now), or_none(text(pod, "status.podIP")), or_none(text(pod, "spec.nodeName")),
                      "<none>", "<none>"});
}

Json deployment_cells(const Json& object, Millis now) {
  const auto& status = at(object, "status");
  return Json::array({name_of(object),
                      fmt::format("{}/{}", integer(status, "readyReplicas"), integer(object, "spec.replicas")),
                      integer(status, "updatedReplicas"), integer(status, "availableReplicas"), age(object, now),
                      containers(at(object, "spec.template.spec")), images(at(object, "spec.template.spec")),
                      selector_text(at(object, "spec.selector"))});
}

Json job_cells(const Json& job, Millis now) {
  const auto& status = at(job, "status");
  std::string state = "Running";
  if (text(condition_of(job, "Complete"), "status") == "True") state = "Complete";
  if (text(condition_of(job, "Failed"), "status") == "True") state = "Failed";
  if (state == "Running" && text(condition_of(job, "FailureTarget"), "status") == "True") state = "FailureTarget";
  if (flag(job, "spec.suspend")) state = "Suspended";
  if (!at(job, "metadata.deletionTimestamp").is_null()) state = "Terminating";
  std::string duration;
  if (const auto start = from_stamp(text(status, "startTime")); start > 0) {
    const auto end = from_stamp(text(status, "completionTime"));
    duration = human_duration((end > 0 ? end : now) - start);
  }
  const auto& completions = at(job, "spec.completions");
  return Json::array(
      {name_of(job), state,
       fmt::format("{}/{}", integer(status, "succeeded"), completions.is_number() ? completions.dump() : "1"), duration,
       age(job, now), containers(at(job, "spec.template.spec")), images(at(job, "spec.template.spec")),
       selector_text(at(job, "spec.selector"))});
}

Json service_cells(const Json& service, Millis now) {
  const auto type = text(service, "spec.type");
  std::string external = "<none>";
  if (type == "LoadBalancer")
    external = load_balancer_text(service).empty() ? "<pending>" : load_balancer_text(service);
  if (type == "ExternalName") external = text(service, "spec.externalName");
  std::vector<std::string> ports;
  if (const auto& list = at(service, "spec.ports"); list.is_array())
    for (const auto& port : list)
      ports.push_back(
          at(port, "nodePort").is_number()
              ? fmt::format("{}:{}/{}", integer(port, "port"), integer(port, "nodePort"), text(port, "protocol"))
              : fmt::format("{}/{}", integer(port, "port"), text(port, "protocol")));
  return Json::array({name_of(service), type, or_none(text(service, "spec.clusterIP")), external,
                      or_none(joined(ports)), age(service, now),
                      selector_text({{"matchLabels", at(service, "spec.selector")}})});
}

Json ingress_cells(const Json& ingress, Millis now) {
  std::vector<std::string> hosts;
  if (const auto& rules = at(ingress, "spec.rules"); rules.is_array())
    for (const auto& rule : rules)
      if (const auto host = text(rule, "host"); !host.empty()) hosts.push_back(host);
  auto shown = hosts.empty() ? std::string("*")
                             : joined({hosts.begin(), hosts.begin() + std::min<std::ptrdiff_t>(3, std::ssize(hosts))});
  if (hosts.size() > 3) shown += fmt::format(" + {} more...", hosts.size() - 3);
  return Json::array({name_of(ingress), or_none(text(ingress, "spec.ingressClassName")), shown,
                      load_balancer_text(ingress), at(ingress, "spec.tls").is_array() ? "80, 443" : "80",
                      age(ingress, now)});
}

Json event_cells(const Json& event, Millis now) {
  const auto last = text(event, "lastTimestamp").empty() ? "eventTime" : "lastTimestamp";
  const auto first = text(event, "firstTimestamp").empty() ? "eventTime" : "firstTimestamp";
  std::string kind = text(event, "involvedObject.kind");
  for (auto& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return Json::array({age(event, now, last), text(event, "type"), text(event, "reason"),
                      fmt::format("{}/{}", kind, text(event, "involvedObject.name")),
                      text(event, "involvedObject.fieldPath"), text(event, "source.component"), text(event, "message"),
                      age(event, now, first), integer(event, "count", 1), name_of(event)});
}

Json node_cells(const Json& node, Millis now) {
  auto status = text(condition_of(node, "Ready"), "status") == "True" ? std::string("Ready") : std::string("NotReady");
  if (flag(node, "spec.unschedulable")) status += ",SchedulingDisabled";
  std::string address = "<none>";
  if (const auto& addresses = at(node, "status.addresses"); addresses.is_array())
    for (const auto& item : addresses)
      if (text(item, "type") == "InternalIP") address = text(item, "address");
  const auto& info = at(node, "status.nodeInfo");
  return Json::array({name_of(node), status, "<none>", age(node, now), text(info, "kubeletVersion"), address, "<none>",
                      text(info, "osImage"), text(info, "kernelVersion"), text(info, "containerRuntimeVersion")});
}

Json quota_cells(const Json& quota, Millis now) {
  std::vector<std::string> requests;
  std::vector<std::string> limits;
  if (const auto& hard = at(quota, "status.hard"); hard.is_object())
    for (const auto& [name, value] : hard.items()) {
      const auto line = fmt::format("{}: {}/{}", name, at(quota, "status.used").value(name, "0"), plain(value));
      (name.starts_with("limits.") ? limits : requests).push_back(line);
    }
  return Json::array({name_of(quota), joined(requests, ", "), joined(limits, ", "), age(quota, now)});
}

Json claim_cells(const Json& claim, Millis now) {
  const std::map<std::string, std::string> modes{
      {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
  std::vector<std::string> access;
  if (const auto& given = at(claim, "status.accessModes"); given.is_array())
    for (const auto& mode : given)
      if (const auto found = modes.find(plain(mode)); found != modes.end()) access.push_back(found->second);
  const auto& capacity = at(claim, "status.capacity.storage");
  auto phase = text(claim, "status.phase");
  if (!at(claim, "metadata.deletionTimestamp").is_null()) phase = "Terminating";
  return Json::array({name_of(claim), phase, text(claim, "spec.volumeName"), capacity.is_null() ? "" : plain(capacity),
                      joined(access), text(claim, "spec.storageClassName"), "<unset>", age(claim, now),
                      text(claim, "spec.volumeMode")});
}

Json autoscaler_cells(const Json& object, Millis now) {
  std::vector<std::string> targets;
  if (const auto& metrics = at(object, "spec.metrics"); metrics.is_array())
    for (const auto& metric : metrics) {
      const auto name = text(metric, "resource.name");
      std::string current = "<unknown>";
      if (const auto& measured = at(object, "status.currentMetrics"); measured.is_array())
        for (const auto& item : measured)
          if (text(item, "resource.name") == name)
            current = fmt::format("{}%", integer(item, "resource.current.averageUtilization"));
      targets.push_back(
          fmt::format("{}: {}/{}%", name, current, integer(metric, "resource.target.averageUtilization")));
    }
  return Json::array(
      {name_of(object),
       fmt::format("{}/{}", text(object, "spec.scaleTargetRef.kind"), text(object, "spec.scaleTargetRef.name")),
       joined(targets, ", "), std::to_string(integer(object, "spec.minReplicas", 1)),
       integer(object, "spec.maxReplicas"), integer(object, "status.currentReplicas"), age(object, now)});
}

Json binding_cells(const Json& object, Millis now) {
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<std::string> accounts;
  if (const auto& subjects = at(object, "subjects"); subjects.is_array())
    for (const auto& subject : subjects) {
      const auto kind = text(subject, "kind");
      if (kind == "User") users.push_back(text(subject, "name"));
      if (kind == "Group") groups.push_back(text(subject, "name"));
      if (kind == "ServiceAccount")
        accounts.push_back(fmt::format("{}/{}", text(subject, "namespace"), text(subject, "name")));
    }
  return Json::array({name_of(object), fmt::format("{}/{}", text(object, "roleRef.kind"), text(object, "roleRef.name")),
                      age(object, now), joined(users, ", "), joined(groups, ", "), joined(accounts, ", ")});
}

std::string endpoints_text(const Json& endpoints) {
  std::vector<std::string> parts;
  if (const auto& subsets = at(endpoints, "subsets"); subsets.is_array())
    for (const auto& subset : subsets)
      if (const auto& addresses = at(subset, "addresses"); addresses.is_array())
        for (const auto& port : at(subset, "ports"))
          for (const auto& address : addresses)
            parts.push_back(fmt::format("{}:{}", text(address, "ip"), integer(port, "port")));
  std::sort(parts.begin(), parts.end());
  if (parts.size() <= 3) return or_none(joined(parts));
  return fmt::format("{} + {} more...", joined({parts.begin(), parts.begin() + 3}), parts.size() - 3);
}

std::string number_or_na(const Json& value) {
  return value.is_null() ? "N/A" : plain(value);
}

Column name_column() {
  return {"Name", "string", "name", 0, ""};
}
Column column(const char* name, int priority = 0, const char* type = "string") {
  return {name, type, "", priority, ""};
}

std::int64_t data_count(const Json& object) {
  return static_cast<std::int64_t>(at(object, "data").size() + at(object, "binaryData").size());
}

std::map<std::string, Sheet> make_sheets() {
  std::map<std::string, Sheet> sheets;
  const auto add = [&](const char* resource, std::vector<Column> columns, Cells cells) {
    columns.insert(columns.begin(), name_column());
    sheets[resource] = {std::move(columns), std::move(cells)};
  };
  add("pods",
      {column("Ready"), column("Status"), column("Restarts"), column("Age"), column("IP", 1), column("Node", 1),
       column("Nominated Node", 1), column("Readiness Gates", 1)},
      pod_cells);
  add("deployments.apps",
      {column("Ready"), column("Up-to-date"), column("Available"), column("Age"), column("Containers", 1),
       column("Images", 1), column("Selector", 1)},
      deployment_cells);
  add("replicasets.apps",
      {column("Desired", 0, "integer"), column("Current", 0, "integer"), column("Ready", 0, "integer"), column("Age"),
       column("Containers", 1), column("Images", 1), column("Selector", 1)},
      [](const Json& o, Millis now) {
        return Json::array({name_of(o), integer(o, "spec.replicas"), integer(o, "status.replicas"),
                            integer(o, "status.readyReplicas"), age(o, now), containers(at(o, "spec.template.spec")),
                            images(at(o, "spec.template.spec")), selector_text(at(o, "spec.selector"))});
      });
  add("statefulsets.apps", {column("Ready"), column("Age"), column("Containers", 1), column("Images", 1)},
      [](const Json& o, Millis now) {
        return Json::array({name_of(o),
                            fmt::format("{}/{}", integer(o, "status.readyReplicas"), integer(o, "spec.replicas")),
                            age(o, now), containers(at(o, "spec.template.spec")), images(at(o, "spec.template.spec"))});
      });
  add("controllerrevisions.apps", {column("Controller"), column("Revision"), column("Age")},
      [](const Json& o, Millis now) {
        const auto& owner = controller_of(o);
        std::string kind = text(owner, "kind");
        for (auto& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const auto version = text(owner, "apiVersion");
        const auto group =
            version.find('/') == std::string::npos ? std::string{} : "." + version.substr(0, version.find('/'));
        return Json::array({name_of(o),
                            owner.is_null() ? "<none>" : fmt::format("{}{}/{}", kind, group, text(owner, "name")),
                            integer(o, "revision"), age(o, now)});
      });
  add("jobs.batch",
      {column("Status"), column("Completions"), column("Duration"), column("Age"), column("Containers", 1),
       column("Images", 1), column("Selector", 1)},
      job_cells);
  add("services",
      {column("Type"), column("Cluster-IP"), column("External-IP"), column("Port(s)"), column("Age"),
       column("Selector", 1)},
      service_cells);
  add("ingresses.networking.k8s.io",
      {column("Class"), column("Hosts"), column("Address"), column("Ports"), column("Age")}, ingress_cells);
  add("nodes",
      {column("Status"), column("Roles"), column("Age"), column("Version"), column("Internal-IP", 1),
       column("External-IP", 1), column("OS-Image", 1), column("Kernel-Version", 1), column("Container-Runtime", 1)},
      node_cells);
  add("resourcequotas", {column("Request"), column("Limit"), column("Age")}, quota_cells);
  add("persistentvolumeclaims",
      {column("Status"), column("Volume"), column("Capacity"), column("Access Modes"), column("StorageClass"),
       column("VolumeAttributesClass"), column("Age"), column("VolumeMode", 1)},
      claim_cells);
  add("horizontalpodautoscalers.autoscaling",
      {column("Reference"), column("Targets"), column("MinPods"), column("MaxPods"), column("Replicas"), column("Age")},
      autoscaler_cells);
  for (const auto* resource :
       {"rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"})
    add(resource,
        {column("Role"), column("Age"), column("Users", 1), column("Groups", 1), column("ServiceAccounts", 1)},
        binding_cells);
  for (const auto* resource : {"roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
                               "limitranges", "customresourcedefinitions.apiextensions.k8s.io"})
    add(resource, {column("Created At", 0, "date")}, [](const Json& o, Millis) {
      return Json::array({name_of(o), text(o, "metadata.creationTimestamp")});
    });
  add("namespaces", {column("Status"), column("Age")}, [](const Json& o, Millis now) {
    return Json::array({name_of(o), text(o, "status.phase"), age(o, now)});
  });
  add("serviceaccounts", {column("Age")}, [](const Json& o, Millis now) {
    return Json::array({name_of(o), age(o, now)});
  });
  add("secrets", {column("Type"), column("Data"), column("Age")}, [](const Json& o, Millis now) {
    return Json::array({name_of(o), text(o, "type"), data_count(o), age(o, now)});
  });
  add("configmaps", {column("Data"), column("Age")}, [](const Json& o, Millis now) {
    return Json::array({name_of(o), data_count(o), age(o, now)});
  });
  add("endpoints", {column("Endpoints"), column("Age")}, [](const Json& o, Millis now) {
    return Json::array({name_of(o), endpoints_text(o), age(o, now)});
  });
  add("endpointslices.discovery.k8s.io", {column("AddressType"), column("Ports"), column("Endpoints"), column("Age")},
      [](const Json& o, Millis now) {
        std::vector<std::string> ports;
        std::vector<std::string> addresses;
        if (const auto& list = at(o, "ports"); list.is_array())
          for (const auto& port : list) ports.push_back(std::to_string(integer(port, "port")));
        if (const auto& list = at(o, "endpoints"); list.is_array())
          for (const auto& endpoint : list)
            for (const auto& address : at(endpoint, "addresses")) addresses.push_back(plain(address));
        return Json::array({name_of(o), text(o, "addressType"), ports.empty() ? "<unset>" : joined(ports),
                            addresses.empty() ? "<unset>" : joined(addresses), age(o, now)});
      });
  add("ingressclasses.networking.k8s.io", {column("Controller"), column("Parameters"), column("Age")},
      [](const Json& o, Millis now) {
        return Json::array({name_of(o), text(o, "spec.controller"), "<none>", age(o, now)});
      });
  add("networkpolicies.networking.k8s.io", {column("Pod-Selector"), column("Age")}, [](const Json& o, Millis now) {
    return Json::array({name_of(o), selector_text(at(o, "spec.podSelector")), age(o, now)});
  });
  add("poddisruptionbudgets.policy",
      {column("Min Available"), column("Max Unavailable"), column("Allowed Disruptions", 0, "integer"), column("Age")},
      [](const Json& o, Millis now) {
        return Json::array({name_of(o), number_or_na(at(o, "spec.minAvailable")),
                            number_or_na(at(o, "spec.maxUnavailable")), integer(o, "status.disruptionsAllowed"),
                            age(o, now)});
      });
  add("leases.coordination.k8s.io", {column("Holder"), column("Age")}, [](const Json& o, Millis now) {
    return Json::array({name_of(o), text(o, "spec.holderIdentity"), age(o, now)});
  });
  add("storageclasses.storage.k8s.io",
      {column("Provisioner"), column("ReclaimPolicy"), column("VolumeBindingMode"), column("AllowVolumeExpansion"),
       column("Age")},
      [](const Json& o, Millis now) {
        const bool preferred = annotation_of(o, "storageclass.kubernetes.io/is-default-class") == "true";
        return Json::array({name_of(o) + (preferred ? " (default)" : ""), text(o, "provisioner"),
                            text(o, "reclaimPolicy"), text(o, "volumeBindingMode"),
                            flag(o, "allowVolumeExpansion") ? "true" : "false", age(o, now)});
      });
  sheets["events"] = {{column("Last Seen"),
                       column("Type"),
                       column("Reason"),
                       column("Object"),
                       column("Subobject", 1),
                       column("Source", 1),
                       column("Message"),
                       column("First Seen", 1),
                       column("Count", 1),
                       {"Name", "string", "name", 1, ""}},
                      event_cells};
  return sheets;
}

const Sheet* sheet_of(const Kind& kind) {
  static const auto sheets = make_sheets();
  if (kind.custom) return nullptr;
  const auto found = sheets.find(kind.resource());
  return found == sheets.end() ? nullptr : &found->second;
}

// The value at a CRD column's JSONPath: ".spec.tier", `.status.conditions[?(@.type=="Ready")].status`,
// ".spec.hosts[0]".
Json path_value(const Json& object, std::string_view path) {
  Json here = object;
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    const auto key = path.substr(0, path.find_first_of(".["));
    path.remove_prefix(key.size());
    if (!key.empty()) {
      if (!here.is_object() || !here.contains(std::string(key))) return nullptr;
      here = Json(here[std::string(key)]);
    }
    if (!path.starts_with('[')) continue;
    const auto close = path.find(']');
    const auto inside = path.substr(1, close == std::string_view::npos ? std::string_view::npos : close - 1);
    path.remove_prefix(close == std::string_view::npos ? path.size() : close + 1);
    if (!here.is_array()) return nullptr;
    Json chosen;
    if (const auto equals = inside.find("=="); inside.starts_with("?(@.") && equals != std::string_view::npos) {
      const auto field = std::string(inside.substr(4, equals - 4));
      auto wanted = inside.substr(equals + 2);
      while (!wanted.empty() && (wanted.back() == ')' || wanted.back() == '"' || wanted.back() == '\''))
        wanted.remove_suffix(1);
      while (!wanted.empty() && (wanted.front() == '"' || wanted.front() == '\'' || wanted.front() == ' '))
        wanted.remove_prefix(1);
      for (const auto& item : here)
        if (text(item, field) == wanted) chosen = item;
    } else if (const auto index = std::strtoull(std::string(inside).c_str(), nullptr, 10); index < here.size()) {
      chosen = here[index];
    }
    if (chosen.is_null()) return nullptr;
    here = std::move(chosen);
  }
  return here;
}

Json custom_cell(const Column& shown, const Json& object, Millis now) {
  const auto value = path_value(object, shown.json_path);
  if (value.is_null()) return nullptr;
  if (shown.type == "date")
    return value.is_string() ? Json(human_duration(now - from_stamp(value.get<std::string>()))) : Json("<invalid>");
  if (shown.type == "integer" || shown.type == "number" || shown.type == "boolean") return value;
  return plain(value);
}

}  // namespace

std::string human_duration(Millis duration) {
  const auto seconds = duration / 1000;
  if (seconds < -1) return "<invalid>";
  if (seconds <= 0) return "0s";
  const auto two = [](std::int64_t big, const char* unit, std::int64_t small, const char* small_unit) {
    return small == 0 ? fmt::format("{}{}", big, unit) : fmt::format("{}{}{}{}", big, unit, small, small_unit);
  };
  const auto minutes = seconds / 60;
  const auto hours = minutes / 60;
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return fmt::format("{}m", minutes);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return fmt::format("{}h", hours);
  if (hours < 24 * 8) return two(hours / 24, "d", hours % 24, "h");
  if (hours < 24 * 365 * 2) return fmt::format("{}d", hours / 24);
  if (hours < 24 * 365 * 8) return two(hours / (24 * 365), "y", hours / 24 % 365, "d");
  return fmt::format("{}y", hours / (24 * 365));
}

std::vector<Column> columns_of(const Kind& kind) {
  if (const auto* sheet = sheet_of(kind)) return sheet->columns;
  std::vector<Column> columns{name_column()};
  columns.insert(columns.end(), kind.columns.begin(), kind.columns.end());
  return columns;
}

Json cells_of(const Kind& kind, const Json& object, Millis now) {
  if (const auto* sheet = sheet_of(kind)) return sheet->cells(object, now);
  Json cells = Json::array({name_of(object)});
  for (const auto& shown : kind.columns) cells.push_back(custom_cell(shown, object, now));
  return cells;
}

}  // namespace litedesk::sandbox::kube
