#include <functional>

#include <doctest/doctest.h>

#include "providers/aws/route53.hpp"

using namespace litedesk;
using namespace litedesk::route53;

TEST_CASE("names go to the wire in lower case with octal escapes and a trailing dot") {
  struct Case {
    const char* name;
    const char* wire;
  };
  for (const auto& c :
       {Case{"acme.litedesk.com", "acme.litedesk.com."}, Case{"Acme.LiteDesk.com.", "acme.litedesk.com."},
        Case{"*.litedesk.com", "\\052.litedesk.com."}, Case{"_dmarc.litedesk.com", "_dmarc.litedesk.com."},
        Case{"a@b.litedesk.com", "a\\100b.litedesk.com."}, Case{"\\052.litedesk.com", "\\052.litedesk.com."},
        Case{"\xC3\xA9.litedesk.com", "\\303\\251.litedesk.com."}, Case{"a\\b.x", "a\\134b.x."}}) {
    CAPTURE(c.name);
    CHECK(to_wire_name(c.name) == c.wire);
  }
}

TEST_CASE("names from the wire are readable, but for what would change their shape or a terminal's state") {
  struct Case {
    const char* wire;
    const char* name;
  };
  for (const auto& c :
       {Case{"acme.litedesk.com.", "acme.litedesk.com"}, Case{"\\052.litedesk.com.", "*.litedesk.com"},
        Case{"*.litedesk.com.", "*.litedesk.com"}, Case{"a\\100b.x.", "a@b.x"}, Case{"a\\056b.x.", "a\\056b.x"},
        Case{"a\\134b.x.", "a\\134b.x"}, Case{"\\033[31m.x.", "\\033[31m.x"}, Case{"\\303\\251.x.", "\\303\\251.x"},
        Case{"\\40.x.", "\\40.x"}, Case{"\\101.x.", "a.x"}}) {
    CAPTURE(c.wire);
    CHECK(from_wire_name(c.wire) == c.name);
  }
}

TEST_CASE("every byte survives the way to a readable name and back") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string wire{'\\',
                           static_cast<char>('0' + byte / 64),
                           static_cast<char>('0' + byte / 8 % 8),
                           static_cast<char>('0' + byte % 8),
                           '.',
                           'x',
                           '.'};
    const auto once = to_wire_name(from_wire_name(wire));
    CHECK(to_wire_name(from_wire_name(once)) == once);
    const bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
    const bool bare = letter || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
    if (!bare) CHECK(once == wire);
  }
}

