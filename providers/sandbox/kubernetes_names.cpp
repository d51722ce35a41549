#include "providers/sandbox/kubernetes_names.hpp"

#include "providers/system/hash.hpp"
#include "providers/system/random.hpp"

namespace litedesk::sandbox::kube {

std::uint32_t small_hash(std::string_view seed) {
  const auto digest = system::sha256(seed);
  return static_cast<std::uint32_t>(digest[0]) << 24U | static_cast<std::uint32_t>(digest[1]) << 16U |
         static_cast<std::uint32_t>(digest[2]) << 8U | digest[3];
}

std::string random_suffix(std::string_view seed, std::size_t length) {
  constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
  const auto digest = system::sha256(seed);
  std::string suffix;
  for (std::size_t i = 0; i < length && i < digest.size(); ++i) suffix += alphabet[digest[i] % alphabet.size()];
  return suffix;
}

std::string new_uid() {
  return system::os_random().uuid();
}

bool is_base64(std::string_view text) {
  return system::base64_decode(text).has_value();
}

std::string base64(std::string_view data) {
  return system::base64_encode(data);
}

}  // namespace litedesk::sandbox::kube
