#include "commands/planner.hpp"

#include <algorithm>
#include <string_view>

#include <doctest/doctest.h>

#include "commands/dns_records.hpp"
#include "commands/provenance.hpp"
#include "providers/error.hpp"
#include "tests/unit/commands/json_schema.hpp"

using namespace litedesk;
using kubernetes::Object;

namespace {

Json object(const char* api_version, const char* kind, const std::string& name_space, const std::string& name) {
  Json json = {
      {"apiVersion", api_version},
      {"kind", kind},
      {"metadata",
       {{"name", name}, {"labels", {{"app.kubernetes.io/managed-by", "litedesk"}, {"litedesk.io/tenant", "acme"}}}}}};
  if (!name_space.empty()) json["metadata"]["namespace"] = name_space;
  return json;
}

// An instance that is wanted, and a world in which nothing of it is there.
struct Case {
  Settings settings;
  LiveState live;
  DesiredState desired;
  std::map<kubernetes::ObjectRef, DryRun> dry_runs;

  Case() {
    settings.context = "test";
    settings.database.projects = {"p1"};
    live.tenant.slug = "acme";
    live.registry_id = "registry-1";
    live.zone = route53::HostedZoneId{"Z1"};
    live.hosts = {{"acme.litedesk.com", {}, {}}};
    auto space = object("v1", "Namespace", "", "instance-acme");
    space["metadata"]["annotations"] = {{std::string(registry_annotation), "registry-1"}};
    desired.objects = {space, object("apps/v1", "Deployment", "instance-acme", "backend"),
                       object("networking.k8s.io/v1", "Ingress", "instance-acme", "litedesk"),
                       object("batch/v1", "Job", "instance-acme", "first-data")};
    desired.objects[1]["spec"] = {{"replicas", 2}};
    desired.user.username = "user_acme";
    desired.user.labels = {{std::string(label_tenant), "acme"},
                           {std::string(label_registry), "registry-1"},
                           {std::string(label_password), "m"}};
    DesiredRecord record;
    record.host = "acme.litedesk.com";
    record.record = {.name = record.host,
                     .type = "CNAME",
                     .values = {"lb.example.com"},
                     .alias = {},
                     .set_identifier = {},
                     .routing_xml = {}};
    record.owner = {.name = owner_record_name(record.host, "CNAME"),
                    .type = "TXT",
                    .values = {route53::quote_txt(owner_text("registry-1", "acme"))},
                    .alias = {},
                    .set_identifier = {},
                    .routing_xml = {}};
    desired.records = {record};
  }

  void make_live(std::size_t index) {
    auto json = desired.objects[index];
    json["metadata"]["uid"] = "uid-" + std::to_string(index);
    const Object there(json);
    live.objects.emplace(there.ref(), there);
    if (index == 0) live.tenant.status.namespace_uid = "uid-0";
    live.tenant.status.inventory.push_back(inventory_entry(there.ref()));
    dry_runs[there.ref()] = {json, false, {}};
  }
  void all_live() {
    for (std::size_t index = 0; index < desired.objects.size(); ++index) make_live(index);
    live.tenant.status.hosts = {"acme.litedesk.com"};
    live.user = desired.user;
    live.hosts[0].records = {desired.records[0].record};
    live.hosts[0].owner_records = {desired.records[0].owner};
  }
  Plan plan(bool adopt = false) const { return make_plan({settings, live, desired, dry_runs, {500, 1500}, adopt}); }
};

const Change& find(const Plan& plan, std::string_view kind) {
  const auto found = std::find_if(plan.changes.begin(), plan.changes.end(),
                                  [&](const Change& change) { return change.id.kind == kind; });
  REQUIRE(found != plan.changes.end());
  return *found;
}

}  // namespace

TEST_CASE("with nothing there, everything is created, and the plan says what it adds") {
  const auto plan = Case().plan();
  CHECK(plan.count(Verb::create) == 7);
  CHECK(plan.changes.size() == 7);
  CHECK(plan.adds == Money{500, 1500});
}

