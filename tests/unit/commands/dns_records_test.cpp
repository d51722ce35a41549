#include "commands/dns_records.hpp"

#include <algorithm>
#include <functional>

#include <doctest/doctest.h>

#include "commands/tenant.hpp"
#include "tests/unit/commands/fake_world.hpp"
#include "tests/unit/commands/json_schema.hpp"

using namespace litedesk;
using route53::Action;
using route53::RecordSet;

namespace {

// A hosted zone in memory: batches are atomic, CREATE and DELETE mind what is there.
class Zone : public testing::NoProviders {
 public:
  using NoProviders::get;
  using NoProviders::list;

  std::vector<RecordSet> records;
  std::vector<std::vector<route53::RecordChange>> batches;
  int pending = 0;                           // how often a change is told PENDING
  std::function<void(Zone&)> before_change;  // somebody else was quicker

  std::optional<RecordSet> get(const route53::HostedZoneId&, std::string_view name, std::string_view type) override {
    for (const auto& record : records)
      if (record.name == name && record.type == type) return record;
    return std::nullopt;
  }
  std::vector<RecordSet> get_name(const route53::HostedZoneId&, std::string_view name) override {
    std::vector<RecordSet> found;
    for (const auto& record : records)
      if (record.name == name) found.push_back(record);
    return found;
  }
  std::vector<RecordSet> list(const route53::HostedZoneId&) override { return records; }

  route53::ChangeInfo change(const route53::HostedZoneId&, std::span<const route53::RecordChange> changes,
                             std::string_view) override {
    if (before_change) before_change(*this);
    auto next = records;
    for (const auto& change : changes) {
      const auto at = std::find_if(next.begin(), next.end(), [&](const RecordSet& record) {
        return record.name == change.record.name && record.type == change.record.type &&
               record.set_identifier == change.record.set_identifier;
      });
      if (change.action == Action::create && at != next.end()) throw Conflict("already exists");
      if (change.action == Action::remove && (at == next.end() || *at != change.record))
        throw Conflict("not as it was read");
      if (change.action == Action::remove)
        next.erase(at);
      else if (at != next.end())
        *at = change.record;
      else
        next.push_back(change.record);
    }
    records = std::move(next);
    batches.emplace_back(changes.begin(), changes.end());
    return {"C1", pending > 0 ? route53::ChangeStatus::pending : route53::ChangeStatus::insync};
  }
  route53::ChangeInfo get_change(std::string_view id, std::stop_token) override {
    return {std::string(id), pending-- > 0 ? route53::ChangeStatus::pending : route53::ChangeStatus::insync};
  }

  [[nodiscard]] std::string text() const {
    std::vector<std::string> lines;
    for (const auto& record : records) {
      std::string line = record.type + " " + record.name + " ";
      if (record.alias) line += "alias " + record.alias->zone.value + " " + record.alias->name;
      for (const auto& value : record.values) line += (line.ends_with(' ') ? "" : " | ") + value;
      lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const auto& line : lines) all += line + "\n";
    return all;
  }
};

struct Fixture : testing::FakeWorld<Zone> {
  Fixture() {
    settings.dns.domain = "litedesk.com";
    settings.kubernetes.load_balancer = "lb.example.com";
  }
  RecordSet& put(std::string name, std::string type, std::string value) {
    RecordSet record;
    record.name = std::move(name);
    record.type = std::move(type);
    record.values = {std::move(value)};
    providers.records.push_back(std::move(record));
    return providers.records.back();
  }
  RecordResult set(const std::function<void(SetRecord&)>& change = {}) {
    SetRecord wanted;
    wanted.name = "acme";
    if (change) change(wanted);
    return set_record(world, wanted, {});
  }
  RecordResult remove(std::string_view name, std::string_view type = {}, bool adopt = false) {
    DeleteRecord wanted;
    wanted.name = name;
    wanted.type = type;
    wanted.adopt = adopt;
    // A dry run comes to the same answer, and sends nothing.
    wanted.dry_run = true;
    const auto batches = providers.batches.size();
    const auto would = delete_record(world, wanted, {});
    CHECK(would.dry_run);
    CHECK(providers.batches.size() == batches);
    wanted.dry_run = false;
    auto result = delete_record(world, wanted, {});
    CHECK(result.record == would.record);
    return result;
  }
};

const std::string mine = "\"heritage=litedesk,litedesk/owner=registry-1\"";
const std::string theirs = "\"heritage=litedesk,litedesk/owner=registry-2,litedesk/tenant=acme\"";
const std::string external = "\"heritage=external-dns,external-dns/owner=default\"";

template <typename Expected>
std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.message() + " | " + error.hint() + " | " + error.cause();
  }
  return "(not refused so)";
}

}  // namespace

