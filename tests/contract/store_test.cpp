// The registry on the Tenant resource of a real API server: the same suite that SQLite passes, the lifecycle's rules as
// the server enforces them, and `registry install`.
//
//   LITEDESK_TEST_KUBECONFIG=/path/kubeconfig contract_store
//
// The cluster is one for tests: every Tenant in it is deleted.
#define DOCTEST_CONFIG_IMPLEMENT
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "commands/host_claims.hpp"
#include "commands/lifecycle.hpp"
#include "commands/registry.hpp"
#include "commands/tenant.hpp"
#include "commands/tiers.hpp"
#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "providers/kubernetes/client.hpp"
#include "providers/store/kubernetes_store.hpp"
#include "tests/contract/contract.hpp"
#include "tests/unit/providers/store/store_suite.hpp"

using namespace litedesk;

namespace {

constexpr std::chrono::milliseconds plenty{30'000};

http::Transport& transport() {
  static http::Client client([] {
    http::ClientOptions options;
    options.user_agent = "litedesk-contract-tests";
    return options;
  }());
  return client;
}

kubernetes::ClusterConfig test_cluster() {
  kubernetes::KubeconfigQuery query;
  query.kubeconfig_flag = test::variable("LITEDESK_TEST_KUBECONFIG");
  return kubernetes::load_cluster_config(query);
}

// Two clients of one registry that is installed and empty.
class Registry {
 public:
  Registry()
      : client(transport(), test_cluster(), {}),
        second(transport(), test_cluster(), {}),
        store(store::make_kubernetes_store(client, client, tenant_type())),
        other(store::make_kubernetes_store(second, second, tenant_type())),
        claims(store::make_kubernetes_store(client, client, host_claim_type())),
        other_claims(store::make_kubernetes_store(second, second, host_claim_type())) {
    (void)install();
    for (const store::Document& document : store->list("")) store->remove(document.name, "");
    for (const store::Document& document : claims->list("")) claims->remove(document.name, "");
  }

  RegistryInstall install() {
    static const templates::Files built_in;
    return install_registry({client, client, client, built_in, system::real_clock()}, plenty, {});
  }

  kubernetes::Client client, second;
  std::unique_ptr<store::Store> store, other, claims, other_claims;
};

HostClaims claims_of(store::Store& claims, store::Store& tenants) {
  return {claims, tenants, {system::real_clock(), system::os_random(), {}, "tester@host", {}}};
}

Tenant tenant_named(const std::string& name) {
  Tenant tenant;
  tenant.slug = name;
  tenant.company = "Acme Inc";
  tenant.tags = {"a", "b"};
  tenant.owner = {"Ann", "ann@acme.example", "+45 1"};
  tenant.status.dns_record = "acme.litedesk.com";
  tenant.status.dns_type = "CNAME";
  return tenant;
}

store::Document make(const std::string& name) {
  store::Document document = to_document(tenant_named(name));
  document.labels.clear();
  return document;
}

void change(store::Document& document, int round) {
  document.desired["displayName"] = "Acme " + std::to_string(round);
  document.desired["notes"] = "round";
  document.observed["dns"]["record"] = "acme-" + std::to_string(round) + ".litedesk.com";
}

void shrink(store::Document& document) {
  document.desired.erase("notes");
  document.desired["owner"].erase("phone");
  document.observed.erase("dns");
}

// Brings a tenant of that name into a phase: a new object may have any.
store::Document in_phase(store::Store& registry, const std::string& name, Phase phase) {
  Tenant tenant = tenant_named(name);
  tenant.status.phase = phase;
  return registry.create(to_document(tenant));
}

}  // namespace

TEST_CASE("the Tenant resource keeps the store's promises") {
  Registry registry;
  store::run_store_suite({*registry.store, *registry.other, make, change, shrink});
}

TEST_CASE("a kind from before a field was added says that it is too old, and keeps what it has") {
  Registry registry;
  auto document = make("suite-older");
  const auto refused = [](const auto& write) {
    try {
      write();
    } catch (const Conflict& error) {
      return error.hint() + "; " + error.cause();
    }
    return std::string("taken");
  };
  const std::string said = "run `litedesk registry install`, which keeps every record; unknown field \"status.newer\"";
  document.observed["newer"] = 1;
  CHECK(refused([&] { registry.store->create(document); }) == said);
  document.observed.erase("newer");
  auto stored = registry.store->create(document);
  stored.observed["newer"] = 1;
  CHECK(refused([&] { registry.store->update(stored); }) == said);
  CHECK_FALSE(registry.store->get("suite-older")->observed.contains("newer"));
}

TEST_CASE("the registry is installed, then unchanged, upgraded after a change, and found by its status") {
  Registry registry;
  CHECK(registry.install().outcome == "unchanged");
  const kubernetes::ObjectRef definition{kubernetes::type_of("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "",
                                         "tenants.litedesk.io"};
  registry.client.merge_patch(definition, {{"spec", {{"names", {{"shortNames", {"tnt"}}}}}}});
  CHECK(registry.install().outcome == "upgraded");
  CHECK(registry.install().outcome == "unchanged");
  (void)in_phase(*registry.store, "acme", Phase::none);
  const RegistryStatus status = registry_status(*registry.store, &registry.client);
  CHECK(status.installed);
  CHECK(status.served);
  CHECK(status.version == "v1alpha1");
  CHECK(status.tenants == 1);
  CHECK(status.id.rfind("cluster-", 0) == 0);
  CHECK(status.id.size() == 44);
}

TEST_CASE("without the kind every call says how to install it, and installing waits until it can be used") {
  Registry registry;
  const kubernetes::ObjectRef definition{kubernetes::type_of("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "",
                                         "tenants.litedesk.io"};
  registry.client.remove(definition, {});
  // The kind's paths go a moment after its definition.
  for (int i = 0; i < 300 && (registry.client.get(definition) || registry.client.serves(tenant_type())); ++i) {
    system::real_clock().wait(std::chrono::milliseconds(100), {});
  }
  REQUIRE_FALSE(registry.client.serves(tenant_type()));
  const RegistryStatus before = registry_status(*registry.store, &registry.client);
  CHECK_FALSE(before.installed);
  CHECK_FALSE(before.served);

  const auto store = store::make_kubernetes_store(registry.second, registry.second, tenant_type());
  store::Document document = make("acme");
  const std::vector<std::function<void()>> calls = {
      [&] { store->create(document); },   [&] { (void)store->get("acme"); },
      [&] { (void)store->list(""); },     [&] { document.version = "1", store->update(document); },
      [&] { store->remove("acme", ""); },
  };
  for (const auto& call : calls) {
    try {
      call();
      FAIL("no error");
    } catch (const NotFound& error) {
      CHECK(error.hint() == "run `litedesk registry install`");
    }
  }
  CHECK(registry.install().outcome == "installed");
  CHECK_NOTHROW(store->create(make("acme")));
}

TEST_CASE("the API server and commands/lifecycle give one answer to each of the 36 pairs of phases") {
  constexpr Phase phases[] = {Phase::none,      Phase::provisioning, Phase::active,
                              Phase::suspended, Phase::failed,       Phase::terminated};
  Registry registry;
  int pair = 0;
  for (const Phase from : phases) {
    for (const Phase to : phases) {
      CAPTURE(to_string(from));
      CAPTURE(to_string(to));
      const store::Document stored = in_phase(*registry.store, "pair-" + std::to_string(++pair), from);
      Tenant tenant = to_tenant(stored);
      tenant.status.phase = to;
      tenant.notes = "so that each write changes something";
      const store::Document wanted = to_document(tenant, &stored);
      bool ours = true, theirs = true;
      try {
        validate_tenant_document(&stored, wanted);
      } catch (const ValidationError&) {
        ours = false;
      }
      std::string answer;
      try {
        registry.store->update(wanted);
      } catch (const ValidationError& error) {
        theirs = false;
        answer = error.what();
      }
      CAPTURE(answer);
      CHECK(ours == theirs);
      CHECK(ours == may_follow(from, to));
    }
  }
  CHECK(pair == 36);
}

TEST_CASE("a slug never changes, and is the object's name") {
  Registry registry;
  store::Document document = in_phase(*registry.store, "acme", Phase::none);
  document.desired["slug"] = "other";
  CHECK_THROWS_AS(registry.store->update(document), ValidationError);
  document.name = "mismatch";
  CHECK_THROWS_AS(registry.store->create(document), ValidationError);
}

TEST_CASE("a tier can be called what the tiers file may call it, and nothing else") {
  Registry registry;
  store::Document document = make("acme");
  document.desired["tier"] = "gold-2";
  CHECK(registry.store->create(document).desired["tier"] == "gold-2");
  for (const std::string& tier : {std::string("Gold"), std::string("a b"), std::string("-x"), std::string(64, 'a')}) {
    CAPTURE(tier);
    document.name = "other";
    document.desired["slug"] = "other";
    document.desired["tier"] = tier;
    CHECK_THROWS_AS(registry.store->create(document), ValidationError);
    CHECK_THROWS_AS(validate_tenant_document(nullptr, document), ValidationError);
  }
}

TEST_CASE("a field that the schema lacks is refused, not dropped") {
  Registry registry;
  store::Document document = make("acme");
  document.desired["future"] = 1;
  CHECK_THROWS_AS(registry.store->create(document), Conflict);
  document = registry.store->create(make("acme"));
  document.observed["future"] = 1;
  CHECK_THROWS_AS(registry.store->update(document), Conflict);
}

TEST_CASE("a tenant with every field full fits the schema and comes back as it was") {
  Registry registry;
  Tenant tenant = tenant_named("acme");
  tenant.tier = "enterprise";
  tenant.industry = "rockets";
  tenant.company_size = "51-200";
  tenant.custom_domain = "crm.acme.example";
  tenant.notes = "two\nlines";
  tenant.demo_request_id = "demo-1";
  tenant.created_by = "ann@build";
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
  tenant.config = {"Europe/Copenhagen", "DKK", "da", {"contacts"}, "https://acme.example/l.png", "#abcdef", "Acme A/S"};
  tenant.metrics = Json{{"users", 3}, {"storageGb", 1.5}, {"custom", 1}};
  TenantStatus& status = tenant.status;
  status.phase = Phase::suspended;
  status.stage = "complete";
  status.health = "degraded";
  for (int i = 0; i < 3000; ++i) status.message += "é";
  status.database_strategy = "atlas-shared";
  status.database_host = "crm.ab12c.mongodb.net";
  status.database_name = "litedesk_acme";
  status.database_user = "user_acme";
  status.database_secret = "database";
  status.database_project = "5f00";
  status.dns_target = "a1.elb.amazonaws.com";
  status.change_id = "C123";
  status.url = "https://acme.litedesk.com";
  status.api_url = "https://acme.litedesk.com/api";
  status.provisioned_at = status.activated_at = status.suspended_at = status.terminated_at = "2026-01-01T00:00:01Z";
  status.images["backend"] = "repo/backend:0";
  status.images["frontend"] = "repo/frontend:1";
  OperationRecord operation{"op-1",
                            "provision",
                            "ann@build (pid 7)",
                            "build",
                            "boot-1",
                            "12345",
                            7,
                            "2026-01-01T00:00:05.000001Z",
                            "2026-01-01T00:00:06.000001Z",
                            {}};
  for (int i = 0; i < 60; ++i) operation.intent.push_back("kubernetes ConfigMap instance-acme/" + std::to_string(i));
  status.operation = operation;
  const store::Document wanted = to_document(tenant);
  const store::Document made = registry.store->create(wanted);
  CHECK(made.desired == wanted.desired);
  CHECK(made.observed == wanted.observed);
  Json before = to_json(to_tenant(wanted)), after = to_json(to_tenant(*registry.other->get("acme")));
  for (const char* key : {"version", "id", "created"}) before.erase(key), after.erase(key);
  CHECK(after == before);
}

TEST_CASE("tenants are registered, updated, listed and deleted in the cluster as in a file") {
  Registry registry;
  NewTenant wanted;
  wanted.company = "Acme Inc";
  wanted.email = "owner@acme.example";
  const Tiers tiers{templates::Files()};
  const TenantRules rules{.domain = "litedesk.com", .tiers = tiers};
  HostClaims claims = claims_of(*registry.claims, *registry.store);
  HostClaims theirs = claims_of(*registry.other_claims, *registry.other);
  CHECK(create_tenant(*registry.store, claims, wanted, rules, system::real_clock()).slug == "acme-inc");
  CHECK_THROWS_AS((void)create_tenant(*registry.other, theirs, wanted, rules, system::real_clock()), SlugTaken);
  TenantChanges changes;
  changes.tier = "paid";
  changes.custom_domain = "shop.example.net";
  CHECK(update_tenant(*registry.store, claims, "acme-inc", changes, rules).tier == "professional");
  CHECK(theirs.owner("shop.example.net").value().slug == "acme-inc");
  TenantFilter filter;
  filter.selector = "tier=professional,placement in (dedicated)";
  CHECK(list_tenants(*registry.other, filter, tiers).size() == 1);
  delete_tenant(*registry.store, claims, "acme-inc", {});
  CHECK_THROWS_AS((void)get_tenant(*registry.other, "acme-inc"), NotFound);
  CHECK(theirs.names().empty());
}

TEST_CASE("of six tenants that want one custom domain at the same moment one is registered") {
  Registry registry;
  const Tiers tiers{templates::Files()};
  const TenantRules rules{.domain = "litedesk.com", .tiers = tiers};
  std::atomic<int> registered{0}, refused{0};
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < 6; ++number) {
      threads.emplace_back([&, number] {
        NewTenant wanted;
        wanted.company = "Company";
        wanted.email = "owner@acme.example";
        wanted.slug = "company" + std::to_string(number);
        wanted.custom_domain = "shop.example.net";
        store::Store& tenants = number % 2 == 0 ? *registry.store : *registry.other;
        HostClaims claims = claims_of(number % 2 == 0 ? *registry.claims : *registry.other_claims, tenants);
        try {
          (void)create_tenant(tenants, claims, wanted, rules, system::real_clock());
          ++registered;
        } catch (const Conflict&) {
          ++refused;
        }
      });
    }
  }
  CHECK(registered == 1);
  CHECK(refused == 5);
  CHECK(registry.store->list("").size() == 1);
  CHECK(registry.claims->list("").size() == 2);
}

int main(int argc, char** argv) {
  if (test::variable("LITEDESK_TEST_KUBECONFIG").empty()) {
    return test::skip("contract_store", "LITEDESK_TEST_KUBECONFIG names no kubeconfig (tests/peers/kubernetes up)");
  }
  const std::string server = test_cluster().server;
  if (server.rfind("https://127.0.0.1:", 0) != 0 && server.rfind("https://localhost:", 0) != 0) {
    return test::skip("contract_store", server + " is not on this machine, and the test deletes tenants");
  }
  doctest::Context context(argc, argv);
  return context.run();
}
