#include "commands/operation.hpp"

#include <doctest/doctest.h>

#include "fake_world.hpp"
#include "providers/error.hpp"
#include "providers/system/process.hpp"

using namespace litedesk;

namespace {

struct Fixture : testing::FakeWorld<> {
  store::Document document;
  SilentHolders silent;

  Fixture() {
    Tenant tenant;
    tenant.slug = tenant.company = "acme";
    document = store.create(to_document(tenant));
  }

  // A lock of somebody on another machine, as stored.
  OperationRecord foreign() const {
    OperationRecord operation;
    operation.id = "other";
    operation.verb = "provision";
    operation.holder = "maria@elsewhere (pid 1)";
    operation.host = "elsewhere";
    operation.boot_id = "another-boot";
    operation.pid = 1;
    operation.start_time = "1";
    operation.since = operation.renewed = "2026-01-02T03:04:05.000000Z";
    return operation;
  }
  OperationRecord of_this_process() const {
    auto operation = foreign();
    const auto self = system::this_process();
    operation.host = self.host;
    operation.boot_id = self.boot_id;
    operation.pid = self.pid;
    operation.start_time = self.start_time;
    return operation;
  }
  void hold(const OperationRecord& operation) {
    auto tenant = to_tenant(document);
    tenant.status.operation = operation;
    document = store.update(to_document(tenant, &document));
  }
  Tenant stored() { return to_tenant(*store.get("acme")); }
};

// A store in which the holder elsewhere renews its lock at every read.
class RenewingStore : public testing::MemoryStore {
 public:
  std::optional<store::Document> get(std::string_view name) override {
    auto document = MemoryStore::get(name);
    auto tenant = to_tenant(*document);
    if (!tenant.status.operation) return document;
    tenant.status.operation->renewed = "2026-01-02T03:04:0" + std::to_string(reads % 10) + ".500000Z";
    return update(to_document(tenant, &*document));
  }
};

// A clock that skips, but never comes to the renewals' timer.
class NoRenewals : public system::SkippingClock {
 public:
  bool wait(system::milliseconds duration, std::stop_token stop) const override {
    if (duration == lock_renewal) return system::real_clock().wait(std::chrono::minutes(10), std::move(stop));
    return SkippingClock::wait(duration, std::move(stop));
  }
};

// A store in an API server that does not answer until a moment.
class AwayStore : public testing::MemoryStore {
 public:
  explicit AwayStore(const system::Clock& clock) : clock_(clock) {}
  store::Document update(const store::Document& document) override {
    ++tries;
    if (clock_.steady() < back) throw Timeout("the API server did not answer");
    return MemoryStore::update(document);
  }
  system::SteadyPoint back{};
  int tries = 0;

 private:
  const system::Clock& clock_;
};

struct AwayFixture : Fixture {
  NoRenewals clock;
  AwayStore away{clock};
  World there{settings,      away,      claims,        false,     providers, providers,           providers,
              providers,     providers, providers,     providers, providers, world.zone,          gate,
              files,         tiers,     world.profile, prices,    clock,     system::os_random(), {},
              "tester@host", {}};
  store::Document read;

  AwayFixture() {
    Tenant tenant;
    tenant.slug = tenant.company = "acme";
    read = away.create(to_document(tenant));
  }
};

}  // namespace

