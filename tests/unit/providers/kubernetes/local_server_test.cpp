// The client over the real transport, to a server of this process.
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "providers/http/client.hpp"
#include "providers/kubernetes/client.hpp"
#include "tests/unit/providers/http/servers.hpp"
#include "tests/unit/providers/kubernetes/support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using kubernetes::test::contains;
using kubernetes::test::error_of;
namespace http_test = litedesk::test;

namespace {

ClusterConfig served_by(const http_test::Server& server) {
  auto result = kubernetes::test::cluster_with_token();
  result.server = "http://127.0.0.1:" + std::to_string(server.port());
  return result;
}

http_test::Answered json(std::string body) {
  return {200, std::move(body), {}, "application/json", {}};
}

ClientOptions brief() {
  ClientOptions options;
  options.request_timeout = std::chrono::seconds(5);
  return options;
}

ObjectRef pod() {
  return {type_of("v1", "Pod"), "a", "x"};
}

}  // namespace

TEST_CASE("a token goes to a server on loopback, over plain http too") {
  std::string authorization;
  const http_test::Server server([&](const http_test::Asked& asked) {
    CHECK(asked.target == "/api/v1/namespaces/a/pods/x");
    authorization = asked.header("Authorization");
    return json(R"({"kind":"Pod","metadata":{"name":"x"}})");
  });
  http::Client transport({});
  Client client(transport, served_by(server), brief());
  CHECK(client.get(pod())->name() == "x");
  CHECK(authorization == "Bearer s3cret-token");
}

TEST_CASE("a server that is no API server is told from one where something is not there") {
  const http_test::Server server([](const http_test::Asked& asked) -> http_test::Answered {
    if (asked.target == "/api/v1") return {302, "", {{"Location", "https://login.example/"}}, "text/html", {}};
    return {asked.target == "/version" ? 200 : 404,
            "<html><head><title>Welcome to nginx!</title></head></html>",
            {},
            "text/html",
            {}};
  });
  http::Client transport({});
  Client client(transport, served_by(server), brief());
  CHECK(error_of<Unavailable>([&] { (void)client.get(pod()); }).cause() == "an HTML page: Welcome to nginx!");
  CHECK(error_of<Unavailable>([&] { (void)client.server_version(); }).cause() == "an HTML page: Welcome to nginx!");
  CHECK(
      contains(error_of<Failed>([&] { (void)client.serves(type_of("v1", "Pod")); }).cause(), "https://login.example/"));
}

TEST_CASE("a port where nobody listens is told with the context that names it") {
  auto config = kubernetes::test::cluster_with_token();
  config.server = "http://127.0.0.1:" + std::to_string(http_test::closed_port());
  http::Client transport({});
  ClientOptions options;
  options.request_timeout = std::chrono::milliseconds(500);
  Client client(transport, config, options);
  const auto error = error_of<Unavailable>([&] { (void)client.get(pod()); });
  CHECK(contains(error.hint(), config.server + " is the server of context \"production\" of /home/me/.kube/config"));
  const std::vector<ObjectRef> refs = {pod(), pod()};
  for (const auto& result : client.get_all(refs))
    CHECK_THROWS_AS(std::rethrow_exception(std::get<1>(result)), Unavailable);
}

TEST_CASE("a watch reads events out of a chunked stream and goes on when it ends") {
  int watches = 0;
  std::vector<std::string> versions;
  const http_test::Server server([&](const http_test::Asked& asked) {
    if (!contains(asked.target, "watch=")) return json(R"({"metadata":{"resourceVersion":"5"},"items":[]})");
    const auto version = asked.target.find("resourceVersion=") + std::string_view("resourceVersion=").size();
    versions.push_back(asked.target.substr(version, asked.target.find('&', version) - version));
    ++watches;
    const auto event = R"({"type":"ADDED","object":{"metadata":{"name":"pod-)" + std::to_string(watches) +
                       R"(","namespace":"a","resourceVersion":")" + std::to_string(5 + watches) + "\"}}}\n";
    auto answered = json("");
    // Cut in the middle of the event.
    answered.pieces = [event](int piece) {
      return piece == 0 ? event.substr(0, 20) : piece == 1 ? event.substr(20) : std::string();
    };
    return answered;
  });
  http::Client transport({});
  Client client(transport, served_by(server), brief());
  std::vector<std::string> names;
  client.watch(type_of("v1", "Pod"), "a", {},
               [&](const WatchEvent& event) {
                 if (event.type == EventType::added) names.push_back(event.object.name());
                 return names.size() < 3;
               },
               {});
  CHECK(names == std::vector<std::string>{"pod-1", "pod-2", "pod-3"});
  CHECK(versions == std::vector<std::string>{"5", "6", "7"});
}
