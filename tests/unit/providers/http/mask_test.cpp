#include "providers/http/mask.hpp"

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

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

// "hunter2" is what must not be seen, "seen" what must stay.
TEST_CASE("the table of what is masked in JSON") {
  for (const char* body : {
           // A field whose name is a secret's, whatever it holds, and however the name is spelled.
           R"({"password": ["hunter2", "x"], "a": "seen"})",
           R"({"credentials": {"user": "hunter2", "deep": [{"x": "hunter2"}]}, "a": "seen"})",
           R"({"tokens": ["hunter2"], "passwords": {"a": "hunter2"}, "a": "seen"})",
           R"({"apiKeys": [{"id": "1", "k": "hunter2"}], "a": "seen"})",
           R"({"password2": "hunter2", "new-password": "hunter2", "Pass": "hunter2", "a": "seen"})",
           R"({"p%61ssword": "hunter2", "user[password]": "hunter2", "a": "seen"})",
           R"({"pass\u0077ord": "hunter2", "a": "seen"})",
           R"({"auths": {"registry.example": {"auth": "hunter2"}}, "a": "seen"})",
           R"({"Authorization": "Bearer hunter2", "set-cookie": ["hunter2"], "a": "seen"})",
           // A name and a value side by side.
           R"({"headers": [{"name": "Authorization", "value": "hunter2"}], "a": "seen"})",
           R"({"tags": [{"Key": "token", "Value": "hunter2"}, {"Key": "seen", "Value": "x"}]})",
           R"({"name": "DB_PASSWORD", "value": {"x": ["hunter2"]}, "a": "seen"})",
           // Documents within strings, whole or cut, in quotes of quotes.
           R"({"a": " {\"password\": [\"hunter2\"], \"b\": \"seen\"}"})",
           R"({"a": "{\"b\": \"{\\\"password\\\": \\\"hunter2\\\", \\\"c\\\": \\\"seen\\\"}\"}"})",
           R"({"a": "got \"{\\\"password\\\":\\\"hunter2\\\"}\", seen"})",
           R"({"a": "got {'password': 'hunter2', 'b': 'seen'}"})",
           R"({"a": "got {\"password\": [\"hunter2\", \"]\", \"hunter2\"], \"b\": \"seen\"}"})",
           R"({"a": "<x><Password>hunter2</Password><b>seen</b></x>"})",
           R"({"a": "password: hunter2 hunter2\nb: seen"})",
           R"({"a": "DB_PASSWORD=hunter2\nB=seen"})",
           R"({"a": "Server=seen;Password=hunter2;Timeout=30"})",
           R"({"a": "curl -H 'Authorization: Bearer hunter2' seen"})",
           R"({"a": "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\nseen"})",
       }) {
    CAPTURE(body);
    const auto text = masked_body(Api::kubernetes, body);
    CAPTURE(text);
    CHECK_FALSE(holds(text, "hunter2"));
    CHECK(holds(text, "seen"));
  }
  for (
      const char* body : {
          R"({"automountServiceAccountToken":false,"passwordKey":"b","secretName":"a","token":null})",
          R"({"connectionStrings":{"standard":"mongodb://h:27017,i:27017/?ssl=true&authSource=admin"}})",
          R"({"imagePullSecrets":[{"name":"registry"}],"secrets":[{"kind":"Secret","name":"x","namespace":"y"}]})",
          R"({"volumes":[{"name":"v","secret":{"secretName":"tls"}}]})",
          R"({"message":"secrets \"app\" not found","reason":"NotFound"})",
          R"({"message":"User \"system:serviceaccount:a:b\" cannot get resource \"secrets\" in API group \"\""})",
          R"({"message":"Bearer token required: Basic authentication is off, the token: expired"})",
          R"({"metadata":{"labels":{"app.kubernetes.io/name":"a"},"resourceVersion":"12","selfLink":"/api/v1/x?a=b"}})",
          R"({"image":"registry.example:5000/a/b@sha256:0123","url":"https://h:6443/api?labelSelector=a%3Db"})",
          R"({"command":["sh","-c","test $x == y && z --a=b"],"time":"10:30:00Z"})",
      }) {
    CAPTURE(body);
    CHECK(masked_body(Api::kubernetes, body) == body);
  }
}

