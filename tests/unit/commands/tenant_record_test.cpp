#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "commands/tenant.hpp"
#include "providers/error.hpp"
#include "tests/unit/commands/json_schema.hpp"

using namespace litedesk;

namespace {

// Every field has a value of its own, so that a mix-up shows.
Tenant full() {
  Tenant tenant;
  tenant.slug = "acme";
  tenant.company = "Acme Ærø";
  tenant.tier = "enterprise";
  tenant.industry = "rockets";
  tenant.company_size = "51-200";
  tenant.custom_domain = "crm.acme.example";
  tenant.notes = "two\nlines";
  tenant.demo_request_id = "demo-1";
  tenant.created_by = "ann@litedesk";
  tenant.tags = {"b", "a"};
  tenant.owner = {"Ann", "ann@acme.example", "+45 1"};
  tenant.placement = "shared";
  tenant.subscription = {"past_due",
                         "2026-01-01T00:00:00Z",
                         "2026-01-16T00:00:00Z",
                         "2026-02-01T00:00:00Z",
                         "2026-03-01T00:00:00Z",
                         99900,
                         "EUR",
                         "cus_1",
                         "sub_1"};
  tenant.instance = {{{"backend", {"repo/backend:1", 3}}, {"frontend", {"repo/frontend:2", 0}}, {"worker", {"", 2}}},
                     "in-cluster"};
  tenant.config = {"Europe/Copenhagen",          "DKK",     "da",      {"contacts", "deals"},
                   "https://acme.example/l.png", "#abcdef", "Acme A/S"};
  tenant.metrics = Json{{"users", 3}, {"custom", {{"x", 1}}}};
  TenantStatus& status = tenant.status;
  status.phase = Phase::suspended;
  status.stage = "complete";
  status.health = "degraded";
  status.message = "why";
  status.database_strategy = "atlas-shared";
  status.database_host = "crm.ab12c.mongodb.net";
  status.database_name = "litedesk_acme";
  status.database_user = "user_acme";
  status.database_secret = "database";
  status.database_project = "5f00";
  status.dns_record = "acme.litedesk.com";
  status.dns_target = "a1.elb.amazonaws.com";
  status.dns_type = "CNAME";
  status.change_id = "C123";
  status.url = "https://acme.litedesk.com";
  status.api_url = "https://acme.litedesk.com/api";
  status.provisioned_at = "2026-01-01T00:00:01Z";
  status.activated_at = "2026-01-01T00:00:02Z";
  status.suspended_at = "2026-01-01T00:00:03Z";
  status.terminated_at = "2026-01-01T00:00:04Z";
  status.images["backend"] = "repo/backend:0";
  status.images["frontend"] = "repo/frontend:1";
  status.operation = OperationRecord{"op-1",
                                     "provision",
                                     "ann@build (pid 7)",
                                     "build",
                                     "boot-1",
                                     "12345",
                                     7,
                                     "2026-01-01T00:00:05.000001Z",
                                     "2026-01-01T00:00:06.000001Z",
                                     {"kubernetes Namespace a"}};
  tenant.version = "42";
  tenant.id = "id-1";
  tenant.created = "2026-01-01T00:00:00Z";
  return tenant;
}

Tenant least() {
  Tenant tenant;
  tenant.slug = "acme";
  tenant.company = "Acme";
  tenant.version = "1";
  tenant.id = "id";
  tenant.created = "2026-01-01T00:00:00Z";
  return tenant;
}

}  // namespace

TEST_CASE("a document holds every field of a tenant") {
  const Tenant before = full();
  const Tenant after = to_tenant(to_document(before));
  CHECK(to_json(after) == to_json(before));
  CHECK(after.owner == before.owner);
  CHECK(after.subscription == before.subscription);
  CHECK(after.instance == before.instance);
  CHECK(after.config == before.config);
  CHECK(after.status == before.status);
  CHECK(after.metrics == before.metrics);
  CHECK(after.tags == before.tags);
  CHECK(after.version == "42");
  CHECK(after.id == "id-1");
  CHECK(after.created == before.created);
  // No two fields share a place: as many different values come out as there are.
  const std::string text = to_json(before).dump();
  for (const char* value :
       {"rockets", "crm.acme.example", "demo-1", "cus_1", "sub_1", "past_due", "repo/backend:0", "repo/frontend:1",
        "repo/backend:1", "repo/frontend:2", "5f00", "C123", "boot-1", "12345"}) {
    CAPTURE(value);
    CHECK(text.find(value) != std::string::npos);
  }
}

TEST_CASE("the document has the names of the Tenant resource, and leaves out what is empty") {
  const store::Document document = to_document(least());
  CHECK(document.name == "acme");
  CHECK(document.desired.at("displayName") == "Acme");
  CHECK(document.observed == Json::object());
  for (const char* key : {"industry", "tags", "owner", "instance", "notes"})
    CHECK_FALSE(document.desired.contains(key));
  CHECK(document.labels.at("litedesk.io/tier") == "trial");
  CHECK(document.labels.at("litedesk.io/placement") == "dedicated");
  const store::Document all = to_document(full());
  CHECK(all.observed.at("dns") == Json{{"record", "acme.litedesk.com"},
                                       {"type", "CNAME"},
                                       {"target", "a1.elb.amazonaws.com"},
                                       {"changeId", "C123"}});
  CHECK(all.desired.at("instance").at("frontendReplicas") == 0);
  CHECK(all.observed.at("operation").at("bootId") == "boot-1");
}

