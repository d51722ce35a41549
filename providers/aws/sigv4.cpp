#include "providers/aws/sigv4.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "providers/error.hpp"
#include "providers/system/hash.hpp"

namespace litedesk::aws {

namespace {

struct Target {
  std::string host, path, query;
};

Target split(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) throw Failed("cannot sign a request: its URL has no scheme");
  const auto scheme = url.substr(0, scheme_end);
  auto rest = url.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  Target target;
  if (const auto query = rest.find('?'); query != std::string_view::npos) {
    target.query = rest.substr(query + 1);
    rest = rest.substr(0, query);
  }
  const auto slash = std::min(rest.find('/'), rest.size());
  target.host = rest.substr(0, slash);
  target.path = rest.substr(slash);
  const std::string_view default_port = scheme == "https" ? ":443" : ":80";
  if (target.host.ends_with(default_port)) target.host.resize(target.host.size() - default_port.size());
  return target;
}

// Dot segments and empty ones go, as every service but S3 has it; then each segment is encoded, once more than it was
// sent.
std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> segments;
  const bool folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto segment = path.substr(0, end);
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  std::string result;
  for (const auto segment : segments) result += "/" + http::percent_encode(segment);
  if (folder || result.empty()) result += '/';
  return result;
}

std::string percent_decode(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      result += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (parameter.empty()) continue;
    const auto equals = std::min(parameter.find('='), parameter.size());
    const auto value = equals < parameter.size() ? parameter.substr(equals + 1) : std::string_view();
    parameters.emplace_back(http::percent_encode(percent_decode(parameter.substr(0, equals))),
                            http::percent_encode(percent_decode(value)));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string result;
  for (const auto& [name, value] : parameters) result += (result.empty() ? "" : "&") + name + "=" + value;
  return result;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

// Trimmed, and inner runs of blanks made one.
std::string canonical_value(std::string_view value) {
  std::string result;
  bool blank = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      blank = true;
      continue;
    }
    if (blank && !result.empty()) result += ' ';
    blank = false;
    result += c;
  }
  return result;
}

// What must be signed and nothing else: a proxy or the HTTP library may touch the other headers.
std::map<std::string, std::string> signed_headers(const http::Request& request, const std::string& host) {
  std::map<std::string, std::string> headers;
  for (const auto& header : request.headers) {
    const auto name = lower(header.name);
    if (name != "host" && name != "content-type" && name != "content-md5" && !name.starts_with("x-amz-")) continue;
    auto& value = headers[name];
    if (!value.empty()) value += ',';
    value += canonical_value(header.value);
  }
  headers.try_emplace("host", host);
  return headers;
}

std::string basic_time(system::TimePoint now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  const auto length = std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  return {text, length};
}

system::Sha256 signing_key(const Credentials& credentials, std::string_view date, const SigningScope& scope) {
  std::string start = "AWS4" + std::string(credentials.secret_access_key.reveal());
  auto key = system::hmac_sha256({reinterpret_cast<const unsigned char*>(start.data()), start.size()}, date);
  wipe(start);
  key = system::hmac_sha256(key, scope.region);
  key = system::hmac_sha256(key, scope.service);
  return system::hmac_sha256(key, "aws4_request");
}

void set_header(http::Request& request, std::string name, std::string value) {
  std::erase_if(request.headers, [&](const http::Header& header) { return lower(header.name) == name; });
  if (!value.empty()) request.headers.push_back({std::move(name), std::move(value)});
}

}  // namespace

Signature compute_signature(const http::Request& request, const Credentials& credentials, const SigningScope& scope) {
  const std::string time(http::find(request.headers, "x-amz-date"));
  if (time.size() != 16) throw Failed("cannot sign a request: it has no x-amz-date header of 16 characters");
  const auto date = time.substr(0, 8);
  const auto target = split(request.url);
  const auto headers = signed_headers(request, target.host);

  std::string header_lines, names;
  for (const auto& [name, value] : headers) {
    header_lines += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  Signature result;
  result.canonical_request = std::string(http::to_string(request.method)) + "\n" + canonical_path(target.path) + "\n" +
                             canonical_query(target.query) + "\n" + header_lines + "\n" + names + "\n" +
                             system::sha256_hex(request.body);
  result.canonical_request_hash = system::sha256_hex(result.canonical_request);

  const auto credential_scope = date + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const auto to_sign = "AWS4-HMAC-SHA256\n" + time + "\n" + credential_scope + "\n" + result.canonical_request_hash;
  result.signature = system::to_hex(system::hmac_sha256(signing_key(credentials, date, scope), to_sign));
  result.authorization = "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id + "/" + credential_scope +
                         ", SignedHeaders=" + names + ", Signature=" + result.signature;
  return result;
}

void sign(http::Request& request, const Credentials& credentials, const SigningScope& scope, system::TimePoint now) {
  set_header(request, "x-amz-date", basic_time(now));
  set_header(request, "x-amz-security-token", std::string(credentials.session_token.reveal()));
  set_header(request, "authorization", compute_signature(request, credentials, scope).authorization);
}

}  // namespace litedesk::aws
