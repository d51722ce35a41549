#include "cli/plan_text.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "cli/saved_plan.hpp"
#include "cli/text.hpp"
#include "memory_runtime.hpp"

using namespace litedesk;
using namespace litedesk::cli;

namespace {

Change change(Verb verb, Provider provider, std::string kind, std::string scope, std::string name,
              Json desired = nullptr) {
  Change made;
  made.verb = verb;
  made.id = {provider, std::move(kind), std::move(scope), std::move(name)};
  made.desired = std::move(desired);
  return made;
}

Plan first_plan() {
  Plan plan;
  plan.slug = "acme";
  plan.context = "production";
  plan.cluster = "prod";
  plan.adds = {500, 1500};
  plan.changes.push_back(change(Verb::create, Provider::kubernetes, "Namespace", "", "instance-acme"));
  for (const char* name : {"backend", "frontend"}) {
    plan.changes.push_back(change(Verb::create, Provider::kubernetes, "Deployment", "instance-acme", name));
  }
  for (const char* name :
       {"allow-dns", "allow-ingress-nginx", "backend-to-database", "default-deny", "frontend-to-backend"}) {
    plan.changes.push_back(change(Verb::create, Provider::kubernetes, "NetworkPolicy", "instance-acme", name));
  }
  plan.changes.push_back(change(Verb::create, Provider::kubernetes, "ClusterRole", "", "instance-acme"));
  plan.changes.push_back(change(Verb::create, Provider::atlas, "DatabaseUser", "5f", "user_acme",
                                {{"scopes", {"crm"}}, {"roles", Json::array()}}));
  plan.changes.push_back(change(Verb::create, Provider::route53, "CNAME", "Z1", "acme.litedesk.com",
                                {{"ttl", 300}, {"values", {"a1b2.elb.amazonaws.com"}}}));
  plan.changes.push_back(
      change(Verb::create, Provider::route53, "TXT", "Z1", "cname-acme.litedesk.com", {{"values", {"\"x\""}}}));
  return plan;
}

Plan later_plan() {
  Plan plan;
  plan.slug = "acme";
  Change update = change(Verb::update, Provider::kubernetes, "Deployment", "instance-acme", "backend");
  update.fields = {
      {"spec.template.spec.containers[backend].image", "litedesk/crm-backend:1.4.1", "litedesk/crm-backend:1.4.2"},
      {"spec.replicas", 2, 3},
      {"metadata.labels.long", nullptr, std::string(100, 'x')},
      {"data.password", "(masked)", "(masked)"}};
  update.note = "compared by managed fields";
  plan.changes.push_back(update);
  plan.changes.push_back(
      change(Verb::remove, Provider::kubernetes, "HorizontalPodAutoscaler", "instance-acme", "backend"));
  plan.changes.push_back(change(Verb::none, Provider::kubernetes, "Namespace", "", "instance-acme"));
  plan.changes.push_back(change(Verb::update, Provider::route53, "CNAME", "Z1", "acme.litedesk.com"));
  plan.changes.back().fields = {{"ttl", 60, 300}};
  plan.warnings = {"97 of 100 database users of the project are taken",
                   "tier enterprise asks for a cluster of its own; strategy atlas-shared places acme on cluster crm"};
  return plan;
}

std::string said(const Plan& plan, bool wide, bool utf8, const char* color, int columns = 0) {
  testing::MemoryStreams streams;
  testing::FixedClock clock;
  Runtime runtime{.streams = streams,
                  .terminal = {.in = false,
                               .out = columns > 0,
                               .err = false,
                               .utf8 = utf8,
                               .size =
                                   [columns] {
                                     return TerminalSize{columns, 24};
                                   }},
                  .environment = {{"TERM", "xterm"}},
                  .folder = {},
                  .clock = clock,
                  .random = system::os_random(),
                  .make_transport = {},
                  .interrupt = std::stop_source()};
  GlobalOptions global;
  global.color = color;
  if (wide) global.output = "wide";
  const Printer printer(runtime, global);
  return plan_text(plan, printer);
}

}  // namespace

