// Signs a call as a client would (SigV4), so that the stand-in's own check has something to look at.
#pragma once

#include <fmt/format.h>

#include "providers/system/hash.hpp"
#include "sandbox_support.hpp"

namespace litedesk::sandbox::tests {

struct Signing {
  std::string access_key_id = tests::keys.aws_access_key_id;
  std::string secret_access_key = tests::keys.aws_secret_access_key;
  std::string stamp = "20260102T030405Z";
  std::string region = "us-east-1";
  std::string service = "route53";
};

// The target's query must be sorted and encoded, its path plain.
inline Call signed_call(std::string method, std::string target, std::string body = {}, const Signing& signing = {}) {
  auto call = make_call(std::move(method), std::move(target), std::move(body),
                        {{"host", "127.0.0.1:1"}, {"x-amz-date", signing.stamp}});
  const auto mark = std::min(call.target.find('?'), call.target.size());
  const auto query = mark < call.target.size() ? call.target.substr(mark + 1) : std::string();
  const auto canonical = fmt::format("{}\n{}\n{}\nhost:127.0.0.1:1\nx-amz-date:{}\n\nhost;x-amz-date\n{}", call.method,
                                     call.path, query, signing.stamp, system::sha256_hex(call.body));
  const auto scope = fmt::format("{}/{}/{}/aws4_request", signing.stamp.substr(0, 8), signing.region, signing.service);
  const auto text = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", signing.stamp, scope, system::sha256_hex(canonical));
  const auto start = "AWS4" + signing.secret_access_key;
  auto key = system::hmac_sha256({reinterpret_cast<const unsigned char*>(start.data()), start.size()},
                                 signing.stamp.substr(0, 8));
  for (const auto& part : {signing.region, signing.service, std::string("aws4_request")})
    key = system::hmac_sha256(key, part);
  call.headers.emplace("authorization",
                       fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders=host;x-amz-date, Signature={}",
                                   signing.access_key_id, scope, system::to_hex(system::hmac_sha256(key, text))));
  return call;
}

}  // namespace litedesk::sandbox::tests
