// One cluster, reached over the transport: identity in, Status errors and warnings out. Client and Watch stand on it.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "providers/http/transport.hpp"
#include "providers/kubernetes/client.hpp"
#include "providers/kubernetes/credentials.hpp"
#include "providers/kubernetes/status.hpp"

namespace litedesk::kubernetes {

// Thread-safe.
class Session {
 public:
  Session(http::Transport& transport, ClusterConfig config, ClientOptions options);

  [[nodiscard]] const ClusterConfig& config() const { return config_; }
  [[nodiscard]] const std::string& server() const { return config_.server; }
  [[nodiscard]] const system::Clock& clock() const { return *options_.clock; }
  [[nodiscard]] Attempted attempted(const std::string& summary, const std::string& resource = {},
                                    const std::string& group = {}) const;

  // Whatever status came back; a 401 is tried once more with a renewed credential. Throws as the transport does, with
  // the kubeconfig's context added, and AuthError when there are no credentials to be had.
  [[nodiscard]] http::Response send(http::Request request, std::stop_token stop);
  [[nodiscard]] std::vector<http::Result> send_all(std::vector<http::Request> requests);
  [[nodiscard]] http::Response stream(http::Request request, const http::ChunkHandler& on_chunk,
                                      std::chrono::milliseconds idle, std::stop_token stop);

  // All pages; see ObjectReader::list.
  [[nodiscard]] ObjectList list(const ResourceType& type, std::string_view name_space, const ListOptions& options,
                                std::stop_token stop);

 private:
  void prepare(http::Request& request, const Identity& identity) const;
  // Sends by `once` and, after a 401, once more with the renewed identity.
  template <class Once>
  http::Response with_identity(http::Request request, const Once& once);
  void warn(const http::Response& response);

  http::Transport& transport_;
  ClusterConfig config_;
  ClientOptions options_;
  Credentials credentials_;
  std::mutex warned_mutex_;
  std::set<std::string> warned_;
};

[[nodiscard]] inline bool is_success(const http::Response& response) {
  return response.status >= 200 && response.status < 300;
}
// The JSON object of a 2xx answer; throws what api_error or unusable_answer make of any other.
[[nodiscard]] Json parse_answer(const http::Response& response, const Attempted& attempted);

}  // namespace litedesk::kubernetes
