// Pod Security admission.
// Rules: kubernetes.io/docs/concepts/security/pod-security-standards; the words are k8s.io/pod-security-admission's.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_admission.hpp"
#include "providers/sandbox/kubernetes_json.hpp"

namespace litedesk::sandbox::kube {

namespace {

using Names = std::vector<std::string>;

std::string quoted(const Names& names) {
  Names words;
  for (const auto& name : names) words.push_back(fmt::format("\"{}\"", name));
  return fmt::format("{}", fmt::join(words, ", "));
}

// `container "a"`, `containers "a", "b"`
std::string named(const char* noun, const Names& names) {
  return fmt::format("{}{} {}", noun, names.size() == 1 ? "" : "s", quoted(names));
}

class Checker {
 public:
  Checker(const Json& spec) : spec_(spec) {
    for (const auto* list : {"initContainers", "containers", "ephemeralContainers"})
      if (const auto& given = at(spec, list); given.is_array())
        for (const auto& container : given) containers_.push_back(&container);
  }

  Names broken;

  void baseline() {
    Names host;
    for (const auto* field : {"hostNetwork", "hostPID", "hostIPC"})
      if (flag(spec_, field)) host.push_back(fmt::format("{}=true", field));
    if (!host.empty()) broken.push_back(fmt::format("host namespaces ({})", fmt::join(host, ", ")));
    host_ports();
    if (const auto names = where([](const Json& c) { return flag(c, "securityContext.privileged"); }); !names.empty())
      broken.push_back(
          fmt::format("privileged ({} must not set securityContext.privileged=true)", named("container", names)));
  }

  void baseline_capabilities() {
    constexpr const char* allowed[] = {"AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",  "FSETID",
                                       "KILL",        "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
                                       "SETPCAP",     "SETUID", "SYS_CHROOT"};
    std::set<std::string> bad;
    const auto names = where([&](const Json& c) {
      bool any = false;
      for (const auto& capability : added(c))
        if (std::find(std::begin(allowed), std::end(allowed), capability) == std::end(allowed)) {
          bad.insert(capability);
          any = true;
        }
      return any;
    });
    if (!names.empty())
      broken.push_back(
          fmt::format("non-default capabilities ({} must not include {} in securityContext.capabilities.add)",
                      named("container", names), quoted({bad.begin(), bad.end()})));
    const auto host_paths = volumes([](const Json& v) { return v.contains("hostPath"); });
    if (!host_paths.empty()) broken.push_back(fmt::format("hostPath volumes ({})", named("volume", host_paths)));
  }

  void restricted() {
    if (const auto names = where([](const Json& c) {
          const auto& value = at(c, "securityContext.allowPrivilegeEscalation");
          return !value.is_boolean() || value.get<bool>();
        });
        !names.empty())
      broken.push_back(
          fmt::format("allowPrivilegeEscalation != false ({} must set securityContext.allowPrivilegeEscalation=false)",
                      named("container", names)));
    capabilities();
    restricted_volumes();
    run_as_non_root();
    seccomp();
  }

 private:
  template <class Predicate>
  [[nodiscard]] Names where(Predicate predicate) const {
    Names names;
    for (const auto* container : containers_)
      if (predicate(*container)) names.push_back(text(*container, "name"));
    return names;
  }

  template <class Predicate>
  [[nodiscard]] Names volumes(Predicate predicate) const {
    Names names;
    if (const auto& given = at(spec_, "volumes"); given.is_array())
      for (const auto& volume : given)
        if (predicate(volume)) names.push_back(text(volume, "name"));
    return names;
  }

  static Names added(const Json& container) {
    Names names;
    if (const auto& list = at(container, "securityContext.capabilities.add"); list.is_array())
      for (const auto& item : list) names.push_back(plain(item));
    return names;
  }

  void host_ports() {
    std::set<std::string> ports;
    const auto names = where([&](const Json& c) {
      bool any = false;
      if (const auto& list = at(c, "ports"); list.is_array())
        for (const auto& port : list)
          if (integer(port, "hostPort") != 0) {
            ports.insert(std::to_string(integer(port, "hostPort")));
            any = true;
          }
      return any;
    });
    if (!names.empty())
      broken.push_back(fmt::format("hostPort ({} use{} hostPort{} {})", named("container", names),
                                   names.size() == 1 ? "s" : "", ports.size() == 1 ? "" : "s", fmt::join(ports, ", ")));
  }

  void capabilities() {
    const auto keeping = where([](const Json& c) {
      const auto& dropped = at(c, "securityContext.capabilities.drop");
      return !dropped.is_array() || std::find(dropped.begin(), dropped.end(), "ALL") == dropped.end();
    });
    std::set<std::string> bad;
    const auto adding = where([&](const Json& c) {
      bool any = false;
      for (const auto& capability : added(c))
        if (capability != "NET_BIND_SERVICE") {
          bad.insert(capability);
          any = true;
        }
      return any;
    });
    Names parts;
    if (!keeping.empty())
      parts.push_back(named("container", keeping) + " must set securityContext.capabilities.drop=[\"ALL\"]");
    if (!adding.empty())
      parts.push_back(fmt::format("{} must not include {} in securityContext.capabilities.add",
                                  named("container", adding), quoted({bad.begin(), bad.end()})));
    if (!parts.empty()) broken.push_back(fmt::format("unrestricted capabilities ({})", fmt::join(parts, "; ")));
  }

