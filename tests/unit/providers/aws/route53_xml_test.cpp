#include "providers/aws/route53_xml.hpp"

#include <doctest/doctest.h>

#include "providers/error.hpp"

using namespace litedesk;
using namespace litedesk::route53;

namespace {

RecordSet simple(std::string name, std::string type, std::vector<std::string> values) {
  RecordSet record;
  record.name = std::move(name);
  record.type = std::move(type);
  record.values = std::move(values);
  return record;
}

constexpr const char* page = R"(<?xml version="1.0"?>
<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">
  <ResourceRecordSets>
    <ResourceRecordSet><Name>\052.litedesk.com.</Name><Type>A</Type>
      <AliasTarget><HostedZoneId>Z35SXDOTRQ7X7K</HostedZoneId><DNSName>dualstack.lb.us-east-1.elb.amazonaws.com.</DNSName>
        <EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>
    <ResourceRecordSet><Name>w.litedesk.com.</Name><Type>CNAME</Type><SetIdentifier>blue &amp; green</SetIdentifier>
      <Weight>70</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>a.example.com</Value></ResourceRecord></ResourceRecords>
      <HealthCheckId>abc</HealthCheckId></ResourceRecordSet>
    <ResourceRecordSet><Name>t.litedesk.com.</Name><Type>TXT</Type><TTL>300</TTL><ResourceRecords>
      <ResourceRecord><Value>&quot;a &lt;b&gt;&quot;</Value></ResourceRecord><ResourceRecord><Value>"two"</Value></ResourceRecord>
    </ResourceRecords></ResourceRecordSet>
  </ResourceRecordSets>
  <IsTruncated>true</IsTruncated><NextRecordName>w.litedesk.com.</NextRecordName><NextRecordType>CNAME</NextRecordType>
  <NextRecordIdentifier>green</NextRecordIdentifier><MaxItems>3</MaxItems>
</ListResourceRecordSetsResponse>)";

}  // namespace

TEST_CASE("a page of records is read with aliases, routing policies and the next page's cursor") {
  const auto result = parse_records(page);
  REQUIRE(result.records.size() == 3);
  CHECK(result.records[0].name == "*.litedesk.com");
  REQUIRE(result.records[0].alias.has_value());
  CHECK(*result.records[0].alias == AliasTarget{{"Z35SXDOTRQ7X7K"}, "dualstack.lb.us-east-1.elb.amazonaws.com", true});
  CHECK(result.records[0].ttl == 0);
  CHECK(result.records[1].set_identifier == "blue & green");
  CHECK(result.records[1].routing_xml == "<Weight>70</Weight><HealthCheckId>abc</HealthCheckId>");
  CHECK(result.records[1].ttl == 60);
  CHECK(result.records[2].values == std::vector<std::string>{"\"a <b>\"", "\"two\""});
  CHECK(result.truncated);
  CHECK(result.next_name == "w.litedesk.com.");
  CHECK(result.next_type == "CNAME");
  CHECK(result.next_identifier == "green");
}

