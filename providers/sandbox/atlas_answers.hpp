// How the Atlas Administration API answers: versions, errors, pages.
// https://www.mongodb.com/docs/atlas/reference/api-resources-spec/v2/ and .../atlas/reference/api-errors/
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "providers/sandbox/api.hpp"

namespace litedesk::sandbox::atlas {

inline constexpr std::string_view base_path = "/api/atlas/v2";

// An answer that refuses: thrown inside this stand-in, printed by it.
struct Problem {
  int status = 400;
  std::string code;
  std::string detail;
  std::vector<Json> parameters = {};
};
[[nodiscard]] Reply reply_of(const Problem& problem);

[[nodiscard]] Problem invalid_attribute(std::string_view name);
[[nodiscard]] Problem missing_attribute(std::string_view name);

// Checks that the request asks for the version of an operation that is served here, or a later one. Throws Problem.
void check_version(const Call& call, std::string_view served);

// The value as that version, wrapped and indented as the request asks.
[[nodiscard]] Reply reply_json(const Call& call, int status, std::string_view version, const Json& value);

// One page of a list: {"links", "results", "totalCount"}. Throws Problem.
[[nodiscard]] Json page_of(const Call& call, const std::vector<Json>& all);

// [{"rel": "self", "href": ...}]
[[nodiscard]] Json self_link(std::string_view path);

}  // namespace litedesk::sandbox::atlas