TEST_CASE("with everything there as wanted, nothing changes") {
  Case c;
  c.all_live();
  const auto plan = c.plan();
  CHECK(plan.empty());
  CHECK(plan.changes.size() == 7);
}

TEST_CASE("the order is that of the waves, then of the names, whatever the order of the templates") {
  Case a, b;
  std::reverse(b.desired.objects.begin(), b.desired.objects.end());
  const auto plan = a.plan();
  CHECK(fingerprint(plan) == fingerprint(b.plan()));
  for (std::size_t index = 1; index < plan.changes.size(); ++index)
    CHECK(wave_of(plan.changes[index - 1].id) <= wave_of(plan.changes[index].id));
}

TEST_CASE("what lies in the namespace waits for it, routing for DNS, first data for the database user") {
  const auto plan = Case().plan();
  const auto depends_on = [&](const char* kind, const char* other) {
    const auto& ids = find(plan, kind).depends_on;
    return std::any_of(ids.begin(), ids.end(), [&](const ResourceId& id) { return id.kind == other; });
  };
  CHECK(depends_on("Deployment", "Namespace"));
  CHECK_FALSE(depends_on("Deployment", "CNAME"));
  CHECK(depends_on("Ingress", "CNAME"));
  CHECK(depends_on("Job", "DatabaseUser"));
  CHECK(find(plan, "Namespace").depends_on.empty());
}

TEST_CASE("a field that a dry run would change is an update, with the field") {
  Case c;
  c.all_live();
  for (auto& [ref, run] : c.dry_runs)
    if (ref.type.kind == "Deployment") run.result["spec"]["replicas"] = 3;
  const auto plan = c.plan();
  CHECK(plan.count(Verb::update) == 1);
  const auto& change = find(plan, "Deployment");
  REQUIRE(change.fields.size() == 1);
  CHECK(change.fields[0].path == "spec.replicas");
  CHECK(change.uid == "uid-1");
}

TEST_CASE("where a dry run is refused, the managed fields are compared, and the plan says so") {
  Case c;
  c.all_live();
  for (auto& [ref, run] : c.dry_runs) run = {nullptr, true, {}};
  const auto plan = c.plan();
  CHECK(plan.empty());
  CHECK(find(plan, "Deployment").note.find("dry run is not permitted") != std::string::npos);
}

TEST_CASE("a quota is narrowed only once the instance is ready") {
  const auto quota = [](Json hard) { return Json{{"kind", "ResourceQuota"}, {"spec", {{"hard", std::move(hard)}}}}; };
  const auto live = quota({{"pods", "27"}, {"limits.cpu", "1500m"}, {"secrets", "3"}});
  // Wider or equal everywhere: at once.
  CHECK(interim_quota(live, quota({{"pods", 27}, {"limits.cpu", "2"}, {"secrets", "3"}})).is_null());
  // A limit that goes away is wider too.
  CHECK(interim_quota(live, quota({{"pods", "27"}})).is_null());
  // Narrower somewhere, wider elsewhere: the wider of the two, and no limit that is new.
  CHECK(interim_quota(live, quota({{"pods", "11"}, {"limits.cpu", "2"}, {"services", "5"}})) ==
        quota({{"pods", "27"}, {"limits.cpu", "2"}}));

  Case c;
  c.desired.objects.push_back(object("v1", "ResourceQuota", "instance-acme", "instance"));
  c.desired.objects.back()["spec"] = {{"hard", {{"pods", "11"}}}};
  c.all_live();
  const auto ref = Object(c.desired.objects.back()).ref();
  auto there = c.live.objects.at(ref).json();
  there["spec"]["hard"]["pods"] = "27";
  c.live.objects.at(ref) = Object(there);
  const auto plan = c.plan();
  REQUIRE(plan.count(Verb::update) == 1);
  const auto change = std::find_if(plan.changes.begin(), plan.changes.end(),
                                   [](const Change& each) { return each.id.kind == "ResourceQuota"; });
  CHECK(change->interim["spec"]["hard"]["pods"] == "27");
  CHECK(change->desired["spec"]["hard"]["pods"] == "11");
}