TEST_CASE("what was read is written back just so, the elements in the schema's order") {
  const auto records = parse_records(page).records;
  const std::vector<RecordChange> changes{{Action::remove, records[0]},
                                          {Action::remove, records[1]},
                                          {Action::create, records[2]},
                                          {Action::upsert, simple("N.x.", "A", {"192.0.2.1"})}};
  CHECK(
      change_batch(changes, "why & how") ==
      R"(<?xml version="1.0" encoding="UTF-8"?>)"
      R"(<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch>)"
      R"(<Comment>why &amp; how</Comment><Changes>)"
      R"(<Change><Action>DELETE</Action><ResourceRecordSet><Name>\052.litedesk.com.</Name><Type>A</Type><AliasTarget>)"
      R"(<HostedZoneId>Z35SXDOTRQ7X7K</HostedZoneId><DNSName>dualstack.lb.us-east-1.elb.amazonaws.com.</DNSName>)"
      R"(<EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>)"
      R"(<Change><Action>DELETE</Action><ResourceRecordSet><Name>w.litedesk.com.</Name><Type>CNAME</Type>)"
      R"(<SetIdentifier>blue &amp; green</SetIdentifier><Weight>70</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord>)"
      R"(<Value>a.example.com</Value></ResourceRecord></ResourceRecords><HealthCheckId>abc</HealthCheckId></ResourceRecordSet></Change>)"
      R"(<Change><Action>CREATE</Action><ResourceRecordSet><Name>t.litedesk.com.</Name><Type>TXT</Type><TTL>300</TTL>)"
      R"(<ResourceRecords><ResourceRecord><Value>"a &lt;b&gt;"</Value></ResourceRecord><ResourceRecord><Value>"two"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>)"
      R"(<Change><Action>UPSERT</Action><ResourceRecordSet><Name>n.x.</Name><Type>A</Type><TTL>300</TTL><ResourceRecords>)"
      R"(<ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>)"
      R"(</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>)");
}

TEST_CASE("a long comment is cut at 256 bytes and never inside a character") {
  const std::vector<RecordChange> changes{{Action::create, simple("a.x", "A", {"192.0.2.1"})}};
  const auto text = change_batch(changes, std::string(255, 'c') + "\xC3\xA9");
  CHECK(text.find("<Comment>" + std::string(255, 'c') + "</Comment>") != std::string::npos);
}

TEST_CASE("zones, one zone and changes are read with bare ids") {
  const auto zones = parse_zones(R"(<ListHostedZonesByNameResponse><HostedZones>
      <HostedZone><Id>/hostedzone/Z1</Id><Name>litedesk.com.</Name><Config><PrivateZone>false</PrivateZone></Config>
        <ResourceRecordSetCount>7</ResourceRecordSetCount></HostedZone>
      <HostedZone><Id>/hostedzone/Z2</Id><Name>litedesk.com.</Name><Config><PrivateZone>true</PrivateZone></Config></HostedZone>
      </HostedZones><IsTruncated>true</IsTruncated><NextDNSName>x.</NextDNSName><NextHostedZoneId>Z3</NextHostedZoneId>
      </ListHostedZonesByNameResponse>)");
  REQUIRE(zones.zones.size() == 2);
  CHECK(zones.zones[0].id.value == "Z1");
  CHECK(zones.zones[0].name == "litedesk.com");
  CHECK(zones.zones[0].record_count == 7);
  CHECK_FALSE(zones.zones[0].is_private);
  CHECK(zones.zones[1].is_private);
  CHECK(zones.next_id == "Z3");
  CHECK(parse_zone("<GetHostedZoneResponse><HostedZone><Id>/hostedzone/Z9</Id><Name>a.b.</Name></HostedZone></"
                   "GetHostedZoneResponse>")
            .id.value == "Z9");
  const auto pending = parse_change_info(
      "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status></ChangeInfo></"
      "ChangeResourceRecordSetsResponse>");
  CHECK(pending.id == "C1");
  CHECK(pending.status == ChangeStatus::pending);
  CHECK(
      parse_change_info(
          "<GetChangeResponse><ChangeInfo><Id>/change/C1</Id><Status>INSYNC</Status></ChangeInfo></GetChangeResponse>")
          .status == ChangeStatus::insync);
}

