#include "providers/sandbox/atlas_users.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "providers/sandbox/atlas_answers.hpp"
#include "providers/system/hash.hpp"

namespace litedesk::sandbox::atlas {

namespace {

constexpr std::array<std::string_view, 14> known_fields = {
    "awsIAMType", "databaseName", "deleteAfterDate", "description", "groupId", "labels",   "ldapAuthType",
    "links",      "oidcAuthType", "password",        "roles",       "scopes",  "username", "x509Type"};
constexpr std::array<std::string_view, 10> built_in_roles = {
    "atlasAdmin",     "backup", "clusterMonitor",  "dbAdmin",   "dbAdminAnyDatabase",
    "enableSharding", "read",   "readAnyDatabase", "readWrite", "readWriteAnyDatabase"};
// These three are of one database; the others are of all, and live in admin.
constexpr std::array<std::string_view, 3> database_roles = {"dbAdmin", "read", "readWrite"};
constexpr std::array<std::string_view, 4> type_fields = {"awsIAMType", "ldapAuthType", "oidcAuthType", "x509Type"};
constexpr std::array<std::string_view, 6> common_passwords = {"password",  "12345678", "123456789",
                                                              "password1", "qwertyui", "iloveyou"};

template <typename Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string key_of(const Json& user) {
  return user.at("databaseName").get<std::string>() + "/" + user.at("username").get<std::string>();
}

bool is_live(const Json& user, system::TimePoint now) {
  if (!user.contains("deleteAfterDate")) return true;
  const auto end = system::from_rfc3339(user.at("deleteAfterDate").get<std::string>());
  return !end || *end > now;
}

std::string text_field(const Json& sent, const char* name, std::size_t longest) {
  const auto& value = sent.at(name);
  if (!value.is_string() || value.get_ref<const std::string&>().size() > longest) throw invalid_attribute(name);
  return value.get<std::string>();
}

void check_fields(const Json& sent, const std::string& project) {
  if (!sent.is_object()) throw Problem{400, "INVALID_JSON", "Received JSON is malformed."};
  for (const auto& [name, value] : sent.items())
    if (!contains(known_fields, name)) throw invalid_attribute(name);
  if (sent.contains("groupId") && sent.at("groupId") != project) throw invalid_attribute("groupId");
}

Json checked_roles(const Json& roles) {
  if (!roles.is_array() || roles.empty()) throw missing_attribute("roles");
  for (const auto& role : roles) {
    if (!role.is_object()) throw invalid_attribute("roles");
    for (const auto* field : {"databaseName", "roleName"})
      if (!role.contains(field) || !role.at(field).is_string()) throw missing_attribute(std::string("roles.") + field);
    for (const auto& [name, value] : role.items())
      if (name != "databaseName" && name != "roleName" && name != "collectionName")
        throw invalid_attribute("roles." + name);
    const auto name = role.at("roleName").get<std::string>();
    const auto database = role.at("databaseName").get<std::string>();
    const bool fits = contains(built_in_roles, name) && (contains(database_roles, name) || database == "admin");
    if (!fits)
      throw Problem{400,
                    "ATLAS_INVALID_ROLE",
                    fmt::format("The role {} on the database {} is invalid.", name, database),
                    {name, database}};
  }
  return roles;
}

Json checked_scopes(const Json& scopes) {
  if (!scopes.is_array()) throw invalid_attribute("scopes");
  for (const auto& scope : scopes) {
    for (const auto* field : {"name", "type"})
      if (!scope.is_object() || !scope.contains(field) || !scope.at(field).is_string())
        throw missing_attribute(std::string("scopes.") + field);
    const auto type = scope.at("type").get<std::string>();
    if (type != "CLUSTER" && type != "DATA_LAKE" && type != "STREAM")
      throw Problem{
          400, "INVALID_ENUM_VALUE", fmt::format("An invalid enumeration value {} was specified.", type), {type}};
  }
  return scopes;
}

Json checked_labels(const Json& labels) {
  constexpr std::size_t longest = 255;
  if (!labels.is_array()) throw invalid_attribute("labels");
  for (const auto& label : labels)
    for (const auto* field : {"key", "value"}) {
      if (!label.is_object() || !label.contains(field)) throw missing_attribute(std::string("labels.") + field);
      if (text_field(label, field, longest).empty()) throw invalid_attribute(std::string("labels.") + field);
    }
  return labels;
}

std::string hashed_password(const Json& value) {
  constexpr std::size_t shortest = 8;
  if (!value.is_string()) throw invalid_attribute("password");
  const auto& password = value.get_ref<const std::string&>();
  if (password.size() < shortest)
    throw Problem{400, "WEAK_PASSWORD", "The specified password is too short: it must have at least 8 characters."};
  if (contains(common_passwords, password))
    throw Problem{400, "COMMON_PASSWORD", "The specified password is not allowed because it is too common."};
  return system::sha256_hex(password);
}

std::string checked_end(const Json& value, system::TimePoint now) {
  constexpr std::chrono::hours longest{7 * 24};
  const auto end = value.is_string() ? system::from_rfc3339(value.get<std::string>()) : std::nullopt;
  if (!end) throw invalid_attribute("deleteAfterDate");
  if (*end <= now) throw Problem{400, "EXPIRATION_DATE_IN_PAST", "The specified expiration date is in the past."};
  if (*end > now + longest)
    throw Problem{400, "EXPIRATION_DATE_EXCEEDS_MAX", "The specified expiration date is more than one week ahead."};
  return system::to_rfc3339(*end);
}

// What POST and PATCH both take.
void take_changes(Json& user, const Json& sent, system::TimePoint now) {
  constexpr std::size_t longest_description = 100;
  if (sent.contains("roles")) user["roles"] = checked_roles(sent.at("roles"));
  if (sent.contains("scopes")) user["scopes"] = checked_scopes(sent.at("scopes"));
  if (sent.contains("labels")) user["labels"] = checked_labels(sent.at("labels"));
  if (sent.contains("description")) user["description"] = text_field(sent, "description", longest_description);
  if (sent.contains("deleteAfterDate")) user["deleteAfterDate"] = checked_end(sent.at("deleteAfterDate"), now);
  if (sent.contains("password")) user["passwordSha256"] = hashed_password(sent.at("password"));
}

}  // namespace

std::vector<Json> live_users(State& state, const std::string& project, system::TimePoint now) {
  std::vector<Json> users;
  for (auto& row : state.list(users_collection, project))
    if (is_live(row.body, now)) users.push_back(std::move(row.body));
  return users;
}

std::optional<Json> live_user(State& state, const std::string& project, const std::string& database,
                              const std::string& name, system::TimePoint now) {
  auto row = state.get(users_collection, project, database + "/" + name);
  if (!row || !is_live(row->body, now)) return std::nullopt;
  return std::move(row->body);
}

Json create_user(State& state, const std::string& project, const Json& sent, system::TimePoint now) {
  constexpr std::size_t longest_name = 1024;
  check_fields(sent, project);
  for (const auto* field : {"databaseName", "roles", "username"})
    if (!sent.contains(field)) throw missing_attribute(field);
  Json user = {{"labels", Json::array()}, {"scopes", Json::array()}};
  user["username"] = text_field(sent, "username", longest_name);
  user["databaseName"] = text_field(sent, "databaseName", longest_name);
  if (user["username"] == "") throw missing_attribute("username");
  bool external = false;
  for (const auto field : type_fields) {
    const std::string name(field);
    user[name] = sent.contains(name) ? text_field(sent, name.c_str(), longest_name) : "NONE";
    external = external || user[name] != "NONE";
  }
  const auto database = user["databaseName"].get<std::string>();
  if (database != "admin" && !(external && database == "$external"))
    throw Problem{
        400, "DATABASE_NAME_INVALID_ADMIN", "The database name must be admin for this kind of user.", {database}};
  if (!external && !sent.contains("password")) throw missing_attribute("password");
  take_changes(user, sent, now);
  if (live_user(state, project, database, user["username"].get<std::string>(), now))
    throw Problem{409,
                  "USER_ALREADY_EXISTS",
                  fmt::format("The specified user {} already exists.", user["username"].get<std::string>()),
                  {user["username"]}};
  if (live_users(state, project, now).size() >= most_users)
    throw Problem{403,
                  "GROUP_USERS_LIMIT_EXCEEDED",
                  fmt::format("Cannot have more than {} database users in project {}.", most_users, project),
                  {most_users, project}};
  state.put(users_collection, project, key_of(user), user);
  return user;
}

Json update_user(State& state, const std::string& project, Json kept, const Json& sent, system::TimePoint now) {
  check_fields(sent, project);
  for (const auto* field : {"username", "databaseName", "awsIAMType", "ldapAuthType", "oidcAuthType", "x509Type"})
    if (sent.contains(field) && sent.at(field) != kept.at(field)) throw invalid_attribute(field);
  // A permanent user cannot become a temporary one.
  if (sent.contains("deleteAfterDate") && !kept.contains("deleteAfterDate")) throw invalid_attribute("deleteAfterDate");
  take_changes(kept, sent, now);
  state.put(users_collection, project, key_of(kept), kept);
  return kept;
}

Json printed_user(const std::string& project, Json kept) {
  kept.erase("passwordSha256");
  kept["groupId"] = project;
  kept["links"] = self_link(fmt::format("{}/groups/{}/databaseUsers/{}", base_path, project, key_of(kept)));
  return kept;
}

}  // namespace litedesk::sandbox::atlas
