// The MongoDB Atlas Administration API v2: service accounts and API keys, database users, clusters read.
// Source: mongodb.com/docs/atlas/reference/api-resources-spec/v2 (versioned media types, one date an operation).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "providers/http/transport.hpp"
#include "providers/json.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::atlas {

// An API key pair (HTTP digest) or a service account (OAuth 2.0 client credentials): a client id begins "mdb_sa_id_".
struct Credentials {
  std::string id;  // public key, or client id
  Secret secret;   // private key, or client secret
  [[nodiscard]] bool is_service_account() const { return id.starts_with("mdb_sa_id_"); }
};

struct Role {
  std::string database;
  std::string role;
  friend bool operator==(const Role&, const Role&) = default;
};

struct DatabaseUser {
  std::string username;
  std::string auth_database = "admin";
  std::vector<Role> roles;
  std::vector<std::string> clusters;  // scopes of type CLUSTER; empty: every cluster of the project
  std::map<std::string, std::string> labels;
  std::string description;  // at most 100 characters
  friend bool operator==(const DatabaseUser&, const DatabaseUser&) = default;
};
// The same user, in whatever order the roles and clusters come.
[[nodiscard]] bool equivalent(const DatabaseUser& a, const DatabaseUser& b);

struct Cluster {
  std::string name;
  std::string state;  // IDLE CREATING UPDATING DELETING REPAIRING
  bool paused = false;
  std::string standard_srv;   // "mongodb+srv://crm.ab12c.mongodb.net"; empty until it is ready
  std::string instance_size;  // "M10"
  std::string mongodb_version;
};

struct Limit {  // GET .../limits/{name}
  std::int64_t value = 0;
  std::int64_t current_usage = 0;
};

class DatabaseUserStore {
 public:
  virtual ~DatabaseUserStore() = default;
  // Nothing when Atlas says USERNAME_NOT_FOUND or USER_NOT_FOUND; GROUP_NOT_FOUND is an error.
  [[nodiscard]] virtual std::optional<DatabaseUser> get_user(std::string_view username) = 0;
  // Throws Conflict when the name is taken (USER_ALREADY_EXISTS), RateLimited, ValidationError, PermissionDenied;
  // Failed with a hint when the project is full (GROUP_USERS_LIMIT_EXCEEDED). After a lost answer the user is read
  // again: one with these very fields is ours, and gets the password once more.
  virtual DatabaseUser create_user(const DatabaseUser& user, const Secret& password) = 0;
  // Replaces roles, scopes, labels and description; sets the password when one is given.
  virtual DatabaseUser update_user(const DatabaseUser& user, const std::optional<Secret>& password) = 0;
  // False when it was not there.
  virtual bool remove_user(std::string_view username) = 0;
  [[nodiscard]] virtual std::vector<DatabaseUser> list_users() = 0;
};

class ClusterReader {
 public:
  virtual ~ClusterReader() = default;
  [[nodiscard]] virtual std::optional<Cluster> get_cluster(std::string_view name) = 0;
  [[nodiscard]] virtual std::vector<Cluster> list_clusters() = 0;
  // Whether every change to users and roles has reached the cluster: GET .../clusters/{c}/status says APPLIED.
  // Throws Cancelled as soon as `stop` is requested, retries included.
  [[nodiscard]] virtual bool changes_applied(std::string_view cluster, std::stop_token stop) = 0;
  // "atlas.project.security.databaseAccess.users"
  [[nodiscard]] virtual Limit limit(std::string_view name) = 0;
};

struct ClientOptions {
  std::string url = "https://cloud.mongodb.com";
  std::string project;             // 24 hex characters
  std::string token_cache_folder;  // OAuth tokens, 0600; empty: none is kept
  const system::Clock* clock = &system::real_clock();
  std::chrono::milliseconds request_timeout{30'000};
  // Told of what does no harm yet, once each: an operation that Atlas will end, a token that could not be kept.
  std::function<void(const std::string&)> warn;
};

// Errors: 401 AuthError · 403 PermissionDenied (an access list refusal says which command opens it) · 404 NotFound ·
// 409 Conflict · 400 ValidationError · 402 Failed · 429 RateLimited · 5xx, 405 during upgrades Unavailable. The cause
// is "ERROR_CODE: detail"; atlas_error_code() gives the code alone.
class Client : public DatabaseUserStore, public ClusterReader {
 public:
  Client(http::Transport& transport, Credentials credentials, ClientOptions options);
  ~Client() override;

  std::optional<DatabaseUser> get_user(std::string_view username) override;
  DatabaseUser create_user(const DatabaseUser& user, const Secret& password) override;
  DatabaseUser update_user(const DatabaseUser& user, const std::optional<Secret>& password) override;
  bool remove_user(std::string_view username) override;
  std::vector<DatabaseUser> list_users() override;
  std::optional<Cluster> get_cluster(std::string_view name) override;
  std::vector<Cluster> list_clusters() override;
  bool changes_applied(std::string_view cluster, std::stop_token stop) override;
  Limit limit(std::string_view name) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The errorCode of an error that Atlas answered; empty for any other.
[[nodiscard]] std::string atlas_error_code(const std::exception& error);

}  // namespace litedesk::atlas
