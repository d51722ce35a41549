// What the zone's name servers would say: for TestDNSAnswer.
#pragma once

#include <string>
#include <vector>

#include "providers/sandbox/api.hpp"

namespace litedesk::sandbox::route53 {

struct DnsAnswer {
  std::string code = "NOERROR";  // or NXDOMAIN
  std::vector<std::string> data;
};
// Canonical names. Wildcards and aliases are followed as Route 53 does; a record set with a routing policy answers with
// the first of its kind.
[[nodiscard]] DnsAnswer answer_dns(State& state, const std::string& zone_id, const std::string& zone_name,
                                   const std::string& name, const std::string& type);

}  // namespace litedesk::sandbox::route53
