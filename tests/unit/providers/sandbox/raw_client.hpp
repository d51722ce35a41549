// An HTTP client as plain as can be: what a test writes is what is sent, and what came is what it sees.
#pragma once

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace litedesk::sandbox::tests {

struct RawAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class RawConnection {
 public:
  explicit RawConnection(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket_);
      throw std::runtime_error("nobody listens on port " + std::to_string(port));
    }
  }
  ~RawConnection() { ::close(socket_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void send(std::string_view text) const {
    while (!text.empty()) {
      const auto count = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // what became of it shows when it is read
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  // False at the connection's end; `error` is then 0, or what broke it.
  bool receive(int* error = nullptr) {
    char bytes[16'384];
    const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (error != nullptr) *error = count < 0 ? errno : 0;
    if (count <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  // Everything up to and with `end`; what there is when the connection ends before.
  std::string until(std::string_view end) {
    auto at = received_.find(end);
    while (at == std::string::npos && receive()) at = received_.find(end);
    return taken(at == std::string::npos ? received_.size() : at + end.size());
  }

  std::string until_the_end(int* error = nullptr) {
    while (receive(error)) continue;
    return taken(received_.size());
  }

  // The next answer: its head, and as much of a body as its length says, its chunks, or all until the end.
  RawAnswer answer() {
    RawAnswer result;
    const auto head = until("\r\n\r\n");
    if (head.size() < 12) return result;
    result.status = std::stoi(head.substr(9, 3));
    for (std::size_t at = head.find("\r\n") + 2; at + 2 < head.size(); at = head.find("\r\n", at) + 2) {
      const auto line = head.substr(at, head.find("\r\n", at) - at);
      auto name = line.substr(0, line.find(':'));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      result.headers[name] = line.substr(std::min(line.size(), name.size() + 2));
    }
    if (result.headers["transfer-encoding"] == "chunked")
      for (auto piece = chunk(); !piece.empty(); piece = chunk()) result.body += piece;
    else if (const auto length = result.headers.find("content-length"); length != result.headers.end())
      result.body = exactly(std::stoul(length->second));
    else if (result.status != 204)
      result.body = until_the_end();
    return result;
  }

  // The next chunk; empty for the last.
  std::string chunk() {
    const auto size = until("\r\n");
    auto piece = exactly(size.empty() ? 0 : std::stoul(size, nullptr, 16));
    until("\r\n");
    return piece;
  }

 private:
  std::string taken(std::size_t size) {
    auto text = received_.substr(0, size);
    received_.erase(0, size);
    return text;
  }
  std::string exactly(std::size_t size) {
    while (received_.size() < size && receive()) continue;
    return taken(std::min(size, received_.size()));
  }

  int socket_;
  std::string received_;
};

inline std::string raw_request(std::string_view method, std::string_view target, std::string_view headers = "",
                               std::string_view body = "") {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(headers);
  if (!body.empty()) text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  return text.append("\r\n").append(body);
}

// One request on a connection of its own. `headers`: whole lines, each with its end.
inline RawAnswer ask(int port, std::string_view method, std::string_view target, std::string_view headers = "",
                     std::string_view body = "") {
  RawConnection connection(port);
  connection.send(raw_request(method, target, headers, body));
  return connection.answer();
}

}  // namespace litedesk::sandbox::tests
