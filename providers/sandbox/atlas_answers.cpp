#include "providers/sandbox/atlas_answers.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace litedesk::sandbox::atlas {

namespace {

constexpr std::string_view media_prefix = "application/vnd.atlas.";
constexpr std::string_view media_suffix = "+json";

std::string_view reason_of(int status) {
  switch (status) {
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
    case 406:
      return "Not Acceptable";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

// "2024-08-05" of the first Atlas media type in a header.
std::optional<std::string> version_in(std::string_view header) {
  const auto begin = header.find(media_prefix);
  if (begin == std::string_view::npos) return std::nullopt;
  header.remove_prefix(begin + media_prefix.size());
  const auto end = header.find(media_suffix);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(header.substr(0, end));
}

bool is_date(std::string_view text) {
  if (text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i == 4 || i == 7 ? text[i] != '-' : (text[i] < '0' || text[i] > '9')) return false;
  const auto part = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  return part(5) >= 1 && part(5) <= 12 && part(8) >= 1 && part(8) <= 31;
}

int number_parameter(const Call& call, std::string_view name, int otherwise, int most) {
  const auto text = call.parameter(name);
  if (text.empty()) return otherwise;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > most)
    throw Problem{400, "INVALID_QUERY_PARAMETER", fmt::format("Invalid query parameter {} specified.", name), {name}};
  return value;
}

Json link(std::string_view relation, const std::string& target) {
  return {{"rel", relation}, {"href", fmt::format("https://cloud.mongodb.com{}", target)}};
}

}  // namespace

Reply reply_of(const Problem& problem) {
  Reply reply;
  reply.status = problem.status;
  reply.headers.emplace_back("X-Error-Code", problem.code);
  reply.body = Json{{"error", problem.status},
                    {"errorCode", problem.code},
                    {"detail", problem.detail},
                    {"parameters", Json(problem.parameters)},
                    {"reason", reason_of(problem.status)}}
                   .dump();
  return reply;
}

Problem invalid_attribute(std::string_view name) {
  return {400, "INVALID_ATTRIBUTE", fmt::format("Invalid attribute {} specified.", name), {name}};
}

Problem missing_attribute(std::string_view name) {
  return {400, "MISSING_ATTRIBUTE", fmt::format("The required attribute {} was not specified.", name), {name}};
}

void check_version(const Call& call, std::string_view served) {
  const auto asked = version_in(call.header("accept"));
  if (!asked)
    throw Problem{406, "INVALID_VERSION_HEADER",
                  fmt::format("The Accept header must name a version: application/vnd.atlas.{}+json.", served)};
  const auto check = [&](const std::string& version) {
    if (version == "preview" || version == "upcoming")
      throw Problem{406, "INVALID_VERSION_HEADER",
                    fmt::format("The version {} is not available for this resource.", version)};
    if (!is_date(version))
      throw Problem{400, "INVALID_VERSION_DATE", fmt::format("The version date {} is invalid.", version), {version}};
    if (version < served)
      throw Problem{410,
                    "VERSION_GONE",
                    fmt::format("The version {} of this resource is no longer available; use {}.", version, served),
                    {version}};
  };
  check(*asked);
  if (call.body.empty()) return;
  const auto sent = version_in(call.header("content-type"));
  if (!sent)
    throw Problem{415, "UNSUPPORTED_MEDIA_TYPE",
                  fmt::format("The Content-Type header must be application/vnd.atlas.{}+json.", served)};
  check(*sent);
}

Reply reply_json(const Call& call, int status, std::string_view version, const Json& value) {
  Reply reply;
  reply.status = status;
  if (status == 204) return reply;
  reply.content_type = fmt::format("{}{}{};charset=utf-8", media_prefix, version, media_suffix);
  const int indent = call.parameter("pretty") == "true" ? 2 : -1;
  if (call.parameter("envelope") == "true") {
    reply.status = 200;
    reply.body = Json{{"status", status}, {"content", value}}.dump(indent);
  } else {
    reply.body = value.dump(indent);
  }
  return reply;
}

Json page_of(const Call& call, const std::vector<Json>& all) {
  constexpr int default_size = 100;
  constexpr int largest_size = 500;
  constexpr int largest_page = 1'000'000;
  const auto size = static_cast<std::size_t>(number_parameter(call, "itemsPerPage", default_size, largest_size));
  const auto page = static_cast<std::size_t>(number_parameter(call, "pageNum", 1, largest_page));
  const auto begin = std::min(all.size(), (page - 1) * size);
  const auto end = std::min(all.size(), begin + size);
  const auto target = [&](std::size_t number) {
    return fmt::format("{}?itemsPerPage={}&pageNum={}", call.path, size, number);
  };
  Json answer = {{"links", {link("self", target(page))}}, {"results", Json::array()}};
  if (page > 1) answer["links"].push_back(link("previous", target(page - 1)));
  if (end < all.size()) answer["links"].push_back(link("next", target(page + 1)));
  for (auto i = begin; i < end; ++i) answer["results"].push_back(all[i]);
  if (call.parameter("includeCount", "true") == "true") answer["totalCount"] = all.size();
  return answer;
}

Json self_link(std::string_view path) {
  return Json::array({link("self", std::string(path))});
}

}  // namespace litedesk::sandbox::atlas
