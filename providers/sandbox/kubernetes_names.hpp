// Names that the cluster makes up. They follow from their seed, so that a sandbox can be replayed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace litedesk::sandbox::kube {

[[nodiscard]] std::uint32_t small_hash(std::string_view seed);
// Five (or so many) characters of the alphabet that Kubernetes draws suffixes from: no vowels, no 0, 1 and 3.
[[nodiscard]] std::string random_suffix(std::string_view seed, std::size_t length = 5);
[[nodiscard]] std::string new_uid();
[[nodiscard]] std::string base64(std::string_view data);
[[nodiscard]] bool is_base64(std::string_view text);

}  // namespace litedesk::sandbox::kube
