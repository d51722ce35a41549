#include "providers/kubernetes/cluster_entries.hpp"

#include <cctype>

#include "providers/error.hpp"
#include "providers/kubernetes/certificate.hpp"
#include "providers/system/files.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/trust.hpp"

namespace litedesk::kubernetes {

namespace {

[[noreturn]] void fail(const Place& place, const std::string& why, const std::string& hint = {}) {
  throw ValidationError({.message = "kubeconfig " + place.to_string() + ": " + why,
                         .hint = hint.empty() ? "correct the file, or choose another context" : hint});
}

// The data of an entry, from its -data key or else from its file; empty when it has neither.
std::string load_pem(std::string_view data, const std::string& file, const Place& place, const std::string& what) {
  if (!data.empty()) {
    auto decoded = system::base64_decode(data);
    if (!decoded || decoded->empty()) fail(place, what + "-data is not base64, or is truncated");
    return std::move(*decoded);
  }
  if (file.empty()) return {};
  auto text = system::read_file(file, what);
  if (!text)
    throw NotFound(
        {.message = "kubeconfig " + place.to_string() + ": " + file + " not found", .hint = what + " names it"});
  if (text->empty()) fail(place, what + " " + file + " is empty");
  return std::move(*text);
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string checked_server(const ClusterEntry& entry, const std::string& name, const UserEntry* user) {
  auto server = entry.server;
  if (server.empty())
    fail(entry.place, "the cluster \"" + name + "\" has no server", "was the file written to its end?");
  auto scheme = server.find("://");
  if (scheme == std::string::npos) {
    // As client-go: what has TLS settings means https, a client's certificate among them.
    const bool certificate =
        user != nullptr && (!user->client_certificate.empty() || !user->client_certificate_data.empty());
    const bool tls = certificate || !entry.certificate_authority.empty() || !entry.certificate_authority_data.empty() ||
                     entry.insecure_skip_tls_verify;
    server = (tls ? "https://" : "http://") + server;
    scheme = server.find("://");
  }
  std::string lower = server.substr(0, scheme);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower != "https" && lower != "http")
    fail(entry.place, "the server of \"" + name + "\" is not an http or https URL");
  server.replace(0, scheme, lower);
  const auto host = std::string_view(server).substr(scheme + 3);
  const auto authority = host.substr(0, host.find('/'));
  if (authority.empty() || server.find_first_of("?# \t\r\n") != std::string::npos || has_control_characters(server))
    fail(entry.place, "the server of \"" + name + "\" is not a URL of a host, with an optional port and path");
  if (authority.find('@') != std::string_view::npos)
    fail(entry.place, "the server of \"" + name + "\" has credentials in its URL", "put them into the user's entry");
  while (server.back() == '/') server.pop_back();
  return server;
}

// The headers that ask the API server to act as somebody else (kubernetes.io, "User impersonation").
http::Headers impersonation_of(const UserEntry& entry, const std::string& name) {
  http::Headers headers;
  const auto add = [&](std::string key, const std::string& value) {
    if (has_control_characters(value))
      fail(entry.place, "the impersonation of \"" + name + "\" has control characters");
    headers.push_back({std::move(key), value});
  };
  if (entry.impersonate.empty()) {
    if (!entry.impersonate_uid.empty() || !entry.impersonate_groups.empty() || !entry.impersonate_extra.empty())
      fail(entry.place, "the user \"" + name + "\" has as-uid, as-groups or as-user-extra, and no \"as\"");
    return headers;
  }
  add("Impersonate-User", entry.impersonate);
  if (!entry.impersonate_uid.empty()) add("Impersonate-Uid", entry.impersonate_uid);
  for (const auto& group : entry.impersonate_groups) add("Impersonate-Group", group);
  for (const auto& [key, values] : entry.impersonate_extra) {
    std::string lower = key;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const auto& value : values) add("Impersonate-Extra-" + http::percent_encode(lower), value);
  }
  return headers;
}

void check_exec(ExecPlugin& exec, const UserEntry& entry, const std::string& name) {
  const auto user = "the credential plugin of \"" + name + "\"";
  if (exec.command.empty()) fail(entry.place, user + " has no command");
  if (exec.api_version.empty()) fail(entry.place, user + " has no apiVersion");
  constexpr std::string_view group = "client.authentication.k8s.io/";
  if (exec.api_version == std::string(group) + "v1alpha1")
    fail(entry.place, user + " speaks " + exec.api_version + ", which Kubernetes 1.24 removed",
         "renew the kubeconfig with a newer version of \"" + exec.command + "\"");
  const bool v1 = exec.api_version == std::string(group) + "v1";
  if (!v1 && exec.api_version != std::string(group) + "v1beta1")
    fail(entry.place, user + " has the unknown apiVersion " + exec.api_version);
  if (exec.interactive_mode.empty()) {
    if (v1) fail(entry.place, user + " has no interactiveMode, which v1 requires", "add interactiveMode: IfAvailable");
    exec.interactive_mode = "IfAvailable";
  }
  for (const auto* mode : {"Never", "IfAvailable", "Always"})
    if (exec.interactive_mode == mode) return;
  fail(entry.place, user + " has the unknown interactiveMode " + exec.interactive_mode);
}

void take_client_certificate(const UserEntry& entry, const std::string& name, system::TimePoint now,
                             ClusterConfig& config) {
  config.tls.client_certificate_pem =
      load_pem(entry.client_certificate_data, entry.client_certificate, entry.place, "client-certificate");
  config.tls.client_key_pem =
      Secret(load_pem(entry.client_key_data.reveal(), entry.client_key, entry.place, "client-key"));
  const bool certificate = !config.tls.client_certificate_pem.empty();
  const bool key = !config.tls.client_key_pem.empty();
  if (certificate != key)
    fail(entry.place,
         "the user \"" + name + "\" has a " +
             (certificate ? "client-certificate and no client-key" : "client-key and no client-certificate"));
  if (!certificate) return;
  const auto from_file = entry.client_certificate_data.empty() ? entry.client_certificate : entry.place.to_string();
  check_client_certificate(config.tls.client_certificate_pem, config.tls.client_key_pem,
                           "the client certificate of \"" + name + "\" (" + from_file + ")",
                           "get a new kubeconfig for this cluster from its administrator", now);
}

}  // namespace

