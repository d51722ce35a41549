#include "providers/http/retry.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "providers/system/clock.hpp"

using namespace litedesk::http;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

Attempt first_attempt() {
  Attempt attempt;
  attempt.time_left = 1h;
  return attempt;
}

// How many attempts are made in all when every one of them ends like this one.
int attempts_in_all(Attempt attempt) {
  attempt.number = 1;
  while (attempt.number < 100 && retry_delay(attempt)) ++attempt.number;
  return attempt.number;
}

const std::vector<Method> all_methods = {Method::get, Method::head,  Method::post,
                                         Method::put, Method::patch, Method::del};

bool safe(Method method, Repeat repeat) {
  if (repeat == Repeat::safe) return true;
  if (repeat == Repeat::unsafe) return false;
  return method != Method::post && method != Method::patch;
}

}  // namespace

TEST_CASE("how often each outcome is tried, by method and by what may be repeated") {
  struct Row {
    const char* what;
    Loss loss;
    int status;
    bool retry_after;
    bool reached_before;
    int if_safe, if_unsafe;
  };
  const std::vector<Row> rows = {
      {"cannot connect to a host that has answered before", Loss::not_sent, 0, false, true, 6, 6},
      {"cannot connect to a host that never answered", Loss::not_sent, 0, false, false, 3, 3},
      {"the answer was lost", Loss::uncertain, 0, false, true, 6, 1},
      {"200", Loss::none, 200, false, true, 1, 1},
      {"200 with Retry-After", Loss::none, 200, true, true, 1, 1},
      {"301", Loss::none, 301, false, true, 1, 1},
      {"400", Loss::none, 400, false, true, 1, 1},
      {"401", Loss::none, 401, false, true, 1, 1},
      {"403", Loss::none, 403, false, true, 1, 1},
      {"404", Loss::none, 404, false, true, 1, 1},
      {"405", Loss::none, 405, false, true, 1, 1},
      {"408", Loss::none, 408, false, true, 6, 1},
      {"409", Loss::none, 409, false, true, 1, 1},
      {"409 with Retry-After", Loss::none, 409, true, true, 1, 1},
      {"422", Loss::none, 422, false, true, 1, 1},
      {"429", Loss::none, 429, false, true, 6, 6},
      {"429 with Retry-After", Loss::none, 429, true, true, 6, 6},
      {"500", Loss::none, 500, false, true, 3, 1},
      {"500 with Retry-After", Loss::none, 500, true, true, 6, 1},
      {"501", Loss::none, 501, false, true, 1, 1},
      {"502", Loss::none, 502, false, true, 6, 1},
      {"503", Loss::none, 503, false, true, 6, 1},
      {"503 with Retry-After", Loss::none, 503, true, true, 6, 6},
      {"504", Loss::none, 504, false, true, 6, 1},
      {"505", Loss::none, 505, false, true, 1, 1},
  };
  for (const auto& row : rows) {
    for (const auto method : all_methods) {
      for (const auto repeat : {Repeat::by_method, Repeat::safe, Repeat::unsafe}) {
        CAPTURE(row.what);
        CAPTURE(to_string(method));
        CAPTURE(static_cast<int>(repeat));
        auto attempt = first_attempt();
        attempt.method = method;
        attempt.repeat = repeat;
        attempt.loss = row.loss;
        attempt.status = row.status;
        attempt.reached_before = row.reached_before;
        if (row.retry_after) attempt.retry_after = 1s;
        CHECK(attempts_in_all(attempt) == (safe(method, repeat) ? row.if_safe : row.if_unsafe));
      }
    }
  }
}

