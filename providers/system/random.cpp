#include "providers/system/random.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/random.h>

#include "providers/error.hpp"

namespace litedesk::system {

namespace {

class OsRandom final : public Random {
 public:
  void fill(std::span<std::byte> bytes) override {
    while (!bytes.empty()) {
      const auto got = getrandom(bytes.data(), bytes.size(), 0);
      if (got < 0) {
        if (errno == EINTR) continue;
        throw Failed({.message = "cannot draw random bytes from the kernel",
                      .hint = {},
                      .resource = {},
                      .cause = strerror(errno)});
      }
      bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
  }
};

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view password_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

}  // namespace

std::uint64_t Random::below(std::uint64_t bound) {
  // 2^64 modulo bound: the values below it would make the small remainders likelier, so they are drawn again.
  const std::uint64_t too_small = (0 - bound) % bound;
  while (true) {
    std::uint64_t value = 0;
    fill(std::as_writable_bytes(std::span(&value, 1)));
    if (value >= too_small) return value % bound;
  }
}

Secret Random::hex(std::size_t count) {
  std::string text;
  text.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    std::byte byte{};
    fill(std::span(&byte, 1));
    text += hex_digits[std::to_integer<std::size_t>(byte >> 4)];
    text += hex_digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return Secret(std::move(text));
}

Secret Random::password(std::size_t length) {
  std::string text;
  text.reserve(length);
  while (text.size() < length) text += password_alphabet[static_cast<std::size_t>(below(password_alphabet.size()))];
  return Secret(std::move(text));
}

std::string Random::uuid() {
  std::array<std::byte, 16> bytes{};
  fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += hex_digits[std::to_integer<std::size_t>(bytes[i] >> 4)];
    text += hex_digits[std::to_integer<std::size_t>(bytes[i] & std::byte{15})];
  }
  return text;
}

Random& os_random() {
  static OsRandom random;
  return random;
}

}  // namespace litedesk::system
