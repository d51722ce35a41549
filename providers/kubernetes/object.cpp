#include "providers/kubernetes/object.hpp"

#include "providers/error.hpp"
#include "providers/http/transport.hpp"
#include "providers/read_json.hpp"

namespace litedesk::kubernetes {

namespace {

const Json null_json;

std::string text_of(const Json& json) {
  return json.is_string() ? json.get<std::string>() : std::string();
}

// An entry of metadata.labels or metadata.annotations, whose keys hold dots.
std::string entry_of(const Object& object, std::string_view map, std::string_view key) {
  const auto& entries = object.at(map);
  if (!entries.is_object()) return {};
  const auto found = entries.find(std::string(key));
  return found == entries.end() ? std::string() : text_of(*found);
}

}  // namespace

std::string ResourceType::api_version() const {
  return group.empty() ? version : group + "/" + version;
}

std::string ResourceType::path(std::string_view name_space) const {
  using http::percent_encode;
  std::string path = group.empty() ? "/api/" : "/apis/" + percent_encode(group) + "/";
  path += percent_encode(version);
  if (namespaced && !name_space.empty()) path += "/namespaces/" + percent_encode(name_space);
  return path + "/" + percent_encode(plural);
}

std::string ObjectRef::path() const {
  // Without its namespace the path would be another resource's, or nobody's, and a 404 there would read as "gone".
  if (name.empty() || (type.namespaced && name_space.empty()))
    throw ValidationError({.message = type.kind + (name.empty() ? " has no name" : " " + name + " has no namespace")});
  return type.path(name_space) + "/" + http::percent_encode(name);
}

std::string ObjectRef::to_string() const {
  return type.kind + " " + (type.namespaced && !name_space.empty() ? name_space + "/" : "") + name;
}

std::string Object::api_version() const {
  return text("apiVersion");
}
std::string Object::kind() const {
  return text("kind");
}
std::string Object::name() const {
  return text("metadata.name");
}
std::string Object::name_space() const {
  return text("metadata.namespace");
}
std::string Object::uid() const {
  return text("metadata.uid");
}
std::string Object::resource_version() const {
  return text("metadata.resourceVersion");
}
std::string Object::label(std::string_view key) const {
  return entry_of(*this, "metadata.labels", key);
}
std::string Object::annotation(std::string_view key) const {
  return entry_of(*this, "metadata.annotations", key);
}
bool Object::deleting() const {
  return !text("metadata.deletionTimestamp").empty();
}

ObjectRef Object::ref() const {
  const auto& type = type_of(api_version(), kind());
  return {type, type.namespaced ? name_space() : std::string(), name()};
}

const Json& Object::at(std::string_view dotted_path) const {
  const Json* at = &json_;
  while (true) {
    if (!at->is_object()) return null_json;
    const auto dot = dotted_path.find('.');
    const auto found = at->find(std::string(dotted_path.substr(0, dot)));
    if (found == at->end()) return null_json;
    at = &*found;
    if (dot == std::string_view::npos) return *at;
    dotted_path.remove_prefix(dot + 1);
  }
}

std::int64_t Object::integer(std::string_view dotted_path, std::int64_t otherwise) const {
  return whole_number(at(dotted_path)).value_or(otherwise);
}

std::string Object::text(std::string_view dotted_path) const {
  return text_of(at(dotted_path));
}

std::optional<Condition> find_condition(const Object& object, std::string_view type) {
  const auto& conditions = object.at("status.conditions");
  if (!conditions.is_array()) return std::nullopt;
  for (const auto& each : conditions) {
    if (!each.is_object() || each.value("type", Json()) != type) continue;
    const auto field = [&each](const char* key) {
      const auto found = each.find(key);
      return found == each.end() ? std::string() : text_of(*found);
    };
    return Condition{field("type"), field("status"), field("reason"), field("message"), field("lastTransitionTime")};
  }
  return std::nullopt;
}

}  // namespace litedesk::kubernetes
