#pragma once

#include <string_view>

namespace litedesk::sandbox::route53 {

// Whether the AWS service whose own hosted zone has that id (a region's load balancers, CloudFront) could have handed
// out that canonical name.
[[nodiscard]] bool is_service_target(std::string_view zone_id, std::string_view target);

}  // namespace litedesk::sandbox::route53
