// What acts on an instance and was not made for it: the network policies and role bindings in its namespace, and the
// webhooks that are shown its pods and Secrets. And what else stands in a namespace that is to be taken over.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "commands/world.hpp"

namespace litedesk {

struct ForeignObject {
  std::string kind, name;
  std::string effect;  // what it does to the instance: "lets User eve use ClusterRole edit here"; may be empty
};
// "RoleBinding eve was not made by litedesk: it lets User eve use ClusterRole edit here"
[[nodiscard]] std::string to_string(const ForeignObject& object);

// The labels of an object; none where it has none.
[[nodiscard]] std::map<std::string, std::string> labels_of(const Json& object);

// As read: all of them, whosever they are.
struct Surroundings {
  std::vector<kubernetes::Object> policies, bindings, webhooks;
  std::vector<std::string> unread;  // "webhooks", where we are not permitted to list them
};
// Reads in one round. What may not be listed is in `unread`; any other error is thrown.
[[nodiscard]] Surroundings read_surroundings(const World& world, const std::string& name_space);

// Which of them were not made for the instance: policies and bindings that are not in `own` ("Kind name"), and webhooks
// whose rules name pods or Secrets and whose namespaceSelector takes a namespace with these labels (Kubernetes API:
// admissionregistration.k8s.io/v1, MutatingWebhook; a selector that is absent or empty takes every namespace).
[[nodiscard]] std::vector<ForeignObject> foreign_objects(const Surroundings& surroundings,
                                                         const std::set<std::string>& own,
                                                         std::map<std::string, std::string> namespace_labels,
                                                         const std::string& name_space);

// Everything else in a namespace, of every kind that this tool knows: not in `own`, not what Kubernetes itself puts
// into each namespace, and not what something else in it made (what has an owner goes with that). "Secret database";
// kinds that may not be listed are named as such: "Lease (not permitted to list)".
[[nodiscard]] std::vector<std::string> other_objects(const World& world, const std::string& name_space,
                                                     const std::set<std::string>& own);

}  // namespace litedesk