TEST_CASE("owner records are named as external-dns names them, wildcards by a word that no slug can be") {
  struct Case {
    const char *name, *type, *expected;
  };
  for (const auto& c : {Case{"acme.litedesk.com", "CNAME", "cname-acme.litedesk.com"},
                        Case{"acme.litedesk.com.", "A", "a-acme.litedesk.com"},
                        Case{"*.litedesk.com", "CNAME", "cname-_any.litedesk.com"},
                        Case{"\\052.litedesk.com.", "A", "a-_any.litedesk.com"},
                        Case{"any.litedesk.com", "CNAME", "cname-any.litedesk.com"},
                        Case{"litedesk.com", "AAAA", "aaaa-litedesk.com"}}) {
    CAPTURE(c.name);
    CHECK(owner_record_name(c.name, c.type) == c.expected);
  }
  CHECK(owner_record_name("LiteDesk.com.", "A", "litedesk.com") == "a-_apex.litedesk.com");
  CHECK(owner_record_name("acme.litedesk.com", "A", "litedesk.com") == "a-acme.litedesk.com");
}

TEST_CASE("an owner text tells the registry and the tenant, and nothing else is one") {
  CHECK(owner_text("r1", "") == "heritage=litedesk,litedesk/owner=r1");
  CHECK(owner_text("r1", "acme") == "heritage=litedesk,litedesk/owner=r1,litedesk/tenant=acme");
  const auto owner = parse_owner_text(owner_text("r1", "acme"));
  REQUIRE(owner.has_value());
  CHECK(owner->registry_id == "r1");
  CHECK(owner->slug == "acme");
  for (const auto* text : {"", "heritage=litedesk", "litedesk/owner=r1", "heritage=external-dns,external-dns/owner=r1",
                           "heritage=litedesk,litedesk/owner="})
    CHECK_FALSE(parse_owner_text(text).has_value());
}

TEST_CASE(
    "a record that is not there is created with its owner record in one batch, and a second time nothing is sent") {
  Fixture f;
  const auto result = f.set();
  CHECK(result.action == "created");
  CHECK(result.status == "insync");
  CHECK(result.owner == "registry-1");
  CHECK_FALSE(result.before.has_value());
  CHECK(f.providers.text() == "CNAME acme.litedesk.com lb.example.com\nTXT cname-acme.litedesk.com " + mine + "\n");
  CHECK(f.providers.batches.size() == 1);
  const auto again = f.set([](SetRecord& wanted) {
    wanted.name = "ACME.litedesk.com.";
    wanted.target = "LB.example.com.";
  });
  CHECK(again.action == "unchanged");
  CHECK(again.status.empty());
  CHECK(f.providers.batches.size() == 1);
}

TEST_CASE("a name that leaves no room for its owner record is refused before anything is asked of Route 53") {
  Fixture f;
  const auto set = [&f](std::size_t length, const char* target) {
    (void)f.set([&](SetRecord& wanted) {
      wanted.name = std::string(length, 'x');
      wanted.target = target;
    });
  };
  CHECK_NOTHROW(set(57, "lb.example.com"));
  CHECK(refusal<UsageError>([&] { set(58, "lb.example.com"); }) ==
        "the first label of " + std::string(58, 'x') +
            ".litedesk.com has 58 characters, and a CNAME record of ours has room for 57 | its owner record needs the "
            "rest: cname-<name> | ");
  CHECK_NOTHROW(set(61, "192.0.2.1"));
  CHECK_THROWS_AS(set(62, "192.0.2.1"), UsageError);
  CHECK(refusal<UsageError>([&] { set(64, "192.0.2.1"); }).find("longer than 63") != std::string::npos);
  CHECK(f.providers.batches.size() == 2);
  // A wildcard's owner record is named by a short word, but the whole name counts.
  std::string deep = std::string(60, 'a');
  for (int i = 0; i < 3; ++i) deep += "." + std::string(58, 'b');
  CHECK(refusal<UsageError>([&] {
          (void)f.set([&](SetRecord& wanted) { wanted.name = "*." + deep.substr(0, 236) + ".litedesk.com"; });
        }).find("characters, and a CNAME record of ours has room for 247") != std::string::npos);
}

TEST_CASE("the domain's own record is set, shown as ours and deleted like another one") {
  Fixture f;
  const auto set = [&f] {
    return f.set([](SetRecord& wanted) {
      wanted.name = "@";
      wanted.target = "192.0.2.1";
    });
  };
  CHECK(set().action == "created");
  CHECK(set().action == "unchanged");
  REQUIRE(list_records(f.world, true).size() == 1);
  CHECK(get_records(f.world, "@").front().owner == "registry-1");
  CHECK(f.remove("litedesk.com").action == "deleted");
  CHECK(f.providers.records.empty());
}

TEST_CASE("a foreign record whose name leaves no room for an owner record is shown, and deleted with adopt") {
  Fixture f;
  const std::string label(63, 'x');
  f.put(label + ".litedesk.com", "CNAME", "other.example");
  const auto found = get_records(f.world, label);
  REQUIRE(found.size() == 1);
  CHECK(found.front().owner.empty());
  CHECK_THROWS_AS(f.remove(label), Conflict);
  CHECK(f.remove(label, "", true).action == "deleted");
  CHECK(f.providers.records.empty());
}

