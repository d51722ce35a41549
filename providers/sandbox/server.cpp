#include "providers/sandbox/server.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "providers/error.hpp"

namespace litedesk::sandbox {

namespace {

// A connection holds a thread while it is open, and so does each watch.
constexpr unsigned int most_connections = 1000;
constexpr unsigned int backlog = 512;
constexpr unsigned int idle_seconds = 120;
// Holds a request's head, and each piece of a body on its way in or out.
constexpr std::size_t connection_memory = std::size_t{64} * 1024;
constexpr std::chrono::milliseconds slow_by{2000};
// How long the end waits for answers that are under way.
constexpr std::chrono::milliseconds last_answers{500};

bool changes_something(const std::string& method) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

int socket_of(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

bool peer_closed(int socket) {
  pollfd waited = {socket, POLLIN | POLLRDHUP, 0};
  if (::poll(&waited, 1, 0) <= 0) return false;
  return (waited.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// What tcp(7) calls dissolving the association: the peer gets a reset, and the library a socket to close as usual.
void reset(int socket) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  ::connect(socket, &nobody, sizeof nobody);
}

// One request while it is read and answered; the library hands it back with each call.
struct Exchange {
  Call call;
  bool begun = false;
  bool too_large = false;
  bool has_token = false;  // in its path
  bool counted = false;    // among the answers that the end waits for
};

// Names in lower case; values as they came, without the blanks around them.
MHD_Result add_header(void* to, MHD_ValueKind, const char* name, const char* given) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string_view value = given == nullptr ? "" : given;
  value.remove_suffix(value.size() - (value.find_last_not_of(" \t") + 1));
  static_cast<Call*>(to)->headers.emplace(std::move(lower), value);
  return MHD_YES;
}

Reply plain_text(int status, std::string text) {
  Reply reply;
  reply.status = status;
  reply.content_type = "text/plain";
  reply.body = std::move(text);
  return reply;
}

// "127.0.0.1:8001", "[::1]", "localhost"
bool is_loopback(std::string_view host) {
  const auto end = host.starts_with('[') ? host.find(']') : host.find(':');
  const auto name = host.substr(0, host.starts_with('[') && end != std::string_view::npos ? end + 1 : end);
  return name == "127.0.0.1" || name == "localhost" || name == "[::1]";
}

// A web page that somebody has open reaches this machine's ports, too: its requests carry an Origin (RFC 6454, 7), and
// those that it makes by a name of its own which leads here carry that name as Host.
std::optional<Reply> refusal_of(const Call& call) {
  if (call.headers.contains("origin")) return plain_text(403, "the sandbox serves no web pages\n");
  const auto host = call.headers.find("host");
  if (host != call.headers.end() && !is_loopback(host->second))
    return plain_text(421, "the sandbox is reached at 127.0.0.1 and localhost only\n");
  return std::nullopt;
}

// The body of a streamed reply, as the library asks for it. Waiting here blocks only this connection's thread.
struct Body {
  std::function<bool(const Sink&)> write;
  std::function<void(const std::string&)> broken;  // told why it cannot go on
  int socket;
  std::stop_token stopping;
  std::string waiting = {};
  std::size_t taken = 0;
  bool whole = false;
  bool cut = false;  // the one who writes was told that nobody reads on

  [[nodiscard]] bool over() const { return stopping.stop_requested() || peer_closed(socket); }

  // No exception may pass through the library.
  ssize_t read(char* bytes, std::size_t room) {
    try {
      return take(bytes, room);
    } catch (const std::exception& error) {
      broken(error.what());
      return MHD_CONTENT_READER_END_WITH_ERROR;
    }
  }

  ssize_t take(char* bytes, std::size_t room) {
    while (taken == waiting.size()) {
      if (whole) return MHD_CONTENT_READER_END_OF_STREAM;
      if (over()) return MHD_CONTENT_READER_END_WITH_ERROR;
      waiting.clear();
      taken = 0;
      whole = !write([this](std::string_view piece) {
        waiting.append(piece);
        cut = over();
        return !cut;
      });
      // Its end would look like the end of all that there is.
      if (cut) return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    const auto size = std::min(room, waiting.size() - taken);
    std::memcpy(bytes, waiting.data() + taken, size);
    taken += size;
    return static_cast<ssize_t>(size);
  }
};

}  // namespace

struct Server::Impl {
  Impl(Api& served, Faults& injected, ServerOptions given) : api(served), faults(injected), options(std::move(given)) {}

  Api& api;
  Faults& faults;
  ServerOptions options;
  MHD_Daemon* daemon = nullptr;
  int port = 0;
  std::stop_source stopping;

  // Answers that are under way, streams aside.
  std::mutex under_way_mutex;
  std::condition_variable under_way_fewer;
  int under_way = 0;

  // What the library calls. Each request begins with its target as it was sent; the library decodes the one that it
  // passes later.
  static void* begin(void* self, const char* target, MHD_Connection*) {
    auto exchange = std::make_unique<Exchange>();
    auto& call = exchange->call;
    call.target = target;
    static_cast<Impl*>(self)->take_token(*exchange);
    const auto mark = std::min(call.target.find('?'), call.target.size());
    call.path = call.target.substr(0, mark);
    if (mark < call.target.size()) call.query = parse_query(std::string_view(call.target).substr(mark + 1));
    return exchange.release();
  }

  void take_token(Exchange& exchange) const {
    const auto prefix = "/" + options.token_in_path + "/";
    if (options.token_in_path.empty() || !exchange.call.target.starts_with(prefix)) return;
    exchange.call.target.erase(0, prefix.size() - 1);
    exchange.has_token = true;
  }

  static MHD_Result receive(void* self, MHD_Connection* connection, const char*, const char* method, const char*,
                            const char* bytes, std::size_t* size, void** context) {
    auto& exchange = *static_cast<Exchange*>(*context);
    if (!std::exchange(exchange.begun, true)) {
      exchange.call.method = method;
      MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &exchange.call);
      if (exchange.has_token && !exchange.call.headers.contains("authorization"))
        exchange.call.headers.emplace("authorization", "Bearer " + static_cast<Impl*>(self)->options.token_in_path);
      return MHD_YES;
    }
    if (*size == 0) return static_cast<Impl*>(self)->serve(connection, exchange);
    exchange.too_large =
        exchange.too_large || exchange.call.body.size() + *size > static_cast<Impl*>(self)->options.largest_body;
    if (!exchange.too_large) exchange.call.body.append(bytes, *size);
    *size = 0;
    return MHD_YES;
  }

  static void end(void* self, MHD_Connection* connection, void** context, MHD_RequestTerminationCode) {
    const std::unique_ptr<Exchange> exchange(static_cast<Exchange*>(std::exchange(*context, nullptr)));
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, idle_seconds);
    if (exchange != nullptr && exchange->counted) static_cast<Impl*>(self)->count(*exchange, false);
  }

