#include "commands/tenant.hpp"

#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "commands/host_claims.hpp"
#include "commands/tenant_checks.hpp"
#include "commands/tiers.hpp"
#include "providers/error.hpp"
#include "providers/system/process.hpp"
#include "tests/unit/commands/template_folder.hpp"
#include "tests/unit/commands/temporary_registry.hpp"

using namespace litedesk;
using litedesk::testing::TemporaryRegistry;

namespace {

class FixedClock : public system::Clock {
 public:
  [[nodiscard]] system::TimePoint now() const override { return *system::from_rfc3339("2026-02-20T12:00:00Z"); }
  [[nodiscard]] system::SteadyPoint steady() const override { return {}; }
  bool wait(system::milliseconds, std::stop_token stop) const override { return !stop.stop_requested(); }
};
const FixedClock fixed_clock;

NewTenant wanted(const std::string& company) {
  NewTenant tenant;
  tenant.company = company;
  tenant.email = "owner@acme.example";
  return tenant;
}

const Tiers& tiers() {
  static const Tiers built_in{templates::Files()};
  return built_in;
}

TenantRules rules() {
  return {.domain = "litedesk.com", .tiers = tiers()};
}

// Through `store`, which stands before the registry's own.
HostClaims claims_of(TemporaryRegistry& registry, store::Store& store) {
  return {registry.claims(), store, {fixed_clock, system::os_random(), {}, "tester@host", {}}};
}

Tenant create(store::Store& store, TemporaryRegistry& registry, const NewTenant& tenant,
              const TenantRules& by = rules()) {
  HostClaims claims = claims_of(registry, store);
  return create_tenant(store, claims, tenant, by, fixed_clock);
}
Tenant create(TemporaryRegistry& registry, const NewTenant& tenant, const TenantRules& by = rules()) {
  return create(*registry, registry, tenant, by);
}

Tenant update(store::Store& store, TemporaryRegistry& registry, const std::string& slug, const TenantChanges& changes,
              const TenantRules& by = rules()) {
  HostClaims claims = claims_of(registry, store);
  return update_tenant(store, claims, slug, changes, by);
}
Tenant update(TemporaryRegistry& registry, const std::string& slug, const TenantChanges& changes,
              const TenantRules& by = rules()) {
  return update(*registry, registry, slug, changes, by);
}

// No provider is asked.
std::vector<std::string> not_asked(const Tenant& tenant) {
  FAIL("asked what is left of " << tenant.slug);
  return {};
}

void remove(store::Store& store, TemporaryRegistry& registry, const std::string& slug,
            const Remains& remains = not_asked) {
  HostClaims claims = claims_of(registry, store);
  delete_tenant(store, claims, slug, remains);
}
void remove(TemporaryRegistry& registry, const std::string& slug, const Remains& remains = not_asked) {
  remove(*registry, registry, slug, remains);
}

void set_phase(store::Store& registry, const std::string& slug, Phase phase) {
  const auto stored = registry.get(slug);
  REQUIRE(stored.has_value());
  Tenant tenant = to_tenant(*stored);
  tenant.status.phase = phase;
  registry.update(to_document(tenant, &*stored));
}

// "message | hint" of the error of that type; empty when there is none.
template <class E>
std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const E& error) {
    return error.message() + " | " + error.hint();
  }
  return {};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// A registry in which somebody else writes just before the first `times` writes of ours.
class Contended : public store::Store {
 public:
  Contended(store::Store& inner, int times, std::function<void()> interfere)
      : inner_(inner), times_(times), interfere_(std::move(interfere)) {}
  store::Document create(const store::Document& document) override {
    disturb();
    return inner_.create(document);
  }
  std::optional<store::Document> get(std::string_view name) override { return inner_.get(name); }
  std::vector<store::Document> list(std::string_view selector) override { return inner_.list(selector); }
  store::Document update(const store::Document& document) override {
    disturb();
    return inner_.update(document);
  }
  bool remove(std::string_view name, std::string_view version) override {
    disturb();
    return inner_.remove(name, version);
  }
  std::string registry_id() override { return inner_.registry_id(); }
  [[nodiscard]] std::string describe() const override { return inner_.describe(); }

 private:
  void disturb() {
    if (times_-- > 0) interfere_();
  }
  store::Store& inner_;
  int times_;
  std::function<void()> interfere_;
};

}  // namespace

