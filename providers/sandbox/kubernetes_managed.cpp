#include "providers/sandbox/kubernetes_managed.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "providers/sandbox/kubernetes_fields.hpp"
#include "providers/sandbox/kubernetes_json.hpp"

namespace litedesk::sandbox::kube {

namespace {

struct Owner {
  std::string manager, operation, api_version, subresource, time;
  FieldSet fields;
};

std::vector<Owner> owners_of(const Json& object) {
  std::vector<Owner> owners;
  const auto& entries = at(object, "metadata.managedFields");
  if (!entries.is_array()) return owners;
  for (const auto& entry : entries) {
    if (text(entry, "operation").empty()) continue;  // `[{}]` forgets all owners
    owners.push_back({text(entry, "manager"), text(entry, "operation"), text(entry, "apiVersion"),
                      text(entry, "subresource"), text(entry, "time"), FieldSet::from_json(at(entry, "fieldsV1"))});
  }
  return owners;
}

void store(Json& object, std::vector<Owner> owners) {
  owners.erase(std::remove_if(owners.begin(), owners.end(), [](const Owner& owner) { return owner.fields.empty(); }),
               owners.end());
  if (owners.empty()) {
    drop(object, "metadata.managedFields");
    return;
  }
  std::stable_sort(owners.begin(), owners.end(), [](const Owner& a, const Owner& b) {
    return std::tie(a.operation, a.time, a.manager, a.subresource) <
           std::tie(b.operation, b.time, b.manager, b.subresource);
  });
  Json entries = Json::array();
  for (const auto& owner : owners) {
    Json entry = {{"manager", owner.manager},
                  {"operation", owner.operation},
                  {"apiVersion", owner.api_version},
                  {"fieldsType", "FieldsV1"},
                  {"fieldsV1", owner.fields.to_json()}};
    if (!owner.time.empty()) entry["time"] = owner.time;
    if (!owner.subresource.empty()) entry["subresource"] = owner.subresource;
    entries.push_back(std::move(entry));
  }
  object["metadata"]["managedFields"] = std::move(entries);
}

FieldSet stated(const Kind& kind, const Json& object, const Writer& writer) {
  auto fields = fields_of(*kind.schema, object);
  strip(fields, writer.subresource == "status", kind.status);
  return fields;
}

// What existed before anybody applied: it belongs to a manager of that name.
void adopt_unowned(const Kind& kind, const Json& live, std::vector<Owner>& owners) {
  if (!owners.empty() || live.is_null()) return;
  auto fields = fields_of(*kind.schema, live);
  strip(fields, false, kind.status);
  owners.push_back({"before-first-apply", "Update", kind.api_version(), "", "", std::move(fields)});
}

std::string described(const Owner& owner) {
  auto words = fmt::format("conflict with \"{}\"", owner.manager);
  if (!owner.subresource.empty()) words += fmt::format(" with subresource \"{}\"", owner.subresource);
  if (owner.operation != "Apply") words += fmt::format(" using {}", owner.api_version);
  return words;
}

// "Apply failed with 2 conflicts: conflicts with "a":\n- .data.a\n- .data.b"
std::string summary(const std::vector<std::pair<std::string, std::vector<std::string>>>& conflicts, std::size_t count) {
  auto words = fmt::format("Apply failed with {} conflict{}: ", count, count == 1 ? "" : "s");
  std::vector<std::string> parts;
  for (const auto& [who, paths] : conflicts) {
    if (paths.size() == 1) {
      parts.push_back(fmt::format("{}: {}", who, paths.front()));
      continue;
    }
    auto part = "conflicts" + who.substr(std::string_view("conflict").size()) + ":";
    for (const auto& path : paths) part += "\n- " + path;
    parts.push_back(std::move(part));
  }
  return words + fmt::format("{}", fmt::join(parts, "\n"));
}

void refuse_conflicts(const std::vector<Owner>& owners, const Owner& applier, const FieldSet& changed) {
  std::vector<std::pair<std::string, std::vector<std::string>>> conflicts;
  Json causes = Json::array();
  for (const auto& owner : owners) {
    if (&owner == &applier) continue;
    const auto both = owner.fields.intersection(changed).paths();
    if (both.empty()) continue;
    const auto who = described(owner);
    for (const auto& path : both)
      causes.push_back({{"reason", "FieldManagerConflict"}, {"message", who}, {"field", path}});
    conflicts.emplace_back(who, both);
  }
  if (causes.empty()) return;
  const auto count = causes.size();
  throw StatusError(409, "Conflict", summary(conflicts, count), {{"causes", std::move(causes)}});
}

void refuse_unknown(const Kind& kind, const Json& config) {
  const auto errors = apply_errors(*kind.schema, config);
  if (errors.empty()) return;
  const auto what = fmt::format("failed to create typed patch object ({}/{}; {}/{}, Kind={}): ", namespace_of(config),
                                name_of(config), kind.group, kind.version, kind.kind);
  if (errors.size() == 1) throw StatusError(500, "", what + errors.front());
  throw StatusError(500, "", fmt::format("{}errors:\n  {}", what, fmt::join(errors, "\n  ")));
}

}  // namespace

Json apply(const Kind& kind, const Json& live, const Json& config, const Writer& writer, bool force) {
  refuse_unknown(kind, config);
  auto owners = owners_of(live);
  adopt_unowned(kind, live, owners);
  const auto fields = stated(kind, config, writer);

  auto own = std::find_if(owners.begin(), owners.end(), [&](const Owner& owner) {
    return owner.operation == "Apply" && owner.manager == writer.manager && owner.subresource == writer.subresource;
  });
  FieldSet last;
  if (own != owners.end()) last = own->fields;
  if (own == owners.end()) {
    owners.push_back({writer.manager, "Apply", kind.api_version(), writer.subresource, writer.time, {}});
    own = std::prev(owners.end());
  }

  auto merged = live.is_null() ? config : merge(*kind.schema, live, config);
  if (!live.is_null()) {
    auto [changed, removed] = compare(*kind.schema, live, merged);
    strip(changed, writer.subresource == "status", kind.status);
    if (!force) refuse_conflicts(owners, *own, changed);
    for (auto& owner : owners)
      if (&owner != &*own) owner.fields = owner.fields.difference(changed).difference(removed);
    // What was applied before and is no more goes, unless somebody else has it too.
    FieldSet kept = fields;
    for (const auto& owner : owners)
      if (&owner != &*own) kept.unite(owner.fields);
    remove(*kind.schema, merged, last.difference(fields), kept);
  }

  if (own->fields != fields || own->api_version != kind.api_version()) own->time = writer.time;
  own->api_version = kind.api_version();
  own->fields = fields;
  store(merged, std::move(owners));
  return merged;
}

namespace {

// Nobody begins to own fields by an update: an object that has no owners keeps none, and the replicas that nobody set
// stay without an owner when an autoscaler moves them through the scale subresource, which sees nothing else.
bool is_tracked(const std::vector<Owner>& owners, const Writer& writer) {
  if (writer.subresource != "scale") return !owners.empty();
  return std::any_of(owners.begin(), owners.end(), [](const Owner& owner) {
    const auto paths = owner.fields.paths();
    return std::find(paths.begin(), paths.end(), ".spec.replicas") != paths.end();
  });
}

}  // namespace

void own_changes(const Kind& kind, const Json& before, Json& after, const Writer& writer) {
  // A client may state managedFields itself (kubectl hands fields over so); else they are as they were.
  auto owners = at(after, "metadata.managedFields").is_array() ? owners_of(after) : owners_of(before);
  if (!before.is_null() && !is_tracked(owners, writer)) return store(after, std::move(owners));
  const auto old = before.is_null() ? Json::object() : before;
  auto [changed, removed] = compare(*kind.schema, old, after);
  strip(changed, writer.subresource == "status", kind.status);
  strip(removed, writer.subresource == "status", kind.status);
  for (auto& owner : owners) owner.fields = owner.fields.difference(removed);
  if (!changed.empty()) {
    auto own = std::find_if(owners.begin(), owners.end(), [&](const Owner& owner) {
      return owner.operation == "Update" && owner.manager == writer.manager &&
             owner.subresource == writer.subresource && owner.api_version == kind.api_version();
    });
    if (own == owners.end()) {
      owners.push_back({writer.manager, "Update", kind.api_version(), writer.subresource, writer.time, {}});
      own = std::prev(owners.end());
    }
    for (auto& owner : owners)
      if (&owner != &*own) owner.fields = owner.fields.difference(changed);
    own->fields.unite(changed);
    own->time = writer.time;
  }
  store(after, std::move(owners));
}

}  // namespace litedesk::sandbox::kube
