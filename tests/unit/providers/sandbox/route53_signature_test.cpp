#include "providers/sandbox/route53_signature.hpp"

#include <doctest/doctest.h>

#include "aws_signer.hpp"

using namespace litedesk;
using namespace litedesk::sandbox;
using namespace litedesk::sandbox::route53;
using tests::make_call;
using tests::signed_call;

namespace {

const Signer sandbox_signer{tests::keys.aws_access_key_id, tests::keys.aws_secret_access_key, "us-east-1", "route53"};

// "403 SignatureDoesNotMatch", or "" when the signature is right.
std::string verdict(const Call& call, const Signer& signer = sandbox_signer,
                    std::string_view now = "2026-01-02T03:04:05Z") {
  try {
    verify_signature(call, signer, *system::from_rfc3339(now));
    return "";
  } catch (const Refusal& refusal) {
    CHECK_FALSE(refusal.message.empty());
    return std::to_string(refusal.status) + " " + refusal.code;
  }
}

}  // namespace

TEST_CASE("signatures made by botocore are right") {
  const Signer signer{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "route53"};
  const auto authorization = [](const std::string& headers, const std::string& signature) {
    return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/route53/aws4_request, SignedHeaders=" + headers +
           ", Signature=" + signature;
  };
  auto by_name = make_call("GET", "/2013-04-01/hostedzonesbyname?dnsname=example.com.&maxitems=1", "",
                           {{"host", "route53.amazonaws.com"}, {"x-amz-date", "20260102T030405Z"}});
  by_name.headers.emplace(
      "authorization",
      authorization("host;x-amz-date", "96e7e72739134a09c529b4a02f45bf3433e6c655ba8c65597c4d9e5c3f78e0db"));
  CHECK(verdict(by_name, signer) == "");

  // The order of the query as it is sent is another than the one that is signed.
  auto records = make_call("GET", "/2013-04-01/hostedzone/Z123/rrset?name=%5C052.example.com.&type=A&maxitems=300", "",
                           {{"host", "route53.amazonaws.com"}, {"x-amz-date", "20260102T030405Z"}});
  records.headers.emplace(
      "authorization",
      authorization("host;x-amz-date", "cb07bdf9e1c910a9b38177230217bbe23af63c6b99a039b5b34ad6672b0beacf"));
  CHECK(verdict(records, signer) == "");

  records.method = "POST";
  CHECK(verdict(records, signer) == "403 SignatureDoesNotMatch");
}

TEST_CASE("a right signature passes, and each thing that was signed counts") {
  const auto right = signed_call("POST", "/2013-04-01/hostedzone/Z/rrset/?a=1&b=%2A", "<a/>");
  CHECK(verdict(right) == "");
  auto changed = right;
  changed.body += " ";
  CHECK(verdict(changed) == "403 SignatureDoesNotMatch");
  changed = right;
  changed.path = "/2013-04-01/hostedzone/Z/rrset";
  CHECK(verdict(changed) == "403 SignatureDoesNotMatch");
  changed = right;
  changed.target += "&c=1";
  CHECK(verdict(changed) == "403 SignatureDoesNotMatch");
  changed = right;
  changed.headers.erase("host");
  changed.headers.emplace("host", "elsewhere");
  CHECK(verdict(changed) == "403 SignatureDoesNotMatch");
}

TEST_CASE("blanks in a header's value, and raw characters in the query, do not matter") {
  auto call = signed_call("GET", "/x?name=%2A.a&z=");
  call.target = "/x?z&name=*.a";
  call.headers.erase("host");
  call.headers.emplace("host", "  127.0.0.1:1 ");
  CHECK(verdict(call) == "");
}

TEST_CASE("who signs wrongly is told what is wrong") {
  struct Case {
    const char* what;
    tests::Signing signing;
    const char* verdict;
  };
  tests::Signing unknown_key, wrong_secret, other_region, other_service;
  unknown_key.access_key_id = "AKIAUNKNOWN";
  wrong_secret.secret_access_key = "wrong";
  other_region.region = "eu-west-1";
  other_service.service = "s3";
  for (const auto& tried : {Case{"an unknown key", unknown_key, "403 InvalidClientTokenId"},
                            Case{"a wrong secret", wrong_secret, "403 SignatureDoesNotMatch"},
                            Case{"another region", other_region, "403 SignatureDoesNotMatch"},
                            Case{"another service", other_service, "403 SignatureDoesNotMatch"}}) {
    const auto& what = tried.what;
    const auto& signing = tried.signing;
    const auto& expected = tried.verdict;
    INFO(what);
    CHECK(verdict(signed_call("GET", "/x", "", signing)) == expected);
  }
}

TEST_CASE("a signature holds for five minutes around its date") {
  const auto call = signed_call("GET", "/x");
  CHECK(verdict(call, sandbox_signer, "2026-01-02T03:09:00Z") == "");
  CHECK(verdict(call, sandbox_signer, "2026-01-02T02:59:10Z") == "");
  CHECK(verdict(call, sandbox_signer, "2026-01-02T03:09:06Z") == "403 SignatureDoesNotMatch");
  CHECK(verdict(call, sandbox_signer, "2026-01-02T02:59:04Z") == "403 SignatureDoesNotMatch");
}

TEST_CASE("a date of any year is before or after now") {
  const auto words = [](const std::string& stamp) {
    auto call = signed_call("GET", "/x");
    call.headers.erase("x-amz-date");
    call.headers.emplace("x-amz-date", stamp);
    try {
      verify_signature(call, sandbox_signer, *system::from_rfc3339("2026-01-02T03:04:05Z"));
      return std::string("right");
    } catch (const Refusal& refusal) {
      return refusal.message.substr(0, refusal.message.find(':'));
    }
  };
  for (const auto* stamp : {"20260102T031005Z", "22620412T000000Z", "40520102T030405Z", "99991231T235959Z"}) {
    CAPTURE(stamp);
    CHECK(words(stamp) == "Signature not yet current");
  }
  for (const auto* stamp : {"20260102T025805Z", "19700101T000000Z", "16770101T000000Z", "00010101T000000Z"}) {
    CAPTURE(stamp);
    CHECK(words(stamp) == "Signature expired");
  }
}

TEST_CASE("what is no signature is told apart from a wrong one") {
  auto call = signed_call("GET", "/x");
  const auto with = [&](const std::string& value) {
    auto changed = call;
    changed.headers.erase("authorization");
    if (!value.empty()) changed.headers.emplace("authorization", value);
    return verdict(changed);
  };
  CHECK(with("") == "403 MissingAuthenticationToken");
  CHECK(with("Bearer x") == "400 IncompleteSignature");
  CHECK(with("AWS4-HMAC-SHA256 Credential=a/b/c/d/e") == "400 IncompleteSignature");
  CHECK(with("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=1") == "400 IncompleteSignature");
  auto undated = call;
  undated.headers.erase("x-amz-date");
  CHECK(verdict(undated) == "400 IncompleteSignature");
}

TEST_CASE("a header of Amazon's that is not signed, and a session token that the key has not, are refused") {
  auto call = signed_call("GET", "/x");
  call.headers.emplace("x-amz-target", "y");
  CHECK(verdict(call) == "403 SignatureDoesNotMatch");
  call = signed_call("GET", "/x");
  call.headers.emplace("x-amz-security-token", "y");
  CHECK(verdict(call) == "403 InvalidClientTokenId");
}
