#include "providers/kubernetes/status.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/utf8.hpp"
#include "tests/unit/providers/kubernetes/support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using kubernetes::test::contains;
using kubernetes::test::status_body;

namespace {

http::Response response(int status, std::string body, const std::string& content_type = "application/json") {
  http::Response result;
  result.status = status;
  result.body = std::move(body);
  result.headers = {{"Content-Type", content_type}};
  return result;
}

Attempted attempted() {
  Attempted result;
  result.what = "apply Deployment a/backend";
  result.resource = "kubernetes Deployment a/backend";
  result.server = "https://api.example";
  result.origin = "context \"production\" of /home/me/.kube/config";
  return result;
}

struct Caught {
  ErrorCode code = ErrorCode::failed;
  std::string message, hint, cause, reason;
  int http_status = 0;
  std::size_t causes = 0;
};

Caught caught(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& thrown) {
    Caught result{thrown.code(), thrown.message(), thrown.hint(), thrown.cause(), {}, 0, 0};
    if (const auto* info = api_error_info(thrown)) {
      result.reason = info->reason;
      result.http_status = info->http_status;
      result.causes = info->causes.size();
    }
    return result;
  }
}

}  // namespace

TEST_CASE("each HTTP status is an error of its kind that keeps the API's words") {
  struct Row {
    int status;
    const char* reason;
    ErrorCode code;
  };
  for (const auto& row :
       {Row{400, "BadRequest", ErrorCode::validation}, Row{401, "Unauthorized", ErrorCode::authentication},
        Row{403, "Forbidden", ErrorCode::permission_denied}, Row{404, "NotFound", ErrorCode::not_found},
        Row{405, "MethodNotAllowed", ErrorCode::failed}, Row{409, "AlreadyExists", ErrorCode::conflict},
        Row{410, "Expired", ErrorCode::conflict}, Row{413, "RequestEntityTooLarge", ErrorCode::validation},
        Row{415, "UnsupportedMediaType", ErrorCode::validation}, Row{422, "Invalid", ErrorCode::validation},
        Row{429, "TooManyRequests", ErrorCode::rate_limited}, Row{500, "InternalError", ErrorCode::failed},
        Row{502, "", ErrorCode::unavailable}, Row{503, "ServiceUnavailable", ErrorCode::unavailable},
        Row{504, "Timeout", ErrorCode::timeout}}) {
    CAPTURE(row.status);
    const auto error =
        caught(api_error(response(row.status, status_body(row.status, row.reason, "in its own words")), attempted()));
    CHECK(error.code == row.code);
    CHECK(error.cause == "in its own words");
    CHECK(error.reason == row.reason);
    CHECK(error.http_status == row.status);
    CHECK(contains(error.message, "apply Deployment a/backend"));
  }
}

TEST_CASE("an answer that quotes a whole object is cut in the middle: what is wrong stands at its end") {
  std::string object;
  while (object.size() < 5000) object += "\u00e9";
  const auto error = caught(api_error(
      response(422, status_body(422, "Invalid", "x is invalid: " + object + ": unknown field")), attempted()));
  CHECK(error.cause.size() < 1200);
  CHECK(error.cause.starts_with("x is invalid: "));
  CHECK(error.cause.ends_with(": unknown field"));
  CHECK(contains(error.cause, "\u00e9 ... \u00e9"));
}

TEST_CASE("a typed handler and the details of the Status both see the same error") {
  bool typed = false;
  try {
    std::rethrow_exception(api_error(response(409, status_body(409, "Conflict", "m")), attempted()));
  } catch (const Conflict& error) {
    typed = api_error_info(error) != nullptr;
  }
  CHECK(typed);
  CHECK(api_error_info(NotFound("another's")) == nullptr);
}

TEST_CASE("a conflict of field managers names each manager and its fields") {
  const auto error = caught(api_error(
      response(
          409,
          status_body(
              409, "Conflict", "Apply failed with 3 conflicts: ...",
              R"(,"details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"kubectl\" using apps/v1","field":".spec.replicas"},)"
              R"({"reason":"FieldManagerConflict","message":"conflict with \"hpa\"","field":".spec.x"},)"
              R"({"reason":"FieldManagerConflict","message":"conflict with \"kubectl\" using apps/v1","field":".spec.paused"}]})")),
      attempted()));
  CHECK(error.code == ErrorCode::conflict);
  CHECK(error.cause ==
        "conflict with \"kubectl\" using apps/v1: .spec.replicas, .spec.paused; conflict with \"hpa\": .spec.x");
  CHECK(error.causes == 3);
  CHECK(contains(error.hint, "another field manager"));
}