TEST_CASE("A plan is as people see it") {
  Plan nothing;
  nothing.slug = "acme";
  std::string all = said(first_plan(), false, true, "never");
  all += "-- wide\n" + said(first_plan(), true, true, "never");
  all += "-- ASCII\n" + said(first_plan(), false, false, "never");
  all += "-- changes\n" + said(later_plan(), false, true, "never");
  all += "-- changes, on a terminal\n" + said(later_plan(), false, true, "never", 80);
  all += "-- in colours\n" + said(later_plan(), true, true, "always");
  all += "-- nothing\n" + said(nothing, false, true, "never");
  CHECK(testing::matches_golden("plan.txt", all));
}

TEST_CASE("The first line names the context and the cluster within the width, whatever they are called") {
  struct Case {
    const char *slug, *context, *cluster, *first;
  };
  const std::vector<Case> cases{
      {"acme", "sandbox", "sandbox", "Plan for acme in sandbox (cluster sandbox): 12 to create · +$5 to $15 a month"},
      {"acme", "production", "arn:aws:eks:eu-central-1:123456789012:cluster/prod",
       "Plan for acme in production (cluster arn:aws:eks:eu-centr…6789012:cluster/prod):"},
      {"acme-industries-of-the-far-nort", "production-of-the-european-region",
       "gke_litedesk-production_europe-west3_prod",
       "Plan for acme-industries-of-the-far-nort in produ…region (cluster gke_l…3_prod):"},
      {"acme", "", "", "Plan for acme: 12 to create · +$5 to $15 a month"},
  };
  for (const Case& each : cases) {
    Plan plan = first_plan();
    plan.slug = each.slug;
    plan.context = each.context;
    plan.cluster = each.cluster;
    const std::string text = said(plan, false, true, "never");
    CHECK(text.substr(0, text.find('\n')) == std::string(each.first));
    CHECK(text.find("12 to create · +$5 to $15 a month\n") != std::string::npos);
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
      CHECK(display_width(rest.substr(0, rest.find('\n'))) <= 80);
    // -o wide cuts nothing.
    CHECK(said(plan, true, true, "never").find(each.cluster) != std::string::npos);
  }
}

TEST_CASE("A plan names everything that is made or deleted") {
  Plan plan = first_plan();
  for (int i = 0; i < 40; ++i)
    plan.changes.push_back(change(i % 2 == 0 ? Verb::create : Verb::remove, Provider::kubernetes, "ConfigMap",
                                  "instance-acme", "map-" + std::to_string(i)));
  const std::string text = said(plan, false, true, "never");
  for (const Change& each : plan.changes) {
    CAPTURE(each.id.name);
    CHECK(text.find(each.id.name) != std::string::npos);
  }
}

TEST_CASE("A value is whole where no terminal would cut it, and a terminal says how to see it") {
  const std::string value(100, 'x');
  CHECK(said(later_plan(), false, true, "never").find(value) != std::string::npos);
  CHECK(said(later_plan(), true, true, "never", 80).find(value) != std::string::npos);
  const std::string on_terminal = said(later_plan(), false, true, "never", 80);
  CHECK(on_terminal.find(value) == std::string::npos);
  CHECK(on_terminal.find("-o wide") != std::string::npos);
  CHECK(said(later_plan(), false, true, "never", 140).find("-o wide") == std::string::npos);
}

TEST_CASE("A saved plan is private, and another tenant's is refused") {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "acme.plan";
  save_plan(path, first_plan());
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(load_plan(path, "acme").fingerprint == fingerprint(first_plan()));
  CHECK_THROWS_AS((void)load_plan(path, "other"), UsageError);
  CHECK_THROWS_AS((void)load_plan(folder.path() / "none", "acme"), NotFound);
  folder.write("bad", "{\"slug\": 1}");
  CHECK_THROWS_AS((void)load_plan(folder.path() / "bad", "acme"), ValidationError);
}
