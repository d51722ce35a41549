#include "providers/system/hash.hpp"

#include <cstdint>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "providers/error.hpp"

namespace litedesk::system {

namespace {

constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string encode(std::string_view data, std::string_view alphabet, bool padded) {
  std::string text;
  text.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, data.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes_of(data)[i + k] : 0u);
    for (std::size_t k = 0; k <= count; ++k) text += alphabet[group >> (18 - 6 * k) & 63];
    if (padded) text.append(3 - count, '=');
  }
  return text;
}

}  // namespace

Sha256 sha256(std::string_view data) {
  Sha256 digest{};
  if (EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
    throw Failed("libcrypto cannot compute a SHA-256 digest");
  return digest;
}

Sha256 hmac_sha256(std::span<const unsigned char> key, std::string_view data) {
  Sha256 digest{};
  // A null key would mean "the key of the call before", so an empty one needs an address too.
  const unsigned char nothing = 0;
  const unsigned char* key_bytes = key.empty() ? &nothing : key.data();
  if (HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()), bytes_of(data), data.size(), digest.data(),
           nullptr) == nullptr)
    throw Failed("libcrypto cannot compute an HMAC-SHA-256");
  return digest;
}

std::string sha256_hex(std::string_view data) {
  return to_hex(sha256(data));
}

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string base64_encode(std::string_view data) {
  return encode(data, standard_alphabet, true);
}

std::string base64url_encode(std::string_view data) {
  return encode(data, url_alphabet, false);
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string data;
  data.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  int digits = 0, padding = 0;
  bool ended = false;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (ended) return std::nullopt;
    if (c == '=') {
      ++padding;
      group <<= 6;
    } else {
      const auto value = standard_alphabet.find(c);
      if (value == std::string_view::npos || padding > 0) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    if (++digits < 4) continue;
    if (padding > 2) return std::nullopt;
    for (int k = 0; k < 3 - padding; ++k) data += static_cast<char>(group >> (16 - 8 * k) & 255);
    ended = padding > 0;
    group = 0;
    digits = padding = 0;
  }
  if (digits != 0) return std::nullopt;
  return data;
}

}  // namespace litedesk::system
