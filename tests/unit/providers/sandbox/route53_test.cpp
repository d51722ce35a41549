#include <doctest/doctest.h>
#include <pugixml.hpp>

#include "aws_signer.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;

namespace {

const std::string zone_path = "/2013-04-01/hostedzone/" + std::string(zone_id);

struct Service {
  tests::TemporaryFolder folder;
  tests::HandClock clock;
  State state{folder / "state.db"};
  std::unique_ptr<Api> api = make_route53_api({state, clock, 1.0, "litedesk.com", tests::keys});

  Reply send(const std::string& method, const std::string& target, const std::string& body = {}) {
    // The hand clock moves, and a signature must be of its time.
    tests::Signing signing;
    signing.stamp.clear();
    for (const char c : system::to_rfc3339(clock.now()))
      if (c != '-' && c != ':') signing.stamp += c;
    return api->handle(tests::signed_call(method, target, body, signing));
  }
  // One element's text, by path from the root.
  static std::string text(const Reply& reply, const char* path) {
    pugi::xml_document document;
    REQUIRE(document.load_string(reply.body.c_str()));
    return document.document_element().first_element_by_path(path).text().get();
  }
  static std::string error(const Reply& reply) {
    return std::to_string(reply.status) + " " + text(reply, "Error/Code") + ": " + text(reply, "Error/Message");
  }
  Reply change(const std::string& changes) {
    return send(
        "POST", zone_path + "/rrset/",
        R"(<?xml version="1.0"?><ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/">)"
        "<ChangeBatch><Changes>" +
            changes + "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
  }
  // "name TYPE" of each record set of the answer to a list.
  std::vector<std::string> list(const std::string& query = {}) {
    const auto reply = send("GET", zone_path + "/rrset" + query);
    REQUIRE(reply.status == 200);
    pugi::xml_document document;
    REQUIRE(document.load_string(reply.body.c_str()));
    std::vector<std::string> found;
    for (const auto& node : document.document_element().child("ResourceRecordSets"))
      found.push_back(std::string(node.child("Name").text().get()) + " " + node.child("Type").text().get());
    return found;
  }
};

std::string one(const std::string& action, const std::string& name, const std::string& type, const std::string& value,
                const std::string& more = {}) {
  return "<Change><Action>" + action + "</Action><ResourceRecordSet><Name>" + name + "</Name><Type>" + type +
         "</Type>" + more + "<TTL>300</TTL><ResourceRecords><ResourceRecord><Value>" + value +
         "</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>";
}

std::string alias(const std::string& action, const std::string& name, const std::string& type, const std::string& zone,
                  const std::string& target) {
  return "<Change><Action>" + action + "</Action><ResourceRecordSet><Name>" + name + "</Name><Type>" + type +
         "</Type><AliasTarget><HostedZoneId>" + zone + "</HostedZoneId><DNSName>" + target +
         "</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>";
}

}  // namespace

TEST_CASE("a new sandbox holds the domain's zone, with its name servers and SOA") {
  Service service;
  const auto zones = service.send("GET", "/2013-04-01/hostedzonesbyname?dnsname=litedesk.com");
  CHECK(zones.status == 200);
  CHECK(zones.content_type == "text/xml");
  CHECK(Service::text(zones, "HostedZones/HostedZone/Id") == "/hostedzone/" + std::string(zone_id));
  CHECK(Service::text(zones, "HostedZones/HostedZone/Name") == "litedesk.com.");
  CHECK(service.list() == std::vector<std::string>{"litedesk.com. NS", "litedesk.com. SOA"});
  CHECK(Service::text(service.send("GET", zone_path), "HostedZone/ResourceRecordSetCount") == "2");
}

TEST_CASE("an unsigned call is refused") {
  Service service;
  CHECK(Service::error(service.api->handle(tests::make_call("GET", zone_path))) ==
        "403 MissingAuthenticationToken: Missing Authentication Token");
}

TEST_CASE("a record set is created, listed by its escaped name, replaced and deleted") {
  Service service;
  CHECK(service.change(one("CREATE", "*.Acme.litedesk.com", "A", "1.2.3.4")).status == 200);
  CHECK(service.list("?name=%2A.acme.litedesk.com&type=A").front() == "\\052.acme.litedesk.com. A");
  CHECK(service.change(one("UPSERT", "\\052.acme.litedesk.com.", "A", "5.6.7.8")).status == 200);
  const auto listed = service.send("GET", zone_path + "/rrset?maxitems=1&name=%2A.acme.litedesk.com&type=A");
  CHECK(Service::text(listed, "ResourceRecordSets/ResourceRecordSet/ResourceRecords/ResourceRecord/Value") ==
        "5.6.7.8");
  CHECK(service.change(one("DELETE", "*.acme.litedesk.com", "A", "5.6.7.8")).status == 200);
  CHECK(service.list().size() == 2);
}

