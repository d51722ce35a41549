// Which request meets which fault.
#pragma once

#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "providers/sandbox/sandbox.hpp"

namespace litedesk::sandbox {

enum class FaultKind { none, throttle, error, unavailable, reset, lost, slow, conflict };

// The faults of one API. Each fault that is given a count has one of its own, also when it is meant for all the APIs.
class Faults {
 public:
  Faults(const std::vector<Fault>& faults, std::string_view api, std::uint32_t seed);
  // What happens to the next request. `writes` is whether it changes something: a conflict meets no other.
  [[nodiscard]] FaultKind next(bool writes);

 private:
  struct Rule {
    FaultKind kind = FaultKind::none;
    double probability = 0;
    int left = 0;
  };
  std::mutex mutex_;
  std::vector<Rule> rules_;
  std::mt19937 engine_;
};

[[nodiscard]] std::string_view to_string(FaultKind kind);

}  // namespace litedesk::sandbox
