#include "providers/kubernetes/kubeconfig.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "providers/error.hpp"
#include "providers/kubernetes/cluster_entries.hpp"
#include "providers/kubernetes/kubeconfig_file.hpp"
#include "providers/system/files.hpp"

namespace litedesk::kubernetes {

namespace {

namespace fs = std::filesystem;

std::string variable(const KubeconfigQuery& query, const char* name) {
  const auto found = query.environment.find(name);
  return found == query.environment.end() ? std::string() : found->second;
}

// What was looked at, and what was in it.
struct Loaded {
  system::Patience patience;
  KubeconfigFile merged;
  std::vector<std::string> read;     // files that were there
  std::vector<std::string> missing;  // files that were not
  bool must_exist = false;

  [[nodiscard]] std::string origin() const {
    std::string text;
    for (const auto& file : read) text += (text.empty() ? "" : ", ") + file;
    return text;
  }
};

std::vector<std::string> split_paths(std::string_view list) {
  std::vector<std::string> paths;
  while (true) {
    const auto colon = list.find(':');
    std::string path(list.substr(0, colon));
    if (!path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
    if (colon == std::string_view::npos) return paths;
    list.remove_prefix(colon + 1);
  }
}

void load_file(Loaded& loaded, const std::string& path) {
  const auto absolute = fs::absolute(path).lexically_normal().string();
  auto text = system::read_file(absolute, "kubeconfig", loaded.patience);
  if (!text) {
    loaded.missing.push_back(absolute);
    return;
  }
  auto file = parse_kubeconfig(*text, absolute);
  wipe(*text);
  if (loaded.must_exist && file.empty())
    throw ValidationError({.message = "kubeconfig " + absolute + " is empty",
                           .hint = "was it written to its end? Name another one with --kubeconfig"});
  loaded.read.push_back(absolute);
  merge_kubeconfig(loaded.merged, std::move(file));
}

// One named file, which must exist, or KUBECONFIG's list, or ~/.kube/config.
Loaded load_files(const KubeconfigQuery& query) {
  Loaded loaded;
  loaded.patience = query.patience;
  const auto home = variable(query, "HOME");
  const auto& named = query.kubeconfig_flag.empty() ? query.kubeconfig_setting : query.kubeconfig_flag;
  if (!named.empty()) {
    loaded.must_exist = true;
    load_file(loaded, system::expand_home(named, home).string());
    if (!loaded.missing.empty())
      throw NotFound({.message = "kubeconfig " + loaded.missing.front() + " not found",
                      .hint = query.kubeconfig_flag.empty()
                                  ? "the litedesk context's settings name it: correct them, or pass --kubeconfig"
                                  : "--kubeconfig names it"});
    return loaded;
  }
  auto paths = split_paths(variable(query, "KUBECONFIG"));
  if (paths.empty() && !home.empty()) paths.push_back((fs::path(home) / ".kube" / "config").string());
  for (const auto& path : paths) load_file(loaded, path);
  return loaded;
}

// Whether this runs in a pod: what the kubelet gives every container.
bool in_cluster_available(const KubeconfigQuery& query) {
  return !variable(query, "KUBERNETES_SERVICE_HOST").empty() && !variable(query, "KUBERNETES_SERVICE_PORT").empty();
}

ClusterConfig in_cluster(const KubeconfigQuery& query) {
  const fs::path folder = query.service_account_folder;
  ClusterConfig config;
  config.context = "in-cluster";
  config.origin = folder.string();
  auto host = variable(query, "KUBERNETES_SERVICE_HOST");
  if (host.find(':') != std::string::npos && host.front() != '[') host = "[" + host + "]";
  config.server = "https://" + host + ":" + variable(query, "KUBERNETES_SERVICE_PORT");

  config.token_file = (folder / "token").string();
  if (!system::read_file(config.token_file, "service account token"))
    throw NotFound({.message = "this pod has no service account token: " + config.token_file + " not found",
                    .hint = "is automountServiceAccountToken off? Name a kubeconfig with --kubeconfig otherwise"});
  // Without it the system's own authorities are asked, which do not know the cluster's.
  auto authority = system::read_file(folder / "ca.crt", "service account certificate authority");
  if (!authority) throw NotFound({.message = (folder / "ca.crt").string() + " not found"});
  config.tls.ca_pem = std::move(*authority);
  const auto name_space = system::read_file(folder / "namespace", "service account namespace");
  config.name_space = name_space.value_or("default");
  while (!config.name_space.empty() && (config.name_space.back() == '\n' || config.name_space.back() == ' '))
    config.name_space.pop_back();
  if (config.name_space.empty()) config.name_space = "default";
  return config;
}

ContextEntry choose_context(const Loaded& loaded, const KubeconfigQuery& query, std::string& name) {
  const auto& contexts = loaded.merged.contexts;
  name = query.context.empty() ? loaded.merged.current_context : query.context;
  const auto known = names_of(contexts);
  if (name.empty())
    throw NotFound({.message = loaded.origin() + " has no current-context" + known,
                    .hint = contexts.empty() ? "was the file written to its end?" : "name one with --kube-context"});
  const auto found = contexts.find(name);
  if (found != contexts.end()) return read_context(found->second, name);
  const auto near = nearest(contexts, name);
  throw NotFound({.message = "context \"" + name + "\" not found in " + loaded.origin() + known,
                  .hint = near.empty()
                              ? (query.context.empty() ? "current-context names it: choose another with --kube-context"
                                                       : "name one of them with --kube-context")
                              : "did you mean \"" + near + "\"?"});
}

}  // namespace

ClusterConfig load_cluster_config(const KubeconfigQuery& query) {
  const auto loaded = load_files(query);
  if (loaded.merged.empty()) {
    // A context by name can only be one of a kubeconfig's.
    if (query.context.empty() && in_cluster_available(query)) return in_cluster(query);
    std::string looked_at;
    for (const auto& files : {loaded.missing, loaded.read})
      for (const auto& file : files) looked_at += (looked_at.empty() ? "" : ", ") + file;
    throw NotFound({.message = looked_at.empty()     ? "no kubeconfig found: neither KUBECONFIG nor HOME is set"
                               : loaded.read.empty() ? "no kubeconfig found: looked for " + looked_at
                                                     : "the kubeconfig is empty: " + looked_at,
                    .hint = "name one with --kubeconfig or KUBECONFIG, or try without a cluster: --sandbox"});
  }
  std::string name;
  const auto context = choose_context(loaded, query, name);

  const auto named_cluster = loaded.merged.clusters.find(context.cluster);
  if (named_cluster == loaded.merged.clusters.end())
    throw ValidationError({.message = "context \"" + name + "\" (" + context.place.to_string() +
                                      ") names the cluster \"" + context.cluster + "\", which does not exist" +
                                      names_of(loaded.merged.clusters),
                           .hint = "was the kubeconfig written to its end?"});
  const auto cluster = read_cluster(named_cluster->second, context.cluster);
  const auto named_user = loaded.merged.users.find(context.user);
  std::optional<UserEntry> user;
  if (named_user != loaded.merged.users.end()) user = read_user(named_user->second, context.user);

  ClusterConfig config;
  config.context = name;
  config.origin = loaded.origin();
  config.name_space = context.name_space.empty() ? "default" : context.name_space;
  take_cluster(cluster, context.cluster, user ? &*user : nullptr, config);
  if (!context.user.empty()) {
    if (!user)
      throw ValidationError({.message = "context \"" + name + "\" (" + context.place.to_string() +
                                        ") names the user \"" + context.user + "\", which does not exist" +
                                        names_of(loaded.merged.users),
                             .hint = "was the kubeconfig written to its end?"});
    take_user(*user, context.user, query.clock->now(), config);
  }
  if (config.exec) config.exec->cluster_config = cluster.exec_config;
  return config;
}

}  // namespace litedesk::kubernetes
