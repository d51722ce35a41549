#include "providers/http/mask.hpp"

#include <string>

#include <doctest/doctest.h>

#include "providers/http/url.hpp"

using namespace litedesk::http;

namespace {
bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("no secret of a body is shown, wherever it stands, and what is none is") {
  struct Row {
    Api api;
    const char *body, *secret, *shown;
  };
  for (
      const Row& row : {
          Row{Api::atlas, R"({"username": "bob", "password": "hunter2"})", "hunter2", "bob"},
          Row{Api::atlas, R"([{"a": [{"b": {"clientSecret": "hunter2", "id": "seen"}}]}])", "hunter2", "seen"},
          Row{Api::oauth, R"({"access_token": "hunter2", "expires_in": 3600})", "hunter2", "3600"},
          Row{Api::oauth, "grant_type=client_credentials&client_secret=hunter2", "hunter2", "(51 bytes)"},
          Row{Api::oauth, "<p>hunter2</p>", "hunter2", "(14 bytes)"},
          Row{Api::aws, "hunter2-metadata-token", "hunter2", "(22 bytes)"},
          Row{Api::aws,
              "<Credentials><AccessKeyId>AKIA1</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey></Credentials>",
              "hunter2", "AKIA1"},
          Row{Api::aws, "<a><SessionToken xmlns=\"x\">hunter2</SessionToken><b>seen</b></a>", "hunter2", "seen"},
          Row{Api::kubernetes, R"({"kind": "Secret", "metadata": {"name": "seen"}, "data": {"x": "aHVudGVyMg=="}})",
              "aHVudGVyMg==", "seen"},
          Row{Api::kubernetes, R"({"kind": "Secret", "type": "seen", "stringData": {"user": "hunter2"}})", "hunter2",
              "seen"},
          Row{Api::kubernetes,
              R"({"kind": "Secret", "metadata": {"name": "seen", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\": {\"x\": \"hunter2\"}}"}}})",
              "hunter2", "seen"},
          Row{Api::kubernetes,
              R"({"kind": "List", "items": [{"kind": "Secret", "data": {"x": "hunter2"}}, {"a": "seen"}]})", "hunter2",
              "seen"},
          Row{Api::kubernetes,
              R"({"kind": "SecretList", "items": [{"metadata": {"name": "seen"}, "data": {"x": "hunter2"}}]})",
              "hunter2", "seen"},
          Row{Api::kubernetes,
              "{\"type\": \"ADDED\", \"object\": {\"kind\": \"Secret\", \"data\": {\"x\": \"hunter2\"}}}\n{\"type\": "
              "\"seen\"}\n",
              "hunter2", "seen"},
          Row{Api::kubernetes,
              R"({"env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "PORT", "value": "seen"}]})", "hunter2",
              "seen"},
          Row{Api::kubernetes, R"({"volumes": [{"secret": {"secretName": "seen"}}], "token": "hunter2"})", "hunter2",
              "seen"},
          Row{Api::kubernetes,
              R"({"message": "bad value {\"password\":\"hunter2\"}", "data": "mongodb://seen:hunter2@host/db"})",
              "hunter2", "seen"},
          Row{Api::kubernetes, R"({"inner": "{\"password\": \"hunter2\", \"x\": \"seen\"}"})", "hunter2", "seen"},
          Row{Api::atlas, R"({"detail": "mdb_sa_sk_hunter2 is seen"})", "hunter2", "is seen"},
          Row{Api::kubernetes, "kind: Secret\nstringData: {x: hunter2}\n", "hunter2", "bytes)"},
          Row{Api::kubernetes, "{\"data\": \"hunter2", "hunter2", "bytes)"},
          Row{Api::kubernetes, "Too many requests, please try again later.", "hunter2", "try again later"},
          Row{Api::kubernetes, "<html><h1>seen</h1></html>", "hunter2", "seen"},
      }) {
    CAPTURE(row.body);
    const auto text = masked_body(row.api, row.body);
    CAPTURE(text);
    CHECK_FALSE(holds(text, row.secret));
    CHECK(holds(text, row.shown));
  }
  CHECK(masked_body(Api::kubernetes, "").empty());
}

