#include "providers/sandbox/route53_names.hpp"

#include <doctest/doctest.h>

#include "providers/sandbox/route53_alias.hpp"
#include "providers/sandbox/route53_record.hpp"

using namespace litedesk::sandbox::route53;

TEST_CASE("names are lower case, end in a dot, and hide what is not a letter, digit, hyphen or underscore") {
  struct Case {
    const char *given, *kept;
  };
  for (const auto& tried :
       {Case{"Example.COM", "example.com."}, Case{"example.com.", "example.com."}, Case{"*.x.com", "\\052.x.com."},
        Case{"\\052.x.com", "\\052.x.com."}, Case{"a@b.com", "a\\100b.com."},
        Case{"_acme-challenge.x.com", "_acme-challenge.x.com."}, Case{"\\101.com", "a.com."}}) {
    const auto& given = tried.given;
    const auto& kept = tried.kept;
    INFO(given);
    std::optional<std::string> problem;
    CHECK(canonical_name(given, problem) == kept);
    CHECK_FALSE(problem);
  }
}

TEST_CASE("what is no name is told in Route 53's words") {
  struct Case {
    std::string given;
    const char* code;
  };
  for (const auto& tried :
       {Case{"", "DomainLabelEmpty"}, Case{"a..b", "DomainLabelEmpty"}, Case{".a", "DomainLabelEmpty"},
        Case{std::string(64, 'a') + ".com", "DomainLabelTooLong"}, Case{"a b.com", "UnsupportedCharacter"},
        Case{"ä.com", "UnsupportedCharacter"}, Case{"a\\9.com", "InvalidEscapeSequence"}}) {
    const auto& given = tried.given;
    const auto& code = tried.code;
    INFO(given);
    std::optional<std::string> problem;
    [[maybe_unused]] const auto name = canonical_name(given, problem);
    REQUIRE(problem);
    CHECK(problem->find(code) != std::string::npos);
  }
}

TEST_CASE("lists go by the labels from the right") {
  CHECK(reversed("www.example.com.") == "com.example.www.");
  CHECK(reversed("example.com.") < reversed("a.example.com."));
  CHECK(reversed("z.a.com.") < reversed("a.b.com."));
}

TEST_CASE("a name lies within its zone by whole labels") {
  CHECK(lies_within("x.com.", "x.com."));
  CHECK(lies_within("a.x.com.", "x.com."));
  CHECK_FALSE(lies_within("ax.com.", "x.com."));
  CHECK_FALSE(lies_within("com.", "x.com."));
}

TEST_CASE("an alias to a load balancer needs the hosted zone of that kind and region") {
  struct Case {
    const char *zone, *target;
    bool right;
  };
  for (const auto& tried : {
           Case{"Z35SXDOTRQ7X7K", "a.us-east-1.elb.amazonaws.com.", true},
           Case{"Z35SXDOTRQ7X7K", "dualstack.a.us-east-1.elb.amazonaws.com.", true},
           Case{"Z35SXDOTRQ7X7K", "a1b2.elb.amazonaws.com.", true},
           Case{"Z35SXDOTRQ7X7K", "a.eu-west-1.elb.amazonaws.com.", false},
           Case{"Z35SXDOTRQ7X7K", "a.elb.us-east-1.amazonaws.com.", false},
           Case{"Z26RNL4JYFTOTI", "a.elb.us-east-1.amazonaws.com.", true},
           Case{"Z26RNL4JYFTOTI", "a.us-east-1.elb.amazonaws.com.", false},
           Case{"Z1GDH35T77C1KE", "a.cn-north-1.elb.amazonaws.com.cn.", true},
           Case{"Z2FDTNDATAQYW2", "d1.cloudfront.net.", true},
           Case{"Z2FDTNDATAQYW2", "a.us-east-1.elb.amazonaws.com.", false},
           Case{"ZUNKNOWN", "a.us-east-1.elb.amazonaws.com.", false},
       }) {
    const auto& zone = tried.zone;
    const auto& target = tried.target;
    const auto& right = tried.right;
    INFO(zone << " " << target);
    CHECK(is_service_target(zone, target) == right);
  }
}

TEST_CASE("values are checked by their type") {
  struct Case {
    const char *type, *value, *problem;  // "" is right
  };
  const std::string long_text = "\"" + std::string(256, 'x') + "\"";
  const std::string full_text = "\"" + std::string(255, 'x') + "\" \"" + std::string(255, 'y') + "\"";
  for (const auto& tried : {
           Case{"A", "1.2.3.4", ""},
           Case{"A", "1.2.3", "ARRDATAIllegalIPv4Address"},
           Case{"A", "::1", "ARRDATAIllegalIPv4Address"},
           Case{"AAAA", "2001:db8::1", ""},
           Case{"AAAA", "1.2.3.4", "AAAARRDATAIllegalIPv6Address"},
           Case{"TXT", R"("a" "b\"c")", ""},
           Case{"TXT", "a", "InvalidCharacterString"},
           Case{"TXT", R"("a)", "InvalidCharacterString"},
           Case{"TXT", R"("a" b)", "InvalidCharacterString"},
           Case{"TXT", "", "InvalidCharacterString"},
           Case{"TXT", R"("")", ""},
           Case{"TXT", long_text.c_str(), "CharacterStringTooLong"},
           Case{"TXT", full_text.c_str(), ""},
           Case{"CNAME", "a.b", ""},
           Case{"CNAME", "a b", "UnsupportedCharacter"},
           Case{"MX", "10 mail.x.com", ""},
           Case{"MX", "mail.x.com", "MissingOrExtraFields"},
           Case{"MX", "70000 mail.x.com", "InvalidNumber"},
           Case{"SRV", "1 2 443 x.com", ""},
           Case{"CAA", R"(0 issue "letsencrypt.org")", ""},
           Case{"CAA", "0 issue letsencrypt.org", "InvalidCharacterString"},
       }) {
    const auto& type = tried.type;
    const auto& value = tried.value;
    const auto& problem = tried.problem;
    INFO(type << " " << value);
    const auto found = value_problem(type, value);
    if (*problem == '\0') {
      CHECK_FALSE(found);
    } else {
      REQUIRE(found);
      CHECK(found->find(problem) != std::string::npos);
    }
  }
}
