// Digests over OpenSSL's libcrypto, and the two text encodings that go with them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace litedesk::system {

using Sha256 = std::array<unsigned char, 32>;

[[nodiscard]] Sha256 sha256(std::string_view data);
[[nodiscard]] Sha256 hmac_sha256(std::span<const unsigned char> key, std::string_view data);
[[nodiscard]] std::string sha256_hex(std::string_view data);
[[nodiscard]] std::string to_hex(std::span<const unsigned char> bytes);
// RFC 4648 section 4, padded.
[[nodiscard]] std::string base64_encode(std::string_view data);
// RFC 4648 section 4; white space is skipped. Nothing when the text is none.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);
// RFC 4648 section 5, not padded.
[[nodiscard]] std::string base64url_encode(std::string_view data);

}  // namespace litedesk::system
