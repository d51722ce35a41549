// The provider-neutral values between a desired state and the three APIs.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace litedesk {

enum class Provider { kubernetes, atlas, route53 };
[[nodiscard]] std::string_view to_string(Provider provider);  // "kubernetes" "atlas" "route53"

// What is addressed at a provider. Names are deterministic, so that this alone finds it again.
struct ResourceId {
  Provider provider = Provider::kubernetes;
  std::string kind;   // "Deployment", "DatabaseUser", "CNAME"
  std::string scope;  // namespace, project, zone; empty when there is none
  std::string name;
  friend auto operator<=>(const ResourceId&, const ResourceId&) = default;
};
// "kubernetes Deployment instance-acme/backend", "atlas DatabaseUser user_acme", "route53 CNAME acme.litedesk.com"
[[nodiscard]] std::string to_string(const ResourceId& id);

}  // namespace litedesk
