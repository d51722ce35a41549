#include "providers/kubernetes/status.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "providers/error.hpp"
#include "providers/read_json.hpp"

namespace litedesk::kubernetes {

namespace {

template <ErrorCode Code>
class ApiErrorOf final : public ErrorOf<Code>, public ApiErrorInfo {
 public:
  ApiErrorOf(ErrorDetails details, const Status& status) : ErrorOf<Code>(std::move(details)) {
    http_status = status.code;
    reason = status.reason;
    causes = status.causes;
  }
};

template <ErrorCode Code>
std::exception_ptr make(ErrorDetails details, const Status& status) {
  return std::make_exception_ptr(ApiErrorOf<Code>(std::move(details), status));
}

// A field that the schema does not have, or a list key twice, in a server-side apply: the server answers it with a bare
// 500, before its strict validation has a word.
bool is_untypable(const Status& status) {
  return status.code == 500 && status.message.starts_with("failed to create typed patch object");
}

std::exception_ptr typed(ErrorDetails details, const Status& status) {
  if (is_untypable(status)) return make<ErrorCode::validation>(std::move(details), status);
  switch (status.code) {
    case 401:
      return make<ErrorCode::authentication>(std::move(details), status);
    case 403:
      return make<ErrorCode::permission_denied>(std::move(details), status);
    case 404:
      return make<ErrorCode::not_found>(std::move(details), status);
    case 409:
    case 410:
      return make<ErrorCode::conflict>(std::move(details), status);
    case 400:
    case 413:
    case 415:
    case 422:
      return make<ErrorCode::validation>(std::move(details), status);
    case 429:
      return make<ErrorCode::rate_limited>(std::move(details), status);
    case 502:
    case 503:
      return make<ErrorCode::unavailable>(std::move(details), status);
    case 504:
      return make<ErrorCode::timeout>(std::move(details), status);
    default:
      return make<ErrorCode::failed>(std::move(details), status);
  }
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool has_cause(const Status& status, std::string_view reason) {
  return std::any_of(status.causes.begin(), status.causes.end(),
                     [&](const StatusCause& cause) { return cause.reason == reason; });
}

// Who owns the fields that an apply would have changed: one line a manager, since one manager often owns many fields.
std::string conflicts(const Status& status) {
  std::vector<std::pair<std::string, std::string>> by_manager;
  for (const auto& cause : status.causes) {
    if (cause.reason != "FieldManagerConflict") continue;
    const auto same = std::find_if(by_manager.begin(), by_manager.end(),
                                   [&](const auto& each) { return each.first == cause.message; });
    if (same == by_manager.end()) {
      by_manager.emplace_back(cause.message, cause.field);
    } else {
      same->second += ", " + cause.field;
    }
  }
  std::string text;
  for (const auto& [manager, fields] : by_manager) text += (text.empty() ? "" : "; ") + manager + ": " + fields;
  return text;
}

std::string cause_of(const Status& status) {
  if (has_cause(status, "FieldManagerConflict")) return conflicts(status);
  std::string text = status.message;
  // Most messages repeat their causes; those that do not would leave the reader with "is invalid".
  for (const auto& cause : status.causes) {
    if (cause.message.empty() || text.find(cause.message) != std::string::npos) continue;
    text += (text.empty() ? "" : "; ") + (cause.field.empty() ? "" : cause.field + ": ") + cause.message;
  }
  return text;
}

constexpr const char* unknown_field =
    "the API server does not know this field: is it misspelt, or the resource definition in the cluster older?";

std::string hint_of(const Status& status, const Attempted& attempted) {
  const auto says = [&](std::string_view text) { return status.message.find(text) != std::string::npos; };
  if (is_untypable(status) && says("not declared in schema")) return unknown_field;
  switch (status.code) {
    case 401:
      if (attempted.credentials_withheld)
        return "the server's URL is plain http, so the credentials were not sent: use https";
      return "the credentials of " + attempted.origin + " are missing, wrong or expired: sign in again";
    case 403:
      if (has_cause(status, "NamespaceTerminating"))
        return "the namespace is being deleted: wait until it is gone, then try again";
      if (says("exceeded quota")) return "raise the namespace's ResourceQuota, or ask for less";
      if (says("violates PodSecurity"))
        return "the namespace's Pod Security level refuses this pod: change its securityContext";
      if (says("admission webhook")) return "a policy of this cluster refuses it: ask its administrator";
      return "ask the cluster's administrator to grant this to the user of " + attempted.origin;
    case 404:
      return {};
    case 409:
      if (has_cause(status, "FieldManagerConflict"))
        return "another field manager owns these fields: let it give them up, or force the change to take them over";
      if (status.reason == "AlreadyExists") return "choose another name, or adopt the existing one";
      return "it has changed since it was read: read it and try again";
    case 410:
      return "the requested version is too old: read again";
    case 400:
      if (says("strict decoding error")) return unknown_field;
      return {};
    case 413:
      return "the object is larger than the API server takes";
    case 429:
      return "the API server limits this client: wait a moment and try again";
    case 502:
    case 503:
    case 504:
      return "the API server is overloaded or starting: try again in a moment";
    default:
      if (status.code >= 300 && status.code < 400)
        return "the server URL of " + attempted.origin + " leads elsewhere: is it the API server's own?";
      return {};
  }
}

std::string title_of(int code) {
  switch (code) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Request Entity Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Invalid";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Timeout";
    default:
      return {};
  }
}

// Headers that an API server adds to each answer: of its audit, and of its fairness between clients.
bool has_api_server_header(const http::Headers& headers) {
  constexpr std::array<std::string_view, 3> names = {"Audit-Id", "X-Kubernetes-Pf-Flowschema-Uid",
                                                     "X-Kubernetes-Pf-Prioritylevel-Uid"};
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return !http::find(headers, name).empty(); });
}