TEST_CASE("a namespace is the tenant's by the UID in its record, and by nothing that is written on it") {
  Case c;
  auto foreign = c.desired.objects[0];  // with this registry's annotation, which everybody can read
  foreign["metadata"]["uid"] = "theirs";
  const auto ref = Object(foreign).ref();
  c.live.objects.emplace(ref, Object(foreign));
  c.dry_runs[ref] = {foreign, false, {}};
  const auto is_conflict = [&] { CHECK_THROWS_AS(static_cast<void>(c.plan()), Conflict); };
  SUBCASE("the record knows no namespace") {
    is_conflict();
  }
  SUBCASE("the record knows another") {
    c.live.tenant.status.namespace_uid = "uid-0";
    is_conflict();
  }
  SUBCASE("a run noted that it would create it, but this one is not that run's") {
    c.live.tenant.status.operation = OperationRecord();
    c.live.tenant.status.operation->id = "run-1";
    c.live.tenant.status.operation->intent = {"create kubernetes Namespace instance-acme"};
    is_conflict();
    foreign["metadata"]["annotations"][std::string(run_annotation)] = "run-1";
    c.live.objects.insert_or_assign(ref, Object(foreign));
    CHECK(find(c.plan(), "Namespace").verb != Verb::create);
  }
  SUBCASE("another registry's is not to be had at all") {
    foreign["metadata"]["annotations"][std::string(registry_annotation)] = "registry-2";
    c.live.objects.insert_or_assign(ref, Object(foreign));
    is_conflict();
    CHECK_THROWS_AS(static_cast<void>(c.plan(true)), Conflict);
  }
  SUBCASE("whoever says so takes it over") {
    const auto plan = c.plan(true);
    CHECK(find(plan, "Namespace").adopted);
    CHECK(find(plan, "Namespace").note == "taken over: it was not made for this tenant");
  }
}

TEST_CASE("an object that stood in the instance's namespace before is not the tenant's either") {
  Case c;
  c.all_live();
  CHECK(c.plan().empty());
  std::erase(c.live.tenant.status.inventory, "apps/v1 Deployment backend");
  CHECK_THROWS_AS(static_cast<void>(c.plan()), Conflict);
  const auto plan = c.plan(true);
  CHECK(find(plan, "Deployment").adopted);
  CHECK_FALSE(find(plan, "Ingress").adopted);
  c.live.tenant.status.operation = OperationRecord();
  c.live.tenant.status.operation->intent = {"create kubernetes Deployment instance-acme/backend"};
  CHECK_FALSE(find(c.plan(), "Deployment").adopted);
}

TEST_CASE("an owner record alone does not make a record set the tenant's") {
  Case c;
  c.all_live();
  c.live.tenant.status.hosts = {};
  CHECK_THROWS_AS(static_cast<void>(c.plan()), Conflict);
  const auto plan = c.plan(true);
  CHECK(find(plan, "CNAME").adopted);
  CHECK(find(plan, "TXT").adopted);
}

TEST_CASE("a plan shows who else acts on the instance") {
  Case c;
  c.all_live();
  const auto named = [](const char* kind, const char* name) {
    return Object(object("v1", kind, "instance-acme", name));
  };
  c.live.surroundings.policies = {named("NetworkPolicy", "deny-all"), named("NetworkPolicy", "allow-all")};
  c.desired.objects.push_back(object("networking.k8s.io/v1", "NetworkPolicy", "instance-acme", "deny-all"));
  c.live.surroundings.unread = {"role bindings"};
  const auto warnings = c.plan().warnings;
  REQUIRE(warnings.size() == 2);
  CHECK(
      warnings[0] ==
      "NetworkPolicy allow-all was not made by litedesk: it may let in or out what the instance's own policies do not");
  CHECK(warnings[1] == "not permitted to list role bindings: foreign ones are not shown");
}

TEST_CASE("a namespace that is being deleted is a conflict") {
  Case c;
  auto going = c.desired.objects[0];
  going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  c.live.objects.emplace(Object(going).ref(), Object(going));
  CHECK_THROWS_AS(static_cast<void>(c.plan()), Conflict);
}