TEST_CASE("a trial begins now and ends fifteen days later") {
  TemporaryRegistry registry;
  const Tenant tenant = create(registry, wanted("Acme Inc"));
  CHECK(tenant.slug == "acme-inc");
  CHECK(tenant.company == "Acme Inc");
  CHECK(tenant.tier == "trial");
  CHECK(tenant.subscription.status == "trial");
  CHECK(tenant.subscription.trial_start == "2026-02-20T12:00:00Z");
  CHECK(tenant.subscription.trial_end == "2026-03-07T12:00:00Z");
  CHECK(tenant.status.phase == Phase::none);
  CHECK(tenant.placement == "dedicated");
  CHECK_FALSE(tenant.version.empty());
  CHECK_FALSE(tenant.id.empty());
  CHECK(get_tenant(*registry, "acme-inc").owner.email == "owner@acme.example");

  NewTenant longer = wanted("Long Trial");
  longer.trial_days = 30;
  CHECK(create(registry, longer).subscription.trial_end == "2026-03-22T12:00:00Z");
}

TEST_CASE("how long a trial lasts is said of trials only") {
  TemporaryRegistry registry;
  NewTenant tenant = wanted("Acme");
  tenant.tier = "starter";
  tenant.trial_days = 10;
  CHECK(refusal<UsageError>([&] { create(registry, tenant); }) ==
        "--trial-days 10 goes with tier trial, and the tier is starter | leave one of them out");
  CHECK(registry->list("").empty());
}

TEST_CASE("a paid tier is active and has no trial; \"paid\" is professional") {
  TemporaryRegistry registry;
  for (const std::string tier : {"starter", "professional", "enterprise", "paid"}) {
    NewTenant tenant = wanted("Company " + tier);
    tenant.tier = tier;
    const Tenant made = create(registry, tenant);
    CHECK(made.tier == (tier == "paid" ? "professional" : tier));
    CHECK(made.subscription.status == "active");
    CHECK(made.subscription.trial_start.empty());
    CHECK(made.subscription.trial_end.empty());
  }
}

TEST_CASE("what is given is stored, trimmed and in its canonical form") {
  TemporaryRegistry registry;
  NewTenant given = wanted("  Acme Inc ");
  given.slug = "acme";
  given.owner_name = " Ann Ærø ";
  given.phone = "+45 12 34";
  given.industry = "Rockets";
  given.company_size = "500+";
  given.custom_domain = "CRM.Acme.Example.";
  given.placement = "shared";
  given.created_by = "ann@build";
  given.tags = {"vip", "north", "vip"};
  const Tenant tenant = create(registry, given);
  CHECK(tenant.company == "Acme Inc");
  CHECK(tenant.slug == "acme");
  CHECK(tenant.owner.name == "Ann Ærø");
  CHECK(tenant.company_size == "500+");
  CHECK(tenant.custom_domain == "crm.acme.example");
  CHECK(tenant.placement == "shared");
  CHECK(tenant.created_by == "ann@build");
  CHECK(tenant.tags == std::vector<std::string>{"vip", "north"});
}

