// One HTTP/1.1 server on loopback around one stand-in.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "providers/sandbox/api.hpp"
#include "providers/sandbox/faults.hpp"

namespace litedesk::sandbox {

struct ServerOptions {
  std::string name;  // "route53": in the lines of requests and in messages
  int port = 0;      // 0: a free one
  std::function<void(const std::string&)> on_request;
  const system::Clock* clock = &system::real_clock();
  // 413 above it. Far above the APIs' own limits, which each of them checks: only what would fill the memory.
  std::size_t largest_body = std::size_t{64} * 1024 * 1024;
  // A bearer token that may stand first in the path instead, "/TOKEN/api/v1": clients of Kubernetes' Go library send no
  // credentials over plain HTTP. It is taken out, so that it is in no line of requests. Empty: none may.
  std::string token_in_path = {};
};

class Server {
 public:
  // Serves when it returns. Throws Failed when the port cannot be had.
  Server(Api& api, Faults& faults, ServerOptions options);
  // Ends open answers and connections. Quick, as long as a streamed reply returns often.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] int port() const;
  // Begins to stop, without waiting for the end: several servers then stop at the same time.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace litedesk::sandbox
