// TLS in front of a server that speaks none: each connection has one of its own behind it.
#pragma once

#include <memory>
#include <string>

namespace litedesk::test {

struct Certificates;

class TlsRelay {
 public:
  // Refuses clients without a certificate of `client_ca_pem`, if that is given.
  TlsRelay(int target_port, const Certificates& tls, const std::string& client_ca_pem);
  ~TlsRelay();
  [[nodiscard]] int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace litedesk::test