TEST_CASE("every bad field is refused by its flag, and nothing is stored") {
  TemporaryRegistry registry;
  struct Row {
    std::function<void(NewTenant&)> spoil;
    std::string_view message;
  };
  const std::vector<Row> rows = {
      {[](NewTenant& t) { t.company = " "; }, "the company's name is empty"},
      {[](NewTenant& t) { t.company = std::string(201, 'x'); }, "has 201 characters, and at most 200 are allowed"},
      {[](NewTenant& t) { t.company = "Acme\x1b[31m"; }, "control character U+001B"},
      {[](NewTenant& t) { t.company = "caf\xE9"; }, "not valid UTF-8 at byte 4"},
      {[](NewTenant& t) { t.email = ""; }, "--email \"\" is not an e-mail address: it is empty"},
      {[](NewTenant& t) { t.tier = "profesional"; }, "unknown tier profesional"},
      {[](NewTenant& t) { t.company_size = "7"; }, "--size \"7\" is invalid"},
      {[](NewTenant& t) { t.placement = "cloud"; }, "--placement \"cloud\" is invalid"},
      {[](NewTenant& t) { t.custom_domain = "acme"; }, "--custom-domain \"acme\" is not a DNS name: it has no dot"},
      {[](NewTenant& t) { t.owner_name = std::string(201, 'x'); }, "--owner-name has 201"},
      {[](NewTenant& t) { t.phone = std::string(41, '1'); }, "--phone has 41 characters, and at most 40"},
      {[](NewTenant& t) { t.industry = "a\nb"; }, "--industry has the control character"},
      {[](NewTenant& t) { t.tags = {"a b"}; }, "--tag \"a b\" contains ' '"},
      {[](NewTenant& t) { t.tags = {""}; }, "--tag is empty"},
      {[](NewTenant& t) { t.trial_days = 0; }, "--trial-days 0: a trial lasts 1 to 365 days"},
      {[](NewTenant& t) { t.trial_days = 366; }, "--trial-days 366: a trial lasts 1 to 365 days"},
      {[](NewTenant& t) { t.company = "Acme\u202Emoc.live"; },
       "the company's name has the invisible character U+202E at byte 5"},
      {[](NewTenant& t) { t.company = "Ac\u200Bme"; }, "invisible character U+200B at byte 3"},
  };
  for (const Row& row : rows) {
    NewTenant tenant = wanted("Acme Inc");
    row.spoil(tenant);
    const std::string text = refusal<UsageError>([&] { create(registry, tenant); });
    CAPTURE(row.message);
    CAPTURE(text);
    CHECK(has(text, row.message));
    CHECK(text.back() != ' ');  // there is a hint
  }
  CHECK_THROWS_AS((void)check_notes("one\u2028two"), UsageError);
  NewTenant tenant = wanted("HP");
  CHECK_THROWS_AS(create(registry, tenant), ValidationError);
  tenant.slug = "Bad_Slug";
  CHECK_THROWS_AS(create(registry, tenant), ValidationError);
  CHECK(registry->list("").empty());
}

TEST_CASE("an e-mail address is plausible or it is told why not") {
  for (const std::string email : {"a@b.co", "first.last+tag@sub.example.com", "o'brien@example.ie", "josé@exämple.de",
                                  "x_y-z@xn--exmple-cua.com", " padded@example.com "}) {
    CAPTURE(email);
    CHECK_NOTHROW((void)check_email(email));
  }
  struct Row {
    std::string email;
    std::string_view why;
  };
  for (const Row& row : std::vector<Row>{{"acme", "has no '@'"},
                                         {"@acme.example", "nothing before"},
                                         {"owner@", "nothing after"},
                                         {"owner@acme", "it has no dot"},
                                         {"owner@acme..example", "a part of it is empty"},
                                         {"owner@.example", "a part of it is empty"},
                                         {"owner@-acme.example", "begins or ends with '-'"},
                                         {"owner@10.0.0.1", "ends with a number"},
                                         {"owner@ac me.example", "it contains ' '"},
                                         {"ow ner@acme.example", "it contains ' ' before"},
                                         {"a@b@acme.example", "it contains '@' before"},
                                         {"\"a\"@acme.example", "it contains '\"' before"},
                                         {"Ann <ann@acme.example>", "before the '@'"},
                                         {".owner@acme.example", "begins or ends with a dot"},
                                         {"ow..ner@acme.example", "has two in a row"},
                                         {std::string(65, 'x') + "@acme.example", "more than 64"},
                                         {"owner@" + std::string(64, 'x') + ".example", "more than 63"},
                                         {"owner@" + std::string(260, 'x'), "at most 254"}}) {
    const std::string text = refusal<UsageError>([&] { (void)check_email(row.email); });
    CAPTURE(text);
    CHECK(has(text, row.why));
  }
}

TEST_CASE("a custom domain is a DNS name or it is told why not") {
  CHECK(check_custom_domain("").empty());
  CHECK(check_custom_domain("Crm.Acme.example.") == "crm.acme.example");
  CHECK(check_custom_domain("xn--exmple-cua.de") == "xn--exmple-cua.de");
  struct Row {
    std::string domain;
    std::string_view why;
  };
  for (const Row& row : std::vector<Row>{{"https://crm.acme.example", "it contains ':'"},
                                         {"crm.acme.example/x", "it contains '/'"},
                                         {"crm_1.acme.example", "it contains '_'"},
                                         {"*.acme.example", "it contains '*'"},
                                         {"exämple.de", "xn--"},
                                         {"acme.example..", "a part of it is empty"},
                                         {"192.168.0.1", "ends with a number"},
                                         {"localhost", "it has no dot"},
                                         {".", "a part of it is empty"}}) {
    const std::string text = refusal<UsageError>([&] { (void)check_custom_domain(row.domain); });
    CAPTURE(row.domain);
    CAPTURE(text);
    CHECK(has(text, row.why));
  }
}

