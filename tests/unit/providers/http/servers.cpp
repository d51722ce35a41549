#include "tests/unit/providers/http/servers.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/providers/http/tls_relay.hpp"

namespace litedesk::test {

namespace {

int listen_on_loopback(int& port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (socket < 0 || ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("cannot bind a loopback port");
  port = ntohs(address.sin_port);
  return socket;
}

}  // namespace

std::string Asked::header(const std::string& name) const {
  for (const auto& [key, value] : headers)
    if (::strcasecmp(key.c_str(), name.c_str()) == 0) return value;
  return {};
}

namespace {

// The body of a streamed answer, piece by piece.
struct Pieces {
  std::function<std::string(int)> next;
  int number = 0;
  std::string waiting = {};

  ssize_t read(char* bytes, std::size_t room) {
    if (waiting.empty()) waiting = next(number++);
    if (waiting.empty()) return MHD_CONTENT_READER_END_OF_STREAM;
    const auto size = waiting.copy(bytes, room);
    waiting.erase(0, size);
    return static_cast<ssize_t>(size);
  }
};

MHD_Response* response_of(const Answered& answered) {
  if (!answered.pieces)
    // The library takes no const pointer, and copies all the same.
    return MHD_create_response_from_buffer(answered.body.size(), const_cast<char*>(answered.body.data()),
                                           MHD_RESPMEM_MUST_COPY);
  return MHD_create_response_from_callback(
      MHD_SIZE_UNKNOWN, 32 * 1024,
      [](void* pieces, std::uint64_t, char* bytes, std::size_t room) {
        return static_cast<Pieces*>(pieces)->read(bytes, room);
      },
      new Pieces{answered.pieces}, [](void* pieces) { delete static_cast<Pieces*>(pieces); });
}

int port_of(MHD_Connection* connection) {
  const auto* address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
  return ntohs(reinterpret_cast<const sockaddr_in*>(address)->sin_port);
}

}  // namespace

struct Server::Impl {
  explicit Impl(Handler answers) : handler(std::move(answers)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC, 0, nullptr,
        nullptr, &receive, this, MHD_OPTION_SOCK_ADDR, reinterpret_cast<sockaddr*>(&address),
        MHD_OPTION_URI_LOG_CALLBACK, &begin, nullptr, MHD_OPTION_NOTIFY_COMPLETED, &end, nullptr, MHD_OPTION_END);
    if (daemon == nullptr) throw std::runtime_error("cannot bind a loopback port");
    port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
  }
  ~Impl() {
    relay.reset();
    MHD_stop_daemon(daemon);
  }

  Handler handler;
  std::atomic<int> count{0};
  MHD_Daemon* daemon = nullptr;
  int port = 0;
  std::unique_ptr<TlsRelay> relay;

  // The library's three calls for each request. Only the first one has the target as it was sent.
  static void* begin(void*, const char* target, MHD_Connection* connection) {
    auto asked = std::make_unique<Asked>();
    asked->target = target;
    asked->client_port = port_of(connection);
    return asked.release();
  }
  static MHD_Result receive(void* self, MHD_Connection* connection, const char*, const char* method, const char*,
                            const char* bytes, std::size_t* size, void** context) {
    auto& asked = *static_cast<Asked*>(*context);
    if (asked.method.empty()) {
      asked.method = method;
      MHD_get_connection_values(
          connection, MHD_HEADER_KIND,
          [](void* headers, MHD_ValueKind, const char* name, const char* value) {
            static_cast<Asked*>(headers)->headers.emplace(name, value == nullptr ? "" : value);
            return MHD_YES;
          },
          &asked);
      return MHD_YES;
    }
    if (*size > 0) {
      asked.body.append(bytes, std::exchange(*size, 0));
      return MHD_YES;
    }
    auto& impl = *static_cast<Impl*>(self);
    asked.number = ++impl.count;
    const auto answered = impl.handler(asked);
    auto* response = response_of(answered);
    for (const auto& [name, value] : answered.headers) MHD_add_response_header(response, name.c_str(), value.c_str());
    MHD_add_response_header(response, "Content-Type", answered.type.c_str());
    const auto queued = MHD_queue_response(connection, static_cast<unsigned int>(answered.status), response);
    MHD_destroy_response(response);
    return queued;
  }
  static void end(void*, MHD_Connection*, void** context, MHD_RequestTerminationCode) {
    delete static_cast<Asked*>(std::exchange(*context, nullptr));
  }
};

Server::Server(Handler handler) : impl_(std::make_unique<Impl>(std::move(handler))) {}

Server::Server(Handler handler, const Certificates& tls, const std::string& client_ca_pem)
    : impl_(std::make_unique<Impl>(std::move(handler))) {
  impl_->relay = std::make_unique<TlsRelay>(impl_->port, tls, client_ca_pem);
}

Server::~Server() = default;

int Server::port() const {
  return impl_->relay ? impl_->relay->port() : impl_->port;
}

std::string Server::url(const std::string& target) const {
  return std::string(impl_->relay ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) + target;
}

int Server::requests() const {
  return impl_->count;
}

struct ScriptedServer::Impl {
  std::vector<Step> steps;
  std::atomic<int> request_count{0}, connection_count{0};
  int port = 0, socket = -1, stopped = -1;
  std::thread thread;

