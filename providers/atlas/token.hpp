// Access tokens of a service account (OAuth 2.0 client credentials), kept on disk between runs: an account may have 100
// live tokens, and each lasts an hour.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>

#include "providers/atlas/client.hpp"

namespace litedesk::atlas {

class TokenSource {
 public:
  TokenSource(http::Transport& transport, const Credentials& credentials, const ClientOptions& options);

  // A token with at least five minutes left: the one at hand, the one on disk, or a new one. Thread-safe.
  [[nodiscard]] Secret get();
  // Forgets a token that was refused, here and on disk; a newer one stays. False when it is kept after all: it has only
  // just been made, as the one before it had, so that the token is not what is wrong, and an account may have only so
  // many.
  [[nodiscard]] bool drop(const Secret& token);

 private:
  struct Token {
    Secret text;
    system::TimePoint expires;
    std::optional<system::TimePoint> made;  // nothing: by another process
  };
  [[nodiscard]] bool is_fresh(const Token& token) const;
  [[nodiscard]] std::optional<Token> read_cache() const;
  void write_cache(const Token& token) const;
  [[nodiscard]] Token ask();

  http::Transport& transport_;
  const Credentials& credentials_;
  const ClientOptions& options_;
  std::filesystem::path file_;  // empty: none is kept
  std::mutex mutex_;
  std::optional<Token> token_;
  bool new_one_was_refused_ = false;
};

}  // namespace litedesk::atlas
