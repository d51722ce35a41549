// The cluster that a context is pinned to: when its identity is asked for, and what that costs.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "cli/lazy_providers.hpp"
#include "commands/registry.hpp"
#include "providers/error.hpp"

using namespace litedesk;

namespace {

// A cluster whose kube-system has the UID "one"; every object that is asked for is there.
class Cluster : public http::Transport {
 public:
  std::vector<std::string> asked;

  http::Response send(http::Request request, std::stop_token) override {
    const std::string path = request.url.substr(request.url.find('/', sizeof("https://")));
    asked.push_back(path);
    const std::string name = path.substr(path.rfind('/') + 1);
    const Json object = {{"kind", "Namespace"}, {"apiVersion", "v1"}, {"metadata", {{"name", name}, {"uid", "one"}}}};
    http::Response response;
    response.status = 200;
    response.body = object.dump();
    return response;
  }
  std::vector<http::Result> send_all(std::vector<http::Request> requests, std::stop_token stop) override {
    std::vector<http::Result> results;
    results.reserve(requests.size());
    for (http::Request& request : requests) results.emplace_back(send(std::move(request), stop));
    return results;
  }
  http::Response stream(http::Request request, const http::ChunkHandler&, std::chrono::milliseconds,
                        std::stop_token stop) override {
    return send(std::move(request), stop);
  }
};

Settings pinned_to(const std::string& cluster_id) {
  Settings settings;
  settings.context = "production";
  settings.kubernetes.cluster_id = cluster_id;
  return settings;
}

struct Pinned {
  explicit Pinned(const std::string& cluster_id) : settings(pinned_to(cluster_id)) {}
  Settings settings;
  Cluster cluster;
  cli::LazyCluster lazy{[this] {
                          kubernetes::ClusterConfig config;
                          config.server = "https://cluster.example";
                          return std::make_unique<kubernetes::Client>(cluster, config, kubernetes::ClientOptions{});
                        },
                        settings.kubernetes.cluster_id.empty()
                            ? cli::LazyCluster::Check{}
                            : [this](const std::string& id) { check_cluster(settings, id); }};
};

kubernetes::ObjectRef name_space(const std::string& name) {
  return {kubernetes::type_of("v1", "Namespace"), "", name};
}

const std::string kube_system = "/api/v1/namespaces/kube-system", acme = "/api/v1/namespaces/instance-acme";

}  // namespace

TEST_CASE("a context without a clusterId asks for no identity") {
  Pinned any("");
  CHECK(any.lazy.get(name_space("instance-acme")).has_value());
  CHECK(any.cluster.asked == std::vector<std::string>{acme});
}

TEST_CASE("the identity is asked for once, before the first object") {
  Pinned right("one");
  CHECK(right.lazy.get(name_space("instance-acme")).has_value());
  CHECK(right.lazy.get(name_space("instance-acme")).has_value());
  CHECK(right.cluster.asked == std::vector<std::string>{kube_system, acme, acme});
}

TEST_CASE("a read that brings the identity along pays nothing for it") {
  Pinned right("one");
  const std::vector<kubernetes::ObjectRef> refs{name_space("instance-acme"), name_space("kube-system")};
  CHECK(right.lazy.get_all(refs).size() == 2);
  CHECK(right.lazy.get(name_space("instance-acme")).has_value());
  CHECK(right.cluster.asked == std::vector<std::string>{acme, kube_system, acme});
}

TEST_CASE("on another cluster nothing is read, written or watched") {
  Pinned wrong("two");
  const kubernetes::Object object(Json{{"kind", "Namespace"}, {"apiVersion", "v1"}, {"metadata", {{"name", "x"}}}});
  const std::vector<kubernetes::ObjectRef> refs{name_space("instance-acme")};
  CHECK_THROWS_AS((void)wrong.lazy.get(name_space("instance-acme")), Conflict);
  CHECK_THROWS_AS((void)wrong.lazy.get(name_space("kube-system")), Conflict);
  CHECK_THROWS_AS((void)wrong.lazy.get_all(refs), Conflict);
  CHECK_THROWS_AS((void)wrong.lazy.list(kubernetes::type_of("v1", "Namespace"), "", {}), Conflict);
  CHECK_THROWS_AS((void)wrong.lazy.apply(object, {}), Conflict);
  CHECK_THROWS_AS((void)wrong.lazy.apply_all({&object, 1}, {}), Conflict);
  CHECK_THROWS_AS((void)wrong.lazy.create(object), Conflict);
  CHECK_THROWS_AS((void)wrong.lazy.merge_patch(name_space("x"), Json::object()), Conflict);
  CHECK_THROWS_AS((void)wrong.lazy.remove(name_space("x"), {}), Conflict);
  CHECK_THROWS_AS((void)wrong.lazy.logs("x", "y", {}), Conflict);
  CHECK_THROWS_AS(wrong.lazy.watch(kubernetes::type_of("v1", "Namespace"), "", {},
                                   [](const kubernetes::WatchEvent&) { return false; }, {}),
                  Conflict);
  for (const std::string& path : wrong.cluster.asked) CHECK(path == kube_system);
  try {
    (void)wrong.lazy.get(name_space("instance-acme"));
  } catch (const Conflict& error) {
    CHECK(error.message() == "context production is pinned to cluster two, and this is cluster one");
  }
}
