#include "providers/sandbox/route53_signature.hpp"

#include <algorithm>
#include <ctime>
#include <map>
#include <span>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "providers/system/hash.hpp"

namespace litedesk::sandbox::route53 {

namespace {

constexpr std::chrono::minutes allowed_skew{5};
constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

[[noreturn]] void mismatch(std::string message) {
  throw Refusal{403, "SignatureDoesNotMatch", std::move(message)};
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(trimmed(text.substr(0, at)));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                            c == '_' || c == '.' || c == '~';
    if (unreserved)
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

// Dot segments resolved, then each segment encoded once more than it was sent.
std::string canonical_path(std::string_view path) {
  std::vector<std::string> kept;
  for (const auto& segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
      continue;
    }
    kept.push_back(segment);
  }
  std::string canonical;
  for (const auto& segment : kept) canonical += "/" + encode(segment);
  if (canonical.empty() || path.ends_with('/')) canonical += '/';
  return canonical;
}

std::string canonical_query(const Call& call) {
  const auto mark = call.target.find('?');
  std::vector<std::pair<std::string, std::string>> pairs;
  if (mark != std::string::npos) {
    for (const auto& piece : split(std::string_view(call.target).substr(mark + 1), '&')) {
      if (piece.empty()) continue;
      const auto equals = std::min(piece.find('='), piece.size());
      const auto value = equals < piece.size() ? piece.substr(equals + 1) : std::string();
      pairs.emplace_back(encode(percent_decode(piece.substr(0, equals))), encode(percent_decode(value)));
    }
  }
  std::sort(pairs.begin(), pairs.end());
  std::string canonical;
  for (const auto& [name, value] : pairs) canonical += (canonical.empty() ? "" : "&") + name + "=" + value;
  return canonical;
}

std::string canonical_value(const Call& call, const std::string& name) {
  std::string joined;
  const auto [begin, end] = call.headers.equal_range(name);
  for (auto at = begin; at != end; ++at) {
    if (at != begin) joined += ',';
    bool blank = false;
    for (const char c : trimmed(at->second)) {
      if (c == ' ' && blank) continue;
      blank = c == ' ';
      joined += c;
    }
  }
  return joined;
}

struct Authorization {
  std::string access_key_id, date, region, service, terminator;
  std::vector<std::string> signed_headers;
  std::string signature;
};

Authorization parse_authorization(const std::string& header) {
  if (header.empty()) throw Refusal{403, "MissingAuthenticationToken", "Missing Authentication Token"};
  const auto space = header.find(' ');
  if (header.substr(0, space) != algorithm)
    throw Refusal{
        400, "IncompleteSignature",
        fmt::format("Unsupported AWS 'algorithm': '{}' (this service takes {})", header.substr(0, space), algorithm)};
  std::map<std::string, std::string> fields;
  for (const auto& piece : split(std::string_view(header).substr(std::min(space, header.size())), ',')) {
    const auto equals = piece.find('=');
    if (equals != std::string::npos) fields[piece.substr(0, equals)] = piece.substr(equals + 1);
  }
  std::string lacks;
  for (const auto* name : {"Credential", "Signature", "SignedHeaders"})
    if (fields[name].empty()) lacks += fmt::format("Authorization header requires '{}' parameter. ", name);
  if (!lacks.empty()) throw Refusal{400, "IncompleteSignature", trimmed(lacks)};

  const auto scope = split(fields["Credential"], '/');
  if (scope.size() != 5)
    throw Refusal{
        400, "IncompleteSignature",
        fmt::format("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term,"
                    " got '{}'",
                    fields["Credential"])};
  return {scope[0], scope[1], scope[2], scope[3], scope[4], split(fields["SignedHeaders"], ';'), fields["Signature"]};
}

// To the second: any year of four digits fits, which a TimePoint in nanoseconds could not hold.
std::optional<std::chrono::sys_seconds> parse_basic_time(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%Y%m%dT%H%M%SZ", &parts);
  if (end == nullptr || *end != '\0' || text.size() != 16) return std::nullopt;
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

std::string basic_time(std::chrono::sys_seconds time) {
  return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(static_cast<std::time_t>(time.time_since_epoch().count())));
}

void check_date(const std::string& stamp, const Authorization& authorization, system::TimePoint exactly_now) {
  const auto now = std::chrono::floor<std::chrono::seconds>(exactly_now);
  const auto signed_at = parse_basic_time(stamp);
  if (!signed_at)
    throw Refusal{400, "IncompleteSignature",
                  fmt::format("Date must be in ISO-8601 'basic format'. Got '{}'. See "
                              "http://en.wikipedia.org/wiki/ISO_8601",
                              stamp)};
  if (*signed_at < now - allowed_skew)
    mismatch(fmt::format("Signature expired: {} is now earlier than {} ({} - 5 min.)", stamp,
                         basic_time(now - allowed_skew), basic_time(now)));
  if (*signed_at > now + allowed_skew)
    mismatch(fmt::format("Signature not yet current: {} is still later than {} ({} + 5 min.)", stamp,
                         basic_time(now + allowed_skew), basic_time(now)));
  if (authorization.date != stamp.substr(0, 8))
    mismatch(
        fmt::format("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                    "'{}' != '{}', from '{}'.",
                    authorization.date, stamp.substr(0, 8), stamp));
}

void check_scope(const Authorization& authorization, const Signer& signer) {
  std::string wrong;
  if (authorization.region != signer.region)
    wrong += fmt::format("Credential should be scoped to a valid region, not '{}'. ", authorization.region);
  if (authorization.service != signer.service)
    wrong += fmt::format("Credential should be scoped to correct service: '{}'. ", signer.service);
  if (authorization.terminator != "aws4_request")
    wrong += fmt::format("Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
                         authorization.terminator);
  if (!wrong.empty()) mismatch(trimmed(wrong));
}

void check_signed_headers(const Call& call, const Authorization& authorization) {
  const auto is_signed = [&](const std::string& name) {
    return std::find(authorization.signed_headers.begin(), authorization.signed_headers.end(), name) !=
           authorization.signed_headers.end();
  };
  if (!is_signed("host")) mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  for (const auto& [name, value] : call.headers)
    if (name.starts_with("x-amz-") && !is_signed(name))
      mismatch(fmt::format("'{}' must be a 'SignedHeader' in the AWS Authorization.", name));
  if (!std::is_sorted(authorization.signed_headers.begin(), authorization.signed_headers.end()))
    mismatch("SignedHeaders must be in alphabetical order.");
}

std::span<const unsigned char> bytes(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

}  // namespace

void verify_signature(const Call& call, const Signer& signer, system::TimePoint now) {
  const auto authorization = parse_authorization(call.header("authorization"));
  // A key of this kind comes without a session token.
  if (authorization.access_key_id != signer.access_key_id || !call.header("x-amz-security-token").empty())
    throw Refusal{403, "InvalidClientTokenId", "The security token included in the request is invalid."};
  const auto stamp = call.header("x-amz-date");
  if (stamp.empty())
    throw Refusal{400, "IncompleteSignature",
                  "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."};
  check_scope(authorization, signer);
  check_date(stamp, authorization, now);
  check_signed_headers(call, authorization);

  std::string canonical = call.method + "\n" + canonical_path(call.path) + "\n" + canonical_query(call) + "\n";
  std::string names;
  for (const auto& name : authorization.signed_headers) {
    canonical += name + ":" + canonical_value(call, name) + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + system::sha256_hex(call.body);

  const auto scope = fmt::format("{}/{}/{}/aws4_request", authorization.date, signer.region, signer.service);
  const auto to_sign = fmt::format("{}\n{}\n{}\n{}", algorithm, stamp, scope, system::sha256_hex(canonical));
  auto key = system::hmac_sha256(bytes("AWS4" + signer.secret_access_key), authorization.date);
  key = system::hmac_sha256(key, signer.region);
  key = system::hmac_sha256(key, signer.service);
  key = system::hmac_sha256(key, "aws4_request");
  if (system::to_hex(system::hmac_sha256(key, to_sign)) != authorization.signature)
    mismatch(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.");
}

}  // namespace litedesk::sandbox::route53
