// When a request is sent again, and when: a pure function of what happened.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "providers/http/transport.hpp"

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
  int number = 1;                        // 1 for the first
  Loss loss = Loss::none;
  int status = 0;                        // with Loss::none
  std::string_view error_code;           // the API's own code where the body names one ("Throttling"); may be empty
  std::optional<std::chrono::milliseconds> retry_after;
  double random = 0.5;                   // in [0, 1): the jitter
  std::chrono::milliseconds time_left{0};
};

// How long to wait before the next attempt; nothing: give the answer (or the error) to the caller.
// Full jitter over base 250 ms doubling to 10 s; Retry-After is a floor, never shortened; at most 6 attempts in all; and
// never when the wait would pass time_left.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_delay(const Attempt& attempt);

// Retry-After (RFC 9110, 10.2.3) as seconds or as an HTTP date relative to `now`; nothing when absent or malformed.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value,
                                                                         std::chrono::system_clock::time_point now);
// The error code in a body where a status alone does not tell throttling from refusal: Route 53's XML <Code>, Atlas'
// "errorCode". Empty when there is none.
[[nodiscard]] std::string error_code_of(Api api, const Response& response);

}  // namespace litedesk::http