TEST_CASE("an answer that is no document of Route 53 is Unavailable, not an empty list") {
  for (const auto* text : {"", "<html><body>Sign in</body></html>", "{\"ok\":true}", "<ListResourceRecordSetsResponse>",
                           "<GetChangeResponse/>"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(static_cast<void>(parse_records(text)), Unavailable);
  }
  CHECK_THROWS_AS(static_cast<void>(parse_change_info("<html/>")), Unavailable);
}

TEST_CASE("both forms of a refused batch give one message a change") {
  const auto today =
      parse_error(R"(<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type>
      <Code>InvalidChangeBatch</Code><Message>[Tried to create resource record set [name='a.x.', type='A'] but it already exists, Tried to delete resource record set [name='b.x.', type='TXT'] but it was not found]</Message></Error></ErrorResponse>)");
  CHECK(today.code == "InvalidChangeBatch");
  CHECK(today.messages ==
        std::vector<std::string>{"Tried to create resource record set [name='a.x.', type='A'] but it already exists",
                                 "Tried to delete resource record set [name='b.x.', type='TXT'] but it was not found"});
  const auto formerly = parse_error(
      "<InvalidChangeBatch "
      "xmlns=\"x\"><Messages><Message>one</Message><Message>two</Message></Messages></InvalidChangeBatch>");
  CHECK(formerly.code == "InvalidChangeBatch");
  CHECK(formerly.messages == std::vector<std::string>{"one", "two"});
  CHECK(parse_error("<html>502</html>").code.empty());
  CHECK(parse_error("").code.empty());
}

TEST_CASE("a batch is measured before it goes out, an UPSERT counting twice") {
  const auto many = [](std::size_t count, std::size_t size, Action action) {
    RecordSet record = simple("a.x", "TXT", {});
    for (std::size_t i = 0; i < count; ++i) record.values.emplace_back(size, 'x');
    return std::vector<RecordChange>{{action, record}};
  };
  CHECK_NOTHROW(check_batch(many(1'000, 1, Action::create)));
  CHECK_THROWS_AS(check_batch(many(1'001, 1, Action::create)), ValidationError);
  CHECK_NOTHROW(check_batch(many(500, 1, Action::upsert)));
  CHECK_THROWS_AS(check_batch(many(501, 1, Action::upsert)), ValidationError);
  CHECK_NOTHROW(check_batch(many(8, 4'000, Action::create)));
  CHECK_THROWS_AS(check_batch(many(9, 3'600, Action::create)), ValidationError);
  CHECK_NOTHROW(check_batch(many(4, 4'000, Action::upsert)));
  CHECK_THROWS_AS(check_batch(many(5, 3'300, Action::upsert)), ValidationError);
  CHECK_THROWS_AS(check_batch({}), ValidationError);
}

TEST_CASE("a record that cannot be is refused with its reason") {
  struct Case {
    RecordSet record;
    const char* reason;
  };
  auto alias = simple("a.x", "A", {"192.0.2.1"});
  alias.alias = AliasTarget{{"Z1"}, "lb.x", false};
  auto slow = simple("a.x", "A", {"192.0.2.1"});
  slow.ttl = 2147483648;
  auto negative = simple("a.x", "A", {"192.0.2.1"});
  negative.ttl = -1;
  std::string four_labels;
  for (int i = 0; i < 4; ++i) four_labels += std::string(63, 'a') + ".";
  const Case cases[] = {
      {simple(std::string(64, 'a') + ".x", "A", {"1"}), "a label of its name is longer than 63 bytes"},
      {simple(four_labels + "x", "A", {"1"}), "its name is longer than 255 bytes"},
      {simple("a..x", "A", {"1"}), "empty label"},
      {simple("a.x", "A", {}), "no value"},
      {simple("a.x", "TXT", {std::string(4'001, 'x')}), "longer than 4,000"},
      {alias, "an alias has no values"},
      {slow, "TTL"},
      {negative, "TTL"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.reason);
    const std::vector<RecordChange> changes{{Action::create, c.record}};
    try {
      check_batch(changes);
      FAIL_CHECK("it was taken");
    } catch (const ValidationError& error) {
      CHECK(error.message().find(c.reason) != std::string::npos);
    }
  }
  // An escape is one byte of a label.
  std::string stars;
  for (int i = 0; i < 63; ++i) stars += "@";
  CHECK_NOTHROW(check_batch(std::vector<RecordChange>{{Action::create, simple(stars + ".x", "A", {"1"})}}));
}
