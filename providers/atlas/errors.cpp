#include "providers/atlas/errors.hpp"

#include <nlohmann/json.hpp>

#include "providers/atlas/client.hpp"
#include "providers/error.hpp"
#include "providers/read_json.hpp"

namespace litedesk::atlas {

namespace {

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number() ? found->dump() : std::string();
}

bool is_code(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text)
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
  return true;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  if (what.empty()) return;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// The command that adds this machine's address to the key's or the account's own access list.
std::string access_list_hint(const ApiError& error, const Refusal& refusal) {
  const bool ip =
      !error.parameters.empty() && error.parameters[0].find_first_not_of("0123456789abcdef.:") == std::string::npos;
  if (refusal.service_account)
    return "add " + (ip ? "the address " + error.parameters[0] : "this machine's address") +
           " to the API access list of service account " + refusal.credentials_id +
           " (Atlas: Organization Access > Applications)";
  return "atlas organizations apiKeys accessLists create --apiKey <the id of key " + refusal.credentials_id + "> " +
         (ip ? "--ip " + error.parameters[0] : "--currentIp");
}

std::string retry_hint(const ApiError& error) {
  const auto* seconds =
      error.parameters.size() > 1 && error.code == "RATE_LIMITED_TOKEN_BUCKET" ? &error.parameters[1] : nullptr;
  return "try again in " + (seconds != nullptr ? *seconds + " seconds" : "a minute");
}

std::string not_known_hint(const Refusal& refusal) {
  return std::string(refusal.service_account ? "check the client id and secret" : "check the public and private key") +
         " (" + refusal.credentials_id + "), and that it has a role in project " + refusal.project;
}

[[noreturn]] void throw_for_403(const ApiError& error, const Refusal& refusal, ErrorDetails details) {
  if (error.code == "GROUP_USERS_LIMIT_EXCEEDED") {
    details.hint = "project " + refusal.project +
                   " holds as many database users as it may (100 by default): name a further project, or ask MongoDB "
                   "to raise the limit";
    throw Failed(std::move(details));
  }
  if (error.code.find("ACCESS_LIST") != std::string::npos || error.code.find("WHITELIST") != std::string::npos)
    details.hint = access_list_hint(error, refusal);
  else
    details.hint =
        refusal.credentials_id + " needs the role Project Database Access Admin in project " + refusal.project;
  throw PermissionDenied(std::move(details));
}

}  // namespace

std::string masked(std::string text, const std::vector<std::string_view>& secrets) {
  for (const auto secret : secrets) replace_all(text, secret, "(masked)");
  constexpr std::string_view form = "mdb_sa_sk_";
  for (auto at = text.find(form); at != std::string::npos; at = text.find(form, at)) {
    const auto end = std::min(text.find_first_of(" \t\r\n\"',;)", at), text.size());
    text.replace(at, end - at, "(masked)");
  }
  return text;
}

ApiError parse_error(const http::Response& response) {
  ApiError error;
  const auto body = parse_json(response.body);
  if (body.is_object()) {
    error.code = text_of(body, "errorCode");
    error.detail = text_of(body, "detail");
    if (const auto found = body.find("parameters"); found != body.end() && found->is_array())
      for (const auto& value : *found)
        error.parameters.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    const auto bad = body.find("badRequestDetail");
    if (bad != body.end() && bad->is_object())
      if (const auto fields = bad->find("fields"); fields != bad->end() && fields->is_array())
        for (const auto& field : *fields)
          if (field.is_object())
            error.detail += " (" + text_of(field, "field") + ": " + text_of(field, "description") + ")";
    // The token endpoint speaks OAuth (RFC 6749, 5.2).
    if (error.code.empty() && error.detail.empty()) {
      error.code = text_of(body, "error");
      error.detail = text_of(body, "error_description");
      if (!error.code.empty() && error.code.find_first_not_of("0123456789") == std::string::npos) error.code.clear();
    }
    if (error.detail.empty()) error.detail = text_of(body, "reason");
  }
  if (error.code.empty()) error.code = http::find(response.headers, "x-error-code");
  return error;
}

void throw_refusal(const http::Response& response, const Refusal& refusal) {
  const auto error = parse_error(response);
  ErrorDetails details;
  details.message = "cannot " + refusal.summary;
  details.resource = refusal.resource;
  const auto type = http::find(response.headers, "content-type");
  const auto words = error.detail.empty()
                         ? "HTTP " + std::to_string(response.status) + (type.empty() ? "" : ", " + std::string(type))
                         : error.detail;
  details.cause = masked(error.code.empty() ? words : error.code + ": " + words, refusal.secrets);

  switch (response.status) {
    case 400:
      if (error.code == "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API")
        details.hint = "that is a Flex cluster: instances need a cluster of M10 or larger";
      throw ValidationError(std::move(details));
    case 401:
      details.hint = not_known_hint(refusal);
      throw AuthError(std::move(details));
    case 402:
      details.hint = "look at the organization's billing in Atlas";
      throw Failed(std::move(details));
    case 403:
      throw_for_403(error, refusal, std::move(details));
    case 404:
      if (error.code.starts_with("GROUP_"))
        details.hint = "check the project id " + refusal.project + ": atlas projects list";
      throw NotFound(std::move(details));
    case 405:
      details.hint = "Atlas takes no changes while it is being upgraded: try again in some minutes";
      throw Unavailable(std::move(details));
    case 406:
    case 410:
      details.hint = "Atlas no longer has this version of the operation: a newer litedesk is needed";
      throw Failed(std::move(details));
    case 409:
      throw Conflict(std::move(details));
    case 429:
      details.hint = retry_hint(error);
      throw RateLimited(std::move(details));
    default:
      break;
  }
  if (response.status >= 500) {
    details.hint = "try again in a minute; status.mongodb.com reports outages";
    throw Unavailable(std::move(details));
  }
  throw Failed(std::move(details));
}

// throw_refusal writes "CODE: words" into the cause and what it was about into the resource.
std::string atlas_error_code(const std::exception& error) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  if (ours == nullptr || !ours->resource().starts_with("atlas ")) return {};
  const auto code = ours->cause().substr(0, ours->cause().find(": "));
  return is_code(code) && code.size() < ours->cause().size() ? code : std::string();
}

}  // namespace litedesk::atlas
