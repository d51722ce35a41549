#include "providers/http/failure.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "providers/error.hpp"
#include "providers/http/mask.hpp"
#include "providers/http/url.hpp"

namespace litedesk::http {

namespace {

// OpenSSL's verification results (x509_vfy.h); libcurl passes the number on.
constexpr long certificate_not_yet_valid = 9;
constexpr long certificate_has_expired = 10;

struct Words {
  std::string message, hint;
  bool permanent = false;
};

std::string seconds_text(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000)
                                  : fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1000);
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// "the proxy proxy.example.net:3128 (HTTPS_PROXY)"
std::string proxy_text(const Proxy& proxy) {
  return fmt::format("the proxy {} ({})", proxy.address, proxy.setting);
}

std::string proxy_hint(const Proxy& proxy, const UrlParts& url) {
  return fmt::format("check {} and that the proxy runs{}", proxy.setting,
                     proxy.excepts ? fmt::format(", or name {} in NO_PROXY to do without it", url.host) : "");
}

// Where a CA can be given for that API alone; empty: nowhere.
std::string ca_setting(Api api) {
  switch (api) {
    case Api::kubernetes:
      return "certificate-authority in the kubeconfig";
    case Api::aws:
    case Api::route53:
      return "AWS_CA_BUNDLE (or ca_bundle of the profile)";
    case Api::atlas:
    case Api::oauth:
    case Api::other:
      break;
  }
  return {};
}

Words unknown_authority_words(const Request& request, const std::string& server, const CurlReport& report) {
  const bool own_ca = request.tls && !request.tls->ca_pem.empty();
  const auto setting = ca_setting(request.api);
  const auto whose = own_ca ? "the configured CA" : report.authorities.empty() ? "this machine" : report.authorities;
  Words words{fmt::format("the certificate of {} is signed by an authority that {} does not trust", server, whose), "",
              true};
  if (own_ca)
    words.hint = fmt::format("check that {} is this server's", setting.empty() ? "it" : setting);
  else if (setting.empty())
    words.hint = "name a PEM file with the server's CA certificate in SSL_CERT_FILE";
  else
    words.hint = fmt::format("give the server's CA certificate: {}, or SSL_CERT_FILE", setting);
  return words;
}

Words certificate_words(const Request& request, const std::string& server, bool of_proxy, const CurlReport& report) {
  if (report.verify_result == certificate_has_expired)
    return {fmt::format("the certificate of {} has expired", server),
            "the server's operator must renew it; if it has not expired, check this machine's clock", true};
  if (report.verify_result == certificate_not_yet_valid)
    return {fmt::format("the certificate of {} is not valid yet", server), "check this machine's clock", true};
  if (holds(report.text, "does not match") || holds(report.text, "subject name")) {
    const bool nameable = request.api == Api::kubernetes && !of_proxy;
    return {fmt::format("the certificate of {} is for another name", server),
            of_proxy ? fmt::format("check the host in {}", report.proxy->setting)
                     : fmt::format("check the host in the URL{}",
                                   nameable ? "; `tls-server-name` in the kubeconfig can name the right one" : ""),
            true};
  }
  if (!of_proxy) return unknown_authority_words(request, server, report);
  return {fmt::format("the certificate of {} is signed by an authority that this machine does not trust", server),
          "name a PEM file with the proxy's CA certificate in SSL_CERT_FILE", true};
}

Words handshake_words(const std::string& server, bool of_proxy, const CurlReport& report) {
  if (holds(report.text, "wrong version number") || holds(report.text, "packet length too long") ||
      holds(report.text, "http request"))
    return {fmt::format("what listens at {} does not speak TLS", server),
            of_proxy ? fmt::format("write http:// and not https:// in {}", report.proxy->setting)
                     : "check the scheme and the port of the URL",
            true};
  if (holds(report.text, "alert"))
    return {fmt::format("{} refused the TLS handshake", server),
            "the client certificate may be missing, expired or of another authority: check it with "
            "`openssl x509 -noout -dates -issuer`",
            true};
  return {fmt::format("no TLS connection to {}", server), "try again; a proxy or firewall may be in between", false};
}

Words connect_words(const UrlParts& url, const CurlReport& report) {
  const std::string server = url.origin();
  if (report.proxy)
    return {fmt::format("cannot connect to {}, through which {} is asked", proxy_text(*report.proxy), server),
            proxy_hint(*report.proxy, url), false};
  switch (report.os_error) {
    case ECONNREFUSED:
      return {fmt::format("cannot connect to {}", server),
              "nothing listens at that address: check the URL's host and port, and that the server runs", false};
    case ENETUNREACH:
    case EHOSTUNREACH:
      return {fmt::format("cannot connect to {}", server), "no route to that network from here: check the VPN or route",
              false};
    default:
      return {fmt::format("cannot connect to {}", server), "check the network and that the server runs", false};
  }
}

// What a proxy said instead of making the way.
Words refused_words(const Proxy& proxy, const UrlParts& url, const CurlReport& report) {
  const auto text = proxy_text(proxy);
  if (report.proxy_answer == 407)
    return {fmt::format("{} requires a user name and password", text),
            fmt::format("put them into {}: {}://USER:PASSWORD@{}", proxy.setting, proxy.scheme, proxy.address), true};
  // 5xx: it tried (RFC 9110, 15.6.3 and 15.6.5).
  if (report.proxy_answer >= 500)
    return {fmt::format("{} could not reach {}", text, url.origin()),
            "check that the server runs and that the proxy may reach it; " + proxy_hint(proxy, url), false};
  return {fmt::format("{} refused to connect to {}", text, url.origin()), proxy_hint(proxy, url), true};
}

// Reasons that lie in this process, whatever it was that failed for them.
std::optional<Words> shortage_words(const UrlParts& url, const CurlReport& report) {
  std::optional<system::FileShortage> shortage;
  switch (report.code) {
    case CURLE_COULDNT_CONNECT:
      shortage = report.os_error == 0 ? report.files : system::file_shortage(static_cast<int>(report.os_error));
      break;
    // The resolver's files and that of the authorities are opened by libraries that keep no errno.
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_FAILED_INIT:
    case CURLE_OUT_OF_MEMORY:
      shortage = report.files;
      break;
    default:
      break;
  }
  if (!shortage) return std::nullopt;
  return Words{fmt::format("cannot connect to {}: {}", url.origin(), shortage->message), shortage->hint, true};
}

// No answer, and the proxy is why, or may be.
std::optional<Words> proxy_words(const Request& request, const UrlParts& url, const CurlReport& report) {
  if (!report.proxy || report.sent) return std::nullopt;
  const auto& proxy = *report.proxy;
  // What fails before a proxy with TLS of its own has answered fails with the proxy.
  const bool before_tunnel = proxy.scheme == "https" && report.proxy_answer == 0;
  if (report.proxy_answer >= 300) return refused_words(proxy, url, report);
  switch (report.code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Words{fmt::format("cannot find the host of {}", proxy_text(proxy)), proxy_hint(proxy, url), false};
    case CURLE_PROXY:
      return refused_words(proxy, url, report);
    case CURLE_PEER_FAILED_VERIFICATION:
      if (before_tunnel) return certificate_words(request, proxy_text(proxy), true, report);
      return std::nullopt;
    case CURLE_SSL_CONNECT_ERROR:
      if (before_tunnel) return handshake_words(proxy_text(proxy), true, report);
      return std::nullopt;
    case CURLE_OPERATION_TIMEDOUT:
      return Words{fmt::format("no connection to {} through {} within {}", url.origin(), proxy_text(proxy),
                               seconds_text(report.allowed)),
                   proxy_hint(proxy, url), false};
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return Words{fmt::format("{} closed the connection before {} was reached", proxy_text(proxy), url.origin()),
                   proxy_hint(proxy, url), false};
    default:
      return std::nullopt;
  }
}

Words words_of(const Request& request, const CurlReport& report) {
  const auto url = split_url(request.url);
  const std::string target = fmt::format("{} {}", to_string(request.method), without_query(request.url));
  const std::string unknown = mutates(request)
                                  ? "whether it took effect is not known: run the same command again, it checks first"
                                  : "try again";
  if (report.too_large)
    return {fmt::format("the answer to {} is larger than {} MiB", target, request.max_response_bytes >> 20), "", true};

  if (auto words = shortage_words(url, report)) return *words;
  if (auto words = proxy_words(request, url, report)) return *words;
  switch (report.code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      if (report.sent)
        return {fmt::format("what listens at {} does not speak HTTP", url.origin()), "check the URL's port", true};
      return {fmt::format("{} is not a URL that can be requested", without_query(request.url)),
              "a URL begins with https:// and names a host", true};
    case CURLE_COULDNT_RESOLVE_HOST:
      return {fmt::format("cannot find the host {}", url.host), "check the name in the URL, and this machine's DNS",
              false};
    case CURLE_COULDNT_CONNECT:
      return connect_words(url, report);
    case CURLE_PEER_FAILED_VERIFICATION:
      return certificate_words(request, url.origin(), false, report);
    case CURLE_SSL_CACERT_BADFILE:
      if (request.tls && !request.tls->ca_pem.empty())
        return {fmt::format("the CA certificate for {} cannot be read", url.origin()), "it must be PEM text", true};
      if (!report.authorities.empty())
        return {fmt::format("{} cannot be verified: the certificates of {} cannot be used", url.origin(),
                            report.authorities),
                "they must be PEM text", true};
      return {fmt::format("{} cannot be verified: this machine's trusted authorities cannot be read", url.origin()),
              "install the package ca-certificates", true};
    case CURLE_SSL_CERTPROBLEM:
      return {fmt::format("the client certificate or its key for {} cannot be used", url.origin()),
              "both must be PEM text and belong together", true};
    case CURLE_SSL_CONNECT_ERROR:
      return handshake_words(url.origin(), false, report);
    case CURLE_OPERATION_TIMEDOUT:
      if (!report.sent)
        return {fmt::format("no connection to {} within {}", url.origin(), seconds_text(report.allowed)),
                "a firewall may drop the packets, or the host is down: check the VPN or route", false};
      return {fmt::format("no complete answer to {} within {}", target, seconds_text(report.allowed)), unknown, false};
    default:
      break;
  }
  if (!report.sent) return {fmt::format("cannot connect to {}", url.origin()), "check the network", false};
  // TLS 1.3: a server that refuses the client's certificate says so only after the handshake.
  if (report.code == CURLE_RECV_ERROR && holds(report.text, "alert"))
    return handshake_words(url.origin(), false, report);
  // Or it closes the connection so fast that its words are lost on the way.
  const bool perhaps_refused = url.scheme == "https" && !report.reached_before;
  return {
      fmt::format("the connection broke before the answer to {} was complete", target),
      unknown + (perhaps_refused ? "; a server that wants another client certificate may also behave like this" : ""),
      false};
}

std::string cause_of(const CurlReport& report) {
  if (report.too_large) return {};
  if (report.own_repeat) return "the server closed the connection";
  if (report.code == CURLE_COULDNT_CONNECT && report.os_error != 0) return strerror(static_cast<int>(report.os_error));
  // Some of libcurl's sentences hold the proxy's URL, with its password.
  auto text = report.text;
  if (report.proxy)
    for (auto at = text.find(report.proxy->url); at != std::string::npos; at = text.find(report.proxy->url))
      text.replace(at, report.proxy->url.size(), report.proxy->address);
  return masked_text(text);
}

}  // namespace

std::string prefix_of(const Request& request) {
  return request.summary.empty() ? "" : request.summary + ": ";
}

Failure describe_failure(const Request& request, const CurlReport& report) {
  auto words = words_of(request, report);
  Failure failure;
  failure.loss = report.sent ? Loss::uncertain : Loss::not_sent;
  failure.permanent = words.permanent;
  const std::string cause = cause_of(report);
  failure.sentence = cause.empty() ? words.message : words.message + ": " + cause;
  if (report.attempts > 1) words.message += fmt::format(" ({} attempts)", report.attempts);
  ErrorDetails details{
      .message = prefix_of(request) + words.message, .hint = std::move(words.hint), .resource = {}, .cause = cause};
  if (report.code == CURLE_OPERATION_TIMEDOUT && report.sent)
    failure.error = std::make_exception_ptr(Timeout(std::move(details)));
  else if (report.code == CURLE_PEER_FAILED_VERIFICATION)
    failure.error = std::make_exception_ptr(CertificateError(std::move(details)));
  else
    failure.error = std::make_exception_ptr(Unavailable(std::move(details)));
  return failure;
}

}  // namespace litedesk::http
