// An Atlas client over a scripted transport, and the documents that Atlas answers with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "providers/atlas/client.hpp"
#include "providers/error.hpp"
#include "tests/unit/providers/fake_transport.hpp"

namespace litedesk::atlas::testing {

namespace fs = std::filesystem;

inline const std::string project = "5f0000000000000000000001";
inline const std::string base = "https://cloud.mongodb.com/api/atlas/v2/groups/" + project;

class FixedClock : public system::Clock {
 public:
  [[nodiscard]] system::TimePoint now() const override { return time; }
  [[nodiscard]] system::SteadyPoint steady() const override { return {}; }
  bool wait(system::milliseconds, std::stop_token) const override { return true; }
  system::TimePoint time = *system::from_rfc3339("2026-01-02T03:04:05Z");
};

class Folder {
 public:
  Folder() {
    std::string form = (fs::temp_directory_path() / "litedesk-atlas-XXXXXX").string();
    REQUIRE(mkdtemp(form.data()) != nullptr);
    path = form;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path)) found.push_back(entry.path());
    return found;
  }
  fs::path path;
};

inline Credentials api_key() {
  return {"publickey", Secret("very-secret-private-key")};
}
inline Credentials service_account() {
  return {"mdb_sa_id_1234", Secret("mdb_sa_sk_very+secret/1")};
}

struct Fixture {
  test::FakeTransport transport;
  FixedClock clock;
  std::vector<std::string> warnings;
  Client client;

  explicit Fixture(const Credentials& credentials = api_key(), const std::string& cache = {})
      : client(transport, credentials, options(cache)) {}
  ClientOptions options(const std::string& cache) {
    ClientOptions result;
    result.project = project;
    result.token_cache_folder = cache;
    result.clock = &clock;
    result.warn = [this](const std::string& text) { warnings.push_back(text); };
    return result;
  }
};

inline DatabaseUser acme() {
  DatabaseUser user;
  user.username = "user_acme";
  user.roles = {{"litedesk_acme", "readWrite"}, {"litedesk_acme", "dbAdmin"}};
  user.clusters = {"crm"};
  user.labels = {{"litedesk-tenant", "acme"}};
  user.description = "litedesk tenant acme";
  return user;
}

inline const Secret password("correct horse battery");

// As Atlas answers: no password, with links, groupId and explicit nulls.
inline std::string user_json(const DatabaseUser& user) {
  Json document = {{"awsIAMType", "NONE"},
                   {"databaseName", user.auth_database},
                   {"groupId", project},
                   {"username", user.username},
                   {"description", user.description},
                   {"deleteAfterDate", nullptr},
                   {"links", Json::array()},
                   {"newField", {{"a", 1}}}};
  document["roles"] = Json::array();
  for (const auto& role : user.roles)
    document["roles"].push_back(
        {{"databaseName", role.database}, {"roleName", role.role}, {"collectionName", nullptr}});
  document["scopes"] = Json::array();
  for (const auto& cluster : user.clusters) document["scopes"].push_back({{"name", cluster}, {"type", "CLUSTER"}});
  document["labels"] = Json::array();
  for (const auto& [key, value] : user.labels) document["labels"].push_back({{"key", key}, {"value", value}});
  return document.dump();
}

inline std::string error_json(int status, const std::string& code, const std::string& detail,
                              const Json& parameters = Json::array()) {
  return Json{
      {"error", status}, {"errorCode", code}, {"detail", detail}, {"parameters", parameters}, {"reason", "Reason"}}
      .dump();
}

inline std::string header(const http::Request& request, std::string_view name) {
  return std::string(http::find(request.headers, name));
}

inline std::string token_json(const std::string& token, int seconds = 3600) {
  return Json{{"access_token", token}, {"token_type", "Bearer"}, {"expires_in", seconds}}.dump();
}

inline const std::string users_type = "application/vnd.atlas.2023-01-01+json";

}  // namespace litedesk::atlas::testing
