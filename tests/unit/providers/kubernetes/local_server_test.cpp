// The client over the real transport, to a server of this process.
#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>
#include <httplib.h>

#include "providers/http/client.hpp"
#include "providers/kubernetes/client.hpp"
#include "tests/unit/providers/kubernetes/support.hpp"

using namespace litedesk;
using namespace litedesk::kubernetes;
using kubernetes::test::contains;
using kubernetes::test::error_of;

namespace {

class LocalServer {
 public:
  httplib::Server server;

  void start() {
    port_ = server.bind_to_any_port("127.0.0.1");
    thread_ = std::jthread([this] { server.listen_after_bind(); });
    // stop() does nothing to a server that does not run yet.
    for (int i = 0; i < 5000 && !server.is_running(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~LocalServer() { server.stop(); }

  [[nodiscard]] ClusterConfig config() const {
    auto result = test::cluster_with_token();
    result.server = "http://127.0.0.1:" + std::to_string(port_);
    return result;
  }

 private:
  int port_ = 0;
  std::jthread thread_;
};

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
  LocalServer local;
  std::string authorization;
  local.server.Get("/api/v1/namespaces/a/pods/x", [&](const httplib::Request& request, httplib::Response& response) {
    authorization = request.get_header_value("Authorization");
    response.set_content(R"({"kind":"Pod","metadata":{"name":"x"}})", "application/json");
  });
  local.start();
  http::Client transport({});
  Client client(transport, local.config(), brief());
  CHECK(client.get(pod())->name() == "x");
  CHECK(authorization == "Bearer s3cret-token");
}

TEST_CASE("a server that is no API server is told from one where something is not there") {
  LocalServer local;
  local.server.Get(".*", [](const httplib::Request& request, httplib::Response& response) {
    if (request.path == "/api/v1") {
      response.status = 302;
      response.set_header("Location", "https://login.example/");
      return;
    }
    response.status = request.path == "/version" ? 200 : 404;
    response.set_content("<html><head><title>Welcome to nginx!</title></head></html>", "text/html");
  });
  local.start();
  http::Client transport({});
  Client client(transport, local.config(), brief());
  CHECK(error_of<Unavailable>([&] { (void)client.get(pod()); }).cause() == "an HTML page: Welcome to nginx!");
  CHECK(error_of<Unavailable>([&] { (void)client.server_version(); }).cause() == "an HTML page: Welcome to nginx!");
  CHECK(
      contains(error_of<Failed>([&] { (void)client.serves(type_of("v1", "Pod")); }).cause(), "https://login.example/"));
}

TEST_CASE("a port where nobody listens is told with the context that names it") {
  auto config = test::cluster_with_token();
  {
    LocalServer local;
    local.start();
    config = local.config();
  }
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
  LocalServer local;
  std::atomic<int> watches{0};
  std::vector<std::string> versions;
  local.server.Get("/api/v1/namespaces/a/pods", [&](const httplib::Request& request, httplib::Response& response) {
    if (!request.has_param("watch")) {
      response.set_content(R"({"metadata":{"resourceVersion":"5"},"items":[]})", "application/json");
      return;
    }
    versions.push_back(request.get_param_value("resourceVersion"));
    const auto number = ++watches;
    response.set_chunked_content_provider("application/json", [number](std::size_t, httplib::DataSink& sink) {
      const auto event = R"({"type":"ADDED","object":{"metadata":{"name":"pod-)" + std::to_string(number) +
                         R"(","namespace":"a","resourceVersion":")" + std::to_string(5 + number) + "\"}}}\n";
      // Cut in the middle of the event.
      const bool written = sink.write(event.data(), 20) && sink.write(event.data() + 20, event.size() - 20);
      sink.done();
      return written;
    });
  });
  local.start();
  http::Client transport({});
  Client client(transport, local.config(), brief());
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
