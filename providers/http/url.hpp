// The few things that we need to know of a URL; libcurl does the real parsing.
#pragma once

#include <string>
#include <string_view>

namespace litedesk::http {

struct UrlParts {
  std::string scheme;  // lower case: "https"
  std::string host;    // an IPv6 address with its brackets
  std::string port;    // the scheme's own where the URL names none
  std::string path;    // with its leading '/'; may be empty
  std::string query;   // without '?'

  // "https://host:port", with the port only where it is not the scheme's own.
  [[nodiscard]] std::string origin() const;
  // Whether it is this very machine: "localhost" and what ends in ".localhost" (libcurl asks no DNS for either),
  // 127.0.0.0/8 as four numbers, or [::1]. "127.example.com" is a name like any other.
  [[nodiscard]] bool loopback() const;
};

// Never fails: what is no URL gives parts that libcurl then refuses.
[[nodiscard]] UrlParts split_url(std::string_view url);
// Whether what is sent there can be read on the way: plain http to anything but this machine.
[[nodiscard]] bool is_plain_http_over_network(std::string_view url);
// Scheme, host, port and path: no user, no query, no fragment. For messages.
[[nodiscard]] std::string without_query(std::string_view url);

}  // namespace litedesk::http