TEST_CASE("a batch that may not be is refused in the service's own words") {
  struct Case {
    std::string changes;
    const char* message;
  };
  const std::string a = "x.litedesk.com";
  const std::string service_zone = "Z35SXDOTRQ7X7K";
  for (const auto& tried : {
           Case{one("CREATE", "have.litedesk.com", "A", "1.1.1.1"),
                "[Tried to create resource record set [name='have.litedesk.com.', type='A'] but it already exists]"},
           Case{one("DELETE", a, "A", "1.1.1.1"),
                "[Tried to delete resource record set [name='x.litedesk.com.', type='A'] but it was not found]"},
           Case{one("DELETE", "have.litedesk.com", "A", "2.2.2.2"),
                "[Tried to delete resource record set [name='have.litedesk.com.', type='A'] but the values provided do "
                "not "
                "match the current values]"},
           Case{one("CREATE", "litedesk.com", "CNAME", "y.com"),
                "[RRSet of type CNAME with DNS name litedesk.com. is not permitted at apex in zone litedesk.com.]"},
           Case{one("CREATE", "have.litedesk.com", "CNAME", "y.com"),
                "[RRSet of type CNAME with DNS name have.litedesk.com. is not permitted as it conflicts with other "
                "records "
                "with the same DNS name in zone litedesk.com.]"},
           Case{one("CREATE", "alias.litedesk.com", "A", "1.1.1.1"),
                "[RRSet of type A with DNS name alias.litedesk.com. is not permitted because a conflicting RRSet of "
                "type  "
                "CNAME with the same DNS name already exists in zone litedesk.com.]"},
           Case{one("CREATE", "x.other.com", "A", "1.1.1.1"),
                "[RRSet with DNS name x.other.com. is not permitted in zone litedesk.com.]"},
           Case{one("CREATE", a, "TXT", "bare"),
                "[Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in "
                "quotation "
                "marks) encountered with 'bare'']"},
           Case{one("CREATE", "have.litedesk.com", "A", "2.2.2.2",
                    "<SetIdentifier>one</SetIdentifier><Weight>1</Weight>"),
                "[RRSet with DNS name have.litedesk.com., type A, SetIdentifier one cannot be created as other RRSets "
                "exist "
                "with the same name and type.]"},
           Case{
               alias("CREATE", a, "A", std::string(zone_id), "none.litedesk.com"),
               "[Tried to create an alias that targets none.litedesk.com., type A in zone Z0SANDBOX0LITEDESK, but that "
               "target was not found]"},
           Case{alias("CREATE", a, "A", service_zone, "a.eu-west-1.elb.amazonaws.com"),
                "[Tried to create an alias that targets a.eu-west-1.elb.amazonaws.com., type A in zone Z35SXDOTRQ7X7K, "
                "but "
                "the alias target name does not lie within the target zone]"},
           Case{one("CREATE", a, "A", "1.1.1.1") + one("DELETE", "gone.litedesk.com", "A", "1.1.1.1") +
                    one("CREATE", "have.litedesk.com", "A", "1.1.1.1"),
                "[Tried to delete resource record set [name='gone.litedesk.com.', type='A'] but it was not found, "
                "Tried to "
                "create resource record set [name='have.litedesk.com.', type='A'] but it already exists]"},
       }) {
    const auto& changes = tried.changes;
    const auto& message = tried.message;
    INFO(changes);
    Service service;
    REQUIRE(service
                .change(one("CREATE", "have.litedesk.com", "A", "1.1.1.1") +
                        one("CREATE", "alias.litedesk.com", "CNAME", "y.com"))
                .status == 200);
    CHECK(Service::error(service.change(changes)) == std::string("400 InvalidChangeBatch: ") + message);
    CHECK(service.list().size() == 4);
  }
}

TEST_CASE("the zone's own NS and SOA cannot go") {
  Service service;
  const auto soa = service.send("GET", zone_path + "/rrset?maxitems=1&name=litedesk.com&type=SOA");
  const auto value = Service::text(soa, "ResourceRecordSets/ResourceRecordSet/ResourceRecords/ResourceRecord/Value");
  const auto change =
      "<Change><Action>DELETE</Action><ResourceRecordSet><Name>litedesk.com</Name><Type>SOA</Type><TTL>900</TTL>"
      "<ResourceRecords><ResourceRecord><Value>" +
      value + "</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>";
  CHECK(Service::error(service.change(change)) ==
        "400 InvalidChangeBatch: [A HostedZone must contain exactly one SOA record.]");
}

