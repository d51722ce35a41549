// A server that speaks as much HTTP/2 (RFC 9113) as a test needs to misbehave with it: it answers a request with 200
// and no body, or never.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/unit/providers/http/servers.hpp"

namespace litedesk::test {

class Http2Server {
 public:
  // Whether to answer the `request`th request (from 1) of the `connection`th connection (from 1).
  using Rule = std::function<bool(int connection, int request)>;
  Http2Server(Rule answers, const Certificates& tls);
  ~Http2Server();
  [[nodiscard]] std::string url(const std::string& target = "/") const;
  [[nodiscard]] int port() const;
  [[nodiscard]] int connections() const;
  [[nodiscard]] int requests() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace litedesk::test