TEST_CASE("a slug that is taken is a conflict that names whose it is and a free one") {
  TemporaryRegistry registry;
  CHECK(create(registry, wanted("Acme Inc")).slug == "acme-inc");
  const auto taken = [&](const NewTenant& tenant) {
    try {
      create(registry, tenant);
    } catch (const SlugTaken& error) {
      return error.message() + " | " + error.hint() + " | " + error.free();
    }
    return std::string();
  };
  CHECK(taken(wanted("ACME, Inc.")) ==
        "the slug acme-inc is taken by tenant acme-inc (Acme Inc) | register another tenant with --slug acme-inc-2 | "
        "acme-inc-2");
  NewTenant given = wanted("Another");
  given.slug = "acme-inc-2";
  CHECK(create(registry, given).slug == "acme-inc-2");
  CHECK(has(taken(wanted("Acme Inc")), "--slug acme-inc-3"));
  // A slug that was given is no company's name to derive another one from.
  CHECK(taken(given) ==
        "the slug acme-inc-2 is taken by tenant acme-inc-2 (Another) | register another tenant with --slug "
        "acme-inc-2-2 | ");
  CHECK(registry->list("").size() == 2);
}

TEST_CASE("numbered slugs that are reserved are not offered") {
  TemporaryRegistry registry;
  create(registry, wanted("CNAME"));
  CHECK(refusal<SlugTaken>([&] { create(registry, wanted("CNAME")); }) ==
        "the slug cname is taken by tenant cname (CNAME) | choose another one with --slug");
}

TEST_CASE("a terminated tenant's slug stays taken") {
  TemporaryRegistry registry;
  create(registry, wanted("Acme"));
  for (const Phase phase : {Phase::provisioning, Phase::active, Phase::terminated}) set_phase(*registry, "acme", phase);
  CHECK_THROWS_AS(create(registry, wanted("Acme")), SlugTaken);
}

TEST_CASE("of two creations of one name at once the second is told") {
  TemporaryRegistry registry;
  const auto other = registry.open();
  Contended contended(*registry, 1, [&] { create(*other, registry, wanted("Acme")); });
  CHECK_THROWS_AS(create(contended, registry, wanted("Acme")), SlugTaken);
  CHECK(registry->list("").size() == 1);
  CHECK(claims_of(registry, *registry).owner("acme.litedesk.com").value().slug == "acme");
}

TEST_CASE("of ten companies of one name registered at once one is") {
  TemporaryRegistry registry;
  std::atomic<int> registered{0}, taken{0}, failed{0};
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < 10; ++number) {
      threads.emplace_back([&] {
        try {
          const auto tenants = registry.open(), hosts = registry.open("HostClaim");
          HostClaims claims(*hosts, *tenants, {system::real_clock(), system::os_random(), {}, "tester@host", {}});
          (void)create_tenant(*tenants, claims, wanted("Acme"), rules(), system::real_clock());
          ++registered;
        } catch (const SlugTaken&) {
          ++taken;
        } catch (const std::exception&) {
          ++failed;
        }
      });
    }
  }
  CHECK(failed == 0);
  CHECK(registered == 1);
  CHECK(taken == 9);
  CHECK(registry.claims().list("").size() == 1);
}

TEST_CASE("two tenants cannot have one custom domain") {
  TemporaryRegistry registry;
  NewTenant first = wanted("Acme");
  first.custom_domain = "crm.acme.example";
  create(registry, first);
  NewTenant second = wanted("Other");
  second.custom_domain = "CRM.acme.example";
  CHECK(has(refusal<Conflict>([&] { create(registry, second); }),
            "crm.acme.example is the custom domain of tenant acme"));
  second.custom_domain.clear();
  create(registry, second);
  TenantChanges changes;
  changes.custom_domain = "crm.acme.example";
  CHECK_THROWS_AS((void)update(registry, "other", changes), Conflict);
  CHECK_NOTHROW((void)update(registry, "acme", changes));
}

