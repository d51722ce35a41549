#include <functional>

#include <doctest/doctest.h>

#include "providers/aws/route53.hpp"
#include "providers/error.hpp"
#include "tests/unit/providers/fake_transport.hpp"

using namespace litedesk;
using namespace litedesk::route53;

namespace {

class FixedClock : public system::Clock {
 public:
  [[nodiscard]] system::TimePoint now() const override { return *system::from_rfc3339("2026-01-02T03:04:05Z"); }
  [[nodiscard]] system::SteadyPoint steady() const override { return steady_; }
  bool wait(system::milliseconds duration, std::stop_token stop) const override {
    steady_ += duration;
    waits.push_back(duration);
    return !stop.stop_requested();
  }
  mutable std::vector<system::milliseconds> waits;

 private:
  mutable system::SteadyPoint steady_{};
};

struct Fixture {
  test::FakeTransport transport;
  FixedClock clock;
  int asked = 0;
  Client client;

  Fixture()
      : client(
            transport, [this] { return keys(); }, options()) {}
  aws::Credentials keys() {
    ++asked;
    aws::Credentials credentials;
    credentials.access_key_id = "AKIDEXAMPLE";
    credentials.secret_access_key = Secret("very-secret-key");
    credentials.session_token = Secret("very-secret-token");
    credentials.origin = "environment";
    return credentials;
  }
  ClientOptions options() {
    ClientOptions result;
    result.endpoint = "http://127.0.0.1:4566/";
    result.clock = &clock;
    return result;
  }
};

const HostedZoneId zone{"Z1"};

std::string record_xml(const std::string& name, const std::string& type, const std::string& value,
                       const std::string& identifier = {}) {
  return "<ResourceRecordSet><Name>" + name + "</Name><Type>" + type + "</Type>" +
         (identifier.empty() ? "" : "<SetIdentifier>" + identifier + "</SetIdentifier><Weight>1</Weight>") +
         "<TTL>300</TTL><ResourceRecords><ResourceRecord><Value>" + value +
         "</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>";
}

std::string page(const std::string& records, const std::string& next = {}) {
  return "<ListResourceRecordSetsResponse><ResourceRecordSets>" + records + "</ResourceRecordSets><IsTruncated>" +
         (next.empty() ? "false" : "true") + "</IsTruncated>" + next + "</ListResourceRecordSetsResponse>";
}

std::string error(const std::string& code, const std::string& message) {
  return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message +
         "</Message></Error></ErrorResponse>";
}

const std::string accepted =
    "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C7</Id><Status>PENDING</Status></ChangeInfo></"
    "ChangeResourceRecordSetsResponse>";

RecordSet cname(std::string name, std::string target) {
  RecordSet record;
  record.name = std::move(name);
  record.type = "CNAME";
  record.values = {std::move(target)};
  return record;
}

std::string path_of(const http::Request& request) {
  const std::string base = "http://127.0.0.1:4566/2013-04-01";
  return request.url.starts_with(base) ? request.url.substr(base.size()) : request.url;
}

}  // namespace

TEST_CASE("listing follows name, type and identifier of the next page as they came") {
  Fixture f;
  f.transport.answer(200, page(record_xml("a.x.", "A", "192.0.2.1"),
                               "<NextRecordName>\\052.x.</NextRecordName><NextRecordType>CNAME</NextRecordType>"
                               "<NextRecordIdentifier>blue &amp; co</NextRecordIdentifier>"));
  f.transport.answer(200, page(record_xml("\\052.x.", "CNAME", "b", "blue &amp; co"),
                               "<NextRecordName>z.x.</NextRecordName><NextRecordType>A</NextRecordType>"));
  f.transport.answer(200, page(record_xml("z.x.", "A", "192.0.2.3")));
  const auto records = f.client.list({"/hostedzone/Z1"});
  CHECK(records.size() == 3);
  REQUIRE(f.transport.sent.size() == 3);
  CHECK(path_of(f.transport.sent[0]) == "/hostedzone/Z1/rrset?maxitems=300");
  CHECK(path_of(f.transport.sent[1]) ==
        "/hostedzone/Z1/rrset?name=%5C052.x.&type=CNAME&identifier=blue%20%26%20co&maxitems=300");
  CHECK(path_of(f.transport.sent[2]) == "/hostedzone/Z1/rrset?name=z.x.&type=A&maxitems=300");
}