TEST_CASE("the table of what is masked in XML and HTML") {
  for (const char* body : {
           "<a><Password><![CDATA[hunter2]]></Password><b>seen</b></a>",
           "<a><Password><x>hunter2</x>hunter2<y><z>hunter2</z></y></Password><b>seen</b></a>",
           "<a><Password><!-- c -->hunter2</Password><b>seen</b></a>",
           "<a><!-- <Password>hunter2</Password> --><b>seen</b></a>",
           "<a><!-- password hunter2 --><b>seen</b></a>",
           "<a password=\"hunter2\" b='seen'/>",
           "<a password = 'hunter2' b='seen'/>",
           "<a b='seen' password=hunter2>",
           "<Password value=\"hunter2\">x</Password><b>seen</b>",
           "<Password xmlns='seen' x='hunter2'/>",
           "<ns:Password>hunter2</ns:Password><b>seen</b>",
           "<add key=\"password\" value=\"hunter2\"/><add key=\"seen\" value=\"x\"/>",
           "<Tag><Key>token</Key><Value>hunter2</Value></Tag><Tag><Key>a</Key><Value>seen</Value></Tag>",
           "<header name='Authorization'>hunter2</header><b>seen</b>",
           "<a><![CDATA[<Password>hunter2</Password><b>seen</b>]]></a>",
           "<a><![CDATA[{\"password\": \"hunter2\", \"b\": \"seen\"}]]></a>",
           "<a>&lt;Password&gt;hunter2&lt;/Password&gt; seen</a>",
           "<a>{&quot;password&quot;: &quot;hunter2&quot;, &quot;b&quot;: &quot;seen&quot;}</a>",
           "<a href=\"https://h/?token=hunter2&amp;b=seen\">seen</a>",
           "<Credentials>hunter2</Credentials><b>seen</b>",
           "<tokens><a>seen</a><token>hunter2</token></tokens>",
           "<a>seen</a><Password>hunter2",
           "<a>seen</a><Password x=\"hunter2",
           "<a>seen</a><Password><![CDATA[hunter2",
           "<a>seen</a><!-- hunter2",
           "<a>seen</a><?php hunter2 ?>",
           "<!DOCTYPE a [<!ENTITY p \"hunter2\">]><a>seen</a>",
           "<html><script>if (1 < 2) { token = 'hunter2'; }</script><b>seen</b></html>",
           "<html><form><input name=\"password\" value=\"hunter2\"><b>seen</b>",
           "<html>1 < 2 password=hunter2 <b>seen</b>",
       }) {
    CAPTURE(body);
    const auto text = masked_body(Api::route53, body);
    CAPTURE(text);
    CHECK_FALSE(holds(text, "hunter2"));
    CHECK(holds(text, "seen"));
  }
  for (const char* body : {
           "<?xml version=\"1.0\" "
           "encoding=\"UTF-8\"?>\n<ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status></ChangeInfo>",
           "<ListResourceRecordSetsResponse "
           "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><MaxItems>300</MaxItems>"
           "<ResourceRecord><Value>\"heritage=external-dns,external-dns/owner=x\"</Value></ResourceRecord></Lis>",
           "<!DOCTYPE html><html><h1>502 Bad Gateway</h1><p>1 < 2</p></html>",
           "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does "
           "not</Message></Error>",
       }) {
    CAPTURE(body);
    CHECK(masked_body(Api::route53, body) == body);
  }
}

