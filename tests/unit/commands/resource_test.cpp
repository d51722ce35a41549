#include "commands/resource.hpp"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

using namespace litedesk;

TEST_CASE("a resource is named as people know it") {
  CHECK(to_string(ResourceId{Provider::kubernetes, "Deployment", "instance-acme", "backend"}) ==
        "kubernetes Deployment instance-acme/backend");
  CHECK(to_string(ResourceId{Provider::kubernetes, "Namespace", "", "instance-acme"}) ==
        "kubernetes Namespace instance-acme");
  CHECK(to_string(ResourceId{Provider::atlas, "DatabaseUser", "5f0c", "user_acme"}) == "atlas DatabaseUser user_acme");
  CHECK(to_string(ResourceId{Provider::route53, "CNAME", "Z0123", "acme.litedesk.com"}) ==
        "route53 CNAME acme.litedesk.com");
}

TEST_CASE("resources are ordered by provider, kind, scope and name") {
  std::vector<ResourceId> ids{{Provider::route53, "A", "", "a"},
                              {Provider::kubernetes, "Service", "n", "b"},
                              {Provider::kubernetes, "Service", "n", "a"},
                              {Provider::kubernetes, "Secret", "z", "z"}};
  std::sort(ids.begin(), ids.end());
  CHECK(ids[0].kind == "Secret");
  CHECK(ids[1].name == "a");
  CHECK(ids[3].provider == Provider::route53);
  CHECK(ids[1] == ResourceId{Provider::kubernetes, "Service", "n", "a"});
}
