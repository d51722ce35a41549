// Route 53's refusals as the house's errors, in the API's own words.
#pragma once

#include <string_view>

#include "providers/aws/credentials.hpp"
#include "providers/http/transport.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::route53 {

struct Refusal {
  std::string_view summary;             // what was tried: "change 2 records in zone Z1"
  std::string_view resource;            // "route53 zone Z1"
  const aws::Credentials& credentials;  // their origin is told, their secrets are masked
  system::TimePoint now;
};

// Throws the error of an answer that is no 2xx.
[[noreturn]] void throw_refusal(const http::Response& response, const Refusal& refusal);

}  // namespace litedesk::route53
