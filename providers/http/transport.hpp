// The seam to the network: requests and responses as values, and the interface that sends them.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "providers/error.hpp"
#include "providers/system/secret.hpp"

namespace litedesk::http {

enum class Method { get, head, post, put, patch, del };
[[nodiscard]] std::string_view to_string(Method method);  // "GET"... "DELETE"

// Whose budget a request draws on (one token bucket each) and what the trace calls it.
enum class Api { kubernetes, atlas, route53, aws, oauth, other };
[[nodiscard]] std::string_view to_string(Api api);

struct Header {
  std::string name;
  std::string value;
};
using Headers = std::vector<Header>;
// The first header of that name, ignoring case; empty when there is none.
[[nodiscard]] std::string_view find(const Headers& headers, std::string_view name);

// How a server is recognised and how we show who we are. Requests that share a Tls share connections.
struct Tls {
  std::string ca_pem;  // empty: this machine's authorities, or what SSL_CERT_FILE and SSL_CERT_DIR name
  std::string client_certificate_pem;
  Secret client_key_pem;
  std::string server_name;            // SNI and the name checked, when it is not the URL's host
  std::string proxy_url;              // the kubeconfig's; empty: what ClientOptions::proxies says
  bool insecure_skip_verify = false;  // only what a kubeconfig asks for, in so many words

  friend bool operator==(const Tls&, const Tls&) = default;
};

struct DigestCredentials {  // RFC 7616, answered by libcurl
  std::string username;
  Secret password;
};

// What a lost answer or a 5xx allows.
enum class Repeat {
  by_method,  // GET, HEAD, PUT and DELETE are safe, POST and PATCH are not (RFC 9110, 9.2.2)
  safe,       // sending it twice is as good as once: server-side apply, a read by POST
  unsafe,     // never again once it may have been sent; 429 and 503 with Retry-After are still repeated
};

struct Request {
  Method method = Method::get;
  std::string url;
  Headers headers;
  std::string body;
  Api api = Api::other;
  // "HOST:PORT" to connect to instead of the URL's; the name that is sent and checked stays the URL's. Empty: its own.
  std::string connect_to;
  std::shared_ptr<const Tls> tls;  // null: the defaults
  std::optional<DigestCredentials> digest;
  std::chrono::milliseconds timeout{30'000};  // of all attempts together, back-off included
  Repeat repeat = Repeat::by_method;
  // Whether it changes something there. Unset: every method but GET and HEAD does. A dry run or an access review sets
  // false. The fence (see gate.hpp) holds back only what mutates.
  std::optional<bool> mutates;
  // Made only if what it changes still is the version that was read: it needs no fence, and passes it.
  bool conditional = false;
  // Called before each attempt, on the I/O thread's side of the queue: signs anew, puts a fresh token in. What it
  // throws ends the request.
  std::function<void(Request&)> prepare;
  std::string summary;                         // for messages and the trace: "apply Deployment instance-acme/backend"
  std::size_t max_response_bytes = 64u << 20;  // of a stream: how much may wait for a slow handler
  // Once requested, no further attempt begins: what is in flight is waited for, a wait for the next attempt ends with
  // what the last one brought, and what has never been sent is Cancelled.
  std::stop_token last_attempt;
};
[[nodiscard]] bool mutates(const Request& request);

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
  int attempts = 1;
  // An earlier attempt may have taken effect though its answer was lost: "already exists" may then mean our own doing.
  bool repeated_after_loss = false;
};

using Result = std::variant<Response, std::exception_ptr>;

// Takes what has come so far of a streamed body; returns false to end the stream.
using ChunkHandler = std::function<bool(std::string_view chunk)>;

// The server showed a certificate that is not the host's, or that nobody here vouches for: somebody did answer.
class CertificateError : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

// Returns whatever status came back. Throws only when no answer did: Unavailable (cannot connect, lost connection,
// TLS), Timeout, Cancelled. The message names request.summary and the URL without its query, the cause is libcurl's
// sentence.
class Transport {
 public:
  virtual ~Transport() = default;
  // Blocks until the answer is there. Thread-safe.
  virtual Response send(Request request, std::stop_token stop) = 0;
  // Sends all at once (multiplexed where the server can) and waits for all; results in the order of the requests.
  virtual std::vector<Result> send_all(std::vector<Request> requests, std::stop_token stop) = 0;
  // Streams a 2xx body to the handler, on the calling thread, until the server ends it, the handler says so, or `stop`:
  // then it returns, with an empty body (Cancelled when no status had come yet). Any other status is returned whole.
  // `request.timeout` bounds the wait for the response's headers; `idle` is the longest silence thereafter (Timeout).
  // No retry: the caller knows where to go on.
  virtual Response stream(Request request, const ChunkHandler& on_chunk, std::chrono::milliseconds idle,
                          std::stop_token stop) = 0;
};

// Percent-encodes all but RFC 3986's unreserved characters: one path segment or one query value.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace litedesk::http