// An answer may quote the whole object that it refuses: what is wrong with it stands at the end.
std::string clipped(std::string text) {
  constexpr std::size_t most = 1200, front = 300, back = 800;
  if (text.size() <= most) return text;
  const auto is_inside = [&text](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U; };
  std::size_t end = front, begin = text.size() - back;
  while (is_inside(end)) --end;
  while (begin < text.size() && is_inside(begin)) ++begin;
  return text.substr(0, end) + " ... " + text.substr(begin);
}

std::string masked(std::string text, const Attempted& attempted) {
  for (const auto& value : attempted.masked) {
    if (value.empty()) continue;
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + 3))
      text.replace(at, value.size(), "***");
  }
  return text;
}

}  // namespace

const ApiErrorInfo* api_error_info(const std::exception& error) {
  return dynamic_cast<const ApiErrorInfo*>(&error);
}

std::optional<Status> parse_status(const Json& json) {
  if (!json.is_object() || text_of(json, "kind") != "Status") return std::nullopt;
  Status status;
  if (const auto code = json.find("code"); code != json.end()) status.code = whole_number<int>(*code).value_or(0);
  status.reason = text_of(json, "reason");
  status.message = text_of(json, "message");
  const auto details = json.find("details");
  if (details == json.end() || !details->is_object()) return status;
  status.uid = text_of(*details, "uid");
  const auto causes = details->find("causes");
  if (causes == details->end() || !causes->is_array()) return status;
  for (const auto& cause : *causes)
    if (cause.is_object())
      status.causes.push_back({text_of(cause, "reason"), text_of(cause, "message"), text_of(cause, "field")});
  return status;
}

std::optional<Status> parse_status(const http::Response& response) {
  if (response.body.find("\"Status\"") == std::string::npos) return std::nullopt;
  auto status = parse_status(parse_json(response.body));
  if (status && status->code == 0) status->code = response.status;
  return status;
}

bool is_not_found(const http::Response& response, std::string_view group) {
  if (response.status != 404) return false;
  if (const auto status = parse_status(response)) return status->reason == "NotFound";
  if (group.empty() || !has_api_server_header(response.headers)) return false;
  std::string_view body = response.body;
  while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.remove_suffix(1);
  return body == "404 page not found";
}

std::exception_ptr api_error(const Status& status, const Attempted& attempted) {
  const auto title = status.reason.empty() ? title_of(status.code) : status.reason;
  ErrorDetails details;
  details.message =
      fmt::format("{}: the API server answered {}{}{}", attempted.what, status.code, title.empty() ? "" : " ", title);
  details.hint = hint_of(status, attempted);
  details.resource = attempted.resource;
  details.cause = clipped(masked(cause_of(status), attempted));
  return typed(std::move(details), status);
}

std::exception_ptr api_error(const http::Response& response, const Attempted& attempted) {
  if (auto status = parse_status(response)) {
    status->code = response.status;
    return api_error(*status, attempted);
  }
  Status status;
  status.code = response.status;
  status.message = short_text(response.body, http::find(response.headers, "Content-Type"));
  if (response.status >= 300 && response.status < 400)
    status.message = "redirected to " + std::string(http::find(response.headers, "Location"));
  // A proxy's 404 is no word of the API server's about the object, and must not read as one.
  if (response.status == 404 && !is_not_found(response, attempted.group)) return unusable_answer(response, attempted);
  return api_error(status, attempted);
}

std::exception_ptr unusable_answer(const http::Response& response, const Attempted& attempted) {
  const auto content_type = http::find(response.headers, "Content-Type");
  Status status;
  status.code = response.status;
  ErrorDetails details;
  details.message = fmt::format("{}: {} answered {} with something that is not from a Kubernetes API server{}",
                                attempted.what, attempted.server, response.status,
                                content_type.empty() ? std::string() : " (" + std::string(content_type) + ")");
  details.hint = "check the server URL of " + attempted.origin + ", and any proxy before it";
  details.resource = attempted.resource;
  details.cause = masked(short_text(response.body, content_type), attempted);
  return make<ErrorCode::unavailable>(std::move(details), status);
}

std::exception_ptr with_origin(const std::exception_ptr& error, const Attempted& attempted) {
  const auto details = [&](const Error& thrown) {
    const auto hint = attempted.server + " is the server of " + attempted.origin;
    return ErrorDetails{thrown.message(), thrown.hint().empty() ? hint : thrown.hint() + "; " + hint,
                        thrown.resource().empty() ? attempted.resource : thrown.resource(), thrown.cause()};
  };
  try {
    std::rethrow_exception(error);
  } catch (const ApiErrorInfo&) {
    return error;
  } catch (const Unavailable& thrown) {
    return std::make_exception_ptr(Unavailable(details(thrown)));
  } catch (const Timeout& thrown) {
    return std::make_exception_ptr(Timeout(details(thrown)));
  } catch (...) {
    return error;
  }
}

}  // namespace litedesk::kubernetes
