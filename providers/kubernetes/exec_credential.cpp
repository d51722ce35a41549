#include "providers/kubernetes/exec_credential.hpp"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "providers/kubernetes/certificate.hpp"
#include "providers/read_json.hpp"
#include "providers/system/files.hpp"
#include "providers/system/hash.hpp"
#include "providers/yaml/value.hpp"

namespace litedesk::kubernetes {

namespace {

// A credential that ends within this is not used any more: the clocks differ a little, and requests take time.
constexpr std::chrono::seconds margin{30};
// One that ends within this is replaced while it is still good, so that nobody has to wait for the plugin.
constexpr std::chrono::minutes early{5};
// A plugin that has nothing newer to give, or fails, is not run for each request.
constexpr std::chrono::minutes rest{1};
constexpr std::chrono::seconds patience{60};
// With a person at the terminal, who opens a browser and types a code.
constexpr std::chrono::minutes interactive_patience{10};

std::string describe(const ExecPlugin& plugin) {
  return "the credential plugin \"" + plugin.command + "\"";
}

[[noreturn]] void bad_output(const ExecPlugin& plugin, const std::string& why) {
  throw AuthError({.message = describe(plugin) + " gave no usable credential: " + why,
                   .hint = "run it by hand to see what it prints" +
                           (plugin.install_hint.empty() ? "" : "; " + plugin.install_hint)});
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json to_json(const ExecCredential& credential) {
  Json json = Json::object();
  if (credential.expires) json["expirationTimestamp"] = system::to_rfc3339(*credential.expires);
  if (!credential.token.empty()) json["token"] = credential.token.reveal();
  if (!credential.client_certificate_pem.empty()) {
    json["clientCertificateData"] = credential.client_certificate_pem;
    json["clientKeyData"] = credential.client_key_pem.reveal();
  }
  return json;
}

// The status of an ExecCredential; the cache keeps the same shape. `fail` is told why and does not return.
template <class Fail>
ExecCredential from_json(const Json& status, const Fail& fail) {
  ExecCredential credential;
  credential.token = Secret(text_of(status, "token"));
  credential.client_certificate_pem = text_of(status, "clientCertificateData");
  credential.client_key_pem = Secret(text_of(status, "clientKeyData"));
  if (credential.client_certificate_pem.empty() != credential.client_key_pem.empty())
    fail("clientCertificateData and clientKeyData must come together");
  if (credential.token.empty() && credential.client_certificate_pem.empty())
    fail("it has neither a token nor a certificate");
  if (credential.token.reveal().find_first_of("\r\n") != std::string_view::npos) fail("its token has line breaks");
  if (const auto end = status.find("expirationTimestamp"); end != status.end() && !end->is_null() && !end->is_string())
    fail("its expirationTimestamp is not text");
  if (const auto text = text_of(status, "expirationTimestamp"); !text.empty()) {
    credential.expires = system::from_rfc3339(text);
    if (!credential.expires) fail("its expirationTimestamp is not an RFC 3339 time");
  } else if (!credential.client_certificate_pem.empty()) {
    if (const auto dates = certificate_dates(credential.client_certificate_pem)) credential.expires = dates->not_after;
  }
  return credential;
}

// JSON, or YAML: kubectl takes both. Null where it is neither; what is wrong with it is not said, for it may be a
// secret.
Json parse_output(std::string_view output) {
  if (auto json = parse_json(output); !json.is_discarded()) return json;
  try {
    const auto documents = yaml::parse(output, "the output");
    return documents.empty() ? Json() : yaml::to_json(documents.front());
  } catch (const ValidationError&) {
    return nullptr;
  }
}

// Of the variables that a plugin inherits, those by which plugins choose whose credentials come out. Everything else
// differs from shell to shell and makes no other person of us.
bool chooses_identity(std::string_view name) {
  constexpr std::string_view names[] = {
      "HOME", "USER", "LOGNAME", "PATH", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"};
  constexpr std::string_view families[] = {"AWS_",      "KUBE",    "GOOGLE_",   "CLOUDSDK_", "GKE_", "AZURE_",
                                           "AAD_",      "ARM_",    "OIDC_",     "OCI_",      "OS_",  "DIGITALOCEAN_",
                                           "IBMCLOUD_", "ALIBABA", "TELEPORT_", "VAULT_"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names) ||
         std::any_of(std::begin(families), std::end(families), [&](auto family) { return name.starts_with(family); });
}

// Whether the file has a name that this cache gives, and nothing in it that could still be used.
bool is_spent(const std::filesystem::path& file, system::TimePoint now) {
  const auto name = file.stem().string();
  if (file.extension() != ".json" || name.size() != 64 ||
      name.find_first_not_of("0123456789abcdef") != std::string::npos)
    return false;
  auto text = system::read_file(file, "cached credential");
  if (!text) return false;
  const auto json = parse_json(*text);
  wipe(*text);
  if (!json.is_object()) return true;
  const auto expires = system::from_rfc3339(text_of(json, "expirationTimestamp"));
  return !expires || *expires <= now;
}

}  // namespace

std::string exec_info(const ClusterConfig& config, bool interactive) {
  Json spec = {{"interactive", interactive}};
  if (config.exec->provide_cluster_info) {
    Json cluster = {{"server", config.server}};
    if (!config.tls.server_name.empty()) cluster["tls-server-name"] = config.tls.server_name;
    if (config.tls.insecure_skip_verify) cluster["insecure-skip-tls-verify"] = true;
    if (!config.tls.ca_pem.empty()) cluster["certificate-authority-data"] = system::base64_encode(config.tls.ca_pem);
    if (!config.tls.proxy_url.empty()) cluster["proxy-url"] = config.tls.proxy_url;
    if (config.disable_compression) cluster["disable-compression"] = true;
    if (!config.exec->cluster_config.empty()) cluster["config"] = parse_json(config.exec->cluster_config);
    spec["cluster"] = std::move(cluster);
  }
  return Json{{"kind", "ExecCredential"}, {"apiVersion", config.exec->api_version}, {"spec", std::move(spec)}}.dump();
}

ExecCredential parse_exec_credential(std::string_view output, const ExecPlugin& plugin) {
  const auto fail = [&plugin](const std::string& why) { bad_output(plugin, why); };
  if (output.find_first_not_of(" \t\r\n") == std::string_view::npos) fail("it printed nothing");
  const auto json = parse_output(output);
  if (!json.is_object()) fail("it printed neither JSON nor YAML of an ExecCredential");
  if (text_of(json, "kind") != "ExecCredential") fail("the kind is not ExecCredential");
  if (const auto version = text_of(json, "apiVersion"); version != plugin.api_version)
    fail("it speaks another version than the kubeconfig's " + plugin.api_version);
  const auto status = json.find("status");
  if (status == json.end() || !status->is_object()) fail("it has no status");
  return from_json(*status, fail);
}

std::string exec_cache_key(const ClusterConfig& config, const std::map<std::string, std::string>& environment) {
  const auto& plugin = *config.exec;
  Json parts = {plugin.api_version,
                plugin.command,
                plugin.arguments,
                plugin.environment,
                plugin.provide_cluster_info ? exec_info(config, false) : "",
                config.server};
  Json inherited = Json::object();
  for (const auto& [name, value] : environment)
    if (chooses_identity(name)) inherited[name] = value;
  parts.push_back(std::move(inherited));
  // An environment may hold bytes that are no UTF-8.
  return system::sha256_hex(parts.dump(-1, ' ', false, Json::error_handler_t::replace));
}

ExecCredentials::ExecCredentials(const ClusterConfig& config, ExecOptions options)
    : config_(config), options_(std::move(options)) {
  if (!options_.cache_folder.empty())
    cache_file_ =
        (std::filesystem::path(options_.cache_folder) / (exec_cache_key(config_, options_.environment) + ".json"))
            .string();
  if (!options_.run) {
    const bool interactive = options_.interactive;
    options_.run = [interactive, interrupted = options_.interrupted](const system::Command& command) {
      return system::run(command, interactive ? std::chrono::milliseconds(interactive_patience) : patience,
                         interrupted.stop_requested() ? std::stop_token() : interrupted);
    };
  }
}

bool ExecCredentials::alive(const ExecCredential& credential) const {
  return !credential.expires || options_.clock->now() + margin < *credential.expires;
}

ExecCredential ExecCredentials::get() {
  std::unique_lock lock(mutex_);
  if (current_ && alive(*current_)) {
    const auto now = options_.clock->now();
    const bool ends_soon = current_->expires && *current_->expires - early <= now;
    if (!ends_soon || refreshing_ || now < next_refresh_) return *current_;
    refreshing_ = true;
    next_refresh_ = now + rest;
    return refreshed(lock);
  }
  current_.reset();
  current_ = read_cache();
  if (!current_) current_ = run_plugin();
  return *current_;
}

// Meanwhile the others go on with the one that lives, and so does this one if the plugin fails.
ExecCredential ExecCredentials::refreshed(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  std::optional<ExecCredential> fresh;
  try {
    fresh = run_plugin();
  } catch (const Error&) {
    // When the living one has ended, the plugin is run again, and its failure said.
  }
  lock.lock();
  refreshing_ = false;
  if (fresh) current_ = std::move(fresh);
  // The server may have refused the living one meanwhile.
  if (!current_) current_ = run_plugin();
  return *current_;
}

ExecCredential ExecCredentials::renew(const ExecCredential& refused) {
  const std::lock_guard lock(mutex_);
  const bool same = current_ && current_->token == refused.token &&
                    current_->client_certificate_pem == refused.client_certificate_pem;
  if (current_ && !same) return *current_;
  current_.reset();
  current_ = run_plugin();
  return *current_;
}

ExecCredential ExecCredentials::run_plugin() {
  const auto& plugin = *config_.exec;
  if (plugin.interactive_mode == "Always" && !options_.interactive)
    throw AuthError(
        {.message = describe(plugin) + " of context \"" + config_.context + "\" needs a terminal, and there is none",
         .hint = "run this in a terminal once, or use credentials that need no person"});
  const bool interactive = options_.interactive && plugin.interactive_mode != "Never";
  system::Command command{plugin.command, plugin.arguments, plugin.environment, interactive};
  command.withheld = options_.withheld;
  command.environment["KUBERNETES_EXEC_INFO"] = exec_info(config_, interactive);

  system::CommandResult result;
  try {
    result = options_.run(command);
  } catch (const NotFound& error) {
    throw AuthError(
        {.message = describe(plugin) + ", which context \"" + config_.context + "\" signs in with, is not installed",
         .hint = plugin.install_hint.empty() ? "install it, or put its folder into PATH" : plugin.install_hint,
         .resource = {},
         .cause = error.what()});
  } catch (const Timeout& error) {
    throw AuthError({.message = describe(plugin) + " of context \"" + config_.context + "\" did not end in time",
                     .hint = "run it by hand: does it wait for an answer?",
                     .resource = {},
                     .cause = error.what()});
  }
  if (result.exit_code != 0) {
    wipe(result.output);
    throw AuthError({.message = describe(plugin) + " of context \"" + config_.context + "\" failed with exit code " +
                                std::to_string(result.exit_code),
                     .hint = plugin.install_hint.empty() ? "its own words are above; perhaps you must sign in again"
                                                         : plugin.install_hint});
  }
  auto credential = [&] {
    try {
      auto parsed = parse_exec_credential(result.output, plugin);
      wipe(result.output);
      return parsed;
    } catch (...) {
      wipe(result.output);
      throw;
    }
  }();
  if (!alive(credential) && credential.expires && *credential.expires <= options_.clock->now())
    bad_output(plugin, "it expired at " + system::to_rfc3339(*credential.expires));
  write_cache(credential);
  return credential;
}

std::optional<ExecCredential> ExecCredentials::read_cache() const {
  if (cache_file_.empty()) return std::nullopt;
  struct Unusable {};
  try {
    auto text = system::read_trusted_file(cache_file_, "cached credential");
    if (!text) return std::nullopt;
    const auto json = parse_json(*text);
    wipe(*text);
    if (!json.is_object()) return std::nullopt;
    auto credential = from_json(json, [](const std::string&) { throw Unusable{}; });
    if (!credential.expires || !alive(credential)) return std::nullopt;
    return credential;
  } catch (const Unusable&) {
    return std::nullopt;  // another version's, or damaged: the plugin gives a new one, which replaces it
  } catch (const Error&) {
    return std::nullopt;  // a cache that cannot be read is only slow
  }
}

void ExecCredentials::write_cache(const ExecCredential& credential) const {
  // What says no end lives as long as this process.
  if (cache_file_.empty() || !credential.expires) return;
  auto text = to_json(credential).dump();
  try {
    system::write_file_atomically(cache_file_, text, "cached credential");
  } catch (const Error&) {
    // A full disk or a read-only home costs the next process another run of the plugin, and no more.
  }
  wipe(text);
  prune_cache();
}

// Credentials that have ended, of whatever cluster: nobody will ask for them by the same name again, or replaces them.
void ExecCredentials::prune_cache() const {
  std::error_code error;
  std::vector<std::filesystem::path> spent;
  for (std::filesystem::directory_iterator each(options_.cache_folder, error), end; !error && each != end;
       each.increment(error)) {
    try {
      if (is_spent(each->path(), options_.clock->now())) spent.push_back(each->path());
    } catch (const Error&) {
      // One that cannot be read stays.
    }
  }
  for (const auto& file : spent) std::filesystem::remove(file, error);
}

}  // namespace litedesk::kubernetes
