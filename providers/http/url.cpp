#include "providers/http/url.hpp"

namespace litedesk::http {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string_view default_port(std::string_view scheme) {
  if (scheme == "https") return "443";
  if (scheme == "http") return "80";
  return "";
}

bool is_loopback_address(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  int parts = 1;
  for (host.remove_prefix(4);; ++parts) {
    const auto number = host.substr(0, host.find('.'));
    if (number.empty() || number.size() > 3 || number.find_first_not_of("0123456789") != std::string_view::npos)
      return false;
    if (number.size() == host.size()) return parts == 3;
    host.remove_prefix(number.size() + 1);
  }
}

}  // namespace

UrlParts split_url(std::string_view url) {
  UrlParts parts;
  if (const auto end = url.find("://"); end != std::string_view::npos) {
    parts.scheme = lower(url.substr(0, end));
    url.remove_prefix(end + 3);
  }
  url = url.substr(0, url.find('#'));
  if (const auto mark = url.find('?'); mark != std::string_view::npos) {
    parts.query = url.substr(mark + 1);
    url = url.substr(0, mark);
  }
  std::string_view authority = url.substr(0, url.find('/'));
  parts.path = url.substr(authority.size());
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  const auto bracket = authority.rfind(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  parts.host = lower(authority.substr(0, colon));
  parts.port = colon == std::string_view::npos ? default_port(parts.scheme) : authority.substr(colon + 1);
  return parts;
}

std::string UrlParts::origin() const {
  std::string text = scheme + "://" + host;
  if (!port.empty() && port != default_port(scheme)) text += ":" + port;
  return text;
}

bool UrlParts::loopback() const {
  return host == "localhost" || host == "[::1]" || is_loopback_address(host) || host.ends_with(".localhost");
}

bool is_plain_http_over_network(std::string_view url) {
  const auto parts = split_url(url);
  return parts.scheme == "http" && !parts.loopback();
}

std::string without_query(std::string_view url) {
  const auto parts = split_url(url);
  return parts.origin() + parts.path;
}

}  // namespace litedesk::http