TEST_CASE("a server that repeats a page does not hold the list for ever") {
  Fixture f;
  const auto same = page("", "<NextRecordName>a.x.</NextRecordName><NextRecordType>A</NextRecordType>");
  f.transport.answer(200, same);
  f.transport.answer(200, same);
  CHECK_THROWS_AS(static_cast<void>(f.client.list(zone)), Unavailable);
  CHECK(f.transport.sent.size() == 2);
}

TEST_CASE("one record is read by its name and type, and a later one is not taken for it") {
  Fixture f;
  f.transport.answer(200, page(record_xml("\\052.x.", "A", "192.0.2.1")));
  f.transport.answer(200, page(record_xml("b.x.", "A", "192.0.2.1"),
                               "<NextRecordName>c.x.</NextRecordName><NextRecordType>A</NextRecordType>"));
  f.transport.answer(200, page(record_xml("a.x.", "TXT", "t")));
  CHECK(f.client.get(zone, "*.X.", "a").has_value());
  CHECK(path_of(f.transport.sent[0]) == "/hostedzone/Z1/rrset?name=%5C052.x.&type=A&maxitems=1");
  CHECK_FALSE(f.client.get(zone, "a.x", "A").has_value());
  CHECK_FALSE(f.client.get(zone, "a.x", "CNAME").has_value());
  CHECK(f.transport.sent.size() == 3);
}

TEST_CASE("the records of a name end where the name changes") {
  Fixture f;
  f.transport.answer(200, page(record_xml("a.x.", "A", "192.0.2.1"),
                               "<NextRecordName>a.x.</NextRecordName><NextRecordType>TXT</NextRecordType>"));
  f.transport.answer(200, page(record_xml("a.x.", "TXT", "t") + record_xml("b.x.", "A", "192.0.2.2"),
                               "<NextRecordName>c.x.</NextRecordName><NextRecordType>A</NextRecordType>"));
  const auto records = f.client.get_name(zone, "a.x");
  REQUIRE(records.size() == 2);
  CHECK(records[1].type == "TXT");
  CHECK(f.transport.sent.size() == 2);
}

TEST_CASE("a zone is found by its exact name among the public ones") {
  const auto zone_xml = [](const std::string& id, const std::string& name, const char* secluded) {
    return "<HostedZone><Id>/hostedzone/" + id + "</Id><Name>" + name + "</Name><Config><PrivateZone>" + secluded +
           "</PrivateZone></Config></HostedZone>";
  };
  Fixture f;
  f.transport.answer(200, "<ListHostedZonesByNameResponse><HostedZones>" + zone_xml("Z1", "litedesk.com.", "false") +
                              zone_xml("Z2", "litedesk.com.", "true") +
                              "</HostedZones><IsTruncated>true</IsTruncated><NextDNSName>litedesk.com.</"
                              "NextDNSName><NextHostedZoneId>Z3</NextHostedZoneId></ListHostedZonesByNameResponse>");
  f.transport.answer(200, "<ListHostedZonesByNameResponse><HostedZones>" + zone_xml("Z3", "litedesk.com.", "false") +
                              zone_xml("Z4", "litedesk.org.", "false") +
                              "</HostedZones><IsTruncated>true</IsTruncated><NextDNSName>other.org.</NextDNSName></"
                              "ListHostedZonesByNameResponse>");
  const auto zones = f.client.zones_named("LiteDesk.com.");
  REQUIRE(zones.size() == 2);
  CHECK(zones[0].id.value == "Z1");
  CHECK(zones[1].id.value == "Z3");
  CHECK(path_of(f.transport.sent[0]) == "/hostedzonesbyname?dnsname=litedesk.com.&maxitems=100");
  CHECK(path_of(f.transport.sent[1]) == "/hostedzonesbyname?dnsname=litedesk.com.&hostedzoneid=Z3&maxitems=100");
}