TEST_CASE("a request of the wrong form is no batch at all") {
  struct Case {
    std::string changes;
    const char* begin;
  };
  for (const auto& tried : {
           Case{"", "400 InvalidInput: "},
           Case{one("REPLACE", "x.litedesk.com", "A", "1.1.1.1"),
                "400 InvalidInput: 1 validation error detected: Value 'REPLACE'"},
           Case{one("CREATE", "x.litedesk.com", "B", "1.1.1.1"),
                "400 InvalidInput: 1 validation error detected: Value 'B'"},
           Case{"<Change><Action>CREATE</Action><ResourceRecordSet><Name>x.litedesk.com</Name><Type>A</Type></"
                "ResourceRecordSet></Change>",
                "400 InvalidInput: Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and "
                "ResourceRecords], or "
                "TrafficPolicyInstanceId], but found none in Change with [Action=CREATE, Name=x.litedesk.com., Type=A, "
                "SetIdentifier=null]"},
           Case{one("CREATE", "x.litedesk.com", "A", "1.1.1.1", "<Weight>1</Weight>"),
                "400 InvalidInput: Invalid request: Missing field 'SetIdentifier'"},
           Case{one("CREATE", "x.litedesk.com", "A", "1.1.1.1", "<SetIdentifier>a</SetIdentifier>"),
                "400 InvalidInput: Invalid request: Expected exactly one of [Weight"},
           Case{one("CREATE", "x.litedesk.com", "A", std::string(4001, '1')),
                "400 InvalidInput: 1 validation error detected"},
       }) {
    const auto& changes = tried.changes;
    const auto& begin = tried.begin;
    Service service;
    const auto found = Service::error(service.change(changes));
    INFO(found);
    CHECK(found.starts_with(begin));
  }
  Service service;
  const auto unwrapped = service.send("POST", zone_path + "/rrset/", "<ChangeBatch/>");
  CHECK(Service::error(unwrapped).starts_with("400 MalformedInput: "));
  CHECK(Service::error(service.send("POST", zone_path + "/rrset/", "<a")).starts_with("400 MalformedInput: "));
}

TEST_CASE("a batch may delete a type and create another at the same name, in that order") {
  Service service;
  REQUIRE(service.change(one("CREATE", "x.litedesk.com", "A", "1.1.1.1")).status == 200);
  CHECK(service
            .change(one("DELETE", "x.litedesk.com", "A", "1.1.1.1") + one("CREATE", "x.litedesk.com", "CNAME", "y.com"))
            .status == 200);
  CHECK(service.list().back() == "x.litedesk.com. CNAME");
}

TEST_CASE("a batch says one thing of a record set, or deletes it and makes it anew") {
  Service service;
  const auto refused = [&](const std::string& changes) { return Service::error(service.change(changes)); };
  const std::string words =
      "400 InvalidChangeBatch: [The request contains an invalid set of changes for a resource record set 'A "
      "x.litedesk.com.']";
  const auto upsert = one("UPSERT", "x.litedesk.com", "A", "1.1.1.1");
  CHECK(refused(upsert + upsert) == words);
  CHECK(service.list().size() == 2);
  REQUIRE(service.change(upsert).status == 200);
  const auto gone = one("DELETE", "x.litedesk.com", "A", "1.1.1.1");
  CHECK(refused(gone + gone) == words);
  CHECK(service.change(gone + one("CREATE", "x.litedesk.com", "A", "2.2.2.2")).status == 200);
}

TEST_CASE("an upsert counts twice against the limits of a batch") {
  Service service;
  const auto batch = [](const char* action, int records) {
    std::string changes;
    for (int i = 0; i < records; ++i) changes += one(action, "n" + std::to_string(i) + ".litedesk.com", "A", "1.1.1.1");
    return changes;
  };
  CHECK(Service::error(service.change(batch("CREATE", 1001))) ==
        "400 InvalidChangeBatch: Number of records limit of 1000 exceeded.");
  CHECK(Service::error(service.change(batch("UPSERT", 501))) ==
        "400 InvalidChangeBatch: Number of records limit of 1000 exceeded.");
  std::string changes;
  for (int i = 0; i < 9; ++i)
    changes += one("CREATE", "t" + std::to_string(i) + ".litedesk.com", "SSHFP", std::string(3900, 'a'));
  CHECK(Service::error(service.change(changes)) ==
        "400 InvalidChangeBatch: Number of characters limit of 32000 exceeded.");
  CHECK(service.change(batch("UPSERT", 500)).status == 200);
}

