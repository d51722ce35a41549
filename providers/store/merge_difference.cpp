#include "providers/store/merge_difference.hpp"

#include "providers/store/store.hpp"

namespace litedesk::store {

Json merge_difference(const Json& from, const Json& to) {
  Json patch = Json::object();
  for (const auto& member : from.items()) {
    if (!to.contains(member.key())) patch[member.key()] = nullptr;
  }
  for (const auto& member : to.items()) {
    const auto before = from.find(member.key());
    const Json& after = member.value();
    if (before == from.end()) {
      patch[member.key()] = after;
    } else if (*before != after) {
      const bool both_objects = before->is_object() && after.is_object();
      patch[member.key()] = both_objects ? merge_difference(*before, after) : after;
    }
  }
  return patch;
}

Json without_nulls(const Json& value) {
  if (value.is_object()) {
    Json kept = Json::object();
    for (const auto& member : value.items()) {
      if (!member.value().is_null()) kept[member.key()] = without_nulls(member.value());
    }
    return kept;
  }
  if (value.is_array()) {
    Json kept = Json::array();
    for (const Json& element : value) kept.push_back(without_nulls(element));
    return kept;
  }
  return value;
}

}  // namespace litedesk::store
