#include "providers/sandbox/connection.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace litedesk::sandbox {

namespace {

constexpr int idle_milliseconds = 120'000;
constexpr int body_milliseconds = 30'000;
constexpr std::size_t read_size = 16 * 1024;

}  // namespace

Connection::Connection(int socket, int stop_event) : socket_(socket), stop_event_(stop_event) {
  ::fcntl(socket_, F_SETFD, FD_CLOEXEC);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::~Connection() {
  if (!aborted_) ::shutdown(socket_, SHUT_RDWR);
  ::close(socket_);
}

bool Connection::wait_readable(int milliseconds) const {
  std::array<pollfd, 2> waited = {{{socket_, POLLIN, 0}, {stop_event_, POLLIN, 0}}};
  int ready = 0;
  do ready = ::poll(waited.data(), waited.size(), milliseconds);
  while (ready < 0 && errno == EINTR);
  return ready > 0 && waited[1].revents == 0;
}

bool Connection::wait_for_request() {
  head_.clear();
  in_head_ = true;
  return !aborted_ && (in_used_ < in_.size() || wait_readable(idle_milliseconds));
}

std::multimap<std::string, std::string> Connection::request_headers() {
  in_head_ = false;
  std::multimap<std::string, std::string> headers;
  std::string_view rest = head_;
  rest.remove_prefix(std::min(rest.size(), rest.find('\n')));  // the request line
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.size(), value.find_first_not_of(" \t")));
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    headers.emplace(std::move(name), value);
  }
  return headers;
}

bool Connection::flush() {
  std::size_t sent = 0;
  while (sent < out_.size() && !aborted_) {
    const auto count = ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    sent += static_cast<std::size_t>(count);
  }
  const bool whole = sent == out_.size() && !aborted_;
  out_.clear();
  return whole;
}

void Connection::start_streaming() {
  streaming_ = true;
}

void Connection::abort(bool reset) {
  out_.clear();
  aborted_ = true;
  if (reset) {
    // A linger time of 0 makes close() send a reset.
    const linger now = {1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  } else {
    ::shutdown(socket_, SHUT_RDWR);
  }
}

bool Connection::peer_closed() const {
  if (aborted_) return true;
  pollfd waited = {socket_, POLLIN | POLLRDHUP, 0};
  if (::poll(&waited, 1, 0) <= 0) return false;
  return (waited.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool Connection::is_readable() const {
  return in_used_ < in_.size() || (!aborted_ && wait_readable(body_milliseconds));
}

bool Connection::is_writable() const {
  return !aborted_;
}

ssize_t Connection::read(char* bytes, size_t size) {
  if (in_used_ == in_.size()) {
    if (!is_readable()) return -1;
    in_.resize(read_size);
    in_used_ = 0;
    ssize_t count = 0;
    do count = ::recv(socket_, in_.data(), in_.size(), 0);
    while (count < 0 && errno == EINTR);
    in_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (count <= 0) return count;
  }
  const auto taken = std::min(size, in_.size() - in_used_);
  std::memcpy(bytes, in_.data() + in_used_, taken);
  in_used_ += taken;
  if (in_head_) head_.append(bytes, taken);
  return static_cast<ssize_t>(taken);
}

ssize_t Connection::write(const char* bytes, size_t size) {
  if (aborted_) return -1;
  out_.append(bytes, size);
  if (streaming_ && !flush()) return -1;
  return static_cast<ssize_t>(size);
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = "127.0.0.1";
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (::getpeername(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0) port = ntohs(address.sin_port);
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  ip = "127.0.0.1";
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0) port = ntohs(address.sin_port);
}

socket_t Connection::socket() const {
  return socket_;
}

}  // namespace litedesk::sandbox
