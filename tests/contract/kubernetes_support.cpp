#include "tests/contract/kubernetes_support.hpp"

#include <thread>

#include "providers/error.hpp"
#include "providers/system/random.hpp"
#include "tests/contract/contract.hpp"

namespace litedesk::kubernetes::contract {

namespace {

constexpr std::chrono::seconds patience{30};

ClientOptions options(std::vector<std::string>& warnings) {
  ClientOptions result;
  result.on_warning = [&warnings](const std::string& text) { warnings.push_back(text); };
  return result;
}

Json container(const std::string& image) {
  return {{"name", "main"}, {"image", image}};
}

}  // namespace

std::string test_kubeconfig() {
  return litedesk::test::variable("LITEDESK_TEST_KUBECONFIG");
}

ClusterConfig test_cluster() {
  KubeconfigQuery query;
  query.kubeconfig_flag = test_kubeconfig();
  return load_cluster_config(query);
}

http::Transport& transport() {
  static http::Client client([] {
    http::ClientOptions result;
    result.user_agent = "litedesk-contract-tests";
    return result;
  }());
  return client;
}

Cluster::Cluster(const Json& namespace_labels)
    : client(transport(), test_cluster(), options(warnings)),
      name_space("litedesk-test-" + std::string(system::os_random().hex(4).reveal())) {
  client.apply(Object(Json{{"apiVersion", "v1"},
                           {"kind", "Namespace"},
                           {"metadata", {{"name", name_space}, {"labels", namespace_labels}}}}),
               {});
}

Cluster::~Cluster() {
  try {
    client.remove({type_of("v1", "Namespace"), "", name_space}, {});
  } catch (const Error&) {
    // The cluster is thrown away after the tests; what failed has been told by the test itself.
  }
}

ObjectRef Cluster::ref(std::string_view kind, const std::string& name) const {
  return {*find_type(kind), name_space, name};
}

Object Cluster::config_map(const std::string& name, const std::string& value) const {
  return Object(Json{{"apiVersion", "v1"},
                     {"kind", "ConfigMap"},
                     {"metadata", {{"name", name}, {"namespace", name_space}}},
                     {"data", {{"key", value}}}});
}

Object Cluster::deployment(const std::string& name, const std::string& image, int replicas) const {
  const Json labels = {{"app", name}};
  return Object(
      Json{{"apiVersion", "apps/v1"},
           {"kind", "Deployment"},
           {"metadata", {{"name", name}, {"namespace", name_space}, {"labels", labels}}},
           {"spec",
            {{"replicas", replicas},
             {"selector", {{"matchLabels", labels}}},
             {"template",
              {{"metadata", {{"labels", labels}}}, {"spec", {{"containers", Json::array({container(image)})}}}}}}}});
}

Object Cluster::pod(const std::string& name, const std::string& image) const {
  return Object(Json{{"apiVersion", "v1"},
                     {"kind", "Pod"},
                     {"metadata", {{"name", name}, {"namespace", name_space}}},
                     {"spec", {{"containers", Json::array({container(image)})}}}});
}

bool Cluster::wait_for(const ResourceType& type, const ListOptions& list_options,
                       const std::function<bool(const WatchEvent&)>& done) {
  bool met = false;
  std::stop_source end;
  const std::jthread timer([&end](const std::stop_token& cancelled) {
    if (system::real_clock().wait(patience, cancelled)) end.request_stop();
  });
  client.watch(
      type, name_space, list_options, [&](const WatchEvent& event) { return !(met = done(event)); }, end.get_token());
  return met;
}

bool Cluster::wait_for_named(const ObjectRef& ref, const std::function<bool(const Object&)>& done) {
  ListOptions only;
  only.field_selector = "metadata.name=" + ref.name;
  return wait_for(ref.type, only, [&](const WatchEvent& event) {
    return (event.type == EventType::added || event.type == EventType::modified) && done(event.object);
  });
}

std::unique_ptr<Client> client_as(const std::string& user) {
  auto config = test_cluster();
  config.impersonation = {{"Impersonate-User", user}};
  return std::make_unique<Client>(transport(), config, ClientOptions{});
}

http::Response Relay::send(http::Request request, std::stop_token stop) {
  if (on_request) on_request(request);
  return transport().send(std::move(request), std::move(stop));
}

std::vector<http::Result> Relay::send_all(std::vector<http::Request> requests, std::stop_token stop) {
  for (auto& request : requests)
    if (on_request) on_request(request);
  return transport().send_all(std::move(requests), std::move(stop));
}

http::Response Relay::stream(http::Request request, const http::ChunkHandler& on_chunk, std::chrono::milliseconds idle,
                             std::stop_token stop) {
  if (on_request) on_request(request);
  return transport().stream(std::move(request), on_chunk, idle, std::move(stop));
}

}  // namespace litedesk::kubernetes::contract