TEST_CASE("a custom domain below the base domain is nobody else's host and none of LiteDesk's own") {
  TemporaryRegistry registry;
  create(registry, wanted("Acme"));
  create(registry, wanted("Globex"));
  struct Row {
    std::string domain;
    std::string_view message;
  };
  for (const Row& row : std::vector<Row>{
           {"litedesk.com", "is LiteDesk's own domain | give one of the customer's own"},
           {"LiteDesk.com.", "is LiteDesk's own domain"},
           {"api.litedesk.com", "is LiteDesk's own host | api is reserved"},
           {"acme.litedesk.com", "is already the tenant's own host | leave --custom-domain out"},
           {"crm.globex.litedesk.com", "is below another name of litedesk.com"},
           {"x.api.litedesk.com", "is below another name of litedesk.com"},
           {"xacme.y.litedesk.com", "is below another name of litedesk.com"},
           {"crm.xacme.litedesk.com", "is below another name of litedesk.com"},
           {std::string(58, 'x') + ".litedesk.com", "has a first label of 58 characters | at most 57 are possible"},
           {std::string(58, 'x') + ".acme.litedesk.com", "has a first label of 58 characters"}}) {
    TenantChanges changes;
    changes.custom_domain = row.domain;
    const std::string text = refusal<UsageError>([&] { (void)update(registry, "acme", changes); });
    CAPTURE(row.domain);
    CAPTURE(text);
    CHECK(has(text, row.message));
    NewTenant tenant = wanted("Acme Too");
    tenant.slug = "acme-too";
    tenant.custom_domain = row.domain;
    const bool others = row.domain == "acme.litedesk.com" || row.domain.find(".acme.") != std::string::npos;
    if (!others) CHECK_THROWS_AS(create(registry, tenant), UsageError);
  }
  CHECK(registry->list("").size() == 2);

  TenantChanges changes;
  changes.custom_domain = "globex.litedesk.com";
  CHECK(refusal<Conflict>([&] { (void)update(registry, "acme", changes); }) ==
        "the custom domain globex.litedesk.com is the host of tenant globex | choose a name that no tenant uses");
  NewTenant third = wanted("Initech");
  third.custom_domain = "acme.litedesk.com";
  CHECK_THROWS_AS(create(registry, third), Conflict);
  third.custom_domain = "initech.litedesk.com";
  CHECK(has(refusal<UsageError>([&] { create(registry, third); }), "is already the tenant's own host"));

  for (const char* domain : {"shop.litedesk.com", "crm.acme.litedesk.com", "notlitedesk.com", "api.acme.example"}) {
    CAPTURE(domain);
    changes.custom_domain = domain;
    CHECK(update(registry, "acme", changes).custom_domain == domain);
  }
}

TEST_CASE("a slug whose host is somebody's custom domain is taken") {
  TemporaryRegistry registry;
  NewTenant acme = wanted("Acme");
  acme.custom_domain = "shop.litedesk.com";
  create(registry, acme);
  CHECK(refusal<SlugTaken>([&] { create(registry, wanted("Shop")); }) ==
        "the slug shop is taken: shop.litedesk.com is the custom domain of tenant acme | register another tenant with "
        "--slug shop-2");
}

TEST_CASE("tiers are those of the file") {
  testing::TemplateFolder folder;
  folder.change("tiers.yaml", "- name: starter", "- name: gold");
  const Tiers replaced(folder.files());
  const TenantRules theirs{.domain = "litedesk.com", .tiers = replaced};
  TemporaryRegistry registry;
  NewTenant tenant = wanted("Acme");
  tenant.tier = "gold";
  CHECK_THROWS_AS(create(registry, tenant), UsageError);
  CHECK(create(registry, tenant, theirs).tier == "gold");
  tenant = wanted("Bravo");
  CHECK(create(registry, tenant, theirs).tier == "trial");
  TenantChanges changes;
  changes.tier = "gold";
  CHECK(update(registry, "bravo", changes, theirs).tier == "gold");
  changes.tier = "trial";
  CHECK(has(refusal<UsageError>([&] {
              TenantChanges old;
              old.tier = "starter";
              (void)update(registry, "bravo", old, theirs);
            }),
            "unknown tier starter"));
  CHECK(has(refusal<Conflict>([&] { (void)update(registry, "acme", changes, theirs); }),
            "gold is the smallest paid tier"));
  // Whoever reads with another file still finds whom it has, behind the tiers that it knows.
  create(registry, wanted("Charlie"));
  TenantFilter filter;
  filter.tier = "gold";
  CHECK(list_tenants(*registry, filter, tiers()).size() == 2);
  filter = {};
  filter.sort_by = "tier";
  CHECK(list_tenants(*registry, filter, tiers()).front().slug == "charlie");
}

