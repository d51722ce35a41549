// Credentials that an exec plugin hands out (`aws eks get-token`, gke-gcloud-auth-plugin, kubelogin), and their cache.
// Rules: kubernetes.io/docs/reference/access-authn-authz/authentication, "client-go credential plugins".
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "providers/kubernetes/kubeconfig.hpp"
#include "providers/system/clock.hpp"
#include "providers/system/process.hpp"
#include "providers/system/secret.hpp"

namespace litedesk::kubernetes {

struct ExecCredential {
  Secret token;
  std::string client_certificate_pem;
  Secret client_key_pem;
  std::optional<system::TimePoint> expires;  // nothing: as long as this process lives
};

// The text of KUBERNETES_EXEC_INFO.
[[nodiscard]] std::string exec_info(const ClusterConfig& config, bool interactive);
// Reads an ExecCredential in JSON or YAML, as kubectl does. Throws AuthError, which never repeats the text.
[[nodiscard]] ExecCredential parse_exec_credential(std::string_view output, const ExecPlugin& plugin);
// Names the cached credential: the plugin's definition, the cluster, and of the environment that the plugin inherits
// what may decide whose credentials come out (AWS_PROFILE and its like, HOME, PATH).
[[nodiscard]] std::string exec_cache_key(const ClusterConfig& config,
                                         const std::map<std::string, std::string>& environment);

struct ExecOptions {
  std::string cache_folder;  // empty: memory only
  bool interactive = false;
  const system::Clock* clock = &system::real_clock();
  std::map<std::string, std::string> environment;  // what the plugin inherits, for the cache's key
  std::vector<std::string> withheld;               // of it, the beginnings of names that the plugin does not get
  std::stop_token interrupted =
      {};  // ends a plugin that runs; one that starts later, to undo something, runs to its end
  std::function<system::CommandResult(const system::Command&)> run;  // empty: system::run
};

// Thread-safe: of several that need a credential at once one runs the plugin.
class ExecCredentials {
 public:
  ExecCredentials(const ClusterConfig& config, ExecOptions options);

  // The credential to use now; runs the plugin when there is none that lives. One that ends within minutes is replaced
  // early, by one caller, while the others go on with it.
  [[nodiscard]] ExecCredential get();
  // The API server refused `refused`: forgets it and runs the plugin again, unless somebody else already has.
  [[nodiscard]] ExecCredential renew(const ExecCredential& refused);

 private:
  [[nodiscard]] bool alive(const ExecCredential& credential) const;
  [[nodiscard]] ExecCredential run_plugin();
  [[nodiscard]] std::optional<ExecCredential> read_cache() const;
  void write_cache(const ExecCredential& credential) const;
  void prune_cache() const;
  [[nodiscard]] ExecCredential refreshed(std::unique_lock<std::mutex>& lock);

  ClusterConfig config_;
  ExecOptions options_;
  std::string cache_file_;
  std::mutex mutex_;
  std::optional<ExecCredential> current_;
  bool refreshing_ = false;
  system::TimePoint next_refresh_{};  // not before
};

}  // namespace litedesk::kubernetes
