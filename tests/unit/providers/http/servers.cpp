#include "tests/unit/providers/http/servers.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace litedesk::test {

namespace {

Asked asked_of(const httplib::Request& request, int number) {
  Asked asked{request.method, request.target, request.body, {}, number, request.remote_port};
  for (const auto& [name, value] : request.headers) asked.headers.emplace(name, value);
  return asked;
}

void answer(const Answered& answered, httplib::Response& response) {
  response.status = answered.status;
  for (const auto& [name, value] : answered.headers) response.set_header(name.c_str(), value.c_str());
  if (!answered.pieces) {
    response.set_content(answered.body, answered.type.c_str());
    return;
  }
  auto number = std::make_shared<int>(0);
  response.set_chunked_content_provider(answered.type.c_str(),
                                        [pieces = answered.pieces, number](std::size_t, httplib::DataSink& sink) {
                                          const std::string piece = pieces((*number)++);
                                          if (piece.empty())
                                            sink.done();
                                          else
                                            return sink.write(piece.data(), piece.size());
                                          return true;
                                        });
}

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

struct Server::Impl {
  std::unique_ptr<httplib::Server> server;
  Handler handler;
  std::atomic<int> count{0};
  int port = 0;
  bool tls = false;
  std::thread thread;

  void start() {
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      answer(handler(asked_of(request, ++count)), response);
    };
    // HEAD comes as GET.
    server->Get(".*", handle);
    server->Post(".*", handle);
    server->Put(".*", handle);
    server->Patch(".*", handle);
    server->Delete(".*", handle);
    server->set_keep_alive_max_count(10'000);
    server->set_keep_alive_timeout(1);  // it holds up the server's end
    server->set_tcp_nodelay(true);
    server->new_task_queue = [] { return new httplib::ThreadPool(40); };
    if (!server->is_valid()) throw std::runtime_error("the test server's certificate cannot be used");
    port = server->bind_to_any_port("127.0.0.1");
    if (port <= 0) throw std::runtime_error("cannot bind a loopback port");
    thread = std::thread([this] { server->listen_after_bind(); });
    // stop() has no effect before the thread is that far.
    while (!server->is_running()) std::this_thread::yield();
  }
};

namespace {
template <class Type, void (*Free)(Type*)>
struct Deleter {
  void operator()(Type* value) const { Free(value); }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO, BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;

Bio memory(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}
Certificate read_certificate(const std::string& pem) {
  return Certificate(PEM_read_bio_X509(memory(pem).get(), nullptr, nullptr, nullptr));
}
}  // namespace

Server::Server(Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->server = std::make_unique<httplib::Server>();
  impl_->handler = std::move(handler);
  impl_->start();
}

Server::Server(Handler handler, const Certificates& tls, const std::string& client_ca_pem)
    : impl_(std::make_unique<Impl>()) {
  const auto certificate = read_certificate(tls.certificate_pem);
  const Key key(PEM_read_bio_PrivateKey(memory(tls.key_pem).get(), nullptr, nullptr, nullptr));
  X509_STORE* clients = nullptr;  // the server's context owns it
  if (!client_ca_pem.empty()) {
    clients = X509_STORE_new();
    X509_STORE_add_cert(clients, read_certificate(client_ca_pem).get());
  }
  impl_->server = std::make_unique<httplib::SSLServer>(certificate.get(), key.get(), clients);
  impl_->handler = std::move(handler);
  impl_->tls = true;
  impl_->start();
}

Server::~Server() {
  impl_->server->stop();
  impl_->thread.join();
}

int Server::port() const {
  return impl_->port;
}

std::string Server::url(const std::string& target) const {
  return std::string(impl_->tls ? "https" : "http") + "://127.0.0.1:" + std::to_string(impl_->port) + target;
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
