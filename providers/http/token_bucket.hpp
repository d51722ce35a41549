// A token bucket: what an API allows, kept on our side so that it need not refuse.
#pragma once

#include <algorithm>
#include <chrono>

#include "providers/http/client.hpp"

namespace litedesk::http {

class TokenBucket {
 public:
  explicit TokenBucket(Bucket limits) : limits_(limits), tokens_(limits.capacity) {}

  // How long from `now` until the next request may go out. Nothing is taken.
  [[nodiscard]] std::chrono::milliseconds delay(system::SteadyPoint now) {
    if (limits_.capacity <= 0 || limits_.per_second <= 0) return std::chrono::milliseconds::zero();
    refill(now);
    if (tokens_ >= 1) return std::chrono::milliseconds::zero();
    return std::chrono::ceil<std::chrono::milliseconds>(
        std::chrono::duration<double>((1 - tokens_) / limits_.per_second));
  }
  // Takes a token, or one of the future: who comes next waits behind it.
  void take() { tokens_ -= 1; }

 private:
  void refill(system::SteadyPoint now) {
    if (filled_ != system::SteadyPoint() && now > filled_) {
      const std::chrono::duration<double> passed = now - filled_;
      tokens_ = std::min(limits_.capacity, tokens_ + passed.count() * limits_.per_second);
    }
    filled_ = std::max(filled_, now);
  }
  Bucket limits_;
  double tokens_;
  system::SteadyPoint filled_{};
};

}  // namespace litedesk::http