  void restricted_volumes() {
    constexpr const char* allowed[] = {"configMap", "csi",   "downwardAPI",           "emptyDir",
                                       "ephemeral", "image", "persistentVolumeClaim", "projected",
                                       "secret"};
    std::set<std::string> types;
    const auto names = volumes([&](const Json& volume) {
      for (const auto& [key, value] : volume.items())
        if (key != "name" && std::find(std::begin(allowed), std::end(allowed), key) == std::end(allowed)) {
          types.insert(key);
          return true;
        }
      return false;
    });
    if (!names.empty())
      broken.push_back(fmt::format("restricted volume types ({} use{} restricted volume type{} {})",
                                   named("volume", names), names.size() == 1 ? "s" : "", types.size() == 1 ? "" : "s",
                                   quoted({types.begin(), types.end()})));
  }

  void run_as_non_root() {
    const auto& of_pod = at(spec_, "securityContext.runAsNonRoot");
    const bool pod_wide = of_pod.is_boolean() && of_pod.get<bool>();
    const auto refusing = where([](const Json& c) {
      const auto& own = at(c, "securityContext.runAsNonRoot");
      return own.is_boolean() && !own.get<bool>();
    });
    const auto silent =
        where([&](const Json& c) { return at(c, "securityContext.runAsNonRoot").is_null() && !pod_wide; });
    if (!refusing.empty())
      broken.push_back(fmt::format("runAsNonRoot != true ({} must not set securityContext.runAsNonRoot=false)",
                                   named("container", refusing)));
    else if (!silent.empty())
      broken.push_back(fmt::format("runAsNonRoot != true (pod or {} must set securityContext.runAsNonRoot=true)",
                                   named("container", silent)));
    Names roots;
    if (const auto& user = at(spec_, "securityContext.runAsUser"); user.is_number() && user == 0)
      roots.emplace_back("pod");
    if (const auto names = where([](const Json& c) {
          const auto& user = at(c, "securityContext.runAsUser");
          return user.is_number() && user == 0;
        });
        !names.empty())
      roots.push_back(named("container", names));
    if (!roots.empty())
      broken.push_back(fmt::format("runAsUser=0 ({} must not set runAsUser=0)", fmt::join(roots, " and ")));
  }

  void seccomp() {
    const auto good = [](const std::string& type) { return type == "RuntimeDefault" || type == "Localhost"; };
    const bool pod_wide = good(text(spec_, "securityContext.seccompProfile.type"));
    const auto names = where([&](const Json& c) {
      const auto own = text(c, "securityContext.seccompProfile.type");
      return own.empty() ? !pod_wide : !good(own);
    });
    if (!names.empty())
      broken.push_back(
          fmt::format("seccompProfile (pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
                      "\"Localhost\")",
                      named("container", names)));
  }

  const Json& spec_;
  std::vector<const Json*> containers_;
};

std::string level_with_version(const Json& name_space, const std::string& mode, std::string& level) {
  level = label_of(name_space, "pod-security.kubernetes.io/" + mode);
  const auto version = label_of(name_space, "pod-security.kubernetes.io/" + mode + "-version");
  return fmt::format("{}:{}", level, version.empty() ? "latest" : version);
}

}  // namespace

std::string pod_security_violations(const std::string& level, const Json& spec) {
  Checker checker(spec);
  if (level == "baseline" || level == "restricted") checker.baseline();
  if (level == "baseline") checker.baseline_capabilities();
  if (level == "restricted") checker.restricted();
  return fmt::format("{}", fmt::join(checker.broken, ", "));
}

void enforce_pod_security(World& world, const Kind& kind, const std::string& name_space, const Json& object,
                          std::vector<std::string>* warnings) {
  const auto& spec = at(object, kind.kind == "Pod" ? "spec" : "spec.template.spec");
  if (!spec.is_object()) return;
  const auto owner = world.get("namespaces", "", name_space);
  if (!owner) return;
  std::string level;
  if (kind.kind == "Pod") {
    const auto enforced = level_with_version(owner->object, "enforce", level);
    if (const auto violations = pod_security_violations(level, spec); !violations.empty())
      throw forbidden(kind, name_of(object), fmt::format("violates PodSecurity \"{}\": {}", enforced, violations));
  }
  const auto warned = level_with_version(owner->object, "warn", level);
  if (const auto violations = pod_security_violations(level, spec); warnings != nullptr && !violations.empty())
    warnings->push_back(fmt::format("would violate PodSecurity \"{}\": {}", warned, violations));
}

}  // namespace litedesk::sandbox::kube
