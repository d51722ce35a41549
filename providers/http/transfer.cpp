#include "providers/http/transfer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "providers/error.hpp"
#include "providers/http/client.hpp"
#include "providers/http/retry.hpp"

namespace litedesk::http {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds longest_connect{10'000};
// How long sent data may stay unacknowledged. Keepalive probes are not sent meanwhile, and the system's own patience
// with a connection that leads nowhere is a quarter of an hour.
constexpr unsigned longest_unacknowledged_ms = 10'000;
// An attempt is not cut shorter than this to leave time for another.
constexpr milliseconds shortest_attempt{5'000};

bool successful(int status) {
  return status >= 200 && status < 300;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  ++*transfer.moved;
  std::string_view line(data, size);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    // Each block begins anew: an interim answer, the challenge of a digest, then the one that counts.
    transfer.answered = true;
    transfer.response.headers.clear();
    transfer.response.status = 0;
    const auto space = line.find(' ');
    if (space != std::string_view::npos)
      for (const char c : line.substr(space + 1, 3))
        if (c >= '0' && c <= '9') transfer.response.status = transfer.response.status * 10 + (c - '0');
  } else if (line.empty()) {
    if (transfer.stream && successful(transfer.response.status)) {
      auto& stream = *transfer.stream;
      const std::lock_guard lock(stream.mutex);
      if (!stream.head) stream.head = transfer.response;
      stream.last_arrival = steady_clock::now();
      stream.changed.notify_all();
    }
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    auto value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    transfer.response.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  }
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  ++*transfer.moved;
  const auto refuse = [&] {
    transfer.too_large = true;
    return std::size_t{0};
  };
  if (transfer.stream && successful(transfer.response.status)) {
    auto& stream = *transfer.stream;
    const std::lock_guard lock(stream.mutex);
    // Never paused: on one connection, a paused stream would hold up its neighbours.
    if (stream.data.size() + size > transfer.request.max_response_bytes) return refuse();
    stream.data.append(data, size);
    stream.last_arrival = steady_clock::now();
    stream.changed.notify_all();
    return size;
  }
  if (transfer.response.body.size() + size > transfer.request.max_response_bytes) return refuse();
  transfer.response.body.append(data, size);
  return size;
}

// Called when a connection is there and the request is about to go out.
int on_ready(void* user, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(user);
  ++*transfer.moved;
  // libcurl sends a request again by itself, whatever its method, when a reused connection ends before any answer.
  // The server may have closed it after it did what was asked (RFC 9112, 9.3.1), so that is our rule's to decide.
  if (transfer.sent && !transfer.answered) {
    if (!safe_to_repeat(transfer.request.method, transfer.request.repeat)) {
      transfer.own_repeat = true;
      return CURL_PREREQFUNC_ABORT;
    }
    transfer.lost_before = true;
  }
  transfer.sent = true;
  transfer.answered = false;
  return CURL_PREREQFUNC_OK;
}

// Called for each new socket.
int on_socket(void*, curl_socket_t socket, curlsocktype) {
  // Without it the connection is only noticed later to be dead.
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &longest_unacknowledged_ms,
                     sizeof longest_unacknowledged_ms);
  return CURL_SOCKOPT_OK;
}

// Called where libcurl would open a socket, since it does not keep the reason when that fails.
curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  const int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (socket >= 0) return socket;
  static_cast<Transfer*>(user)->socket_error = errno;
  return CURL_SOCKET_BAD;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 32 && c != '\t') || c == 127; });
}

