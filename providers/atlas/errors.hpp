// Atlas' refusals as the house's errors, in the API's own words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "providers/http/transport.hpp"

namespace litedesk::atlas {

struct ApiError {
  std::string code;                     // "USERNAME_NOT_FOUND"; empty when Atlas named none
  std::string detail;                   // with the fields that were refused
  std::vector<std::string> parameters;  // as text: they come as strings and as numbers
};
[[nodiscard]] ApiError parse_error(const http::Response& response);

struct Refusal {
  std::string summary;   // what was tried: "read database user user_acme"
  std::string resource;  // "atlas DatabaseUser user_acme"
  std::string project;
  std::string credentials_id;  // public key or client id: told
  bool service_account = false;
  std::vector<std::string_view> secrets;  // never told, wherever the API repeats them
};
// Throws the error of an answer that is no 2xx.
[[noreturn]] void throw_refusal(const http::Response& response, const Refusal& refusal);

// `text` with each of the secrets and whatever has the form of an Atlas secret replaced.
[[nodiscard]] std::string masked(std::string text, const std::vector<std::string_view>& secrets);

}  // namespace litedesk::atlas