TEST_CASE("an API's own code for 'not now' is heeded under a status that elsewhere means 'never'") {
  struct Row {
    Api api;
    int status;
    const char* code;
    int attempts;
  };
  for (const Row& row :
       {Row{Api::route53, 400, "Throttling", 6}, Row{Api::route53, 400, "ThrottlingException", 6},
        Row{Api::route53, 400, "PriorRequestNotComplete", 6}, Row{Api::aws, 400, "RequestLimitExceeded", 6},
        Row{Api::aws, 400, "IDPCommunicationError", 6}, Row{Api::route53, 400, "InvalidChangeBatch", 1},
        Row{Api::route53, 403, "Throttling", 1}, Row{Api::kubernetes, 400, "Throttling", 1},
        Row{Api::atlas, 405, "WRITES_NOT_ALLOWED_DURING_APP_UPGRADES", 6},
        Row{Api::atlas, 405, "METHOD_NOT_ALLOWED", 1}, Row{Api::atlas, 400, "VALIDATION_ERROR", 1}}) {
    CAPTURE(row.code);
    auto attempt = first_attempt();
    attempt.method = Method::post;
    attempt.repeat = Repeat::unsafe;
    attempt.api = row.api;
    attempt.status = row.status;
    attempt.error_code = row.code;
    CHECK(attempts_in_all(attempt) == row.attempts);
  }
}

TEST_CASE("the wait is drawn from nothing to a ceiling that doubles up to 10 s") {
  auto attempt = first_attempt();
  attempt.status = 429;
  struct Row {
    int number;
    milliseconds ceiling;
  };
  for (const Row& row : {Row{1, 250ms}, Row{2, 500ms}, Row{3, 1s}, Row{4, 2s}, Row{5, 4s}}) {
    CAPTURE(row.number);
    attempt.number = row.number;
    attempt.random = 0;
    CHECK(retry_delay(attempt) == 0ms);
    attempt.random = 0.5;
    CHECK(retry_delay(attempt) == row.ceiling / 2);
    attempt.random = 0.999999;
    CHECK(*retry_delay(attempt) <= row.ceiling);
    CHECK(*retry_delay(attempt) > row.ceiling * 9 / 10);
  }
}

TEST_CASE("Retry-After is never shortened, and the jitter comes on top of it") {
  auto attempt = first_attempt();
  attempt.status = 503;
  attempt.retry_after = 55s;
  attempt.random = 0;
  CHECK(retry_delay(attempt) == 55s);
  attempt.random = 0.5;
  CHECK(retry_delay(attempt) == 55s + 125ms);
}

TEST_CASE("no wait that would pass the time left") {
  auto attempt = first_attempt();
  attempt.status = 429;
  attempt.retry_after = 2s;
  attempt.random = 0;
  attempt.time_left = 2001ms;
  CHECK(retry_delay(attempt) == 2s);
  attempt.time_left = 2s;
  CHECK_FALSE(retry_delay(attempt).has_value());
  attempt.retry_after.reset();
  attempt.time_left = 0ms;
  CHECK_FALSE(retry_delay(attempt).has_value());
  attempt.time_left = -5ms;
  CHECK_FALSE(retry_delay(attempt).has_value());
}

TEST_CASE("Retry-After is read as seconds or as a date") {
  const auto now = *litedesk::system::from_rfc3339("2026-01-02T03:04:05.250Z");
  struct Row {
    const char* text;
    std::optional<milliseconds> delay;
  };
  for (const Row& row :
       {Row{"0", 0ms}, Row{"1", 1s}, Row{" 120 ", 120s}, Row{"", std::nullopt}, Row{"-1", std::nullopt},
        Row{"1.5", std::nullopt}, Row{"1s", std::nullopt}, Row{"soon", std::nullopt},
        Row{"Fri, 02 Jan 2026 03:04:15 GMT", 9750ms}, Row{"Fri, 02 Jan 2026 03:00:00 GMT", 0ms},
        Row{"Friday, 02-Jan-26 03:04:15 GMT", 9750ms}, Row{"Fri Jan  2 03:04:15 2026", 9750ms}}) {
    CAPTURE(row.text);
    CHECK(parse_retry_after(row.text, now) == row.delay);
  }
  for (const char* far : {"99999999999999999999999999", "9223372036854775807", "Fri, 31 Dec 9999 23:59:59 GMT",
                          "Mon, 01 Jan 2300 00:00:00 GMT"}) {
    CAPTURE(far);
    const auto delay = parse_retry_after(far, now);
    REQUIRE(delay);
    CHECK(*delay > 24h * 365 * 99);
    CHECK(*delay <= 24h * 366 * 100);
    // No overflow where it is added to a clock's nanoseconds.
    CHECK(std::chrono::nanoseconds(*delay) > std::chrono::nanoseconds(0));
  }
  CHECK(parse_retry_after("Mon, 01 Jan 0001 00:00:00 GMT", now) == 0ms);
}

