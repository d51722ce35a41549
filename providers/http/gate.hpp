// A Transport that stands before another and decides what may still go out: the fence of the lock, and Ctrl-C.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "providers/http/transport.hpp"
#include "providers/system/clock.hpp"

namespace litedesk::http {

// - While a fence is up, a mutating request is given a deadline no later than the fence, and is refused (Locked) after
// it. A conditional one passes: its condition is a better fence.
// - Once stopped, no request is sent any more (Cancelled), and reads and streams in flight end. What mutates and is
//   under way is waited for, so that its outcome is known: neither stop() nor the caller's own token tears it off, they
//   only keep it from being sent again. A batch with one mutating request is waited for as a whole.
// - reopen() lets requests through again, for undoing.
class Gate : public Transport {
 public:
  Gate(Transport& inner, const system::Clock& clock) : inner_(inner), clock_(clock) {}

  // The moment (steady clock) after which nothing may be changed; nothing to take the fence down.
  void set_fence(std::optional<system::SteadyPoint> end);
  void stop();
  void reopen();
  // The longest that a request may take from now on, whatever it asks for; nothing: as it asks.
  void set_patience(std::optional<std::chrono::milliseconds> longest);
  [[nodiscard]] bool stopped() const;
  // The requests that change something and have no answer yet, by their summaries; those of a batch until all of it is
  // answered.
  [[nodiscard]] std::vector<std::string> in_flight() const;

  Response send(Request request, std::stop_token stop) override;
  std::vector<Result> send_all(std::vector<Request> requests, std::stop_token stop) override;
  Response stream(Request request, const ChunkHandler& on_chunk, std::chrono::milliseconds idle,
                  std::stop_token stop) override;

 private:
  class UnderWay;
  std::optional<std::exception_ptr> admit(Request& request) const;
  [[nodiscard]] std::stop_token stopping() const;
  Transport& inner_;
  const system::Clock& clock_;
  mutable std::mutex mutex_;
  std::optional<system::SteadyPoint> fence_;
  std::optional<std::chrono::milliseconds> patience_;
  std::stop_source stop_;
  std::list<std::string> under_way_;
};

}  // namespace litedesk::http