TEST_CASE("the table of what is masked in URLs") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"https://u:hunter2/x@h/p", "https://u:***@h/p"},
      {"https://u:hunter2#x@h/p", "https://u:***@h/p"},
      {"https://u:hun?ter2@h/p", "https://u:***@h/p"},
      {"https://u:p@ss/w#hunter2@h/p?a=b", "https://u:***@h/p?a=b"},
      {"https://u:123/hunter2@h/p", "https://u:***@h/p"},
      {"mongodb://u:hunter2@h1:27017,h2:27017/db?email=a@b", "mongodb://u:***@h1:27017,h2:27017/db?email=a@b"},
      {"https://h/login?next=https://u:hunter2@h2/x", "https://h/login?next=https://u:***@h2/x"},
      {"https://0123456789abcdef0123@h/p", "https://***@h/p"},
      {"https://h/#access_token=hunter2&state=seen", "https://h/#access_token=***&state=seen"},
      {"https://h/p?a=b#id_token=hunter2", "https://h/p?a=b#id_token=***"},
      {"https://h/p;password=hunter2;a=b/x", "https://h/p;password=***;a=b/x"},
      {"https://h/p?p%61ssword=hunter2&a=b", "https://h/p?p%61ssword=***&a=b"},
      {"https://h/p?%70%61%73%73word=hunter2", "https://h/p?%70%61%73%73word=***"},
      {"https://h/p?user[password]=hunter2&a", "https://h/p?user[password]=***&a"},
      {"https://h/p?token=hun;ter2,x\"y&a=b", "https://h/p?token=***&a=b"},
      {"https://h/p?next=%2Fx%3Fpassword%3Dhunter2%26a%3Db", "https://h/p?next=%2Fx%3Fpassword%3D***%26a%3Db"},
      {"https://acct.blob.example/c?sv=1&sig=hunter2", "https://acct.blob.example/c?sv=1&sig=***"},
      {"/p?token=hunter2", "/p?token=***"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(masked_url(row.first) == row.second);
  }
  for (const std::string url :
       {"http://127.0.0.1:5000/x?email=a@b.example", "https://h:6443/api/v1/namespaces/a/secrets/b",
        "https://h/p?fieldManager=litedesk&dryRun=All&force=true#top", "https://u@h/p", "https://h/a@b",
        "https://[::1]:6443/apis?limit=500&labelSelector=app%3Da%2Cb%20in%20(c)"}) {
    CAPTURE(url);
    CHECK(masked_url(url) == url);
  }
}

TEST_CASE("the table of what is masked in headers") {
  const std::vector<std::pair<Header, std::string>> rows = {
      {{"Location", "https://h/cb?code=1&access_token=hunter2,x&a=b"}, "https://h/cb?code=1&access_token=***&a=b"},
      {{"location", "/cb#id_token=hunter2"}, "/cb#id_token=***"},
      {{"Refresh", "0; url=https://u:hunter2@h/"}, "0; url=https://u:***@h/"},
      {{"Link", "<https://h/p?token=hunter2>; rel=\"next\""}, "<https://h/p?token=***>; rel=\"next\""},
      {{"WWW-Authenticate", "Bearer realm=\"r\", error=\"invalid_token\", error_description=\"token=hunter2 is bad\""},
       "Bearer realm=\"r\", error=\"invalid_token\", error_description=\"token=*** is bad\""},
      {{"WWW-Authenticate", "Negotiate aHVudGVyMg=="}, "Negotiate ***"},
      {{"WWW-Authenticate", "Negotiate aHVudGVyMg=, Basic realm=\"a, b\""}, "Negotiate ***, Basic realm=\"a, b\""},
      {{"www-authenticate",
        "Digest realm=\"MMS Public API\", nonce=\"hunter2\", algorithm=MD5, qop=\"auth\", stale=false"},
       "Digest realm=\"MMS Public API\", nonce=***, algorithm=MD5, qop=\"auth\", stale=false"},
      {{"Proxy-Authenticate", "NTLM hunter2"}, "NTLM ***"},
      {{"WWW-Authenticate", "Bearer"}, "Bearer"},
      {{"WWW-Authenticate", "Custom x=\"hun\\\"ter2"}, "Custom x=***"},
      {{"X-Original-Authorization", "Bearer hunter2"}, "Bearer ***"},
      {{"X-Forwarded-Uri", "/p?password=hunter2&a=b"}, "/p?password=***&a=b"},
      {{"Warning", "299 - \"use https://u:hunter2@h/ instead\""}, "299 - \"use https://u:***@h/ instead\""},
      {{"Retry-After", "120"}, "120"},
      {{"Date", "Fri, 02 Jan 2026 03:04:15 GMT"}, "Fri, 02 Jan 2026 03:04:15 GMT"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first.name);
    CAPTURE(row.first.value);
    CHECK(masked_header(row.first) == row.second);
  }
}

