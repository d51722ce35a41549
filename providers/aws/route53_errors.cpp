#include "providers/aws/route53_errors.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "providers/aws/route53_xml.hpp"
#include "providers/error.hpp"

namespace litedesk::route53 {

namespace {

// What a signature may be off by; AWS refuses requests from further away.
constexpr std::chrono::minutes allowed_skew{5};

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

constexpr std::array<std::string_view, 10> not_known{"InvalidClientTokenId",
                                                     "SignatureDoesNotMatch",
                                                     "ExpiredToken",
                                                     "ExpiredTokenException",
                                                     "RequestExpired",
                                                     "RequestTimeTooSkewed",
                                                     "IncompleteSignature",
                                                     "MissingAuthenticationToken",
                                                     "UnrecognizedClientException",
                                                     "InvalidSignatureException"};
constexpr std::array<std::string_view, 3> not_allowed{"AccessDenied", "AccessDeniedException",
                                                      "NotAuthorizedException"};
constexpr std::array<std::string_view, 3> not_there{"NoSuchHostedZone", "NoSuchChange", "NoSuchHealthCheck"};
constexpr std::array<std::string_view, 5> too_fast{"Throttling", "ThrottlingException", "TooManyRequestsException",
                                                   "RequestLimitExceeded", "PriorRequestNotComplete"};
constexpr std::array<std::string_view, 4> malformed{"InvalidInput", "MalformedInput", "InvalidDomainName",
                                                    "InvalidArgument"};

// The zone does not hold what the batch supposes. All other refusals of a batch are about the record itself.
constexpr std::array<std::string_view, 6> suppositions{"already exists",
                                                       "was not found",
                                                       "do not match the current values",
                                                       "conflicts with other records",
                                                       "conflicting RRSet",
                                                       "other RRSets exist with the same name and type"};

bool is_supposition(std::string_view message) {
  return std::any_of(suppositions.begin(), suppositions.end(),
                     [&](std::string_view text) { return message.find(text) != std::string_view::npos; });
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  if (what.empty()) return;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

std::string joined(const std::vector<std::string>& messages) {
  std::string text;
  for (const auto& message : messages) text += (text.empty() ? "" : "; ") + message;
  return text;
}

// SignatureDoesNotMatch repeats the whole canonical request, session token included.
std::string cause_of(const ApiError& error, const http::Response& response, const aws::Credentials& credentials) {
  if (error.code.empty()) {
    const auto type = http::find(response.headers, "content-type");
    return "HTTP " + std::to_string(response.status) + ", " + (type.empty() ? "no content type" : std::string(type)) +
           " that is not a Route 53 error";
  }
  auto text = joined(error.messages);
  text = text.substr(0, text.find("The Canonical String for this request"));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  replace_all(text, credentials.session_token.reveal(), "(masked)");
  replace_all(text, credentials.secret_access_key.reveal(), "(masked)");
  return error.code + ": " + text;
}

std::string minutes_text(std::chrono::seconds difference) {
  const auto seconds = difference.count() < 0 ? -difference.count() : difference.count();
  const auto minutes = (seconds + 30) / 60;
  if (minutes >= 120) return std::to_string((minutes + 30) / 60) + " hours";
  return minutes == 1 ? "1 minute" : std::to_string(minutes) + " minutes";
}

// The hint for a clock that is off; empty when it is not, or cannot be told.
std::string skew_hint(const ApiError& error, const http::Response& response, system::TimePoint now) {
  const auto text = joined(error.messages);
  const bool said = error.code == "RequestTimeTooSkewed" || error.code == "RequestExpired" ||
                    text.find("Signature expired") != std::string::npos ||
                    text.find("Signature not yet current") != std::string::npos;
  const auto date = http::find(response.headers, "date");
  const auto theirs = system::from_http_date(date);
  if (theirs) {
    const auto difference = std::chrono::duration_cast<std::chrono::seconds>(now - *theirs);
    if (difference > allowed_skew || difference < -allowed_skew)
      return "this machine's clock is " + minutes_text(difference) +
             (difference.count() > 0 ? " ahead of" : " behind") + " the server's (" + std::string(date) +
             "): set it, signatures hold for 5 minutes only";
  }
  return said ? "check this machine's clock: signatures hold for 5 minutes only" : "";
}

std::string auth_hint(const ApiError& error, const aws::Credentials& credentials) {
  if (error.code.starts_with("ExpiredToken"))
    return "the session of the credentials from " + credentials.origin + " has ended: get new ones";
  if (error.code == "InvalidClientTokenId" || error.code == "UnrecognizedClientException")
    return "the access key from " + credentials.origin +
           " is not known to AWS: check it, and aws sts get-caller-identity";
  return "check the secret key of the credentials from " + credentials.origin;
}

}  // namespace

void throw_refusal(const http::Response& response, const Refusal& refusal) {
  const auto error = parse_error(response.body);
  ErrorDetails details;
  details.message = "cannot " + std::string(refusal.summary);
  details.resource = refusal.resource;
  details.cause = cause_of(error, response, refusal.credentials);

  if (contains(not_known, error.code)) {
    details.hint = skew_hint(error, response, refusal.now);
    if (details.hint.empty()) details.hint = auth_hint(error, refusal.credentials);
    throw AuthError(std::move(details));
  }
  // A proxy's or another server's page says nothing of the zone or of our rights; only its 429 means what it says.
  if (error.code.empty() && response.status < 500 && response.status != 429) {
    details.hint = "check the Route 53 endpoint and any proxy between";
    throw Unavailable(std::move(details));
  }
  if (contains(not_allowed, error.code)) {
    details.hint = "the credentials from " + refusal.credentials.origin +
                   " lack the permission: allow the action that the cause names on that hosted zone";
    throw PermissionDenied(std::move(details));
  }
  if (contains(not_there, error.code)) {
    if (error.code == "NoSuchHostedZone") details.hint = "list the zones with: aws route53 list-hosted-zones";
    throw NotFound(std::move(details));
  }
  if (error.code == "InvalidChangeBatch") {
    if (std::all_of(error.messages.begin(), error.messages.end(), is_supposition) && !error.messages.empty()) {
      details.hint = "the zone was changed since it was read: look at it, and run the command again";
      throw Conflict(std::move(details));
    }
    throw ValidationError(std::move(details));
  }
  if (contains(too_fast, error.code) || response.status == 429) {
    details.hint = error.code == "PriorRequestNotComplete"
                       ? "an earlier change to the zone is still in progress: try again in a minute"
                       : "Route 53 allows few requests a second an account: try again in a minute";
    throw RateLimited(std::move(details));
  }
  if (contains(malformed, error.code)) throw ValidationError(std::move(details));
  if (response.status >= 500) {
    details.hint = "try again in a minute; health.aws.amazon.com reports outages";
    throw Unavailable(std::move(details));
  }
  throw Failed(std::move(details));
}

}  // namespace litedesk::route53