TEST_CASE("a slug that nobody has gets the nearest one, or the one of the company that was meant") {
  TemporaryRegistry registry;
  CHECK(has(refusal<NotFound>([&] { (void)get_tenant(*registry, "acme"); }), "no tenant is registered yet"));
  create(registry, wanted("Acme Inc"));
  create(registry, wanted("Globex"));
  CHECK(refusal<NotFound>([&] { (void)get_tenant(*registry, "acme-icn"); }) ==
        "tenant acme-icn not found | did you mean \"acme-inc\"?");
  CHECK(
      has(refusal<NotFound>([&] { (void)get_tenant(*registry, "acme inc"); }), "the slug of that company is acme-inc"));
  CHECK(
      has(refusal<NotFound>([&] { (void)get_tenant(*registry, "initech"); }), "list them with: litedesk tenant list"));
  CHECK_THROWS_AS((void)get_tenant(*registry, ""), UsageError);
}

TEST_CASE("a list is filtered and sorted") {
  TemporaryRegistry registry;
  const auto add = [&](const std::string& company, const std::string& tier, const std::string& placement,
                       const std::vector<std::string>& tags) {
    NewTenant tenant = wanted(company);
    tenant.tier = tier;
    tenant.placement = placement;
    tenant.tags = tags;
    return create(registry, tenant).slug;
  };
  add("delta", "enterprise", "dedicated", {"vip"});
  add("Bravo", "trial", "shared", {"vip", "north"});
  add("alpha", "professional", "dedicated", {});
  add("Charlie", "starter", "shared", {"north"});
  set_phase(*registry, "alpha", Phase::provisioning);
  set_phase(*registry, "alpha", Phase::active);
  set_phase(*registry, "delta", Phase::provisioning);

  const auto slugs = [&](const std::function<void(TenantFilter&)>& set) {
    TenantFilter filter;
    set(filter);
    std::string found;
    for (const Tenant& tenant : list_tenants(*registry, filter, tiers()))
      found += (found.empty() ? "" : " ") + tenant.slug;
    return found;
  };
  CHECK(slugs([](TenantFilter&) {}) == "alpha bravo charlie delta");
  CHECK(slugs([](TenantFilter& f) { f.tier = "paid"; }) == "alpha");
  CHECK(slugs([](TenantFilter& f) { f.placement = "shared"; }) == "bravo charlie");
  CHECK(slugs([](TenantFilter& f) { f.phase = "active"; }) == "alpha");
  CHECK(slugs([](TenantFilter& f) { f.phase = "none"; }) == "bravo charlie");
  CHECK(slugs([](TenantFilter& f) { f.tag = "vip"; }) == "bravo delta");
  CHECK(slugs([](TenantFilter& f) { f.tag = "vip", f.placement = "shared"; }) == "bravo");
  CHECK(slugs([](TenantFilter& f) { f.selector = "litedesk.io/tier in (trial,starter)"; }) == "bravo charlie");
  CHECK(slugs([](TenantFilter& f) { f.tag = "nobody"; }).empty());
  CHECK(slugs([](TenantFilter& f) { f.sort_by = "company"; }) == "alpha bravo charlie delta");
  CHECK(slugs([](TenantFilter& f) { f.sort_by = "tier"; }) == "bravo charlie alpha delta");
  CHECK(slugs([](TenantFilter& f) { f.sort_by = "status"; }) == "bravo charlie delta alpha");
  CHECK(slugs([](TenantFilter& f) { f.sort_by = "created"; }).size() == 25);
  CHECK(
      has(refusal<UsageError>([&] { slugs([](TenantFilter& f) { f.sort_by = "teir"; }); }), "did you mean \"tier\"?"));
  CHECK_THROWS_AS(slugs([](TenantFilter& f) { f.phase = "actve"; }), ValidationError);
  CHECK_THROWS_AS(slugs([](TenantFilter& f) { f.tier = "gold"; }), UsageError);
  CHECK_THROWS_AS(slugs([](TenantFilter& f) { f.selector = "a b"; }), ValidationError);
}