TEST_CASE("what a Secret's URL takes and gives is masked though it does not name its kind") {
  const std::string url = "https://h:6443/api/v1/namespaces/instance-acme/secrets/database?fieldManager=litedesk";
  struct Row {
    const char *body, *shown;
  };
  for (const Row& row :
       {Row{R"({"data": {"uri": "hunter2"}, "metadata": {"resourceVersion": "seen"}})", "seen"},
        Row{R"({"stringData": {"uri": "hunter2"}, "type": "seen"})", "seen"},
        Row{R"({"metadata": {"annotations": {"a": "hunter2"}, "name": "seen"}})", "seen"},
        Row{R"([{"op": "replace", "path": "/seen", "value": "hunter2"}, {"op": "add", "value": {"a": "hunter2"}}])",
            "seen"},
        Row{R"({"kind": "Status", "code": 422, "message": "data[x]: Invalid value: \"hunter2\"", "reason": "seen",
               "details": {"causes": [{"message": "Invalid value: \"hunter2\"", "field": "data[x]"}]}})",
            "data[x]"},
        Row{"cannot decode hunter2", "(21 bytes)"}}) {
    CAPTURE(row.body);
    const auto text = masked_body(Api::kubernetes, row.body, url);
    CAPTURE(text);
    CHECK_FALSE(holds(text, "hunter2"));
    CHECK(holds(text, row.shown));
  }
  const std::string other = R"({"data":{"x":"shown"}})";
  for (const char* elsewhere : {"https://h/api/v1/namespaces/a/configmaps/secrets-of-mine", "https://h/apis/x/y/z",
                                "https://h/apis/external-secrets.io/v1/namespaces/a/externalsecrets/x"}) {
    CAPTURE(elsewhere);
    CHECK(masked_body(Api::kubernetes, other, elsewhere) == other);
  }
}

TEST_CASE("AWS' session token is masked where a refusal repeats the canonical request") {
  const std::string body =
      "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>The Canonical String for this request should "
      "have been\n'GET\n/2013-04-01/hostedzone\n\nhost:route53.amazonaws.com\nx-amz-date:20260102T030405Z\n"
      "x-amz-security-token:IQoJb3JpZ2luX2VjE+hunter2/==\n\nhost;x-amz-date;x-amz-security-token\nseen'"
      "</Message></Error></ErrorResponse>";
  const auto text = masked_body(Api::route53, body);
  CAPTURE(text);
  CHECK_FALSE(holds(text, "hunter2"));
  CHECK(holds(text, "x-amz-security-token:***\n"));
  CHECK(holds(text, "x-amz-date;x-amz-security-token\nseen"));
  CHECK(masked_text("X-Amz-Security-Token: hunter2&#10;x") == "X-Amz-Security-Token: ***&#10;x");
  CHECK(masked_text("X-AMZ-SECURITY-TOKEN=hunter2&a=b") == "X-AMZ-SECURITY-TOKEN=***&a=b");
  CHECK(masked_text("x-amz-security-token") == "x-amz-security-token");
  CHECK(masked_text("x-amz-security-token:") == "x-amz-security-token:");
}

