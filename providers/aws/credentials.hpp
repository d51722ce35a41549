// AWS credentials from the environment and from profiles with static keys.
// Rules: the AWS SDKs and Tools Reference Guide, "Credential providers" and "Shared config and credentials files".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "providers/system/secret.hpp"

namespace litedesk::aws {

struct Credentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // may be empty
  std::string origin;    // "environment", "profile default (~/.aws/credentials)"
};

struct Config {
  std::string region;            // "us-east-1" when nothing names one
  std::string route53_endpoint;  // "https://route53.amazonaws.com" unless AWS_ENDPOINT_URL[_ROUTE_53] or a profile says
                                 // otherwise
  std::string route53_region;    // of Route 53's signatures: "us-east-1", but for China and GovCloud
  std::string ca_bundle;         // file; may be empty
};

using Environment = std::map<std::string, std::string>;

// `profile` is one that was asked for in so many words; it switches the environment's keys off, which AWS_PROFILE does
// not (as in the AWS CLI). An empty variable counts as unset. Throws AuthError: none found (says where it looked), a
// key without its secret, a profile that is not there, a profile that needs a provider this version lacks (names the
// key, for example credential_process).
[[nodiscard]] Credentials load_credentials(const Environment& environment, std::string_view profile = {});
[[nodiscard]] Config load_config(const Environment& environment, std::string_view profile = {});

}  // namespace litedesk::aws
