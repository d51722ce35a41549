#include "providers/sandbox/kubernetes_fields.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "providers/read_json.hpp"

namespace litedesk::sandbox::kube {

namespace {

using Type = Schema::Type;

std::string element_of(const std::string& field) {
  return "f:" + field;
}
std::string element_of(const Schema& list, const Json& item) {
  return list.list == Schema::List::keyed ? "k:" + key_of(list, item).dump() : "v:" + item.dump();
}

// Whether the value is owned part by part.
bool granular(const Schema& schema, const Json& value) {
  if (schema.atomic) return false;
  if (schema.type == Type::object || schema.type == Type::map) return value.is_object();
  if (schema.type == Type::list) return schema.list != Schema::List::atomic && value.is_array();
  return false;
}

const Schema& any() {
  static const Schema schema;
  return schema;
}

const Schema& child(const Schema& schema, const std::string& field) {
  const auto* found = schema.type == Type::map ? schema.element : schema.field(field);
  return found == nullptr ? any() : *found;
}

void collect(const Schema& schema, const Json& value, FieldSet& set) {
  if (!granular(schema, value) || value.empty()) {
    set.member = true;
    return;
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      // An empty list of members has nothing that anybody could own.
      const bool nothing = item.is_null() || (item.is_array() && item.empty() && granular(child(schema, key), item));
      if (!nothing) collect(child(schema, key), item, set.children[element_of(key)]);
    }
    return;
  }
  for (const auto& item : value) {
    auto& here = set.children[element_of(schema, item)];
    here.member = true;
    if (schema.list == Schema::List::keyed) {
      collect(*schema.element, item, here);
      here.member = true;
    }
  }
}

// The same, with the maps and lists themselves: as what was added by an update is recorded.
void collect_added(const Schema& schema, const Json& value, FieldSet& set) {
  set.member = true;
  if (!granular(schema, value)) return;
  if (value.is_object()) {
    for (const auto& [key, item] : value.items())
      collect_added(child(schema, key), item, set.children[element_of(key)]);
    return;
  }
  for (const auto& item : value) {
    auto& here = set.children[element_of(schema, item)];
    here.member = true;
    if (schema.list == Schema::List::keyed) collect_added(*schema.element, item, here);
  }
}

const Json* item_with(const Schema& list, const Json& items, const std::string& element) {
  for (const auto& item : items)
    if (element_of(list, item) == element) return &item;
  return nullptr;
}

void compare_at(const Schema& schema, const Json& before, const Json& after, FieldSet& changed, FieldSet& removed) {
  if (!granular(schema, before) || !granular(schema, after)) {
    if (before != after) changed.member = true;
    return;
  }
  if (before.is_object()) {
    for (const auto& [key, item] : after.items()) {
      const auto element = element_of(key);
      const auto old = before.find(key);
      if (old == before.end())
        collect_added(child(schema, key), item, changed.children[element]);
      else
        compare_at(child(schema, key), *old, item, changed.children[element], removed.children[element]);
    }
    for (const auto& [key, item] : before.items())
      if (!after.contains(key)) collect_added(child(schema, key), item, removed.children[element_of(key)]);
    return;
  }
  for (const auto& item : after) {
    const auto element = element_of(schema, item);
    const auto* old = item_with(schema, before, element);
    if (old == nullptr) {
      auto& here = changed.children[element];
      here.member = true;
      if (schema.list == Schema::List::keyed) collect_added(*schema.element, item, here);
    } else if (schema.list == Schema::List::keyed) {
      compare_at(*schema.element, *old, item, changed.children[element], removed.children[element]);
    }
  }
  for (const auto& item : before) {
    const auto element = element_of(schema, item);
    if (item_with(schema, after, element) != nullptr) continue;
    auto& here = removed.children[element];
    here.member = true;
    if (schema.list == Schema::List::keyed) collect_added(*schema.element, item, here);
  }
}

void prune_empty(FieldSet& set) {
  for (auto item = set.children.begin(); item != set.children.end();) {
    prune_empty(item->second);
    item = item->second.empty() ? set.children.erase(item) : std::next(item);
  }
}

void from_json_at(const Json& json, FieldSet& set) {
  for (const auto& [key, value] : json.items()) {
    if (key == ".") {
      set.member = true;
      continue;
    }
    auto& here = set.children[key];
    if (value.is_object() && !value.empty())
      from_json_at(value, here);
    else
      here.member = true;
  }
}

Json to_json_at(const FieldSet& set) {
  Json json = Json::object();
  if (set.member && !set.children.empty()) json["."] = Json::object();
  for (const auto& [key, value] : set.children) json[key] = to_json_at(value);
  return json;
}

std::string readable(const std::string& element) {
  const auto rest = element.substr(2);
  if (element.front() == 'f') return "." + rest;
  if (element.front() == 'v') return fmt::format("[={}]", rest);
  std::string parts;
  const auto keys = parse_json(rest);
  for (const auto& [key, value] : keys.items())
    parts += fmt::format("{}{}={}", parts.empty() ? "" : ",", key, value.dump());
  return fmt::format("[{}]", parts);
}

void paths_at(const FieldSet& set, const std::string& path, std::vector<std::string>& out) {
  if (set.member) out.push_back(path);
  for (const auto& [key, value] : set.children) paths_at(value, path + readable(key), out);
}

}  // namespace

