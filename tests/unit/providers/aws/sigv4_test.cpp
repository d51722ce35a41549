#include "providers/aws/sigv4.hpp"

#include <doctest/doctest.h>

using namespace litedesk;

namespace {

aws::Credentials example_credentials(std::string token = {}) {
  aws::Credentials credentials;
  credentials.access_key_id = "AKIDEXAMPLE";
  credentials.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  credentials.session_token = Secret(std::move(token));
  return credentials;
}

const aws::SigningScope scope{"us-east-1", "route53"};
// 2026-01-02T03:04:05Z
const system::TimePoint moment = *system::from_rfc3339("2026-01-02T03:04:05Z");

http::Request get(const std::string& url) {
  http::Request request;
  request.url = url;
  return request;
}

std::string header(const http::Request& request, std::string_view name) {
  return std::string(http::find(request.headers, name));
}

}  // namespace

TEST_CASE("a signature equals botocore's for the same request, key and time") {
  struct Case {
    http::Method method;
    const char* url;
    const char* body;
    const char* token;
    const char* signed_headers;
    const char* canonical_hash;
    const char* signature;
  };
  const Case cases[] = {
      {http::Method::get, "/hostedzonesbyname?dnsname=example.com.&maxitems=1", "", "", "host;x-amz-date",
       "a36f6f586cfd69d3431e4899f8e8bd50d8cb3fbb7a768c96acd0ae095dca8475",
       "96e7e72739134a09c529b4a02f45bf3433e6c655ba8c65597c4d9e5c3f78e0db"},
      {http::Method::get, "/hostedzone/Z123/rrset?name=%5C052.example.com.&type=A&maxitems=300", "", "",
       "host;x-amz-date", "c37c6b0015aa1cc4fcbf81eb39695b7108aa6c7e2c7029536e02f9197e70c218",
       "cb07bdf9e1c910a9b38177230217bbe23af63c6b99a039b5b34ad6672b0beacf"},
      {http::Method::post, "/hostedzone/Z123/rrset/", "<a/>",
       "TOKEN==", "content-type;host;x-amz-date;x-amz-security-token",
       "b8a7db00567170607da617a0adab1f78f0a22f904084d1f6c0a35c702a7f3966",
       "ea9017bfc87b90c4b03562990801590000e78120818feb10dd0062e07345b014"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.url);
    auto request = get(std::string("https://route53.amazonaws.com/2013-04-01") + c.url);
    request.method = c.method;
    request.body = c.body;
    if (!request.body.empty()) request.headers.push_back({"Content-Type", "text/xml"});
    const auto credentials = example_credentials(c.token);
    aws::sign(request, credentials, scope, moment);
    CHECK(header(request, "x-amz-date") == "20260102T030405Z");
    CHECK(header(request, "x-amz-security-token") == c.token);
    const auto signature = aws::compute_signature(request, credentials, scope);
    CHECK(signature.canonical_request_hash == c.canonical_hash);
    CHECK(signature.signature == c.signature);
    CHECK(
        header(request, "authorization") ==
        std::string("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/route53/aws4_request, SignedHeaders=") +
            c.signed_headers + ", Signature=" + c.signature);
  }
}

TEST_CASE("signing again replaces what an earlier attempt left") {
  auto request = get("https://route53.amazonaws.com/2013-04-01/change/C1");
  aws::sign(request, example_credentials("OLD=="), scope, moment);
  aws::sign(request, example_credentials(), scope, moment + std::chrono::hours(1));
  auto fresh = get("https://route53.amazonaws.com/2013-04-01/change/C1");
  aws::sign(fresh, example_credentials(), scope, moment + std::chrono::hours(1));
  CHECK(request.headers.size() == 2);
  CHECK(header(request, "x-amz-security-token").empty());
  CHECK(header(request, "authorization") == header(fresh, "authorization"));
}

TEST_CASE("the canonical request follows the rules of the signature's document") {
  struct Case {
    const char* what;
    const char* url;
    const char* path;
    const char* query;
    const char* host;
  };
  const Case cases[] = {
      {"no path is the root", "https://h.example", "/", "", "h.example"},
      {"a path is encoded once more than it was sent", "https://h.example/a%2Ab/c", "/a%252Ab/c", "", "h.example"},
      {"dot segments and empty ones go", "https://h.example/a/./b/../c//d/", "/a/c/d/", "", "h.example"},
      {"parameters are sorted by name, then value", "https://h.example/?b=2&a=2&a=1&B=0", "/", "B=0&a=1&a=2&b=2",
       "h.example"},
      {"a parameter without a value gets an equals sign", "https://h.example/?k", "/", "k=", "h.example"},
      {"what was sent bare is encoded", "https://h.example/?name=*.x/y", "/", "name=%2A.x%2Fy", "h.example"},
      {"percent signs that encode nothing are encoded", "https://h.example/?k=5%", "/", "k=5%25", "h.example"},
      {"the default port of https is left out", "https://h.example:443/", "/", "", "h.example"},
      {"the default port of http is left out", "http://127.0.0.1:80/", "/", "", "127.0.0.1"},
      {"another port stays", "http://127.0.0.1:4566/", "/", "", "127.0.0.1:4566"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.what);
    auto request = get(c.url);
    request.headers = {{"X-Amz-Date", "20260102T030405Z"}};
    const auto text = aws::compute_signature(request, example_credentials(), scope).canonical_request;
    const auto expected = std::string("GET\n") + c.path + "\n" + c.query + "\nhost:" + c.host +
                          "\nx-amz-date:20260102T030405Z\n\nhost;x-amz-date\n" +
                          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    CHECK(text == expected);
  }
}

TEST_CASE("only the headers that must be are signed, their blanks made one") {
  auto request = get("https://h.example/");
  request.headers = {{"X-Amz-Date", "20260102T030405Z"}, {"User-Agent", "litedesk"},
                     {"Connection", "keep-alive"},       {"Content-Type", "  text/xml;   charset=utf-8 "},
                     {"X-Amzn-Trace-Id", "1"},           {"Accept", "*/*"}};
  const auto text = aws::compute_signature(request, example_credentials(), scope).canonical_request;
  CHECK(text.find("\ncontent-type:text/xml; "
                  "charset=utf-8\nhost:h.example\nx-amz-date:20260102T030405Z\n\ncontent-type;host;x-amz-date\n") !=
        std::string::npos);
}
