// The Route 53 client against an independent implementation that verifies signatures (tests/peers/route53).
//   eval "$(tests/peers/route53 start --verify-signatures)"; contract_route53; tests/peers/route53 stop --port
//   "$MOTO_PORT"
#include <algorithm>
#include <functional>

#include <unistd.h>

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "providers/aws/route53.hpp"
#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "tests/contract/contract.hpp"

using namespace litedesk;
using namespace litedesk::route53;
using test::variable;

namespace {

aws::Environment environment() {
  aws::Environment result;
  for (const auto* name :
       {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION"})
    result[name] = variable(name);
  return result;
}

class ShiftedClock : public system::SkippingClock {
 public:
  explicit ShiftedClock(std::chrono::minutes shift) : shift_(shift) {}
  [[nodiscard]] system::TimePoint now() const override { return system::real_clock().now() + shift_; }

 private:
  std::chrono::minutes shift_;
};

struct Peer {
  http::Client transport{http::ClientOptions{.user_agent = "litedesk-contract-test",
                                             .buckets = {{http::Api::route53, {}}},  // it throttles nobody
                                             .trace = {}}};
  ShiftedClock clock;
  HostedZoneId zone{variable("AWS_ROUTE53_HOSTED_ZONE_ID")};
  aws::Credentials keys = aws::load_credentials(environment());
  Client client{transport, [this] { return keys; }, options()};

  explicit Peer(std::chrono::minutes shift = std::chrono::minutes(0)) : clock(shift) {}

  [[nodiscard]] ClientOptions options() const {
    const auto config = aws::load_config(environment());
    ClientOptions result;
    result.endpoint = config.route53_endpoint;
    result.region = config.route53_region;
    result.clock = &clock;
    return result;
  }
  ChangeInfo change(std::vector<RecordChange> changes) {
    return client.change(zone, changes, "litedesk contract test");
  }
};

// Names of this run alone, so that several can share a peer.
std::string name(const std::string& label) {
  return label + ".run" + std::to_string(getpid()) + ".litedesk.com";
}

RecordSet record(std::string full_name, std::string type, std::vector<std::string> values) {
  RecordSet result;
  result.name = std::move(full_name);
  result.type = std::move(type);
  result.values = std::move(values);
  return result;
}

}  // namespace

TEST_CASE("the zone is found by its name and by its id") {
  Peer peer;
  const auto zones = peer.client.zones_named("litedesk.com");
  CHECK(std::any_of(zones.begin(), zones.end(), [&](const HostedZone& zone) { return zone.id == peer.zone; }));
  CHECK(peer.client.zones_named("nobody.example").empty());
  CHECK(peer.client.zone(peer.zone).name == "litedesk.com");
  CHECK_THROWS_AS(static_cast<void>(peer.client.zone({"ZNOSUCHZONE"})), NotFound);
}

TEST_CASE("records of every kind come back as they were written, are replaced, and are deleted as read") {
  auto alias = record(name("alias"), "A", {});
  alias.ttl = 0;
  alias.alias = AliasTarget{{"Z35SXDOTRQ7X7K"}, "a1b2.us-east-1.elb.amazonaws.com", false};
  auto weighted = record(name("weighted"), "CNAME", {"a.example.com"});
  weighted.set_identifier = "blue & green";
  weighted.routing_xml = "<Weight>70</Weight>";
  const std::vector<RecordSet> wanted{
      record(name("plain"), "CNAME", {"lb.example.com"}),
      record(name("*.wild"), "A", {"192.0.2.1", "192.0.2.2"}),
      record(name("six"), "AAAA", {"2001:db8::1"}),
      record(name("text"), "TXT", {quote_txt("say \"hi\" & <bye>"), quote_txt(std::string(300, 'x'))}),
      record(name("mail"), "MX", {"10 mx.example.com."}),
      alias,
      weighted,
  };
  Peer peer;
  std::vector<RecordChange> changes;
  for (const auto& each : wanted) changes.push_back({Action::create, each});
  const auto info = peer.change(changes);
  CHECK_FALSE(info.id.empty());
  CHECK(wait_insync(peer.client, info.id, std::chrono::seconds(60), peer.clock, {}));

  for (const auto& each : wanted) {
    CAPTURE(each.name);
    const auto read = peer.client.get(peer.zone, each.name, each.type);
    REQUIRE(read.has_value());
    CHECK(equivalent(*read, each));
    CHECK(peer.client.get_name(peer.zone, each.name).size() == 1);
  }
  CHECK_FALSE(peer.client.get(peer.zone, name("plain"), "TXT").has_value());
  CHECK_FALSE(peer.client.get(peer.zone, name("nobody"), "A").has_value());

  auto moved = wanted[0];
  moved.values = {"lb2.example.com"};
  moved.ttl = 60;
  peer.change({{Action::upsert, moved}});
  CHECK(equivalent(peer.client.get(peer.zone, moved.name, "CNAME").value(), moved));

  std::vector<RecordChange> removals;
  for (const auto& each : wanted) {
    auto read = peer.client.get(peer.zone, each.name, each.type);
    REQUIRE(read.has_value());
    removals.push_back({Action::remove, std::move(*read)});
  }
  peer.change(removals);
  for (const auto& each : wanted) CHECK(peer.client.get_name(peer.zone, each.name).empty());
}

TEST_CASE("the records of a routing policy are read one and all, each with its identifier") {
  Peer peer;
  std::vector<RecordChange> changes;
  for (const auto* identifier : {"blue", "green", "red"}) {
    auto each = record(name("weighted"), "CNAME", {std::string(identifier) + ".example.com"});
    each.set_identifier = identifier;
    each.routing_xml = "<Weight>1</Weight>";
    changes.push_back({Action::create, each});
  }
  peer.change(changes);
  auto read = peer.client.get_name(peer.zone, name("weighted"));
  REQUIRE(read.size() == changes.size());
  for (const auto& change : changes)
    CHECK(std::any_of(read.begin(), read.end(), [&](const RecordSet& each) {
      return each.set_identifier == change.record.set_identifier && equivalent(each, change.record);
    }));
  // One of them alone can go, as it was read.
  peer.change({{Action::remove, read.front()}});
  CHECK(peer.client.get_name(peer.zone, name("weighted")).size() == 2);
  peer.change({{Action::remove, read[1]}, {Action::remove, read[2]}});
  CHECK(peer.client.get_name(peer.zone, name("weighted")).empty());
}

TEST_CASE("a zone of more than a page is listed whole") {
  Peer peer;
  constexpr int count = 650;
  std::vector<RecordChange> changes;
  for (int i = 0; i < count; ++i)
    changes.push_back({Action::create, record(name("n" + std::to_string(i)), "A", {"192.0.2.1"})});
  peer.change(changes);
  const auto ours = [&] {
    int found = 0;
    for (const auto& each : peer.client.list(peer.zone))
      if (each.type == "A" && each.name.ends_with(name("")) && each.name.starts_with("n")) ++found;
    return found;
  };
  CHECK(ours() == count);
  for (auto& change : changes) change.action = Action::remove;
  peer.change(changes);
  CHECK(ours() == 0);
}

TEST_CASE("who may not is told so: a wrong secret, an unknown key, a key that only reads, a clock that is off") {
  Peer wrong;
  wrong.keys.secret_access_key = Secret("not-the-secret");
  CHECK_THROWS_AS(static_cast<void>(wrong.client.zone(wrong.zone)), AuthError);

  Peer unknown;
  unknown.keys.access_key_id = "AKIANOSUCHKEY1234567";
  CHECK_THROWS_AS(static_cast<void>(unknown.client.zone(unknown.zone)), AuthError);

  if (!variable("MOTO_READONLY_ACCESS_KEY_ID").empty()) {
    Peer reader;
    reader.keys.access_key_id = variable("MOTO_READONLY_ACCESS_KEY_ID");
    reader.keys.secret_access_key = Secret(variable("MOTO_READONLY_SECRET_ACCESS_KEY"));
    CHECK_NOTHROW(static_cast<void>(reader.client.zone(reader.zone)));
    CHECK_THROWS_AS(reader.change({{Action::create, record(name("refused"), "A", {"192.0.2.1"})}}), PermissionDenied);
  }

  for (const auto shift : {std::chrono::minutes(12), std::chrono::minutes(-12)}) {
    Peer late(shift);
    try {
      static_cast<void>(late.client.zone(late.zone));
      FAIL_CHECK("the signature was taken");
    } catch (const AuthError& error) {
      CAPTURE(std::string(error.what()));
      CHECK(error.hint().find(shift.count() > 0 ? "12 minutes ahead of the server's"
                                                : "12 minutes behind the server's") != std::string::npos);
    }
  }
}

int main(int argc, char** argv) {
  const auto endpoint = variable("AWS_ENDPOINT_URL");
  if (!test::is_loopback(endpoint) || variable("AWS_ROUTE53_HOSTED_ZONE_ID").empty())
    return test::skip("contract_route53",
                      "AWS_ENDPOINT_URL names no server on this machine; start one: eval \"$(tests/peers/route53 start "
                      "--verify-signatures)\"");
  return doctest::Context(argc, argv).run();
}
