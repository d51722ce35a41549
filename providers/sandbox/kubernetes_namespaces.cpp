// Namespaces that come and go, kinds that are defined, and the collection of what lost its owner.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_certificate_authority.hpp"
#include "providers/sandbox/kubernetes_controllers.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_write.hpp"

namespace litedesk::sandbox::kube {

namespace {

constexpr double sweep_seconds = 1;

void furnish(World& world, const std::string& name) {
  if (!world.get("serviceaccounts", name, "default"))
    create_object(world, world.kinds().get("serviceaccounts"), name,
                  {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", {{"name", "default"}}}}, {});
  constexpr const char* root = "kube-root-ca.crt";
  if (world.get("configmaps", name, root)) return;
  const auto source = world.get("configmaps", "kube-system", root);
  const auto known = source ? at(source->object, "data").value("ca.crt", "") : std::string{};
  create_object(
      world, world.kinds().get("configmaps"), name,
      {{"apiVersion", "v1"},
       {"kind", "ConfigMap"},
       {"metadata",
        {{"name", root},
         {"annotations",
          {{"kubernetes.io/description",
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as "
            "the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "
            "Kubernetes clusters."}}}}},
       {"data", {{"ca.crt", known.empty() ? make_certificate({"sandbox"}, world.now(), 3650).certificate : known}}}},
      {});
}

struct Remains {
  std::vector<std::string> resources;
  std::map<std::string, int> finalizers;
};

Remains sweep(World& world, const std::string& name) {
  Remains remains;
  std::set<std::string> seen;
  RemoveOptions now;
  now.grace_seconds = 0;
  for (const auto& kind : world.kinds().all()) {
    if (!kind->namespaced || !seen.insert(kind->resource()).second) continue;
    int left = 0;
    for (auto& record : world.list(*kind, name)) {
      const bool going = !at(record.object, "metadata.deletionTimestamp").is_null();
      auto rest = going ? std::optional(record) : remove_object(world, *kind, record, now);
      if (rest && kind->kind == "Pod" && !kind->custom) {
        rest->object["metadata"]["deletionGracePeriodSeconds"] = 0;
        if (finish_removal(world, *kind, *rest)) rest.reset();
      }
      if (!rest) continue;
      ++left;
      if (const auto& finalizers = at(rest->object, "metadata.finalizers"); finalizers.is_array())
        for (const auto& finalizer : finalizers) ++remains.finalizers[plain(finalizer)];
    }
    if (left > 0)
      remains.resources.push_back(fmt::format("{}.{} has {} resource instances", kind->plural, kind->group, left));
  }
  return remains;
}

void report(World& world, Record& record, const Remains& remains) {
  Json conditions = at(record.object, "status.conditions");
  const auto set = [&](const char* type, bool status, const char* reason, const std::string& message) {
    set_condition(conditions,
                  {{"type", type}, {"status", status ? "True" : "False"}, {"reason", reason}, {"message", message}},
                  world.stamp());
  };
  set("NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "All resources successfully discovered");
  set("NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions",
      "All legacy kube types successfully parsed");
  set("NamespaceDeletionContentFailure", false, "ContentDeleted",
      "All content successfully deleted, may be waiting on finalization");
  set("NamespaceContentRemaining", true, "SomeResourcesRemain",
      fmt::format("Some resources are remaining: {}", fmt::join(remains.resources, ", ")));
  std::vector<std::string> finalizers;
  for (const auto& [name, count] : remains.finalizers)
    finalizers.push_back(fmt::format("{} in {} resource instances", name, count));
  if (finalizers.empty())
    set("NamespaceFinalizersRemaining", false, "ContentHasNoFinalizers", "All content-preserving finalizers finished");
  else
    set("NamespaceFinalizersRemaining", true, "SomeFinalizersRemain",
        fmt::format("Some content in the namespace has finalizers remaining: {}", fmt::join(finalizers, ", ")));
  if (!record.note.is_object()) record.note = Json::object();
  const bool first = !record.note.contains("swept");
  record.note["swept"] = true;
  if (at(record.object, "status.conditions") == conditions && !first) return;
  record.object["status"]["conditions"] = std::move(conditions);
  world.put("namespaces", record);
}

}  // namespace

void sync_namespace(World& world, const std::string& name) {
  auto record = world.get("namespaces", "", name);
  if (!record) return;
  if (at(record->object, "metadata.deletionTimestamp").is_null()) return furnish(world, name);
  if (!record->note.is_object() || !record->note.contains("sweep")) {
    record->note["sweep"] = world.in(sweep_seconds);
    world.wake_at(record->note["sweep"].get<Millis>(), "namespace", "", name);
    return world.put("namespaces", *record);
  }
  if (record->note["sweep"].get<Millis>() > world.now()) return;
  const auto remains = sweep(world, name);
  if (!remains.resources.empty()) return report(world, *record, remains);
  if (!at(record->object, "spec.finalizers").empty()) {
    record->object["spec"]["finalizers"] = Json::array();
    if (!finish_removal(world, world.kinds().get("namespaces"), *record)) world.put("namespaces", *record);
  }
}

void sync_definition(World& world, const std::string& name) {
  auto record = world.get("customresourcedefinitions.apiextensions.k8s.io", "", name);
  if (!record) {
    // Its objects go with it; their kind was served when this transaction began.
    if (const auto* kind = world.kinds().by_collection(std::string(collection_prefix) + name))
      for (const auto& orphan : world.list(*kind, std::nullopt)) world.erase(*kind, orphan);
    return;
  }
  Json conditions = at(record->object, "status.conditions");
  set_condition(
      conditions,
      {{"type", "NamesAccepted"}, {"status", "True"}, {"reason", "NoConflicts"}, {"message", "no conflicts found"}},
      world.stamp());
  set_condition(conditions,
                {{"type", "Established"},
                 {"status", "True"},
                 {"reason", "InitialNamesAccepted"},
                 {"message", "the initial names have been accepted"}},
                world.stamp());
  Json stored = Json::array();
  for (const auto& version : at(record->object, "spec.versions"))
    if (flag(version, "storage")) stored.push_back(text(version, "name"));
  world.put_status(
      "customresourcedefinitions.apiextensions.k8s.io", *record,
      {{"acceptedNames", at(record->object, "spec.names")}, {"conditions", conditions}, {"storedVersions", stored}});
}

namespace {

struct Owner {
  std::string kind, name, uid;
};

Owner parse_owner(const std::string& words) {
  const auto first = words.find('|');
  const auto second = words.find('|', first + 1);
  return {words.substr(0, first), words.substr(first + 1, second - first - 1), words.substr(second + 1)};
}

bool refers_to(const Json& object, const std::string& uid) {
  const auto& owners = at(object, "metadata.ownerReferences");
  return owners.is_array() &&
         std::any_of(owners.begin(), owners.end(), [&](const Json& owner) { return text(owner, "uid") == uid; });
}

void drop_reference(World& world, const Kind& kind, Record& record, const std::string& uid) {
  auto& owners = record.object["metadata"]["ownerReferences"];
  owners.erase(
      std::remove_if(owners.begin(), owners.end(), [&](const Json& owner) { return text(owner, "uid") == uid; }),
      owners.end());
  if (owners.empty()) record.object["metadata"].erase("ownerReferences");
  world.put(kind, record);
}

bool has_finalizer(const Json& object, const char* finalizer) {
  const auto& finalizers = at(object, "metadata.finalizers");
  return finalizers.is_array() && std::find(finalizers.begin(), finalizers.end(), finalizer) != finalizers.end();
}

std::optional<std::pair<const Kind*, Record>> find_owner(World& world, const std::string& name_space,
                                                         const Owner& owner) {
  for (const auto& kind : world.kinds().all()) {
    if (kind->kind != owner.kind) continue;
    auto record = world.get(*kind, name_space, owner.name);
    if (record && uid_of(record->object) == owner.uid) return std::pair(kind.get(), std::move(*record));
  }
  return std::nullopt;
}

// Deletes (or, with `orphan`, sets free) the dependents; returns how many are left that the owner has to wait for.
int release_dependents(World& world, const std::string& name_space, const Owner& owner, bool orphan) {
  int left = 0;
  std::set<std::string> seen;
  for (const auto& kind : world.kinds().all()) {
    if (!seen.insert(kind->resource()).second) continue;
    if (!kind->namespaced && !name_space.empty()) continue;  // an owner lives in the same namespace, or in none
    const auto scope = name_space.empty() ? std::nullopt : std::optional<std::string_view>(name_space);
    for (auto& record : world.list(*kind, scope)) {
      if (!refers_to(record.object, owner.uid)) continue;
      if (orphan || at(record.object, "metadata.ownerReferences").size() > 1) {
        drop_reference(world, *kind, record, owner.uid);
      } else if (!at(record.object, "metadata.deletionTimestamp").is_null() ||
                 remove_object(world, *kind, record, {}).has_value()) {
        ++left;
      }
    }
  }
  return left;
}

}  // namespace

void collect_garbage(World& world, const std::string& name_space, const std::string& words) {
  const auto owner = parse_owner(words);
  auto found = find_owner(world, name_space, owner);
  if (!found && !name_space.empty())
    found = find_owner(world, "", owner);  // a cluster-wide owner of namespaced objects
  if (!found) {
    release_dependents(world, name_space, owner, false);
    return;
  }
  auto& [kind, record] = *found;
  if (at(record.object, "metadata.deletionTimestamp").is_null()) return;
  const bool foreground = has_finalizer(record.object, "foregroundDeletion");
  const bool orphan = has_finalizer(record.object, "orphan");
  if (!foreground && !orphan) return;
  if (release_dependents(world, namespace_of(record.object), owner, orphan) > 0) return;
  auto& finalizers = record.object["metadata"]["finalizers"];
  finalizers.erase(std::find(finalizers.begin(), finalizers.end(), orphan ? "orphan" : "foregroundDeletion"));
  if (!finish_removal(world, *kind, record)) world.put(*kind, record);
}

}  // namespace litedesk::sandbox::kube
