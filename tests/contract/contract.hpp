// What the contract tests share: where the peer is, and a loud word when there is none.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace litedesk::test {

// CTest's SKIP_RETURN_CODE for these tests.
inline constexpr int skipped = 77;

inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Tests write and delete: only ever on this machine.
inline bool is_loopback(const std::string& url) {
  return url.starts_with("http://127.0.0.1:") || url.starts_with("http://localhost:");
}

inline int skip(const char* test, const std::string& why) {
  std::fprintf(stderr, "SKIPPED %s: %s\n", test, why.c_str());
  return skipped;
}

}  // namespace litedesk::test