TEST_CASE("masking takes time in proportion to the text") {
  // Each would take minutes where the text is gone through once for each of its parts.
  const auto repeated = [](const std::string& part, std::size_t size) {
    std::string text;
    while (text.size() < size) text += part;
    return text;
  };
  for (const char* part : {"://",
                           "://u:p@",
                           "eyJ",
                           "mdb_sa_sk_",
                           "\"",
                           "\"password\":",
                           "\"password\":\"",
                           "\\\"",
                           "=",
                           "token=",
                           "a=;",
                           ";",
                           ":",
                           "password:",
                           "-----BEGIN ",
                           "-----BEGIN PRIVATE KEY-----",
                           "%3D",
                           "<",
                           "<a",
                           "<a b=\"",
                           "<!--",
                           "<![CDATA[",
                           "&lt;",
                           "<Password>",
                           "bearer ",
                           "@",
                           "?",
                           "{",
                           "x-amz-security-token:",
                           "a@b ",
                           "://u:p@h "}) {
    CAPTURE(part);
    const auto small = repeated(part, 1 << 13), large = repeated(part, 1 << 16);
    const auto time_of = [](const std::string& text) {
      const auto begin = std::clock();  // of this process: other ones do not count
      CHECK_FALSE(masked_text(text).empty());
      CHECK_FALSE(masked_body(Api::route53, "<x>" + text).empty());
      CHECK_FALSE(masked_url("https://h/?" + text).empty());
      return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    };
    // Eight times the text, and not 64 times the time.
    CHECK(time_of(large) < std::max(time_of(small), 0.02) * 8 * 4);
  }
}

TEST_CASE("JSON that is nested deeply is not shown, and overflows nothing") {
  const std::string deep = std::string(30'000, '[') + std::string(30'000, ']');
  CHECK(masked_body(Api::kubernetes, deep) == "(60000 bytes)");
  std::string maps;
  for (int i = 0; i < 80'000; ++i) maps += R"({"a":)";
  CHECK(masked_body(Api::atlas, maps + "1" + std::string(80'000, '}')).ends_with(" bytes)"));
  CHECK(masked_body(Api::kubernetes, R"({"a": ")" + deep + R"(", "b": "seen"})") == R"({"a":"***","b":"seen"})");
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
        Row{R"({"items": [{"metadata": {"name": "seen"}, "data": {"x": "hunter2"}}]})", "seen"},
        Row{R"({"items": [{"stringData": {"x": "hunter2"}, "type": "seen"}], "metadata": {}})", "seen"},
        Row{R"({"kind": "Table", "rows": [{"cells": ["seen"], "object": {"data": {"x": "hunter2"}}}]})", "seen"},
        Row{R"({"type": "ADDED", "object": {"data": {"x": "hunter2"}, "type": "seen"}})", "seen"},
        Row{"{\"type\": \"seen\", \"object\": {\"data\": {\"x\": \"hunter2\"}}}\n{\"object\": {\"data\": {\"x\": "
            "\"hunter2\"}}}\n",
            "seen"},
        Row{"<html>hunter2</html>", "(20 bytes)"}, Row{"cannot decode hunter2", "(21 bytes)"}}) {
    CAPTURE(row.body);
    const auto text = masked_body(Api::kubernetes, row.body, url);
    CAPTURE(text);
    CHECK_FALSE(holds(text, "hunter2"));
    CHECK(holds(text, row.shown));
  }
  for (const char* spelled : {"https://h/api/v1/secrets", "https://h/api/v1/secrets?limit=500",
                              "https://h/api/v1/%73ecrets", "https://h/api/v1/namespaces/a/secrets?watch=true"})
    CHECK_FALSE(holds(masked_body(Api::kubernetes, R"({"items":[{"data":{"x":"hunter2"}}]})", spelled), "hunter2"));
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
