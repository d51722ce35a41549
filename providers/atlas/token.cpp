#include "providers/atlas/token.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "providers/atlas/errors.hpp"
#include "providers/error.hpp"
#include "providers/read_json.hpp"
#include "providers/system/files.hpp"
#include "providers/system/hash.hpp"

namespace litedesk::atlas {

namespace {

constexpr std::chrono::minutes margin{5};
// A token of this age has just been made.
constexpr std::chrono::minutes new_age{1};

}  // namespace

// The file's name tells neither the account nor the server, and two servers never share a token.
TokenSource::TokenSource(http::Transport& transport, const Credentials& credentials, const ClientOptions& options)
    : transport_(transport), credentials_(credentials), options_(options) {
  if (!options.token_cache_folder.empty())
    file_ = std::filesystem::path(options.token_cache_folder) /
            ("atlas-" + system::sha256_hex(options.url + "\n" + credentials.id).substr(0, 32) + ".json");
}

Secret TokenSource::get() {
  const std::lock_guard lock(mutex_);
  if (!token_ || !is_fresh(*token_)) token_ = read_cache();
  if (!token_) {
    token_ = ask();
    write_cache(*token_);
  }
  return token_->text;
}

bool TokenSource::drop(const Secret& token) {
  const std::lock_guard lock(mutex_);
  if (token_ && token_->text == token) {
    const bool is_new = token_->made && options_.clock->now() - *token_->made < new_age;
    if (is_new && std::exchange(new_one_was_refused_, true)) return false;
    token_.reset();
  }
  const auto kept = read_cache();
  if (!kept || !(kept->text == token)) return true;
  std::error_code error;
  std::filesystem::remove(file_, error);
  if (error && options_.warn)
    options_.warn("cannot remove a refused Atlas token, " + file_.string() + ": " + error.message());
  return true;
}

bool TokenSource::is_fresh(const Token& token) const {
  return token.expires - margin > options_.clock->now();
}

// A file that is half-written, of another form or not to be read counts as none: the next token replaces it, and if
// that fails, it is said then.
std::optional<TokenSource::Token> TokenSource::read_cache() const {
  if (file_.empty()) return std::nullopt;
  std::optional<std::string> text;
  try {
    text = system::read_trusted_file(file_, "Atlas token");
  } catch (const Error&) {
    return std::nullopt;
  }
  if (!text) return std::nullopt;
  auto document = parse_json(*text);
  wipe(*text);
  if (!document.is_object() || !document.contains("access_token") || !document["access_token"].is_string() ||
      !document.contains("expires") || !document["expires"].is_string())
    return std::nullopt;
  const auto expires = system::from_rfc3339(document["expires"].get_ref<const std::string&>());
  auto& kept = document["access_token"].get_ref<std::string&>();
  Token token{Secret(kept), expires.value_or(system::TimePoint{}), std::nullopt};
  wipe(kept);
  if (token.text.empty() || !is_fresh(token)) return std::nullopt;
  return token;
}

// A run without a cache is slower and no less right.
void TokenSource::write_cache(const Token& token) const {
  if (file_.empty()) return;
  Json document = {{"access_token", token.text.reveal()}, {"expires", system::to_rfc3339(token.expires)}};
  auto text = document.dump();
  wipe(document["access_token"].get_ref<std::string&>());
  try {
    system::write_file_atomically(file_, text, "Atlas token");
  } catch (const Error& error) {
    if (options_.warn) options_.warn(error.what());
  }
  wipe(text);
}

TokenSource::Token TokenSource::ask() {
  http::Request request;
  request.method = http::Method::post;
  request.url = options_.url + "/api/oauth/token";
  request.api = http::Api::oauth;
  request.summary = "get an Atlas access token";
  request.timeout = options_.request_timeout;
  request.body = "grant_type=client_credentials";
  // A second token does no harm, and none changes what a lock guards.
  request.repeat = http::Repeat::safe;
  request.mutates = false;
  // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
  const auto basic = http::percent_encode(credentials_.id) + ":" + http::percent_encode(credentials_.secret.reveal());
  request.headers = {{"Authorization", "Basic " + system::base64_encode(basic)},
                     {"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  const auto asked = options_.clock->now();
  auto response = transport_.send(std::move(request), {});
  const Refusal refusal{"get an access token for service account " + credentials_.id,
                        "atlas service account " + credentials_.id,
                        options_.project,
                        credentials_.id,
                        true,
                        {credentials_.secret.reveal()}};
  if (response.status / 100 != 2) {
    // "Access Token limit reached": 100 live tokens an account.
    const auto error = parse_error(response);
    if (response.status == 403 && error.code == "access_denied")
      throw RateLimited({.message = "cannot " + refusal.summary,
                         .hint = "an account may have 100 live tokens: wait up to an hour, or revoke some",
                         .resource = refusal.resource,
                         .cause = masked(error.code + ": " + error.detail, refusal.secrets)});
    throw_refusal(response, refusal);
  }
  auto document = parse_json(response.body);
  wipe(response.body);
  if (!document.is_object() || !document.contains("access_token") || !document["access_token"].is_string())
    throw Unavailable({.message = "cannot " + refusal.summary + ": the answer contains no access_token",
                       .hint = "check the Atlas URL " + options_.url + " and any proxy between",
                       .resource = refusal.resource,
                       .cause = ""});
  // Anything longer than a year is far away.
  constexpr std::int64_t most = 366 * 24 * 3600;
  const auto seconds = document.contains("expires_in") ? whole_number(document["expires_in"]) : std::nullopt;
  const std::chrono::seconds lifetime(std::clamp<std::int64_t>(seconds.value_or(3600), 0, most));
  auto& text = document["access_token"].get_ref<std::string&>();
  Token token{Secret(text), asked + lifetime, asked};
  wipe(text);
  return token;
}

}  // namespace litedesk::atlas