TEST_CASE("an update changes what is named and nothing else") {
  TemporaryRegistry registry;
  NewTenant given = wanted("Acme");
  given.industry = "rockets";
  given.tags = {"a"};
  const Tenant before = create(registry, given);
  TenantChanges changes;
  changes.company = "Acme A/S";
  changes.tags = std::vector<std::string>{};
  changes.notes = "line one\nline two";
  const Tenant after = update(registry, "acme", changes);
  CHECK(after.slug == "acme");
  CHECK(after.company == "Acme A/S");
  CHECK(after.tags.empty());
  CHECK(after.notes == "line one\nline two");
  CHECK(after.industry == "rockets");
  CHECK(after.owner == before.owner);
  CHECK(after.version != before.version);
  changes = {};
  changes.industry = "";
  CHECK(update(registry, "acme", changes).industry.empty());
  CHECK(update(registry, "acme", {}).version == get_tenant(*registry, "acme").version);
}

TEST_CASE("an update that is refused changes nothing") {
  TemporaryRegistry registry;
  const Tenant before = create(registry, wanted("Acme"));
  TenantChanges changes;
  changes.company = "New";
  changes.email = "nobody";
  CHECK_THROWS_AS((void)update(registry, "acme", changes), UsageError);
  CHECK(get_tenant(*registry, "acme").version == before.version);
  changes.email.reset();
  CHECK_THROWS_AS((void)update(registry, "acne", changes), NotFound);
}

TEST_CASE(
    "a trial that is converted is active and remembers its trial; it may go back, what never was on trial may not") {
  TemporaryRegistry registry;
  const Tenant trial = create(registry, wanted("Acme"));
  TenantChanges changes;
  changes.tier = "paid";
  const Tenant paid = update(registry, "acme", changes);
  CHECK(paid.tier == "professional");
  CHECK(paid.subscription.status == "active");
  CHECK(paid.subscription.trial_end == trial.subscription.trial_end);
  CHECK(registry->get("acme")->labels.at("litedesk.io/tier") == "professional");
  changes.tier = "trial";
  CHECK(update(registry, "acme", changes).subscription.status == "trial");
  NewTenant never = wanted("Globex");
  never.tier = "starter";
  create(registry, never);
  CHECK_THROWS_AS((void)update(registry, "globex", changes), Conflict);
}

TEST_CASE("the placement stays while an instance exists") {
  TemporaryRegistry registry;
  create(registry, wanted("Acme"));
  TenantChanges changes;
  changes.placement = "shared";
  CHECK(update(registry, "acme", changes).placement == "shared");
  changes.placement = "dedicated";
  CHECK(update(registry, "acme", changes).placement == "dedicated");
  set_phase(*registry, "acme", Phase::provisioning);
  changes.placement = "shared";
  CHECK(has(refusal<Conflict>([&] { (void)update(registry, "acme", changes); }),
            "acme has an instance (provisioning): its placement stays dedicated"));
}

TEST_CASE("an update is made again on a record that somebody else has just changed, a few times and not for ever") {
  TemporaryRegistry registry;
  create(registry, wanted("Acme"));
  int round = 0;
  const auto interfere = [&] {
    TenantChanges theirs;
    theirs.notes = "theirs " + std::to_string(++round);
    (void)update(registry, "acme", theirs);
  };
  TenantChanges ours;
  ours.industry = "rockets";
  Contended twice(*registry, 2, interfere);
  const Tenant tenant = update(twice, registry, "acme", ours);
  CHECK(tenant.industry == "rockets");
  CHECK(tenant.notes == "theirs 2");
  ours.industry = "trains";
  Contended always(*registry, 1000, interfere);
  CHECK_THROWS_AS((void)update(always, registry, "acme", ours), Conflict);
  CHECK(round == 5);
}

