#include "providers/sandbox/kubernetes_validation.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include "providers/read_json.hpp"
#include "providers/sandbox/kubernetes_admission.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_pattern.hpp"
#include "providers/sandbox/kubernetes_quantity.hpp"
#include "providers/sandbox/kubernetes_selectors.hpp"
#include "providers/system/hash.hpp"

namespace litedesk::sandbox::kube {

namespace {

bool lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_cidr(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return false;
  const auto address = text.substr(0, slash);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  const bool four = ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
  if (!four && ::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return false;
  int width = -1;
  const auto* last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data() + slash + 1, last, width);
  return failure == std::errc() && end == last && width >= 0 && width <= (four ? 32 : 128);
}

bool is_qualified_part(std::string_view text) {
  if (text.empty() || text.size() > 63 || !alnum(text.front()) || !alnum(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_qualified_name(const std::string& key) {
  const auto slash = key.find('/');
  if (slash == std::string::npos) return is_qualified_part(key);
  return is_subdomain(key.substr(0, slash)) && is_qualified_part(std::string_view(key).substr(slash + 1));
}

}  // namespace

void check_labels(const Json& labels, const std::string& path, Causes& causes) {
  if (!labels.is_object()) return;
  for (const auto& [key, value] : labels.items()) {
    if (!is_qualified_name(key)) causes.push_back(value_invalid(path, key, label_key_rule));
    const auto given = plain(value);
    if (given.empty()) continue;
    if (given.size() > 63)
      causes.push_back(value_invalid(path, given, "must be no more than 63 bytes"));
    else if (!is_qualified_part(given))
      causes.push_back(value_invalid(path, given, label_value_rule));
  }
}

void check_port(const Json& value, const std::string& path, Causes& causes) {
  if (!value.is_number_integer()) return;
  const auto port = value.get<std::int64_t>();
  if (port == 0)
    causes.push_back(value_required(path));
  else if (port < 1 || port > 65535)
    causes.push_back(value_invalid(path, value, "must be between 1 and 65535, inclusive"));
}

namespace {

void check_strategy(const Json& spec, Causes& causes) {
  const auto& rolling = at(spec, "strategy.rollingUpdate");
  if (text(spec, "strategy.type") == "Recreate" && !rolling.is_null())
    causes.push_back(
        value_forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"));
  const auto none = [](const Json& value) { return value == 0 || value == "0%"; };
  if (rolling.is_object() && none(at(rolling, "maxSurge")) && none(at(rolling, "maxUnavailable")))
    causes.push_back(value_invalid("spec.strategy.rollingUpdate.maxUnavailable", at(rolling, "maxUnavailable"),
                                   "may not be 0 when `maxSurge` is 0"));
  check_not_negative(at(spec, "minReadySeconds"), "spec.minReadySeconds", causes);
  if (const auto deadline = integer(spec, "progressDeadlineSeconds", 600); deadline <= integer(spec, "minReadySeconds"))
    causes.push_back(value_invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
}

void check_workload(const Kind& kind, const Json& object, Causes& causes) {
  const auto& spec = at(object, "spec");
  const auto& labels = at(spec, "template.metadata.labels");
  if (const auto replicas = integer(spec, "replicas", 1); replicas < 0)
    causes.push_back(value_invalid("spec.replicas", replicas, "must be greater than or equal to 0"));
  const auto& selector = at(spec, "selector");
  if (selector.is_object() && selector.empty())
    causes.push_back(value_invalid(
        "spec.selector", selector,
        "empty selector is invalid for " + std::string(kind.kind == "StatefulSet" ? "statefulset" : "deployment")));
  check_labels(at(spec, "selector.matchLabels"), "spec.selector.matchLabels", causes);
  if (!selector.is_object() ||
      !LabelSelector::of_object(selector).matches(labels.is_object() ? labels : Json::object()))
    causes.push_back(
        value_invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  check_labels(labels, "spec.template.labels", causes);
  check_pod_spec(at(spec, "template.spec"), at(spec, "volumeClaimTemplates"), "spec.template.spec", causes);
  if (kind.kind == "Deployment") check_strategy(spec, causes);
  if (const auto policy = text(spec, "template.spec.restartPolicy"); !policy.empty() && policy != "Always")
    causes.push_back(value_not_supported("spec.template.spec.restartPolicy", policy, {"Always"}));
}

void check_job(const Json& object, Causes& causes) {
  const auto& spec = at(object, "spec.template.spec");
  check_pod_spec(spec, nullptr, "spec.template.spec", causes);
  if (const auto policy = text(spec, "restartPolicy"); policy != "Never" && policy != "OnFailure")
    causes.push_back({"FieldValueRequired", fmt::format("Required value: valid values: \"OnFailure\", \"Never\""),
                      "spec.template.spec.restartPolicy"});
}

void check_service(const Json& object, Causes& causes) {
  const auto& ports = at(object, "spec.ports");
  const bool headless = text(object, "spec.clusterIP") == "None";
  if ((!ports.is_array() || ports.empty()) && text(object, "spec.type") != "ExternalName" && !headless)
    causes.push_back(value_required("spec.ports"));
  if (!ports.is_array()) return;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto here = fmt::format("spec.ports[{}]", i);
    if (ports.size() > 1 && text(ports[i], "name").empty()) causes.push_back(value_required(here + ".name"));
    check_port(at(ports[i], "port"), here + ".port", causes);
    check_port(at(ports[i], "targetPort"), here + ".targetPort", causes);
  }
}

void check_ingress(const Json& object, Causes& causes) {
  const auto& spec = at(object, "spec");
  if (!at(spec, "rules").is_array() && !at(spec, "defaultBackend").is_object())
    causes.push_back(value_invalid("spec", Json::object(), "either `defaultBackend` or `rules` must be specified"));
  const auto& rules = at(spec, "rules");
  if (!rules.is_array()) return;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto host = text(rules[i], "host");
    if (!host.empty() && !is_subdomain(host.starts_with("*.") ? host.substr(2) : host))
      causes.push_back(value_invalid(fmt::format("spec.rules[{}].host", i), host, subdomain_rule));
    const auto& paths = at(rules[i], "http.paths");
    if (!paths.is_array()) continue;
    for (std::size_t j = 0; j < paths.size(); ++j) {
      const auto here = fmt::format("spec.rules[{}].http.paths[{}]", i, j);
      const auto path = text(paths[j], "path");
      if (text(paths[j], "pathType").empty()) {
        causes.push_back(value_required(here + ".pathType", "pathType must be specified"));
        continue;
      }
      if (text(paths[j], "pathType") != "ImplementationSpecific" && !path.starts_with('/'))
        causes.push_back(value_invalid(here + ".path", path, "must be an absolute path"));
      if (at(paths[j], "backend.service").is_object() && !at(paths[j], "backend.service.port.number").is_number() &&
          text(paths[j], "backend.service.port.name").empty())
        causes.push_back(value_required(here + ".backend.service.port", "name or number is required"));
    }
  }
}

void check_pull_secret(const Json& secret, Causes& causes) {
  if (text(secret, "type") != "kubernetes.io/dockerconfigjson") return;
  const auto& data = at(secret, "data");
  const auto found = data.is_object() ? data.find(".dockerconfigjson") : data.end();
  if (!data.is_object() || found == data.end()) return causes.push_back(value_required("data[.dockerconfigjson]"));
  const auto decoded = system::base64_decode(plain(*found)).value_or("");
  if (!parse_json(decoded).is_discarded()) return;
  const auto start = decoded.find_first_not_of(" \t\r\n");
  causes.push_back(
      value_invalid("data[.dockerconfigjson]", "<secret contents redacted>",
                    start == std::string::npos || decoded[start] == '{'
                        ? "unexpected end of JSON input"
                        : fmt::format("invalid character '{}' looking for beginning of value", decoded[start])));
}

void check_data(const Json& object, bool secret, Causes& causes) {
  for (const auto* field : {"data", "binaryData"}) {
    const auto& data = at(object, field);
    if (!data.is_object()) continue;
    for (const auto& [key, value] : data.items()) {
      const bool legal = !key.empty() && key.size() <= 253 && std::all_of(key.begin(), key.end(), [](char c) {
        return alnum(c) || c == '-' || c == '_' || c == '.';
      });
      if (!legal) causes.push_back(value_invalid(fmt::format("{}[{}]", field, key), key, config_key_rule));
    }
  }
  std::size_t size = 0;
  if (const auto& data = at(object, "data"); data.is_object())
    for (const auto& value : data) size += plain(value).size();
  if (secret) {
    size = size / 4 * 3;
    if (text(object, "type") == "kubernetes.io/tls")
      for (const auto* key : {"tls.crt", "tls.key"})
        if (!at(object, "data").contains(key)) causes.push_back(value_required(fmt::format("data[{}]", key)));
    check_pull_secret(object, causes);
  }
  if (size > 1'048'576) causes.push_back({"FieldValueTooLong", "Too long: may not be more than 1048576 bytes", "data"});
}

void check_autoscaler(const Json& object, Causes& causes) {
  const auto most = integer(object, "spec.maxReplicas");
  const auto least = integer(object, "spec.minReplicas", 1);
  if (least < 1) causes.push_back(value_invalid("spec.minReplicas", least, "must be greater than or equal to 1"));
  if (most < 1) causes.push_back(value_invalid("spec.maxReplicas", most, "must be greater than 0"));
  if (most >= 1 && most < least)
    causes.push_back(value_invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"));
  if (text(object, "spec.scaleTargetRef.apiVersion").empty())
    causes.push_back(value_invalid("spec.scaleTargetRef.apiVersion", "", "apiVersion must specify API group"));
}

void check_budget(const Json& object, Causes& causes) {
  const auto& spec = at(object, "spec");
  for (const auto* field : {"minAvailable", "maxUnavailable"})
    check_not_negative(at(spec, field), std::string("spec.") + field, causes);
  if (at(spec, "minAvailable").is_null() || at(spec, "maxUnavailable").is_null()) return;
  causes.push_back(value_invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
}

void check_policy(const Json& object, Causes& causes) {
  for (const auto* direction : {"ingress", "egress"}) {
    const auto& rules = at(object, std::string("spec.") + direction);
    if (!rules.is_array()) continue;
    const char* peers = *direction == 'i' ? "from" : "to";
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const auto& list = at(rules[i], peers);
      if (!list.is_array()) continue;
      for (std::size_t j = 0; j < list.size(); ++j) {
        const auto here = fmt::format("spec.{}[{}].{}[{}]", direction, i, peers, j);
        if (const auto& cidr = at(list[j], "ipBlock.cidr"); cidr.is_string() && !is_cidr(cidr.get<std::string>()))
          causes.push_back(value_invalid(here + ".ipBlock.cidr", cidr,
                                         "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"));
      }
    }
  }
}

void check_lease(const Json& object, Causes& causes) {
  const auto& seconds = at(object, "spec.leaseDurationSeconds");
  if (seconds.is_number_integer() && seconds.get<std::int64_t>() <= 0)
    causes.push_back(value_invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
}

void check_finalizers(const Json& object, Causes& causes) {
  const auto& finalizers = at(object, "metadata.finalizers");
  if (!finalizers.is_array()) return;
  for (std::size_t i = 0; i < finalizers.size(); ++i) {
    const auto name = plain(finalizers[i]);
    if (name == "orphan" || name == "foregroundDeletion" || name == "kubernetes") continue;
    const auto here = fmt::format("metadata.finalizers[{}]", i);
    if (!is_qualified_name(name))
      causes.push_back(value_invalid(here, name, label_key_rule));
    else if (name.find('/') == std::string::npos)
      causes.push_back(
          value_invalid(here, name, "name is neither a standard finalizer name nor is it fully qualified"));
  }
}

}  // namespace

void check_not_negative(const Json& value, const std::string& path, Causes& causes) {
  if (value.is_number_integer() && value.get<std::int64_t>() < 0)
    causes.push_back(value_invalid(path, value, "must be greater than or equal to 0"));
}

bool is_label_name(const std::string& name) {
  if (name.empty() || name.size() > 63 || !lower_alnum(name.front()) || !lower_alnum(name.back())) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return lower_alnum(c) || c == '-'; });
}

bool is_subdomain(const std::string& name) {
  if (name.empty() || name.size() > 253) return false;
  std::string_view rest = name;
  while (true) {
    const auto label = rest.substr(0, rest.find('.'));
    if (label.empty() || !lower_alnum(label.front()) || !lower_alnum(label.back())) return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return lower_alnum(c) || c == '-'; })) return false;
    if (label.size() == rest.size()) return true;
    rest.remove_prefix(label.size() + 1);
  }
}

namespace {

void check_patterns(const Json& schema, const std::string& path, Causes& causes) {
  if (!schema.is_object()) return;
  if (const auto pattern = text(schema, "pattern"); !pattern.empty())
    if (const auto error = pattern_error(pattern); !error.empty())
      causes.push_back(
          value_invalid(path + ".pattern", pattern,
                        fmt::format("must be a valid regular expression, but isn't: error parsing regexp: {}", error)));
  if (const auto& properties = at(schema, "properties"); properties.is_object())
    for (const auto& [field, below] : properties.items())
      check_patterns(below, fmt::format("{}.properties[{}]", path, field), causes);
  for (const auto* part : {"items", "additionalProperties"})
    check_patterns(at(schema, part), fmt::format("{}.{}", path, part), causes);
}

void check_definition(const Json& object, Causes& causes) {
  const auto wanted = fmt::format("{}.{}", text(object, "spec.names.plural"), text(object, "spec.group"));
  if (name_of(object) != wanted)
    causes.push_back(value_invalid("metadata.name", name_of(object), "must be spec.names.plural+\".\"+spec.group"));
  const auto& versions = at(object, "spec.versions");
  if (!versions.is_array()) return;
  for (std::size_t i = 0; i < versions.size(); ++i)
    // A schema that all versions share is told of where the first API version of CRDs had it.
    check_patterns(at(versions[i], "schema.openAPIV3Schema"),
                   versions.size() == 1 ? std::string("spec.validation.openAPIV3Schema")
                                        : fmt::format("spec.versions[{}].schema.openAPIV3Schema", i),
                   causes);
}

}  // namespace

std::vector<Cause> validate_metadata(const Kind& kind, const Json& object) {
  Causes causes;
  const auto name = name_of(object);
  const bool rbac = kind.group == "rbac.authorization.k8s.io";
  if (name.empty()) {
    causes.push_back(value_required("metadata.name", "name or generateName is required"));
  } else if (rbac) {
    if (name.find('/') != std::string::npos || name.find('%') != std::string::npos || name == "." || name == "..")
      causes.push_back(value_invalid("metadata.name", name, "may not contain '/'"));
  } else if (kind.kind == "Namespace" || kind.kind == "Service") {
    if (name.find('.') != std::string::npos)
      causes.push_back(value_invalid("metadata.name", name, "must not contain dots"));
    else if (!is_label_name(name))
      causes.push_back(value_invalid("metadata.name", name, label_rule));
  } else if (name.size() > 253) {
    causes.push_back(value_invalid("metadata.name", name, "must be no more than 253 characters"));
  } else if (!is_subdomain(name)) {
    causes.push_back(value_invalid("metadata.name", name, subdomain_rule));
  }
  check_labels(at(object, "metadata.labels"), "metadata.labels", causes);
  if (const auto& annotations = at(object, "metadata.annotations"); annotations.is_object()) {
    std::size_t size = 0;
    for (const auto& [key, value] : annotations.items()) {
      size += key.size() + plain(value).size();
      std::string lower = key;
      for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (!is_qualified_name(lower)) causes.push_back(value_invalid("metadata.annotations", key, label_key_rule));
    }
    if (size > 262'144)
      causes.push_back({"FieldValueTooLong", "Too long: may not be more than 262144 bytes", "metadata.annotations"});
  }
  if (const auto& owners = at(object, "metadata.ownerReferences"); owners.is_array())
    for (const auto& owner : owners)
      for (const auto* field : {"apiVersion", "kind", "name", "uid"})
        if (text(owner, field).empty())
          causes.push_back(value_invalid(
              fmt::format("metadata.ownerReferences.{}", field), "",
              std::string_view(field) == "apiVersion" ? "version must not be empty" : "must not be empty"));
  check_finalizers(object, causes);
  return causes;
}

std::vector<Cause> validate(const Kind& kind, const Json& object) {
  auto causes = kind.custom_schema ? check_custom(*kind.schema, object) : check(*kind.schema, object);
  if (kind.custom) return causes;
  const auto& name = kind.kind;
  if (name == "Deployment" || name == "ReplicaSet" || name == "StatefulSet") check_workload(kind, object, causes);
  if (name == "Pod") check_pod_spec(at(object, "spec"), nullptr, "spec", causes);
  if (name == "Job") check_job(object, causes);
  if (name == "Service") check_service(object, causes);
  if (name == "Ingress") check_ingress(object, causes);
  if (name == "ConfigMap") check_data(object, false, causes);
  if (name == "Secret") check_data(object, true, causes);
  if (name == "HorizontalPodAutoscaler") check_autoscaler(object, causes);
  if (name == "PodDisruptionBudget") check_budget(object, causes);
  if (name == "NetworkPolicy") check_policy(object, causes);
  if (name == "Lease") check_lease(object, causes);
  if (name == "LimitRange") check_limit_range(object, causes);
  if (name == "CustomResourceDefinition") check_definition(object, causes);
  return causes;
}

std::vector<Cause> validate_change(const Kind& kind, const Json& old, const Json& object) {
  Causes causes;
  const auto immutable = [&](const char* path) {
    if (at(old, path) != at(object, path))
      causes.push_back(value_invalid(path, at(object, path), "field is immutable"));
  };
  const auto& name = kind.kind;
  if (kind.custom) return causes;
  if (name == "Deployment" || name == "ReplicaSet") immutable("spec.selector");
  if (name == "Job") {
    immutable("spec.selector");
    immutable("spec.template");
    immutable("spec.completionMode");
    if (at(object, "spec.completionMode") != "Indexed") immutable("spec.completions");
  }
  if (name == "RoleBinding" || name == "ClusterRoleBinding") {
    if (at(old, "roleRef") != at(object, "roleRef"))
      causes.push_back(value_invalid("roleRef", at(object, "roleRef"), "cannot change roleRef"));
  }
  if (name == "StatefulSet") {
    auto before = at(old, "spec");
    auto after = at(object, "spec");
    for (const auto* field : {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                              "persistentVolumeClaimRetentionPolicy", "minReadySeconds"}) {
      before.erase(field);
      after.erase(field);
    }
    if (before != after)
      causes.push_back(value_forbidden(
          "spec",
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
          "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
  }
  if (name == "PersistentVolumeClaim") {
    auto before = at(old, "spec");
    auto after = at(object, "spec");
    for (auto* spec : {&before, &after})
      for (const auto* field : {"resources", "volumeName", "storageClassName", "volumeAttributesClassName"})
        spec->erase(field);
    if (before != after)
      causes.push_back(value_forbidden(
          "spec",
          "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"));
  }
  if (name == "Pod") {
    auto before = at(old, "spec");
    auto after = at(object, "spec");
    for (auto* spec : {&before, &after}) {
      for (const auto* field : {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"})
        spec->erase(field);
      for (auto& container : (*spec)["containers"]) container.erase("image");
    }
    if (before != after)
      causes.push_back(value_forbidden(
          "spec",
          "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
          "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
          "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"));
  }
  if ((name == "Secret" || name == "ConfigMap") && flag(old, "immutable")) {
    if (at(old, "data") != at(object, "data"))
      causes.push_back(value_forbidden("data", "field is immutable when `immutable` is set"));
    if (!flag(object, "immutable"))
      causes.push_back(value_forbidden("immutable", "field is immutable when `immutable` is set"));
  }
  if (name == "Secret") immutable("type");
  if (const auto had = text(old, "spec.clusterIP"); name == "Service" && !had.empty() &&
                                                    had != text(object, "spec.clusterIP") &&
                                                    text(object, "spec.type") != "ExternalName")
    causes.push_back(value_invalid("spec.clusterIPs[0]", at(object, "spec.clusterIPs"), "may not change once set"));
  if (name == "StorageClass") {
    immutable("provisioner");
    immutable("reclaimPolicy");
  }
  return causes;
}

}  // namespace litedesk::sandbox::kube