  // Waits until the descriptor can be read; false when the server is to stop.
  [[nodiscard]] bool readable(int fd) const {
    pollfd watched[] = {{fd, POLLIN, 0}, {stopped, POLLIN, 0}};
    ::poll(watched, 2, 60'000);
    return watched[1].revents == 0 && watched[0].revents != 0;
  }

  // A request with its body; false at the connection's end.
  [[nodiscard]] bool read_request(int fd, std::string& pending) const {
    while (true) {
      const auto end = pending.find("\r\n\r\n");
      if (end != std::string::npos) {
        std::size_t length = 0;
        const auto field = pending.find("Content-Length: ");
        if (field != std::string::npos && field < end) length = std::strtoul(pending.c_str() + field + 16, nullptr, 10);
        if (pending.size() >= end + 4 + length) {
          pending.erase(0, end + 4 + length);
          return true;
        }
      }
      char buffer[4096];
      if (!readable(fd)) return false;
      const auto got = ::recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      pending.append(buffer, static_cast<std::size_t>(got));
    }
  }

  void serve(int fd, std::size_t& next) {
    std::string pending;
    while (true) {
      const Step& step = steps[std::min(next, steps.size() - 1)];
      if (step.read_request) {
        if (!read_request(fd, pending)) return;
        ++request_count;
      }
      ++next;
      if (::send(fd, step.text.data(), step.text.size(), MSG_NOSIGNAL) < 0) return;
      switch (step.kind) {
        case Step::answer:
          break;
        case Step::close:
          return;
        case Step::reset: {
          const linger at_once{1, 0};
          ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
          return;
        }
        case Step::hang:
          while (readable(fd)) {  // until the client or the test ends it
            char buffer[4096];
            if (::recv(fd, buffer, sizeof buffer, 0) <= 0) return;
          }
          return;
      }
    }
  }

  void run() {
    std::size_t next = 0;
    while (readable(socket)) {
      const int fd = ::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connection_count;
      serve(fd, next);
      ::close(fd);
    }
  }
};

ScriptedServer::ScriptedServer(std::vector<Step> steps) : impl_(std::make_unique<Impl>()) {
  impl_->steps = std::move(steps);
  impl_->socket = listen_on_loopback(impl_->port);
  impl_->stopped = ::eventfd(0, EFD_CLOEXEC);
  if (impl_->stopped < 0 || ::listen(impl_->socket, 16) != 0) throw std::runtime_error("cannot listen on loopback");
  impl_->thread = std::thread([this] { impl_->run(); });
}

ScriptedServer::~ScriptedServer() {
  eventfd_write(impl_->stopped, 1);
  impl_->thread.join();
  ::close(impl_->socket);
  ::close(impl_->stopped);
}

std::string ScriptedServer::url(const std::string& target) const {
  return "http://127.0.0.1:" + std::to_string(impl_->port) + target;
}

int ScriptedServer::requests() const {
  return impl_->request_count;
}
int ScriptedServer::connections() const {
  return impl_->connection_count;
}

int closed_port() {
  int port = 0;
  ::close(listen_on_loopback(port));
  return port;
}

}  // namespace litedesk::test