class Options {
 public:
  explicit Options(CURL* handle) : handle_(handle) {}
  void set(CURLoption option, long value) const { check(option, curl_easy_setopt(handle_, option, value)); }
  void set(CURLoption option, bool value) const { set(option, value ? 1L : 0L); }
  void set(CURLoption option, const char* value) const { check(option, curl_easy_setopt(handle_, option, value)); }
  void set(CURLoption option, const std::string& value) const { set(option, value.c_str()); }
  void set_size(CURLoption option, std::size_t value) const {
    check(option, curl_easy_setopt(handle_, option, static_cast<curl_off_t>(value)));
  }
  template <class Pointer>
  void set_pointer(CURLoption option, Pointer value) const {
    check(option, curl_easy_setopt(handle_, option, value));
  }
  void set_blob(CURLoption option, std::string_view value) const {
    if (value.empty()) {
      check(option, curl_easy_setopt(handle_, option, static_cast<curl_blob*>(nullptr)));
      return;
    }
    curl_blob blob{const_cast<char*>(value.data()), value.size(), CURL_BLOB_COPY};
    check(option, curl_easy_setopt(handle_, option, &blob));
  }

 private:
  // An option that is not taken would leave a request less safe than it was asked to be. It may be that the libcurl
  // that was found at run time is older than the one that this was compiled with, or uses another TLS library.
  static void check(CURLoption option, CURLcode code) {
    if (code == CURLE_OK) return;
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    const auto* known = curl_easy_option_by_id(option);
    throw Failed(
        {.message = fmt::format("libcurl {} does not take the option {}", curl_version_info(CURLVERSION_NOW)->version,
                                known == nullptr ? std::to_string(option) : known->name),
         .hint = "install the libcurl4 that belongs to this release of the system (with OpenSSL)",
         .resource = {},
         .cause = curl_easy_strerror(code)});
  }

  CURL* handle_;
};

void append(curl_slist*& list, const std::string& text) {
  auto* longer = curl_slist_append(list, text.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  list = longer;
}

void set_method(const Options& options, const Request& request) {
  // HTTPGET first, since a handle that is used again keeps its last method and body.
  options.set(CURLOPT_HTTPGET, true);
  options.set(CURLOPT_NOBODY, request.method == Method::head);
  const bool wants_body =
      request.method == Method::post || request.method == Method::put || request.method == Method::patch;
  if (wants_body || (!request.body.empty() && request.method != Method::head)) {
    options.set(CURLOPT_POST, true);
    options.set_size(CURLOPT_POSTFIELDSIZE_LARGE, request.body.size());
    options.set(CURLOPT_POSTFIELDS, request.body);
  }
  if (request.method == Method::head)
    options.set(CURLOPT_CUSTOMREQUEST, nullptr);
  else
    options.set(CURLOPT_CUSTOMREQUEST, std::string(to_string(request.method)));
}

void set_headers(const Options& options, Transfer& transfer, bool renamed) {
  const auto& request = transfer.request;
  for (const auto& header : request.headers) {
    if (has_control_character(header.name) || has_control_character(header.value))
      throw ValidationError({.message = fmt::format("{}: the header {} would hold a line break or control character",
                                                    request.summary, header.name),
                             .hint = "check the token or name in it",
                             .resource = {},
                             .cause = {}});
    append(transfer.header_list,
           header.value.empty() ? header.name + ";" : fmt::format("{}: {}", header.name, header.value));
  }
  if (find(request.headers, "Content-Type").empty()) append(transfer.header_list, "Content-Type:");
  append(transfer.header_list, "Expect:");
  if (renamed && find(request.headers, "Host").empty())
    append(transfer.header_list, "Host: " + transfer.origin.substr(transfer.url.scheme.size() + 3));
  options.set_pointer(CURLOPT_HTTPHEADER, transfer.header_list);
}

void set_tls(const Options& options, const Tls& tls, Authorities& authorities) {
  options.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  options.set(CURLOPT_SSL_VERIFYPEER, !tls.insecure_skip_verify);
  options.set(CURLOPT_SSL_VERIFYHOST, tls.insecure_skip_verify ? 0L : 2L);
  const bool own_ca = !tls.ca_pem.empty();
  options.set_blob(CURLOPT_CAINFO_BLOB, own_ca || tls.insecure_skip_verify ? tls.ca_pem : authorities.pem());
  // Debian's libcurl would trust the folder of the system's authorities beside the given one.
  if (own_ca || authorities.without_usual_folder()) options.set(CURLOPT_CAPATH, nullptr);
  options.set_blob(CURLOPT_SSLCERT_BLOB, tls.client_certificate_pem);
  options.set_blob(CURLOPT_SSLKEY_BLOB, tls.client_key_pem.reveal());
  options.set(CURLOPT_SSLCERTTYPE, "PEM");
  options.set(CURLOPT_SSLKEYTYPE, "PEM");
}

// libcurl offers a multiplexed connection again after a request on it got no answer, and lets nobody pick or close one.
// It shares a connection only between transfers with equal TLS options; of those, three concern Windows' own TLS alone
// and mean nothing to OpenSSL. So they count the generations: whoever has another number gets another connection. After
// eight of them the numbers begin anew, when a dead connection of the first is long gone.
long generation_options(unsigned generation) {
  return ((generation & 1U) != 0 ? CURLSSLOPT_NO_REVOKE : 0L) |
         ((generation & 2U) != 0 ? CURLSSLOPT_REVOKE_BEST_EFFORT : 0L) |
         ((generation & 4U) != 0 ? CURLSSLOPT_AUTO_CLIENT_CERT : 0L);
}

void set_proxy(const Options& options, Transfer& transfer, const Tls& tls, ClientOptions& client) {
  auto& proxy = transfer.proxy;
  // One that a kubeconfig asks for by name is used whatever NO_PROXY says, as in client-go.
  if (tls.proxy_url.empty())
    proxy = client.proxies.proxy_for(transfer.url);
  else
    proxy = parse_proxy(tls.proxy_url, "proxy-url in the kubeconfig");
  // Both are set, so that libcurl does not look into the environment by rules of its own.
  options.set(CURLOPT_PROXY, proxy ? proxy->url : "");
  options.set(CURLOPT_NOPROXY, "");
  // What a proxy answers to CONNECT is no answer of the server's.
  options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, true);
  if (!proxy || proxy->scheme != "https") return;
  if (const auto& pem = client.authorities.pem(); !pem.empty()) options.set_blob(CURLOPT_PROXY_CAINFO_BLOB, pem);
  if (client.authorities.without_usual_folder()) options.set(CURLOPT_PROXY_CAPATH, nullptr);
}

}  // namespace

