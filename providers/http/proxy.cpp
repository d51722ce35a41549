#include "providers/http/proxy.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "providers/error.hpp"

namespace litedesk::http {

namespace {

using Address = std::vector<std::uint8_t>;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::optional<int> number(std::string_view text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > most) return std::nullopt;
  return value;
}

std::string_view without_brackets(std::string_view host) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  return host;
}

// Four bytes or sixteen; an IPv4 address in IPv6 form (RFC 4291, 2.5.5.2) is the IPv4 address. Empty: it is none.
Address parse_address(std::string_view text) {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const std::string name(text);
  Address four(4), sixteen(16);
  if (::inet_pton(AF_INET, name.c_str(), four.data()) == 1) return four;
  if (::inet_pton(AF_INET6, name.c_str(), sixteen.data()) != 1) return {};
  if (std::equal(mapped.begin(), mapped.end(), sixteen.begin())) return {sixteen.begin() + 12, sixteen.end()};
  return sixteen;
}

bool same_network(const Address& a, const Address& b, int bits) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; bits > 0; ++i, bits -= 8) {
    const int shift = bits >= 8 ? 0 : 8 - bits;
    if (a[i] >> shift != b[i] >> shift) return false;
  }
  return true;
}

struct HostPort {
  std::string_view host, port;
};

// "host:port", "[address]:port", or neither: a bare IPv6 address has colons, too.
HostPort split_port(std::string_view text) {
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string_view usual_port(std::string_view scheme) {
  if (scheme == "http") return "80";
  return scheme == "https" ? "443" : "1080";
}

constexpr std::array<std::string_view, 6> schemes{"http", "https", "socks5", "socks5h", "socks4", "socks4a"};

}  // namespace

Proxy parse_proxy(std::string_view text, std::string_view setting) {
  const auto refuse = [&] {
    throw UsageError({.message = fmt::format("{} is not a valid proxy URL", setting),
                      .hint = "it has the form http://HOST:PORT (or https, socks5); in a user name or password, "
                              "percent-encode / ? # and @",
                      .resource = {},
                      .cause = {}});
  };
  Proxy proxy;
  proxy.setting = setting;
  proxy.scheme = "http";
  if (const auto end = text.find("://"); end != std::string_view::npos) {
    proxy.scheme = lower(text.substr(0, end));
    text.remove_prefix(end + 3);
  }
  if (std::find(schemes.begin(), schemes.end(), proxy.scheme) == schemes.end()) refuse();
  auto authority = text.substr(0, text.find_first_of("/?#"));
  // An @ behind it: what was taken for the host is the user name, and for the port the beginning of the password.
  if (text.find('@', authority.size()) != std::string_view::npos) refuse();
  const auto at = authority.rfind('@');
  const auto user = at == std::string_view::npos ? std::string_view() : authority.substr(0, at + 1);
  auto [host, port] = split_port(authority.substr(user.size()));
  const bool odd = std::any_of(host.begin(), host.end(), [](char c) { return c <= ' ' || c == 127; });
  if (host.empty() || odd || (host.front() != '[' && host.find(':') != std::string_view::npos)) refuse();
  if (port.empty()) port = usual_port(proxy.scheme);
  if (number(port, 65535).value_or(0) == 0) refuse();
  proxy.address = fmt::format("{}:{}", host, port);
  // libcurl looks the host's address up here for "socks5", and Go leaves it to the proxy.
  if (proxy.scheme == "socks5") proxy.scheme = "socks5h";
  proxy.url = fmt::format("{}://{}{}", proxy.scheme, user, proxy.address);
  return proxy;
}

ProxySettings::ProxySettings(const std::map<std::string, std::string>& environment) {
  const auto first_of = [&](std::initializer_list<const char*> names) {
    for (const auto* name : names)
      if (const auto found = environment.find(name); found != environment.end() && !found->second.empty())
        return Variable{found->first, found->second};
    return Variable{};
  };
  https_ = first_of({"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"});
  // In a CGI program HTTP_PROXY is a header that the client sent (https://httpoxy.org).
  const bool cgi = environment.contains("REQUEST_METHOD");
  http_ = cgi ? first_of({"http_proxy", "ALL_PROXY", "all_proxy"})
              : first_of({"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"});
  const auto list = lower(first_of({"NO_PROXY", "no_proxy"}).value);
  constexpr std::string_view separators = ", \t\r\n";
  for (std::size_t begin = 0; (begin = list.find_first_not_of(separators, begin)) != std::string::npos;) {
    const auto end = std::min(list.find_first_of(separators, begin), list.size());
    add_exception(list.substr(begin, end - begin));
    begin = end;
  }
}

void ProxySettings::add_exception(std::string entry) {
  if (entry == "*") {
    none_ = true;
    return;
  }
  Exception exception;
  if (const auto slash = entry.find('/'); slash != std::string::npos) {
    const std::string_view text = std::string_view(entry).substr(0, slash);
    exception.network = parse_address(without_brackets(text));
    const bool four_as_six = exception.network.size() == 4 && text.find(':') != std::string_view::npos;
    const auto bits = number(std::string_view(entry).substr(slash + 1),
                             four_as_six ? 128 : 8 * static_cast<int>(exception.network.size()));
    if (exception.network.empty() || !bits || (four_as_six && *bits < 96)) return;
    exception.bits = four_as_six ? *bits - 96 : *bits;
    exceptions_.push_back(std::move(exception));
    return;
  }
  auto [host, port] = split_port(entry);
  exception.port = port;
  exception.network = parse_address(without_brackets(host));
  exception.bits = 8 * static_cast<int>(exception.network.size());
  if (exception.network.empty()) {
    if (host.starts_with("*.")) host.remove_prefix(1);
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty()) return;
    exception.itself = !host.starts_with('.');
    exception.domain = (exception.itself ? "." : "") + std::string(host);
  }
  exceptions_.push_back(std::move(exception));
}

bool ProxySettings::excepted(const UrlParts& url) const {
  if (none_) return true;
  auto host = without_brackets(url.host);
  if (host.ends_with('.')) host.remove_suffix(1);
  const auto address = parse_address(host);
  return std::any_of(exceptions_.begin(), exceptions_.end(), [&](const Exception& exception) {
    if (!exception.port.empty() && exception.port != url.port) return false;
    if (exception.domain.empty()) return same_network(address, exception.network, exception.bits);
    if (!address.empty()) return false;  // no name, even if it ends like one
    return host.ends_with(exception.domain) || (exception.itself && host == exception.domain.substr(1));
  });
}

std::optional<Proxy> ProxySettings::proxy_for(const UrlParts& url) const {
  const auto& variable = url.scheme == "https" ? https_ : http_;
  if (variable.value.empty() || url.loopback() || excepted(url)) return std::nullopt;
  auto proxy = parse_proxy(variable.value, variable.name);
  proxy.excepts = true;
  return proxy;
}

}  // namespace litedesk::http
