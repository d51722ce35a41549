#include "providers/sandbox/kubernetes_patch.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "providers/error.hpp"
#include "providers/read_json.hpp"
#include "providers/sandbox/kubernetes_json.hpp"
#include "providers/sandbox/kubernetes_protobuf.hpp"
#include "providers/sandbox/kubernetes_status.hpp"
#include "providers/yaml/value.hpp"

namespace litedesk::sandbox::kube {

namespace {

// What is stored has its managed fields beside it, which are as deep, and is read within lists and events.
constexpr std::size_t deepest = max_depth / 2;

void require_shallow(const Json& value) {
  if (depth_of(value) > deepest) throw bad_request("the body of the request is nested too deeply");
}

// The parsers of JSON and YAML check this by themselves; protobuf may hold anything.
void require_utf8(const Json& value) {
  try {
    [[maybe_unused]] const auto text = value.dump();
  } catch (const Json::type_error&) {
    throw bad_request("the body of the request is not valid UTF-8");
  }
}

std::string_view go_type(const Json& value) {
  if (value.is_boolean()) return "bool";
  if (value.is_string()) return "string";
  return value.is_number_float() ? "float64" : "int64";
}

// As Go prints a value with %v and, `as_string`, with %s.
std::string go_text(const Json& value, bool as_string = false) {
  std::string listed;
  const auto add = [&](const std::string& item) { listed += (listed.empty() ? "" : " ") + item; };
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) add(key + ":" + go_text(item, as_string));
    return fmt::format("map[{}]", listed);
  }
  if (value.is_array()) {
    for (const auto& item : value) add(go_text(item, as_string));
    return fmt::format("[{}]", listed);
  }
  if (value.is_null()) return as_string ? "%!s(<nil>)" : "<nil>";
  if (!as_string || value.is_string()) return plain(value);
  return fmt::format("%!s({}={})", go_type(value), value.dump());
}

// A patch of the strategic kind that the API server cannot work with: for most of what is wrong with one it answers
// 500, without a reason.
StatusError unworkable(std::string message) {
  return {500, "", std::move(message)};
}

enum class Directive { none, replace, remove };

// "$patch" of a map, or of an item of a list.
Directive directive_of(const Json& patch) {
  const auto found = patch.find("$patch");
  if (found == patch.end()) return Directive::none;
  if (*found == "replace") return Directive::replace;
  if (*found == "delete") return Directive::remove;
  throw unworkable(fmt::format("unknown patch type: {} in map: {}", go_text(*found, true), go_text(patch)));
}

// What the patch of a map may keep by "$retainKeys".
void check_retained(const Json& patch) {
  const auto& kept = patch["$retainKeys"];
  bool right = kept.is_array();
  for (const auto& [key, value] : patch.items())
    right = right && (key.starts_with('$') || std::find(kept.begin(), kept.end(), Json(key)) != kept.end());
  if (!right) throw bad_request("invalid patch format of retainKeys");
}

// Items of keyed lists are found by those of their keys that the patch states.
Json* matching(const Schema& list, Json& items, const Json& wanted) {
  for (auto& item : items) {
    bool same = false;
    for (const auto& key : list.keys) {
      if (!wanted.contains(key)) continue;
      same = item.contains(key) && item[key] == wanted[key];
      if (!same) break;
    }
    if (same) return &item;
  }
  return nullptr;
}

std::size_t place_in(const Schema& list, const Json& order, const Json& item) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    bool same = !list.keys.empty();
    for (const auto& key : list.keys)
      if (order[i].contains(key)) same = same && item.contains(key) && item[key] == order[i][key];
    if (same) return i;
  }
  return order.size();
}

// What the patch names comes in its order (or in the one that "$setElementOrder/..." states); what only the server has
// keeps its place before those that it was before. The Go library calls it mergeSortedSlice.
void put_in_order(const Schema& list, Json& items, const Json& before, const Json& order) {
  std::vector<Json> named;
  std::vector<Json> others;
  for (auto& item : items) (place_in(list, order, item) < order.size() ? named : others).push_back(std::move(item));
  std::stable_sort(named.begin(), named.end(),
                   [&](const Json& a, const Json& b) { return place_in(list, order, a) < place_in(list, order, b); });
  Json sorted = Json::array();
  auto next = named.begin();
  for (auto& other : others) {
    const auto place = place_in(list, before, other);
    while (next != named.end()) {
      const auto its = place_in(list, before, *next);
      if (its < before.size() && place < its) break;
      sorted.push_back(std::move(*next++));
    }
    sorted.push_back(std::move(other));
  }
  while (next != named.end()) sorted.push_back(std::move(*next++));
  items = std::move(sorted);
}

