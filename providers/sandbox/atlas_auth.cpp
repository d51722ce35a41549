#include "providers/sandbox/atlas_auth.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "providers/sandbox/atlas_answers.hpp"
#include "providers/system/hash.hpp"
#include "providers/system/random.hpp"

namespace litedesk::sandbox::atlas {

namespace {

constexpr std::string_view realm = "MMS Public API";
constexpr std::string_view tokens_collection = "atlas/tokens";
constexpr std::chrono::minutes nonce_life{5};
constexpr std::chrono::seconds token_life{3600};
constexpr std::size_t most_tokens = 100;

std::string md5_hex(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &length, EVP_md5(), nullptr) != 1)
    throw std::runtime_error("libcrypto offers no MD5, which HTTP digest needs");
  return system::to_hex({digest, length});
}

// `username="a", qop=auth, nc=00000001`
std::map<std::string, std::string> parse_fields(std::string_view text) {
  std::map<std::string, std::string> fields;
  std::size_t i = 0;
  while (i < text.size()) {
    while (i < text.size() && (text[i] == ' ' || text[i] == ',')) ++i;
    const auto equals = text.find('=', i);
    if (equals == std::string_view::npos) break;
    const std::string name(text.substr(i, equals - i));
    std::string value;
    i = equals + 1;
    if (i < text.size() && text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        value += text[i];
      }
      ++i;
    } else {
      const auto end = std::min(text.find(',', i), text.size());
      value = text.substr(i, end - i);
      while (value.ends_with(' ')) value.pop_back();
      i = end;
    }
    fields[name] = value;
  }
  return fields;
}

Reply oauth_error(int status, std::string_view error, std::string_view description) {
  Reply reply;
  reply.status = status;
  reply.body = Json{{"error", error}, {"error_description", description}}.dump();
  return reply;
}

std::string form_value(const Call& call, std::string_view name) {
  for (const auto& [key, value] : parse_query(call.body))
    if (key == name) return value;
  return {};
}

}  // namespace

Authenticator::Authenticator(Context& context) : context_(context), nonce_key_(system::os_random().uuid()) {}

std::int64_t Authenticator::now_milliseconds() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.now().time_since_epoch()).count();
}

// The time and a mark that only this server can make: nothing needs to be kept for it.
std::string Authenticator::make_nonce() const {
  const auto time = std::to_string(now_milliseconds());
  return fmt::format("{}.{}", time, system::sha256_hex(nonce_key_ + time).substr(0, 32));
}

bool Authenticator::is_fresh(const std::string& nonce) const {
  const auto dot = nonce.find('.');
  if (dot == std::string::npos) return false;
  const auto time = nonce.substr(0, dot);
  if (nonce.substr(dot + 1) != system::sha256_hex(nonce_key_ + time).substr(0, 32)) return false;
  std::int64_t made = 0;
  std::from_chars(time.data(), time.data() + time.size(), made);
  return now_milliseconds() - made < std::chrono::milliseconds(nonce_life).count();
}

Reply Authenticator::challenge(bool stale) const {
  auto reply = reply_of(Problem{401, "UNEXPECTED_ERROR", "You are not authorized for this resource."});
  reply.headers.emplace_back(
      "WWW-Authenticate",
      fmt::format(R"(Digest realm="{}", domain="", nonce="{}", algorithm=MD5, qop="auth", stale={})", realm,
                  make_nonce(), stale));
  return reply;
}

Authenticator::Digest Authenticator::check_digest(const Call& call, std::string_view text) const {
  auto fields = parse_fields(text);
  if (fields["username"] != context_.keys.atlas_public_key || fields["realm"] != realm ||
      fields["uri"] != call.target || fields["qop"] != "auth")
    return Digest::wrong;
  const auto secret =
      md5_hex(fmt::format("{}:{}:{}", context_.keys.atlas_public_key, realm, context_.keys.atlas_private_key));
  const auto request = md5_hex(fmt::format("{}:{}", call.method, fields["uri"]));
  const auto expected = md5_hex(fmt::format("{}:{}:{}:{}:{}:{}", secret, fields["nonce"], fields["nc"],
                                            fields["cnonce"], fields["qop"], request));
  if (fields["response"] != expected) return Digest::wrong;
  return is_fresh(fields["nonce"]) ? Digest::right : Digest::stale;
}

