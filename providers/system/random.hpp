// Randomness from the operating system's generator (getrandom(2)).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "providers/system/secret.hpp"

namespace litedesk::system {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> bytes) = 0;
  // Uniform in [0, bound), without modulo bias. bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // `count` random bytes in lower-case hex: 2 * count characters.
  [[nodiscard]] Secret hex(std::size_t count);
  // `length` characters from A-Z a-z 0-9, each equally likely: log2(62) = 5.95 bits a character.
  [[nodiscard]] Secret password(std::size_t length);
  // A version 4 UUID (RFC 9562) in text.
  [[nodiscard]] std::string uuid();
};

// The OS generator. Throws Failed when the kernel gives nothing.
[[nodiscard]] Random& os_random();

}  // namespace litedesk::system