  void count(Exchange& exchange, bool begins) {
    exchange.counted = begins;
    const std::lock_guard lock(under_way_mutex);
    under_way += begins ? 1 : -1;
    under_way_fewer.notify_all();
  }

  Reply answer(const Call& call, FaultKind fault, std::string& note) {
    switch (fault) {
      case FaultKind::throttle:
        return api.throttled();
      case FaultKind::error:
        return api.failed(500);
      case FaultKind::unavailable:
        return api.failed(503);
      case FaultKind::conflict:
        return api.failed(409);
      case FaultKind::reset:
        return {};
      case FaultKind::slow:
        options.clock->wait(slow_by, stopping.get_token());
        break;
      case FaultKind::none:
      case FaultKind::lost:
        break;
    }
    try {
      return api.handle(call);
    } catch (const std::exception& error) {
      note = fmt::format(" ({})", error.what());
      return api.broken(error.what());
    }
  }

  // MHD_NO closes the connection without an answer.
  MHD_Result serve(MHD_Connection* connection, Exchange& exchange) {
    if (stopping.stop_requested()) return MHD_NO;
    count(exchange, true);
    const auto begin = std::chrono::steady_clock::now();
    const auto& call = exchange.call;
    const auto fault = faults.next(changes_something(call.method));
    std::string note;
    if (fault != FaultKind::none) note = fmt::format(" fault {}", to_string(fault));
    const auto refused = exchange.too_large ? std::optional(plain_text(413, "request entity too large\n"))
                         : api.is_public()  ? std::nullopt
                                            : refusal_of(call);
    auto reply = refused ? *refused : answer(call, fault, note);
    const bool cut = fault == FaultKind::reset || fault == FaultKind::lost;
    if (options.on_request) {
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
      options.on_request(fmt::format("{} {} {} {} {:.1f} ms{}", options.name, call.method, call.target,
                                     cut ? "closed" : std::to_string(reply.status), took.count(), note));
    }
    if (fault == FaultKind::reset) reset(socket_of(connection));
    if (cut) return MHD_NO;
    return send(connection, exchange, std::move(reply));
  }

