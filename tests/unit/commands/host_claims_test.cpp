#include "commands/host_claims.hpp"

#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "commands/tenant.hpp"
#include "providers/error.hpp"
#include "tests/unit/commands/fake_world.hpp"
#include "tests/unit/commands/temporary_registry.hpp"

using namespace litedesk;
using litedesk::testing::MemoryStore;

namespace {

const std::string shop = "shop.example.net";

// A registry in memory on a clock that skips what it is asked to wait.
struct Registry {
  MemoryStore tenants, claims_store;
  system::SkippingClock clock;
  templates::Files files;
  Tiers tiers{files};
  std::vector<std::string> notes;
  HostClaims claims = of(claims_store, tenants);

  HostClaims of(store::Store& claims_of, store::Store& tenants_of) {
    return {claims_of, tenants_of, {clock, system::os_random(), {}, "tester@host", [this](const std::string& note) {
                                      notes.push_back(note);
                                    }}};
  }
  TenantRules rules() { return {.domain = "litedesk.com", .tiers = tiers}; }
  static NewTenant wanted(const std::string& slug, const std::string& custom_domain = {}) {
    NewTenant tenant;
    tenant.company = "Company " + slug;
    tenant.email = "owner@acme.example";
    tenant.slug = slug;
    tenant.custom_domain = custom_domain;
    return tenant;
  }
  Tenant create(const std::string& slug, const std::string& custom_domain = {}) {
    return create_tenant(tenants, claims, wanted(slug, custom_domain), rules(), clock);
  }
  Tenant move(const std::string& slug, const std::string& custom_domain) {
    TenantChanges changes;
    changes.custom_domain = custom_domain;
    return update_tenant(tenants, claims, slug, changes, rules());
  }
  void set_phase(const std::string& slug, Phase phase) {
    const auto stored = tenants.get(slug);
    Tenant tenant = to_tenant(*stored);
    tenant.status.phase = phase;
    tenants.update(to_document(tenant, &*stored));
  }
  std::string owner(const std::string& host) {
    const auto found = claims.owner(host);
    return found ? found->slug : "";
  }
  // A claim that no tenant stands behind, of a process on another machine.
  store::Document leave_claim(const std::string& host, const std::string& slug) {
    store::Document claim;
    claim.name = host;
    claim.desired = {{"tenant", slug}, {"custom", true}};
    claim.observed = {{"id", "other"},    {"holder", "maria@elsewhere (pid 1)"},
                      {"pid", 1},         {"host", "elsewhere"},
                      {"bootId", "boot"}, {"startTime", "1"}};
    claim.labels = {{"litedesk.io/tenant", slug}};
    return claims_store.create(claim);
  }
};

}  // namespace

TEST_CASE("of many tenants that want one custom domain at once one gets it, in every store") {
  litedesk::testing::TemporaryRegistry file;
  std::atomic<int> registered{0}, refused{0};
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < 6; ++number) {
      threads.emplace_back([&, number] {
        Registry surroundings;  // its clock and tiers; the stores are the file's
        const auto tenants = file.open(), hosts = file.open("HostClaim");
        HostClaims claims({*hosts, *tenants, {system::real_clock(), system::os_random(), {}, "tester@host", {}}});
        try {
          (void)create_tenant(*tenants, claims, Registry::wanted("tenant" + std::to_string(number), shop),
                              surroundings.rules(), system::real_clock());
          ++registered;
        } catch (const Conflict& error) {
          CHECK(error.message().find("shop.example.net is the custom domain of tenant tenant") == 0);
          CHECK(error.hint() == "choose a name that no tenant uses");
          ++refused;
        }
      });
    }
  }
  CHECK(registered == 1);
  CHECK(refused == 5);
  CHECK(file->list("").size() == 1);
  // Whoever was refused left nothing behind.
  CHECK(file.open("HostClaim")->list("").size() == 2);
}

