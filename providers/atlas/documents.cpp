#include "providers/atlas/documents.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "providers/read_json.hpp"
#include "providers/system/sealed.hpp"

namespace litedesk::atlas {

namespace {

const Json& member(const Json& document, std::string_view key) {
  static const Json absent;
  if (!document.is_object()) return absent;
  const auto found = document.find(std::string(key));
  return found == document.end() ? absent : *found;
}

std::string text(const Json& document, std::string_view key) {
  const auto& value = member(document, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number(const Json& document, std::string_view key) {
  return whole_number(member(document, key)).value_or(0);
}

// An empty range for what is no array.
const Json& list(const Json& document, std::string_view key) {
  static const Json none = Json::array();
  const auto& value = member(document, key);
  return value.is_array() ? value : none;
}

// Characters as people count them, not bytes.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

[[noreturn]] void refuse(const DatabaseUser& user, const std::string& why) {
  throw ValidationError({.message = "Atlas database user " + user.username + " is refused: " + why,
                         .hint = "",
                         .resource = "atlas DatabaseUser " + user.username,
                         .cause = ""});
}

}  // namespace

bool equivalent(const DatabaseUser& a, const DatabaseUser& b) {
  const auto sorted = [](DatabaseUser user) {
    std::sort(user.roles.begin(), user.roles.end(),
              [](const Role& x, const Role& y) { return std::tie(x.database, x.role) < std::tie(y.database, y.role); });
    std::sort(user.clusters.begin(), user.clusters.end());
    return user;
  };
  return sorted(a) == sorted(b);
}

DatabaseUser to_user(const Json& document) {
  DatabaseUser user;
  user.username = text(document, "username");
  if (auto database = text(document, "databaseName"); !database.empty()) user.auth_database = std::move(database);
  for (const auto& role : list(document, "roles")) {
    // A role on one collection is not the role on its database: it must not compare equal.
    const auto collection = text(role, "collectionName");
    user.roles.push_back(
        {text(role, "databaseName") + (collection.empty() ? "" : "." + collection), text(role, "roleName")});
  }
  for (const auto& scope : list(document, "scopes")) {
    const auto type = text(scope, "type");
    user.clusters.push_back((type.empty() || type == "CLUSTER" ? "" : type + ":") + text(scope, "name"));
  }
  for (const auto& label : list(document, "labels")) user.labels[text(label, "key")] = text(label, "value");
  user.description = text(document, "description");
  return user;
}

Cluster to_cluster(const Json& document) {
  Cluster cluster;
  cluster.name = text(document, "name");
  cluster.state = text(document, "stateName");
  const auto& paused = member(document, "paused");
  cluster.paused = paused.is_boolean() && paused.get<bool>();
  cluster.standard_srv = text(member(document, "connectionStrings"), "standardSrv");
  cluster.mongodb_version = text(document, "mongoDBVersion");
  for (const auto& spec : list(document, "replicationSpecs"))
    for (const auto& region : list(spec, "regionConfigs"))
      for (const auto* specs : {"electableSpecs", "effectiveElectableSpecs"})
        if (cluster.instance_size.empty()) cluster.instance_size = text(member(region, specs), "instanceSize");
  return cluster;
}

Limit to_limit(const Json& document) {
  return {number(document, "value"), number(document, "currentUsage")};
}

Json to_document(const DatabaseUser& user, std::string_view project, const std::optional<Secret>& password) {
  Json document = {{"groupId", project},        {"databaseName", user.auth_database},
                   {"username", user.username}, {"description", user.description},
                   {"roles", Json::array()},    {"scopes", Json::array()},
                   {"labels", Json::array()}};
  for (const auto& role : user.roles)
    document["roles"].push_back({{"databaseName", role.database}, {"roleName", role.role}});
  for (const auto& cluster : user.clusters) document["scopes"].push_back({{"name", cluster}, {"type", "CLUSTER"}});
  for (const auto& [key, value] : user.labels) document["labels"].push_back({{"key", key}, {"value", value}});
  if (password) document["password"] = system::seal(*password);
  return document;
}

void check_user(const DatabaseUser& user, const std::optional<Secret>& password) {
  if (user.username.empty() || characters(user.username) > 1024) refuse(user, "its name has 1 to 1,024 characters");
  if (characters(user.description) > 100) refuse(user, "its description is longer than 100 characters");
  if (user.roles.empty()) refuse(user, "it has no role");
  for (const auto& [key, value] : user.labels)
    if (key.empty() || characters(key) > 255 || characters(value) > 255)
      refuse(user, "label " + key + " is empty or longer than 255 characters");
  if (password && characters(password->reveal()) < 8) refuse(user, "its password is shorter than 8 characters");
}

}  // namespace litedesk::atlas