TEST_CASE("what is asked for becomes the right record") {
  struct Case {
    const char* what;
    std::function<void(SetRecord&)> change;
    const char* expected;
  };
  const Case cases[] = {
      {"an IPv4 address", [](SetRecord& w) { w.target = "192.0.2.1"; },
       "A acme.litedesk.com 192.0.2.1\nTXT a-acme.litedesk.com "},
      {"an IPv6 address", [](SetRecord& w) { w.target = "2001:db8::1"; },
       "AAAA acme.litedesk.com 2001:db8::1\nTXT aaaa-acme.litedesk.com "},
      {"the wildcard of the domain", [](SetRecord& w) { w.name = "*"; },
       "CNAME *.litedesk.com lb.example.com\nTXT cname-_any.litedesk.com "},
      {"a wildcard below a name", [](SetRecord& w) { w.wildcard = true; },
       "CNAME *.acme.litedesk.com lb.example.com\nTXT cname-_any.acme.litedesk.com "},
      {"the domain itself by an alias",
       [](SetRecord& w) {
         w.name = "@";
         w.alias = true;
         w.target = "a1.us-east-1.elb.amazonaws.com";
       },
       "A litedesk.com alias Z35SXDOTRQ7X7K a1.us-east-1.elb.amazonaws.com\nTXT a-_apex.litedesk.com "},
      {"an alias within the zone",
       [](SetRecord& w) {
         w.alias = true;
         w.target = "other.litedesk.com";
       },
       "A acme.litedesk.com alias Z1 other.litedesk.com\nTXT a-acme.litedesk.com "},
      {"a text",
       [](SetRecord& w) {
         w.type = "txt";
         w.target = "v=spf1 -all";
       },
       "TXT acme.litedesk.com \"v=spf1 -all\"\nTXT txt-acme.litedesk.com "},
      {"another load balancer", [](SetRecord& w) { w.load_balancer = "lb2.example.com"; },
       "CNAME acme.litedesk.com lb2.example.com\nTXT cname-acme.litedesk.com "},
      {"a name outside the domain, dotted", [](SetRecord& w) { w.name = "acme.example.org."; },
       "CNAME acme.example.org lb.example.com\nTXT cname-acme.example.org "},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    Fixture f;
    CHECK(f.set(c.change).action == "created");
    CHECK(f.providers.text() == c.expected + mine + "\n");
  }
}