TEST_CASE("a secret field is masked in text that only quotes a piece of JSON") {
  CHECK(masked_text(R"(got {"a": "b", "password" : "hun\"ter2", "c": "d"} there)") ==
        R"(got {"a": "b", "password" : "***", "c": "d"} there)");
  CHECK(masked_text(R"(cut {"password":"hunter2)") == R"(cut {"password":"***)");
  CHECK(masked_text(R"("password" "token": 5 "secret")") == R"("password" "token": 5 "secret")");
}

TEST_CASE("a JSON web token is recognised in any text") {
  const std::string token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJsaXRlZGVzayIsImV4cCI6MX0.c2lnbmF0dXJl";
  CHECK(masked_text("with " + token + " in it") == "with eyJ*** in it");
  CHECK(masked_text("eyJust") == "eyJust");
}

TEST_CASE("secret headers are masked and the rest is shown") {
  CHECK(masked_header({"Authorization", "Bearer hunter2"}) == "Bearer ***");
  CHECK(masked_header({"authorization", "AWS4-HMAC-SHA256 Credential=x, Signature=hunter2"}) == "AWS4-HMAC-SHA256 ***");
  CHECK(masked_header({"Authorization", "hunter2"}) == "***");
  for (const char* name : {"X-Amz-Security-Token", "x-aws-ec2-metadata-token", "Set-Cookie", "cookie", "X-Api-Key",
                           "Proxy-Authorization"}) {
    CAPTURE(name);
    CHECK(masked_header({name, "hunter2"}) == "***");
  }
  CHECK(masked_header({"Content-Type", "application/json"}) == "application/json");
}

TEST_CASE("secret parameters of a URL are masked and the rest is shown") {
  CHECK(
      masked_url("https://h/p?a=b&X-Amz-Signature=hunter2&X-Amz-Security-Token=hunter2&X-Amz-Credential=hunter2&c=d") ==
      "https://h/p?a=b&X-Amz-Signature=***&X-Amz-Security-Token=***&X-Amz-Credential=***&c=d");
  CHECK(masked_url("https://user:hunter2@h/p") == "https://user:***@h/p");
  CHECK(masked_url("https://h/p?fieldManager=litedesk&force") == "https://h/p?fieldManager=litedesk&force");
  CHECK(masked_url("https://h/p?") == "https://h/p?");
}

TEST_CASE("a URL is taken apart") {
  struct Row {
    const char *url, *origin, *path, *bare;
    bool loopback;
  };
  for (const Row& row :
       {Row{"https://Example.com/a/b?c=d#e", "https://example.com", "/a/b", "https://example.com/a/b", false},
        Row{"https://h:443/", "https://h", "/", "https://h/", false},
        Row{"https://h:6443", "https://h:6443", "", "https://h:6443", false},
        Row{"http://u:p@127.0.0.1:80/x", "http://127.0.0.1", "/x", "http://127.0.0.1/x", true},
        Row{"https://[::1]:6443/x", "https://[::1]:6443", "/x", "https://[::1]:6443/x", true},
        Row{"https://[fe80::1]/x", "https://[fe80::1]", "/x", "https://[fe80::1]/x", false},
        Row{"http://localhost:8080?x", "http://localhost:8080", "", "http://localhost:8080", true},
        Row{"http://127.1.2.3/", "http://127.1.2.3", "/", "http://127.1.2.3/", true},
        Row{"http://127.evil.example/", "http://127.evil.example", "/", "http://127.evil.example/", false},
        Row{"http://127.0.0.1.evil.example/", "http://127.0.0.1.evil.example", "/", "http://127.0.0.1.evil.example/",
            false},
        Row{"http://127.0.0.1@evil.example", "http://evil.example", "", "http://evil.example", false},
        Row{"http://127.0.0/", "http://127.0.0", "/", "http://127.0.0/", false},
        Row{"http://127.0.0.1.1/", "http://127.0.0.1.1", "/", "http://127.0.0.1.1/", false},
        Row{"http://localhost.evil.example", "http://localhost.evil.example", "", "http://localhost.evil.example",
            false}}) {
    CAPTURE(row.url);
    const auto parts = split_url(row.url);
    CHECK(parts.origin() == row.origin);
    CHECK(parts.path == row.path);
    CHECK(parts.loopback() == row.loopback);
    CHECK(without_query(row.url) == row.bare);
    CHECK(is_plain_http_over_network(row.url) == (parts.scheme == "http" && !row.loopback));
  }
}

TEST_CASE("a path segment or query value is encoded byte by byte but for the unreserved characters") {
  CHECK(percent_encode("aZ09-._~") == "aZ09-._~");
  CHECK(percent_encode("a/b c+d&e=f%\"") == "a%2Fb%20c%2Bd%26e%3Df%25%22");
  CHECK(percent_encode("\xc3\xa9") == "%C3%A9");
}

TEST_CASE("a header is found whatever its case, and the first one counts") {
  const Headers headers = {{"Content-Type", "a"}, {"content-type", "b"}};
  CHECK(find(headers, "CONTENT-TYPE") == "a");
  CHECK(find(headers, "Content").empty());
}
