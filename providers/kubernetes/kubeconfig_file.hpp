// One kubeconfig file as it is written: the entries with the lines they stand on. What they mean is kubeconfig.cpp's.
// An entry is read once it is used: what is wrong with another one does not matter, as to kubectl.
// Rules: k8s.io/client-go/tools/clientcmd/api/v1/types.go.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "providers/kubernetes/kubeconfig.hpp"
#include "providers/system/secret.hpp"
#include "providers/yaml/tree.hpp"

namespace litedesk::kubernetes {

// Where an entry stands, for messages and for paths that are relative to the file's folder.
struct Place {
  std::string file;
  int line = 0;

  [[nodiscard]] std::string to_string() const;                // "/home/me/.kube/config:12"
  [[nodiscard]] std::string resolve(std::string path) const;  // an absolute path as it is, "" as ""
};

struct ClusterEntry {
  Place place;
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string certificate_authority;  // resolved
  std::string certificate_authority_data;
  std::string proxy_url;
  bool disable_compression = false;
  std::string exec_config;  // JSON text of the extension client.authentication.k8s.io/exec
};

struct UserEntry {
  Place place;
  std::string client_certificate;  // resolved
  std::string client_certificate_data;
  std::string client_key;  // resolved
  Secret client_key_data;
  Secret token;
  std::string token_file;  // resolved
  std::string username;
  Secret password;
  std::string impersonate;
  std::string impersonate_uid;
  std::vector<std::string> impersonate_groups;
  std::vector<std::pair<std::string, std::vector<std::string>>> impersonate_extra;
  std::optional<std::string> auth_provider;  // its name
  std::optional<ExecPlugin> exec;            // the command resolved; interactive_mode as written, "" when absent
};

struct ContextEntry {
  Place place;
  std::string cluster;
  std::string user;
  std::string name_space;
};

// An element of a list: what stands under its name, not yet looked at.
struct NamedEntry {
  Place place;
  yaml::Node body;
};

struct KubeconfigFile {
  std::string current_context;
  std::map<std::string, NamedEntry> clusters;
  std::map<std::string, NamedEntry> users;
  std::map<std::string, NamedEntry> contexts;

  [[nodiscard]] bool empty() const {
    return clusters.empty() && users.empty() && contexts.empty() && current_context.empty();
  }
};

// Throws ValidationError with the file and the line: malformed YAML, a key or a name that is there twice. `path` is
// absolute. Elements that are null or have no name are passed over.
[[nodiscard]] KubeconfigFile parse_kubeconfig(std::string_view text, const std::string& path);
// Throw ValidationError with the file and the line.
[[nodiscard]] ClusterEntry read_cluster(const NamedEntry& entry, const std::string& name);
[[nodiscard]] UserEntry read_user(const NamedEntry& entry, const std::string& name);
[[nodiscard]] ContextEntry read_context(const NamedEntry& entry, const std::string& name);
// Adds what `file` has and `merged` lacks: the first file to name an entry wins, whole.
void merge_kubeconfig(KubeconfigFile& merged, KubeconfigFile file);

}  // namespace litedesk::kubernetes