FieldSet FieldSet::from_json(const Json& fields_v1) {
  FieldSet set;
  if (fields_v1.is_object()) from_json_at(fields_v1, set);
  return set;
}

Json FieldSet::to_json() const {
  return to_json_at(*this);
}

FieldSet FieldSet::intersection(const FieldSet& other) const {
  FieldSet result;
  result.member = member && other.member;
  for (const auto& [key, value] : children)
    if (const auto* found = other.find(key)) {
      auto both = value.intersection(*found);
      if (!both.empty()) result.children.emplace(key, std::move(both));
    }
  return result;
}

FieldSet FieldSet::difference(const FieldSet& other) const {
  FieldSet result;
  result.member = member && !other.member;
  for (const auto& [key, value] : children) {
    const auto* found = other.find(key);
    auto rest = found == nullptr ? value : value.difference(*found);
    if (!rest.empty()) result.children.emplace(key, std::move(rest));
  }
  return result;
}

void FieldSet::unite(const FieldSet& other) {
  member = member || other.member;
  for (const auto& [key, value] : other.children) children[key].unite(value);
}

const FieldSet* FieldSet::find(const std::string& element) const {
  const auto found = children.find(element);
  return found == children.end() ? nullptr : &found->second;
}

std::vector<std::string> FieldSet::paths() const {
  std::vector<std::string> out;
  paths_at(*this, "", out);
  return out;
}

FieldSet fields_of(const Schema& schema, const Json& object) {
  FieldSet set;
  collect(schema, object, set);
  set.member = false;
  return set;
}

Difference compare(const Schema& schema, const Json& before, const Json& after) {
  Difference result;
  compare_at(schema, before, after, result.changed, result.removed);
  prune_empty(result.changed);
  prune_empty(result.removed);
  return result;
}

void strip(FieldSet& fields, bool status_subresource, bool has_status_subresource) {
  fields.children.erase("f:apiVersion");
  fields.children.erase("f:kind");
  if (const auto metadata = fields.children.find("f:metadata"); metadata != fields.children.end()) {
    metadata->second.member = false;
    for (const auto* name : {"f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:generation",
                             "f:managedFields", "f:resourceVersion"})
      metadata->second.children.erase(name);
    if (metadata->second.empty()) fields.children.erase(metadata);
  }
  if (has_status_subresource && !status_subresource) fields.children.erase("f:status");
  if (status_subresource) fields.children.erase("f:spec");
}

Json merge(const Schema& schema, const Json& live, const Json& config) {
  if (!granular(schema, live) || !granular(schema, config)) return config;
  if (config.is_object()) {
    Json merged = live;
    for (const auto& [key, item] : config.items()) {
      const auto found = live.find(key);
      merged[key] = found == live.end() ? item : merge(child(schema, key), *found, item);
    }
    return merged;
  }
  // The order of `config`; what only `live` has comes as early as its own order allows.
  Json merged = Json::array();
  std::size_t next_live = 0;
  const auto take_live_only = [&] {
    while (next_live < live.size()) {
      if (item_with(schema, config, element_of(schema, live[next_live])) != nullptr) break;
      merged.push_back(live[next_live++]);
    }
  };
  for (const auto& item : config) {
    const auto element = element_of(schema, item);
    const auto* old = item_with(schema, live, element);
    take_live_only();
    if (old == nullptr) {
      merged.push_back(item);
      continue;
    }
    merged.push_back(schema.list == Schema::List::keyed ? merge(*schema.element, *old, item) : item);
    if (next_live < live.size() && element_of(schema, live[next_live]) == element) ++next_live;
  }
  for (; next_live < live.size(); ++next_live)
    if (item_with(schema, config, element_of(schema, live[next_live])) == nullptr) merged.push_back(live[next_live]);
  return merged;
}

namespace {

// Returns true when the value itself is to go.
bool remove_at(const Schema& schema, Json& value, const FieldSet& fields, const FieldSet* kept) {
  if (fields.member && (kept == nullptr || kept->empty())) return true;
  if (!granular(schema, value)) return false;
  // A field of a map that nobody states any more goes whole, with what was filled in below it by default; an item of a
  // list only by being in the set itself.
  const auto visit = [&](const std::string& element, const Schema& type, Json& item) {
    const auto* below = fields.find(element);
    if (below == nullptr) return false;
    const auto* kept_below = kept == nullptr ? nullptr : kept->find(element);
    if (element.starts_with("f:") && (kept_below == nullptr || kept_below->empty())) return true;
    return remove_at(type, item, *below, kept_below);
  };
  bool any_removed = false;
  if (value.is_object()) {
    for (auto item = value.begin(); item != value.end();) {
      const bool gone = visit(element_of(item.key()), child(schema, item.key()), *item);
      any_removed = any_removed || gone;
      item = gone ? value.erase(item) : std::next(item);
    }
  } else {
    for (auto item = value.begin(); item != value.end();) {
      const bool gone = visit(element_of(schema, *item), *schema.element, *item);
      any_removed = any_removed || gone;
      item = gone ? value.erase(item) : std::next(item);
    }
  }
  return any_removed && value.empty() && (kept == nullptr || !kept->member);
}

}  // namespace

void remove(const Schema& schema, Json& object, const FieldSet& fields, const FieldSet& kept) {
  if (remove_at(schema, object, fields, &kept)) object = Json::object();
}

}  // namespace litedesk::sandbox::kube
