// Signature Version 4 from the service's side: the same request is signed again, from what came over the wire.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <stdexcept>
#include <string>

#include "providers/sandbox/api.hpp"

namespace litedesk::sandbox::route53 {

// An answer that refuses: thrown inside this stand-in, printed by it.
struct Refusal {
  int status = 400;
  std::string code;
  std::string message;
};

struct Signer {
  std::string access_key_id, secret_access_key, region, service;
};

// Throws the Refusal that the service would give: no, unknown, expired, wrongly scoped or wrong signature.
void verify_signature(const Call& call, const Signer& signer, system::TimePoint now);

}  // namespace litedesk::sandbox::route53
