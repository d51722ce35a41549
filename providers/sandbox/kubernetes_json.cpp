#include "providers/sandbox/kubernetes_json.hpp"

#include "providers/read_json.hpp"

namespace litedesk::sandbox::kube {

namespace {

const Json nothing;

std::string_view head(std::string_view& path) {
  const auto dot = path.find('.');
  const auto key = path.substr(0, dot);
  path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  return key;
}

}  // namespace

const Json& at(const Json& value, std::string_view dotted_path) {
  const Json* here = &value;
  while (!dotted_path.empty()) {
    if (!here->is_object()) return nothing;
    const auto found = here->find(std::string(head(dotted_path)));
    if (found == here->end()) return nothing;
    here = &*found;
  }
  return *here;
}

Json& make(Json& value, std::string_view dotted_path) {
  Json* here = &value;
  while (!dotted_path.empty()) {
    if (!here->is_object()) *here = Json::object();
    here = &(*here)[std::string(head(dotted_path))];
  }
  return *here;
}

void drop(Json& value, std::string_view dotted_path) {
  Json* here = &value;
  while (here->is_object()) {
    const std::string key(head(dotted_path));
    if (dotted_path.empty()) {
      here->erase(key);
      return;
    }
    const auto found = here->find(key);
    if (found == here->end()) return;
    here = &*found;
  }
}

std::string text(const Json& value, std::string_view dotted_path) {
  const auto& found = at(value, dotted_path);
  return found.is_string() ? found.get<std::string>() : std::string{};
}

std::int64_t integer(const Json& value, std::string_view dotted_path, std::int64_t otherwise) {
  return whole_number(at(value, dotted_path)).value_or(otherwise);
}

bool flag(const Json& value, std::string_view dotted_path, bool otherwise) {
  const auto& found = at(value, dotted_path);
  return found.is_boolean() ? found.get<bool>() : otherwise;
}

std::string name_of(const Json& object) {
  return text(object, "metadata.name");
}
std::string namespace_of(const Json& object) {
  return text(object, "metadata.namespace");
}
std::string uid_of(const Json& object) {
  return text(object, "metadata.uid");
}

namespace {

std::string entry(const Json& map, const std::string& key) {
  if (!map.is_object()) return {};
  const auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

}  // namespace

std::string label_of(const Json& object, const std::string& key) {
  return entry(at(object, "metadata.labels"), key);
}
std::string annotation_of(const Json& object, const std::string& key) {
  return entry(at(object, "metadata.annotations"), key);
}

void drop_nulls(Json& value) {
  if (value.is_object()) {
    for (auto item = value.begin(); item != value.end();) {
      if (item->is_null()) {
        item = value.erase(item);
      } else {
        drop_nulls(*item);
        ++item;
      }
    }
  } else if (value.is_array()) {
    for (auto& item : value) drop_nulls(item);
  }
}

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace litedesk::sandbox::kube
