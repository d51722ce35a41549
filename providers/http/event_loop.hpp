// The I/O thread: it owns libcurl's multi handle, and alone touches it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "providers/http/client.hpp"
#include "providers/http/failure.hpp"
#include "providers/http/token_bucket.hpp"
#include "providers/http/transfer.hpp"

namespace litedesk::http {

class EventLoop {
 public:
  explicit EventLoop(ClientOptions options);
  // Ends what is in flight (Cancelled) and joins the thread.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Thread-safe. Each transfer ends in exactly one Transfer::finish on the I/O thread.
  void submit(const std::vector<std::shared_ptr<Transfer>>& transfers);
  void cancel(const std::vector<std::shared_ptr<Transfer>>& transfers);
  // Looks at the transfers' tokens again.
  void wake();
  [[nodiscard]] bool on_io_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  using Steady = std::chrono::steady_clock::time_point;
  using Shared = std::shared_ptr<Transfer>;

  struct Host {
    int running = 0;
    bool reached = false;      // it has answered
    bool multiplexes = false;  // over HTTP/2
    // Raised when a request that went out got no answer in time: those that begin later use a new connection.
    unsigned generation = 0;
  };
  // Handles that know a server's nonce: the next request with the same credentials is authenticated at once.
  struct DigestHandles {
    std::string origin, username;
    Secret password;
    std::vector<CURL*> idle;
  };

  void run();
  void take_inbox();
  void start_due();
  bool hold_back(Transfer& transfer, Steady now);
  void start(const Shared& transfer);
  bool collect();  // whether anything ended
  void complete(const Shared& transfer, CURLcode code);
  void decide(const Shared& transfer, Failure failure);
  void finish(const Shared& transfer, Result result);
  void detach(Transfer& transfer);
  void give_up(const Shared& transfer);
  void distrust_connection(const Transfer& transfer);
  [[nodiscard]] int poll_timeout() const;

  CURL* take_handle(const Transfer& transfer);
  void return_handle(Transfer& transfer);
  DigestHandles& digest_handles(const Transfer& transfer);

  TokenBucket& bucket_of(Api api);
  CurlReport report_of(const Transfer& transfer, CURLcode code) const;
  void trace(const Transfer& transfer, std::string text) const;
  void trace_request(const Transfer& transfer) const;
  void trace_response(const Transfer& transfer) const;

  ClientOptions options_;
  CURLM* multi_;

  std::mutex mutex_;  // guards the inbox
  std::vector<Shared> submitted_, cancelled_;
  bool quitting_ = false;

  std::vector<Shared> waiting_;  // in the order in which they came
  std::map<const Transfer*, Shared> running_;
  std::map<std::string, Host> hosts_;
  std::map<Api, TokenBucket> buckets_;
  std::vector<CURL*> idle_handles_;
  std::vector<DigestHandles> digest_;
  std::uint64_t last_id_ = 0;
  std::uint64_t moved_ = 0;  // counts what transfers began, sent and received
  std::thread thread_;
};

}  // namespace litedesk::http
