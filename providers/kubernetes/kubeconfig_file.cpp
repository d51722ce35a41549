#include "providers/kubernetes/kubeconfig_file.hpp"

#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "providers/error.hpp"

namespace litedesk::kubernetes {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const Place& place, const std::string& why) {
  throw ValidationError({.message = "kubeconfig " + place.to_string() + ": " + why,
                         .hint = "correct the file, or name another one with --kubeconfig"});
}

// Reads keys of one YAML mapping and knows where it stands. Unknown keys are let pass, as client-go does.
class Reader {
 public:
  Reader(YAML::Node node, std::string file) : node_(std::move(node)), file_(std::move(file)) {}

  [[nodiscard]] Place place() const { return place_of(node_); }
  [[nodiscard]] Place place_of(const YAML::Node& node) const {
    return {file_, node.Mark().is_null() ? 0 : node.Mark().line + 1};
  }

  [[nodiscard]] YAML::Node find(const char* key) const {
    // operator[] on a const node adds nothing; on a missing key it gives an undefined node.
    const YAML::Node& node = node_;
    return node[key];
  }
  [[nodiscard]] std::string text(const char* key) const { return text_of(find(key), key); }
  [[nodiscard]] Secret secret(const char* key) const { return Secret(text(key)); }
  [[nodiscard]] std::string path(const char* key) const { return place().resolve(text(key)); }
  [[nodiscard]] bool flag(const char* key) const {
    const auto value = find(key);
    if (!value.IsDefined() || value.IsNull()) return false;
    bool result = false;
    if (!value.IsScalar() || !YAML::convert<bool>::decode(value, result))
      fail(place_of(value), std::string(key) + " must be true or false");
    return result;
  }
  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> result;
    for (const auto& each : sequence(key)) result.push_back(text_of(each, key));
    return result;
  }
  // The elements of a list; none when the key is absent.
  [[nodiscard]] std::vector<YAML::Node> sequence(const char* key) const {
    std::vector<YAML::Node> result;
    const auto value = find(key);
    if (!value.IsDefined() || value.IsNull()) return result;
    if (!value.IsSequence()) fail(place_of(value), std::string(key) + " must be a list");
    for (const auto& each : value) result.push_back(each);
    return result;
  }
  // A mapping below this one; an empty one when the key is absent.
  [[nodiscard]] std::optional<Reader> mapping(const char* key) const {
    const auto value = find(key);
    if (!value.IsDefined() || value.IsNull()) return std::nullopt;
    if (!value.IsMap()) fail(place_of(value), std::string(key) + " must be a mapping");
    return Reader(value, file_);
  }
  [[nodiscard]] Reader element(const YAML::Node& node, const char* list) const {
    if (!node.IsMap()) fail(place_of(node), "each of " + std::string(list) + " must be a mapping");
    return {node, file_};
  }
  [[nodiscard]] std::string text_of(const YAML::Node& value, const char* key) const {
    if (!value.IsDefined() || value.IsNull()) return {};
    if (!value.IsScalar()) fail(place_of(value), std::string(key) + " must be text");
    return value.Scalar();
  }
  [[nodiscard]] const YAML::Node& node() const { return node_; }

 private:
  YAML::Node node_;
  std::string file_;
};

// The extension for exec plugins is handed on as JSON. Plain scalars take the types that YAML 1.2's core schema gives
// them.
Json to_json(const Reader& reader, const YAML::Node& node, int& budget) {
  if (!node.IsDefined() || node.IsNull()) return nullptr;
  if (--budget < 0) fail(reader.place_of(node), "the extension for exec plugins is too large");
  if (node.IsMap()) {
    Json result = Json::object();
    for (const auto& entry : node)
      result[reader.text_of(entry.first, "a key of the extension")] = to_json(reader, entry.second, budget);
    return result;
  }
  if (node.IsSequence()) {
    Json result = Json::array();
    for (const auto& each : node) result.push_back(to_json(reader, each, budget));
    return result;
  }
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "false") return text == "true";
  // What JSON takes for a number is one.
  auto number = Json::parse(text, nullptr, false);
  return number.is_number() ? number : Json(text);
}

ClusterEntry read_cluster(const Reader& reader) {
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
    int budget = 10'000;  // aliases can make a small file very large
    cluster.exec_config = to_json(extension, extension.find("extension"), budget).dump();
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

UserEntry read_user(const Reader& reader) {
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
    for (const auto& entry : extra->node()) {
      const auto key = extra->text_of(entry.first, "a key of as-user-extra");
      user.impersonate_extra.emplace_back(key, extra->texts(key.c_str()));
    }
  if (const auto provider = reader.mapping("auth-provider")) user.auth_provider = provider->text("name");
  if (const auto exec = reader.mapping("exec")) user.exec = read_exec(*exec);
  return user;
}

ContextEntry read_context(const Reader& reader) {
  return {reader.place(), reader.text("cluster"), reader.text("user"), reader.text("namespace")};
}

template <class Entry, class Read>
std::map<std::string, Entry> read_entries(const Reader& file, const char* list, const char* key, const Read& read) {
  std::map<std::string, Entry> entries;
  for (const auto& node : file.sequence(list)) {
    const auto item = file.element(node, list);
    const auto name = item.text("name");
    if (name.empty()) fail(item.place(), "an entry of " + std::string(list) + " has no name");
    const auto body = item.mapping(key);
    // A file cut short often ends here.
    if (!body) fail(item.place(), "\"" + name + "\" of " + list + " has no " + key);
    if (!entries.emplace(name, read(*body)).second)
      fail(item.place(), std::string(list) + " has \"" + name + "\" twice");
  }
  return entries;
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
  try {
    const auto root = YAML::Load(std::string(text));
    if (!root.IsDefined() || root.IsNull()) return result;
    const Reader reader(root, path);
    if (!root.IsMap()) fail(reader.place(), "not a kubeconfig: the top is not a mapping");
    if (const auto kind = reader.text("kind"); !kind.empty() && kind != "Config")
      fail(reader.place_of(reader.find("kind")), "the kind is " + kind + ", not Config");
    result.current_context = reader.text("current-context");
    result.clusters = read_entries<ClusterEntry>(reader, "clusters", "cluster", read_cluster);
    result.users = read_entries<UserEntry>(reader, "users", "user", read_user);
    result.contexts = read_entries<ContextEntry>(reader, "contexts", "context", read_context);
  } catch (const YAML::Exception& error) {
    // error.msg holds YAML's own words without the file's text, which may be a secret.
    fail({path, error.mark.is_null() ? 0 : error.mark.line + 1}, "not valid YAML, or truncated: " + error.msg);
  }
  return result;
}

void merge_kubeconfig(KubeconfigFile& merged, KubeconfigFile file) {
  if (merged.current_context.empty()) merged.current_context = std::move(file.current_context);
  merged.clusters.merge(file.clusters);
  merged.users.merge(file.users);
  merged.contexts.merge(file.contexts);
}

}  // namespace litedesk::kubernetes