void Batch::put(std::size_t place, Result result) {
  const std::lock_guard lock(mutex_);
  results_[place] = std::move(result);
  if (--left_ == 0) all_there_.notify_all();
}

std::vector<Result> Batch::wait() {
  std::unique_lock lock(mutex_);
  all_there_.wait(lock, [&] { return left_ == 0; });
  std::vector<Result> results;
  results.reserve(results_.size());
  for (auto& result : results_) results.push_back(std::move(*result));
  return results;
}

Transfer::Transfer(Request request_given, std::shared_ptr<Batch> batch_given, std::size_t place_given)
    : request(std::move(request_given)),
      url(split_url(request.url)),
      origin(url.origin()),
      batch(std::move(batch_given)),
      place(place_given) {}

Transfer::~Transfer() {
  wipe(request.body);
  for (auto& header : request.headers)
    if (find({{header.name, "x"}}, "Authorization") == "x") wipe(header.value);
}

void Transfer::finish(Result result) {
  state = State::done;
  if (stream) {
    const std::lock_guard lock(stream->mutex);
    stream->result = std::move(result);
    stream->changed.notify_all();
  } else {
    batch->put(place, std::move(result));
  }
}

void Transfer::begin_attempt() {
  ++attempt;
  error_text[0] = '\0';
  socket_error = 0;
  sent = answered = own_repeat = too_large = false;
  response = {};
  began = steady_clock::now();
  allowed = std::max(milliseconds(1), time_left(began));
  // One that hangs must leave time for another.
  const auto most = std::max(shortest_attempt, allowed / 2);
  capped = !stream && safe_to_repeat(request.method, request.repeat) && most < allowed;
  if (capped) allowed = most;
}

