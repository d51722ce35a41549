// HTTP over libcurl's multi interface: one I/O thread, HTTP/2 multiplexing, retries, token buckets, a masked trace.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "providers/http/authorities.hpp"
#include "providers/http/proxy.hpp"
#include "providers/http/transport.hpp"
#include "providers/system/clock.hpp"
#include "providers/system/random.hpp"

namespace litedesk::http {

struct Bucket {
  double capacity = 0;    // requests that may go out at once; 0: no limit
  double per_second = 0;  // refill
};

// One line of the trace; what is secret is already masked.
struct TraceEvent {
  system::TimePoint time;
  Api api = Api::other;
  std::string text;  // "> PATCH https://... apply Deployment instance-acme/backend", "< 201 in 12 ms", ...
};

struct ClientOptions {
  std::string user_agent;
  std::map<Api, Bucket> buckets;                       // missing: default_buckets()
  std::function<void(const TraceEvent&)> trace;        // called on the I/O thread, must not throw; empty: none
  bool trace_bodies = false;                           // headers and bodies too, masked
  const system::Clock* clock = &system::real_clock();  // back-off waits and the trace's times
  system::Random* random = &system::os_random();       // jitter
  bool http2 = true;
  ProxySettings proxies{};    // nothing is read from this process' environment
  Authorities authorities{};  // the same
};

// What each API allows by default (API documents: Route 53 five a second an account; Atlas 300 of 100 a minute; ...).
[[nodiscard]] std::map<Api, Bucket> default_buckets();

// Thread-safe. The destructor ends what is in flight. Request::prepare is called on the I/O thread, so it must neither
// take long nor send a request itself.
class Client : public Transport {
 public:
  explicit Client(ClientOptions options);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Response send(Request request, std::stop_token stop) override;
  std::vector<Result> send_all(std::vector<Request> requests, std::stop_token stop) override;
  Response stream(Request request, const ChunkHandler& on_chunk, std::chrono::milliseconds idle,
                  std::stop_token stop) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace litedesk::http