TEST_CASE("what a newer version keeps beside the known fields is kept on update") {
  store::Document stored = to_document(full());
  stored.desired["future"] = {{"x", 1}};
  stored.desired["owner"]["pronouns"] = "she/her";
  stored.observed["lastCheck"] = {{"time", "2026-01-01T00:00:00Z"}};
  stored.observed["database"]["shard"] = 3;
  stored.labels["team"] = "north";
  Tenant tenant = to_tenant(stored);
  tenant.company = "New";
  tenant.status.database_host.clear();
  const store::Document wanted = to_document(tenant, &stored);
  CHECK(wanted.desired.at("displayName") == "New");
  CHECK(wanted.desired.at("future") == Json{{"x", 1}});
  CHECK(wanted.desired.at("owner").at("pronouns") == "she/her");
  CHECK(wanted.observed.at("lastCheck").contains("time"));
  CHECK(wanted.observed.at("database").at("shard") == 3);
  CHECK_FALSE(wanted.observed.at("database").contains("host"));
  CHECK(wanted.labels.at("team") == "north");
  CHECK(to_document(to_tenant(stored), &stored) == stored);
}

TEST_CASE("fields become empty, and groups with them") {
  const store::Document stored = to_document(full());
  Tenant tenant = to_tenant(stored);
  tenant.owner = {};
  tenant.status.operation.reset();
  tenant.instance.components["backend"].replicas.reset();
  tenant.tags.clear();
  const store::Document wanted = to_document(tenant, &stored);
  CHECK_FALSE(wanted.desired.contains("owner"));
  CHECK_FALSE(wanted.desired.contains("tags"));
  CHECK_FALSE(wanted.desired.at("instance").contains("backendReplicas"));
  CHECK_FALSE(wanted.observed.contains("operation"));
}

TEST_CASE("another run's lock takes nothing over from the one before") {
  store::Document stored = to_document(full());
  stored.observed["operation"]["future"] = 1;
  Tenant same = to_tenant(stored);
  same.status.operation->renewed = "2026-01-01T00:00:09.000000Z";
  CHECK(to_document(same, &stored).observed.at("operation").contains("future"));
  Tenant other = same;
  other.status.operation = OperationRecord{};
  other.status.operation->id = "op-2";
  CHECK_FALSE(to_document(other, &stored).observed.at("operation").contains("future"));
  CHECK_FALSE(to_document(other, &stored).observed.at("operation").contains("holder"));
}

TEST_CASE("a message that is too long for the registry is cut between characters") {
  Tenant tenant = least();
  tenant.status.message = "x";
  while (tenant.status.message.size() < 6000) tenant.status.message += "é";
  const std::string stored = to_document(tenant).observed.at("message").get<std::string>();
  CHECK(stored.size() == 4095);
  CHECK_NOTHROW((void)Json(stored).dump());
}

TEST_CASE("a record that was broken by hand is refused with the field's name") {
  struct Row {
    std::string pointer;
    Json value;
    std::string place;
  };
  for (const Row& row : std::vector<Row>{
           {"/desired/tags", "a", "spec.tags is not a list"},
           {"/desired/tags", Json::array({1}), "spec.tags is not a list of texts"},
           {"/desired/owner", "Ann", "spec.owner is not a group of fields"},
           {"/desired/owner", Json{{"email", 1}}, "spec.owner.email is not text"},
           {"/desired/instance", Json{{"backendReplicas", "2"}}, "spec.instance.backendReplicas is not a whole number"},
           {"/desired/instance", Json{{"backendReplicas", 4294967297}},
            "spec.instance.backendReplicas is not a whole number from 0 to 100"},
           {"/desired/instance", Json{{"frontendReplicas", 1.5}},
            "spec.instance.frontendReplicas is not a whole number from 0 to 100"},
           {"/desired/instance", Json{{"frontendReplicas", -1}},
            "spec.instance.frontendReplicas is not a whole number from 0 to 100"},
           {"/desired/subscription", Json{{"mrrCents", 18446744073709551615U}},
            "spec.subscription.mrrCents is not a number from -9223372036854775808 to"},
           {"/desired/subscription", Json{{"mrrCents", 1e300}}, "spec.subscription.mrrCents is not a whole number"}}) {
    store::Document document = to_document(least());
    document.desired[row.pointer.substr(9)] = row.value;
    try {
      (void)to_tenant(document);
      FAIL("read");
    } catch (const ValidationError& error) {
      CAPTURE(error.message());
      CHECK(error.message().find("Tenant acme " + row.place) != std::string::npos);
    }
  }
}

TEST_CASE("the JSON for scripts fits its schema, full or nearly empty, with the same keys") {
  const Json all = to_json(full()), little = to_json(least());
  CHECK(testing::schema_faults("tenant", all) == std::vector<std::string>{});
  CHECK(testing::schema_faults("tenant", little) == std::vector<std::string>{});
  for (const auto& member : all.items()) CHECK(little.contains(member.key()));
  CHECK(all.at("status").at("operation").is_object());
  CHECK(little.at("status").at("operation").is_null());
  CHECK(little.at("industry").is_null());
  Json broken = all;
  broken["tier"] = 1;
  broken.erase("slug");
  CHECK(testing::schema_faults("tenant", broken).size() == 2);
}

TEST_CASE("names follow from the slug") {
  const Names names = names_of("acme-north", "litedesk.com");
  CHECK(names.name_space == "instance-acme-north");
  CHECK(names.database == "litedesk_acme_north");
  CHECK(names.database_user == "user_acme_north");
  CHECK(names.host == "acme-north.litedesk.com");
}