void merge_list(const Schema& schema, Json& target, const Json& patch, const Json& order) {
  const auto replaces = [](const Json& item) { return item.is_object() && item.value("$patch", Json()) == "replace"; };
  if (std::any_of(patch.begin(), patch.end(), replaces)) {
    target = Json::array();
    for (const auto& item : patch)
      if (!replaces(item)) target.push_back(item);
    return;
  }
  if (schema.list == Schema::List::atomic || !target.is_array()) {
    target = patch;
    return;
  }
  const Json before = target;
  for (const auto& item : patch) {
    if (schema.list == Schema::List::keyed && !item.is_object())
      throw unworkable(fmt::format("list element types are not identical: [{} {}]", go_text(before), go_text(patch)));
    if (schema.list == Schema::List::set || !item.is_object()) {
      if (std::find(target.begin(), target.end(), item) == target.end()) target.push_back(item);
      continue;
    }
    if (item.value("$patch", Json()) == "merge") throw unworkable("merging lists cannot yet be specified in the patch");
    const auto directive = directive_of(item);
    if (!schema.keys.empty() && !item.contains(schema.keys.front()))
      throw unworkable(
          fmt::format("map: {} does not contain declared merge key: {}", go_text(item), schema.keys.front()));
    auto* found = matching(schema, target, item);
    if (directive == Directive::remove) {
      if (found != nullptr) target.erase(static_cast<std::size_t>(found - &target[0]));
    } else if (found != nullptr) {
      strategic_merge(*schema.element, *found, item);
    } else {
      Json added = Json::object();
      strategic_merge(*schema.element, added, item);
      target.push_back(std::move(added));
    }
  }
  if (schema.list == Schema::List::keyed) put_in_order(schema, target, before, order.is_array() ? order : patch);
}

// "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers", "$retainKeys".
bool directive(Json& target, const std::string& key, const Json& value) {
  if (!key.starts_with('$')) return false;
  const auto field = key.substr(key.find('/') + 1);
  if (key.starts_with("$deleteFromPrimitiveList/") && target.contains(field) && target[field].is_array()) {
    auto& list = target[field];
    for (const auto& gone : value)
      for (auto item = list.begin(); item != list.end();) item = *item == gone ? list.erase(item) : std::next(item);
  }
  if (key == "$retainKeys" && target.is_object()) {
    for (auto item = target.begin(); item != target.end();)
      item = std::find(value.begin(), value.end(), item.key()) == value.end() ? target.erase(item) : std::next(item);
  }
  return true;
}

}  // namespace

namespace {

[[noreturn]] void refuse_body(std::string_view body, std::string_view kind, std::string_view why) {
  throw bad_request(
      fmt::format("the object provided is unrecognized (must be of type {}): couldn't get version/kind; "
                  "json parse error: {} ({})",
                  kind, why, body.substr(0, 64)));
}

// JSON, or the object or list of one YAML document: JSON that does not end is no YAML either.
Json parse_text(std::string_view body, std::string_view kind) {
  if (nested_too_deeply(body)) throw bad_request("the body of the request is nested too deeply");
  auto json = parse_json(body);
  if (!json.is_discarded()) return json;
  std::string why = "unexpected end of JSON input";
  try {
    if (const auto documents = yaml::parse(body, "the body"); !documents.empty()) json = yaml::to_json(documents[0]);
  } catch (const ValidationError& error) {
    why = error.message();
  }
  if (!json.is_structured()) refuse_body(body, kind, why);
  return json;
}

}  // namespace

Json parse_body(std::string_view body, std::string_view kind) {
  auto json = parse_patch(body, kind);
  if (!json.is_structured()) refuse_body(body, kind, "it is not an object");
  return json;
}

Json parse_patch(std::string_view body, std::string_view kind) {
  if (auto object = decode_protobuf(body)) {
    require_utf8(*object);
    return std::move(*object);
  }
  auto json = parse_text(body, kind);
  require_shallow(json);
  return json;
}

void merge_patch(Json& target, const Json& patch) {
  target.merge_patch(patch);
}

Json json_patch(const Json& target, const Json& patch) {
  if (!patch.is_array())
    throw bad_request(
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp");
  try {
    auto result = target;
    std::size_t depth = depth_of(target);  // or more
    for (const auto& step : patch) {
      result.patch_inplace(Json::array({step}));
      // A value moves below its path, and a copy may be one of the whole.
      const auto path = text(step, "path");
      const auto below = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
      depth = std::max(depth, below + (step.contains("value") ? depth_of(step["value"]) : depth));
      if (depth <= deepest) continue;
      require_shallow(result);
      depth = depth_of(result);
    }
    return result;
  } catch (const Json::parse_error& error) {
    throw bad_request(fmt::format("error decoding patch: {}", error.what()));
  } catch (const Json::exception&) {
    throw StatusError(422, "Invalid", "the server rejected our request due to an error in our request", Json::object());
  }
}

void strategic_merge(const Schema& schema, Json& target, const Json& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  const auto whole = directive_of(patch);
  if (!target.is_object() || whole != Directive::none) target = Json::object();
  if (whole == Directive::remove) return;
  if (patch.contains("$retainKeys")) check_retained(patch);
  if (patch.contains("$retainKeys")) directive(target, "$retainKeys", patch["$retainKeys"]);
  for (const auto& [key, value] : patch.items()) {
    if (directive(target, key, value)) continue;
    if (value.is_null()) {
      target.erase(key);
      continue;
    }
    const auto* field = schema.type == Schema::Type::map ? schema.element : schema.field(key);
    if (value.is_object() && field != nullptr) {
      strategic_merge(*field, target[key], value);
    } else if (value.is_object()) {
      merge_patch(target[key], value);
    } else if (value.is_array() && field != nullptr && field->type == Schema::Type::list) {
      const auto order = patch.find("$setElementOrder/" + key);
      if (order != patch.end() && !order->is_array())
        throw unworkable(fmt::format("expected a []interface {{}}, but received a {}", go_type(*order)));
      merge_list(*field, target[key].is_null() ? (target[key] = Json::array()) : target[key], value,
                 order == patch.end() ? Json() : *order);
    } else {
      target[key] = value;
    }
  }
}

}  // namespace litedesk::sandbox::kube