TEST_CASE("a database user of somebody else is a conflict; one whose password is not the Secret's is updated") {
  Case c;
  c.live.user = c.desired.user;
  c.live.user->labels[std::string(label_password)] = "other";
  CHECK(find(c.plan(), "DatabaseUser").verb == Verb::update);
  c.live.user->labels[std::string(label_registry)] = "registry-2";
  CHECK_THROWS_AS(static_cast<void>(c.plan()), Conflict);
  c.live.user->labels.clear();
  CHECK_THROWS_AS(static_cast<void>(c.plan()), Conflict);
}

TEST_CASE("labels that others put on our database user are theirs") {
  Case c;
  c.all_live();
  c.live.user->labels["team"] = "blue";
  CHECK(c.plan().empty());
}

TEST_CASE("a full Atlas project is refused, a nearly full one is warned of") {
  Case c;
  c.live.user_limit = atlas::Limit{100, 100};
  CHECK_THROWS_AS(static_cast<void>(c.plan()), Failed);
  c.live.user_limit = atlas::Limit{100, 92};
  CHECK(c.plan().warnings.size() == 1);
  c.live.user_limit = atlas::Limit{100, 20};
  CHECK(c.plan().warnings.empty());
}

TEST_CASE("a record without our owner record is not touched") {
  Case c;
  c.live.hosts[0].records = {c.desired.records[0].record};
  CHECK_THROWS_AS(static_cast<void>(c.plan()), Conflict);
}

TEST_CASE("a record that another registry or another tenant owns is not touched") {
  for (const auto& text : {owner_text("registry-2", "acme"), owner_text("registry-1", "other")}) {
    Case c;
    c.all_live();
    c.live.hosts[0].owner_records[0].values = {route53::quote_txt(text)};
    CHECK_THROWS_AS(static_cast<void>(c.plan()), Conflict);
  }
}

TEST_CASE("our record with another target is updated; one of another type is replaced in the same plan") {
  Case c;
  c.all_live();
  c.live.hosts[0].records[0].values = {"old.example.com"};
  CHECK(find(c.plan(), "CNAME").verb == Verb::update);

  Case d;
  d.all_live();
  auto& record = d.live.hosts[0].records[0];
  record.type = "A";
  record.values = {"192.0.2.1"};
  auto owner = d.desired.records[0].owner;
  owner.name = owner_record_name("acme.litedesk.com", "A");
  d.live.hosts[0].owner_records = {owner};
  const auto plan = d.plan();
  CHECK(find(plan, "A").verb == Verb::remove);
  CHECK(find(plan, "CNAME").verb == Verb::create);
}

TEST_CASE("an object of another tier is deleted only when its labels say that it is this tenant's") {
  Case c;
  c.all_live();
  auto extra = object("autoscaling/v2", "HorizontalPodAutoscaler", "instance-acme", "backend");
  extra["metadata"]["uid"] = "uid-hpa";
  c.live.objects.emplace(Object(extra).ref(), Object(extra));
  auto plan = c.plan();
  CHECK(find(plan, "HorizontalPodAutoscaler").verb == Verb::remove);
  CHECK(find(plan, "HorizontalPodAutoscaler").uid == "uid-hpa");

  extra["metadata"].erase("labels");
  c.live.objects.clear();
  c.all_live();
  c.live.objects.emplace(Object(extra).ref(), Object(extra));
  CHECK(c.plan().empty());
}

TEST_CASE("what an interrupted run noted and made is said to be its work") {
  Case c;
  c.make_live(0);
  c.live.tenant.status.operation = OperationRecord{};
  c.live.tenant.status.operation->intent = {"create kubernetes Namespace instance-acme"};
  CHECK(find(c.plan(), "Namespace").note == "created by an interrupted run");
}

TEST_CASE("a plan as JSON holds no secret") {
  Case c;
  auto secret = object("v1", "Secret", "instance-acme", "database");
  secret["data"] = {{"password", "c2VjcmV0"}};
  c.desired.objects.push_back(secret);
  const auto json = to_json(c.plan());
  CHECK(json.dump().find("c2VjcmV0") == std::string::npos);
  CHECK(testing::schema_faults("plan", json) == std::vector<std::string>{});
}

