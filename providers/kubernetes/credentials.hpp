// Puts into a request what shows the API server who we are.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "providers/http/transport.hpp"
#include "providers/kubernetes/exec_credential.hpp"
#include "providers/kubernetes/kubeconfig.hpp"

namespace litedesk::kubernetes {

// What one request is sent with.
struct Identity {
  http::Headers headers;  // Authorization (or none) and Impersonate-*
  std::shared_ptr<const http::Tls> tls;
  Secret token;                        // the one in `headers`, to tell a renewed one from it
  std::optional<ExecCredential> exec;  // where it came from, if from a plugin
};

// Thread-safe.
class Credentials {
 public:
  Credentials(const ClusterConfig& config, ExecOptions options);

  [[nodiscard]] Identity current();
  // After a 401 to a request with `refused`: another identity that is worth a second try; nothing when there is none.
  [[nodiscard]] std::optional<Identity> renewed(const Identity& refused);
  // Credentials there are, and they stay here: the server is reached by plain http over a network.
  [[nodiscard]] bool withheld() const { return withheld_; }

 private:
  [[nodiscard]] Identity identity_of(const ExecCredential& credential);
  [[nodiscard]] Identity with_token(Secret token) const;
  [[nodiscard]] Secret read_token_file();

  ClusterConfig config_;
  std::shared_ptr<const http::Tls> tls_;
  std::unique_ptr<ExecCredentials> exec_;
  bool withheld_ = false;
  std::mutex mutex_;
  Secret file_token_;                          // as last read
  std::shared_ptr<const http::Tls> exec_tls_;  // with the plugin's certificate; the same pointer while it is the same
};

}  // namespace litedesk::kubernetes