TEST_CASE("a field that an apply made up is a mistake of ours, though the server calls it its own") {
  const auto error =
      caught(api_error(response(500, status_body(500, "",
                                                 "failed to create typed patch object (a/x; apps/v1, Kind=Deployment): "
                                                 ".spec.replicsa: field not declared in schema")),
                       attempted()));
  CHECK(error.code == ErrorCode::validation);
  CHECK(error.http_status == 500);
  CHECK(contains(error.hint, "misspelt"));
}

TEST_CASE("causes that the message does not repeat are added to it") {
  const auto error = caught(api_error(
      response(
          422,
          status_body(
              422, "Invalid", "it is invalid: a said",
              R"(,"details":{"causes":[{"message":"a said","field":"a"},{"message":"b said","field":"spec.b"}]})")),
      attempted()));
  CHECK(error.cause == "it is invalid: a said; spec.b: b said");
}

TEST_CASE("each refusal has its own way out") {
  struct Row {
    int status;
    const char *message, *more, *hint;
  };
  for (const auto& row :
       {Row{401, "Unauthorized", "", "/home/me/.kube/config"},
        Row{403, "User \\\"u\\\" cannot patch", "", "administrator to grant"},
        Row{403, "exceeded quota: q, requested: pods=1", "", "ResourceQuota"},
        Row{403, "violates PodSecurity \\\"restricted:latest\\\"", "", "securityContext"},
        Row{403, "unable to create", R"(,"details":{"causes":[{"reason":"NamespaceTerminating","message":"m"}]})",
            "being deleted"},
        Row{400, "strict decoding error: unknown field", "", "misspelt"},
        Row{409, "the object has been modified", "", "read it and try again"}}) {
    CAPTURE(row.message);
    CHECK(contains(
        caught(api_error(response(row.status, status_body(row.status, "R", row.message, row.more)), attempted())).hint,
        row.hint));
  }
  auto plain = attempted();
  plain.credentials_withheld = true;
  CHECK(contains(caught(api_error(response(401, "Unauthorized", "text/plain"), plain)).hint, "plain http"));
}

TEST_CASE("values of a Secret never come back in a message") {
  auto secret = attempted();
  secret.masked = {"hunter22", "aHVudGVyMjI="};
  const auto error = caught(api_error(
      response(422, status_body(422, "Invalid", "Invalid value: hunter22 (aHVudGVyMjI=), hunter22")), secret));
  CHECK(error.cause == "Invalid value: *** (***), ***");
}

TEST_CASE("only the API server's own 404 means that something is not there") {
  CHECK(is_not_found(response(404, status_body(404, "NotFound", "pods \\\"x\\\" not found"))));
  // The words are those of every server in Go; the API server has them for groups that it does not serve.
  auto plain = response(404, "404 page not found\n", "text/plain");
  CHECK_FALSE(is_not_found(plain, "cert-manager.io"));
  for (const char* header : {"Audit-Id", "x-kubernetes-pf-flowschema-uid", "X-Kubernetes-PF-PriorityLevel-UID"}) {
    plain.headers.push_back({header, "x"});
    CHECK(is_not_found(plain, "cert-manager.io"));
    CHECK_FALSE(is_not_found(plain));
    CHECK(caught(api_error(plain, attempted())).code == ErrorCode::unavailable);
    plain.headers.pop_back();
  }
  CHECK_FALSE(is_not_found(response(404, "<html><title>404 Not Found</title></html>", "text/html")));
  CHECK_FALSE(is_not_found(response(404, "")));
  CHECK_FALSE(is_not_found(response(200, status_body(404, "NotFound", ""))));
  const auto error =
      caught(api_error(response(404, "<html><title>nginx 404</title></html>", "text/html"), attempted()));
  CHECK(error.code == ErrorCode::unavailable);
  CHECK(error.cause == "an HTML page: nginx 404");
  CHECK(contains(error.hint, "context \"production\""));
}

TEST_CASE("a redirect says where it leads") {
  auto moved = response(302, "", "text/html");
  moved.headers.push_back({"Location", "https://login.example/"});
  const auto error = caught(api_error(moved, attempted()));
  CHECK(contains(error.cause, "https://login.example/"));
  CHECK(contains(error.hint, "leads elsewhere"));
}

TEST_CASE("a body that is no Status becomes one short line") {
  struct Row {
    std::string body;
    const char *type, *text;
  };
  for (const auto& row : {Row{"Too many requests,\n please try again later.\n", "text/plain",
                              "Too many requests, please try again later."},
                          Row{"<html><head><title>\n 503 Service\tUnavailable </title></head>", "text/html",
                              "an HTML page: 503 Service Unavailable"},
                          Row{"  <!DOCTYPE html><style>b{}</style><script>x<y</script><p>Sign <b>in</b></p>", "",
                              "an HTML page: Sign in"},
                          Row{"<html></html>", "text/html", "an HTML page"}, Row{"<html", "text/html", "an HTML page"},
                          Row{"", "", ""}}) {
    CAPTURE(row.body);
    CHECK(short_text(row.body, row.type) == row.text);
  }
  std::string umlauts;
  for (int i = 0; i < 300; ++i) umlauts += "\xc3\xa4";
  const auto cut = short_text("x" + umlauts, "text/plain");
  CHECK(cut.size() < 170);
  CHECK_NOTHROW((void)nlohmann::json(cut).dump());  // would throw on half a character
  CHECK(cut.ends_with("\xa4..."));
}