void prepare_handle(Transfer& transfer, ClientOptions& client) {
  const Options options(transfer.handle);
  const auto& request = transfer.request;
  static const Tls defaults;
  const Tls& tls = request.tls ? *request.tls : defaults;
  const bool https = transfer.url.scheme == "https";
  const bool http2 = client.http2;

  options.set_pointer(CURLOPT_PRIVATE, &transfer);
  options.set_pointer(CURLOPT_ERRORBUFFER, &transfer.error_text[0]);
  options.set(CURLOPT_NOSIGNAL, true);
#if LIBCURL_VERSION_NUM >= 0x075500
  options.set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  options.set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  options.set(CURLOPT_FOLLOWLOCATION, false);
  options.set(CURLOPT_PATH_AS_IS, true);
  options.set(CURLOPT_USERAGENT, client.user_agent);
  // A watch must hand on what it has at once; a decoder might keep some back.
  options.set(CURLOPT_ACCEPT_ENCODING, transfer.stream ? nullptr : "");
  options.set(CURLOPT_HTTP_VERSION, static_cast<long>(https && http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  options.set(CURLOPT_PIPEWAIT, https && http2);
  options.set(CURLOPT_TCP_KEEPALIVE, true);
  options.set(CURLOPT_TCP_KEEPIDLE, 30L);
  options.set(CURLOPT_TCP_KEEPINTVL, 10L);
  options.set_pointer(CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  options.set_pointer(CURLOPT_OPENSOCKETDATA, &transfer);
  options.set_pointer(CURLOPT_SOCKOPTFUNCTION, &on_socket);
#if LIBCURL_VERSION_NUM >= 0x075700
  options.set(CURLOPT_QUICK_EXIT, true);  // does not wait for a resolver's answer that nobody wants any more
#endif
  options.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(longest_connect, transfer.allowed).count()));
  options.set(CURLOPT_TIMEOUT_MS, transfer.stream ? 0L : static_cast<long>(transfer.allowed.count()));

  options.set_pointer(CURLOPT_HEADERFUNCTION, &on_header);
  options.set_pointer(CURLOPT_HEADERDATA, &transfer);
  options.set_pointer(CURLOPT_WRITEFUNCTION, &on_body);
  options.set_pointer(CURLOPT_WRITEDATA, &transfer);
  options.set_pointer(CURLOPT_PREREQFUNCTION, &on_ready);
  options.set_pointer(CURLOPT_PREREQDATA, &transfer);

  // The name to be checked stands in the URL, and the connection goes to the real host all the same.
  const bool renamed = https && !tls.server_name.empty() && tls.server_name != transfer.url.host;
  if (renamed) {
    const auto& url = transfer.url;
    const std::string query = url.query.empty() ? "" : "?" + url.query;
    options.set(CURLOPT_URL, fmt::format("https://{}:{}{}{}", tls.server_name, url.port, url.path, query));
    append(transfer.connect_to, fmt::format("{}:{}:{}:{}", tls.server_name, url.port, url.host, url.port));
  } else {
    options.set(CURLOPT_URL, request.url);
    if (!request.connect_to.empty()) append(transfer.connect_to, "::" + request.connect_to);
  }
  options.set_pointer(CURLOPT_CONNECT_TO, transfer.connect_to);
  set_method(options, request);
  set_headers(options, transfer, renamed);
  if (https) {
    set_tls(options, tls, client.authorities);
    options.set(CURLOPT_SSL_OPTIONS, generation_options(transfer.generation));
  }
  set_proxy(options, transfer, tls, client);
  if (request.digest) {
    options.set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_DIGEST));
    options.set(CURLOPT_USERNAME, request.digest->username);
    options.set(CURLOPT_PASSWORD, std::string(request.digest->password.reveal()));
  }
}

void release_lists(Transfer& transfer) {
  for (auto* each = transfer.header_list; each != nullptr; each = each->next)
    ::explicit_bzero(each->data, std::strlen(each->data));  // Authorization is among them
  curl_slist_free_all(std::exchange(transfer.header_list, nullptr));
  curl_slist_free_all(std::exchange(transfer.connect_to, nullptr));
}

}  // namespace litedesk::http
