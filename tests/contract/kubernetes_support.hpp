// What the contract tests of Kubernetes share: the cluster that they are given, a namespace that goes away, waits that
// end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "providers/http/client.hpp"
#include "providers/kubernetes/client.hpp"

namespace litedesk::kubernetes::contract {

// The kubeconfig of LITEDESK_TEST_KUBECONFIG; empty when unset.
[[nodiscard]] std::string test_kubeconfig();
[[nodiscard]] ClusterConfig test_cluster();
[[nodiscard]] http::Transport& transport();

// A cluster administrator in a namespace of its own.
class Cluster {
 public:
  explicit Cluster(const Json& namespace_labels = Json::object());
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  Client client;
  std::string name_space;
  std::vector<std::string> warnings;

  [[nodiscard]] ObjectRef ref(std::string_view kind, const std::string& name) const;
  [[nodiscard]] Object config_map(const std::string& name, const std::string& value = "v") const;
  // A Deployment (or a Pod) of one container with that image; its tag decides its fate.
  [[nodiscard]] Object deployment(const std::string& name, const std::string& image, int replicas = 1) const;
  [[nodiscard]] Object pod(const std::string& name, const std::string& image) const;
  // Watches until `done` says so of an event; false when half a minute has passed.
  bool wait_for(const ResourceType& type, const ListOptions& options,
                const std::function<bool(const WatchEvent&)>& done);
  bool wait_for_named(const ObjectRef& ref, const std::function<bool(const Object&)>& done);
};

// The same cluster as somebody else.
[[nodiscard]] std::unique_ptr<Client> client_as(const std::string& user);

// Passes requests on, and lets a test change them or the answers.
class Relay : public http::Transport {
 public:
  std::function<void(http::Request&)> on_request;

  http::Response send(http::Request request, std::stop_token stop) override;
  std::vector<http::Result> send_all(std::vector<http::Request> requests, std::stop_token stop) override;
  http::Response stream(http::Request request, const http::ChunkHandler& on_chunk, std::chrono::milliseconds idle,
                        std::stop_token stop) override;
};

}  // namespace litedesk::kubernetes::contract