TEST_CASE("a list is read page by page, with the cursor of name, type and identifier") {
  Service service;
  std::string changes;
  for (const auto* name : {"b", "a", "*"})
    changes += one("CREATE", std::string(name) + ".litedesk.com", "A", "1.1.1.1");
  changes += one("CREATE", "a.litedesk.com", "TXT", "\"t\"");
  for (const auto* identifier : {"two", "one"})
    changes += one("CREATE", "w.litedesk.com", "A", "1.1.1.1",
                   "<SetIdentifier>" + std::string(identifier) + "</SetIdentifier><Weight>1</Weight>");
  REQUIRE(service.change(changes).status == 200);
  const std::vector<std::string> all = {"litedesk.com. NS",  "litedesk.com. SOA",   "\\052.litedesk.com. A",
                                        "a.litedesk.com. A", "a.litedesk.com. TXT", "b.litedesk.com. A",
                                        "w.litedesk.com. A", "w.litedesk.com. A"};
  CHECK(service.list() == all);

  std::vector<std::string> read;
  std::string cursor;
  int pages = 0;
  for (; pages < 20; ++pages) {
    const auto reply = service.send("GET", zone_path + "/rrset?" + cursor);
    pugi::xml_document document;
    REQUIRE(document.load_string(reply.body.c_str()));
    const auto root = document.document_element();
    for (const auto& node : root.child("ResourceRecordSets"))
      read.push_back(std::string(node.child("Name").text().get()) + " " + node.child("Type").text().get());
    if (std::string_view(root.child("IsTruncated").text().get()) == "false" && !cursor.empty()) break;
    std::string name = root.child("NextRecordName").text().get();
    if (const auto at = name.find('\\'); at != std::string::npos) name.replace(at, 1, "%5C");
    const std::string identifier = root.child("NextRecordIdentifier").text().get();
    if (cursor.empty()) read.clear();  // the first answer was whole: now one record a page, from the start
    cursor = cursor.empty() ? "maxitems=1"
                            : (identifier.empty() ? "" : "identifier=" + identifier + "&") + "maxitems=1&name=" + name +
                                  "&type=" + root.child("NextRecordType").text().get();
  }
  CHECK(read == all);
  CHECK(pages == 8);
}

TEST_CASE("a list's cursor needs its parts, and a page is never larger than 300") {
  Service service;
  CHECK(service.send("GET", zone_path + "/rrset?type=A").status == 400);
  CHECK(service.send("GET", zone_path + "/rrset?identifier=x&name=a.com").status == 400);
  CHECK(service.send("GET", zone_path + "/rrset?maxitems=0").status == 400);
  CHECK(service.send("GET", zone_path + "/rrset?maxitems=x").status == 400);
  CHECK(Service::text(service.send("GET", zone_path + "/rrset?maxitems=500"), "MaxItems") == "300");
  CHECK(service.list("?maxitems=1&name=b.litedesk.com").empty());
}