TEST_CASE("TXT values are quoted, escaped and cut at 255 bytes, and come back whole") {
  struct Case {
    std::string text, value;
  };
  const Case cases[] = {
      {"plain", "\"plain\""},
      {"", "\"\""},
      {"say \"hi\"", "\"say \\\"hi\\\"\""},
      {"back\\slash", "\"back\\\\slash\""},
      {"caf\xC3\xA9\n", "\"caf\\303\\251\\012\""},
      {std::string(255, 'x'), "\"" + std::string(255, 'x') + "\""},
      {std::string(256, 'x'), "\"" + std::string(255, 'x') + "\" \"x\""},
      {std::string(600, 'y'),
       "\"" + std::string(255, 'y') + "\" \"" + std::string(255, 'y') + "\" \"" + std::string(90, 'y') + "\""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(quote_txt(c.text) == c.value);
    CHECK(unquote_txt(c.value) == c.text);
  }
  CHECK(unquote_txt("bare words") == "barewords");
  CHECK(unquote_txt("\"open") == "open");
}

TEST_CASE("records are compared by what they say") {
  RecordSet cname;
  cname.name = "acme.litedesk.com";
  cname.type = "CNAME";
  cname.values = {"lb.example.com"};
  RecordSet addresses;
  addresses.name = "a.x";
  addresses.type = "AAAA";
  addresses.values = {"2001:db8::1", "2001:db8::2"};
  RecordSet alias;
  alias.name = "a.x";
  alias.type = "A";
  alias.ttl = 0;
  alias.alias = AliasTarget{{"Z1"}, "lb.us-east-1.elb.amazonaws.com", false};
  RecordSet txt;
  txt.name = "t.x";
  txt.type = "TXT";
  txt.values = {"\"a b\" \"c\""};
  RecordSet mail;
  mail.name = "x";
  mail.type = "MX";
  mail.values = {"10 mx1.x.", "20 mx2.x."};

  struct Case {
    const char* what;
    RecordSet from;
    std::function<void(RecordSet&)> change;
    bool same;
  };
  const Case cases[] = {
      {"as it is", cname, [](RecordSet&) {}, true},
      {"a trailing dot of the name", cname, [](RecordSet& r) { r.name += "."; }, true},
      {"the case of the name", cname, [](RecordSet& r) { r.name = "ACME.litedesk.com"; }, true},
      {"a trailing dot of the target", cname, [](RecordSet& r) { r.values = {"LB.example.com."}; }, true},
      {"another target", cname, [](RecordSet& r) { r.values = {"lb2.example.com"}; }, false},
      {"another TTL", cname, [](RecordSet& r) { r.ttl = 60; }, false},
      {"another type", cname, [](RecordSet& r) { r.type = "A"; }, false},
      {"an identifier", cname, [](RecordSet& r) { r.set_identifier = "blue"; }, false},
      {"a weight", cname, [](RecordSet& r) { r.routing_xml = "<Weight>1</Weight>"; }, false},
      {"the order of values", addresses, [](RecordSet& r) { std::swap(r.values[0], r.values[1]); }, true},
      {"another spelling of an address", addresses, [](RecordSet& r) { r.values[0] = "2001:0db8:0:0:0:0:0:1"; }, true},
      {"one value less", addresses, [](RecordSet& r) { r.values.pop_back(); }, false},
      {"a dualstack. prefix", alias, [](RecordSet& r) { r.alias->name = "dualstack." + r.alias->name + "."; }, true},
      {"the TTL of an alias", alias, [](RecordSet& r) { r.ttl = 300; }, true},
      {"another zone of the alias", alias, [](RecordSet& r) { r.alias->zone.value = "Z2"; }, false},
      {"health evaluation", alias, [](RecordSet& r) { r.alias->evaluate_health = true; }, false},
      {"no alias", alias, [](RecordSet& r) { r.alias.reset(); }, false},
      {"an octal escape in a TXT", txt, [](RecordSet& r) { r.values = {"\"a\\040b\" \"c\""}; }, true},
      {"the blanks between strings", txt, [](RecordSet& r) { r.values = {"\"a b\"   \"c\""}; }, true},
      {"the case of a TXT", txt, [](RecordSet& r) { r.values = {"\"A b\" \"c\""}; }, false},
      {"strings joined", txt, [](RecordSet& r) { r.values = {"\"a bc\""}; }, false},
      {"the exchange's trailing dot", mail,
       [](RecordSet& r) {
         r.values = {"20  mx2.x", "10 MX1.x"};
       },
       true},
      {"the preference", mail, [](RecordSet& r) { r.values[0] = "15 mx1.x."; }, false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    auto changed = c.from;
    c.change(changed);
    CHECK(equivalent(c.from, changed) == c.same);
    CHECK(equivalent(changed, c.from) == c.same);
  }
}

TEST_CASE("a load balancer's name tells its hosted zone") {
  struct Case {
    const char* name;
    const char* zone;
  };
  for (const auto& c : {Case{"a1b2.us-east-1.elb.amazonaws.com", "Z35SXDOTRQ7X7K"},
                        Case{"a1b2.elb.us-east-1.amazonaws.com", "Z26RNL4JYFTOTI"},
                        Case{"dualstack.A1B2.eu-central-1.elb.amazonaws.com.", "Z215JYRZR1TBD5"},
                        Case{"x.elb.ap-southeast-7.amazonaws.com", "Z054363131YWATEMWRG5L"},
                        Case{"x.cn-north-1.elb.amazonaws.com.cn", "Z1GDH35T77C1KE"},
                        Case{"x.elb.cn-northwest-1.amazonaws.com.cn", "ZQEIKTCZ8352D"},
                        Case{"x.us-gov-west-1.elb.amazonaws.com", "Z33AYJ8TM3BH4J"}, Case{"a1b2.elb.amazonaws.com", ""},
                        Case{"us-east-1.elb.amazonaws.com", ""}, Case{"x.mars-1.elb.amazonaws.com", ""},
                        Case{"x.cn-north-1.elb.amazonaws.com", ""}, Case{"x.us-east-1.elb.amazonaws.com.cn", ""},
                        Case{"lb.example.com", ""}, Case{"evil-elb.us-east-1.amazonaws.com", ""},
                        Case{"x.us-east-1.elb.amazonaws.com.evil.example", ""}, Case{"", ""}}) {
    CAPTURE(c.name);
    const auto zone = load_balancer_zone(c.name);
    CHECK((zone ? zone->value : std::string()) == c.zone);
  }
}
