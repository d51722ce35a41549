#include "tests/unit/providers/http/tls_relay.hpp"

#include <csignal>
#include <list>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/providers/http/tls.hpp"

namespace litedesk::test {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

struct TlsRelay::Impl {
  TlsContext context;
  int target = 0, port = 0, socket = -1, stopped = -1;
  std::list<std::thread> threads;
  std::thread thread;

  // One side's bytes to the other, as long as both are there.
  void relay(SSL* tls, int client, int server) const {
    char bytes[16'384];
    while (true) {
      pollfd watched[] = {{client, POLLIN, 0}, {server, POLLIN, 0}, {stopped, POLLIN, 0}};
      if (SSL_pending(tls) == 0 && ::poll(watched, 3, -1) < 0) return;
      if (watched[2].revents != 0) return;
      if (SSL_pending(tls) > 0 || watched[0].revents != 0) {
        const int count = SSL_read(tls, bytes, sizeof bytes);
        if (count <= 0 || !send_all(server, {bytes, static_cast<std::size_t>(count)})) return;
      }
      if (watched[1].revents != 0) {
        const auto count = ::recv(server, bytes, sizeof bytes, 0);
        if (count <= 0 || SSL_write(tls, bytes, static_cast<int>(count)) <= 0) return;
      }
    }
  }

  void serve(int client) const {
    const TlsConnection tls(SSL_new(context.get()));
    SSL_set_fd(tls.get(), client);
    if (SSL_accept(tls.get()) == 1) {
      const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const auto address = loopback(target);
      if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        relay(tls.get(), client, server);
      ::close(server);
      SSL_shutdown(tls.get());
    }
    ::close(client);
  }

  void run() {
    while (true) {
      pollfd watched[] = {{socket, POLLIN, 0}, {stopped, POLLIN, 0}};
      if (::poll(watched, 2, -1) < 0 || watched[1].revents != 0) break;
      const int client = ::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) threads.emplace_back([this, client] { serve(client); });
    }
    for (auto& each : threads) each.join();
  }
};

TlsRelay::TlsRelay(int target_port, const Certificates& tls, const std::string& client_ca_pem)
    : impl_(std::make_unique<Impl>()) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  impl_->context = make_tls_context(tls, client_ca_pem);
  impl_->target = target_port;
  impl_->socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  impl_->stopped = ::eventfd(0, EFD_CLOEXEC);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (impl_->socket < 0 || impl_->stopped < 0 ||
      ::bind(impl_->socket, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(impl_->socket, 128) != 0 ||
      ::getsockname(impl_->socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("cannot bind a loopback port");
  impl_->port = ntohs(address.sin_port);
  impl_->thread = std::thread([this] { impl_->run(); });
}

TlsRelay::~TlsRelay() {
  eventfd_write(impl_->stopped, 1);
  impl_->thread.join();
  ::close(impl_->socket);
  ::close(impl_->stopped);
}

int TlsRelay::port() const {
  return impl_->port;
}

}  // namespace litedesk::test
