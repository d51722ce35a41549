#include "commands/surroundings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "commands/parallel.hpp"
#include "providers/error.hpp"

namespace litedesk {

namespace {

using kubernetes::Object;

bool contains_any(const Json& texts, std::initializer_list<const char*> wanted) {
  if (!texts.is_array()) return false;
  return std::any_of(texts.begin(), texts.end(), [&](const Json& text) {
    return std::any_of(wanted.begin(), wanted.end(), [&](const char* each) { return text == each; });
  });
}

// Kubernetes API, meta/v1, LabelSelectorRequirement. What is no known operator takes everything: better shown than
// hidden.
bool takes(const Json& requirement, const std::map<std::string, std::string>& labels) {
  const auto found = labels.find(requirement.value("key", ""));
  const std::string operation = requirement.value("operator", "");
  const bool listed =
      found != labels.end() && contains_any(requirement.value("values", Json::array()), {found->second.c_str()});
  if (operation == "In") return listed;
  if (operation == "NotIn") return !listed;
  if (operation == "Exists") return found != labels.end();
  if (operation == "DoesNotExist") return found == labels.end();
  return true;
}

bool selects(const Json& selector, const std::map<std::string, std::string>& labels) {
  const auto exact = selector.value("matchLabels", Json::object());
  for (const auto& [key, value] : exact.items()) {
    const auto found = labels.find(key);
    if (found == labels.end() || value != found->second) return false;
  }
  const auto requirements = selector.value("matchExpressions", Json::array());
  return std::all_of(requirements.begin(), requirements.end(),
                     [&](const Json& requirement) { return takes(requirement, labels); });
}

// Whether the webhook is shown pods or Secrets of the namespace.
bool is_shown_them(const Json& webhook, const std::map<std::string, std::string>& labels) {
  const auto rules = webhook.value("rules", Json::array());
  return selects(webhook.value("namespaceSelector", Json::object()), labels) &&
         std::any_of(rules.begin(), rules.end(), [](const Json& rule) {
           return contains_any(rule.value("apiGroups", Json::array()), {"", "*"}) &&
                  contains_any(rule.value("resources", Json::array()), {"pods", "secrets", "*", "*/*"}) &&
                  rule.value("scope", "*") != "Cluster";
         });
}

std::string subjects_of(const Object& binding) {
  const auto& subjects = binding.at("subjects");
  std::string names;
  if (subjects.is_array())
    for (const auto& subject : subjects)
      names += (names.empty() ? "" : ", ") + subject.value("kind", "") + " " + subject.value("name", "");
  return names.empty() ? "nobody" : names;
}

std::string effect_of(const Object& object) {
  if (object.kind() == "RoleBinding")
    return fmt::format("lets {} use {} {} here", subjects_of(object), object.text("roleRef.kind"),
                       object.text("roleRef.name"));
  if (object.kind() == "NetworkPolicy") return "may let in or out what the instance's own policies do not";
  return object.kind() == "MutatingWebhookConfiguration" ? "is shown its pods or Secrets, and may change them"
                                                         : "is shown its pods or Secrets";
}

struct Reading {
  const char *api_version, *kind;
  bool in_namespace;
  std::vector<Object>* into;
  const char* name;
};

// What each namespace holds without anybody asking for it.
bool is_of_kubernetes(const Object& object) {
  const auto kind = object.kind(), name = object.name();
  return (kind == "ServiceAccount" && name == "default") || (kind == "ConfigMap" && name == "kube-root-ca.crt");
}

}  // namespace

std::map<std::string, std::string> labels_of(const Json& object) {
  std::map<std::string, std::string> labels;
  const auto given =
      object.is_object() ? object.value("metadata", Json::object()).value("labels", Json::object()) : Json();
  for (const auto& [key, value] : given.items())
    if (value.is_string()) labels[key] = value.get<std::string>();
  return labels;
}

std::string to_string(const ForeignObject& object) {
  return fmt::format("{} {} was not made by litedesk: it {}", object.kind, object.name, object.effect);
}

Surroundings read_surroundings(const World& world, const std::string& name_space) {
  Surroundings found;
  std::vector<Object> mutating, validating;
  const Reading readings[] = {
      {"networking.k8s.io/v1", "NetworkPolicy", true, &found.policies, "network policies"},
      {"rbac.authorization.k8s.io/v1", "RoleBinding", true, &found.bindings, "role bindings"},
      {"admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", false, &mutating, "mutating webhooks"},
      {"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", false, &validating, "validating webhooks"}};
  bool refused[std::size(readings)] = {};
  std::vector<std::function<void()>> tasks;
  for (std::size_t index = 0; index < std::size(readings); ++index)
    tasks.emplace_back([&, index] {
      const auto& reading = readings[index];
      try {
        *reading.into = world.objects
                            .list(kubernetes::type_of(reading.api_version, reading.kind),
                                  reading.in_namespace ? name_space : "", {})
                            .items;
      } catch (const PermissionDenied&) {
        refused[index] = true;
      }
    });
  run_all(tasks);
  for (std::size_t index = 0; index < std::size(readings); ++index)
    if (refused[index]) found.unread.emplace_back(readings[index].name);
  found.webhooks = std::move(mutating);
  found.webhooks.insert(found.webhooks.end(), validating.begin(), validating.end());
  return found;
}

std::vector<ForeignObject> foreign_objects(const Surroundings& surroundings, const std::set<std::string>& own,
                                           std::map<std::string, std::string> namespace_labels,
                                           const std::string& name_space) {
  std::vector<ForeignObject> foreign;
  const auto add = [&](const Object& object) { foreign.push_back({object.kind(), object.name(), effect_of(object)}); };
  for (const auto* objects : {&surroundings.policies, &surroundings.bindings})
    for (const auto& object : *objects)
      if (!own.contains(object.kind() + " " + object.name())) add(object);
  namespace_labels["kubernetes.io/metadata.name"] = name_space;  // the API server's own
  for (const auto& configuration : surroundings.webhooks) {
    const auto& webhooks = configuration.at("webhooks");
    if (webhooks.is_array() && std::any_of(webhooks.begin(), webhooks.end(), [&](const Json& webhook) {
          return is_shown_them(webhook, namespace_labels);
        }))
      add(configuration);
  }
  return foreign;
}

std::vector<std::string> other_objects(const World& world, const std::string& name_space,
                                       const std::set<std::string>& own) {
  const auto types = kubernetes::namespaced_types();
  std::vector<std::vector<std::string>> found(types.size());
  std::vector<std::function<void()>> tasks;
  for (std::size_t index = 0; index < types.size(); ++index)
    tasks.emplace_back([&, index] {
      // What happened, and what Kubernetes keeps beside each Service.
      if (types[index].kind == "Event" || types[index].kind == "Endpoints") return;
      try {
        for (const auto& object : world.objects.list(types[index], name_space, {}).items)
          if (const auto name = types[index].kind + " " + object.name();
              !own.contains(name) && !is_of_kubernetes(object) && object.at("metadata.ownerReferences").is_null())
            found[index].push_back(name);
      } catch (const PermissionDenied&) {
        found[index] = {types[index].kind + " (not permitted to list)"};
      } catch (const NotFound&) {
        // a kind that this cluster does not serve
      }
    });
  run_all(tasks);
  std::vector<std::string> names;
  for (auto& each : found) names.insert(names.end(), each.begin(), each.end());
  return names;
}

}  // namespace litedesk
