#include "commands/application_check.hpp"

#include <deque>

#include <doctest/doctest.h>

#include "fake_world.hpp"
#include "providers/error.hpp"

using namespace litedesk;

namespace {

http::Response answer(int status, const std::string& type = "text/html", const std::string& body = "") {
  return {.status = status, .headers = {{"Content-Type", type}}, .body = body};
}

// Answers in turn, the last one for ever; remembers what it was asked.
struct Outside : testing::NoProviders {
  std::deque<std::function<http::Response()>> answers;
  std::vector<http::Request> asked;

  http::Response send(http::Request request, std::stop_token) override {
    asked.push_back(std::move(request));
    auto next = answers.front();
    if (answers.size() > 1) answers.pop_front();
    return next();
  }
  void will(std::function<http::Response()> next) { answers.push_back(std::move(next)); }
  void will(http::Response next) {
    answers.push_back([next] { return next; });
  }
};

struct Fixture : testing::FakeWorld<Outside> {
  ApplicationAnswer prove(bool required = false, int seconds = 600) {
    return prove_it_serves(world, "acme.litedesk.com",
                           {"a1b2.elb.amazonaws.com", required, std::chrono::milliseconds(seconds * 1000)}, {});
  }
  Outside& outside() { return providers; }
};

http::Response refused() {
  throw Unavailable({.message = "cannot connect", .hint = {}, .resource = {}, .cause = "Connection refused"});
}
http::Response another_certificate() {
  throw http::CertificateError("the certificate of https://acme.litedesk.com is for another name");
}

}  // namespace

TEST_CASE("what an answer to a login that nobody has says of the application") {
  const auto profile = load_profile(templates::Files(), "litedesk");
  const auto judge = [&](const http::Response& response) {
    return judge_answer(*profile.check, "acme.litedesk.com", response);
  };
  CHECK(judge(answer(401, "application/json; charset=utf-8")).serving == Serving::yes);
  auto found = judge(answer(500, "text/html; charset=utf-8", "<html>Not allowed by CORS</html>"));
  CHECK(found.serving == Serving::no);
  CHECK(found.message ==
        "it refuses its own pages (500): https://acme.litedesk.com must be among the origins that its "
        "environment allows");
  found = judge(
      answer(500, "application/json", R"({"message":"Server error.","error":"not authorized on litedesk_master"})"));
  CHECK(found.serving == Serving::no);
  CHECK(found.message.starts_with(
      "it cannot use its database (500: Server error. not authorized on litedesk_master): check that"));
  for (const int status : {404, 502, 503, 504}) CHECK(judge(answer(status)).serving == Serving::not_yet);
  CHECK(judge(answer(429)).serving == Serving::unknown);
  for (const int status : {200, 302, 403, 405, 413}) {
    found = judge(answer(status));
    CHECK(found.serving == Serving::no);
    CHECK(found.message.starts_with("it answers " + std::to_string(status)));
  }
}

TEST_CASE("it is asked as a customer's browser would ask, at the load balancer itself") {
  Fixture f;
  f.outside().will(answer(401));
  CHECK(f.prove().serving == Serving::yes);
  REQUIRE(f.outside().asked.size() == 1);
  auto request = f.outside().asked.front();
  CHECK(request.url == "https://acme.litedesk.com/api/auth/login");
  CHECK(request.connect_to == "a1b2.elb.amazonaws.com:443");
  CHECK(http::find(request.headers, "Origin") == "https://acme.litedesk.com");
  CHECK(request.body == R"({"email":"nobody@acme.litedesk.com","password":"unknown"})");
  CHECK_FALSE(http::mutates(request));
  CHECK(request.repeat == http::Repeat::unsafe);
  f.settings.kubernetes.load_balancer_connect = "127.0.0.1:8443";
  CHECK(f.prove().serving == Serving::yes);
  CHECK(f.outside().asked.back().connect_to == "127.0.0.1:8443");
  f.settings.kubernetes.load_balancer_connect = "http://127.0.0.1:8080";
  CHECK(f.prove().serving == Serving::yes);
  request = f.outside().asked.back();
  CHECK(request.url == "http://127.0.0.1:8080/api/auth/login");
  CHECK(request.connect_to.empty());
  CHECK(http::find(request.headers, "Host") == "acme.litedesk.com");
}

TEST_CASE("what is on its way is waited for, and then told") {
  Fixture f;
  f.outside().will(answer(404));
  f.outside().will(another_certificate);
  f.outside().will(answer(503));
  f.outside().will(answer(401));
  const auto begin = f.clock.steady();
  CHECK(f.prove().serving == Serving::yes);
  CHECK(f.outside().asked.size() == 4);
  CHECK(f.clock.steady() - begin >= std::chrono::seconds(6));
  f.outside().answers.clear();
  f.outside().will(answer(503));
  const auto late = f.prove(false, 60);
  CHECK(late.serving == Serving::not_yet);
  CHECK(late.message == "the ingress reaches no pod of the application (503)");
}

TEST_CASE("a certificate that stays another's is a failure after half a minute, not after the whole time-out") {
  Fixture f;
  f.outside().will(another_certificate);
  const auto begin = f.clock.steady();
  const auto found = f.prove();
  CHECK(found.serving == Serving::no);
  CHECK(found.message == "the certificate of https://acme.litedesk.com is for another name");
  CHECK(f.clock.steady() - begin >= std::chrono::seconds(30));
  CHECK(f.clock.steady() - begin < std::chrono::seconds(40));
}

TEST_CASE("the application counts logins: it is asked three times at most") {
  Fixture f;
  f.outside().will(answer(500, "application/json"));
  CHECK(f.prove().serving == Serving::no);
  CHECK(f.outside().asked.size() == 3);
  f.outside().asked.clear();
  f.outside().answers.clear();
  f.outside().will(answer(500, "application/json"));
  f.outside().will(answer(401));
  CHECK(f.prove().serving == Serving::yes);
  CHECK(f.outside().asked.size() == 2);
}

TEST_CASE("where nobody answers it is not known, unless it is required") {
  Fixture f;
  f.outside().will(refused);
  auto found = f.prove();
  CHECK(found.serving == Serving::unknown);
  CHECK(found.message == "nobody answers at acme.litedesk.com from this machine: Connection refused");
  CHECK(f.outside().asked.size() == 1);
  found = f.prove(true, 20);
  CHECK(found.serving == Serving::unknown);
  CHECK(f.outside().asked.size() > 5);
  f.outside().answers.clear();
  f.outside().will(refused);
  f.outside().will(answer(401));
  CHECK(f.prove(true).serving == Serving::yes);
  f.profile.check.reset();
  const auto asked = f.outside().asked.size();
  CHECK(f.prove(true).message == "profile litedesk says no way to ask it");
  CHECK(f.outside().asked.size() == asked);
}