TEST_CASE("a slug and another's custom domain of the same host exclude each other") {
  Registry registry;
  (void)registry.create("acme", "store.litedesk.com");
  CHECK_THROWS_WITH_AS((void)registry.create("store"),
                       "the slug store is taken: store.litedesk.com is the custom domain of tenant acme", SlugTaken);
  (void)registry.create("bravo");
  CHECK_THROWS_WITH_AS((void)registry.move("acme", "bravo.litedesk.com"),
                       "the custom domain bravo.litedesk.com is the host of tenant bravo", Conflict);
  CHECK(to_tenant(*registry.tenants.get("acme")).custom_domain == "store.litedesk.com");
}

TEST_CASE("what is claimed goes with the tenant and comes back from it") {
  Registry registry;
  (void)registry.create("acme", shop);
  CHECK(registry.owner("acme.litedesk.com") == "acme");
  CHECK(registry.owner(shop) == "acme");
  (void)registry.move("acme", "www.example.org");
  CHECK(registry.owner(shop).empty());
  CHECK(registry.claims.names() == std::set<std::string>{"acme.litedesk.com", "www.example.org"});
  (void)registry.create("bravo", shop);
  CHECK(registry.owner(shop) == "bravo");
  (void)registry.move("bravo", "");
  delete_tenant(registry.tenants, registry.claims, "acme", {});
  CHECK(registry.claims.names() == std::set<std::string>{"bravo.litedesk.com"});
}

TEST_CASE("a terminated tenant's custom domain is free, its slug is not") {
  Registry registry;
  (void)registry.create("acme", shop);
  registry.set_phase("acme", Phase::terminated);
  CHECK(registry.owner(shop).empty());
  CHECK(registry.owner("acme.litedesk.com") == "acme");
  (void)registry.create("bravo", shop);
  CHECK(registry.owner(shop) == "bravo");
  CHECK_THROWS_AS((void)registry.create("acme"), SlugTaken);
}

TEST_CASE(
    "a claim whose tenant is gone is taken over: at once when its maker is, else after a while without a change") {
  Registry registry;
  (void)registry.create("acme", shop);
  registry.tenants.remove("acme", "");  // by kubectl
  SUBCASE("its maker lives: this very process") {
    const auto begin = registry.clock.steady();
    (void)registry.create("bravo", shop);
    CHECK(registry.clock.steady() - begin >= claim_patience);
    REQUIRE(registry.notes.size() == 1);
    CHECK(registry.notes[0].find("shop.example.net was claimed by tester@host (pid ") == 0);
  }
  SUBCASE("its maker was a process on this machine, and is gone") {
    auto claim = *registry.claims_store.get(shop);
    claim.observed["pid"] = 4'000'000;  // above the kernel's limit
    registry.claims_store.update(claim);
    const auto begin = registry.clock.steady();
    (void)registry.create("bravo", shop);
    CHECK(registry.clock.steady() - begin < claim_patience);
    CHECK(registry.notes.empty());
  }
  CHECK(registry.owner(shop) == "bravo");
}

TEST_CASE("a claim that is made just now is somebody's as soon as the tenant is registered") {
  // Whoever claimed it comes to register the tenant while the other one waits.
  struct Late : MemoryStore {
    MemoryStore* tenants = nullptr;
    std::optional<store::Document> get(std::string_view name) override {
      if (name == shop && reads == 3) {
        Tenant tenant;
        tenant.slug = tenant.company = "acme";
        tenant.custom_domain = shop;
        tenants->create(to_document(tenant));
      }
      return MemoryStore::get(name);
    }
  };
  Registry registry;
  Late late;
  late.tenants = &registry.tenants;
  late.create(registry.leave_claim(shop, "acme"));
  HostClaims claims = registry.of(late, registry.tenants);
  CHECK_THROWS_WITH_AS(
      (void)create_tenant(registry.tenants, claims, Registry::wanted("bravo", shop), registry.rules(), registry.clock),
      "shop.example.net is the custom domain of tenant acme", Conflict);
  CHECK_FALSE(registry.tenants.get("bravo").has_value());
}

