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

Words certificate_words(const Request& request, const UrlParts& url, const CurlReport& report) {
  const std::string server = url.origin();
  if (report.verify_result == certificate_has_expired)
    return {fmt::format("the certificate of {} has expired", server),
            "the server's operator must renew it; if it has not expired, check this machine's clock", true};
  if (report.verify_result == certificate_not_yet_valid)
    return {fmt::format("the certificate of {} is not valid yet", server), "check this machine's clock", true};
  if (holds(report.text, "does not match") || holds(report.text, "subject name"))
    return {
        fmt::format("the certificate of {} is for another name", server),
        "check the host in the URL; for a Kubernetes cluster, `tls-server-name` in the kubeconfig names the right one",
        true};
  const bool own_ca = request.tls && !request.tls->ca_pem.empty();
  return {
      fmt::format("the certificate of {} is signed by an authority that {} does not trust", server,
                  own_ca ? "the configured CA" : "this machine"),
      own_ca
          ? "check that the CA certificate (for Kubernetes: certificate-authority in the kubeconfig) is this server's"
          : "give the server's CA certificate in the settings, or add it to this machine's trusted authorities",
      true};
}

Words handshake_words(const UrlParts& url, const CurlReport& report) {
  const std::string server = url.origin();
  if (holds(report.text, "wrong version number") || holds(report.text, "packet length too long") ||
      holds(report.text, "http request"))
    return {fmt::format("what listens at {} does not speak TLS", server), "check the scheme and the port of the URL",
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

Words words_of(const Request& request, const CurlReport& report) {
  const auto url = split_url(request.url);
  const std::string target = fmt::format("{} {}", to_string(request.method), without_query(request.url));
  const std::string unknown = mutates(request)
                                  ? "whether it took effect is not known: run the same command again, it checks first"
                                  : "try again";
  if (report.too_large)
    return {fmt::format("the answer to {} is larger than {} MiB", target, request.max_response_bytes >> 20), "", true};

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
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return {fmt::format("cannot reach the proxy for {}", url.origin()), "check HTTPS_PROXY, NO_PROXY and proxy-url",
              false};
    case CURLE_COULDNT_CONNECT:
      return connect_words(url, report);
    case CURLE_PEER_FAILED_VERIFICATION:
      return certificate_words(request, url, report);
    case CURLE_SSL_CACERT_BADFILE:
      if (request.tls && !request.tls->ca_pem.empty())
        return {fmt::format("the CA certificate for {} cannot be read", url.origin()), "it must be PEM text", true};
      return {fmt::format("{} cannot be verified: this machine's trusted authorities cannot be read", url.origin()),
              "install the package ca-certificates", true};
    case CURLE_SSL_CERTPROBLEM:
      return {fmt::format("the client certificate or its key for {} cannot be used", url.origin()),
              "both must be PEM text and belong together", true};
    case CURLE_SSL_CONNECT_ERROR:
      return handshake_words(url, report);
    case CURLE_OPERATION_TIMEDOUT:
      if (!report.sent)
        return {fmt::format("no connection to {} within {}", url.origin(), seconds_text(report.allowed)),
                "a firewall may drop the packets, or the host is down: check the VPN or route", false};
      return {fmt::format("no complete answer to {} within {}", target, seconds_text(report.allowed)), unknown, false};
    default:
      break;
  }
  if (!report.sent && holds(report.text, "from proxy"))
    return {fmt::format("the proxy refused to connect to {}", url.origin()),
            "check HTTPS_PROXY, NO_PROXY and proxy-url", true};
  if (!report.sent) return {fmt::format("cannot connect to {}", url.origin()), "check the network", false};
  // TLS 1.3: a server that refuses the client's certificate says so only after the handshake.
  if (report.code == CURLE_RECV_ERROR && holds(report.text, "alert")) return handshake_words(url, report);
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
  return masked_text(report.text);
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
  failure.error = report.code == CURLE_OPERATION_TIMEDOUT && report.sent
                      ? std::make_exception_ptr(Timeout(std::move(details)))
                      : std::make_exception_ptr(Unavailable(std::move(details)));
  return failure;
}

}  // namespace litedesk::http