TEST_CASE("what cannot be is refused before anything is read or sent") {
  struct Case {
    const char* what;
    std::function<void(SetRecord&)> change;
    const char* expected;
  };
  const Case cases[] = {
      {"no name", [](SetRecord& w) { w.name = ""; }, "needs a name"},
      {"a name of another domain", [](SetRecord& w) { w.name = "acme.example.org"; },
       "is not in the domain litedesk.com"},
      {"an accent", [](SetRecord& w) { w.name = "caf\xC3\xA9"; }, "Punycode"},
      {"a blank", [](SetRecord& w) { w.name = "a b"; }, "not allowed in host names"},
      {"a star inside", [](SetRecord& w) { w.name = "a*"; }, "whole first label"},
      {"an empty label", [](SetRecord& w) { w.name = "a..litedesk.com"; }, "empty"},
      {"a long label", [](SetRecord& w) { w.name = std::string(64, 'a'); }, "longer than 63"},
      {"an unknown type", [](SetRecord& w) { w.type = "SOA"; }, "cannot be set"},
      {"an address as CNAME",
       [](SetRecord& w) {
         w.type = "CNAME";
         w.target = "192.0.2.1";
       },
       "not to the address"},
      {"a name as A",
       [](SetRecord& w) {
         w.type = "A";
         w.target = "lb.example.com";
       },
       "needs an IPv4 address"},
      {"an alias to nobody's balancer",
       [](SetRecord& w) {
         w.alias = true;
         w.target = "lb.example.com";
       },
       "an alias cannot point to"},
      {"an alias of another type",
       [](SetRecord& w) {
         w.alias = true;
         w.type = "CNAME";
       },
       "an alias is an A or AAAA"},
      {"a target that is given and empty", [](SetRecord& w) { w.target = ""; },
       "--target is empty | if it comes from a variable"},
      {"a text that is given and empty",
       [](SetRecord& w) {
         w.type = "TXT";
         w.target = "";
       },
       "--target is empty"},
      {"an empty target of an alias",
       [](SetRecord& w) {
         w.alias = true;
         w.target = "";
       },
       "--target is empty"},
      {"itself", [](SetRecord& w) { w.target = "acme.litedesk.com."; }, "point to itself"},
      {"a negative TTL", [](SetRecord& w) { w.ttl = -1; }, "TTL"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    Fixture f;
    const auto message = refusal<UsageError>([&] { f.set(c.change); });
    CAPTURE(message);
    CHECK(message.find(c.expected) != std::string::npos);
    CHECK(f.providers.batches.empty());
  }
  for (const char* type : {"NS", "txt", "MX", "CAA", "SRV"}) {
    CAPTURE(type);
    Fixture f;
    CHECK(refusal<UsageError>([&] {
            f.set([&](SetRecord& w) { w.type = type; });
          }).find(" needs --target | only an A, AAAA or CNAME record leads to the load balancer") != std::string::npos);
  }
  Fixture f;
  f.settings.kubernetes.load_balancer.clear();
  CHECK(refusal<UsageError>([&] { f.set(); }).find("no target is given") != std::string::npos);
}

TEST_CASE("a target is a whole name or a right address, and what is neither becomes no record") {
  struct Row {
    const char *type, *target;
    const char* expected;
  };
  const auto set = [](Fixture& f, const Row& row) {
    return f.set([&](SetRecord& wanted) {
      wanted.name = "shop";
      wanted.type = row.type;
      wanted.target = row.target;
    });
  };
  const Row refused[] = {
      {"", "256.1.1.1", "target 256.1.1.1 is not a valid address"},
      {"", "192.0.2", "not a valid address"},
      {"", "192.0.2.01", "not a valid address"},
      {"", "1.2.3.4.5", "not a valid address"},
      {"", "::g", "not a valid address"},
      {"", "2001:db8::1::2", "not a valid address"},
      {"", "[2001:db8::1]", "not a valid address"},
      {"", "0x7f.1", "not a valid address"},
      {"", "1.2.3.0x4", "not a valid address"},
      {"", "0X7F000001", "not a valid address"},
      {"", "3221225985", "not a valid address"},
      {"", "lb.example.42", "not a valid address"},
      {"", "256.1.1.1.", "not a valid address"},
      {"CNAME", "192.0.2.256", "not a valid address"},
      {"", "192.0.2.1.", "without the trailing dot"},
      {"", "192.0.2.1:443", "has a port"},
      {"", "lb.example.com:443", "has a port"},
      {"", "https://lb.example.com/", "is a URL"},
      {"A", "256.1.1.1", "needs an IPv4 address"},
      {"AAAA", "::g", "needs an IPv6 address"},
      {"", "acme", "has no dot, and would be a name at the top level of DNS | write acme.litedesk.com, or acme. if"},
      {"CNAME", "LB", "write lb.litedesk.com, or lb. if"},
      {"NS", "ns1", "write ns1.litedesk.com"},
      {"NS", "192.0.2.1", "an NS record points to a name, not to the address"},
      {"MX", "10 mail", "write mail.litedesk.com"},
      {"MX", "mail.example.com", "not a valid MX value | it has a priority and a name: \"10 mail.litedesk.com\""},
      {"MX", "70000 mail.example.com", "not a valid MX value"},
      {"MX", "10 192.0.2.1", "not to the address 192.0.2.1"},
      {"SRV", "0 5 sip.example.com", "not a valid SRV value"},
      {"SRV", "0 5 5060 sip", "write sip.litedesk.com"},
  };
  for (const auto& row : refused) {
    CAPTURE(row.target);
    Fixture f;
    const auto said = refusal<UsageError>([&] { (void)set(f, row); });
    CAPTURE(said);
    CHECK(said.find(row.expected) != std::string::npos);
    CHECK(f.providers.batches.empty());
  }
  const Row taken[] = {
      {"", "acme.", "acme"},
      {"", "0xcafe.example.com", "0xcafe.example.com"},
      {"", "1.2.3.4.example.com", "1.2.3.4.example.com"},
      {"", "4.3.2.1.in-addr.arpa", "4.3.2.1.in-addr.arpa"},
      {"", "_x.EXAMPLE.com.", "_x.example.com"},
      {"NS", "ns1.example.org.", "ns1.example.org"},
      {"MX", "10  Mail.example.com.", "10 mail.example.com"},
      {"MX", "0 .", "0 ."},
      {"SRV", "0 5 5060 sip.example.com", "0 5 5060 sip.example.com"},
      {"TXT", "192.0.2", "\"192.0.2\""},
  };
  for (const auto& row : taken) {
    CAPTURE(row.target);
    Fixture f;
    CHECK(set(f, row).record.values == std::vector<std::string>{row.expected});
  }
  Fixture f;
  CHECK(refusal<UsageError>([&] {
          f.set([](SetRecord& wanted) {
            wanted.alias = true;
            wanted.target = "acme";
          });
        }).find("write acme.litedesk.com") != std::string::npos);
}

TEST_CASE("our own record is changed only if it still is what was read") {
  Fixture f;
  f.set();
  const auto result = f.set([](SetRecord& wanted) { wanted.ttl = 60; });
  CHECK(result.action == "updated");
  REQUIRE(result.before.has_value());
  CHECK(result.before->ttl == 300);
  REQUIRE(f.providers.batches.size() == 2);
  const auto& batch = f.providers.batches[1];
  REQUIRE(batch.size() == 2);
  CHECK(batch[0].action == Action::remove);
  CHECK(batch[0].record.ttl == 300);
  CHECK(batch[1].action == Action::create);

  f.providers.before_change = [](Zone& zone) { zone.records.back().values = {"quicker.example.com"}; };
  CHECK_THROWS_AS(f.set([](SetRecord& wanted) { wanted.ttl = 30; }), Conflict);
  CHECK(f.providers.batches.size() == 2);
}

TEST_CASE("a record that is not ours is never changed without --adopt") {
  struct Case {
    const char* what;
    std::string owner;  // the TXT beside it; empty: none
    const char* expected;
  };
  const Case cases[] = {
      {"nobody's", "", "this registry does not own it (no TXT cname-acme.litedesk.com)"},
      {"another registry's", theirs, "belongs to registry registry-2, tenant acme"},
      {"external-dns'", external, "belongs to external-dns"},
      {"with other text in its place", "\"hello\"", "belongs to someone else, who wrote other text there"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    Fixture f;
    f.put("acme.litedesk.com", "CNAME", "old.example.com");
    if (!c.owner.empty()) f.put("cname-acme.litedesk.com", "TXT", c.owner);
    const auto before = f.providers.text();
    const auto message = refusal<Conflict>([&] { f.set(); });
    CAPTURE(message);
    CHECK(message.find(c.expected) != std::string::npos);
    // What another registry owns is its own to give up.
    CHECK((message.find("--adopt") != std::string::npos) == (c.owner != theirs));
    CHECK(message.find("old.example.com") != std::string::npos);
    CHECK(refusal<Conflict>([&] { f.remove("acme"); }).find(c.expected) != std::string::npos);
    CHECK(f.providers.text() == before);

    CHECK(f.set([](SetRecord& wanted) { wanted.adopt = true; }).action == "updated");
    const auto kept = c.owner == "\"hello\"" ? "\"hello\" | " : "";
    CHECK(f.providers.text() ==
          "CNAME acme.litedesk.com lb.example.com\nTXT cname-acme.litedesk.com " + (kept + mine) + "\n");
    CHECK(f.providers.batches.size() == 1);
  }
}

TEST_CASE("a name that another registry holds without a record yet is theirs all the same") {
  Fixture f;
  f.put("cname-acme.litedesk.com", "TXT", theirs);
  CHECK(refusal<Conflict>([&] { f.set(); }).find("belongs to registry registry-2") != std::string::npos);
}

TEST_CASE("adopting a record that already says the same writes only the owner record") {
  Fixture f;
  f.put("acme.litedesk.com", "CNAME", "lb.example.com.");
  const auto result = f.set([](SetRecord& wanted) { wanted.adopt = true; });
  CHECK(result.action == "updated");
  REQUIRE(f.providers.batches.size() == 1);
  REQUIRE(f.providers.batches[0].size() == 1);
  CHECK(f.providers.batches[0][0].record.type == "TXT");
}

TEST_CASE("neighbours that a record cannot stand beside are named") {
  struct Case {
    const char* what;
    const char *name, *type, *value;
    std::function<void(SetRecord&)> change;
    const char* expected;  // empty: it is fine
  };
  const Case cases[] = {
      {"an A where a CNAME shall be",
       "acme.litedesk.com",
       "A",
       "192.0.2.1",
       {},
       "litedesk dns delete acme.litedesk.com --type A"},
      {"a CNAME where an A shall be", "acme.litedesk.com", "CNAME", "x.example.com",
       [](SetRecord& w) { w.target = "192.0.2.1"; }, "delete it first"},
      {"a TXT where a CNAME shall be", "acme.litedesk.com", "TXT", "\"t\"", {}, "delete it first"},
      {"the apex", "litedesk.com", "SOA", "ns. root. 1", [](SetRecord& w) { w.name = "@"; },
       "use --alias at the zone's apex"},
      {"an AAAA beside an A", "acme.litedesk.com", "AAAA", "2001:db8::1", [](SetRecord& w) { w.target = "192.0.2.1"; },
       ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    Fixture f;
    f.put(c.name, c.type, c.value);
    if (*c.expected == 0) {
      CHECK(f.set(c.change).action == "created");
      continue;
    }
    const auto message = refusal<Conflict>([&] {
      f.set([&](SetRecord& wanted) {
        if (c.change) c.change(wanted);
        wanted.adopt = true;
      });
    });
    CAPTURE(message);
    CHECK(message.find(c.expected) != std::string::npos);
    CHECK(f.providers.batches.empty());
  }
}

TEST_CASE("records with a routing policy are listed, and neither set nor deleted, with or without --adopt") {
  Fixture f;
  f.put("acme.litedesk.com", "CNAME", "a.example.com").set_identifier = "blue";
  f.put("acme.litedesk.com", "CNAME", "b.example.com").set_identifier = "green";
  f.put("cname-acme.litedesk.com", "TXT", mine);
  f.put("one.litedesk.com", "A", "192.0.2.1").set_identifier = "only";
  f.put("one.litedesk.com", "AAAA", "2001:db8::1");
  const auto before = f.providers.text();
  const std::string listed = "CNAME blue: a.example.com (TTL 300); CNAME green: b.example.com (TTL 300)";
  for (const bool adopt : {false, true}) {
    CAPTURE(adopt);
    auto said = refusal<Conflict>([&] { f.remove("acme", "", adopt); });
    CHECK(said.starts_with("CNAME acme.litedesk.com has a routing policy (2 records), and litedesk deletes simple"));
    CHECK(said.ends_with(" | " + listed));
    said = refusal<Conflict>([&] { f.set([&](SetRecord& wanted) { wanted.adopt = adopt; }); });
    CHECK(said.find("litedesk sets simple records only") != std::string::npos);
    CHECK(said.ends_with(" | " + listed));
    // The same where a record of another type could not stand beside them.
    said = refusal<Conflict>([&] {
      f.set([&](SetRecord& wanted) {
        wanted.target = "192.0.2.7";
        wanted.adopt = adopt;
      });
    });
    CHECK(said.find("has a routing policy") != std::string::npos);
    CHECK(refusal<Conflict>([&] { f.remove("one", "A", adopt); }).find("(1 record)") != std::string::npos);
  }
  CHECK(f.providers.text() == before);
  CHECK(f.providers.batches.empty());
  // What is simple beside them is no concern of theirs.
  CHECK(f.remove("one", "AAAA", true).action == "deleted");
}

TEST_CASE("the host of a registered tenant is marked as that tenant's, and stays so") {
  Fixture f;
  store::Document document;
  document.name = "acme";
  f.store.create(document);
  CHECK(f.set().tenant == "acme");
  CHECK(f.providers.text().find("litedesk/owner=registry-1,litedesk/tenant=acme") != std::string::npos);
  f.store.remove("acme", "");
  CHECK(f.set([](SetRecord& wanted) { wanted.ttl = 60; }).tenant == "acme");
  CHECK(f.providers.text().find("litedesk/tenant=acme") != std::string::npos);
}

TEST_CASE("a custom domain in the base domain is its tenant's") {
  Fixture f;
  Tenant tenant;
  tenant.slug = "acme";
  tenant.company = "Acme";
  tenant.custom_domain = "crm.acme.litedesk.com";
  f.store.create(to_document(tenant));
  store::Document claim;
  claim.name = tenant.custom_domain;
  claim.desired = {{"tenant", "acme"}, {"custom", true}};
  f.claims.create(claim);
  CHECK(f.set([](SetRecord& wanted) { wanted.name = "crm.acme.litedesk.com"; }).tenant == "acme");
  CHECK(f.set([](SetRecord& wanted) { wanted.name = "crm"; }).tenant.empty());
}

namespace {

// The record and its owner record as a provision leaves them, and the tenant in that phase.
void provision(Fixture& f, const std::string& slug, Phase phase, const std::string& custom_domain = "") {
  Tenant tenant;
  tenant.slug = slug;
  tenant.company = slug;
  tenant.custom_domain = custom_domain;
  tenant.status.phase = phase;
  tenant.status.activated_at = phase == Phase::none ? "" : "2026-01-01T00:00:00Z";
  for (const auto& host : {slug + ".litedesk.com", custom_domain}) {
    if (host.empty()) continue;
    tenant.status.hosts.push_back(host);
    f.put(host, "CNAME", "lb.example.com");
    f.put("cname-" + host, "TXT", route53::quote_txt(owner_text("registry-1", slug)));
  }
  tenant.status.dns_record = slug + ".litedesk.com";
  tenant.status.dns_type = "CNAME";
  tenant.status.dns_target = "lb.example.com";
  f.store.create(to_document(tenant));
}

}  // namespace

TEST_CASE("the record of a tenant with an instance is neither deleted nor led elsewhere, with or without --adopt") {
  for (const auto phase : {Phase::provisioning, Phase::active, Phase::suspended, Phase::failed}) {
    CAPTURE(to_string(phase));
    for (const bool adopt : {false, true}) {
      CAPTURE(adopt);
      Fixture f;
      provision(f, "acme", phase, "crm.acme.litedesk.com");
      const auto before = f.providers.text();
      const auto deleting = [&](const char* name, const char* type = "") {
        return refusal<Conflict>([&] { f.remove(name, type, adopt); });
      };
      const auto host = " is the host of tenant acme (" + std::string(to_string(phase)) + ")";
      const auto said = deleting("acme");
      CHECK(said.starts_with("acme.litedesk.com" + host + ", which could not be reached without its CNAME record | "));
      CHECK(said.find("litedesk status acme") != std::string::npos);
      CHECK(said.find("litedesk instance provision acme") != std::string::npos);
      CHECK(said.find("--adopt") == std::string::npos);
      CHECK(deleting("crm.acme.litedesk.com").starts_with("crm.acme.litedesk.com" + host));
      CHECK(deleting("cname-acme", "TXT")
                .starts_with("cname-acme.litedesk.com says whose acme.litedesk.com is, which" + host));
      struct Row {
        const char *type, *target;
      };
      for (const auto& row : {Row{"", "other.example.com"}, Row{"", "192.0.2.1"}, Row{"AAAA", "2001:db8::1"},
                              Row{"NS", "ns.example.com"}, Row{"NS", "lb.example.com"}}) {
        CAPTURE(row.target);
        CHECK(refusal<Conflict>([&] {
                f.set([&](SetRecord& wanted) {
                  wanted.type = row.type;
                  wanted.target = row.target;
                  wanted.adopt = adopt;
                });
              }).find(host + ", which could not be reached if it led to " + row.target + " | ") != std::string::npos);
      }
      CHECK(f.providers.text() == before);
      // What keeps it where it leads is fine.
      CHECK(f.set([](SetRecord& wanted) { wanted.target = "lb.example.com"; }).action == "unchanged");
      CHECK(f.set([](SetRecord& wanted) { wanted.ttl = 60; }).action == "updated");
    }
  }
}

TEST_CASE("a live tenant's record that is gone or was led elsewhere can be led to the load balancer again") {
  Fixture gone;
  provision(gone, "acme", Phase::active);
  gone.providers.records.clear();
  CHECK(gone.set([](SetRecord& wanted) { wanted.target = "LB.example.com"; }).action == "created");
  CHECK(gone.set().action == "unchanged");

  Fixture astray;
  provision(astray, "acme", Phase::active);
  astray.providers.records.front().values = {"other.example.com"};
  astray.providers.records.back().values = {external};
  CHECK_THROWS_AS(astray.set(), Conflict);
  CHECK(astray.set([](SetRecord& wanted) { wanted.adopt = true; }).action == "updated");
}

TEST_CASE("what is not the instance's own record can be deleted, as can the record of a tenant that has none") {
  for (const auto phase : {Phase::none, Phase::terminated}) {
    CAPTURE(to_string(phase));
    Fixture f;
    provision(f, "acme", phase);
    CHECK(f.remove("acme").action == "deleted");
    CHECK(f.providers.records.empty());
  }
  Fixture unknown;
  provision(unknown, "acme", Phase::active);
  unknown.store.remove("acme", "");
  CHECK(unknown.remove("acme").action == "deleted");

  Fixture undone;
  provision(undone, "acme", Phase::none);
  auto document = undone.store.get("acme").value();
  auto tenant = to_tenant(document);
  tenant.status.phase = Phase::failed;
  undone.store.update(to_document(tenant, &document));
  CHECK(undone.remove("acme").action == "deleted");

  Fixture f;
  provision(f, "acme", Phase::active);
  provision(f, "shop", Phase::terminated);
  const auto text = [](SetRecord& wanted) {
    wanted.name = "crm.acme.litedesk.com";
    wanted.type = "TXT";
    wanted.target = "v=spf1 -all";
  };
  f.set(text);
  CHECK(f.remove("crm.acme.litedesk.com").action == "deleted");
  f.put("other.litedesk.com", "CNAME", "x.example.com");
  CHECK(f.remove("other", "", true).action == "deleted");
  CHECK(f.remove("cname-shop", "TXT").action == "deleted");

  // In a zone whose wildcard leads to the instances, a record beside it was made by hand.
  Fixture wildcard;
  wildcard.settings.dns.strategy = "wildcard";
  Tenant active;
  active.slug = "acme";
  active.company = "Acme";
  active.status.phase = Phase::active;
  wildcard.store.create(to_document(active));
  wildcard.set();
  CHECK(wildcard.remove("acme").action == "deleted");
}

TEST_CASE("a dry run says what would be and sends nothing") {
  Fixture f;
  const auto result = f.set([](SetRecord& wanted) { wanted.dry_run = true; });
  CHECK(result.action == "created");
  CHECK(result.status.empty());
  CHECK(f.providers.batches.empty());
}

TEST_CASE("waiting ends with INSYNC, with the time, or with Ctrl-C; without it the change stays pending") {
  const auto waiting = [](SetRecord& wanted) {
    wanted.wait = true;
    wanted.timeout = std::chrono::seconds(60);
  };
  Fixture f;
  f.providers.pending = 3;
  std::vector<std::string> said;
  SetRecord wanted;
  wanted.name = "acme";
  waiting(wanted);
  CHECK(set_record(f.world, wanted, [&](const Step& step) { said.push_back(step.message); }).status == "insync");
  CHECK(said == std::vector<std::string>{"litedesk dns set acme.litedesk.com", "PENDING", "INSYNC"});

  Fixture g;
  g.providers.pending = 1;
  CHECK(g.set().status == "pending");
  Fixture never;
  never.providers.pending = 1'000;
  CHECK(refusal<Timeout>([&] { never.set(waiting); }).find("still PENDING") != std::string::npos);
  Fixture stopped;
  stopped.providers.pending = 1'000;
  stopped.interruption.request_stop();
  CHECK_THROWS_AS(stopped.set(waiting), Cancelled);
}

TEST_CASE("deleting takes what was read and the owner record with it, and nothing else") {
  Fixture f;
  f.set();
  f.put("other.litedesk.com", "CNAME", "x.example.com");
  const auto result = f.remove("acme");
  CHECK(result.action == "deleted");
  CHECK(result.owner == "registry-1");
  CHECK(f.providers.text() == "CNAME other.litedesk.com x.example.com\n");
  CHECK(f.providers.batches.back().size() == 2);

  CHECK(refusal<NotFound>([&] { f.remove("acme"); }).find("no record acme.litedesk.com") != std::string::npos);
  f.put("two.litedesk.com", "A", "192.0.2.1");
  f.put("two.litedesk.com", "AAAA", "2001:db8::1");
  CHECK(refusal<UsageError>([&] { f.remove("two"); }).find("A, AAAA | choose one with --type") != std::string::npos);
  CHECK(f.remove("two", "aaaa", true).record.type == "AAAA");
  CHECK(f.providers.text().find("192.0.2.1") != std::string::npos);
}

TEST_CASE("deleting keeps other text that stands in the owner record") {
  Fixture f;
  f.put("acme.litedesk.com", "CNAME", "a.example.com");
  f.put("cname-acme.litedesk.com", "TXT", "\"hello\"").values.push_back(mine);
  f.remove("acme");
  CHECK(f.providers.text() == "TXT cname-acme.litedesk.com \"hello\"\n");
}

TEST_CASE("an owner record that has outlived its record can be listed and deleted") {
  Fixture f;
  f.put("cname-old.litedesk.com", "TXT", mine);
  const auto list = list_records(f.world, true);
  REQUIRE(list.size() == 1);
  CHECK(list[0].owner == "registry-1");
  f.remove("cname-old", "TXT");
  CHECK(f.providers.records.empty());
}

TEST_CASE("records are shown with their owners, their owner records are not") {
  Fixture f;
  f.set();
  f.put("b.litedesk.com", "A", "192.0.2.1");
  f.put("c.litedesk.com", "CNAME", "c.example.com");
  f.put("cname-c.litedesk.com", "TXT", theirs);
  f.put("litedesk.com", "TXT", "\"v=spf1 -all\"");
  const auto text = [](const std::vector<RecordResult>& results) {
    std::string all;
    for (const auto& result : results)
      all += result.record.type + " " + result.record.name + " " + result.owner + " " + result.tenant + "\n";
    return all;
  };
  CHECK(text(list_records(f.world, false)) ==
        "CNAME acme.litedesk.com registry-1 \nA b.litedesk.com  \nCNAME c.litedesk.com registry-2 acme\nTXT "
        "litedesk.com  \n");
  CHECK(text(list_records(f.world, true)) == "CNAME acme.litedesk.com registry-1 \n");
  CHECK(text(get_records(f.world, "c")) == "CNAME c.litedesk.com registry-2 acme\n");
  CHECK_THROWS_AS(static_cast<void>(get_records(f.world, "nobody")), NotFound);
}

TEST_CASE("the JSON has every field, and null where there is nothing") {
  Fixture f;
  CHECK(to_json(f.set()) ==
        Json::parse(
            R"({"name": "acme.litedesk.com", "type": "CNAME", "ttl": 300, "values": ["lb.example.com"], "alias": null,
      "setIdentifier": "", "before": null, "action": "created", "dryRun": false, "status": "insync", "changeId": "C1", "owner": "registry-1", "tenant": ""})"));
  const auto alias = to_json(f.set([](SetRecord& w) {
    w.name = "b";
    w.alias = true;
    w.target = "a1.us-east-1.elb.amazonaws.com";
    w.dry_run = true;
  }));
  CHECK(
      alias["alias"] ==
      Json::parse(R"({"zone": "Z35SXDOTRQ7X7K", "name": "a1.us-east-1.elb.amazonaws.com", "evaluateHealth": false})"));
  CHECK(alias["ttl"] == 0);
  CHECK(alias["dryRun"] == true);
  CHECK(testing::schema_faults("dns-record", alias) == std::vector<std::string>{});
  CHECK(testing::schema_faults("dns-record", to_json(f.remove("acme"))) == std::vector<std::string>{});
  f.set();
  for (const auto& result : list_records(f.world, false))
    CHECK(testing::schema_faults("dns-record", to_json(result)) == std::vector<std::string>{});
}