TEST_CASE("a process that stood still between claiming and registering takes its tenant back") {
  struct Slow : MemoryStore {
    Registry* registry = nullptr;
    store::Document create(const store::Document& document) override {
      // While it stands still somebody takes the claim over: no tenant stood behind it.
      (void)registry->clock.wait(claim_patience + claim_patience, {});
      auto claim = *registry->claims_store.get(shop);
      claim.desired["tenant"] = "bravo";
      registry->claims_store.update(claim);
      return MemoryStore::create(document);
    }
  };
  Registry registry;
  Slow slow;
  slow.registry = &registry;
  HostClaims claims = registry.of(registry.claims_store, slow);
  CHECK_THROWS_AS((void)create_tenant(slow, claims, Registry::wanted("acme", shop), registry.rules(), registry.clock),
                  Conflict);
  CHECK_FALSE(slow.get("acme").has_value());
  CHECK(HostClaims::slug_of(*registry.claims_store.get(shop)) == "bravo");
}

TEST_CASE("two registrations of one slug share its claim, and the one that fails does not give it back") {
  Registry registry;
  HostReservation first(registry.claims, "acme");
  REQUIRE_FALSE(first.add({"acme.litedesk.com", false}).has_value());
  {
    HostReservation second(registry.claims, "acme");
    REQUIRE_FALSE(second.add({"acme.litedesk.com", false}).has_value());
  }
  CHECK(registry.claims.names().count("acme.litedesk.com") == 1);
  {
    HostReservation third(registry.claims, "acme");
    REQUIRE_FALSE(third.add({"acme.litedesk.com", false}).has_value());
    third.keep();
  }
  CHECK(registry.claims.names().count("acme.litedesk.com") == 1);
}

TEST_CASE("registering asks for the same things however many tenants there are") {
  Registry registry;
  for (int number = 0; number < 50; ++number) (void)registry.create("tenant" + std::to_string(number));
  registry.tenants.lists = registry.claims_store.lists = registry.tenants.reads = registry.claims_store.reads = 0;
  (void)registry.create("acme", shop);
  CHECK(registry.tenants.lists == 0);
  CHECK(registry.claims_store.lists == 0);
  CHECK(registry.tenants.reads + registry.claims_store.reads == 0);
}

TEST_CASE("an interrupted wait for somebody's claim claims nothing") {
  Registry registry;
  registry.leave_claim(shop, "acme");
  std::stop_source stop;
  stop.request_stop();
  HostClaims claims{registry.claims_store,
                    registry.tenants,
                    {registry.clock, system::os_random(), stop.get_token(), "tester@host", {}}};
  CHECK_THROWS_AS(
      (void)create_tenant(registry.tenants, claims, Registry::wanted("bravo", shop), registry.rules(), registry.clock),
      Cancelled);
  CHECK(registry.claims.names() == std::set<std::string>{shop});
  CHECK_FALSE(registry.tenants.get("bravo").has_value());
}

TEST_CASE("tenants from before there were claims are given theirs, and who shares a host is told") {
  Registry registry;
  std::vector<Tenant> tenants;
  const auto add = [&](const char* slug, const char* custom, Phase phase, const char* created) {
    Tenant tenant;
    tenant.slug = tenant.company = slug;
    tenant.custom_domain = custom;
    tenant.status.phase = phase;
    auto document = registry.tenants.create(to_document(tenant));
    document.created = created;
    tenants.push_back(to_tenant(document));
  };
  add("acme", "shop.example.net", Phase::none, "2026-01-01T00:00:00Z");
  add("bravo", "shop.example.net", Phase::active, "2026-02-01T00:00:00Z");
  add("charlie", "delta.litedesk.com", Phase::active, "2026-02-01T00:00:00Z");
  add("delta", "", Phase::none, "2026-03-01T00:00:00Z");
  add("echo", "gone.example.net", Phase::terminated, "2026-03-01T00:00:00Z");
  CHECK(claim_all_hosts(registry.claims, tenants, "litedesk.com") ==
        std::vector<std::string>{
            "delta.litedesk.com is the host of tenant delta and of tenant charlie: delta keeps it, and "
            "charlie needs another custom domain",
            "shop.example.net is the host of tenant bravo and of tenant acme: bravo keeps it, and "
            "acme needs another custom domain"});
  CHECK(registry.owner("shop.example.net") == "bravo");
  CHECK(registry.owner("delta.litedesk.com") == "delta");
  CHECK(registry.claims.names().size() == 6);
  CHECK(claim_all_hosts(registry.claims, tenants, "litedesk.com").size() == 2);
  CHECK(registry.claims.names().size() == 6);
}
