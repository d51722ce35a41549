#include "commands/field_diff.hpp"

#include <algorithm>
#include <map>

#include "providers/read_json.hpp"

namespace litedesk {

namespace {

constexpr auto masked = "(masked)";

bool all_named(const Json& list) {
  return !list.empty() && std::all_of(list.begin(), list.end(), [](const Json& element) {
    return element.is_object() && element.contains("name") && element["name"].is_string();
  });
}

std::map<std::string, const Json*> by_name(const Json& list) {
  std::map<std::string, const Json*> named;
  for (const auto& element : list) named[element["name"].get<std::string>()] = &element;
  return named;
}

std::string child(const std::string& path, const std::string& key) {
  // A key with dots of its own (annotations, labels) is shown in brackets, so that the path stays readable.
  if (key.find('.') != std::string::npos) return path + "['" + key + "']";
  return path.empty() ? key : path + "." + key;
}

enum class Mode { both, managed };

class Differ {
 public:
  explicit Differ(Mode mode) : mode_(mode) {}

  void compare(const std::string& path, const Json& before, const Json& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) return compare_maps(path, before, after);
    if (before.is_array() && after.is_array()) return compare_lists(path, before, after);
    changes.push_back({path, before, after});
  }

  std::vector<FieldChange> changes;

 private:
  void compare_maps(const std::string& path, const Json& before, const Json& after) {
    for (const auto& [key, value] : after.items()) {
      const auto found = before.find(key);
      compare(child(path, key), found == before.end() ? Json() : *found, value);
    }
    if (mode_ == Mode::managed) return;
    for (const auto& [key, value] : before.items())
      if (!after.contains(key)) changes.push_back({child(path, key), value, Json()});
  }

  void compare_lists(const std::string& path, const Json& before, const Json& after) {
    if (all_named(before) && all_named(after)) {
      const auto old_ones = by_name(before);
      const auto new_ones = by_name(after);
      for (const auto& [name, value] : new_ones) {
        const auto found = old_ones.find(name);
        compare(path + "[" + name + "]", found == old_ones.end() ? Json() : *found->second, *value);
      }
      if (mode_ == Mode::managed) return;
      for (const auto& [name, value] : old_ones)
        if (!new_ones.contains(name)) changes.push_back({path + "[" + name + "]", *value, Json()});
      return;
    }
    for (std::size_t index = 0; index < std::max(before.size(), after.size()); ++index)
      compare(path + "[" + std::to_string(index) + "]", index < before.size() ? before[index] : Json(),
              index < after.size() ? after[index] : Json());
  }

  Mode mode_;
};

std::vector<FieldChange> sorted(std::vector<FieldChange> changes) {
  std::sort(changes.begin(), changes.end(), [](const FieldChange& a, const FieldChange& b) { return a.path < b.path; });
  return changes;
}

void mask(std::vector<FieldChange>& changes) {
  for (auto& change : changes) {
    if (!change.path.starts_with("data") && !change.path.starts_with("stringData")) continue;
    if (!change.before.is_null()) change.before = masked;
    if (!change.after.is_null()) change.after = masked;
  }
}

bool is_secret(const Json& object) {
  return object.value("kind", "") == "Secret";
}

// The element of a list that a FieldsV1 key "k:{...}" or "v:..." names; null when there is none.
const Json* find_element(const Json& list, const std::string& key) {
  const auto wanted = parse_json(key.substr(2));
  if (wanted.is_discarded() || (key.starts_with("k:") && !wanted.is_object())) return nullptr;
  for (const auto& element : list) {
    if (key.starts_with("v:")) {
      if (element == wanted) return &element;
      continue;
    }
    if (!element.is_object()) continue;
    const bool same = std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& item) {
      const auto found = element.find(item.key());
      return found != element.end() && *found == item.value();
    });
    if (same) return &element;
  }
  return nullptr;
}

Json extract(const Json& live, const Json& fields) {
  bool leaf = true;
  for (const auto& [key, below] : fields.items()) leaf = leaf && key == ".";
  if (leaf && fields.empty()) return live;
  if (live.is_array()) {
    Json list = Json::array();
    for (const auto& [key, below] : fields.items()) {
      if (key == ".") continue;
      const auto* element = find_element(live, key);
      if (element == nullptr) continue;
      Json part = key.starts_with("v:") ? *element : extract(*element, below);
      if (key.starts_with("k:")) part.update(parse_json(key.substr(2)));
      list.push_back(std::move(part));
    }
    return list;
  }
  if (!live.is_object()) return live;
  Json map = Json::object();
  for (const auto& [key, below] : fields.items()) {
    if (!key.starts_with("f:")) continue;
    const auto found = live.find(key.substr(2));
    if (found != live.end()) map[key.substr(2)] = extract(*found, below);
  }
  return map;
}

}  // namespace

std::vector<FieldChange> diff_fields(const Json& before, const Json& after) {
  Differ differ(Mode::both);
  differ.compare("", before, after);
  return sorted(std::move(differ.changes));
}

Json comparable(const Json& object) {
  Json copy = object;
  copy.erase("status");
  if (const auto metadata = copy.find("metadata"); metadata != copy.end() && metadata->is_object())
    for (const auto* key : {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"})
      metadata->erase(key);
  return copy;
}

std::vector<FieldChange> diff_objects(const Json& live, const Json& wanted) {
  auto changes = diff_fields(comparable(live), comparable(wanted));
  if (is_secret(wanted)) mask(changes);
  return changes;
}

std::vector<FieldChange> diff_managed_fields(const Json& live, const Json& wanted) {
  Differ differ(Mode::managed);
  differ.compare("", comparable(live), comparable(wanted));
  auto changes = sorted(std::move(differ.changes));
  if (is_secret(wanted)) mask(changes);
  return changes;
}

Json extract_applied(const Json& object, std::string_view manager) {
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->contains("managedFields")) return nullptr;
  for (const auto& entry : (*metadata)["managedFields"]) {
    if (entry.value("manager", "") != manager || entry.value("operation", "") != "Apply" ||
        entry.contains("subresource"))
      continue;
    Json applied = extract(object, entry.value("fieldsV1", Json::object()));
    applied["apiVersion"] = object["apiVersion"];
    applied["kind"] = object["kind"];
    applied["metadata"]["name"] = (*metadata)["name"];
    if (metadata->contains("namespace")) applied["metadata"]["namespace"] = (*metadata)["namespace"];
    return applied;
  }
  return nullptr;
}

}  // namespace litedesk
