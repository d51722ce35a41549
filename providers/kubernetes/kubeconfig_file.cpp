#include "providers/kubernetes/kubeconfig_file.hpp"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "providers/yaml/value.hpp"

namespace litedesk::kubernetes {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const Place& place, const std::string& why) {
  throw ValidationError({.message = "kubeconfig " + place.to_string() + ": " + why,
                         .hint = "correct the file, or name another one with --kubeconfig"});
}

// Reads keys of one YAML mapping and knows where it stands. Unknown keys are let pass, as client-go does; of a key that
// is there twice kubectl takes the last one, and nobody can say which was meant.
class Reader {
 public:
  Reader(const yaml::Node& node, std::string file) : node_(node), file_(std::move(file)) {
    if (const auto* repeated = node.repeated())
      fail({file_, repeated->at.line}, "the key " + repeated->key + " is defined twice");
  }

  [[nodiscard]] Place place() const { return place_of(node_); }
  [[nodiscard]] Place place_of(const yaml::Node& node) const { return {file_, node.at.line}; }
  [[nodiscard]] const std::string& file() const { return file_; }

  // Nothing where the key is absent or its value is null.
  [[nodiscard]] const yaml::Node* find(const char* key) const {
    const auto* found = find_in(node_, key);
    return found == nullptr || found->kind == Kind::null ? nullptr : found;
  }
  [[nodiscard]] std::string text(const char* key) const {
    const auto* value = find(key);
    return value == nullptr ? std::string() : text_of(*value, key);
  }
  [[nodiscard]] Secret secret(const char* key) const { return Secret(text(key)); }
  [[nodiscard]] std::string path(const char* key) const { return place().resolve(text(key)); }
  [[nodiscard]] bool flag(const char* key) const {
    const auto* value = find(key);
    if (value == nullptr) return false;
    const auto json = yaml::to_json(*value);
    if (!json.is_boolean()) fail(place_of(*value), std::string(key) + " must be true or false");
    return json.get<bool>();
  }
  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> result;
    for (const auto& each : sequence(key)) result.push_back(text_of(each, key));
    return result;
  }
  // The elements of a list; none when the key is absent.
  [[nodiscard]] const std::vector<yaml::Node>& sequence(const char* key) const {
    static const std::vector<yaml::Node> none;
    const auto* value = find(key);
    if (value == nullptr) return none;
    if (value->kind != Kind::list) fail(place_of(*value), std::string(key) + " must be a list");
    return value->items;
  }
  // A mapping below this one; nothing when the key is absent.
  [[nodiscard]] std::optional<Reader> mapping(const char* key) const {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->kind != Kind::map) fail(place_of(*value), std::string(key) + " must be a mapping");
    return std::optional<Reader>(std::in_place, *value, file_);
  }
  [[nodiscard]] Reader element(const yaml::Node& node, const char* list) const {
    if (node.kind != Kind::map) fail(place_of(node), "each of " + std::string(list) + " must be a mapping");
    return {node, file_};
  }
  [[nodiscard]] std::string text_of(const yaml::Node& value, const char* key) const {
    if (value.kind == Kind::null) return {};
    if (value.kind != Kind::scalar) fail(place_of(value), std::string(key) + " must be text");
    return value.text;
  }
  [[nodiscard]] const yaml::Node& node() const { return node_; }

 private:
  using Kind = yaml::Node::Kind;

  // "<<" takes over what a mapping does not say itself (YAML 1.1, which kubectl reads).
  static const yaml::Node* find_in(const yaml::Node& node, const char* key) {
    if (const auto* found = node.find(key)) return found;
    const auto* merged = node.find("<<");
    if (merged == nullptr) return nullptr;
    if (merged->kind == Kind::map) return find_in(*merged, key);
    for (const auto& each : merged->items)
      if (const auto* found = find_in(each, key)) return found;
    return nullptr;
  }

  const yaml::Node& node_;
  std::string file_;
};

ClusterEntry cluster_of(const Reader& reader) {
  ClusterEntry cluster;
  cluster.place = reader.place();
  cluster.server = reader.text("server");
  cluster.tls_server_name = reader.text("tls-server-name");
  cluster.insecure_skip_tls_verify = reader.flag("insecure-skip-tls-verify");
  cluster.certificate_authority = reader.path("certificate-authority");
  cluster.certificate_authority_data = reader.text("certificate-authority-data");
  cluster.proxy_url = reader.text("proxy-url");
  cluster.disable_compression = reader.flag("disable-compression");
  for (const auto& node : reader.sequence("extensions")) {
    const auto extension = reader.element(node, "extensions");
    if (extension.text("name") != "client.authentication.k8s.io/exec") continue;
    const auto* config = extension.find("extension");
    cluster.exec_config = config == nullptr ? "null" : yaml::to_json(*config).dump();
  }
  return cluster;
}