TEST_CASE("what has changed since a plan was saved is named: the resource, and its field or its uid") {
  using Lines = std::vector<std::string>;
  const auto deployment = [](Case& c, auto change) {
    for (auto& [ref, run] : c.dry_runs)
      if (ref.type.kind == "Deployment") change(run.result);
  };
  const auto live = [](Case& c, const char* kind, auto change) {
    for (auto& [ref, object] : c.live.objects) {
      if (ref.type.kind != kind) continue;
      auto json = object.json();
      change(json);
      object = Object(json);
    }
  };
  const auto moved = [](const Case& then, const Case& now) { return changes_since(to_json(then.plan()), now.plan()); };
  Case nothing, all;
  all.all_live();
  CHECK(moved(nothing, nothing) == Lines{});
  CHECK(moved(all, all) == Lines{});

  SUBCASE("of what is to be created") {
    Case now;
    now.desired.objects[1]["spec"]["replicas"] = 3;
    now.desired.records[0].record.values = {"elsewhere.example.com"};
    CHECK(moved(nothing, now) == Lines{"kubernetes Deployment instance-acme/backend: spec.replicas: 2 -> 3",
                                       "route53 CNAME acme.litedesk.com: values[0]: lb.example.com -> "
                                       "elsewhere.example.com"});
    now = Case();
    now.make_live(0);
    CHECK(moved(nothing, now) == Lines{"kubernetes Namespace instance-acme: created since (uid uid-0)"});
    CHECK(moved(now, nothing) == Lines{"kubernetes Namespace instance-acme: deleted since (uid uid-0)"});
    now = Case();
    now.desired.objects.pop_back();
    now.desired.objects.push_back(object("v1", "ConfigMap", "instance-acme", "extra"));
    CHECK(moved(nothing, now) ==
          Lines{"kubernetes ConfigMap instance-acme/extra: new in the plan, would be created",
                "kubernetes Job instance-acme/first-data: no longer in the plan, was to be created"});
    now = Case();
    now.desired.objects[1]["spec"]["template"]["metadata"]["annotations"]["litedesk.io/secrets-checksum"] = "2";
    now.desired.user.labels[std::string(label_password)] = "2";
    Case then = nothing;
    then.desired.objects[1]["spec"]["template"]["metadata"]["annotations"]["litedesk.io/secrets-checksum"] = "1";
    CHECK(moved(then, now) == Lines{});
  }
  SUBCASE("of what is there") {
    Case then = all, now = all;
    deployment(then, [](Json& json) { json["spec"]["replicas"] = 3; });
    CHECK(moved(all, then) ==
          Lines{"kubernetes Deployment instance-acme/backend: spec.replicas: is now 2, would become 3"});
    CHECK(moved(then, all) ==
          Lines{"kubernetes Deployment instance-acme/backend: spec.replicas: no longer to change (2 -> 3)"});
    now = then;
    live(now, "Deployment", [](Json& json) { json["spec"]["replicas"] = 5; });
    CHECK(moved(then, now) ==
          Lines{"kubernetes Deployment instance-acme/backend: spec.replicas: was 2 -> 3, is now 5 -> 3"});
    now = all;
    live(now, "Namespace", [](Json& json) { json["metadata"]["uid"] = "uid-9"; });
    now.live.tenant.status.namespace_uid = "uid-9";  // and made by us
    CHECK(moved(all, now) ==
          Lines{"kubernetes Namespace instance-acme: replaced by another of its name: uid uid-0 -> uid-9"});
    now = all;
    now.desired.objects.erase(now.desired.objects.begin() + 2);
    CHECK(moved(all, now) ==
          Lines{"kubernetes Ingress instance-acme/litedesk: was to stay as it is, would now be deleted"});
  }
  SUBCASE("the place") {
    Case then, now;
    then.settings.context = "staging";
    then.live.cluster_id = "6f0e";
    now.live.cluster_id = "70aa";
    auto here = now.plan();
    here.cluster = "prod";
    CHECK(fingerprint(here) != fingerprint(then.plan()));
    CHECK(changes_since(to_json(then.plan()), here) ==
          Lines{"context staging -> test", "cluster  (6f0e) -> prod (70aa)"});
  }
  // A plan that an older version saved, or something else altogether.
  CHECK(changes_since(Json::object(), Case().plan()).size() == 8);
  auto older = to_json(nothing.plan());
  for (auto& change : older["changes"]) change.erase("desired");
  CHECK(changes_since(older, nothing.plan()) == Lines{});
}

