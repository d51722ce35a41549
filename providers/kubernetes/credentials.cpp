#include "providers/kubernetes/credentials.hpp"

#include "providers/error.hpp"
#include "providers/http/url.hpp"
#include "providers/system/files.hpp"
#include "providers/system/hash.hpp"

namespace litedesk::kubernetes {

namespace {

bool has_secret(const ClusterConfig& config) {
  return !config.token.empty() || !config.token_file.empty() || !config.username.empty() || config.exec;
}

}  // namespace

Credentials::Credentials(const ClusterConfig& config, ExecOptions options)
    : config_(config), tls_(std::make_shared<const http::Tls>(config.tls)) {
  withheld_ = http::is_plain_http_over_network(config_.server) && has_secret(config_);
  // A static credential beside a plugin is used instead of it, as client-go does.
  const bool fixed = !config_.token.empty() || !config_.token_file.empty() || !config_.username.empty();
  if (config_.exec && !fixed && !withheld_) exec_ = std::make_unique<ExecCredentials>(config_, std::move(options));
}

Identity Credentials::current() {
  if (withheld_) return with_token(Secret());
  if (!config_.token_file.empty()) return with_token(read_token_file());
  if (exec_) return identity_of(exec_->get());
  if (!config_.username.empty()) {
    auto identity = with_token(Secret());
    const auto pair = config_.username + ":" + std::string(config_.password.reveal());
    identity.headers.push_back({"Authorization", "Basic " + system::base64_encode(pair)});
    return identity;
  }
  return with_token(config_.token);
}

std::optional<Identity> Credentials::renewed(const Identity& refused) {
  if (refused.exec && exec_) return identity_of(exec_->renew(*refused.exec));
  if (config_.token_file.empty() || withheld_) return std::nullopt;
  // The file may have been replaced since it was read.
  auto identity = with_token(read_token_file());
  if (identity.token == refused.token) return std::nullopt;
  return identity;
}

Identity Credentials::with_token(Secret token) const {
  Identity identity{config_.impersonation, tls_, std::move(token), std::nullopt};
  if (!identity.token.empty())
    identity.headers.push_back({"Authorization", "Bearer " + std::string(identity.token.reveal())});
  return identity;
}

Identity Credentials::identity_of(const ExecCredential& credential) {
  auto identity = with_token(credential.token);
  identity.exec = credential;
  if (credential.client_certificate_pem.empty()) return identity;
  // Requests that share a Tls share connections: the same certificate must stay the same object.
  const std::lock_guard lock(mutex_);
  if (!exec_tls_ || exec_tls_->client_certificate_pem != credential.client_certificate_pem) {
    auto tls = *tls_;
    tls.client_certificate_pem = credential.client_certificate_pem;
    tls.client_key_pem = credential.client_key_pem;
    exec_tls_ = std::make_shared<const http::Tls>(std::move(tls));
  }
  identity.tls = exec_tls_;
  return identity;
}

Secret Credentials::read_token_file() {
  // Read for each request: the kubelet replaces the file before its token ends, and reading it costs microseconds.
  const std::lock_guard lock(mutex_);
  auto text = system::read_file(config_.token_file, "token file");
  if (text) {
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) text->pop_back();
    Secret token(*text);
    wipe(*text);
    if (token.reveal().find_first_of("\r\n") != std::string_view::npos)
      throw AuthError({.message = "the token file " + config_.token_file + " holds more than one line",
                       .hint = "it must hold the token and nothing else"});
    if (!token.empty()) file_token_ = std::move(token);
  }
  // While the file is being replaced, or after it is gone, the last token may still be good; the server knows.
  if (!file_token_.empty()) return file_token_;
  if (!config_.token.empty()) return config_.token;
  throw AuthError({.message = "the token file " + config_.token_file + (text ? " is empty" : " does not exist"),
                   .hint = "context \"" + config_.context + "\" of " + config_.origin + " names it"});
}

}  // namespace litedesk::kubernetes
