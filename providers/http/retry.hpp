// When a request is sent again, and when: a pure function of what happened.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "providers/http/transport.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::http {

enum class Loss {
  none,       // an answer came
  not_sent,   // cannot connect, name not found: nothing can have taken effect
  uncertain,  // the connection broke or the time ran out after (part of) it went out
};

struct Attempt {
  Method method = Method::get;
  Repeat repeat = Repeat::by_method;
  Api api = Api::other;
  int number = 1;  // 1 for the first
  Loss loss = Loss::none;
  int status = 0;               // with Loss::none
  std::string_view error_code;  // the API's own code where the body names one ("Throttling"); may be empty
  std::optional<std::chrono::milliseconds> retry_after;
  double random = 0.5;  // in [0, 1): the jitter
  std::chrono::milliseconds time_left{0};
  bool reached_before = true;  // the host has answered this client before
};

// Whether a request may take effect twice without harm: as its sender says, else by its method (RFC 9110, 9.2.2).
[[nodiscard]] bool safe_to_repeat(Method method, Repeat repeat);

// How long to wait before the next attempt; nothing: give the answer (or the error) to the caller.
// Full jitter over base 250 ms doubling to 10 s, on top of Retry-After where there is one; at most 6 attempts in all (3
// for a host that has never been reached, and for a 500 without Retry-After: both are seldom cured by waiting, and the
// user should hear soon); and never when the wait would pass time_left.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_delay(const Attempt& attempt);

// Retry-After (RFC 9110, 10.2.3) as seconds or as an HTTP date relative to `now`; nothing when absent or malformed.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, system::TimePoint now);
// The same from a whole answer: the header, or else what the API says in the body (Kubernetes' Status has
// details.retryAfterSeconds; the second parameter of Atlas' rate limit errors).
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after_of(Api api, const Response& response,
                                                                      system::TimePoint now);
// Whether an answer that looks like a passing failure is none: Kubernetes answers a server-side apply that its schema
// does not know with a bare 500, each time.
[[nodiscard]] bool is_final(Api api, const Response& response);
// The error code in a body where a status alone does not tell throttling from refusal: AWS' XML <Code>, Atlas'
// "errorCode". Empty when there is none.
[[nodiscard]] std::string error_code_of(Api api, const Response& response);

}  // namespace litedesk::http