TEST_CASE("a saved plan pins what is created, but not what is drawn anew at each planning") {
  Case a;
  const auto before = fingerprint(a.plan());
  SUBCASE("another image is another plan") {
    a.desired.objects[1]["spec"]["image"] = "other:1";
    CHECK(fingerprint(a.plan()) != before);
  }
  SUBCASE("another target of the record is another plan") {
    a.desired.records[0].record.values = {"elsewhere.example.com"};
    CHECK(fingerprint(a.plan()) != before);
  }
  SUBCASE("another password and what follows from it is the same plan") {
    a.desired.objects[1]["spec"]["template"]["metadata"]["annotations"]["litedesk.io/secrets-checksum"] = "1";
    a.desired.user.labels[std::string(label_password)] = "1";
    const auto one = fingerprint(a.plan());
    a.desired.objects[1]["spec"]["template"]["metadata"]["annotations"]["litedesk.io/secrets-checksum"] = "2";
    a.desired.user.labels[std::string(label_password)] = "2";
    CHECK(fingerprint(a.plan()) == one);
  }
  SUBCASE("and so where all is there and only the password is set anew") {
    a.all_live();
    const auto with_password = [&](const char* mark) {
      a.desired.user.labels[std::string(label_password)] = mark;
      for (auto& [ref, run] : a.dry_runs)
        if (ref.type.kind == "Deployment")
          run.result["spec"]["template"]["metadata"]["annotations"]["litedesk.io/secrets-checksum"] = mark;
      const auto plan = a.plan();
      CHECK(plan.count(Verb::update) == 2);
      return fingerprint(plan);
    };
    CHECK(with_password("1") == with_password("2"));
  }
}

TEST_CASE("fields of other managers are named; replicas are ours again where the autoscaler goes") {
  Case c;
  c.all_live();
  for (auto& [ref, run] : c.dry_runs)
    if (ref.type.kind == "Deployment") {
      run.result["spec"]["replicas"] = 3;
      run.conflicts = {{"FieldManagerConflict", "conflict with \"kubectl\"", ".spec.replicas"}};
    }
  SUBCASE("somebody else's") {
    const auto plan = c.plan();
    CHECK(find(plan, "Deployment").conflict == ".spec.replicas: conflict with \"kubectl\"");
    CHECK_FALSE(find(plan, "Deployment").force);
  }
  SUBCASE("the autoscaler's, which this plan removes") {
    auto autoscaler = object("autoscaling/v2", "HorizontalPodAutoscaler", "instance-acme", "backend");
    autoscaler["spec"]["scaleTargetRef"] = {{"kind", "Deployment"}, {"name", "backend"}};
    const Object there(autoscaler);
    c.live.objects.emplace(there.ref(), there);
    const auto plan = c.plan();
    CHECK(find(plan, "Deployment").conflict.empty());
    CHECK(find(plan, "Deployment").force);
    CHECK(find(plan, "HorizontalPodAutoscaler").verb == Verb::remove);
  }
}

TEST_CASE("an owner record of external-dns is somebody else's, whatever stands at the host") {
  Case c;
  auto owner = c.desired.records[0].owner;
  owner.values = {route53::quote_txt("heritage=external-dns,external-dns/owner=other")};
  c.live.hosts[0].owner_records = {owner};
  CHECK_THROWS_WITH_AS(static_cast<void>(c.plan()), doctest::Contains("external-dns"), Conflict);
}

