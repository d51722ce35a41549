#include "tests/unit/providers/http/http2_server.hpp"

#include <atomic>
#include <csignal>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/providers/http/tls.hpp"

namespace litedesk::test {

namespace {

enum FrameType : unsigned char { data = 0, headers = 1, settings = 4, ping = 6 };
constexpr unsigned char end_stream = 1, acknowledged = 1, end_headers = 4;
constexpr std::size_t preface_size = 24, frame_head_size = 9;

// Our only client offers it.
int choose_h2(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char*, unsigned int, void*) {
  static const unsigned char h2[] = {'h', '2'};
  *chosen = h2;
  *size = sizeof h2;
  return SSL_TLSEXT_ERR_OK;
}

std::string frame(unsigned char type, unsigned char flags, std::uint32_t stream, std::string_view payload) {
  std::string text;
  for (const int shift : {16, 8, 0}) text += static_cast<char>(payload.size() >> shift);
  text += static_cast<char>(type);
  text += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) text += static_cast<char>(stream >> shift);
  return text.append(payload);
}

}  // namespace

struct Http2Server::Impl {
  Rule answers;
  TlsContext context;
  int port = 0, socket = -1, stopped = -1;
  std::atomic<int> connection_count{0}, request_count{0};
  std::mutex mutex;  // of the rule
  std::list<std::thread> threads;
  std::thread thread;

  [[nodiscard]] bool readable(int fd) const {
    pollfd watched[] = {{fd, POLLIN, 0}, {stopped, POLLIN, 0}};
    ::poll(watched, 2, 60'000);
    return watched[1].revents == 0 && watched[0].revents != 0;
  }

  // Reads until `size` bytes are there; false at the connection's end.
  bool fill(SSL* tls, int fd, std::string& pending, std::size_t size) const {
    while (pending.size() < size) {
      char buffer[16'384];
      if (SSL_pending(tls) == 0 && !readable(fd)) return false;
      const int got = SSL_read(tls, buffer, sizeof buffer);
      if (got <= 0) return false;
      pending.append(buffer, static_cast<std::size_t>(got));
    }
    return true;
  }

  static void send(SSL* tls, const std::string& text) {
    (void)SSL_write(tls, text.data(), static_cast<int>(text.size()));
  }

  void serve(int fd, int connection) {
    const TlsConnection tls(SSL_new(context.get()));
    SSL_set_fd(tls.get(), fd);
    std::string pending;
    if (SSL_accept(tls.get()) == 1 && fill(tls.get(), fd, pending, preface_size)) {
      pending.erase(0, preface_size);
      send(tls.get(), frame(FrameType::settings, 0, 0, ""));
      int request = 0;
      while (fill(tls.get(), fd, pending, frame_head_size)) {
        const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(pending[at]); };
        const auto size = static_cast<std::size_t>(byte(0) << 16 | byte(1) << 8 | byte(2));
        const auto type = byte(3), flags = byte(4);
        const auto stream = static_cast<std::uint32_t>((byte(5) & 0x7f) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8));
        if (!fill(tls.get(), fd, pending, frame_head_size + size)) break;
        const auto payload = pending.substr(frame_head_size, size);
        pending.erase(0, frame_head_size + size);
        if (type == FrameType::settings && (flags & acknowledged) == 0) {
          send(tls.get(), frame(FrameType::settings, acknowledged, 0, ""));
        } else if (type == FrameType::ping && (flags & acknowledged) == 0) {
          send(tls.get(), frame(FrameType::ping, acknowledged, 0, payload));
        } else if ((type == FrameType::headers || type == FrameType::data) && (flags & end_stream) != 0) {
          ++request_count;
          const std::lock_guard lock(mutex);
          // 0x88 is ":status: 200" (RFC 7541, appendix A).
          if (answers(connection, ++request))
            send(tls.get(), frame(FrameType::headers, end_stream | end_headers, stream, "\x88"));
        }
      }
    }
    ::close(fd);
  }

  void run() {
    while (readable(socket)) {
      const int fd = ::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      threads.emplace_back([this, fd, number = ++connection_count] { serve(fd, number); });
    }
    for (auto& each : threads) each.join();
  }
};

Http2Server::Http2Server(Rule answers, const Certificates& tls) : impl_(std::make_unique<Impl>()) {
  impl_->answers = std::move(answers);
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  impl_->context = make_tls_context(tls);
  SSL_CTX_set_alpn_select_cb(impl_->context.get(), choose_h2, nullptr);
  impl_->socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  impl_->stopped = ::eventfd(0, EFD_CLOEXEC);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (impl_->socket < 0 || impl_->stopped < 0 ||
      ::bind(impl_->socket, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(impl_->socket, 16) != 0 ||
      ::getsockname(impl_->socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("the HTTP/2 test server cannot start");
  impl_->port = ntohs(address.sin_port);
  impl_->thread = std::thread([this] { impl_->run(); });
}

Http2Server::~Http2Server() {
  eventfd_write(impl_->stopped, 1);
  impl_->thread.join();
  ::close(impl_->socket);
  ::close(impl_->stopped);
}

std::string Http2Server::url(const std::string& target) const {
  return "https://127.0.0.1:" + std::to_string(impl_->port) + target;
}
int Http2Server::port() const {
  return impl_->port;
}
int Http2Server::connections() const {
  return impl_->connection_count;
}
int Http2Server::requests() const {
  return impl_->request_count;
}

}  // namespace litedesk::test