TEST_CASE("an API may say in the body how long to wait, and the header comes first") {
  const auto now = litedesk::system::TimePoint();
  Response response;
  response.status = 429;
  response.body = R"({"errorCode": "RATE_LIMITED_TOKEN_BUCKET", "error": 429, "parameters": ["/x", 55, 10, 5, 60]})";
  CHECK(retry_after_of(Api::atlas, response, now) == 55s);
  CHECK_FALSE(retry_after_of(Api::other, response, now).has_value());
  response.headers = {{"retry-after", "7"}};
  CHECK(retry_after_of(Api::atlas, response, now) == 7s);

  response = {};
  response.status = 500;
  response.body = R"({"kind": "Status", "reason": "ServerTimeout", "details": {"retryAfterSeconds": 2}})";
  CHECK(retry_after_of(Api::kubernetes, response, now) == 2s);
  response.body = R"({"details": {"retryAfterSeconds": 1e300}})";
  CHECK(*retry_after_of(Api::kubernetes, response, now) > 24h * 365);
  response.body = R"({"details": {"retryAfterSeconds": 18446744073709551615}})";
  CHECK(*retry_after_of(Api::kubernetes, response, now) > 24h * 365);
  for (const char* body : {"", "<html>", "[]", "{}", R"({"details": null})",
                           R"({"details": {"retryAfterSeconds": "2"}})", R"({"details": {"retryAfterSeconds": -2}})"}) {
    CAPTURE(body);
    response.body = body;
    CHECK_FALSE(retry_after_of(Api::kubernetes, response, now).has_value());
  }
  for (const char* body : {"", "<html>", "[]", "{}", R"({"errorCode": 5})",
                           R"({"errorCode": "RATE_LIMITED_TOKEN_BUCKET", "parameters": ["x"]})",
                           R"({"errorCode": "RATE_LIMITED_TOKEN_BUCKET", "parameters": {"1": 5}})",
                           R"({"errorCode": "OTHER", "parameters": ["x", 5]})"}) {
    CAPTURE(body);
    response.body = body;
    CHECK_FALSE(retry_after_of(Api::atlas, response, now).has_value());
  }
}

TEST_CASE("an apply that the schema does not know fails each time, whatever its status says") {
  Response response;
  response.status = 500;
  response.body =
      R"({"kind": "Status", "message": "failed to create typed patch object (a/b; v1): .spec.x: field not declared"})";
  CHECK(is_final(Api::kubernetes, response));
  CHECK_FALSE(is_final(Api::atlas, response));
  response.status = 503;
  CHECK_FALSE(is_final(Api::kubernetes, response));
  response.status = 500;
  for (const char* body : {"", "[]", R"({"message": 5})", R"({"message": "etcdserver: leader changed"})"}) {
    CAPTURE(body);
    response.body = body;
    CHECK_FALSE(is_final(Api::kubernetes, response));
  }
}

TEST_CASE("the error code is found where the API puts it") {
  Response response;
  response.status = 400;
  response.body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>";
  CHECK(error_code_of(Api::route53, response) == "Throttling");
  CHECK(error_code_of(Api::aws, response) == "Throttling");
  CHECK(error_code_of(Api::kubernetes, response).empty());
  CHECK(error_code_of(Api::atlas, response).empty());
  response.body = "<Code>cut";
  CHECK(error_code_of(Api::route53, response).empty());
  response.body = R"({"errorCode": "CLUSTER_NOT_FOUND", "error": 404})";
  CHECK(error_code_of(Api::atlas, response) == "CLUSTER_NOT_FOUND");
  response.body = R"({"errorCode": 5})";
  CHECK(error_code_of(Api::atlas, response).empty());
  response.status = 200;
  response.body = "<Code>Throttling</Code>";
  CHECK(error_code_of(Api::route53, response).empty());
}