ExecPlugin read_exec(const Reader& reader) {
  ExecPlugin exec;
  exec.api_version = reader.text("apiVersion");
  exec.command = reader.text("command");
  if (exec.command.find('/') != std::string::npos) exec.command = reader.place().resolve(exec.command);
  exec.arguments = reader.texts("args");
  for (const auto& node : reader.sequence("env")) {
    const auto variable = reader.element(node, "env");
    const auto name = variable.text("name");
    if (name.empty()) fail(variable.place(), "a variable of exec.env has no name");
    exec.environment.emplace(name, variable.text("value"));
  }
  exec.install_hint = reader.text("installHint");
  exec.interactive_mode = reader.text("interactiveMode");
  exec.provide_cluster_info = reader.flag("provideClusterInfo");
  return exec;
}

UserEntry user_of(const Reader& reader) {
  UserEntry user;
  user.place = reader.place();
  user.client_certificate = reader.path("client-certificate");
  user.client_certificate_data = reader.text("client-certificate-data");
  user.client_key = reader.path("client-key");
  user.client_key_data = reader.secret("client-key-data");
  user.token = reader.secret("token");
  user.token_file = reader.path("tokenFile");
  user.username = reader.text("username");
  user.password = reader.secret("password");
  user.impersonate = reader.text("as");
  user.impersonate_uid = reader.text("as-uid");
  user.impersonate_groups = reader.texts("as-groups");
  if (const auto extra = reader.mapping("as-user-extra"))
    for (const auto& entry : extra->node().entries)
      user.impersonate_extra.emplace_back(entry.key, extra->texts(entry.key.c_str()));
  if (const auto provider = reader.mapping("auth-provider")) user.auth_provider = provider->text("name");
  if (const auto exec = reader.mapping("exec")) user.exec = read_exec(*exec);
  return user;
}

ContextEntry context_of(const Reader& reader) {
  return {reader.place(), reader.text("cluster"), reader.text("user"), reader.text("namespace")};
}

std::map<std::string, NamedEntry> read_entries(const Reader& file, const char* list, const char* key) {
  std::map<std::string, NamedEntry> entries;
  for (const auto& node : file.sequence(list)) {
    if (node.kind == yaml::Node::Kind::null) continue;
    const auto item = file.element(node, list);
    const auto name = item.text("name");
    if (name.empty()) continue;
    const auto* body = item.find(key);
    if (!entries.emplace(name, NamedEntry{item.place(), body == nullptr ? yaml::Node() : *body}).second)
      fail(item.place(), std::string(list) + " has \"" + name + "\" twice");
  }
  return entries;
}

Reader body_of(const NamedEntry& entry, const std::string& name, const char* list, const char* key) {
  // A file cut short often ends here.
  if (entry.body.kind == yaml::Node::Kind::null) fail(entry.place, "\"" + name + "\" of " + list + " has no " + key);
  if (entry.body.kind != yaml::Node::Kind::map)
    fail({entry.place.file, entry.body.at.line}, std::string(key) + " must be a mapping");
  return {entry.body, entry.place.file};
}

// kubectl looks at the first document only.
yaml::Node first_document(std::string_view text, const std::string& path) {
  try {
    auto documents = yaml::parse(text, path);
    return documents.empty() ? yaml::Node() : std::move(documents.front());
  } catch (const ValidationError& error) {
    throw ValidationError({.message = "kubeconfig " + error.message(),
                           .hint = "check that it is complete, valid YAML, or name another one with --kubeconfig"});
  }
}

}  // namespace

std::string Place::to_string() const {
  return line > 0 ? file + ":" + std::to_string(line) : file;
}

std::string Place::resolve(std::string path) const {
  if (path.empty() || fs::path(path).is_absolute()) return path;
  return (fs::path(file).parent_path() / path).lexically_normal().string();
}

KubeconfigFile parse_kubeconfig(std::string_view text, const std::string& path) {
  KubeconfigFile result;
  const auto root = first_document(text, path);
  if (root.kind == yaml::Node::Kind::null) return result;
  const Reader reader(root, path);
  if (root.kind != yaml::Node::Kind::map) fail(reader.place(), "this is not a kubeconfig: the top is not a mapping");
  if (const auto kind = reader.text("kind"); !kind.empty() && kind != "Config")
    fail(reader.place_of(*reader.find("kind")), "the kind is " + kind + ", not Config");
  if (const auto version = reader.text("apiVersion"); !version.empty() && version != "v1")
    fail(reader.place_of(*reader.find("apiVersion")), "the apiVersion is " + version + ", not v1");
  result.current_context = reader.text("current-context");
  result.clusters = read_entries(reader, "clusters", "cluster");
  result.users = read_entries(reader, "users", "user");
  result.contexts = read_entries(reader, "contexts", "context");
  return result;
}

ClusterEntry read_cluster(const NamedEntry& entry, const std::string& name) {
  return cluster_of(body_of(entry, name, "clusters", "cluster"));
}

UserEntry read_user(const NamedEntry& entry, const std::string& name) {
  return user_of(body_of(entry, name, "users", "user"));
}

ContextEntry read_context(const NamedEntry& entry, const std::string& name) {
  return context_of(body_of(entry, name, "contexts", "context"));
}

void merge_kubeconfig(KubeconfigFile& merged, KubeconfigFile file) {
  if (merged.current_context.empty()) merged.current_context = std::move(file.current_context);
  merged.clusters.merge(file.clusters);
  merged.users.merge(file.users);
  merged.contexts.merge(file.contexts);
}

}  // namespace litedesk::kubernetes