TEST_CASE("a lock that lapsed while the API server was away is taken back, for as long as there is patience") {
  using std::chrono::milliseconds;
  AwayFixture f;
  Operation operation(f.there, f.read, "provision", {}, [](Tenant&) {});
  const auto begin = f.clock.steady();
  const auto took = [&] { return f.clock.steady() - begin; };
  SUBCASE("back in time") {
    f.away.back = begin + milliseconds(20'000);
    CHECK(operation.take_back(milliseconds(30'000)));
    CHECK(took() >= milliseconds(20'000));
    CHECK(took() < milliseconds(23'000));
    CHECK(operation.lapses() == 1);
    operation.update([](Tenant& tenant) { tenant.status.stage = "deployment"; });
    CHECK_FALSE(f.gate.stopped());
  }
  SUBCASE("not back in time") {
    f.away.back = begin + milliseconds(60'000);
    CHECK_FALSE(operation.take_back(milliseconds(30'000)));
    CHECK(took() >= milliseconds(30'000));
    CHECK(took() < milliseconds(33'000));
    CHECK_FALSE(operation.lost());
    f.away.back = {};
  }
  SUBCASE("without patience it is tried once") {
    f.away.back = begin + milliseconds(60'000);
    const auto tries = f.away.tries;
    CHECK_FALSE(operation.take_back(milliseconds(0)));
    CHECK(f.away.tries == tries + 1);
    f.away.back = {};
  }
  SUBCASE("somebody else has it: lost at once") {
    auto taken = *f.away.get("acme");
    auto theirs = to_tenant(taken);
    theirs.status.operation = f.foreign();
    static_cast<void>(f.away.update(to_document(theirs, &taken)));
    CHECK_FALSE(operation.take_back(milliseconds(30'000)));
    CHECK(operation.lost());
    CHECK(took() < milliseconds(3'000));
  }
  SUBCASE("not lapsed yet: renewed") {
    CHECK(operation.take_back(milliseconds(30'000)));
    CHECK(operation.lapses() == 0);
  }
}

TEST_CASE("the lock, the intent and the change are one write") {
  Fixture f;
  const auto before = f.store.writes;
  // The renewal's timer would spin on a clock that skips: a real one here.
  World world{
      f.settings,    f.store,     f.claims,        false,       f.providers,          f.providers,         f.providers,
      f.providers,   f.providers, f.providers,     f.providers, f.providers,          f.world.zone,        f.gate,
      f.files,       f.tiers,     f.world.profile, f.prices,    system::real_clock(), system::os_random(), {},
      "tester@host", {}};
  Operation operation(world, f.document, "provision", {"create kubernetes Namespace instance-acme"},
                      [](Tenant& tenant) { tenant.status.phase = Phase::provisioning; });
  CHECK(f.store.writes == before + 1);
  const auto held = f.stored();
  REQUIRE(held.status.operation);
  CHECK(held.status.phase == Phase::provisioning);
  CHECK(held.status.operation->intent.size() == 1);
  CHECK(held.status.operation->holder.starts_with("tester@host (pid "));
  CHECK_FALSE(surely_gone(*held.status.operation));

  SUBCASE("release writes the result and gives the lock back in one write") {
    const auto writes = f.store.writes;
    const auto tenant = operation.release([](Tenant& t) { t.status.phase = Phase::active; });
    CHECK(f.store.writes == writes + 1);
    CHECK(tenant.status.phase == Phase::active);
    CHECK_FALSE(f.stored().status.operation);
  }
  SUBCASE("a write of somebody else to the record does not lose the lock") {
    auto other = *f.store.get("acme");
    other.labels["touched"] = "yes";
    static_cast<void>(f.store.update(other));
    operation.update([](Tenant& tenant) { tenant.status.stage = "deployment"; });
    CHECK(f.stored().status.stage == "deployment");
    CHECK(f.store.get("acme")->labels.contains("touched"));
    CHECK_FALSE(operation.lost());
  }
  SUBCASE("another operation in the record means that it is lost, and nothing is written") {
    auto document = *f.store.get("acme");
    auto tenant = to_tenant(document);
    tenant.status.operation = f.foreign();
    static_cast<void>(f.store.update(to_document(tenant, &document)));
    CHECK_THROWS_AS(operation.update([](Tenant& t) { t.status.stage = "mine"; }), Locked);
    CHECK(operation.lost());
    CHECK(f.stored().status.stage != "mine");
    CHECK(f.stored().status.operation->id == "other");
  }
}

TEST_CASE("a record that has moved since it was read is a conflict") {
  Fixture f;
  const auto read = f.document;
  f.hold(f.foreign());
  CHECK_THROWS_AS(Operation(f.world, read, "provision", {}, [](Tenant&) {}), Conflict);
}

TEST_CASE("a free lock is free at once, without a read") {
  Fixture f;
  const auto reads = f.store.reads;
  CHECK_FALSE(wait_for_lock(f.world, f.document, f.silent, {}));
  CHECK(f.store.reads == reads);
}

TEST_CASE("a holder of this boot whose process is gone is free at once") {
  Fixture f;
  auto operation = f.of_this_process();
  operation.start_time = "1";  // a process of that number that started at another time
  f.hold(operation);
  CHECK(surely_gone(operation));
  CHECK_FALSE(wait_for_lock(f.world, f.document, f.silent, {}));
}

TEST_CASE("a holder of this machine that renewed its lock lately is named at once") {
  Fixture f;
  auto operation = f.of_this_process();
  operation.renewed = system::to_rfc3339_micro(f.clock.now());
  f.hold(operation);
  const auto begin = f.clock.steady();
  CHECK_THROWS_WITH_AS(static_cast<void>(wait_for_lock(f.world, f.document, f.silent, {})),
                       doctest::Contains("maria@elsewhere"), Locked);
  CHECK(f.clock.steady() - begin < std::chrono::milliseconds(400));
}

TEST_CASE("a holder of this machine that hangs is watched, and taken over like one elsewhere") {
  Fixture f;
  f.hold(f.of_this_process());  // renewed long ago
  const auto begin = f.clock.steady();
  CHECK(wait_for_lock(f.world, f.document, f.silent, {}));
  CHECK(f.clock.steady() - begin >= lock_duration);
}

TEST_CASE("a lock that was renewed in years to come is watched like one of long ago") {
  for (const char* renewed : {"9999-12-31T23:59:59Z", "2400-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "no time"}) {
    CAPTURE(renewed);
    Fixture f;
    auto operation = f.of_this_process();
    operation.renewed = renewed;
    f.hold(operation);
    const auto begin = f.clock.steady();
    CHECK(wait_for_lock(f.world, f.document, f.silent, {}));
    CHECK(f.clock.steady() - begin >= lock_duration);
  }
}

TEST_CASE("a holder elsewhere that does not renew is taken over after the lock's duration, by our own clock") {
  Fixture f;
  f.hold(f.foreign());
  const auto begin = f.clock.steady();
  // What was read before the wait may have moved: true says that it must be read again.
  CHECK(wait_for_lock(f.world, f.document, f.silent, {}));
  const auto waited = f.clock.steady() - begin;
  CHECK(waited >= lock_duration);
  CHECK(waited < lock_duration + std::chrono::milliseconds(2000));
  CHECK_FALSE(wait_for_lock(f.world, f.document, f.silent, {}));
  CHECK(f.clock.steady() - begin < lock_duration + std::chrono::milliseconds(2000));
}

TEST_CASE("the end of a run whose lock the renewal found lost says so, though the gate is stopped by then") {
  // A registry that is reached through the gate, as the cluster is.
  struct Gated : testing::MemoryStore {
    const http::Gate* gate = nullptr;
    store::Document update(const store::Document& document) override {
      if (gate->stopped()) throw Cancelled("the request was not sent");
      return MemoryStore::update(document);
    }
  };
  Fixture f;
  const NoRenewals clock;  // the renewal would write between a read and a write of the test's own
  Gated store;
  store.gate = &f.gate;
  Tenant tenant;
  tenant.slug = tenant.company = "acme";
  World world{f.settings,    store,       f.claims,        false,       f.providers, f.providers,         f.providers,
              f.providers,   f.providers, f.providers,     f.providers, f.providers, f.world.zone,        f.gate,
              f.files,       f.tiers,     f.world.profile, f.prices,    clock,       system::os_random(), {},
              "tester@host", {}};
  Operation operation(world, store.create(to_document(tenant)), "provision", {}, [](Tenant&) {});
  auto taken = *store.get("acme");
  auto theirs = to_tenant(taken);
  theirs.status.operation = f.foreign();
  store.update(to_document(theirs, &taken));
  CHECK_THROWS_AS(operation.renew_now(), Locked);
  f.gate.stop();  // as the renewal does then
  CHECK_THROWS_AS(static_cast<void>(operation.release([](Tenant&) {})), Locked);
  CHECK_THROWS_AS(operation.update([](Tenant&) {}), Locked);
}

TEST_CASE("a holder elsewhere that renews is named as soon as it shows") {
  Fixture f;
  RenewingStore store;
  Tenant tenant;
  tenant.slug = tenant.company = "acme";
  tenant.status.operation = f.foreign();
  const auto document = store.create(to_document(tenant));
  World world{f.settings,    store,       f.claims,        false,       f.providers, f.providers,         f.providers,
              f.providers,   f.providers, f.providers,     f.providers, f.providers, f.world.zone,        f.gate,
              f.files,       f.tiers,     f.world.profile, f.prices,    f.clock,     system::os_random(), {},
              "tester@host", {}};
  const auto begin = f.clock.steady();
  CHECK_THROWS_AS(static_cast<void>(wait_for_lock(world, document, f.silent, {})), Locked);
  CHECK(f.clock.steady() - begin < lock_duration);
}
