#include "commands/map_reader.hpp"

#include <nlohmann/json.hpp>

#include "commands/nearest.hpp"
#include "providers/read_json.hpp"

namespace litedesk {

using templates::Node;

MapReader::MapReader(const Node& node, std::string_view origin, std::string_view what)
    : node_(node), origin_(origin), what_(what) {
  if (node.kind != Node::Kind::map) fail(node, std::string(what) + " must be a map");
}

void MapReader::fail(const Node& at, std::string_view what) const {
  templates::fail_at(origin_, at.at, what);
}

const Node* MapReader::find(std::string_view key) {
  asked_.emplace(key);
  return node_.find(key);
}

const Node& MapReader::at(std::string_view key) {
  const auto* found = find(key);
  if (found == nullptr) fail(node_, std::string(what_) + " needs a " + std::string(key));
  return *found;
}

std::string MapReader::text(std::string_view key) {
  const auto& node = at(key);
  const auto value = templates::to_json(node);
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) fail(node, std::string(key) + " must be text");
  return value.get<std::string>();
}

std::int64_t MapReader::integer(std::string_view key, std::int64_t low, std::int64_t high) {
  const auto& node = at(key);
  const auto value = templates::to_json(node);
  const auto number = whole_number(value);
  if (!number || *number < low || *number > high)
    fail(node,
         std::string(key) + " must be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return *number;
}

std::vector<std::string> MapReader::texts(std::string_view key) {
  const auto* node = find(key);
  if (node == nullptr) return {};
  std::vector<std::string> found;
  for (const auto& item : items_of(*node, origin_, key)) {
    const auto value = templates::to_json(item);
    if (!value.is_string() || value.get_ref<const std::string&>().empty())
      fail(item, std::string(key) + " must be a list of text");
    found.push_back(value.get<std::string>());
  }
  return found;
}

void MapReader::finish() const {
  for (const auto& entry : node_.entries) {
    if (asked_.contains(entry.key)) continue;
    const std::vector<std::string> known(asked_.begin(), asked_.end());
    std::string keys;
    for (const auto& key : known) keys += (keys.empty() ? "" : ", ") + key;
    const auto hint = did_you_mean(nearest(entry.key, known));
    templates::fail_at(origin_, entry.at,
                       "unknown key " + entry.key + " in " + std::string(what_) + (hint.empty() ? "" : ": " + hint) +
                           " (there are " + keys + ")");
  }
}

const std::vector<Node>& items_of(const Node& node, std::string_view origin, std::string_view what) {
  if (node.kind != Node::Kind::list) templates::fail_at(origin, node.at, std::string(what) + " must be a list");
  return node.items;
}

}  // namespace litedesk
