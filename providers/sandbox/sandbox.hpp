// The embedded stand-ins for the three APIs: real HTTP servers on loopback, inside the process, on one SQLite file.
// Nothing here includes the clients (providers/kubernetes, aws, atlas): a bug shared by both sides would cancel out.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "providers/system/clock.hpp"

namespace litedesk::sandbox {

// --fault API:KIND:PROBABILITY-or-COUNT. API: kubernetes | atlas | route53 | all. KIND: throttle (the API's own way of
// saying so), error (500), unavailable (503), reset (the connection is closed before an answer), lost (the request
// takes effect and the answer is lost), slow (2 s late), conflict (409 for a write to kubernetes,
// PriorRequestNotComplete for one to route53). A value with a dot is a probability (0.3), without one a count: the
// first N requests that mutate or read.
struct Fault {
  std::string api;
  std::string kind;
  double probability = 0;
  int count = 0;
};
// Throws UsageError that lists what is possible.
[[nodiscard]] Fault parse_fault(std::string_view text);
// Every "API:KIND:" that parse_fault() takes, and the kinds alone.
[[nodiscard]] std::vector<std::string> fault_forms();
[[nodiscard]] std::vector<std::string> fault_kinds();

struct Options {
  std::filesystem::path folder = {};  // holds state.db (0600 in 0700)
  std::vector<Fault> faults = {};
  std::function<void(const std::string&)> on_request = {};  // one line a request; may be empty
  const system::Clock* clock = &system::real_clock();
  double time_scale = 1.0;  // 0: rollouts, INSYNC, cluster changes are there at once; 1: as below
  int port_base = 0;        // 0: free ports
  // What a new sandbox holds.
  std::string domain = "litedesk.com";
};

struct Endpoints {
  std::string kubernetes_url;  // "http://127.0.0.1:41001"
  std::string route53_url;
  std::string atlas_url;
  std::string kubernetes_token;  // bearer token that the API takes
  std::string aws_access_key_id, aws_secret_access_key, aws_region;
  std::string zone_id;                                             // the hosted zone of Options::domain
  std::string atlas_project, atlas_public_key, atlas_private_key;  // digest
  std::string atlas_client_id, atlas_client_secret;                // service account
  std::string atlas_cluster;                                       // "crm"
  std::string load_balancer;                                       // the ingress controller's external host name
  std::string ingress_url;  // where it is really reached, without TLS; the Host header says which instance
};

class Sandbox {
 public:
  // Opens or makes the state and serves; returns once all answer. Throws Failed (port taken, folder not
  // writable).
  explicit Sandbox(Options options);
  ~Sandbox();  // stops serving
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  [[nodiscard]] const Endpoints& endpoints() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The text of a kubeconfig for the endpoints, so that kubectl can use it: with the token, and with it in the server's
// path, since kubectl sends no token over plain HTTP.
[[nodiscard]] std::string kubeconfig(const Endpoints& endpoints);
// Forgets everything in the folder. Returns false when there was nothing.
bool reset(const std::filesystem::path& folder);

// Whether there is a state in the folder, readable or not.
[[nodiscard]] bool has_state(const std::filesystem::path& folder);

struct Contents {  // for `sandbox status`
  bool exists = false;
  std::map<std::string, std::int64_t> counts;  // "namespaces", "records", "database users", ...
  std::string folder;
};
[[nodiscard]] Contents contents(const std::filesystem::path& folder);

}  // namespace litedesk::sandbox
