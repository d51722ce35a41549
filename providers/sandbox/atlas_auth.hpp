// Who may call: HTTP digest with an API key (RFC 7616, MD5), or the bearer token of a service account (RFC 6749, client
// credentials; RFC 7009 for its end).
#pragma once

#include <optional>
#include <string>

#include "providers/sandbox/api.hpp"

namespace litedesk::sandbox::atlas {

class Authenticator {
 public:
  explicit Authenticator(Context& context);

  // The answer that refuses; nothing when the call may go on.
  [[nodiscard]] std::optional<Reply> refuse(const Call& call);
  // POST /api/oauth/token and /api/oauth/revoke.
  [[nodiscard]] Reply token(const Call& call);
  [[nodiscard]] Reply revoke(const Call& call);

 private:
  enum class Digest { right, stale, wrong };
  [[nodiscard]] Digest check_digest(const Call& call, std::string_view fields) const;
  [[nodiscard]] bool check_bearer(const std::string& token);
  [[nodiscard]] bool check_client(const Call& call) const;
  [[nodiscard]] std::string make_nonce() const;
  [[nodiscard]] bool is_fresh(const std::string& nonce) const;
  [[nodiscard]] Reply challenge(bool stale) const;
  [[nodiscard]] std::int64_t now_milliseconds() const;

  Context& context_;
  std::string nonce_key_;
};

}  // namespace litedesk::sandbox::atlas
