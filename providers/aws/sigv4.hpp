// AWS Signature Version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
#pragma once

#include <string>
#include <string_view>

#include "providers/aws/credentials.hpp"
#include "providers/http/transport.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::aws {

struct SigningScope {
  std::string region;   // "us-east-1"
  std::string service;  // "route53"
};

// What is hashed and signed; shown by tests against the published vectors.
struct Signature {
  std::string canonical_request;
  std::string canonical_request_hash;  // hex SHA-256
  std::string signature;               // hex
  std::string authorization;           // the header's value
};

// Computes it for a request that already has its x-amz-date header.
[[nodiscard]] Signature compute_signature(const http::Request& request, const Credentials& credentials,
                                          const SigningScope& scope);
// Sets x-amz-date, x-amz-security-token and authorization, replacing what an earlier attempt left.
void sign(http::Request& request, const Credentials& credentials, const SigningScope& scope, system::TimePoint now);

}  // namespace litedesk::aws