TEST_CASE("a record that changes its type takes its owner record with it") {
  Case c;
  c.all_live();
  auto& record = c.live.hosts[0].records[0];
  record.type = "A";
  record.values = {"192.0.2.1"};
  c.live.hosts[0].owner_records[0].name = owner_record_name(c.live.hosts[0].host, "A");
  const auto plan = c.plan();
  CHECK(plan.count(Verb::remove) == 2);
  CHECK(plan.count(Verb::create) == 2);
}

TEST_CASE("a host that the tenant has no more goes, if it is the tenant's") {
  Case c;
  c.all_live();
  HostState old{"old.litedesk.com", {c.desired.records[0].record}, {c.desired.records[0].owner}};
  old.records[0].name = old.host;
  old.owner_records[0].name = owner_record_name(old.host, "CNAME");
  SUBCASE("ours") {
    c.live.hosts.push_back(old);
    CHECK(c.plan().count(Verb::remove) == 2);
  }
  SUBCASE("somebody else's") {
    old.owner_records.clear();
    c.live.hosts.push_back(old);
    CHECK(c.plan().empty());
  }
}

TEST_CASE("a plan that deletes much of what is there warns") {
  Case c;
  c.all_live();
  CHECK(deleted_percent(c.plan()) == 0);
  c.desired.objects.resize(1);
  const auto plan = c.plan();
  CHECK(plan.count(Verb::remove) == 3);
  CHECK(deleted_percent(plan) == 42);
  REQUIRE(plan.warnings.size() == 1);
  CHECK(plan.warnings[0] == "it deletes 3 of the 7 existing resources");
}

TEST_CASE("an inventory's entry names an object of a known kind") {
  const kubernetes::ObjectRef ref{kubernetes::type_of("apps/v1", "Deployment"), "instance-acme", "backend"};
  CHECK(inventory_entry(ref) == "apps/v1 Deployment backend");
  CHECK(parse_inventory("apps/v1 Deployment backend", "instance-acme") == ref);
  CHECK_FALSE(parse_inventory("nobody.example/v1 Widget x", "instance-acme"));
  CHECK_FALSE(parse_inventory("Deployment", "instance-acme"));
}

TEST_CASE("a hint never leads to what belongs to somebody else") {
  Case c;
  c.live.tenant.custom_domain = "shop.litedesk.com";
  DesiredRecord shop = c.desired.records[0];
  shop.host = shop.record.name = "shop.litedesk.com";
  shop.owner.name = owner_record_name(shop.host, "CNAME");
  c.desired.records.push_back(shop);
  c.live.hosts.push_back({shop.host, {}, {}});
  HostState& host = c.live.hosts[1];
  const auto hint = [&] {
    try {
      (void)c.plan();
    } catch (const Conflict& error) {
      return error.hint();
    }
    return std::string("planned");
  };
  const auto owned_by = [&](const std::string& text) {
    route53::RecordSet owner = shop.owner;
    owner.values = {route53::quote_txt(text)};
    return owner;
  };
  const std::string elsewhere = "give acme another custom domain: litedesk tenant update acme --custom-domain HOST";
  // Another tenant's, another registry's, external-dns': with the record and without it.
  for (const std::string& text : {owner_text("registry-1", "bravo"), owner_text("registry-2", ""),
                                  std::string("heritage=external-dns,external-dns/owner=default")}) {
    CAPTURE(text);
    host.owner_records = {owned_by(text)};
    host.records = {};
    CHECK(hint() == elsewhere);
    host.records = {shop.record};
    CHECK(hint() == elsewhere);
  }
  // Nobody's: whoever knows that nobody needs it may take it over, by its own name.
  host.owner_records = {};
  host.records = {shop.record};
  CHECK(hint() ==
        "if nobody needs it, take it over with `litedesk instance provision acme --adopt`; otherwise choose another "
        "host for acme");
  // The slug's own host cannot be given up.
  c.live.hosts[0].owner_records = {c.desired.records[0].owner};
  c.live.hosts[0].owner_records[0].values = {route53::quote_txt(owner_text("registry-2", "acme"))};
  CHECK(hint() == "register the tenant under another slug, or have the owner release acme.litedesk.com");
}