  MHD_Result send(MHD_Connection* connection, Exchange& exchange, Reply reply) {
    MHD_Response* response = nullptr;
    const bool typed = reply.stream || !reply.body.empty();
    if (reply.stream) {
      count(exchange, false);
      // A watch may be still for longer than a connection may be idle.
      MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
      const auto broken = [this, call = &exchange.call](const std::string& why) {
        if (options.on_request)
          options.on_request(fmt::format("{} {} {} broken off ({})", options.name, call->method, call->target, why));
      };
      auto body =
          std::make_unique<Body>(Body{std::move(reply.stream), broken, socket_of(connection), stopping.get_token()});
      response = MHD_create_response_from_callback(
          MHD_SIZE_UNKNOWN, connection_memory,
          [](void* from, std::uint64_t, char* bytes, std::size_t room) {
            return static_cast<Body*>(from)->read(bytes, room);
          },
          body.get(), [](void* from) { delete static_cast<Body*>(from); });
      if (response != nullptr) (void)body.release();
    } else {
      response = MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
    }
    if (response == nullptr) return MHD_NO;
    if (typed) MHD_add_response_header(response, "Content-Type", reply.content_type.c_str());
    MHD_add_response_header(response, "Date", system::to_http_date(options.clock->now()).c_str());
    for (const auto& [name, value] : reply.headers) MHD_add_response_header(response, name.c_str(), value.c_str());
    const auto queued = MHD_queue_response(connection, static_cast<unsigned int>(reply.status), response);
    MHD_destroy_response(response);
    return queued;
  }

  void listen() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(options.port));
    daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                                  MHD_USE_ITC | MHD_USE_SUPPRESS_DATE_NO_CLOCK,
                              static_cast<std::uint16_t>(options.port), nullptr, nullptr, &receive, this,
                              MHD_OPTION_SOCK_ADDR, reinterpret_cast<sockaddr*>(&address),
                              MHD_OPTION_LISTEN_BACKLOG_SIZE, backlog, MHD_OPTION_CONNECTION_LIMIT, most_connections,
                              MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                              connection_memory, MHD_OPTION_URI_LOG_CALLBACK, &begin, this, MHD_OPTION_NOTIFY_COMPLETED,
                              &end, this, MHD_OPTION_END);
    if (daemon == nullptr)
      throw Failed({.message = fmt::format("the sandbox cannot serve {} on port {} of 127.0.0.1", options.name,
                                           options.port == 0 ? "any" : std::to_string(options.port)),
                    .hint = "another program uses that port: choose another one, or let the system choose"});
    port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
  }

  ~Impl() {
    if (daemon == nullptr) return;
    stopping.request_stop();
    {
      std::unique_lock lock(under_way_mutex);
      under_way_fewer.wait_for(lock, last_answers, [this] { return under_way == 0; });
    }
    MHD_stop_daemon(daemon);
  }
};

Server::Server(Api& api, Faults& faults, ServerOptions options)
    : impl_(std::make_unique<Impl>(api, faults, std::move(options))) {
  impl_->listen();
}

Server::~Server() = default;

int Server::port() const {
  return impl_->port;
}

void Server::stop() {
  impl_->stopping.request_stop();
}

}  // namespace litedesk::sandbox