TEST_CASE("a page that is cut anywhere still becomes one short line") {
  const std::vector<std::string> pages = {
      "<!DOCTYPE html><html><head><!-- a > b --><title>502 Bad &amp; Gateway</title><script>if (a < b) {}</script>"
      "<style>p > b {}</style></head><body><p>Sign <b class='>'>in</b>&nbsp;now</p><!-- x --></body></html>",
      "<html><script src=x></script><STYLE>a{}</STYLE><p>caf\xC3\xA9 \xE2\x82\xAC &lt;b&gt; &#39;x&#39; "
      "&hellip;<br/></p>",
      "<html><p>a < b <script><style><!-- <script></p>",
      "<!doctype html><?xml?><![CDATA[x]]></p><scripted>y</scripted><",
  };
  for (const auto& page : pages)
    for (std::size_t size = 0; size <= page.size(); ++size) {
      const auto text = short_text(std::string_view(page).substr(0, size), "text/html");
      CAPTURE(page.substr(0, size));
      CHECK(is_utf8(text));
      CHECK(text.find('\n') == std::string::npos);
      CHECK((size == 0 || text.starts_with("an HTML page")));
      for (const char* hidden : {"if (a", "p > b", "a{}"}) CHECK(text.find(hidden) == std::string::npos);
    }
  struct Row {
    const char *body, *text;
  };
  for (const auto& row :
       {Row{"<html>a<script", "an HTML page: a"}, Row{"<html>a<style>b", "an HTML page: a"},
        Row{"<html>a<!-- b", "an HTML page: a"}, Row{"<html>a<!-- <p>b --> c", "an HTML page: a c"},
        Row{"<html>1 < 2 &amp; 3 &am", "an HTML page: 1 < 2 & 3 &am"}, Row{"<html><scripts>a", "an HTML page: a"},
        Row{"<html>caf\xE9", "an HTML page: caf\xEF\xBF\xBD"}, Row{"<html>a\xC2\xA0\xC2\x85 b", "an HTML page: a b"},
        Row{"<html><title>A &lt; B</title>", "an HTML page: A < B"}, Row{"<html><title>A", "an HTML page: A"}}) {
    CAPTURE(row.body);
    CHECK(short_text(row.body, "text/html") == row.text);
  }
  const std::string long_page = "<html>" + std::string(16 * 1024 - 13, 'x') + "<script>";
  CHECK(short_text(long_page, "").starts_with("an HTML page: xxx"));
}

TEST_CASE("warnings are read out of their quotes") {
  struct Row {
    const char* header;
    std::vector<std::string> texts;
  };
  for (const auto& row : {Row{R"(299 - "unknown field \"spec.x\"")", {"unknown field \"spec.x\""}},
                          Row{R"(299 - "a, b", 299 - "c")", {"a, b", "c"}},
                          Row{R"(299 - "a" "Wed, 21 Oct 2015 07:28:00 GMT", 299 - "b")", {"a", "b"}},
                          Row{R"(299 - "back\\slash)", {"back\\slash"}}, Row{"299 - none", {}}, Row{"", {}},
                          Row{R"(299 - "")", {}}, Row{R"(299 - "\)", {"\\"}}}) {
    CAPTURE(row.header);
    CHECK(parse_warnings({{"warning", row.header}}) == row.texts);
  }
  CHECK(parse_warnings({{"Warning", "299 - \"a\""}, {"Age", "1"}, {"Warning", "299 - \"b\""}}).size() == 2);
}

TEST_CASE("a lost connection names the context it was for, and other errors stay what they are") {
  const auto lost = caught(with_origin(
      std::make_exception_ptr(Unavailable({.message = "cannot connect", .hint = "is it up?", .cause = "refused"})),
      attempted()));
  CHECK(lost.code == ErrorCode::unavailable);
  CHECK(lost.cause == "refused");
  CHECK(contains(lost.hint, "is it up?"));
  CHECK(contains(lost.hint, "https://api.example is the server of context \"production\" of /home/me/.kube/config"));
  CHECK(caught(with_origin(std::make_exception_ptr(Locked({.message = "fence", .hint = "h"})), attempted())).hint ==
        "h");
}
