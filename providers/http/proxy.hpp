// Which proxy a request goes through.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "providers/http/url.hpp"

namespace litedesk::http {

struct Proxy {
  std::string scheme;    // "http", "https", "socks5h" ...
  std::string url;       // for libcurl, with the user and password that it may hold: never for people
  std::string address;   // "proxy.example.net:3128"
  std::string setting;   // what names it: "HTTPS_PROXY"; "proxy-url in the kubeconfig"
  bool excepts = false;  // whether NO_PROXY says where it is not used
};

// "host", "host:port" or a URL; without a scheme it is http, without a port 80, 443 (https) or 1080 (SOCKS), as in Go.
// A SOCKS5 proxy is left to find the address. Throws UsageError, which names the setting and nothing of its value.
[[nodiscard]] Proxy parse_proxy(std::string_view text, std::string_view setting);

// What the environment says, read as Go's golang.org/x/net/http/httpproxy reads it and so kubectl: HTTPS_PROXY,
// HTTP_PROXY and NO_PROXY, each before its lower-case form. Beside that, as in curl: ALL_PROXY where the scheme's own
// is not set; in NO_PROXY blanks between the entries, a name's last dot, and an IPv6 address in brackets without a
// port.
class ProxySettings {
 public:
  ProxySettings() = default;  // none
  explicit ProxySettings(const std::map<std::string, std::string>& environment);

  // Nothing: straight there, which is what always holds for this machine itself. Throws UsageError when the proxy's URL
  // is none.
  [[nodiscard]] std::optional<Proxy> proxy_for(const UrlParts& url) const;

 private:
  struct Variable {
    std::string name, value;
  };
  // An entry of NO_PROXY.
  struct Exception {
    std::vector<std::uint8_t> network;  // of an address; empty: `domain` counts
    int bits = 0;                       // how many of them must be equal
    std::string domain;                 // ".example.net"
    bool itself = false;                // "example.net" too, and not only what is below it
    std::string port;                   // empty: any
  };
  void add_exception(std::string entry);
  [[nodiscard]] bool excepted(const UrlParts& url) const;

  Variable https_, http_;
  bool none_ = false;  // NO_PROXY=*
  std::vector<Exception> exceptions_;
};

}  // namespace litedesk::http