TEST_CASE("a change is one signed POST that may be repeated") {
  Fixture f;
  f.transport.answer(200, accepted);
  const std::vector<RecordChange> changes{{Action::create, cname("acme.x", "lb.example.com")}};
  const auto info = f.client.change(zone, changes, "why");
  CHECK(info.id == "C7");
  CHECK(info.status == ChangeStatus::pending);
  const auto& request = f.transport.sent.at(0);
  CHECK(path_of(request) == "/hostedzone/Z1/rrset/");
  CHECK(request.method == http::Method::post);
  CHECK(request.repeat == http::Repeat::safe);
  CHECK(request.api == http::Api::route53);
  CHECK(http::find(request.headers, "content-type") == "text/xml");
  CHECK(http::find(request.headers, "authorization")
            .starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/route53/"));
  CHECK(request.summary == "change CNAME acme.x in zone Z1");
  CHECK(f.asked == 1);
}

TEST_CASE("a batch that is too large is not sent") {
  Fixture f;
  std::vector<RecordChange> changes;
  for (int i = 0; i < 501; ++i) changes.push_back({Action::upsert, cname("n" + std::to_string(i) + ".x", "t.x")});
  CHECK_THROWS_AS(f.client.change(zone, changes, ""), ValidationError);
  CHECK(f.transport.sent.empty());
}

TEST_CASE("after a lost answer, what the zone holds decides") {
  const auto created = page(record_xml("acme.x.", "CNAME", "LB.example.com."));
  const auto other = page(record_xml("acme.x.", "CNAME", "elsewhere.example.com"));
  const auto nothing = page(record_xml("b.x.", "A", "192.0.2.2"));
  const auto exists =
      error("InvalidChangeBatch",
            "[Tried to create resource record set [name='acme.x.', type='CNAME'] but it already exists]");
  const auto gone = error("InvalidChangeBatch",
                          "[Tried to delete resource record set [name='acme.x.', type='CNAME'] but it was not found]");
  const auto repeated = [](const std::string& body) {
    return [body](const http::Request&) {
      http::Response response;
      response.status = 400;
      response.body = body;
      response.attempts = 2;
      response.repeated_after_loss = true;
      return response;
    };
  };
  const auto lost = [](const http::Request&) -> http::Response { throw Unavailable("the connection broke"); };
  const auto late = [](const http::Request&) -> http::Response { throw Timeout("no answer in 30 s"); };
  const auto broken = [](const http::Request&) {
    http::Response response;
    response.status = 500;
    return response;
  };
  enum class End { success, conflict, unavailable, timeout };
  struct Case {
    const char* what;
    Action action;
    test::FakeTransport::Answer first;
    std::string then;
    End end;
  };
  const Case cases[] = {
      {"created by the lost request", Action::create, repeated(exists), created, End::success},
      {"there, and another", Action::create, repeated(exists), other, End::conflict},
      {"deleted by the lost request", Action::remove, repeated(gone), nothing, End::success},
      {"no answer at all, and it took effect", Action::create, lost, created, End::success},
      {"no answer at all, and it did not", Action::create, lost, nothing, End::unavailable},
      {"no answer in time, and it took effect", Action::upsert, late, created, End::success},
      {"no answer in time, and it did not", Action::upsert, late, other, End::timeout},
      {"a server error, and it took effect", Action::create, broken, created, End::success},
      {"a server error, and it did not", Action::create, broken, nothing, End::unavailable},
      {"deleted without an answer, and still there", Action::remove, lost, created, End::unavailable},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    Fixture f;
    f.transport.answer(c.first);
    f.transport.answer(200, c.then);
    const std::vector<RecordChange> changes{{c.action, cname("acme.x", "lb.example.com")}};
    switch (c.end) {
      case End::success: {
        const auto info = f.client.change(zone, changes, "");
        CHECK(info.id.empty());
        CHECK(info.status == ChangeStatus::insync);
        break;
      }
      case End::conflict:
        CHECK_THROWS_AS(f.client.change(zone, changes, ""), Conflict);
        break;
      case End::unavailable:
        CHECK_THROWS_AS(f.client.change(zone, changes, ""), Unavailable);
        break;
      case End::timeout:
        CHECK_THROWS_AS(f.client.change(zone, changes, ""), Timeout);
        break;
    }
    CHECK(f.transport.left() == 0);
    CHECK(f.transport.sent.size() == 2);
  }
}

TEST_CASE(
    "after a lost answer, a replacement is judged by what comes last, and a failing look leaves the first error") {
  const std::vector<RecordChange> replacement{{Action::remove, cname("acme.x", "old.example.com")},
                                              {Action::create, cname("acme.x", "new.example.com")}};
  Fixture f;
  f.transport.fail(Unavailable("the connection broke"));
  f.transport.answer(200, page(record_xml("acme.x.", "CNAME", "new.example.com")));
  CHECK(f.client.change(zone, replacement, "").status == ChangeStatus::insync);

  Fixture g;
  g.transport.fail(Timeout("no answer"));
  g.transport.fail(Unavailable("still none"));
  CHECK_THROWS_AS(g.client.change(zone, replacement, ""), Timeout);
}

TEST_CASE("a refusal at the first attempt is never taken for success") {
  Fixture f;
  f.transport.answer(
      400, error("InvalidChangeBatch",
                 "[Tried to create resource record set [name='acme.x.', type='CNAME'] but it already exists]"));
  const std::vector<RecordChange> changes{{Action::create, cname("acme.x", "lb.example.com")}};
  CHECK_THROWS_AS(f.client.change(zone, changes, ""), Conflict);
  CHECK(f.transport.sent.size() == 1);
}

TEST_CASE("each refusal has its error, with the API's words and no secret") {
  struct Case {
    int status;
    std::string code, message;
    ErrorCode expected;
    const char* hint;
  };
  const Case cases[] = {
      {403, "AccessDenied", "User: arn:aws:iam::1:user/u is not authorized", ErrorCode::permission_denied,
       "the credentials from environment"},
      {403, "InvalidClientTokenId", "The security token included in the request is invalid.", ErrorCode::authentication,
       "access key from environment"},
      {403, "ExpiredToken", "The security token included in the request is expired", ErrorCode::authentication,
       "has ended"},
      {403, "SignatureDoesNotMatch",
       "Signature does not match. The Canonical String for this request should have been "
       "'x-amz-security-token:very-secret-token'",
       ErrorCode::authentication, "secret key"},
      {403, "InvalidClientTokenId", "bad very-secret-token", ErrorCode::authentication, "access key"},
      {404, "NoSuchHostedZone", "No hosted zone found with ID: Z1", ErrorCode::not_found, "list-hosted-zones"},
      {404, "NoSuchChange", "no change", ErrorCode::not_found, ""},
      {400, "InvalidInput", "Invalid XML", ErrorCode::validation, ""},
      {400, "Throttling", "Rate exceeded", ErrorCode::rate_limited, "try again"},
      {400, "PriorRequestNotComplete", "The request was rejected", ErrorCode::rate_limited, "in progress"},
      {400, "InvalidChangeBatch", "[RRSet of type CNAME with DNS name x. is not permitted at apex in zone x.]",
       ErrorCode::validation, ""},
      {400, "InvalidChangeBatch",
       "[RRSet of type A with DNS name a.x. is not permitted because a conflicting RRSet of type  CNAME with the same "
       "DNS name already exists in zone x.]",
       ErrorCode::conflict, "changed since"},
      {400, "InvalidChangeBatch",
       "[Tried to delete resource record set [name='a.x.', type='A'] but the values provided do not match the current "
       "values]",
       ErrorCode::conflict, ""},
      {400, "LimitsExceeded", "too many", ErrorCode::failed, ""},
      {503, "ServiceUnavailable", "later", ErrorCode::unavailable, "try again"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.code);
    Fixture f;
    f.transport.answer(c.status, error(c.code, c.message), {{"Date", "Fri, 02 Jan 2026 03:04:00 GMT"}});
    try {
      static_cast<void>(f.client.zone(zone));
      FAIL_CHECK("no error");
    } catch (const Error& e) {
      CHECK(e.code() == c.expected);
      CHECK(e.cause().starts_with(c.code + ": "));
      CHECK(e.resource() == "route53 zone Z1");
      CHECK(e.message() == "cannot read hosted zone Z1");
      CHECK(e.hint().find(c.hint) != std::string::npos);
      const auto all = std::string(e.what()) + e.hint();
      CHECK(all.find("very-secret") == std::string::npos);
    }
  }
}

TEST_CASE("a clock that is off is said so, with the server's time") {
  struct Case {
    const char* date;
    const char* hint;
  };
  for (const auto& c :
       {Case{"Fri, 02 Jan 2026 02:52:05 GMT",
             "this machine's clock is 12 minutes ahead of the server's (Fri, 02 Jan 2026 02:52:05 GMT)"},
        Case{"Fri, 02 Jan 2026 06:04:05 GMT", "this machine's clock is 3 hours behind the server's"},
        Case{"", "check this machine's clock"}}) {
    Fixture f;
    f.transport.answer(403, error("SignatureDoesNotMatch", "Signature expired: 20260102T030405Z is now earlier than"),
                       {{"Date", c.date}});
    try {
      static_cast<void>(f.client.zone(zone));
      FAIL_CHECK("no error");
    } catch (const AuthError& e) {
      CHECK(e.hint().starts_with(c.hint));
    }
  }
}

TEST_CASE("a page that is no Route 53 answer is not taken for an empty zone") {
  Fixture f;
  f.transport.answer(200, "<html>Please sign in</html>", {{"Content-Type", "text/html"}});
  CHECK_THROWS_AS(static_cast<void>(f.client.list(zone)), Unavailable);
  f.transport.answer(502, "<html>Bad gateway</html>", {{"Content-Type", "text/html"}});
  try {
    static_cast<void>(f.client.list(zone));
    FAIL_CHECK("no error");
  } catch (const Unavailable& e) {
    CHECK(e.cause() == "HTTP 502, text/html that is not a Route 53 error");
  }
  for (const int status : {301, 400, 403, 404}) {
    CAPTURE(status);
    f.transport.answer(status, "<html>Not here</html>", {{"Content-Type", "text/html"}});
    CHECK_THROWS_AS(static_cast<void>(f.client.zone(zone)), Unavailable);
  }
  f.transport.answer(429, "<html>Slow down</html>", {{"Content-Type", "text/html"}});
  CHECK_THROWS_AS(static_cast<void>(f.client.zone(zone)), RateLimited);
}

namespace {

class Changes : public RecordWriter {
 public:
  explicit Changes(int pending) : pending_(pending) {}
  ChangeInfo change(const HostedZoneId&, std::span<const RecordChange>, std::string_view) override { return {}; }
  ChangeInfo get_change(std::string_view id, std::stop_token) override {
    ++asked;
    if (failure) failure(asked);
    return {std::string(id), asked > pending_ ? ChangeStatus::insync : ChangeStatus::pending};
  }
  int asked = 0;
  std::function<void(int)> failure;  // may throw instead of an answer

 private:
  int pending_;
};

}  // namespace

TEST_CASE("a wait for INSYNC that is stopped while it asks ends at once, without an error") {
  Fixture f;
  std::stop_source stop;
  f.transport.answer([&](const http::Request&) -> http::Response {
    stop.request_stop();
    throw Cancelled("was cancelled");
  });
  CHECK_FALSE(wait_insync(f.client, "C1", std::chrono::seconds(60), f.clock, stop.get_token()));
  CHECK(f.transport.sent.size() == 1);
  CHECK(f.transport.stops.at(0).stop_requested());
}

TEST_CASE("waiting for INSYNC asks every five seconds, to the end of its time and no longer") {
  using std::chrono::milliseconds;
  FixedClock clock;
  Changes soon(2);
  CHECK(wait_insync(soon, "C1", milliseconds(60'000), clock, {}));
  CHECK(clock.waits == std::vector<milliseconds>(2, insync_poll));

  FixedClock short_clock;
  Changes never(1'000);
  CHECK_FALSE(wait_insync(never, "C1", milliseconds(12'000), short_clock, {}));
  CHECK(short_clock.waits == std::vector<milliseconds>{milliseconds(5'000), milliseconds(5'000), milliseconds(2'000)});
  CHECK(never.asked == 4);

  std::stop_source stop;
  stop.request_stop();
  Changes stopped(1'000);
  CHECK_FALSE(wait_insync(stopped, "C1", milliseconds(60'000), clock, stop.get_token()));
  CHECK(stopped.asked == 0);

  Changes shaky(4);
  shaky.failure = [](int asked) {
    if (asked == 1) throw Unavailable("lost");
    if (asked == 2) throw Timeout("late");
    if (asked == 3) throw RateLimited("later");
  };
  CHECK(wait_insync(shaky, "C1", milliseconds(60'000), clock, {}));
  CHECK(shaky.asked == 5);
  FixedClock other_clock;
  Changes broken(0);
  broken.failure = [](int) { throw Unavailable("lost"); };
  CHECK_FALSE(wait_insync(broken, "C1", milliseconds(12'000), other_clock, {}));
  broken.failure = [](int) { throw NotFound("no such change"); };
  CHECK_THROWS_AS(static_cast<void>(wait_insync(broken, "C1", milliseconds(12'000), other_clock, {})), NotFound);

  Changes none(1'000);
  CHECK(wait_insync(none, "", milliseconds(0), clock, {}));
  CHECK(none.asked == 0);
}