TEST_CASE("a change is PENDING for twenty seconds of the clock, then INSYNC") {
  Service service;
  const auto id = Service::text(service.change(one("CREATE", "x.litedesk.com", "A", "1.1.1.1")), "ChangeInfo/Id");
  REQUIRE(id.starts_with("/change/C"));
  const auto status = [&] { return Service::text(service.send("GET", "/2013-04-01" + id), "ChangeInfo/Status"); };
  CHECK(status() == "PENDING");
  service.clock.move(std::chrono::milliseconds(19'999));
  CHECK(status() == "PENDING");
  service.clock.move(std::chrono::milliseconds(1));
  CHECK(status() == "INSYNC");

  service.api = make_route53_api({service.state, service.clock, 0.0, "litedesk.com", tests::keys});
  CHECK(Service::text(service.change(one("CREATE", "y.litedesk.com", "A", "1.1.1.1")), "ChangeInfo/Status") ==
        "INSYNC");
}

TEST_CASE("what is not there is 404, by its own code") {
  Service service;
  CHECK(Service::error(service.send("GET", "/2013-04-01/hostedzone/ZNONE")) ==
        "404 NoSuchHostedZone: No hosted zone found with ID: ZNONE");
  CHECK(Service::error(service.send("GET", "/2013-04-01/hostedzone/ZNONE/rrset")).starts_with("404 NoSuchHostedZone"));
  CHECK(Service::error(service.send("GET", "/2013-04-01/change/CNONE")) ==
        "404 NoSuchChange: Could not find resource with ID: CNONE");
  CHECK(service.send("GET", "/2013-04-01/healthcheck").status == 404);
}

TEST_CASE("zones of one name can be several, and a search starts at a name") {
  Service service;
  const auto create = [&](const std::string& name, const std::string& reference) {
    return service.send("POST", "/2013-04-01/hostedzone",
                        "<CreateHostedZoneRequest><Name>" + name + "</Name><CallerReference>" + reference +
                            "</CallerReference></CreateHostedZoneRequest>");
  };
  CHECK(create("litedesk.com", "1").status == 201);
  CHECK(create("zebra.org", "2").status == 201);
  CHECK(create("a.com", "3").status == 201);
  CHECK(Service::error(create("b.com", "3")).starts_with("409 HostedZoneAlreadyExists"));
  const auto names = [&](const std::string& query) {
    pugi::xml_document document;
    REQUIRE(document.load_string(service.send("GET", "/2013-04-01/hostedzonesbyname" + query).body.c_str()));
    std::string found;
    for (const auto& zone : document.document_element().child("HostedZones"))
      found += std::string(zone.child("Name").text().get()) + " ";
    return found + document.document_element().child("NextDNSName").text().get();
  };
  CHECK(names("") == "a.com. litedesk.com. litedesk.com. zebra.org. ");
  CHECK(names("?dnsname=b.com") == "litedesk.com. litedesk.com. zebra.org. ");
  CHECK(names("?dnsname=litedesk.com&maxitems=1") == "litedesk.com. litedesk.com.");
  CHECK(service.send("GET", "/2013-04-01/hostedzonesbyname?hostedzoneid=Z").status == 400);
  CHECK(
      Service::text(service.send("GET", "/2013-04-01/hostedzonelimit/" + std::string(zone_id) + "/MAX_RRSETS_BY_ZONE"),
                    "Limit/Value") == "10000");
}

TEST_CASE("TestDNSAnswer follows wildcards and aliases, and knows what is not there") {
  Service service;
  REQUIRE(service
              .change(one("CREATE", "*.acme.litedesk.com", "A", "1.2.3.4") +
                      one("CREATE", "api.acme.litedesk.com", "A", "5.6.7.8") +
                      alias("CREATE", "litedesk.com", "A", "Z35SXDOTRQ7X7K", "x.us-east-1.elb.amazonaws.com") +
                      alias("CREATE", "www.litedesk.com", "A", std::string(zone_id), "api.acme.litedesk.com"))
              .status == 200);
  const auto ask = [&](const std::string& name, const std::string& type) {
    const auto reply = service.send("GET", "/2013-04-01/testdnsanswer?hostedzoneid=" + std::string(zone_id) +
                                               "&recordname=" + name + "&recordtype=" + type);
    return Service::text(reply, "ResponseCode") + " " + Service::text(reply, "RecordData/RecordDataEntry");
  };
  CHECK(ask("any.acme.litedesk.com", "A") == "NOERROR 1.2.3.4");
  CHECK(ask("deep.any.acme.litedesk.com", "A") == "NOERROR 1.2.3.4");
  CHECK(ask("api.acme.litedesk.com", "A") == "NOERROR 5.6.7.8");
  CHECK(ask("api.acme.litedesk.com", "AAAA") == "NOERROR ");
  CHECK(ask("below.api.acme.litedesk.com", "A") == "NXDOMAIN ");
  CHECK(ask("acme.litedesk.com", "A") == "NOERROR ");
  CHECK(ask("www.litedesk.com", "A") == "NOERROR 5.6.7.8");
  CHECK(ask("litedesk.com", "A") == "NOERROR 192.0.2.10");
  CHECK(ask("none.litedesk.com", "A") == "NXDOMAIN ");
}

TEST_CASE("faults are told in Route 53's own way") {
  Service service;
  CHECK(Service::error(service.api->throttled()) == "400 Throttling: Rate exceeded");
  CHECK(Service::error(service.api->failed(409)).starts_with("400 PriorRequestNotComplete: "));
  CHECK(Service::error(service.api->failed(503)).starts_with("503 ServiceUnavailable: "));
  CHECK(Service::error(service.api->failed(500)).starts_with("500 InternalFailure: "));
  CHECK(Service::error(service.api->broken("the disk is full")) == "500 InternalFailure: the disk is full");
}
