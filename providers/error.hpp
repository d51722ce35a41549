// The one family of errors. Providers throw them with the API's own words kept as the cause; they are caught only where
// something is done about them. What may well be absent is std::optional, not an error.
#pragma once

#include <concepts>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace litedesk {

enum class ErrorCode {
  failed,             // anything that no other code fits
  usage,              // wrong arguments or settings
  not_found,          // the thing that was named is not there
  conflict,           // somebody else changed or owns it
  locked,             // another operation holds the lock
  authentication,     // not who we say we are: no, bad or expired credentials
  permission_denied,  // known, and not allowed to
  disabled,           // a feature that is switched off
  rate_limited,       // throttled, and retrying did not help
  unavailable,        // no answer, or none that can be used
  timeout,            // not done in time; what was made is kept
  validation,         // refused as malformed or against a rule
  cancelled,          // Ctrl-C or SIGTERM
  rolled_back,        // failed or timed out, and undone
};

// The stable lower-case word for scripts: "not_found", "permission_denied"...
[[nodiscard]] std::string_view to_string(ErrorCode code);

struct ErrorDetails {
  std::string message;     // what was tried on what, and what came of it: one sentence, no full stop needed
  std::string hint{};      // what to do next; may be empty
  std::string resource{};  // "kubernetes Deployment instance-acme/backend"; may be empty
  std::string cause{};     // the API's own words, masked; may be empty
};

class Error : public std::exception {
 public:
  Error(ErrorCode code, ErrorDetails details);

  [[nodiscard]] ErrorCode code() const { return code_; }
  [[nodiscard]] const std::string& message() const { return details_.message; }
  [[nodiscard]] const std::string& hint() const { return details_.hint; }
  [[nodiscard]] const std::string& resource() const { return details_.resource; }
  [[nodiscard]] const std::string& cause() const { return details_.cause; }
  // "message: cause"
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  ErrorCode code_;
  ErrorDetails details_;
  std::string what_;
};

// One type a code, so that a handler can name what it handles. Each is thrown as `throw NotFound({.message = ...})`.
template <ErrorCode Code>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(ErrorDetails details) : Error(Code, std::move(details)) {}
  // A template, so that a braced list of two literals can only mean the details.
  template <std::convertible_to<std::string> Text>
  explicit ErrorOf(Text&& message) : Error(Code, ErrorDetails{std::forward<Text>(message), {}, {}, {}}) {}
};

using Failed = ErrorOf<ErrorCode::failed>;
using UsageError = ErrorOf<ErrorCode::usage>;
using NotFound = ErrorOf<ErrorCode::not_found>;
using Conflict = ErrorOf<ErrorCode::conflict>;
using Locked = ErrorOf<ErrorCode::locked>;
using AuthError = ErrorOf<ErrorCode::authentication>;
using PermissionDenied = ErrorOf<ErrorCode::permission_denied>;
using Disabled = ErrorOf<ErrorCode::disabled>;
using RateLimited = ErrorOf<ErrorCode::rate_limited>;
using Unavailable = ErrorOf<ErrorCode::unavailable>;
using Timeout = ErrorOf<ErrorCode::timeout>;
using ValidationError = ErrorOf<ErrorCode::validation>;
using Cancelled = ErrorOf<ErrorCode::cancelled>;
using RolledBack = ErrorOf<ErrorCode::rolled_back>;

}  // namespace litedesk