void take_cluster(const ClusterEntry& entry, const std::string& name, const UserEntry* user, ClusterConfig& config) {
  config.server = checked_server(entry, name, user);
  config.disable_compression = entry.disable_compression;
  config.tls.server_name = entry.tls_server_name;
  config.tls.insecure_skip_verify = entry.insecure_skip_tls_verify;
  config.tls.proxy_url = entry.proxy_url;
  if (!entry.proxy_url.empty()) {
    const auto scheme = entry.proxy_url.substr(0, entry.proxy_url.find("://"));
    if (entry.proxy_url.find("://") == std::string::npos ||
        (scheme != "http" && scheme != "https" && scheme != "socks5"))
      fail(entry.place, "the proxy-url of \"" + name + "\" is not an http, https or socks5 URL");
  }
  config.tls.ca_pem =
      load_pem(entry.certificate_authority_data, entry.certificate_authority, entry.place, "certificate-authority");
  if (config.tls.ca_pem.empty()) return;
  if (entry.insecure_skip_tls_verify)
    fail(entry.place, "the cluster \"" + name + "\" has a certificate-authority and insecure-skip-tls-verify",
         "remove insecure-skip-tls-verify");
  if (!certificate_dates(config.tls.ca_pem))
    fail(entry.place, "the certificate-authority of \"" + name + "\" is not a PEM certificate, or is truncated");
}

void take_user(const UserEntry& entry, const std::string& name, system::TimePoint now, ClusterConfig& config) {
  const bool token = !entry.token.empty() || !entry.token_file.empty();
  const bool basic = !entry.username.empty() || !entry.password.empty();
  if (token && basic) fail(entry.place, "the user \"" + name + "\" has a token and a password");
  if (entry.exec && entry.auth_provider) fail(entry.place, "the user \"" + name + "\" has exec and auth-provider");
  if (basic && entry.username.empty()) fail(entry.place, "the user \"" + name + "\" has a password and no username");
  if (entry.auth_provider)
    fail(entry.place,
         "the user \"" + name + "\" signs in by the auth-provider \"" + *entry.auth_provider +
             "\", which litedesk does not support",
         "use a credential plugin (exec) instead; for oidc that is kubelogin");
  if (has_control_characters(entry.token.reveal()) || has_control_characters(entry.username) ||
      has_control_characters(entry.password.reveal()))
    fail(entry.place, "the credentials of \"" + name + "\" have control characters");

  take_client_certificate(entry, name, now, config);
  config.token = entry.token;
  config.token_file = entry.token_file;
  config.username = entry.username;
  config.password = entry.password;
  config.impersonation = impersonation_of(entry, name);
  if (entry.exec) {
    // It names a program that is run with all that this user may do.
    system::require_trusted(entry.place.file, "kubeconfig with a credential plugin");
    config.exec = entry.exec;
    check_exec(*config.exec, entry, name);
  }
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Damerau and Levenshtein, restricted: three rows of the table are enough.
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string nearest(const std::vector<std::string>& candidates, std::string_view name) {
  std::string best;
  // A third of the letters may be wrong; more is another word.
  std::size_t closest = name.size() / 3 + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(candidate, name);
    if (distance > closest || (distance == closest && !best.empty())) continue;
    closest = distance;
    best = candidate;
  }
  return best;
}

std::string names_of(const std::vector<std::string>& names) {
  if (names.empty()) return " (there are none)";
  constexpr std::size_t shown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) text += (text.empty() ? "" : ", ") + names[i];
  if (names.size() > shown) text += " and " + std::to_string(names.size() - shown) + " more";
  return " (there " + std::string(names.size() == 1 ? "is: " : "are: ") + text + ")";
}

}  // namespace litedesk::kubernetes