bool Authenticator::check_bearer(const std::string& token) {
  const auto row = context_.state.get(tokens_collection, "", system::sha256_hex(token));
  return row && row->body.at("expiresAt").get<std::int64_t>() > now_milliseconds();
}

std::optional<Reply> Authenticator::refuse(const Call& call) {
  const auto header = call.header("authorization");
  const auto space = std::min(header.find(' '), header.size());
  const auto rest = header.substr(std::min(space + 1, header.size()));
  if (header.substr(0, space) == "Bearer") {
    if (check_bearer(rest)) return std::nullopt;
    return reply_of(Problem{401, "UNEXPECTED_ERROR", "You are not authorized for this resource."});
  }
  if (header.substr(0, space) != "Digest") return challenge(false);
  switch (check_digest(call, rest)) {
    case Digest::right:
      return std::nullopt;
    case Digest::stale:
      return challenge(true);
    case Digest::wrong:
      break;
  }
  return challenge(false);
}

bool Authenticator::check_client(const Call& call) const {
  const auto header = call.header("authorization");
  constexpr std::string_view scheme = "Basic ";
  if (!header.starts_with(scheme)) return false;
  const auto text = system::base64_decode(std::string_view(header).substr(scheme.size()));
  if (!text) return false;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return false;
  // Both parts may be form-encoded (RFC 6749, 2.3.1).
  return percent_decode(text->substr(0, colon), true) == context_.keys.atlas_client_id &&
         percent_decode(text->substr(colon + 1), true) == context_.keys.atlas_client_secret;
}

Reply Authenticator::token(const Call& call) {
  if (call.method != "POST") return oauth_error(405, "invalid_request", "The token endpoint takes POST only");
  if (!check_client(call)) return oauth_error(401, "invalid_client", "Client authentication failed");
  if (!call.header("content-type").starts_with("application/x-www-form-urlencoded"))
    return oauth_error(400, "invalid_request", "The body must be application/x-www-form-urlencoded");
  if (form_value(call, "grant_type") != "client_credentials")
    return oauth_error(400, "unsupported_grant_type", "The grant type must be client_credentials");

  const auto token = fmt::format("{}{}", system::os_random().hex(24).reveal(), system::os_random().hex(24).reveal());
  const auto now = now_milliseconds();
  bool full = false;
  context_.state.write([&] {
    std::size_t live = 0;
    for (const auto& row : context_.state.list(tokens_collection, "")) {
      if (row.body.at("expiresAt").get<std::int64_t>() > now)
        ++live;
      else
        context_.state.erase(tokens_collection, "", row.name);
    }
    full = live >= most_tokens;
    if (!full)
      context_.state.put(tokens_collection, "", system::sha256_hex(token),
                         {{"expiresAt", now + std::chrono::milliseconds(token_life).count()}});
  });
  if (full) return oauth_error(403, "access_denied", "Access Token limit reached");
  Reply reply;
  reply.headers.emplace_back("Cache-Control", "no-store");
  reply.body = Json{{"access_token", token}, {"token_type", "Bearer"}, {"expires_in", token_life.count()}}.dump();
  return reply;
}

Reply Authenticator::revoke(const Call& call) {
  if (call.method != "POST") return oauth_error(405, "invalid_request", "The revocation endpoint takes POST only");
  if (!check_client(call)) return oauth_error(401, "invalid_client", "Client authentication failed");
  const auto token = form_value(call, "token");
  if (token.empty()) return oauth_error(400, "invalid_request", "The token is missing");
  // An unknown token is no error (RFC 7009, 2.2).
  context_.state.write([&] { context_.state.erase(tokens_collection, "", system::sha256_hex(token)); });
  return {};
}

}  // namespace litedesk::sandbox::atlas
