#include "commands/tenant_remains.hpp"

#include <doctest/doctest.h>

#include "commands/dns_records.hpp"
#include "tests/unit/commands/fake_world.hpp"

using namespace litedesk;

namespace {

class Left : public testing::NoProviders {
 public:
  using NoProviders::get;

  bool name_space = false, user = false;
  std::map<std::string, std::string> texts;  // TXT records

  std::optional<kubernetes::Object> get(const kubernetes::ObjectRef& ref) override {
    CHECK(ref.name == "instance-acme");
    if (!name_space) return std::nullopt;
    return kubernetes::Object(Json{{"kind", "Namespace"}});
  }
  std::optional<atlas::DatabaseUser> get_user(std::string_view name) override {
    CHECK(name == "user_acme");
    if (!user) return std::nullopt;
    return atlas::DatabaseUser{};
  }
  std::optional<route53::RecordSet> get(const route53::HostedZoneId&, std::string_view name,
                                        std::string_view type) override {
    CHECK(type == "TXT");
    const auto found = texts.find(std::string(name));
    if (found == texts.end()) return std::nullopt;
    route53::RecordSet record;
    record.name = found->first;
    record.type = "TXT";
    record.values = {route53::quote_txt(found->second)};
    return record;
  }
};

}  // namespace

TEST_CASE("what is left of an instance is its namespace, its user and the records that are marked as its own") {
  testing::FakeWorld<Left> fake;
  fake.settings.dns.domain = "litedesk.com";
  fake.settings.dns.strategy = "record";
  Tenant tenant;
  tenant.slug = "acme";
  CHECK(remains_of(fake.world, tenant).empty());

  // Another's record at the host is no part of the instance: it may be why nothing could be made.
  auto& texts = fake.providers.texts;
  texts["a-acme.litedesk.com"] = owner_text("registry-2", "acme");
  texts["cname-acme.litedesk.com"] = owner_text("registry-1", "");
  CHECK(remains_of(fake.world, tenant).empty());

  texts["cname-acme.litedesk.com"] = owner_text("registry-1", "acme");
  texts["cname-shop.litedesk.com"] = owner_text("registry-1", "acme");
  tenant.custom_domain = "shop.litedesk.com";
  fake.providers.name_space = fake.providers.user = true;
  CHECK(remains_of(fake.world, tenant) == std::vector<std::string>{"namespace instance-acme", "database user user_acme",
                                                                   "DNS record CNAME acme.litedesk.com",
                                                                   "DNS record CNAME shop.litedesk.com"});

  // With a wildcard no record is any tenant's.
  fake.settings.dns.strategy = "wildcard";
  CHECK(remains_of(fake.world, tenant).size() == 2);
}
