#include "providers/http/retry.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <nlohmann/json.hpp>

#include "providers/read_json.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::http {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int most_attempts = 6;
constexpr int few_attempts = 3;
constexpr milliseconds first_backoff{250};
constexpr milliseconds longest_backoff{10'000};

bool safe_to_repeat(const Attempt& attempt) {
  return http::safe_to_repeat(attempt.method, attempt.repeat);
}

// Refusals that say "not now" without having done anything, under a status that elsewhere means "never".
bool refused_for_now(const Attempt& attempt) {
  const auto is_one_of = [&](const auto& codes) {
    return std::find(codes.begin(), codes.end(), attempt.error_code) != codes.end();
  };
  switch (attempt.api) {
    case Api::route53:
    case Api::aws: {
      // Route 53 throttles with 400 and "Throttling", never with 429. The first six are botocore's list of what every
      // AWS service may say; STS adds the last one when it cannot reach the identity provider.
      constexpr std::array<std::string_view, 8> codes = {
          "Throttling",           "ThrottlingException",      "ThrottledException",      "RequestThrottled",
          "RequestLimitExceeded", "TooManyRequestsException", "PriorRequestNotComplete", "IDPCommunicationError"};
      return attempt.status == 400 && is_one_of(codes);
    }
    case Api::atlas: {
      constexpr std::array<std::string_view, 1> codes = {"WRITES_NOT_ALLOWED_DURING_APP_UPGRADES"};
      return attempt.status == 405 && is_one_of(codes);
    }
    case Api::kubernetes:
    case Api::oauth:
    case Api::other:
      break;
  }
  return false;
}

// How many attempts this outcome is worth in all; 1: none after this one.
int attempts_worth(const Attempt& attempt) {
  switch (attempt.loss) {
    case Loss::not_sent:
      return attempt.reached_before ? most_attempts : few_attempts;
    case Loss::uncertain:
      return safe_to_repeat(attempt) ? most_attempts : 1;
    case Loss::none:
      break;
  }
  if (attempt.status == 429 || refused_for_now(attempt)) return most_attempts;
  if (attempt.status == 503 && attempt.retry_after) return most_attempts;
  if (!safe_to_repeat(attempt)) return 1;
  switch (attempt.status) {
    case 500:
      return attempt.retry_after ? most_attempts : few_attempts;
    case 408:
    case 502:
    case 503:
    case 504:
      return most_attempts;
    default:
      return 1;
  }
}

std::string xml_code(std::string_view body) {
  constexpr std::string_view open = "<Code>", close = "</Code>";
  const auto begin = body.find(open);
  if (begin == std::string_view::npos) return {};
  const auto end = body.find(close, begin);
  if (end == std::string_view::npos) return {};
  return std::string(body.substr(begin + open.size(), end - begin - open.size()));
}

// No wait is longer: what a clock that counts nanoseconds can still add to now.
constexpr milliseconds a_century = std::chrono::hours(100 * 366 * 24);

std::optional<milliseconds> seconds_in(const nlohmann::json& value) {
  if (!value.is_number()) return std::nullopt;
  const double count = value.get<double>();
  if (count < 0) return std::nullopt;
  return milliseconds(static_cast<milliseconds::rep>(std::min(count * 1000, static_cast<double>(a_century.count()))));
}

}  // namespace

bool safe_to_repeat(Method method, Repeat repeat) {
  switch (repeat) {
    case Repeat::safe:
      return true;
    case Repeat::unsafe:
      return false;
    case Repeat::by_method:
      break;
  }
  return method != Method::post && method != Method::patch;
}

std::optional<milliseconds> retry_delay(const Attempt& attempt) {
  if (attempt.number >= attempts_worth(attempt)) return std::nullopt;
  const auto ceiling = std::min(longest_backoff, first_backoff * (1 << std::clamp(attempt.number - 1, 0, 10)));
  const milliseconds jitter(static_cast<milliseconds::rep>(static_cast<double>(ceiling.count()) * attempt.random));
  const auto delay = attempt.retry_after.value_or(milliseconds::zero()) + jitter;
  if (delay >= attempt.time_left) return std::nullopt;
  return delay;
}

std::optional<milliseconds> parse_retry_after(std::string_view value, system::TimePoint now) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  if (value.empty()) return std::nullopt;
  if (value.front() >= '0' && value.front() <= '9') {
    long long count = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), count);
    if (end != value.data() + value.size()) return std::nullopt;
    constexpr long long most = std::chrono::duration_cast<seconds>(a_century).count();
    return seconds(error == std::errc() ? std::min(count, most) : most);
  }
  const auto date = system::from_http_date(value);
  if (!date) return std::nullopt;
  return std::clamp(std::chrono::ceil<milliseconds>(*date - now), milliseconds::zero(), a_century);
}

std::optional<milliseconds> retry_after_of(Api api, const Response& response, system::TimePoint now) {
  if (auto delay = parse_retry_after(find(response.headers, "Retry-After"), now)) return delay;
  if (response.status < 400 || (api != Api::kubernetes && api != Api::atlas)) return std::nullopt;
  const auto body = parse_json(response.body);
  if (!body.is_object()) return std::nullopt;
  if (api == Api::kubernetes) {
    const auto details = body.find("details");
    if (details == body.end() || !details->is_object() || !details->contains("retryAfterSeconds")) return std::nullopt;
    return seconds_in((*details)["retryAfterSeconds"]);
  }
  // "Rate limit exceeded for <path>. Please retry after 55 seconds...": path, seconds, capacity, refill, window.
  const auto parameters = body.find("parameters");
  if (body.value("errorCode", nlohmann::json()) != "RATE_LIMITED_TOKEN_BUCKET" || parameters == body.end() ||
      !parameters->is_array() || parameters->size() < 2)
    return std::nullopt;
  return seconds_in((*parameters)[1]);
}

bool is_final(Api api, const Response& response) {
  if (api != Api::kubernetes || response.status != 500) return false;
  const auto body = parse_json(response.body);
  if (!body.is_object()) return false;
  const auto message = body.find("message");
  return message != body.end() && message->is_string() &&
         message->get_ref<const std::string&>().starts_with("failed to create typed patch object");
}

std::string error_code_of(Api api, const Response& response) {
  if (response.status < 400) return {};
  switch (api) {
    case Api::route53:
    case Api::aws:
      return xml_code(response.body);
    case Api::atlas: {
      const auto body = parse_json(response.body);
      if (!body.is_object()) return {};
      const auto code = body.find("errorCode");
      return code != body.end() && code->is_string() ? code->get<std::string>() : std::string();
    }
    case Api::kubernetes:
    case Api::oauth:
    case Api::other:
      break;
  }
  return {};
}

}  // namespace litedesk::http