TEST_CASE("a tenant is deleted only without an instance") {
  TemporaryRegistry registry;
  create(registry, wanted("Acme"));
  set_phase(*registry, "acme", Phase::provisioning);
  CHECK(refusal<Conflict>([&] { remove(registry, "acme"); }) ==
        "acme is provisioning: its instance exists | litedesk instance provision acme finishes it, or undoes it");
  for (const Phase phase : {Phase::active, Phase::suspended}) {
    set_phase(*registry, "acme", phase);
    CHECK_THROWS_AS(remove(registry, "acme"), Conflict);
  }
  set_phase(*registry, "acme", Phase::terminated);
  remove(registry, "acme");
  CHECK_FALSE(registry->get("acme").has_value());
  CHECK_THROWS_AS(remove(registry, "acme"), NotFound);
  create(registry, wanted("Globex"));
  remove(registry, "globex");
  CHECK(registry->list("").empty());
}

TEST_CASE("what failed before it ever was active is deleted once nothing of it is left") {
  TemporaryRegistry registry;
  create(registry, wanted("Acme"));
  set_phase(*registry, "acme", Phase::provisioning);
  set_phase(*registry, "acme", Phase::failed);
  const auto something = [](const Tenant&) {
    return std::vector<std::string>{"namespace instance-acme", "database user user_acme"};
  };
  CHECK(refusal<Conflict>([&] { remove(registry, "acme", something); }) ==
        "acme is failed, and parts of its instance remain: namespace instance-acme, database user user_acme | "
        "litedesk instance provision acme finishes it, or undoes it");
  CHECK(registry->get("acme").has_value());
  CHECK_THROWS_AS(
      remove(registry, "acme",
             [](const Tenant&) -> std::vector<std::string> { throw Unavailable("the cluster does not answer"); }),
      Unavailable);
  SUBCASE("nothing left") {
    remove(registry, "acme", [](const Tenant&) { return std::vector<std::string>{}; });
    CHECK_FALSE(registry->get("acme").has_value());
  }
  SUBCASE("one that was active has data that nobody may lose so") {
    const auto stored = registry->get("acme");
    Tenant tenant = to_tenant(*stored);
    tenant.status.activated_at = "2026-02-20T12:00:00Z";
    registry->update(to_document(tenant, &*stored));
    CHECK(has(refusal<Conflict>([&] { remove(registry, "acme"); }), "acme is failed: its instance exists"));
  }
  SUBCASE("a run that begins meanwhile is seen") {
    Contended contended(*registry, 1, [&] { set_phase(*registry, "acme", Phase::provisioning); });
    CHECK(has(refusal<Conflict>([&] {
                remove(contended, registry, "acme", [](const Tenant&) { return std::vector<std::string>{}; });
              }),
              "acme is provisioning"));
  }
}

TEST_CASE("a deletion looks again when the record changes under it") {
  TemporaryRegistry registry;
  create(registry, wanted("Acme"));
  SUBCASE("an instance that has just been begun is seen") {
    Contended contended(*registry, 1, [&] { set_phase(*registry, "acme", Phase::provisioning); });
    CHECK(has(refusal<Conflict>([&] { remove(contended, registry, "acme"); }), "its instance exists"));
    CHECK(registry->get("acme").has_value());
  }
  SUBCASE("a change of the notes is no reason to stop") {
    Contended contended(*registry, 1, [&] {
      TenantChanges changes;
      changes.notes = "x";
      (void)update(registry, "acme", changes);
    });
    remove(contended, registry, "acme");
    CHECK_FALSE(registry->get("acme").has_value());
  }
}

TEST_CASE("a tenant that somebody works on is not deleted, one whose worker is gone is") {
  TemporaryRegistry registry;
  create(registry, wanted("Acme"));
  const auto lock = [&](const system::ProcessIdentity& process) {
    const auto stored = registry->get("acme");
    Tenant tenant = to_tenant(*stored);
    OperationRecord operation;
    operation.id = "op-" + process.start_time;
    operation.verb = "provision";
    operation.holder = "ann@build";
    operation.host = process.host;
    operation.boot_id = process.boot_id;
    operation.pid = process.pid;
    operation.start_time = process.start_time;
    operation.since = operation.renewed = "2026-02-20T12:00:00.000000Z";
    tenant.status.operation = operation;
    registry->update(to_document(tenant, &*stored));
  };
  system::ProcessIdentity process = system::this_process();
  lock(process);
  CHECK(has(refusal<Locked>([&] { remove(registry, "acme"); }), "ann@build"));
  process.start_time = "1";  // the same number, but another process than the one that has it now
  lock(process);
  CHECK_NOTHROW(remove(registry, "acme"));
}
