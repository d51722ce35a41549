// Which cluster, and as whom: kubeconfig files, in-cluster service accounts.
// Rules: client-go's loading rules (kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "providers/http/transport.hpp"
#include "providers/json.hpp"
#include "providers/system/clock.hpp"
#include "providers/system/files.hpp"

namespace litedesk::kubernetes {

struct ExecPlugin {  // client.authentication.k8s.io
  std::string api_version;
  std::string command;  // absolute when the file's entry had a path separator
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
  std::string install_hint;
  std::string interactive_mode;  // Never | IfAvailable | Always
  bool provide_cluster_info = false;
  std::string cluster_config;  // JSON text of the cluster extension client.authentication.k8s.io/exec; may be empty
};

struct ClusterConfig {
  std::string server;      // "https://host:port", no trailing slash
  http::Tls tls;           // CA, client certificate, server name, proxy
  std::string name_space;  // the context's, or "default"
  std::string context;     // the name it came from; "in-cluster"
  std::string origin;      // file name(s), for messages
  Secret token;            // may be empty
  std::string token_file;  // read again when it changes; beats token
  std::string username;    // basic authentication
  Secret password;
  std::optional<ExecPlugin> exec;
  http::Headers impersonation;  // Impersonate-* headers
  bool disable_compression = false;
};

struct KubeconfigQuery {
  std::string kubeconfig_flag;     // --kubeconfig: one file that must exist
  std::string kubeconfig_setting;  // the litedesk context's own kubeconfig; used when the flag is empty; must exist
  std::string context;             // --kube-context or the setting; empty: current-context
  std::map<std::string, std::string> environment;  // KUBECONFIG, HOME, KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT
  std::string service_account_folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  const system::Clock* clock = &system::real_clock();  // for a client certificate's dates
  system::Patience patience{};                         // a kubeconfig may be a FIFO
};

// Throws NotFound (no kubeconfig at all, a named file or context that is not there: the message lists the contexts that
// are), ValidationError (half-written, contradictory: says which file, and the line where YAML knows it),
// PermissionDenied (unreadable file). Checks a client certificate's end date: AuthError when it is past.
[[nodiscard]] ClusterConfig load_cluster_config(const KubeconfigQuery& query);

}  // namespace litedesk::kubernetes
